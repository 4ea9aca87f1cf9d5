"""What goes wrong around a capture: no standard streams, a link that flaps, a user without privilege. What interfaces do
is in test_link_faults.py and test_persist.py, where a capture is written in test_output_faults.py."""

import os

import pytest

from lib import accounting, attribution, user
from lib.capture import words
from lib.frames import decode
from lib.process import eventually, run
from lib.sender import send


@pytest.mark.parametrize("options", ((), ("-U",)))
def test_on_a_full_disk_the_counts_are_those_of_the_file(veth, capture, small_disks, options):
    """Every kind of file, with the counts as JSON, is in test_output_faults.py."""
    running = capture(veth.b, "vb", "-d", "rx", *options, output=small_disks() / "capture.pcapng")
    sent = send(veth.a, "va", count=2000, size=500, rate=20000)
    assert accounting.check_broken(running.result(whole=False, status=1), {40000: sent}) > 100


def test_a_program_without_standard_streams_sends_nothing(veth, capture):
    """Its messages would otherwise leave through the first free descriptor, which is a packet socket of vb."""
    watch = capture(veth.a, "va")
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *words("-v", "--duration", "1", "vb")]
    run(veth.b.inside(*closed))
    assert watch.stop().packets == []


@pytest.mark.parametrize("options", (("-w", "-"), ("--duration", "1")))
def test_a_closed_stdout_is_an_error(veth, options):
    ended = run(veth.b.inside("sh", "-c", 'exec "$@" >&-', "sh", *words(*options, "vb")))
    assert ended.status == 1
    assert len(ended.stderr_lines) == 1 and "standard output" in ended.stderr.lower()


def flap(veth):
    for state, operstate in (("down", "DOWN"), ("up", "UP")):
        veth.b.ip(f"link set vb {state}")
        eventually(lambda: veth.b.link("vb")["operstate"] == operstate, f"vb to be {operstate}")
    eventually(lambda: veth.a.link("va")["operstate"] == "UP", "va to have its carrier back")


def of_port(packets, port):
    return [packet for packet in packets if decode(packet).port == port]


def test_a_link_that_flaps_loses_nothing_of_before_and_after(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx")
    before = send(veth.a, "va", count=100, rate=10000, udp=41000)
    running.wait_for_packets(sum(before.values()))
    for _flap in range(5):
        flap(veth)
    after = send(veth.a, "va", count=100, rate=10000, udp=42000)
    packets = running.stop().packets
    attribution.check_all(of_port(packets, 41000), before)
    attribution.check_all(of_port(packets, 42000), after)


def test_promiscuous_mode_lasts_as_long_as_the_capture(veth, capture):
    running = capture(veth.b, "vb", "-p")
    assert veth.b.link("vb")["promiscuity"] == 1
    running.stop()
    assert veth.b.link("vb")["promiscuity"] == 0


def test_without_asking_the_interface_is_not_made_promiscuous(veth, capture):
    running = capture(veth.b, "vb")
    assert veth.b.link("vb")["promiscuity"] == 0
    running.stop()


def test_a_user_with_the_capability_captures_promiscuously_too(veth, capture, scratch):
    home = scratch / "home"
    home.mkdir()
    user.own(home)
    running = capture(veth.b, "vb", "-d", "rx", "-p", output=home / "capture.pcapng", launch=user.launch(scratch))
    sent = send(veth.a, "va", count=100, rate=10000)
    attribution.check_all(running.stop().packets, sent)
    assert os.stat(home / "capture.pcapng").st_uid == user.UID
