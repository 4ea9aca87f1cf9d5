"""A far end in Python that speaks include/rxtxcpu/remote_protocol.h: what tests/remote/fake_far_end.py is made of."""

import os
import select
import struct
import sys
import time

from lib import gvariant, pcapng

REQUEST, START, STOP, PING = 0xD2C70001, 0xD2C70002, 0xD2C70003, 0xD2C70004
HELLO, STATUS, WARNING, ERROR, TEXT, END, EVENT = range(0xD2C70101, 0xD2C70108)
TYPES = {REQUEST: "(ua(ss))", START: "()", STOP: "()", PING: "(t)", HELLO: "(ua(ss)a(iib))", STATUS: "(ttttba(ttt))",
         WARNING: "(s)", ERROR: "(uss)", TEXT: "(s)", END: "(ttt)", EVENT: "(tsis)"}
PROTOCOL = 2
LOCAL = gvariant.LOCAL_ORDER
OTHER = ">" if LOCAL == "<" else "<"


class Words:
    """Blocks and messages in one byte order."""

    def __init__(self, order=LOCAL):
        self.order = order

    def block(self, kind, body, length=None, trailer=None):
        """Unless something else is wanted both lengths are right and the body is padded."""
        body += bytes(-len(body) % 4)
        length = 12 + len(body) if length is None else length
        return struct.pack(f"{self.order}II", kind, length) + body + struct.pack(
            f"{self.order}I", length if trailer is None else trailer)

    def message(self, kind, *values):
        return self.raw_message(kind, gvariant.pack(TYPES[kind], values, self.order))

    def raw_message(self, kind, data, size=None):
        return self.block(kind, struct.pack(f"{self.order}I", len(data) if size is None else size) + data)

    def option(self, code, value):
        return struct.pack(f"{self.order}HH", code, len(value)) + value + bytes(-len(value) % 4)

    def section(self, options=b"", version=(1, 0), magic=pcapng.BYTE_ORDER_MAGIC):
        return self.block(pcapng.SHB, struct.pack(f"{self.order}IHHq", magic, *version, -1) + options)

    def interface(self, group=0, name=b"vb", linktype=1, snaplen=262000, description=None, more=b"", tsresol=b"\x09"):
        description = name + b" CPU %d (rxtxcpu)" % group if description is None else description
        return self.block(pcapng.IDB, struct.pack(f"{self.order}HHI", linktype, 0, snaplen) + self.option(2, name) +
                          self.option(3, description) + self.option(9, tsresol) + more + bytes(4))

    def packet(self, ts_ns, data=b"x" * 60, interface=0, caplen=None, length=None, flags=1, more=b""):
        caplen = len(data) if caplen is None else caplen
        body = struct.pack(f"{self.order}IIIII", interface, ts_ns >> 32, ts_ns & 0xFFFFFFFF, caplen,
                           len(data) if length is None else length)
        return self.block(pcapng.EPB, body + data + bytes(-len(data) % 4) + self.option(
            2, struct.pack(f"{self.order}I", flags)) + more + bytes(4))

    def statistics(self, interface, ts_ns, packets):
        numbers = b"".join(self.option(code, struct.pack(f"{self.order}Q", value)) for code, value in (
            (4, packets), (5, 0), (6, packets), (7, 0), (8, packets)))
        return self.block(pcapng.ISB, struct.pack(f"{self.order}III", interface, ts_ns >> 32, ts_ns & 0xFFFFFFFF) +
                          numbers + bytes(4))


class FarEnd(Words):
    """One conversation. `shift_ns` is how far its clock is ahead."""

    def __init__(self, order=LOCAL, groups=2, shift_ns=0):
        super().__init__(order)
        self.groups, self.shift_ns = groups, shift_ns
        self._input, self._their_order = b"", None
        self.last_ping = (0, 0)
        self.request = None
        self.counts = [0] * groups

    def now(self):
        return time.time_ns() + self.shift_ns

    def say(self, *blocks):
        data = memoryview(b"".join(blocks))
        while data:
            data = data[os.write(1, data):]

    # --- what the near end says

    def _next(self, timeout):
        """(kind, values) of the next message; None when nothing comes. The end of the input is the end."""
        while True:
            if len(self._input) >= 8:
                self._their_order = self._their_order or ("<" if self._input[3] == 0xD2 else ">")
                kind, length = struct.unpack_from(f"{self._their_order}II", self._input)
                if len(self._input) >= length:
                    body, self._input = self._input[8 : length - 4], self._input[length:]
                    size, = struct.unpack_from(f"{self._their_order}I", body)
                    return kind, gvariant.unpack(TYPES[kind], body[4 : 4 + size], self._their_order)
            if not select.select([0], [], [], timeout)[0]:
                return None
            data = os.read(0, 1 << 16)
            if not data:
                sys.exit(0)
            self._input += data

    def wait_for(self, *kinds, until=None):
        """Answers pings with the state until one of these comes, which is returned."""
        while until is None or time.monotonic() < until:
            came = self._next(0.2)
            if came and came[0] == PING:
                self.last_ping = (came[1][0], self.now())
            if came and came[0] in kinds:
                return came
            if self.request:
                self.say(self.status())
        return None

    # --- what is said in a good conversation

    def status(self, complete=None, over=False):
        now = self.now()
        return self.message(STATUS, *self.last_ping, now, now if complete is None else complete, over,
                            [(count, 0, count) for count in self.counts])

    def hello(self, version=PROTOCOL, facts=None, groups=None):
        facts = FACTS if facts is None else facts
        groups = [(number, -1, True) for number in range(self.groups)] if groups is None else groups
        return self.message(HELLO, version, facts, groups)

    def begin(self):
        """Up to where packets are wanted."""
        self.request = self.wait_for(REQUEST)[1]
        self.say(self.hello())
        self.wait_for(START)

    def file_head(self):
        return self.section() + b"".join(self.interface(group) for group in range(self.groups))

    def packets(self, count, step_ns=1000):
        """So many, in turn of each group, the last one of now."""
        first, blocks = self.now() - count * step_ns, []
        for number in range(count):
            group = number % self.groups
            self.counts[group] += 1
            blocks.append(self.packet(first + number * step_ns, struct.pack(">I", number) + bytes(60), group))
        return b"".join(blocks)

    def finish(self):
        now = self.now()
        self.say(*[self.statistics(group, now, self.counts[group]) for group in range(self.groups)],
                 self.status(over=True), self.message(END, 0, 0, 0))


FACTS = [("linktype", "1"), ("version", "2.0.0"), ("interface", "vb"), ("host", "web1")]
