"""At 200,000 packets/s all that was sent there is here or is counted as lost, for each CPU and to the packet, also
where the way or the reader is too slow for it; and the far end counts, for it was its buffer that was full."""

import contextlib
import json
import os
import re
import signal
import struct
import sys
import threading
import time

import pytest

from lib import contract, kernel, pcapng, sanitizer
from lib.capture import LIVE, words
from lib.process import Process, check as check_program, run
from lib.sender import Sending

RATE, SECONDS, SIZE = 100000, 2, 128  # of each of two CPUs
STALL = 1.5  # seconds in which nobody reads
SLOW_BITS = 50_000_000  # a fifth of what it takes
# What the far end's memory may grow by while nobody takes what it has; sshd keeps what it has promised to send.
GROWTH_KIB = {"rxtxcpu": 4096 * sanitizer.SLOWNESS, "sshd": 16384}
END = 30 * sanitizer.SLOWNESS  # seconds until all that was on its way is here

SLOW_QUEUE = ("tbf", "rate", SLOW_BITS, "burst", 16384, "latency", "50ms")
BLOCK, PACKET, OPTION = (struct.Struct(pcapng.LOCAL_ORDER + form) for form in ("II", "IIIII", "HH"))
MARK = struct.Struct(">4sIQ")
MARK_AT = 14 + 20 + 8  # behind the headers of Ethernet, IP and UDP


# --- a quick reader: 400,000 packets; those of other tests are looked at more closely

class Of:
    """What a file has of one CPU: its packets' numbers in their order, and how many each says are lost before it."""

    def __init__(self, interface):
        self.cpu = contract.description_of(interface).cpu
        self.accepted, self.dropped, self.delivered = (interface.statistics[0][code] for code in (
            pcapng.ISB_IFRECV, pcapng.ISB_IFDROP, pcapng.ISB_USRDELIV))
        self.seqs, self.told = [], []

    def take(self, data, at, end):
        _number, _high, _low, caplen, length = PACKET.unpack_from(data, at)
        at += PACKET.size
        magic, sender, seq = MARK.unpack_from(data, at + MARK_AT)
        assert (magic, sender, caplen, length) == (b"RXTX", self.cpu, SIZE, SIZE), \
            f"CPU {self.cpu} has a packet of {sender}, {caplen} bytes of {length}"
        self.seqs.append(seq)
        self.told.append(dropcount(data, at + SIZE, end))


def dropcount(data, at, end):
    while at < end:
        code, length = OPTION.unpack_from(data, at)
        if code == pcapng.EPB_DROPCOUNT:
            return int.from_bytes(data[at + 4:at + 12], sys.byteorder)
        at += OPTION.size + (length + 3 & ~3)
    return 0


def read(data):
    """{cpu: Of}"""
    packets, others, at = [], bytearray(), 0
    while at < len(data):
        kind, length = BLOCK.unpack_from(data, at)
        if kind == pcapng.EPB:
            packets.append((at + BLOCK.size, at + length - 4))
        else:
            others += data[at:at + length]
        at += length
    found = [Of(interface) for interface in pcapng.parse(others).interfaces]
    for begin, end in packets:
        found[PACKET.unpack_from(data, begin)[0]].take(data, begin, end)
    return {one.cpu: one for one in found}


# --- a capture whose reader can be held up

class Reader:
    """Reads a fifo in a thread, as long as nobody holds it."""

    def __init__(self, path):
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # at once: there is no writer yet
        os.set_blocking(self._fd, True)
        self.data, self._free = bytearray(), threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._free.set()

    def start(self):
        self._thread.start()

    def _read(self):
        while self._free.wait() and (chunk := os.read(self._fd, 1 << 20)):
            self.data += chunk

    @contextlib.contextmanager
    def held(self):
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()

    def close(self):
        self._thread.join(END)
        assert not self._thread.is_alive(), "the fifo was not closed"
        os.close(self._fd)


