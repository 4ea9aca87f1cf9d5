"""What goes wrong where a capture is written: full disks, folders that vanish, readers that sleep, and a program that is
stopped or killed. Readers that leave are in test_ending.py."""

import contextlib
import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter

import pytest

from lib import accounting, attribution, contract, kernel, kinds, pcapng, sanitizer
from lib.capture import Result, words
from lib.frames import IP_HEADER, mark_of
from lib.process import Process, Stream, eventually
from lib.sender import Sending, send

PROMPT = 1.0 * sanitizer.SLOWNESS  # seconds that an end may take

FULL = r"rxtxcpu: error (writing to|opening) savefile '(.+?)': (libpcap: .*: )?No space left on device"


# --- no room

def test_a_full_disk_ends_every_kind_of_file_with_a_sentence_and_what_is_there_is_whole(veth, capture, small_disks):
    all_kinds = kinds.start_all(capture, veth.b, "vb", small_disks, "-d", "rx")
    sent = {40000: send(veth.a, "va", count=2000, size=500, rate=10000)}
    for one in all_kinds:
        result, kept = one.ended(whole=False, status=1)
        sentence = re.fullmatch(FULL, result.said[0])
        assert sentence and str(one.folder if one.file != "-" else "-") in sentence[2], (one.kind, result.stderr)
        assert accounting.check_broken(result, sent, kept) > 100, one.kind


@pytest.mark.parametrize("options", ((), ("--json",), ("--json", "--stats", "1")), ids=("lines", "json", "json lines"))
def test_counts_that_a_full_disk_does_not_take_are_an_error(veth, capture, options):
    """In a file nobody has room for; the packets' own file is whole all the same."""
    with open("/dev/full", "wb") as full:
        running = capture(veth.b, "vb", "-d", "rx", *options, stdout=full)
    sent = send(veth.a, "va", count=20)
    running.wait_for_packets(sum(sent.values()))
    result = running.stop(status=1) if running.running else running.result(status=1)
    assert "rxtxcpu: writing to standard output: No space left on device" in result.said, result.stderr
    attribution.check_all(result.packets, sent)


# --- a path that vanishes

DELETED = r"rxtxcpu: error writing to savefile '(.+)': It was deleted meanwhile, what was in it is lost"


def test_a_folder_that_is_deleted_is_told_and_what_was_in_it_is_not_counted_as_delivered(veth, capture, folders):
    """Of a ring, with the file that is being written; packets that come behind it find no place any more."""
    named = [kind for kind in kinds.KINDS if kind != "appended stdout"]
    all_kinds = kinds.start_all(capture, veth.b, "vb", folders, "-d", "rx", kinds=named)
    sent = {41000: send(veth.a, "va", kernel.CPUS[:2], count=20, size=500, rate=10000, udp=41000)}
    for one in all_kinds:
        shutil.rmtree(one.folder)
    sent[42000] = send(veth.a, "va", kernel.CPUS[:2], count=300, size=500, rate=10000, udp=42000)
    for one in all_kinds:
        one.process.signal(signal.SIGINT)
        result, _nothing = one.ended(whole=False, status=1)
        sentence = re.fullmatch(DELETED, result.said[0])
        assert sentence and sentence[1].startswith(str(one.folder)), (one.kind, result.stderr)
        books = accounting.told(result)
        assert {books[cpu].delivered for cpu in books} == {0}, one.kind
        assert "ring" in one.kind or {cpu: books[cpu].accepted for cpu in sent[41000]} == accounting.totals(sent)


def test_a_file_that_is_renamed_keeps_all_that_comes(veth, capture, scratch):
    running = capture(veth.b, "vb", "-d", "rx", output=scratch / "out.pcapng")
    (scratch / "out.pcapng").rename(scratch / "other.pcapng")
    running.output = scratch / "other.pcapng"
    sent = send(veth.a, "va", count=20)
    accounting.check(running.stop(), {40000: sent})


def test_the_next_file_of_a_ring_in_a_folder_that_is_gone_is_told_and_the_ones_before_are_whole(veth, capture, folders):
    """Moved away, with what is in it."""
    ring = [kind for kind in kinds.KINDS if "ring" in kind]
    all_kinds = kinds.start_all(capture, veth.b, "vb", folders, "-d", "rx", kinds=ring)
    sent = {40000: send(veth.a, "va", count=200, size=500, rate=10000)}
    for one in all_kinds:
        eventually(lambda: len(one.paths()) > 2, "some files")
        one.move(one.folder.with_suffix(".moved"))
    sent[41000] = send(veth.a, "va", count=1000, size=500, rate=10000, udp=41000)
    for one in all_kinds:
        result, kept = one.ended(whole=True, status=1)
        sentence = rf"rxtxcpu: error opening savefile '{one.asked}/out.+': libpcap: .*: No such file or directory"
        assert re.fullmatch(sentence, result.said[0]), result.stderr
        assert accounting.check_broken(result, sent, kept) >= sum(sent[40000].values()), one.kind


def test_a_disk_that_is_unmounted_lazily_has_the_rest_of_its_file_and_a_ring_goes_on_where_the_path_leads(
        veth, capture, small_disks):
    all_kinds = kinds.start_all(capture, veth.b, "vb", lambda: small_disks("8m"), "-d", "rx")
    sent = {40000: send(veth.a, "va", count=200, size=500, rate=10000)}
    for one in all_kinds:
        one.unmount()
    sent[41000] = send(veth.a, "va", count=200, size=500, rate=10000, udp=41000)
    for one in all_kinds:
        one.process.signal(signal.SIGINT)
        result, kept = one.ended(whole=True, status=0)
        accounting.check(result, sent, kept)
        one.close()


