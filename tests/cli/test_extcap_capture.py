"""A capture as Wireshark starts, feeds and stops it, and what it must do even when it fails."""

import os
import re
import shutil
import signal

import pytest

from lib import attribution, contract, kernel, paths, pcapng, sanitizer, user
from lib.capture import words
from lib.extcap import ExtcapCapture, ask, of_kind
from lib.frames import decode
from lib.process import Process, eventually
from lib.sender import send

INITIALIZED = b"T\x00\x00\x02\x00\x00"


@pytest.fixture
def start(veth, scratch, cleanup):
    """Starts a capture of vb (or of another interface) by way of its fifo."""

    def begin(*options, interface="vb", **how):
        return cleanup.enter_context(ExtcapCapture(veth.b, interface, *options, folder=scratch, **how))

    return begin


@pytest.mark.threads
def test_packets_are_in_the_fifo_while_the_capture_runs_and_its_end_follows_a_sigterm(veth, start):
    running = start("--direction", "rx").wait_until_live()
    sent = send(veth.a, "va", count=20)
    running.wait_for_packets(sum(sent.values()))
    attribution.check_all(running.stop().packets, sent)


def test_without_options_everything_is_captured_as_the_dialogue_advertises(veth, start):
    defaults = {argument["call"]: argument.get("default") for argument in
                of_kind(ask(veth.b, "--extcap-config", "--extcap-interface", "rxtxcpu-vb"), "arg")}
    running = start().wait_until_live()
    sent = send(veth.a, "va", count=10)
    assert send(veth.b, "vb", count=10) == sent
    assert veth.b.link("vb")["promiscuity"] == (defaults["--promiscuous"] == "true")
    result = running.stop()
    attribution.check_all(result.packets, sent, ("rx", "tx"))
    assert {interface.snaplen for interface in result.interfaces} == {int(defaults["--snaplen"])}


def test_options_of_the_dialogue_take_effect(veth, start, two_cpus):
    chosen = two_cpus[1]
    running = start("--cpu-list", chosen, "--direction", "rx", "--snaplen", 90, "--buffer-size", 8, "--duration", 0,
                    "--annotate", "both", "--promiscuous", "--extcap-capture-filter", "udp port 42000")
    running.wait_until_live()
    assert veth.b.link("vb")["promiscuity"] == 1
    send(veth.a, "va", two_cpus, count=10, udp=41000)
    sent = send(veth.a, "va", two_cpus, count=10, udp=42000)
    result = running.stop(annotate="both")
    assert {(decode(packet).port, packet.caplen) for packet in result.packets} == {(42000, 90)}
    attribution.check_all(result.packets, {chosen: sent[chosen]})


@pytest.mark.parametrize("options", (["--cpu-list", ""], ["--count", "0"], ["--duration", "0"]))
def test_an_option_that_limits_nothing_is_as_good_as_none(veth, start, options):
    running = start("--direction", "rx", *options).wait_until_live()
    sent = send(veth.a, "va", count=5)
    running.wait_for_packets(sum(sent.values()))
    attribution.check_all(running.stop().packets, sent)


def test_a_count_ends_the_capture_with_its_statistics(veth, start):
    running = start("--direction", "rx", "--count", 3).wait_until_live()
    send(veth.a, "va", kernel.CPUS[:1], count=10)
    assert len(running.result(exact_stop=True).packets) == 3


def test_when_wireshark_goes_away_the_capture_ends_in_silence(veth, start):
    running = start().wait_until_live()
    running.fifo.close_reader()
    send(veth.a, "va", count=10)
    assert (running.wait(), running.stdout.text, running.stderr.text) == (0, "", "")


def test_the_toolbars_pipes_are_opened_and_may_carry_anything(veth, start):
    running = start("--direction", "rx", toolbar=True)
    assert running.control_in.opened.wait(5) and running.control_out.opened.wait(5)
    running.control_in.write(INITIALIZED)
    running.control_in.write(b"T\x00\x00\x05\x63\x01abc" + b"X\xff\xff\xff" + b"T\x00")
    running.wait_until_live()
    sent = send(veth.a, "va", count=10)
    running.wait_for_packets(sum(sent.values()))
    attribution.check_all(running.stop().packets, sent)


