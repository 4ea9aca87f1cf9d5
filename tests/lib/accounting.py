"""Sent = delivered + dropped + filtered, for each CPU and to the packet, by everything that tells a number: the packets
in the files and what they say was lost before them, statistics blocks, the closing lines or the JSON object, the table,
and the lines about losses.

What was sent is {port: {cpu: count}}, one batch after another, each with a port of its own: then the number in a
packet's mark tells its place among all of its CPU, and what is missing between two of them is known to the packet.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field

from lib import contract, pcap, pcapng
from lib.frames import decode


@dataclass(frozen=True)
class Books:
    """What one CPU has by one of the tellers; None is what that one does not tell."""

    delivered: int
    dropped: int
    accepted: int | None = None


@dataclass
class Kept:
    """What is in the files."""

    packets: dict = field(default_factory=dict)  # {cpu: [packet…]} in their order
    books: dict = field(default_factory=dict)  # {cpu: Books} by the statistics blocks
    tells_losses: bool = True  # each packet says how many were lost before it


def of_captures(*captures):
    """Of pcapng files, in the order in which they were written."""
    kept = Kept()
    for capture in captures:
        for interface in capture.interfaces:
            _add_statistics(kept, interface)
        for packet in capture.packets:
            kept.packets.setdefault(contract.cpu_of(packet), []).append(packet)
    return kept


def _add_statistics(kept, interface):
    if not interface.statistics:
        return
    isb, = interface.statistics
    assert isb[pcapng.ISB_IFRECV] == isb[pcapng.ISB_FILTERACCEPT] and isb[pcapng.ISB_IFDROP] == isb[pcapng.ISB_OSDROP]
    cpu = contract.description_of(interface).cpu
    before = kept.books.get(cpu, Books(0, 0, 0))
    kept.books[cpu] = Books(before.delivered + isb[pcapng.ISB_USRDELIV], before.dropped + isb[pcapng.ISB_IFDROP],
                            before.accepted + isb[pcapng.ISB_IFRECV])


def of_pcap_files(paths):
    """Of a pcap file for each CPU, or of several rounds of them, in the order in which they were written."""
    kept = Kept(tells_losses=False)
    for path in paths:
        cpu = int(re.search(r"-(\d+)", path.name)[1])
        kept.packets.setdefault(cpu, []).extend(pcap.read(path).packets)
    return kept


# --- what is said

def _by_json(text):
    one = json.loads(text)
    assert one["over"]
    books = {group["cpu"]: Books(group["packets"], group["dropped"], group["accepted"]) for group in one["groups"]}
    assert Books(one["total"]["packets"], one["total"]["dropped"], one["total"]["accepted"]) == _sum(books)
    return books


def _sum(books):
    return Books(sum(one.delivered for one in books.values()), sum(one.dropped for one in books.values()),
                 sum(one.accepted for one in books.values()))


def _by_lines(text):
    found = re.findall(r"^(\d+) packets captured on cpu(\d+)\.$", text, re.MULTILINE)
    total, = re.findall(r"^(\d+) packets captured total\.$", text, re.MULTILINE)
    assert int(total) == sum(int(count) for count, _cpu in found), text
    return {int(cpu): int(count) for count, cpu in found}


def _lost_by_lines(text):
    lines = re.findall(r": (\d+) packets lost on cpu(\d+)\.$", text, re.MULTILINE)
    found = {int(cpu): int(count) for count, cpu in lines}
    total = re.findall(r": (\d+) packets lost in total, ", text)
    assert total == ([str(sum(found.values()))] if found else []), text
    return found


def _by_table(text):
    rows = re.findall(r"^ +(\d+) +(\d+) +(?:-|[\d.]+%) .* (\d+)$", text, re.MULTILINE)
    return {int(cpu): Books(int(packets), int(drops)) for cpu, packets, drops in rows}


def told(result):
    """{cpu: Books} of what the program said at its end, in which all its ways of saying it agree. `accepted` only by
    JSON, which goes where the lines would."""
    text = result.stdout or result.stderr
    objects = [line for line in text.splitlines() if line.startswith("{")]
    lost, table = _lost_by_lines(result.stderr), _by_table(result.stderr)
    books = _by_json(objects[-1]) if objects else {
        cpu: Books(delivered, lost.get(cpu, 0)) for cpu, delivered in _by_lines(text).items()}
    assert {cpu: one.dropped for cpu, one in books.items() if one.dropped} == lost
    assert not table or table == {cpu: Books(one.delivered, one.dropped) for cpu, one in books.items()}
    return books


# --- is it true

def totals(sent, filtered=()):
    """{cpu: count} of all batches but those to the ports `filtered`."""
    return dict(sum((Counter(counts) for port, counts in sent.items() if port not in filtered), Counter()))


class _Place:
    """The place of a packet among all that its CPU sent and the filter lets through."""

    def __init__(self, sent, filtered, cpu):
        self.first, self.count = {}, 0
        for port, counts in sent.items():
            if port not in filtered:
                self.first[port] = self.count
                self.count += counts.get(cpu, 0)

    def of(self, packet):
        frame = decode(packet)
        assert frame.port in self.first, f"packet {packet.number} of port {frame.port} was not to be captured"
        return self.first[frame.port] + frame.mark.seq


def gaps(packets, place_of):
    """How many are missing before each packet, none of which comes twice or before an older one."""
    places = [place_of(packet) for packet in packets]
    found = [after - before - 1 for before, after in zip([-1, *places], places)]
    assert all(gap >= 0 for gap in found), "a packet comes twice, or before an older one"
    return found


def _check_packets(packets, cpu, place, kept, dropped):
    """They are the CPU's own, and what is missing is what was dropped, told by the packet behind it."""
    assert all(decode(packet).mark.cpu == cpu for packet in packets), f"CPU {cpu} has packets of another"
    missing = gaps(packets, place.of)
    assert place.count - len(packets) == dropped, \
        f"CPU {cpu}: {len(packets)} of {place.count}, {dropped} told as dropped"
    if kept.tells_losses:
        assert [packet.dropcount for packet in packets] == missing, f"CPU {cpu}"


