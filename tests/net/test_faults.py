"""What goes wrong around a capture: full disks, interfaces that vanish or flap, a user without privilege."""

import os

import pytest

from lib import attribution, kernel, pcapng, user
from lib.capture import words
from lib.frames import decode, mark_of
from lib.process import check, eventually, run
from lib.sender import Sending, send


@pytest.fixture
def small_disk(scratch):
    """A file system of 256 KiB."""
    folder = scratch / "small"
    folder.mkdir()
    check(["mount", "-t", "tmpfs", "-o", "size=256k", "rxtxcpu-test", folder])
    yield folder
    check(["umount", "--lazy", folder])


def check_prefixes(packets):
    """Of each CPU's packets the first ones are here, none left out."""
    for (_direction, cpu), group in attribution.by_sender(packets).items():
        assert [mark_of(packet).seq for packet in group] == list(range(len(group))), f"CPU {cpu}"


def test_a_full_disk_ends_the_capture_with_a_sentence_and_whole_blocks(veth, capture, small_disk):
    running = capture(veth.b, "vb", "-d", "rx", output=small_disk / "capture.pcapng")
    send(veth.a, "va", count=2000, size=500)
    result = running.result(whole=False, status=1)
    assert len(result.said) == 1 and "No space left on device" in result.said[0], result.stderr
    assert len(result.packets) > 100
    check_prefixes(result.packets)


@pytest.mark.parametrize("options", ((), ("-U",)))
def test_on_a_full_disk_the_counts_are_those_of_the_file(veth, capture, small_disk, options):
    running = capture(veth.b, "vb", "-d", "rx", *options, output=small_disk / "capture.pcapng")
    send(veth.a, "va", count=2000, size=500, rate=20000)
    result = running.result(whole=False, status=1)
    assert result.counts() == {cpu: attribution.per_cpu(result.packets)[cpu] for cpu in kernel.cpus("online")}


def test_a_full_disk_behind_an_appending_stdout_keeps_what_was_there(veth, capture, small_disk):
    file = small_disk / "all"
    before = os.urandom(100000)
    file.write_bytes(before)
    with open(file, "ab") as stdout:
        running = capture(veth.b, "vb", "-d", "rx", output="-", stdout=stdout)
        send(veth.a, "va", count=2000, size=500)
        assert running.wait() == 1
    after = file.read_bytes()
    assert after.startswith(before)
    check_prefixes(pcapng.parse(after[len(before):]).packets)


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


def test_an_interface_that_is_deleted_ends_the_capture_with_all_that_came_before(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx")
    sent = send(veth.a, "va", count=50)
    veth.b.ip("link delete vb")
    result = running.result(status=1)
    assert len(result.said) == 1 and "vb" in result.said[0], result.stderr
    attribution.check_all(result.packets, sent)
    attribution.check_counts(result, sent)


def test_an_interface_that_moves_to_another_namespace_ends_the_capture(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx")
    sent = send(veth.a, "va", count=50)
    veth.b.ip(f"link set vb netns {veth.a.name}")
    result = running.result(status=1)
    assert len(result.said) == 1 and "vb" in result.said[0], result.stderr
    attribution.check_all(result.packets, sent)


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
    if not running.running:
        result = running.result(status=1)
        assert len(result.said) == 1 and "vb" in result.said[0], result.stderr
        attribution.check_all(result.packets, before)
        return
    after = send(veth.a, "va", count=100, rate=10000, udp=42000)
    packets = running.stop().packets
    attribution.check_all(of_port(packets, 41000), before)
    attribution.check_all(of_port(packets, 42000), after)


def test_while_a_link_flaps_no_packet_is_on_a_wrong_cpu(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx")
    with Sending(veth.a, "va", rate=5000):
        for _flap in range(10):
            flap(veth)
    packets = (running.stop() if running.running else running.result(status=1)).packets
    assert packets
    for (_direction, cpu), group in attribution.by_sender(packets).items():
        attribution.check_cpu(group, cpu, f"CPU {cpu}")
        seqs = [mark_of(packet).seq for packet in group]
        assert all(one < other for one, other in zip(seqs, seqs[1:]))


def test_an_interface_that_is_renamed_is_captured_on(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx")
    first = send(veth.a, "va", count=20, udp=41000)
    veth.b.ip("link set vb name renamed")
    second = send(veth.a, "va", count=20, udp=42000)
    packets = running.stop().packets
    attribution.check_all(of_port(packets, 41000), first)
    attribution.check_all(of_port(packets, 42000), second)


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
