"""Interfaces that flap, are renamed, deleted, made again or moved while they are captured: what is said, and that what
is in the file is all that there was to be captured."""

import json
import signal

import pytest

from lib import accounting, attribution, kernel
from lib.capture import words
from lib.frames import mark_of
from lib.kinds import events_of, object_of, start_all
from lib.link import Link
from lib.process import Process, eventually
from lib.sender import Sending, send

FLAPS = 100
GONE = "rxtxcpu: The interface vb is gone (deleted, or moved to another namespace), the capture ends here"
RENAMED = ("link-renamed", "The interface vb is called other now, the capture goes on")
PORT = 40000


def counters(namespace, device):
    """What the device itself has counted: received, transmitted, and refused because the other end was down."""
    listed = json.loads(namespace.ip(f"-s -j link show {device}"))[0]["stats64"]
    return listed["rx"]["packets"], listed["tx"]["packets"], listed["tx"]["dropped"]


# --- down and up

def of_cpu(packets, cpu):
    mine = [packet for packet in packets if mark_of(packet).cpu == cpu]
    attribution.check_cpu(mine, cpu, f"CPU {cpu}")
    return mine


def taken(packets):
    """Without those that the device refused and the sender therefore sent again."""
    seqs = [mark_of(packet).seq for packet in packets]
    return [packet for packet, seq, after in zip(packets, seqs, [*seqs[1:], None]) if seq != after]


def check_only_outages_are_missing(mine, outages):
    """What a CPU's packets lack was lost in an outage: no two neighbours have a gap between them but around one."""
    missing = accounting.gaps(mine, lambda packet: mark_of(packet).seq)
    for before, after, gap in zip(mine, mine[1:], missing[1:]):
        assert not gap or any(outage.begin_ns <= after.ts_ns and before.ts_ns <= outage.end_ns for outage in outages), \
            f"{gap} packets are missing before packet {after.number}, when the link was up"


@pytest.mark.parametrize("flapping", ("the receiving end", "the sending end"))
def test_a_link_that_flaps_a_hundred_times_under_load_costs_only_what_came_meanwhile(veth, capture, flapping):
    """The end that does not flap has all that the device carried; the one that receives, to the packet."""
    sending, receiving = capture(veth.a, "va", "-d", "tx", "--json"), capture(veth.b, "vb", "-d", "rx", "--json")
    end, device = (veth.b, "vb") if flapping == "the receiving end" else (veth.a, "va")
    with Link(end, device) as link, Sending(veth.a, "va", kernel.CPUS[:2], rate=4000) as load:
        sending.wait_for_packets(1)
        outages = link.flap(FLAPS)
        eventually(lambda: veth.a.link("va")["operstate"] == "UP", "va to have its carrier back")
        receiving.wait_for_packets(len(receiving.so_far()) + 1)
        load.stop()
    there, here = sending.stop(), receiving.stop()
    check_ends(there, here, outages)
    received, transmitted, dropped = counters(veth.b, "vb")[0], *counters(veth.a, "va")[1:]
    if device == "vb":
        assert transmitted <= accepted(there) <= transmitted + dropped  # what is refused may be so before it is seen
        check_downs(here, there)
    else:
        assert accepted(here) == received
        check_downs(there, here)


def check_ends(there, here, outages):
    """Each end has its packets on their CPUs and lacks only what came in an outage."""
    for cpu in kernel.CPUS:
        for mine in (taken(of_cpu(there.packets, cpu)), of_cpu(here.packets, cpu)):
            check_only_outages_are_missing(mine, outages)
    for result in (there, here):
        check_books(result)


def accepted(result):
    return sum(books.accepted for books in accounting.told(result).values())


def check_books(result):
    """Accepted = delivered + dropped, by everybody who tells; and nothing was dropped."""
    books, kept = accounting.told(result), accounting.of_captures(result.file)
    assert books == kept.books
    for cpu, one in books.items():
        assert one == accounting.Books(len(kept.packets.get(cpu, [])), 0, one.delivered)


