"""Writes and reads values in GVariant's serialised form (GLib's gvariant-serialiser.c), as far as
include/rxtxcpu/remote_protocol.h needs it: b i u t s, arrays and tuples."""

import struct
import sys

FIXED = {"b": ("?", 1), "i": ("i", 4), "u": ("I", 4), "t": ("Q", 8)}
LOCAL_ORDER = "<" if sys.byteorder == "little" else ">"


def _first(types):
    """The first type of several in a row, and the others."""
    if types[0] == "a":
        head, rest = _first(types[1:])
        return "a" + head, rest
    if types[0] != "(":
        return types[0], types[1:]
    depth = 0
    for at, letter in enumerate(types):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return types[: at + 1], types[at + 1 :]
    raise ValueError(types)


def _members(kind):
    members, rest = [], kind[1:-1]
    while rest:
        head, rest = _first(rest)
        members.append(head)
    return members


def _alignment(kind):
    if kind[0] == "a":
        return _alignment(kind[1:])
    if kind[0] == "(":
        return max(map(_alignment, _members(kind)), default=1)
    return FIXED[kind][1] if kind in FIXED else 1


def _is_fixed(kind):
    return kind in FIXED or (kind[0] == "(" and all(map(_is_fixed, _members(kind))))


def _pad(data, alignment):
    return data + bytes(-len(data) % alignment)


def _with_offsets(data, ends, order):
    """The places that are written behind a container; as wide as the whole with them needs."""
    for size, code in ((1, "B"), (2, "H"), (4, "I")):
        if len(data) + size * len(ends) < 1 << 8 * size:
            return data + struct.pack(f"{order}{len(ends)}{code}", *ends)
    raise ValueError("too long")


def _pack_tuple(kind, values, order):
    members = _members(kind)
    if not members:
        return b"\0"
    data, ends = b"", []
    for number, (member, value) in enumerate(zip(members, values, strict=True)):
        data = _pad(data, _alignment(member)) + pack(member, value, order)
        if not _is_fixed(member) and number < len(members) - 1:
            ends.append(len(data))
    if _is_fixed(kind):
        return _pad(data, _alignment(kind))
    return _with_offsets(data, ends[::-1], order)


def _pack_array(kind, values, order):
    data, ends = b"", []
    for value in values:
        data = _pad(data, _alignment(kind)) + pack(kind[1:], value, order)
        ends.append(len(data))
    return data if _is_fixed(kind[1:]) or not ends else _with_offsets(data, ends, order)


def pack(kind, value, order=LOCAL_ORDER):
    if kind in FIXED:
        return struct.pack(order + FIXED[kind][0], value)
    if kind == "s":
        return (value if isinstance(value, bytes) else value.encode()) + b"\0"
    return _pack_array(kind, value, order) if kind[0] == "a" else _pack_tuple(kind, value, order)


# --- reading, of what is well formed

def _offset_code(size):
    return next(code for width, code in ((1, "B"), (2, "H"), (4, "I")) if size < 1 << 8 * width)


def _unpack_tuple(kind, data, order):
    values, at, members = [], 0, _members(kind)
    code = _offset_code(len(data))
    behind = len(data)
    for number, member in enumerate(members):
        at += -at % _alignment(member)
        if member in FIXED:
            end = at + FIXED[member][1]
        elif number == len(members) - 1:
            end = behind
        else:
            behind -= struct.calcsize(code)
            end, = struct.unpack_from(order + code, data, behind)
        values.append(unpack(member, data[at:end], order))
        at = end
    return tuple(values)


def _unpack_array(kind, data, order):
    if not data:
        return []
    if _is_fixed(kind[1:]):
        size = len(pack(kind[1:], tuple(0 for _member in _members(kind[1:])) if kind[1] == "(" else 0, order))
        return [unpack(kind[1:], data[at : at + size], order) for at in range(0, len(data), size)]
    code = _offset_code(len(data))
    first, = struct.unpack_from(order + code, data, len(data) - struct.calcsize(code))
    ends = [end for end, in struct.iter_unpack(order + code, data[first:])]
    values, at = [], 0
    for end in ends:
        at += -at % _alignment(kind)
        values.append(unpack(kind[1:], data[at:end], order))
        at = end
    return values


def unpack(kind, data, order=LOCAL_ORDER):
    if kind in FIXED:
        return struct.unpack(order + FIXED[kind][0], data)[0]
    if kind == "s":
        return data[:-1].decode()
    return _unpack_array(kind, data, order) if kind[0] == "a" else _unpack_tuple(kind, data, order)
