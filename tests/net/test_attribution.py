"""Every packet on the CPU that handled it, in order, none missing: what was sent against what was captured."""

import pytest

from lib import attribution, contract, kernel, pcapng
from lib.frames import decode, mark_of
from lib.sender import Sending, send

PACED = {"count": 2000, "rate": 20000}


@pytest.mark.threads
def test_what_a_cpu_receives_is_on_that_cpu(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx")
    sent = send(veth.a, "va", **PACED)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    attribution.check_counts(result, sent)


def test_what_a_cpu_sends_is_on_that_cpu(veth, capture):
    running = capture(veth.a, "va", "-d", "tx")
    sent = send(veth.a, "va", **PACED)
    result = running.stop()
    attribution.check_all(result.packets, sent, ("tx",))
    attribution.check_counts(result, sent)


@pytest.mark.parametrize("target", kernel.CPUS)
def test_what_is_steered_to_a_cpu_is_on_that_cpu(veth, capture, target):
    veth.b.receive_on("vb", 1 << target)
    running = capture(veth.b, "vb", "-d", "rx")
    sent = send(veth.a, "va", count=1000, rate=5000)
    attribution.check_all(running.stop().packets, sent, cpu_of=lambda _sender: target)


def test_when_steering_is_switched_during_a_capture_the_packets_move_with_it(veth, capture, two_cpus):
    first, second = two_cpus
    running = capture(veth.b, "vb", "-d", "rx")
    for number, (mask, cpu) in enumerate(((1 << second, second), (0, first), (1 << second, second))):
        veth.b.receive_on("vb", mask)
        send(veth.a, "va", [first], count=200, rate=5000, udp=41000 + number)
        running.wait_for_packets((number + 1) * 200)
    groups = {}
    for packet in running.stop().packets:
        groups.setdefault(decode(packet).port, []).append(packet)
    for port, cpu in ((41000, second), (41001, first), (41002, second)):
        assert [mark_of(packet).seq for packet in groups[port]] == list(range(200))
        attribution.check_cpu(groups[port], cpu, f"port {port}")


def test_when_steering_chooses_by_flow_each_flow_is_on_one_cpu(veth, capture):
    veth.b.receive_on("vb", sum(1 << cpu for cpu in kernel.CPUS))
    running = capture(veth.b, "vb", "-d", "rx")
    sent = send(veth.a, "va", count=500, rate=5000)
    for (_direction, cpu), packets in attribution.by_sender(running.stop().packets).items():
        assert [mark_of(packet).seq for packet in packets] == list(range(sent[cpu]))
        attribution.check_cpu(packets, contract.cpu_of(packets[0]), f"the flow of CPU {cpu}")


def test_both_directions_at_once_are_told_apart(veth, capture):
    running = capture(veth.b, "vb")
    with Sending(veth.a, "va", **PACED) as receiving, Sending(veth.b, "vb", **PACED) as sending:
        sent = receiving.wait()
        assert sending.wait() == sent
    attribution.check_all(running.stop().packets, sent, ("rx", "tx"))


def test_a_direction_that_was_not_asked_for_is_not_captured(veth, capture):
    received, sent_out = capture(veth.b, "vb", "-d", "rx"), capture(veth.b, "vb", "-d", "tx")
    send(veth.a, "va", count=10)
    send(veth.b, "vb", count=20)
    assert {packet.direction for packet in received.stop().packets} == {"rx"}
    assert {packet.direction for packet in sent_out.stop().packets} == {"tx"}


@pytest.mark.threads
@pytest.mark.parametrize("direction", ("rx", "tx"))
def test_at_full_speed_with_an_ample_buffer_nothing_is_missing(veth, capture, direction):
    namespace, device = (veth.b, "vb") if direction == "rx" else (veth.a, "va")
    running = capture(namespace, device, "-d", direction, "-B", "256")
    before = kernel.softnet_dropped()
    sent = send(veth.a, "va", count=30000)
    lost_before_us = {cpu: lost - before[cpu] for cpu, lost in kernel.softnet_dropped().items()}
    result = running.stop()
    for cpu, (accepted, dropped, delivered) in result.statistics().items():
        assert dropped == 0
        missing = lost_before_us[cpu] if direction == "rx" else 0
        assert accepted == delivered == sent.get(cpu, 0) - missing
    for (_direction, cpu), packets in attribution.by_sender(result.packets).items():
        attribution.check_cpu(packets, cpu, f"CPU {cpu}")
        seqs = [mark_of(packet).seq for packet in packets]
        assert all(before < after for before, after in zip(seqs, seqs[1:]))


def test_a_capture_that_starts_under_load_has_no_gap_and_nothing_on_a_wrong_cpu(veth, capture):
    with Sending(veth.a, "va", rate=20000):
        for _start in range(10):
            running = capture(veth.b, "vb", "-d", "rx")
            running.wait_for_packets(500)
            for (_direction, cpu), packets in attribution.by_sender(running.stop().packets).items():
                attribution.check_cpu(packets, cpu, f"CPU {cpu}")
                seqs = [mark_of(packet).seq for packet in packets]
                assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


def test_nothing_of_another_interface_is_captured_however_busy_that_is(veth, capture):
    veth.b.ip("link add vc type veth peer name vd")
    veth.b.ip("link set vc addrgenmode none arp off up")
    veth.b.ip("link set vd addrgenmode none arp off up")
    with Sending(veth.b, "vc"):
        for _start in range(10):
            running = capture(veth.b, "vb")
            sent = send(veth.a, "va", count=3)
            attribution.check_all(running.stop().packets, sent)


def test_nothing_is_captured_that_was_sent_before(veth, capture):
    send(veth.a, "va", count=100, udp=41000)
    running = capture(veth.b, "vb", "-d", "rx")
    sent = send(veth.a, "va", count=10, udp=42000)
    result = running.stop()
    assert {decode(packet).port for packet in result.packets} == {42000}
    attribution.check_all(result.packets, sent)


def test_two_captures_at_once_both_get_everything(veth, capture):
    both = capture(veth.b, "vb", "-d", "rx"), capture(veth.b, "vb", "-d", "rx")
    sent = send(veth.a, "va", **PACED)
    for running in both:
        attribution.check_all(running.stop().packets, sent)


def test_on_loopback_each_packet_is_sent_and_received(make_namespace, capture):
    namespace = make_namespace()
    namespace.ip("link set lo up")
    running = capture(namespace, "lo")
    sent = send(namespace, None, udp_to="127.0.0.1:40000", count=200, rate=5000)
    result = running.stop()
    attribution.check_all(result.packets, sent, ("rx", "tx"))
    assert {packet.interface.linktype for packet in result.packets} == {pcapng.LINKTYPE_ETHERNET}


def test_a_tun_device_gives_raw_ip_packets(make_namespace, capture):
    namespace = make_namespace()
    namespace.ip("tuntap add dev tun0 mode tun multi_queue")
    namespace.ip("link set tun0 up")
    running = capture(namespace, "tun0")
    sent = send(namespace, "tun0", raw_ip=True, count=500, rate=5000)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    assert {interface.linktype for interface in result.file.interfaces} == {pcapng.LINKTYPE_RAW}


@pytest.mark.parametrize("destination, reception", [
    ("02:00:00:00:00:02", "unicast"),
    ("01:00:5e:00:00:01", "multicast"),
    ("ff:ff:ff:ff:ff:ff", "broadcast"),
    ("02:00:00:00:00:77", "promiscuous"),
])
def test_the_reception_type_tells_whom_a_packet_was_for(veth, capture, destination, reception):
    running = capture(veth.b, "vb", "-d", "rx", "-p")
    send(veth.a, "va", count=1, dst=destination)
    assert {packet.reception for packet in running.stop().packets} == {reception}


def test_timestamps_have_nanoseconds_and_packets_of_all_cpus_are_in_the_order_of_time(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx")
    sent = send(veth.a, "va", **PACED)
    packets = running.stop().packets  # contract.check has looked at the order
    assert len({packet.ts_ns % 1000 for packet in packets}) > 100
    changes = sum(contract.cpu_of(one) != contract.cpu_of(next) for one, next in zip(packets, packets[1:]))
    assert changes > len(sent) * 10, "packets of different CPUs do not alternate"