def check_downs(flapping, steady):
    """Each outage is told of the end that had it, with its time; of the other one at most that it had no carrier."""
    down, up = (f"The interface {object_of(flapping)['interface']} {what}" for what in ("went down", "is up again"))
    told = [(kind, text) for kind, text in events_of(flapping) if not kind.startswith("carrier")]
    assert told == [("link-down", down), ("link-up", up)] * FLAPS
    assert [text for _time, text in flapping.events if "carrier" not in text] == [down, up] * FLAPS
    assert {kind for kind, _text in events_of(steady)} <= {"carrier-lost", "carrier-back"}
    assert (object_of(flapping)["downs"], object_of(steady)["downs"]) == (FLAPS, 0)
    assert flapping.said == [
        f"rxtxcpu: the interface went down ({FLAPS} times): what it carried meanwhile is not captured."]


# --- renamed, gone

def test_a_renamed_interface_is_told_and_captured_on_to_the_packet(veth, capture, folders):
    all_kinds = start_all(capture, veth.b, "vb", folders, "-d", "rx")
    sent = {PORT: send(veth.a, "va", count=50)}
    veth.b.ip("link set vb down")  # with a name that may change only then, on older kernels
    veth.b.ip("link set vb name other up")
    eventually(lambda: veth.a.link("va")["operstate"] == "UP", "va to have its carrier back")
    sent[41000] = send(veth.a, "va", count=50, udp=41000)
    for one in all_kinds:
        one.process.signal(signal.SIGINT)
        result, kept = one.ended(whole=True, status=0)
        assert accounting.check(result, sent, kept) == {}, one.kind
        assert RENAMED in events_of(result) and RENAMED[1] in [text for _time, text in result.events]


ENDS = {"deleted": "link delete vb", "moved": "link set vb netns {a}"}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_an_interface_ends_every_kind_of_file_with_a_sentence_and_whole(veth, capture, folders, end):
    all_kinds = start_all(capture, veth.b, "vb", folders, "-d", "rx")
    sent = {PORT: send(veth.a, "va", count=50)}
    veth.b.ip(ENDS[end].format(a=veth.a.name))
    for one in all_kinds:
        result, kept = one.ended(whole=True, status=1)
        assert result.said == [GONE], one.kind
        assert accounting.check(result, sent, kept) == {}, one.kind
        assert object_of(result)["downs"] == 0, "its end is not an outage"


def test_an_interface_that_is_deleted_while_the_program_stands_still_loses_only_what_is_counted(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "-B", 1)
    with running.frozen():
        sent = {PORT: send(veth.a, "va", count=3000, rate=20000, size=1000)}
        veth.b.ip("link delete vb")
    result = running.result(status=1)
    assert GONE in result.said
    assert set(accounting.check(result, sent)) == set(sent[PORT])


def test_another_interface_of_the_name_is_not_captured_by_accident(veth, capture):
    """Deleted and made again before the program can look; what comes through the new one is not this capture's."""
    running = capture(veth.b, "vb", "-d", "rx", "--json")
    sent = {PORT: send(veth.a, "va", count=20)}
    with running.frozen():
        veth.b.ip("link delete vb")
        veth.make()
        send(veth.a, "va", count=20, udp=41000)
    result = running.result(status=1)
    assert result.said == [GONE]
    assert accounting.check(result, sent) == {}


@pytest.mark.parametrize("end", ("link delete vb", "link set vb name other"))
def test_an_interface_that_goes_while_it_is_waited_for_is_told(veth, cleanup, scratch, end):
    veth.b.ip("link set vb down")
    waiting = cleanup.enter_context(Process(veth.b.inside(*words("-w", scratch / "out.pcapng", "vb"))))
    waiting.stderr.wait_for_line("The interface vb is down, waiting until it is up. Run: ip link set dev vb up")
    veth.b.ip(end)
    assert waiting.wait() == 1
    assert waiting.stderr.lines[-1] == "rxtxcpu: The interface vb is gone, or has another name now"
    assert not list(scratch.glob("out*"))
