"""Captures told packet by packet: what is sent, and which CPU handled it, on which device, in which direction.

A story names what matters to it and nothing else: the interfaces and the times come by themselves.
"""

import struct

import capture
import wire
from capture import RECEIVED, START
from model import FIELDS

US, MS = 1_000, 1_000_000

A, B = (1, 40000), (2, 80)  # two ends: the number of a host, and a port

GRE = 47


class Story:
    def __init__(self):
        self._interfaces = {}  # (host, device, stream, link type): id
        self._packets = []
        self._now = START

    def packet(self, data, cpu=0, way=RECEIVED, device="eth0", *, after=US, host="", link_type=wire.ETHERNET,
               stream=None, **options):
        """A packet so many ns behind the one told before, or before it; returns its number."""
        key = host, device, stream or f"CPU {cpu}", link_type
        self._now += after
        self._packets.append(capture.packet(self._interfaces.setdefault(key, len(self._interfaces)), self._now, way,
                                            data=data, **options))
        return len(self._packets)

    def packets(self, data, *cpus, **how):
        """The same packet on one CPU after the other."""
        for cpu in cpus:
            self.packet(data, cpu, **how)

    def blocks(self):
        described = [capture.interface(f"{host + ':' if host else ''}{device} {stream} (rxtxcpu)", device,
                                       link_type=link_type) for host, device, stream, link_type in self._interfaces]
        return [capture.section(), *described, *self._packets]

    def write(self, folder, name="story.pcapng"):
        return capture.write(folder / name, *self.blocks())


class Answers:
    """What TShark says of each packet of a file, in all fields of ours; their names here are without "rxtxcpu."."""

    def __init__(self, rows):
        self._packets = [dict(zip(FIELDS, row)) for row in rows]

    def column(self, name):
        """The field's text for each packet, "" where it is absent."""
        return [packet[f"rxtxcpu.{name}"] for packet in self._packets]

    def rows(self, *names):
        return [list(row) for row in zip(*map(self.column, names))]

    def frames(self, name):
        """The numbers of the packets that have the field."""
        return [number for number, value in enumerate(self.column(name), 1) if value]


def ask(user, story, *args):
    """The answers to a story, from a TShark with these arguments."""
    return ask_file(user, story.write(user.home), *args)


def ask_file(user, path, *args):
    return Answers(user.fields(path, *FIELDS, args=args))


# --- packets; an end is the number of a host and a port ---------------------------------------------------------------

def ip(protocol, source, target, payload, version=4, **fragment):
    return wire.ip(version, protocol, wire.address(version, source[0]), wire.address(version, target[0]), payload,
                   **fragment)


def frame(source, target, packet, kind=None, vlans=()):
    if kind is None:
        kind = wire.IPV4 if packet[0] >> 4 == 4 else wire.IPV6
    return wire.ethernet(kind, wire.mac(source[0]), wire.mac(target[0]), packet, vlans)


def udp(source=A, target=B, payload=b"", version=4, vlans=()):
    return frame(source, target, ip("udp", source, target, wire.udp(source[1], target[1], payload), version),
                 vlans=vlans)


def tcp(source=A, target=B, seq=0, payload=b"", flags=wire.ACK, version=4, vlans=()):
    segment = wire.tcp(source[1], target[1], seq % 2**32, 1, flags, payload)
    return frame(source, target, ip("tcp", source, target, segment, version), vlans=vlans)


def arp(source=A, target=B):
    return frame(source, target, wire.arp(source[0], target[0]), kind=wire.ARP)


def gre(source, target, packet):
    """An IPv4 packet in GRE between two hosts."""
    inside = struct.pack(">HH", 0, wire.IPV4) + packet
    outside = bytearray(ip("udp", source, target, inside))
    outside[9] = GRE
    return frame(source, target, bytes(outside))


def vxlan(source, target, inner_frame):
    return frame(source, target, ip("udp", source, target, wire.vxlan(inner_frame)))


def spanning_tree():
    """A hello of a bridge, which is the same every time."""
    hello = bytes.fromhex("424203000000000000800002000000000100000000800002000000000180010000140002000f00")
    hello = hello.ljust(38, b"\0")
    return (bytes.fromhex("0180c2000000") + wire.mac(1) + struct.pack(">H", len(hello)) + hello).ljust(60, b"\0")


def dns(source=A, target=(2, 53)):
    """A question for a name."""
    question = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\x07example\x03org\x00" + struct.pack(">HH", 1, 1)
    return udp(source, target, question)
