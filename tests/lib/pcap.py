"""Reads classic pcap files with nanoseconds and accepts no fault in them: every record is whole and in the order of time."""

import struct
import sys
from dataclasses import dataclass

MAGIC_NS = 0xA1B23C4D
LINKTYPE_ETHERNET, LINKTYPE_RAW, LINKTYPE_LINUX_SLL2 = 1, 101, 276
LOCAL_ORDER = "<" if sys.byteorder == "little" else ">"


class Malformed(Exception):
    """The bytes are no pcap file."""


@dataclass
class Packet:
    interface: "File"  # which is of one link type
    number: int  # from 1, as Wireshark counts
    ts_ns: int
    caplen: int
    len: int
    data: bytes


@dataclass
class File:
    linktype: int
    snaplen: int
    packets: list


def parse(data):
    if len(data) < 24:
        raise Malformed(f"{len(data)} bytes are no header")
    magic, major, minor, zone, accuracy, snaplen, linktype = struct.unpack_from(LOCAL_ORDER + "IHHIIII", data)
    if (magic, major, minor, zone, accuracy) != (MAGIC_NS, 2, 4, 0, 0):
        raise Malformed(f"header {data[:24].hex()}")
    file, at = File(linktype, snaplen, []), 24
    while at < len(data):
        if len(data) - at < 16:
            raise Malformed(f"{len(data) - at} bytes of a cut record")
        seconds, nanoseconds, caplen, length = struct.unpack_from(LOCAL_ORDER + "IIII", data, at)
        body = data[at + 16 : at + 16 + caplen]
        if len(body) != caplen or nanoseconds >= 10**9 or caplen > length or caplen > snaplen:
            raise Malformed(f"record {len(file.packets) + 1}: {data[at:at + 16].hex()}, {len(body)} bytes follow")
        file.packets.append(Packet(file, len(file.packets) + 1, seconds * 10**9 + nanoseconds, caplen, length, body))
        at += 16 + caplen
    for before, packet in zip(file.packets, file.packets[1:]):
        if packet.ts_ns < before.ts_ns:
            raise Malformed(f"record {packet.number} is older than the one before it")
    return file


def read(path):
    with open(path, "rb") as file:
        return parse(file.read())


def groups(folder, stem="out", extension=".pcap"):
    """{"0": File, "unknown": File…}: the files of one capture by what stands behind the stem."""
    return {path.name[len(stem) + 1 : len(path.name) - len(extension)]: read(path)
            for path in sorted(folder.glob(f"{stem}-*{extension}"))}
