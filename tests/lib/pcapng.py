"""Reads pcapng files by draft-ietf-opsawg-pcapng and accepts no fault in them: every length, padding and option counts.

What this project promises beyond the format is contract.py's business.
"""

import struct
import sys
from dataclasses import dataclass, field
from functools import cached_property

SHB, IDB, ISB, EPB = 0x0A0D0D0A, 1, 5, 6
BYTE_ORDER_MAGIC = 0x1A2B3C4D
LINKTYPE_ETHERNET, LINKTYPE_RAW, LINKTYPE_LINUX_SLL = 1, 101, 113

OPT_END, OPT_COMMENT = 0, 1
IF_NAME, IF_DESCRIPTION, IF_TSRESOL, IF_FILTER = 2, 3, 9, 11
EPB_FLAGS, EPB_HASH, EPB_DROPCOUNT, EPB_PACKETID, EPB_QUEUE, EPB_VERDICT = 2, 3, 4, 5, 6, 7
ISB_START, ISB_END, ISB_IFRECV, ISB_IFDROP, ISB_FILTERACCEPT, ISB_OSDROP, ISB_USRDELIV = 2, 3, 4, 5, 6, 7, 8

# The bytes of the options that have a fixed size.
INTERFACE_SIZES = {4: 8, 5: 17, 6: 6, 7: 8, 8: 8, IF_TSRESOL: 1, 13: 1, 14: 8}
PACKET_SIZES = {EPB_FLAGS: 4, EPB_DROPCOUNT: 8, EPB_PACKETID: 8, EPB_QUEUE: 4}
STATISTICS_SIZES = {code: 8 for code in range(ISB_START, ISB_USRDELIV + 1)}

LOCAL_ORDER = "<" if sys.byteorder == "little" else ">"


class Malformed(Exception):
    """The bytes are no pcapng file."""


def _require(truth, message):
    if not truth:
        raise Malformed(message)


def _text(value):
    _require(b"\0" not in value, f"the text {value!r} holds a NUL")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"the text {value!r} is not UTF-8") from error


class Options(list):
    """(code, value) pairs in the order of the file."""

    def all(self, code):
        return [value for this, value in self if this == code]

    def get(self, code):
        values = self.all(code)
        _require(len(values) <= 1, f"option {code} stands {len(values)} times in one block")
        return values[0] if values else None

    def text(self, code):
        value = self.get(code)
        return None if value is None else _text(value)

    def comments(self):
        return [_text(value) for value in self.all(OPT_COMMENT)]

    def number(self, code):
        value = self.get(code)
        return None if value is None else int.from_bytes(value, sys.byteorder)


@dataclass(frozen=True)
class Block:
    type: int
    body: bytes
    offset: int
    length: int


@dataclass
class Statistics:
    options: Options
    tsresol: int
    timestamp_ns: int

    def __getitem__(self, code):
        return self.options.number(code)

    def time_ns(self, code):
        """Option `code`, a time in the unit of the interface, as nanoseconds; None without it."""
        value = self.options.get(code)
        return None if value is None else _nanoseconds(self.tsresol, *struct.unpack(LOCAL_ORDER + "II", value))


@dataclass
class Interface:
    id: int
    linktype: int
    snaplen: int
    options: Options
    statistics: list = field(default_factory=list)

    @cached_property
    def name(self):
        return self.options.text(IF_NAME)

    @cached_property
    def description(self):
        return self.options.text(IF_DESCRIPTION)

    @property
    def comments(self):
        return self.options.comments()

    @cached_property
    def tsresol(self):
        value = self.options.number(IF_TSRESOL)
        return 6 if value is None else value


@dataclass
class Packet:
    number: int  # from 1, as Wireshark counts
    interface: Interface
    ts_ns: int
    caplen: int
    len: int
    data: bytes
    options: Options
    block_length: int

    @property
    def flags(self):
        return self.options.number(EPB_FLAGS)

    @property
    def direction(self):
        return {1: "rx", 2: "tx"}.get((self.flags or 0) & 3)

    @property
    def reception(self):
        """unicast, multicast, broadcast, promiscuous or None."""
        return (None, "unicast", "multicast", "broadcast", "promiscuous")[(self.flags or 0) >> 2 & 7]

    @property
    def dropcount(self):
        return self.options.number(EPB_DROPCOUNT) or 0

    @property
    def comments(self):
        return self.options.comments()


@dataclass
class Capture:
    section: Options
    blocks: list  # of Block, the order of the file
    interfaces: list
    packets: list


