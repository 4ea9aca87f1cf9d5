"""Captures that nobody would write: a good one as blocks, changed by its structure, and bytes again.

Lengths agree in most of them, so that more than wiretap sees what was changed. All is drawn from one random.Random.
"""

import dataclasses
import struct

from lib import pcapng

SHB, IDB, SPB, ISB, EPB = pcapng.SHB, pcapng.IDB, 3, pcapng.ISB, pcapng.EPB

# The fixed part of a block, and which of its options are numbers.
FORMS = {SHB: "IHHq", IDB: "HHI", EPB: "5I", ISB: "3I"}
NUMBERS = {IDB: {14}, EPB: {2, 4, 5, 6}, ISB: {4, 5, 6, 7, 8}}

U32 = [0, 1, 2, 3, 7, 255, 256, 1022, 1023, 1024, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
U64 = [*U32, 2**32, 2**63 - 1, 2**63, 2**64 - 1]
LINK_TYPES = [0, 1, 1, 101, 113, 276, 105, 127, 147, 228, 65535]
RESOLUTIONS = [0, 3, 6, 9, 10, 18, 19, 20, 127, 128, 138, 157, 191, 192, 255]

DESCRIPTIONS = [
    "eth0 CPU {} (rxtxcpu)", "eth0 queue {} (rxtxcpu)", "eth0 node {} (rxtxcpu)", "web1:eth0 CPU {} node {} (rxtxcpu)",
    "eth0 CPU {} queue {} (rxtxcpu)", "eth0 lane {} (rxtxcpu)", "eth0 CPU {} hook napi (rxtxcpu)",
    "eth0 CPU {} CPU {} (rxtxcpu)", "eth0  CPU {} (rxtxcpu)", "eth0 CPU{} (rxtxcpu)", " eth0 CPU {} (rxtxcpu)",
    "eth0 CPU {}  (rxtxcpu)", "eth0 CPU {} (rxtxcpu) ", "CPU {} (rxtxcpu)", "eth0 CPU {}", " (rxtxcpu)", "(rxtxcpu)",
    "eth0 queue unknown (rxtxcpu)", "eth0 queue unknown CPU {} (rxtxcpu)", ":eth0 CPU {} (rxtxcpu)",
    "a:b:eth0 CPU {} (rxtxcpu)", "%s%n%p:eth0 CPU {} (rxtxcpu)", "\x1b[2J:eth0 CPU {} (rxtxcpu)",
    "h\u00f6st\u202e:eth0 CPU {} (rxtxcpu)", "web1:eth0 CPU {} (rxtxcpu)\n", "eth0 CPU\t{} (rxtxcpu)", "",
]
COMMENTS = [
    "cpu={}", "cpu={} queue={} node={} hash=0x{:x}", "queue={}", "cpu={} cpu={}", "cpu=unknown", "cpu={} queue=unknown",
    "hash=0x{:x} cpu={}", "cpu={} hash=0x", "cpu={} hash=0x123456789", "cpu={} lane=7", "cpu= {}", "cpu={},queue={}",
    " cpu={}", "cpu={} ", "cpu=+{}", "cpu=0{}", "cpu=0x{:x}", "CPU={}", "cpu={}\0queue={}", "cpu={}\n", "=", "cpu=",
    "seen on cpu={}", "%s%n cpu={}", "",
]


def padded(value):
    return value + bytes(-len(value) % 4)


@dataclasses.dataclass
class Block:
    kind: int
    fixed: list = dataclasses.field(default_factory=list)
    data: bytes = b""      # of a packet, or the body of a block of another kind
    options: list = dataclasses.field(default_factory=list)  # [code, value], each value as this machine writes it
    ended: bool = True     # the options have an end
    wrong: int = 0         # how much the first length says too much

    def _options(self, order):
        out = b""
        for code, value in self.options:
            if order != pcapng.LOCAL_ORDER and code in NUMBERS.get(self.kind, ()):
                value = value[::-1]
            out += struct.pack(order + "HH", code, len(value)) + padded(value)
        return out + bytes(4) if out and self.ended else out

    def encoded(self, order):
        fixed = struct.pack(order + FORMS[self.kind], *self.fixed) if self.kind in FORMS else b""
        body = fixed + padded(self.data) + self._options(order)
        length = len(body) + 12
        head = struct.pack(order + "II", self.kind, max(0, length + self.wrong))
        return head + body + struct.pack(order + "I", length)

    def copy(self):
        return dataclasses.replace(self, fixed=list(self.fixed), options=[list(option) for option in self.options])


def _options(body):
    found, at = [], 0
    while at < len(body):
        code, length = struct.unpack_from(pcapng.LOCAL_ORDER + "HH", body, at)
        if code == 0:
            break
        found.append([code, body[at + 4 : at + 4 + length]])
        at += 4 + (length + 3) // 4 * 4
    return found


def _block(block):
    if block.type not in FORMS:
        return Block(block.type, data=block.body)
    form = pcapng.LOCAL_ORDER + FORMS[block.type]
    fixed, rest = list(struct.unpack_from(form, block.body)), block.body[struct.calcsize(form):]
    size = fixed[3] if block.type == EPB else 0
    return Block(block.type, fixed, rest[:size], _options(rest[(size + 3) // 4 * 4:]))


def parse(data):
    """The blocks of a good capture."""
    return [_block(block) for block in pcapng.split(data)[0]]


def of_kind(blocks, kind):
    return [block for block in blocks if block.kind == kind]


# --- what is changed -------------------------------------------------------------------------------------------------
# Each takes (rng, blocks) and changes blocks in place; where there is nothing to change it does nothing.

def _some(rng, blocks, kind):
    found = of_kind(blocks, kind)
    return rng.sample(found, min(len(found), rng.choice([1, 1, 2, 5]))) if found else []


def _filled(rng, pattern):
    numbers = [rng.choice(U32) for _ in range(4)]
    return pattern.format(*numbers)


def _edited(rng, value):
    """Some bytes of it are others, gone, or there twice."""
    value = bytearray(value)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(len(value) + 1)
        what = rng.randrange(4)
        if what == 0 and at < len(value):
            value[at] = rng.choice([0, 9, 10, 27, 32, 37, 47, 58, 61, 127, 128, 255, rng.randrange(256)])
        elif what == 1:
            del value[at : at + rng.choice([1, 1, 3])]
        elif what == 2:
            value[at:at] = value[at : at + rng.choice([1, 4, 16])] or b" "
        elif value:
            value[at:] = value[at:] * 2
    return bytes(value[:65535])


def _text(rng, patterns, old):
    what = rng.random()
    if what < 0.55 or not old:
        return _filled(rng, rng.choice(patterns)).encode()
    if what < 0.9:
        return _edited(rng, old)
    return (old + rng.choice([b" lane 7", b"x", b"\xff", b"%n", b" "]) * rng.choice([10, 100, 2000]))[:60000]


def _replace(rng, block, code, value):
    """At times there are two of it, or none."""
    places = [index for index, option in enumerate(block.options) if option[0] == code]
    if not places or rng.random() < 0.15:
        block.options.insert(rng.randrange(len(block.options) + 1), [code, value])
    else:
        block.options[rng.choice(places)][1] = value


def _value(block, code):
    return next((value for this, value in block.options if this == code), b"")


def descriptions(rng, blocks):
    for block in _some(rng, blocks, IDB):
        _replace(rng, block, 3, _text(rng, DESCRIPTIONS, _value(block, 3)))


def device_names(rng, blocks):
    for block in _some(rng, blocks, IDB):
        _replace(rng, block, 2, _text(rng, ["eth0", "lo", "web1:eth0", "any{}", ""], _value(block, 2)))


def comments(rng, blocks):
    for block in _some(rng, blocks, rng.choice([EPB, EPB, EPB, IDB, SHB])):
        _replace(rng, block, 1, _text(rng, COMMENTS, _value(block, 1)))


def packet_numbers(rng, blocks):
    """Flags, loss, queue."""
    for block in _some(rng, blocks, EPB):
        code = rng.choice([2, 4, 4, 5, 6, 6])
        value = struct.pack("=Q", rng.choice(U64)) if code in (4, 5) else struct.pack("=I", rng.choice(U32))
        if rng.random() < 0.1:
            value = value[: rng.randrange(9)] * rng.choice([1, 1, 2])
        _replace(rng, block, code, value)


def hashes(rng, blocks):
    for block in _some(rng, blocks, EPB):
        _replace(rng, block, 3, bytes([rng.randrange(8)]) + bytes(rng.choice([0, 1, 2, 4, 16, 20])))


def times(rng, blocks):
    for block in _some(rng, blocks, EPB):
        time = block.fixed[1] << 32 | block.fixed[2]
        step = rng.choice([1, 1000, 10**7, 10**7 + 1, 10**9, 10**9 + 1, 10**12])
        time = rng.choice([0, 2**64 - 1, 2**63, time - step, time + step, time, 10**18, rng.randrange(2**64)]) % 2**64
        block.fixed[1:3] = [time >> 32, time & 0xFFFFFFFF]


def resolutions(rng, blocks):
    for block in _some(rng, blocks, IDB):
        _replace(rng, block, rng.choice([9, 9, 14]), rng.choice(
            [bytes([rng.choice(RESOLUTIONS)]), struct.pack("=q", rng.choice([-1, 1, 2**62, -2**63]))]))


def link_types(rng, blocks):
    for block in _some(rng, blocks, IDB):
        block.fixed[0] = rng.choice(LINK_TYPES)


def snap_lengths(rng, blocks):
    for block in _some(rng, blocks, IDB):
        block.fixed[2] = rng.choice(U32)


def interface_ids(rng, blocks):
    known = len(of_kind(blocks, IDB))
    for block in _some(rng, blocks, rng.choice([EPB, EPB, ISB])):
        block.fixed[0] = rng.choice([rng.randrange(known + 1), rng.randrange(known + 1), known, 0, rng.choice(U32)])


def lengths(rng, blocks):
    """What a packet was on the wire and what of it is there; mostly as the bytes are."""
    for block in _some(rng, blocks, EPB):
        size = len(block.data)
        block.fixed[4] = rng.choice([size, size + 1, size // 2, 0, 65535, 262144, 2**31 - 1, 2**32 - 1])
        if rng.random() < 0.1:
            block.fixed[3] = rng.choice([0, size // 2, size + 1, size + 9, 262144, 2**31, 2**32 - 1])


def cut_packets(rng, blocks):
    for block in _some(rng, blocks, EPB):
        block.data = block.data[: rng.randrange(len(block.data) + 1)]
        block.fixed[3] = len(block.data)


def packet_bytes(rng, blocks):
    for block in _some(rng, blocks, EPB):
        block.data = _edited(rng, block.data)
        block.fixed[3] = len(block.data)
        block.fixed[4] = max(block.fixed[4], block.fixed[3])


def header_numbers(rng, blocks):
    """Where lengths, offsets, ports and sequence numbers are."""
    for block in _some(rng, blocks, EPB):
        if len(block.data) > 14:
            data, at = bytearray(block.data), rng.randrange(12, min(len(block.data), 60))
            new = rng.choice([b"\0\0", b"\xff\xff", b"\0\x01", b"\0\x14", b"\xff", b"\0", b"\x45", b"\x4f", b"\x81\0",
                              b"\x08\0", b"\x86\xdd", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"])
            data[at : at + len(new)] = new
            block.data = bytes(data[: len(block.data)])


def copies(rng, blocks):
    """The same packet again and again."""
    found = of_kind(blocks, EPB)
    if found:
        one = rng.choice(found)
        at = next(index for index, block in enumerate(blocks) if block is one)
        blocks[at:at] = [one.copy() for _ in range(rng.choices([1, 2, 12, 120, 1100], [8, 8, 8, 8, 1])[0])]


def order(rng, blocks):
    """A block comes earlier or later than it did; a section header stays in front."""
    if len(blocks) > 3:
        for _ in range(rng.choice([1, 1, 3, 20])):
            block = blocks.pop(rng.randrange(1, len(blocks)))
            blocks.insert(rng.randrange(1, len(blocks) + 1), block)


def removed(rng, blocks):
    for _ in range(rng.choice([1, 1, 4])):
        if len(blocks) > 2:
            del blocks[rng.randrange(1, len(blocks))]


def more_interfaces(rng, blocks):
    """Some as one that there is, or one for each of many CPUs; a packet is on the last."""
    known, packets = of_kind(blocks, IDB), of_kind(blocks, EPB)
    if not known or not packets:
        return
    one, count = rng.choice(known), rng.choice([1, 2, 40, 1100])
    numbered = rng.random() < 0.7
    new = [one.copy() for _ in range(count)]
    for number, block in enumerate(new):
        if numbered:
            _replace(rng, block, 3, f"eth0 CPU {number} (rxtxcpu)".encode())
    at = next(index for index, block in enumerate(blocks) if block.kind == EPB)
    blocks[at:at] = new
    for packet in rng.sample(packets, min(len(packets), 3)):
        packet.fixed[0] = rng.choice([len(known) + count - 1, rng.randrange(len(known) + count)])


def sections(rng, blocks):
    """Another section begins, with its interfaces or without."""
    at = rng.randrange(1, len(blocks) + 1)
    new = [blocks[0].copy()]
    if rng.random() < 0.8:
        new += [block.copy() for block in of_kind(blocks, IDB)[: rng.choice([1, 3, 1000])]]
    if rng.random() < 0.3:
        new += [block.copy() for block in of_kind(blocks, EPB)[:5]]
    blocks[at:at] = new


def section_headers(rng, blocks):
    for block in _some(rng, blocks, SHB):
        place = rng.choice([1, 2, 3, 3])
        block.fixed[place] = rng.choice([-1, 0, 12, 28, 1024, 2**62]) if place == 3 else rng.choice([0, 1, 2, 65535])


def other_blocks(rng, blocks):
    """Name resolution, statistics, custom ones, events that are no packets, old packets, and what nobody knows."""
    body = rng.choice([b"", bytes(4), bytes(12), b"__REALTIME_TIMESTAMP=1\n", rng.randbytes(rng.choice([8, 40, 400])),
                       struct.pack("=III", 0, 0, 0), struct.pack("=HHIII", 0, 0, 0, 0, 0), struct.pack("=I", 60)])
    kind = rng.choice([2, SPB, 4, 9, 10, 11, 0xBAD, 0x40000BAD, 0x80000001, 0x204, 0x208, 0x210, 0x7FFFFFFF, 0])
    blocks.insert(rng.randrange(1, len(blocks) + 1), Block(kind, data=body))


def other_kinds(rng, blocks):
    """A packet as a simple packet block, without an interface or options."""
    for block in _some(rng, blocks, EPB):
        block.data = struct.pack("=I", len(block.data)) + block.data
        block.kind, block.fixed, block.options = SPB, [], []


def option_codes(rng, blocks):
    for block in _some(rng, blocks, rng.choice([EPB, IDB, SHB, ISB])):
        what = rng.random()
        if what < 0.4:
            block.options.append([rng.choice([2, 3, 4, 5, 6, 7, 8, 13, 99, 2988, 2989, 19372, 32768, 65535]),
                                  rng.randbytes(rng.choice([0, 1, 4, 5, 8, 12, 300]))])
        elif what < 0.7 and block.options:
            rng.choice(block.options)[0] = rng.choice([0, 1, 2, 3, 4, 6, 9, 14])
        elif what < 0.85:
            rng.shuffle(block.options)
        else:
            block.ended = False


def wrong_lengths(rng, blocks):
    for block in _some(rng, blocks, rng.choice([EPB, IDB, SHB])):
        block.wrong = rng.choice([-12, -4, -1, 1, 4, 16, 1 << 20, 1 << 30])


STRUCTURED = [descriptions, descriptions, device_names, comments, comments, packet_numbers, packet_numbers, hashes,
              times, times, resolutions, link_types, snap_lengths, interface_ids, interface_ids, lengths, cut_packets,
              packet_bytes, header_numbers, header_numbers, copies, order, removed, more_interfaces, sections,
              section_headers, other_blocks, other_kinds, option_codes]


# --- bytes again -----------------------------------------------------------------------------------------------------

def _orders(rng, blocks):
    """The byte order of each block: that of its section."""
    order_now, orders = pcapng.LOCAL_ORDER, []
    mixed = rng.random() < 0.15
    for block in blocks:
        if block.kind == SHB and mixed:
            order_now = rng.choice("<>")
        orders.append(order_now)
    return orders


def _bytes(rng, data):
    """What breaks the structure: a cut, or some bytes."""
    if rng.random() < 0.5:
        return data[: rng.randrange(len(data) + 1)]
    data = bytearray(data)
    for _ in range(rng.choice([1, 3, 10])):
        data[rng.randrange(len(data))] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
    return bytes(data)


def mutated(rng, blocks):
    """(the bytes of a capture made of copies of these blocks, what was done to them)"""
    blocks = [block.copy() for block in blocks]
    chosen = rng.choices(STRUCTURED, k=rng.choice([1, 2, 3, 5, 8]))
    if rng.random() < 0.04:
        chosen.append(wrong_lengths)
    for change in chosen:
        change(rng, blocks)
    data = b"".join(block.encoded(way) for block, way in zip(blocks, _orders(rng, blocks), strict=True))
    names = [change.__name__ for change in chosen]
    return (_bytes(rng, data), [*names, "bytes"]) if rng.random() < 0.06 else (data, names)
