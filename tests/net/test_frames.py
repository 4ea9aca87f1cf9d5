"""Frames arrive as they were on the wire: VLAN tags, length, link type, and as much of each as was asked for."""

import sys

import pytest

import tcp_stream
from lib import attribution
from lib.contract import SNAPLEN_MAX
from lib.frames import decode
from lib.process import Process, check
from lib.sender import send

VLAN, SERVICE_VLAN = 0x8100, 0x88A8
TAGS = {
    "one tag": ["0x2064"],  # VLAN 100, priority 1
    "a service tag": ["200:0x88a8"],
    "QinQ": ["200:0x88a8", "0x2064"],
    "two tags of one kind": ["300", "100"],
}
EXPECTED = {
    "one tag": ((0x2064, VLAN),),
    "a service tag": ((200, SERVICE_VLAN),),
    "QinQ": ((200, SERVICE_VLAN), (0x2064, VLAN)),
    "two tags of one kind": ((300, VLAN), (100, VLAN)),
}
ENDS = {"rx": ("b", "vb"), "tx": ("a", "va")}


def capture_end(veth, direction):
    """Where packets that va sends are received, or sent."""
    label, device = ENDS[direction]
    return getattr(veth, label), device


@pytest.mark.parametrize("direction", ENDS)
@pytest.mark.parametrize("tags", TAGS)
def test_vlan_tags_are_where_they_were(veth, capture, tags, direction):
    running = capture(*capture_end(veth, direction), "-d", direction)
    sent = send(veth.a, "va", count=20, vlan=TAGS[tags], size=128)
    packets = running.stop().packets
    attribution.check_all(packets, sent, (direction,))
    for packet in packets:
        assert decode(packet).vlans == EXPECTED[tags]
        assert packet.len == packet.caplen == 128
        assert decode(packet).ip_length == 128 - 14 - 4 * len(TAGS[tags])


@pytest.mark.parametrize("size", (66, 100, 1514))
def test_a_frame_is_whole_and_its_length_true(veth, capture, size):
    running = capture(veth.b, "vb", "-d", "rx")
    sent = send(veth.a, "va", count=20, size=size)
    packets = running.stop().packets
    attribution.check_all(packets, sent)
    for packet in packets:
        assert packet.len == packet.caplen == size
        assert decode(packet).destination == "02:00:00:00:00:02"
        assert not any(packet.data[66:]), "the sender fills up with zeros"


@pytest.mark.parametrize("direction", ENDS)
@pytest.mark.parametrize("size", (65535, 65536, 65549))
def test_a_frame_of_64_kib_is_whole(make_veth, capture, size, direction):
    veth = make_veth(mtu=65535)
    running = capture(*capture_end(veth, direction), "-d", direction)
    sent = send(veth.a, "va", count=50, rate=1000, size=size)
    packets = running.stop().packets
    attribution.check_all(packets, sent, (direction,))
    assert {(packet.caplen, packet.len) for packet in packets} == {(size, size)}


@pytest.mark.parametrize("snaplen, size", ((80, 100), (80, 1514), (1000, 1514), (1514, 1514), (2000, 1514)))
def test_the_snapshot_length_cuts_what_is_kept_and_not_the_length(veth, capture, snaplen, size):
    running = capture(veth.b, "vb", "-d", "rx", "-s", snaplen)
    sent = send(veth.a, "va", count=20, size=size)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    assert {(packet.caplen, packet.len) for packet in result.packets} == {(min(snaplen, size), size)}
    assert {interface.snaplen for interface in result.file.interfaces} == {snaplen}


def test_the_smallest_snapshot_length_keeps_64_bytes_with_the_vlan_tag_among_them(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "-s", 64)
    send(veth.a, "va", count=5, vlan=["100"], size=200)
    packets = running.stop().packets
    assert {(packet.caplen, packet.len) for packet in packets} == {(64, 200)}
    assert {decode(packet).vlans for packet in packets} == {((100, VLAN),)}


