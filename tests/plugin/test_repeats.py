"""Frames that come again, byte for byte: counted, and warned of once when they come again and again."""

import pytest

import experts
from capture import NS, RECEIVED, SENT
from story import B, MS, Story, arp, ask, ask_file, dns, spanning_tree, tcp, udp

pytestmark = pytest.mark.usefixtures("ten_are_an_alarm")


def every(step, copies, data, cpu=0):
    """Copies of a frame so far apart."""
    story = Story()
    for _ in range(copies):
        story.packet(data, cpu, after=step)
    return story


def warnings(user, story, *args):
    """Of the table of expert information what warns of repeats: {text: how often}."""
    found = experts.in_the_table(user, story.write(user.home), *args)
    return {text: times for (severity, text), times in found.items() if "again and again" in text}


def test_copies_are_counted_from_the_original(user):
    story = Story()
    for data in (udp(payload=b"a"), udp(payload=b"b"), udp(payload=b"a"), udp(payload=b"a"), udp(payload=b"b")):
        story.packet(data)
    assert ask(user, story).rows("repeat", "repeat.of") == [["", ""], ["", ""], ["1", "1"], ["2", "1"], ["1", "2"]]


def test_what_differs_in_one_bit_or_one_byte_is_no_copy(user):
    story = Story()
    whole = udp(payload=b"a" * 100)
    for data in (whole, whole[:-1] + b"b", whole + b"\0", whole[:-1]):
        story.packet(data)
    assert ask(user, story).frames("repeat") == []


def test_a_copy_on_another_cpu_device_or_host_or_in_another_direction_is_none(user):
    story = Story()
    story.packet(udp(), 0, RECEIVED, "eth0")
    story.packet(udp(), 1, RECEIVED, "eth0")
    story.packet(udp(), 0, SENT, "eth0")
    story.packet(udp(), 0, None, "eth0")
    story.packet(udp(), 0, RECEIVED, "eth1")
    story.packet(udp(), 0, RECEIVED, "eth0", host="web1")
    story.packet(udp(), 0, RECEIVED, "eth0")
    story.packet(udp(), 0, RECEIVED | 4 << 2, "eth0")
    assert ask(user, story).rows("repeat", "repeat.of") == [["", ""]] * 6 + [["1", "1"], ["2", "1"]]


def test_a_copy_on_lo_is_seen_sent_and_received_and_is_none(user):
    story = Story()
    for way in (SENT, RECEIVED):
        story.packet(udp(), 0, way, "lo")
    assert ask(user, story).frames("repeat") == []


def test_packets_on_no_known_cpu_have_copies_too(user):
    story = Story()
    story.packet(udp(), stream="queue unknown")
    story.packet(udp(), stream="queue unknown")
    assert ask(user, story).column("repeat") == ["", "1"]


def test_a_cut_frame_is_a_copy_as_far_as_it_was_captured_and_says_so(user):
    story = Story()
    for length in (1000, 1000, 1001):
        story.packet(udp(payload=b"a" * 100), length=length)
    assert ask(user, story).column("repeat") == ["", "1", ""]
    text = user.run("tshark", "-V", "-r", user.home / "story.pcapng", "-Y", "frame.number == 2")
    assert "[Repeat: 1 (as far as captured: 142 of 1000 bytes)]" in text


def test_a_run_goes_on_while_each_copy_is_at_most_a_second_behind_the_one_before(user):
    story = Story()
    for after in (0, NS, NS, NS, NS + 1, NS):
        story.packet(udp(), after=after)
    assert ask(user, story).rows("repeat", "repeat.of") == [["", ""], ["1", "1"], ["2", "1"], ["3", "1"], ["", ""],
                                                            ["1", "5"]]


