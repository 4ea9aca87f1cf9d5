"""Is every packet where it belongs? What was sent, by the marks in the frames, against what was captured."""

from collections import Counter

from lib import contract, kernel
from lib.frames import decode

SANE_NS = 60_000_000_000  # from the mark of a batch to the capture of its last frame, on a machine that is busy


def by_sender(packets):
    """{(direction, sending cpu): [packet…]} in the order of the file."""
    found = {}
    for packet in packets:
        found.setdefault((packet.direction, decode(packet).mark.cpu), []).append(packet)
    return found


def per_cpu(packets):
    """How many packets each CPU has by the file."""
    return Counter(contract.cpu_of(packet) for packet in packets)


def _check_sequence(packets, count, who):
    seqs = [decode(packet).mark.seq for packet in packets]
    if seqs != list(range(count)):
        lost = sorted(set(range(count)) - set(seqs))
        order = "in order" if seqs == sorted(seqs) else "out of order"
        raise AssertionError(f"{who}: {len(seqs)} of {count} packets, {order}, without {lost[:10]}")


def check_cpu(packets, cpu, who):
    elsewhere = [packet.number for packet in packets if contract.cpu_of(packet) != cpu]
    assert not elsewhere, f"{who}: {len(elsewhere)} of {len(packets)} packets are not on CPU {cpu}: {elsewhere[:10]}"


def check_times(packets):
    """A packet was captured after it was marked, and not long after."""
    for packet in packets:
        after = packet.ts_ns - decode(packet).mark.time_ns
        assert 0 <= after < SANE_NS, f"packet {packet.number} is stamped {after} ns after it was sent"


def check_all(packets, sent, directions=("rx",), cpu_of=lambda cpu: cpu):
    """Every packet of `sent` ({cpu: count}) is there once for each direction, in order, and no other packet is.
    `cpu_of` tells the CPU that must have handled what a CPU sent."""
    groups = by_sender(packets)
    expected = {(direction, cpu) for direction in directions for cpu, count in sent.items() if count}
    assert set(groups) == expected, f"captured {set(groups)}, sent {expected}"
    for (direction, cpu), group in groups.items():
        who = f"{direction} from CPU {cpu}"
        _check_sequence(group, sent[cpu], who)
        check_cpu(group, cpu_of(cpu), who)
    check_times(packets)


def check_counts(result, sent):
    """The closing lines and the statistics tell the same as `sent`, CPUs without packets included."""
    expected = {cpu: sent.get(cpu, 0) for cpu in kernel.cpus("online")}
    assert result.counts() == expected
    assert result.dropped() == dict.fromkeys(expected, 0)
    assert {cpu: delivered for cpu, (_a, _d, delivered) in result.statistics().items()} == expected
