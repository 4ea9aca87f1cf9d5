"""Reads the frames of tests/net/sender.c: their headers and the mark that says who sent them and when."""

import struct
from dataclasses import dataclass

from lib import pcapng

ETHERTYPE_IP = 0x0800
TPIDS = {0x8100, 0x88A8}
IP_HEADER, UDP_HEADER = 20, 8


@dataclass(frozen=True)
class Mark:
    cpu: int
    seq: int
    time_ns: int


@dataclass(frozen=True)
class Frame:
    destination: str | None
    vlans: tuple  # of (TCI, TPID), the outer one first
    ip_length: int
    port: int
    mark: Mark | None  # None when the snapshot length cut it off


def _ethernet(data):
    """The destination, the tags and where the IP header begins."""
    at, vlans = 12, []
    kind = struct.unpack_from(">H", data, at)[0]
    while kind in TPIDS:
        tci, inner = struct.unpack_from(">HH", data, at + 2)
        vlans.append((tci, kind))
        kind, at = inner, at + 4
    assert kind == ETHERTYPE_IP, f"a frame of type {kind:#x}: {data[:64].hex()}"
    return data[:6].hex(":"), tuple(vlans), at + 2


def _mark(data):
    if len(data) < 24:
        return None
    magic, cpu, seq, time_ns = struct.unpack_from(">4sIQQ", data)
    assert magic == b"RXTX", f"not a frame of the sender's: {data[:24].hex()}"
    return Mark(cpu, seq, time_ns)


def decode(packet):
    """The Frame in a packet, which is one of the sender's."""
    data = packet.data
    destination, vlans, at = (None, (), 0)
    if packet.interface.linktype != pcapng.LINKTYPE_RAW:
        destination, vlans, at = _ethernet(data)
    assert data[at] == 0x45, f"not the sender's IP header: {data[at:at + IP_HEADER].hex()}"
    ip_length, port = struct.unpack_from(">H", data, at + 2)[0], struct.unpack_from(">H", data, at + IP_HEADER + 2)[0]
    return Frame(destination, vlans, ip_length, port, _mark(data[at + IP_HEADER + UDP_HEADER :]))


def mark_of(packet):
    return decode(packet).mark