def test_how_far_apart_copies_may_be_is_a_preference(user):
    story = Story()
    for after in (0, 100 * MS, 150 * MS, 100 * MS):
        story.packet(udp(), after=after)
    path = story.write(user.home)
    assert ask_file(user, path, "-o", "rxtxcpu.repeat_window:100").rows("repeat", "repeat.of") == [
        ["", ""], ["1", "1"], ["", ""], ["1", "3"]]
    assert ask_file(user, path, "-o", "rxtxcpu.repeat_window:0").frames("repeat") == []


def test_a_late_packet_is_neither_a_copy_nor_an_original(user):
    story = Story()
    story.packet(udp(payload=b"a"))
    story.packet(udp(payload=b"b"), after=10 * MS)
    story.packet(udp(payload=b"a"), after=-5 * MS)
    story.packet(udp(payload=b"c"), after=MS)
    story.packet(udp(payload=b"c"), after=10 * MS)
    story.packet(udp(payload=b"a"))
    assert ask(user, story).rows("late", "repeat", "repeat.of") == [
        ["", "", ""], ["", "", ""], ["1", "", ""], ["1", "", ""], ["", "", ""], ["", "1", "1"]]


def test_a_clock_that_was_set_back_forgets_what_was_before(user):
    story = Story()
    for after in (0, MS, -5 * NS, MS):
        story.packet(udp(), after=after)
    assert ask(user, story).column("repeat") == ["", "1", "", "1"]


def test_a_stuck_frame_is_warned_of_once_on_the_copy_that_makes_it_an_alarm(user):
    path = every(MS, 50, udp()).write(user.home)
    said = "The same frame again and again on this CPU: 10 times by now"
    assert experts.in_the_table(user, path) == {("Warns", said): 1}
    assert user.frames(path, "rxtxcpu.expert.repeat") == [11]


def test_copies_are_an_alarm_only_as_many_within_one_window(user):
    """Nine within a second, and as many again in the next."""
    story = Story()
    for after in [0, *[MS] * 9, 995 * MS, *[MS] * 8]:
        story.packet(udp(), after=after)
    assert warnings(user, story) == {}
    story.packet(udp(), after=MS)
    assert list(warnings(user, story).values()) == [1]


def test_two_stuck_frames_are_two_warnings_and_a_new_run_is_another(user):
    story = Story()
    for _ in range(11):
        story.packet(udp(payload=b"a"), 0)
        story.packet(udp(payload=b"a"), 1)
    for after in [2 * NS, *[MS] * 10]:
        story.packet(udp(payload=b"a"), 0, after=after)
    assert user.frames(story.write(user.home), "rxtxcpu.expert.repeat") == [21, 22, 33]


def test_from_how_many_copies_on_is_a_preference(user):
    path = every(MS, 8, udp()).write(user.home)
    for alarm, frames in ((3, [4]), (1, [2]), (0, [2])):
        options = "-o", f"rxtxcpu.repeat_alarm:{alarm}"
        assert user.frames(path, "rxtxcpu.expert.repeat", args=options) == frames


def test_honest_repeats_are_no_warning(user):
    story = Story()
    for data, waits in (
            (arp(), [NS] * 30),                                  # a question for an address, each second
            (spanning_tree(), [2 * NS] * 30),                    # the hello of a bridge
            (dns(), [300 * MS] * 4),                             # a name that is asked for again
            (tcp(seq=999), [NS] * 30),                           # a connection that is kept alive
            (tcp(payload=b"a" * 100), [0, 200 * MS, 400 * MS, 800 * MS, 1600 * MS])):  # sent again and again
        for wait in waits:
            story.packet(data, after=wait)
    for number in range(64):                                     # eight hosts ask for the same one
        story.packet(arp((10 + number % 8, 0), B), after=10 * MS)
    assert warnings(user, story) == {}


def test_honest_repeats_are_counted_as_what_they_are(user):
    assert ask(user, every(NS, 4, arp())).column("repeat") == ["", "1", "2", "3"]
    assert ask(user, every(2 * NS, 4, spanning_tree())).frames("repeat") == []
