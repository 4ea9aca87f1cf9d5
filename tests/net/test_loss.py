"""Sent = delivered + dropped, for each CPU and to the packet, also when a reader cannot keep up."""

import signal

import pytest

from lib import attribution, contract, pcapng
from lib.frames import decode
from lib.sender import Sending, send

BURST, AFTER = 41000, 42000  # ports


def by_cpu(packets):
    groups = {}
    for packet in packets:
        groups.setdefault(contract.cpu_of(packet), []).append(packet)
    return groups


def check_drop_counts(packets, dropped):
    """The losses of one CPU, all in one gap: the packet behind it tells how many, and no other does."""
    burst = [packet for packet in packets if decode(packet).port == BURST]
    assert [decode(packet).mark.seq for packet in burst] == list(range(len(burst))), "the oldest are not the kept ones"
    assert {packet.number: packet.dropcount for packet in packets if packet.dropcount} == \
        {packets[len(burst)].number: dropped}


@pytest.mark.threads
def test_a_burst_beyond_the_buffer_is_counted_to_the_packet(veth, capture, two_cpus):
    running = capture(veth.a, "va", "-d", "tx", "-B", 2)
    with running.frozen():
        burst = send(veth.a, "va", two_cpus, count=5000, size=1000, udp=BURST)
    running.wait_for_packets(2)
    after = send(veth.a, "va", two_cpus, count=10, rate=1000, udp=AFTER)
    result = running.stop()
    for cpu, packets in by_cpu(result.packets).items():
        accepted, dropped, delivered = result.statistics()[cpu]
        assert dropped > 0
        assert accepted == delivered + dropped == burst[cpu] + after[cpu]
        check_drop_counts(packets, dropped)
    assert len([line for line in result.stderr.splitlines() if "lost" in line or "dropped" in line]) >= 1


def test_losses_with_no_packet_behind_them_are_in_the_statistics_only(veth, capture, two_cpus):
    running = capture(veth.a, "va", "-d", "tx", "-B", 2)
    with running.frozen():
        sent = send(veth.a, "va", two_cpus, count=5000, size=1000, udp=BURST)
    result = running.stop()
    for cpu, (accepted, dropped, delivered) in result.statistics().items():
        if cpu in sent:
            assert dropped > 0 and accepted == delivered + dropped == sent[cpu]
    assert [packet.number for packet in result.packets if packet.dropcount] == [], "nothing came after the losses"


def test_losses_on_one_cpu_are_not_told_of_another(veth, capture, two_cpus):
    lossy, quiet = two_cpus
    running = capture(veth.a, "va", "-d", "tx", "-B", 2)
    with running.frozen():
        send(veth.a, "va", [lossy], count=5000, size=1000, udp=BURST)
        send(veth.a, "va", [quiet], count=50, udp=BURST)
    result = running.stop()
    assert result.dropped()[quiet] == 0 < result.dropped()[lossy]
    assert attribution.per_cpu(result.packets)[quiet] == 50


def check_gaps(packets):
    """Between two packets of a sender as many are missing as the second one tells; how often any were."""
    seqs = [decode(packet).mark.seq for packet in packets]
    gaps = [after - before - 1 for before, after in zip([-1, *seqs], seqs)]
    assert [packet.dropcount or 0 for packet in packets] == gaps
    return len([gap for gap in gaps if gap])


def test_losses_through_a_slow_reader_are_told_with_the_packet_behind_each(veth, piped, two_cpus):
    running, pipe = piped(options=("-B", 2))
    with Sending(veth.a, "va", two_cpus, size=1000) as sending:
        data = pipe.read_all(enough=16 << 20)
        sent = sending.stop()
    running.signal(signal.SIGTERM)
    file = pcapng.parse(data + pipe.read_all())
    assert running.wait() == 0
    pipe.close()
    gaps = [check_gaps(packets) for packets in by_cpu(file.packets).values()]
    assert sum(gaps) > 3, "the reader was not slow"
    for interface in file.interfaces:
        counters = interface.statistics[0]
        cpu = contract.description_of(interface).cpu
        assert counters[pcapng.ISB_IFRECV] == sent.get(cpu, 0)
        assert counters[pcapng.ISB_IFRECV] == counters[pcapng.ISB_USRDELIV] + counters[pcapng.ISB_IFDROP]


def test_a_larger_buffer_keeps_what_a_smaller_one_lost(veth, capture, two_cpus):
    running = capture(veth.a, "va", "-d", "tx", "-B", 64)
    with running.frozen():
        sent = send(veth.a, "va", two_cpus, count=5000, size=1000)
    result = running.stop()
    attribution.check_all(result.packets, sent, ("tx",))
    assert set(result.dropped().values()) == {0}
    assert not any(packet.dropcount for packet in result.packets)
    assert all(interface.statistics[0][pcapng.ISB_IFDROP] == 0 for interface in result.file.interfaces)
