"""Which packets are late, in one pass and in two: a packet is judged by those before it in the file, seen once."""

import pytest

from capture import NS, START, frame, interface, packet, section, write

PASSES = pytest.mark.parametrize("passes", [(), ("-2",)], ids=["one pass", "two passes"])


@pytest.fixture(name="user")
def user_of_each(either):
    """Every test here is run with the plugin and with the Lua file."""
    return either


def at(user, *times, description="eth0 CPU 3 (rxtxcpu)"):
    """A capture whose packets have these times, in ns."""
    return write(user.home / "times.pcapng", section(), interface(description),
                 *[packet(time_ns=START + time) for time in times])


@PASSES
def test_a_packet_before_an_earlier_one_is_late(user, passes):
    capture = at(user, 0, 300, 100, 200, 300, 301)
    assert user.frames(capture, "rxtxcpu.late", passes) == [3, 4]
    assert user.field(capture, "rxtxcpu.late", passes) == ["", "", "1", "1", "", ""]


@PASSES
def test_a_nanosecond_is_late_and_the_same_time_is_not(user, passes):
    assert user.frames(at(user, 500, 500, 499), "rxtxcpu.late", passes) == [3]


@PASSES
def test_a_step_back_of_a_second_is_a_clock_and_begins_anew(user, passes):
    assert user.frames(at(user, 5 * NS, 4 * NS + 1), "rxtxcpu.late", passes) == [2]
    assert user.frames(at(user, 5 * NS, 4 * NS), "rxtxcpu.late", passes) == []
    assert user.frames(at(user, 5 * NS, 2 * NS, 3 * NS, 3 * NS - 1, 4 * NS), "rxtxcpu.late", passes) == [4]


@PASSES
def test_packets_of_all_interfaces_are_reckoned_together(user, passes):
    capture = write(user.home / "two.pcapng", section(), interface("eth0 CPU 0 (rxtxcpu)"),
                    interface("eth0 CPU 1 (rxtxcpu)"), packet(0, START + 10), packet(1, START), packet(0, START + 20))
    assert user.frames(capture, "rxtxcpu.late", passes) == [2]


@PASSES
def test_lateness_alone_makes_no_record(user, passes):
    capture = at(user, 10, 0, description="Ethernet")
    assert user.frames(capture, "rxtxcpu || rxtxcpu.late", passes) == []


def test_a_packet_that_a_read_filter_hides_still_counts(user):
    capture = write(user.home / "hidden.pcapng", section(), interface("eth0 CPU 3 (rxtxcpu)"),
                    *[packet(time_ns=START + time, data=frame(source=source))
                      for time, source in ((0, 1), (300, 2), (100, 1))])
    hidden = ("-2", "-R", "ip.src != 192.0.2.2")
    assert user.field(capture, "rxtxcpu.late", hidden) == ["", "1"]


def test_packets_are_judged_whoever_asks(user):
    """Counted by a tap and without a display filter, packet by packet."""
    capture = at(user, 0, 300_000_000, 100_000_000, 200_000_000)
    table = user.run("tshark", "-q", "-r", capture, "-z", "io,stat,0,rxtxcpu.late")
    assert [line.split("|")[2].strip() for line in table.splitlines() if "<>" in line] == ["2"]


def test_the_summary_says_late(user):
    assert "[Per-CPU capture: CPU 3, late]" in user.run("tshark", "-V", "-r", at(user, 10, 0))
