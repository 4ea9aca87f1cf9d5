"""Packets as bytes, layer by layer: just enough of each protocol for Wireshark to dissect it. No checksum is right."""

import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

ETHERNET, RAW, SLL, SLL2 = 1, 101, 113, 276  # link types

IPV4, ARP, IPV6, EXPERIMENTAL = 0x0800, 0x0806, 0x86DD, 0x88B5  # Ethernet types


def mac(number):
    return bytes([2, 0, 0, 0, 0, number])


def address(version, number):
    """A host's address of IPv4 or IPv6."""
    if version == 4:
        return bytes([192, 0, 2, number])
    return bytes.fromhex("20010db8") + bytes(11) + bytes([number])


def tcp(source, target, seq, ack, flags, payload=b""):
    return struct.pack(">HHIIBBHHH", source, target, seq, ack, 5 << 4, flags, 8192, 0, 0) + payload


def udp(source, target, payload=b""):
    return struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload


def sctp(source, target, tsn):
    """A packet with one chunk of data."""
    chunk = struct.pack(">BBHIHHI", 0, 3, 20, tsn, 0, 0, 0) + b"data"
    return struct.pack(">HHII", source, target, 1, 0) + chunk


def echo(version, number, reply):
    kind = ({4: 0, 6: 129} if reply else {4: 8, 6: 128})[version]
    return struct.pack(">BBHHH", kind, 0, 0, 77, number) + b"abcdefgh"


def unreachable(version, packet):
    """The ICMP error that quotes a packet."""
    return struct.pack(">BBHI", {4: 3, 6: 1}[version], {4: 3, 6: 4}[version], 0, 0) + packet


PROTOCOLS = {"icmp": {4: 1, 6: 58}, "ip": {4: 4, 6: 4}, "tcp": {4: 6, 6: 6}, "udp": {4: 17, 6: 17},
             "sctp": {4: 132, 6: 132}}


def ip(version, protocol, source, target, payload, ident=0, offset=0, more=False):
    """An IP packet. With an offset (in bytes) or more to come it is a fragment."""
    number = PROTOCOLS[protocol][version]
    if version == 4:
        fragment = offset // 8 | more << 13
        return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), ident, fragment, 64, number, 0) + \
            source + target + payload
    if offset or more:
        payload = struct.pack(">BBHI", number, 0, offset | more, ident) + payload
        number = 44
    return struct.pack(">IHBB", 6 << 28, len(payload), number, 64) + source + target + payload


def arp(source, target):
    """A question of one host for another."""
    return struct.pack(">HHBBH", 1, IPV4, 6, 4, 1) + mac(source) + address(4, source) + bytes(6) + address(4, target)


def ethernet(kind, source, target, payload, vlans=(), padded=True):
    tags = b"".join(struct.pack(">HH", 0x8100, vlan) for vlan in vlans)
    frame = target + source + tags + struct.pack(">H", kind) + payload
    return frame.ljust(60, b"\0") if padded else frame


def on_link(link_type, kind, source, target, payload, vlans=(), padded=True):
    """A frame as a device of this link type gives it; source and target are MAC addresses."""
    if link_type == RAW:
        return payload
    if link_type == SLL:
        return struct.pack(">HHH", 0, 1, 6) + source + bytes(2) + struct.pack(">H", kind) + payload
    if link_type == SLL2:
        return struct.pack(">HHIHBB", kind, 0, 3, 1, 0, 6) + source + bytes(2) + payload
    return ethernet(kind, source, target, payload, vlans, padded)


def vxlan(frame):
    return udp(50000 + len(frame) % 100, 4789, struct.pack(">II", 0x08000000, 5 << 8) + frame)
