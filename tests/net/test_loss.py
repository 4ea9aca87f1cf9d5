"""Sent = delivered + dropped + filtered, for each CPU and to the packet, also when a reader cannot keep up."""

import signal

import pytest

from lib import accounting, attribution, contract, pcapng
from lib.capture import Result
from lib.frames import decode
from lib.sender import Sending, send

BURST, OTHER, AFTER = 41000, 42000, 43000  # ports


def by_cpu(packets):
    groups = {}
    for packet in packets:
        groups.setdefault(contract.cpu_of(packet), []).append(packet)
    return groups


def check_oldest_are_kept(packets):
    """The losses of one CPU are all in one gap, behind the oldest packets."""
    burst = [packet for packet in packets if decode(packet).port == BURST]
    assert [decode(packet).mark.seq for packet in burst] == list(range(len(burst)))
    assert [packet.number for packet in packets if packet.dropcount] == [packets[len(burst)].number]


@pytest.mark.threads
@pytest.mark.parametrize("options", ((), ("--json",), ("-f", f"not udp port {OTHER}")), ids=("lines", "json", "filter"))
def test_a_burst_beyond_the_buffer_is_counted_to_the_packet(veth, capture, two_cpus, options):
    running = capture(veth.a, "va", "-d", "tx", "-B", 2, *options)
    filtered = (OTHER,) if "-f" in options else ()
    with running.frozen():
        sent = {port: send(veth.a, "va", two_cpus, count=5000, size=1000, udp=port) for port in (*filtered, BURST)}
    running.wait_for_packets(2)
    sent[AFTER] = send(veth.a, "va", two_cpus, count=10, rate=1000, udp=AFTER)
    result = running.stop()
    assert set(accounting.check(result, sent, filtered=filtered)) == set(two_cpus)
    for packets in by_cpu(result.packets).values():
        check_oldest_are_kept(packets)


def test_losses_with_no_packet_behind_them_are_in_the_statistics_only(veth, capture, two_cpus):
    running = capture(veth.a, "va", "-d", "tx", "-B", 2)
    with running.frozen():
        sent = send(veth.a, "va", two_cpus, count=5000, size=1000, udp=BURST)
    result = running.stop()
    assert set(accounting.check(result, {BURST: sent})) == set(two_cpus)
    assert [packet.number for packet in result.packets if packet.dropcount] == [], "nothing came after the losses"


def test_losses_on_one_cpu_are_not_told_of_another(veth, capture, two_cpus):
    lossy, quiet = two_cpus
    running = capture(veth.a, "va", "-d", "tx", "-B", 2)
    with running.frozen():
        sent = {BURST: send(veth.a, "va", [lossy], count=5000, size=1000, udp=BURST),
                AFTER: send(veth.a, "va", [quiet], count=50, udp=AFTER)}
    assert set(accounting.check(running.stop(), sent)) == {lossy}


def gaps_told(packets):
    """How often a packet tells of losses before it; that they are the true ones is the accounting's to say."""
    return sum(packet.dropcount > 0 for packet in packets)


def test_losses_through_a_slow_reader_are_told_with_the_packet_behind_each(veth, piped, two_cpus):
    running, pipe = piped(options=("-B", 2))
    with Sending(veth.a, "va", two_cpus, size=1000, udp=BURST) as sending:
        data = pipe.read_all(enough=16 << 20)
        sent = sending.stop()
    running.signal(signal.SIGTERM)
    file = pcapng.parse(data + pipe.read_all())
    assert running.wait() == 0
    pipe.close()
    gaps = [gaps_told(packets) for packets in by_cpu(file.packets).values()]
    assert sum(gaps) > 3, "the reader was not slow"
    accounting.check(Result(0, "", running.stderr.text, 0, file), {BURST: sent})


def test_a_larger_buffer_keeps_what_a_smaller_one_lost(veth, capture, two_cpus):
    running = capture(veth.a, "va", "-d", "tx", "-B", 64)
    with running.frozen():
        sent = send(veth.a, "va", two_cpus, count=5000, size=1000)
    result = running.stop()
    attribution.check_all(result.packets, sent, ("tx",))
    assert set(result.dropped().values()) == {0}
    assert not any(packet.dropcount for packet in result.packets)
    assert all(interface.statistics[0][pcapng.ISB_IFDROP] == 0 for interface in result.file.interfaces)