class Running:
    def __init__(self, process, reader, host):
        self.process, self.reader, self._host = process, reader, host
        self._before = self._memory()

    def _memory(self):
        """The highest of the program's there and of all that sshd has for it, in KiB."""
        peaks = {}
        for pid, name in self._host.sessions().items():
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                peaks[name] = peaks.get(name, 0) + int(re.search(r"^VmHWM:\s+(\d+)", status.read(), re.MULTILINE)[1])
        return peaks

    def stop(self):
        """({cpu: Of}, {cpu: the object's counts}, stderr)"""
        grown = {name: peak - self._before[name] for name, peak in self._memory().items() if name in self._before}
        self.process.signal(signal.SIGINT)
        assert self.process.wait(END) == 0, self.process.stderr.text
        self.reader.close()
        too_much = {name: grown[name] for name, most in GROWTH_KIB.items() if grown[name] > most}
        assert not too_much, f"the far end took more memory: {too_much} KiB"
        counts = json.loads(self.process.stdout.lines[-1])
        assert {group["host"] for group in counts["groups"]} == {"web1"}
        by_cpu = {group["cpu"]: group for group in counts["groups"]}
        return read(bytes(self.reader.data)), by_cpu, self.process.stderr.text


@pytest.fixture
def start(lab, web1, cleanup, scratch):
    def running(*options):
        reader = Reader(scratch / "rate.pcapng")
        argv = words("-v", "--json", "--remote-host", "web1", "-d", "rx", *options, "-w", scratch / "rate.pcapng", "vb")
        process = cleanup.enter_context(Process(lab.near.view.inside(*argv)))
        process.stderr.wait_for_line(LIVE)
        reader.start()
        return Running(process, reader, web1)

    return running


# --- what must be true

def check(captured, counts, sent):
    """Sent = here + counted as lost, in the file and in the object; each packet is on the CPU that it was sent from, in
    its order, and says how many are missing before it. How many were lost of each CPU."""
    for cpu in kernel.cpus("online"):
        of, count, n = captured[cpu], counts[cpu], sent.get(cpu, 0)
        told = f"CPU {cpu}: {n} sent, {of.accepted} accepted, {of.delivered} delivered, {of.dropped} lost"
        assert of.accepted == of.delivered + of.dropped == n, told
        assert (count["packets"], count["accepted"], count["dropped"]) == (of.delivered, of.accepted, of.dropped)
        missing = [seq - before - 1 for before, seq in zip([-1, *of.seqs], of.seqs)]
        assert min(missing, default=0) >= 0, f"CPU {cpu}: out of order, or twice"
        assert of.told == missing, f"CPU {cpu}: packets tell of other losses than there are"
        assert len(of.seqs) == of.delivered and len(of.seqs) + sum(missing) <= n
    return {cpu: captured[cpu].dropped for cpu in sent}


def send(host, cpus):
    return Sending(host.peer, "va", cpus, rate=RATE, count=RATE * SECONDS, size=SIZE)


@contextlib.contextmanager
def slow_way(lab):
    """ssh's packets of web1 have to wait for each other."""
    link = ("dev", "ssh0", "root")
    made = run(lab.web1.namespace.inside("tc", "qdisc", "add", *link, *SLOW_QUEUE))
    if made.status != 0:
        pytest.skip(f"no link can be made slow here: {made.stderr}")
    try:
        yield
    finally:
        check_program(lab.web1.namespace.inside("tc", "qdisc", "del", *link))


# --- the tests

def test_at_200000_packets_a_second_each_is_here_or_counted(web1, start, two_cpus):
    running = start()
    with send(web1, two_cpus) as sending:
        sent = sending.wait()
    captured, counts, _said = running.stop()
    check(captured, counts, sent)


def test_a_reader_that_stalls_costs_packets_there_which_are_counted(web1, start, two_cpus):
    running = start("-B", 2)
    with send(web1, two_cpus) as sending:
        with running.reader.held():
            time.sleep(STALL)
        sent = sending.wait()
    captured, counts, said = running.stop()
    assert all(check(captured, counts, sent).values()), "nothing was lost: was the reader not held?"
    assert "packets lost in total, the buffer was full" in said


def test_a_slow_way_costs_packets_there_which_are_counted(lab, web1, start, two_cpus):
    running = start("-B", 2)
    with slow_way(lab), send(web1, two_cpus) as sending:
        sent = sending.wait()
        captured, counts, said = running.stop()
    lost = check(captured, counts, sent)
    gaps = [n for of in captured.values() for n in of.told if n]
    assert all(lost.values()) and len(gaps) > 3, "the way was not slow"
    assert "packets lost in total, the buffer was full" in said