def check(result, sent, kept=None, filtered=()):
    """`sent` and nothing else is in the files and in what was said, but for what was dropped. The batches to the ports
    `filtered` are what a filter had to keep out. Returns what is lost: {cpu: count}."""
    books = told(result)
    kept = kept or of_captures(result.file)
    assert all(cpu in books for cpu in kept.packets)
    for cpu, one in books.items():
        place = _Place(sent, filtered, cpu)
        packets = kept.packets.get(cpu, [])
        _check_packets(packets, cpu, place, kept, one.dropped)
        assert one == Books(len(packets), one.dropped, one.accepted)
        assert one.accepted in (None, place.count), f"CPU {cpu}"
        assert not kept.books or kept.books[cpu] == Books(len(packets), one.dropped, place.count), f"CPU {cpu}"
    return {cpu: one.dropped for cpu, one in books.items() if one.dropped}


def check_broken(result, sent, kept=None):
    """The same where the output broke: the first packets are there, without a gap that is not told, and everything said
    is of these; what was accepted beyond is neither delivered nor dropped. Returns how much was delivered."""
    books = told(result)
    kept = kept or of_captures(result.file)
    for cpu, one in books.items():
        place = _Place(sent, (), cpu)
        packets = kept.packets.get(cpu, [])
        missing = gaps(packets, place.of)
        assert all(decode(packet).mark.cpu == cpu for packet in packets)
        assert sum(missing) <= one.dropped
        assert not kept.tells_losses or [packet.dropcount for packet in packets] == missing
        assert one.delivered == len(packets), f"CPU {cpu}"
        assert one.accepted is None or one.delivered + one.dropped <= one.accepted <= place.count, f"CPU {cpu}"
    return sum(one.delivered for one in books.values())