# --- a reader that sleeps, and a program that is stopped

LOAD, AFTER = 41000, 42000  # ports
STALL, STOP = 10, 5  # seconds
SIZE, ETHERNET = 1000, 14  # bytes


class Reader:
    """A capture to a pipe that nobody reads until somebody does."""

    def __init__(self, piped, *options):
        self.process, pipe = piped(options=("--json", *options))
        self._pipe = open(pipe.read_end, "rb", buffering=0)
        self._stream = None

    def go_on(self):
        self._stream = Stream(self._pipe)

    def wait_for(self, port):
        """Until a packet to `port` has come."""
        wanted = port.to_bytes(2, "big") + (SIZE - ETHERNET - IP_HEADER).to_bytes(2, "big")
        self._stream.wait_until(lambda data: wanted in data, f"a packet to port {port}")

    def result(self, status):
        """All that the reader finds, once the program has ended."""
        ended = self.process.wait()
        if not self._stream:
            self.go_on()
        self._stream.wait_for_end()
        assert ended == status, self.process.stderr.text
        data = self._stream.data
        blocks, used = pcapng.split(data)
        assert status or used == len(data)
        return Result(ended, "", self.process.stderr.text, 0, pcapng.parse(data[:used]))


def test_readers_that_sleep_and_a_program_that_is_stopped_lose_only_what_is_counted(veth, capture, piped):
    """All at once, for it takes its time: a reader sleeps for ten seconds and goes on, another one for ever, and a
    capture into a file stands still for five."""
    sleepy, never = Reader(piped, "-B", 2), Reader(piped, "-B", 2)
    stopped = capture(veth.b, "vb", "-d", "rx", "-B", 2, "--json")
    begin = time.monotonic()
    with Sending(veth.a, "va", count=STALL * 500, rate=500, size=SIZE, udp=LOAD) as load:
        with stopped.frozen():
            time.sleep(STOP)  # this is the fault, and so is what the load takes
        sent = {LOAD: load.wait()}
    assert time.monotonic() - begin >= STALL
    sleepy.go_on()
    sent[AFTER] = send(veth.a, "va", count=20, size=SIZE, rate=1000, udp=AFTER)
    sleepy.wait_for(AFTER)
    for one in (sleepy.process, stopped):
        one.signal(signal.SIGTERM)
    for result in (sleepy.result(0), stopped.result()):
        assert set(accounting.check(result, sent)) == set(sent[LOAD]), "something of each CPU was to be lost"
    check_never_read(never, sent)


def check_never_read(never, sent):
    """One stop is enough; what was in the pipe when it was given up is what was delivered."""
    begin = time.monotonic()
    never.process.signal(signal.SIGTERM)
    never.process.popen.wait(10)
    assert time.monotonic() - begin < 4 * PROMPT
    result = never.result(1)
    assert result.said[0] == "rxtxcpu: The reader of '-' stopped reading: what it had not taken is lost"
    assert accounting.check_broken(result, sent) > 100


# --- killed

KILLS, AT_ONCE = 40 if sanitizer.kind() else 200, 40
SEED = 20261


def test_what_200_killed_captures_leave_is_whole_to_its_last_block_and_nothing_else_is_left(make_veth, scratch):
    """At random moments, some of them before the first packet, with much to be written: some are cut amid a block."""
    veth = make_veth(queues=4, mtu=65000)
    print(f"seed {SEED}")
    moments = random.Random(SEED)
    kept = Counter()
    with Sending(veth.a, "va", rate=100, size=40000):
        for _batch in range(KILLS // AT_ONCE):
            kept.update(kill_a_batch(veth, scratch, moments))
    print(f"{kept['files']} files with {kept['packets']} packets, {kept['cut']} of them cut amid a block")
    assert kept["files"] > KILLS / 2 and kept["packets"] > KILLS, kept
    assert veth.b.packet_sockets() == []
    assert veth.b.link("vb")["promiscuity"] == 0


def kill_a_batch(veth, scratch, moments):
    paths = [scratch / f"killed-{number}.pcapng" for number in range(AT_ONCE)]
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(Process(veth.b.inside(*words("-d", "rx", "-p", "-w", path, "vb")),
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)) for path in paths]
        eventually(lambda: sum(path.exists() for path in paths) > AT_ONCE * 3 / 4, "most of them to be live")
        began = time.monotonic()
        for after, one in sorted(((moments.uniform(0, 0.5), one) for one in running), key=lambda pair: pair[0]):
            time.sleep(max(0, began + after - time.monotonic()))
            one.signal(signal.SIGKILL)
    kept = Counter()
    for path in paths:
        kept.update(check_left(path.read_bytes() if path.exists() else b""))
        path.unlink(missing_ok=True)
    return kept


def check_left(data):
    """All whole blocks keep to the contract, and what follows them, if anything, is the beginning of another."""
    if not data:
        return {}
    _blocks, used = pcapng.split(data)
    left = pcapng.parse(data[:used])
    if left.interfaces:
        contract.check(left, statistics=False)
    for cpu, packets in accounting.of_captures(left).packets.items():
        missing = accounting.gaps(packets, lambda packet: mark_of(packet).seq)
        assert missing[1:] == [packet.dropcount for packet in packets[1:]], f"CPU {cpu}"
        attribution.check_cpu(packets, mark_of(packets[0]).cpu, f"CPU {cpu}")
    return {"files": 1, "packets": len(left.packets), "cut": int(used < len(data))}
