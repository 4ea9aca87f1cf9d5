"""What the plugin's fields must be, worked out again from their definition, slowly and plainly.

Nothing here is shared with the plugin: a test that compares the two fails when either is wrong. A packet's history is
kept as lists of packets and looked through again for each packet.
"""

import dataclasses

MS = 1_000_000
RECEIVED, SENT = 1, 2
CLOCK_STEP = REPEAT_WINDOW = 1000 * MS
REORDER_WINDOW = 10 * MS
FOLLOWED_CPUS = 1023
PORT_TYPES = ("tcp", "udp", "sctp", "dccp")


@dataclasses.dataclass(frozen=True)
class Packet:
    """A packet of a file. Without a record it counts for lateness only."""
    frame: int
    time: int
    recorded: bool = True
    host: object = None         # equal for packets of one machine's capture
    host_name: str = None
    device: str = ""
    cpu: int = None
    queue: int = None
    node: int = None
    way: int = None             # RECEIVED, SENT or None
    drops: int = None
    hash: int = None
    source: str = ""            # the innermost address, "" where there is none
    target: str = ""
    port_type: str = None       # one of PORT_TYPES, or None
    ports: tuple = (0, 0)
    conversation: int = None    # Wireshark's number, for TCP and UDP
    data: bytes = b""           # as captured
    length: int = 0             # as it was on the wire
    sequence: int = None        # of a TCP segment in the frame's own bytes
    consumes: int = 0           # its length in sequence space

    @property
    def endpoints(self):
        """From where to where, or None for a packet without a flow."""
        if not self.source or not self.target:
            return None
        return (self.source, self.ports[0]), (self.target, self.ports[1])

    @property
    def flow(self):
        return self.host, self.conversation, self.port_type, frozenset(self.endpoints)

    def lane(self, endpoints, device):
        return self.flow, endpoints, self.way, device


def capture_numbers(interfaces):
    """For each interface of a section, a (host, name, description), which of the host's captures it belongs to."""
    number, seen, numbers = {}, {}, []
    for interface in interfaces:
        host = interface[0]
        if interface in seen.setdefault(host, set()):
            number[host], seen[host] = number.get(host, 0) + 1, set()
        seen[host].add(interface)
        numbers.append(number.get(host, 0))
    return numbers


def late_frames(packets):
    late, newest = set(), None
    for packet in packets:
        if newest is not None and newest - CLOCK_STEP < packet.time < newest:
            late.add(packet.frame)
        else:
            newest = packet.time
    return late


def is_below(number, other):
    """In the arithmetic of sequence numbers."""
    return 0 < (other - number) % 2**32 < 2**31


def highest_segment(segments):
    """The one that set the highest next sequence number, and that number; (None, None) where none did."""
    setter, highest = None, None
    for segment in segments:
        if segment.sequence is None:
            continue
        following = (segment.sequence + segment.consumes) % 2**32
        if highest is None or is_below(highest, following):
            setter, highest = segment, following
    return setter, highest


def is_reordered(packet, before):
    if packet.way == SENT or packet.sequence is None or packet.consumes == 0:
        return False
    setter, highest = highest_segment(before)
    if setter is None or not is_below(packet.sequence, highest) or setter.cpu == packet.cpu:
        return False
    return 0 <= packet.time - setter.time <= REORDER_WINDOW


class Flows:
    """The fields below rxtxcpu.flow."""

    def __init__(self):
        self.numbers = {}
        self.cpus = []      # the different ones that are followed
        self.handled = {}   # lane: CPUs, of late packets too
        self.lanes = {}     # lane: packets in the order of the file, none of them late

    def _opposite(self, packet):
        """The last packet that was received in the other direction, or None."""
        source, target = packet.endpoints
        if packet.way != RECEIVED or source == target:
            return None
        found = {lane[3]: packets[-1] for lane, packets in self.lanes.items()
                 if lane[:3] == packet.lane((target, source), None)[:3]}
        if packet.device in found:
            return found[packet.device]
        return max(found.values(), key=lambda last: last.frame, default=None)

    def _is_followed(self, packet):
        if packet.cpu is None:
            return False
        if packet.cpu not in self.cpus and len(self.cpus) < FOLLOWED_CPUS:
            self.cpus.append(packet.cpu)
        return packet.cpu in self.cpus

    def fields(self, packet, late):
        if packet.endpoints is None:
            return {}
        fields = {"rxtxcpu.flow": self.numbers.setdefault(packet.flow, len(self.numbers) + 1)}
        if not self._is_followed(packet):
            return fields
        lane = packet.lane(packet.endpoints, packet.device)
        self.handled.setdefault(lane, set()).add(packet.cpu)
        fields["rxtxcpu.flow.cpus"] = len(self.handled[lane])
        if not late:
            fields.update(self._compared(packet, self.lanes.get(lane, [])))
            self.lanes.setdefault(lane, []).append(packet)
        return fields

    def _compared(self, packet, before):
        fields = {}
        if before:
            fields["rxtxcpu.flow.prev_cpu"] = before[-1].cpu
            if before[-1].cpu != packet.cpu:
                fields["rxtxcpu.flow.moved"] = 1
                fields["rxtxcpu.flow.prev_frame"] = before[-1].frame
        opposite = self._opposite(packet)
        if opposite is not None and opposite.cpu != packet.cpu:
            fields["rxtxcpu.flow.split"] = 1
        if is_reordered(packet, before):
            fields["rxtxcpu.flow.reordered_by_move"] = 1
        return fields


class Repeats:
    """The fields rxtxcpu.repeat."""

    def __init__(self):
        self.copies = {}  # what is identical: the original and its copies
        self.newest = 0

    def fields(self, packet):
        if packet.time < self.newest:  # the clock was set: nobody can say how long ago something was
            self.copies = {}
        self.newest = packet.time
        key = packet.host, packet.device, packet.way, packet.cpu, packet.data, packet.length
        copies = self.copies.setdefault(key, [])
        if copies and packet.time - copies[-1].time <= REPEAT_WINDOW:
            copies.append(packet)
            return {"rxtxcpu.repeat": len(copies) - 1, "rxtxcpu.repeat.of": copies[0].frame}
        self.copies[key] = [packet]
        return {}


def answers(packets):
    """For each packet the fields that it has, with their values; a boolean that is true has the value 1."""
    late, flows, repeats, found = late_frames(packets), Flows(), Repeats(), []
    for packet in packets:
        fields = {}
        if packet.recorded:
            is_late = packet.frame in late
            said = {"host": packet.host_name, "cpu": packet.cpu, "queue": packet.queue, "node": packet.node,
                    "direction": packet.way, "drops": packet.drops, "hash": packet.hash, "late": 1 if is_late else None}
            fields = {f"rxtxcpu.{name}": value for name, value in said.items() if value is not None}
            fields.update(flows.fields(packet, is_late))
            if not is_late:
                fields.update(repeats.fields(packet))
        found.append(fields)
    return found


FIELDS = tuple("rxtxcpu." + name for name in (
    "host", "cpu", "queue", "node", "direction", "drops", "hash", "late", "flow", "flow.cpus", "flow.prev_cpu",
    "flow.moved", "flow.prev_frame", "flow.split", "flow.reordered_by_move", "repeat", "repeat.of"))