def tcp_segment(packet):
    """Sequence number, whether it opens the connection, and payload of an IPv4 or IPv6 packet in Ethernet."""
    data = packet.data[14:]
    if data[0] >> 4 == 4:
        header = (data[0] & 15) * 4
        end = len(data) if packet.len > 65549 else int.from_bytes(data[2:4], "big")
    else:
        jumbo = data[6] == 0  # a hop-by-hop header with the length, for what is beyond 64 KiB
        header = 48 if jumbo else 40
        length = int.from_bytes(data[4:6], "big")
        end = 40 + length if length else len(data)
    tcp = data[header:end]
    return int.from_bytes(tcp[4:8], "big"), bool(tcp[13] & 2), tcp[(tcp[12] >> 4) * 4 :]


def reassemble(packets, count):
    """The stream that the packets carry. They may come out of order, for a sender moves from one CPU to another."""
    segments = [tcp_segment(packet) for packet in packets]
    first = next(seq for seq, opens, _payload in segments if opens) + 1
    stream, have = bytearray(count), 0
    for at, payload in sorted(((seq - first) & 0xFFFFFFFF, payload) for seq, _opens, payload in segments if payload):
        assert at <= have, f"{at - have} bytes are missing at {have}"
        stream[at : at + len(payload)] = payload
        have = max(have, at + len(payload))
    assert have == count
    return bytes(stream)


def transfer(veth, address, count):
    script = tcp_stream.__file__
    with Process(veth.b.inside(sys.executable, script, "listen", address, 5001)) as server:
        server.stdout.wait_for_line("listening")
        check(veth.a.inside(sys.executable, script, "send", address, 5001, count))
        assert server.wait() == 0


@pytest.mark.parametrize("direction", ENDS)
def test_tcp_segments_that_the_device_was_to_cut_are_whole(make_veth, capture, direction):
    veth = make_veth()
    veth.give_addresses("10.66.1.1", "10.66.1.2")
    running = capture(*capture_end(veth, direction), "-d", direction, "-f", "tcp dst port 5001")
    transfer(veth, "10.66.1.2", 4_000_000)
    packets = running.stop().packets
    assert max(packet.len for packet in packets) > 1514, "no segment was longer than the MTU allows"
    assert all(packet.caplen == packet.len for packet in packets)
    assert reassemble(packets, 4_000_000) == tcp_stream.pattern(4_000_000)


def capture_big_tcp(veth, capture, segment_max, *options):
    """What vb receives of 16 MB of TCP whose segments may be longer than the 64 KiB of an IP packet."""
    veth.give_addresses("fd66::1", "fd66::2")
    for namespace, device in ((veth.a, "va"), (veth.b, "vb")):
        namespace.ip(f"link set {device} gso_max_size {segment_max} gro_max_size {segment_max}")
    # Not by port: libpcap does not look behind the hop-by-hop header that such a packet has.
    running = capture(veth.b, "vb", "-d", "rx", "-f", "ip6 dst host fd66::2", *options)
    transfer(veth, "fd66::2", 16_000_000)
    return running.stop().packets


def test_big_tcp_is_whole(make_veth, capture):
    packets = capture_big_tcp(make_veth(ipv6=True), capture, 190_000)
    if max(packet.len for packet in packets) <= 65549:
        pytest.skip("this kernel made no segment beyond 64 KiB")
    assert all(packet.caplen == packet.len for packet in packets)
    assert reassemble(packets, 16_000_000) == tcp_stream.pattern(16_000_000)


def test_what_is_longer_than_the_longest_snapshot_is_cut_to_it_with_its_true_length(make_veth, capture):
    packets = capture_big_tcp(make_veth(ipv6=True), capture, 500_000, "-B", 128)
    if max(packet.len for packet in packets) <= SNAPLEN_MAX:
        pytest.skip("this kernel made no segment beyond the longest snapshot")
    assert {packet.caplen - min(packet.len, SNAPLEN_MAX) for packet in packets} == {0}
    assert sum(len(tcp_segment(packet)[2]) + packet.len - packet.caplen for packet in packets) >= 16_000_000