def test_a_toolbar_that_is_closed_does_not_end_the_capture(veth, start):
    running = start("--direction", "rx", toolbar=True).wait_until_live()
    running.control_in.write(INITIALIZED)
    running.control_out.close_reader()
    sent = send(veth.a, "va", count=10)
    running.wait_for_packets(sum(sent.values()))
    attribution.check_all(running.stop().packets, sent)


FAILURES = {
    "no such interface": (dict(interface="nowhere"), [], "nowhere"),
    "interface down": (dict(), "down", "ip link set dev vb up"),
    "bad filter": (dict(), ["--extcap-capture-filter", "udp por"], "filter"),
    "bad cpu list": (dict(), ["--cpu-list", "10j"], "Invalid cpu list '10j'."),
    "no such cpu": (dict(), ["--cpu-list", "1000"], "No configured cpus present in cpu list."),
    "bad number": (dict(), ["--snaplen", "many"], "'many'"),
    "bad choice": (dict(), ["--direction", "up"], "'up'"),
    "unknown option": (dict(), ["--colour", "red"], "--colour"),
}


@pytest.mark.parametrize("toolbar", (False, True), ids=("tshark", "wireshark"))
@pytest.mark.parametrize("fault", FAILURES)
def test_a_capture_that_cannot_be_opens_every_pipe_and_says_why(veth, start, fault, toolbar):
    how, options, sentence = FAILURES[fault]
    if options == "down":
        veth.b.ip("link set vb down")
        options = []
    status, said = start(*options, toolbar=toolbar, **how).failure()
    assert sentence in said
    assert len(said.splitlines()) == 1, said
    assert status == (1 if fault in ("no such interface", "interface down") else 2)


def test_a_user_who_may_not_capture_is_told_what_to_type(start, scratch):
    copy = shutil.copy(paths.PROGRAM, scratch / "rxtxcpu")
    status, said = start(launch=lambda *options: user.words(*sanitizer.launcher(), copy, *options)).failure()
    assert status == 1
    assert "Operation not permitted" in said and "setcap cap_net_raw+ep" in said


def test_what_happens_to_the_interface_is_in_the_toolbars_log_with_its_time(veth, start):
    """And not on stderr, which Wireshark would show as an error."""
    running = start("--direction", "rx", toolbar=True).wait_until_live()
    running.control_in.write(INITIALIZED)
    for words_ in ("vb down", "vb up", "vb down", "vb name other", "other up"):
        veth.b.ip(f"link set {words_}")
    happened = ["vb went down", "vb is up again", "vb went down", "vb is called other now, the capture goes on",
                "other is up again"]
    time = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    pattern = b".*".join(time + b": The interface " + text.encode() for text in happened)
    running.control_out.wait_until(re.compile(pattern, re.DOTALL).search, "the events in the log")
    eventually(lambda: veth.a.link("va")["operstate"] == "UP", "va to have its carrier back")
    sent = send(veth.a, "va", count=10)
    running.wait_for_packets(sum(sent.values()))
    attribution.check_all(running.stop().packets, sent)


def test_an_interface_that_vanishes_is_an_error_at_the_end(veth, start):
    running = start("--direction", "rx").wait_until_live()
    sent = send(veth.a, "va", count=10)
    running.wait_for_packets(sum(sent.values()))
    veth.b.ip("link delete vb")
    assert running.wait() == 1
    assert running.stderr.lines == ["rxtxcpu: The interface vb is gone (deleted, or moved to another namespace), the "
                                    "capture ends here"]
    running.fifo.wait_for_end()
    result = pcapng.parse(running.fifo.data)
    contract.check(result)
    attribution.check_all(result.packets, sent)


def test_a_capture_whose_reader_never_comes_can_be_ended(veth, scratch):
    os.mkfifo(scratch / "fifo")
    argv = words("--capture", "--extcap-interface", "rxtxcpu-vb", "--fifo", scratch / "fifo")
    with Process(veth.b.inside(*argv)) as waiting:
        eventually(lambda: not waiting.running or waiting.signal(signal.SIGTERM), "SIGTERM to end it")
