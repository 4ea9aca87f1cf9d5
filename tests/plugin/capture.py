"""Writes small pcapng captures, block by block, so that a test can say exactly what is in the file.

A capture is a list of blocks; write() puts them into a file. Nothing is checked: a test may want what is wrong.
"""

import struct

NS = 1_000_000_000
START = 1_700_000_000 * NS

RECEIVED, SENT = 1, 2


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(kind, body, options=()):
    if options:
        body += b"".join(options) + option(0, b"")
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def section():
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(description=None, name="eth0", tsresol=9, link_type=1, comment=None):
    options = [option(1, comment.encode())] if comment is not None else []
    if name is not None:
        options.append(option(2, name.encode()))
    if description is not None:
        options.append(option(3, description.encode()))
    options.append(option(9, bytes([tsresol])))
    return block(1, struct.pack("<HHI", link_type, 0, 0), options)


def frame(payload=b"", source=1):
    """An Ethernet frame with a UDP packet to the discard port."""
    udp = struct.pack(">HHHH", 40000 + source, 9, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), source, 0, 64, 17, 0,
                     bytes([192, 0, 2, source]), bytes([192, 0, 2, 200]))
    return bytes.fromhex("020000000002020000000001") + b"\x08\x00" + ip + udp


def packet(interface_id=0, time_ns=START, direction=None, queue=None, comment=None, drops=None, data=None,
           length=None):
    """comment is a text or a list of texts, one option each; length is the original one, where data is less."""
    data = frame() if data is None else data
    comments = [comment] if isinstance(comment, str) else comment or []
    options = [option(1, text.encode()) for text in comments]
    if direction is not None:
        options.append(option(2, struct.pack("<I", direction)))
    if drops is not None:
        options.append(option(4, struct.pack("<Q", drops)))
    if queue is not None:
        options.append(option(6, struct.pack("<I", queue)))
    body = struct.pack("<IIIII", interface_id, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data),
                       len(data) if length is None else length)
    return block(6, body + data + bytes(-len(data) % 4), options)


def write(path, *blocks):
    with open(path, "wb") as out:
        out.write(b"".join(blocks))
    return path


def on_cpus(path, *cpus):
    """One interface for each CPU, and a packet a microsecond on the CPUs named, in that order."""
    numbers = sorted(set(cpus))
    blocks = [section()] + [interface(f"eth0 CPU {cpu} (rxtxcpu)") for cpu in numbers]
    for index, cpu in enumerate(cpus):
        blocks.append(packet(numbers.index(cpu), START + index * 1000, RECEIVED + index % 2))
    return write(path, *blocks)