def split(data):
    """The whole blocks at the start of `data`, and how many bytes they take: the rest may still be on its way."""
    blocks, at = [], 0
    while len(data) - at >= 12:
        kind, length = struct.unpack_from(LOCAL_ORDER + "II", data, at)
        _require(length >= 12 and length % 4 == 0, f"block at {at}: length {length}")
        if len(data) - at < length:
            break
        trailer = struct.unpack_from(LOCAL_ORDER + "I", data, at + length - 4)[0]
        _require(trailer == length, f"block at {at}: length {length} in front, {trailer} behind")
        blocks.append(Block(kind, bytes(data[at + 8 : at + length - 4]), at, length))
        at += length
    return blocks, at


def _options(body, at, what, sizes=()):
    found = Options()
    if at == len(body):
        return found
    while True:
        _require(len(body) - at >= 4, f"{what}: options without an end")
        code, length = struct.unpack_from(LOCAL_ORDER + "HH", body, at)
        padded = (length + 3) & ~3
        _require(at + 4 + padded <= len(body), f"{what}: option {code} reaches beyond its block")
        _require(not any(body[at + 4 + length : at + 4 + padded]), f"{what}: option {code} is not padded with zeros")
        if code == OPT_END:
            _require(length == 0 and at + 4 == len(body), f"{what}: bytes behind the end of the options")
            return found
        _require(code not in sizes or sizes[code] == length, f"{what}: option {code} has {length} bytes")
        found.append((code, body[at + 4 : at + 4 + length]))
        at += 4 + padded


def _section(block):
    _require(block.type == SHB, f"the file begins with a block of type {block.type:#x}")
    _require(len(block.body) >= 16, "the section header is too short")
    magic, major, minor, _length = struct.unpack_from(LOCAL_ORDER + "IHHq", block.body)
    _require(magic == BYTE_ORDER_MAGIC, "the section is not in this machine's byte order")
    _require((major, minor) == (1, 0), f"the section has version {major}.{minor}")
    return _options(block.body, 16, "SHB")


def _interface(block, number):
    _require(len(block.body) >= 8, f"IDB at {block.offset} is too short")
    linktype, reserved, snaplen = struct.unpack_from(LOCAL_ORDER + "HHI", block.body)
    _require(reserved == 0, f"IDB at {block.offset}: the reserved bytes are not 0")
    return Interface(number, linktype, snaplen,
                     _options(block.body, 8, f"IDB {number}", INTERFACE_SIZES))


def _nanoseconds(tsresol, high, low):
    _require(tsresol <= 9, f"a time resolution of {tsresol} is finer than nanoseconds")
    return (high << 32 | low) * 10 ** (9 - tsresol)


def _interface_of(capture, number, what):
    _require(number < len(capture.interfaces), f"{what} is of interface {number}, which is not described before it")
    return capture.interfaces[number]


def _packet(capture, block):
    what = f"EPB at {block.offset}"
    _require(len(block.body) >= 20, f"{what} is too short")
    number, high, low, caplen, length = struct.unpack_from(LOCAL_ORDER + "IIIII", block.body)
    interface = _interface_of(capture, number, what)
    end = 20 + ((caplen + 3) & ~3)
    _require(end <= len(block.body), f"{what}: {caplen} bytes do not fit its length")
    _require(not any(block.body[20 + caplen : end]), f"{what}: the packet is not padded with zeros")
    _require(caplen <= length, f"{what}: captured {caplen} bytes of {length}")
    return Packet(len(capture.packets) + 1, interface, _nanoseconds(interface.tsresol, high, low), caplen,
                  length, block.body[20 : 20 + caplen], _options(block.body, end, what, PACKET_SIZES), block.length)


def _statistics(capture, block):
    what = f"ISB at {block.offset}"
    _require(len(block.body) >= 12, f"{what} is too short")
    number, high, low = struct.unpack_from(LOCAL_ORDER + "III", block.body)
    interface = _interface_of(capture, number, what)
    options = _options(block.body, 12, what, STATISTICS_SIZES)
    resolution = interface.tsresol
    interface.statistics.append(Statistics(options, resolution, _nanoseconds(resolution, high, low)))


def parse(data):
    """The capture in `data`, which must be whole; blocks of other types are kept and not looked into."""
    blocks, used = split(data)
    _require(blocks, "there is no whole block")
    _require(used == len(data), f"{len(data) - used} bytes of a cut block at the end")
    capture = Capture(_section(blocks[0]), blocks, [], [])
    for block in blocks[1:]:
        _require(block.type != SHB, "there is a second section")
        if block.type == IDB:
            capture.interfaces.append(_interface(block, len(capture.interfaces)))
        elif block.type == EPB:
            capture.packets.append(_packet(capture, block))
        elif block.type == ISB:
            _statistics(capture, block)
    return capture


def read(path):
    with open(path, "rb") as file:
        return parse(file.read())
