"""Makes whole captures at random, from a seed, in which everything that the plugin tells of happens often.

What is true of a packet because it was made so (its record, its time, its bytes, its sequence number) is kept beside it
in a Draft. What only Wireshark can say (addresses, ports and conversations, as it shows them) is added by the test.
"""

import dataclasses
import random

import capture
import model
import wire

US = 1000
MS = model.MS
RECEIVED, SENT = model.RECEIVED, model.SENT


@dataclasses.dataclass(frozen=True)
class Interface:
    """An interface of a section. The record is what its description says, None for one that says nothing."""
    name: str
    description: str
    link_type: int = wire.ETHERNET
    host: str = ""
    record: dict = None

    def block(self):
        return capture.interface(self.description, self.name, link_type=self.link_type)


def completed(record, other):
    """The interface is believed before the comment, and that before the packet's options."""
    return {**other, **{key: value for key, value in record.items() if value is not None}}


@dataclasses.dataclass(frozen=True)
class Draft:
    """A packet as it was made; interface_id counts in its section."""
    section: int
    interface_id: int
    time: int
    data: bytes
    length: int
    flags: int = None
    queue: int = None
    drops: int = None
    comment: dict = None
    remark: str = None
    sequence: int = None
    consumes: int = 0

    def block(self):
        said = " ".join(f"{key}={value:#x}" if key == "hash" else f"{key}={value}"
                        for key, value in (self.comment or {}).items())
        comments = [text for text in (self.remark, said) if text]
        return capture.packet(self.interface_id, self.time, self.flags, self.queue, comments, self.drops, self.data,
                              self.length)

    def record(self, interface):
        """{} for a record that names nothing, None for no record."""
        record = None if interface is None or interface.record is None else dict(interface.record)
        if self.comment:
            record = completed(record or {}, self.comment)
        return record if record is None else completed(record, {"queue": self.queue})


@dataclasses.dataclass
class Section:
    interfaces: list

    @property
    def numbers(self):
        return model.capture_numbers([(each.host, each.name, each.description) for each in self.interfaces])


class Capture:
    def __init__(self, sections, drafts):
        self.sections = sections
        self.drafts = drafts

    def blocks(self):
        """In the first section an interface comes only right before its first packet, or that of a later one."""
        blocks, section, written = [], -1, 0
        for draft in self.drafts:
            if draft.section != section:
                blocks.append(capture.section())
                section, written = draft.section, 0
                if section > 0:
                    blocks.extend(each.block() for each in self.sections[section].interfaces)
                    written = len(self.sections[section].interfaces)
            while written <= draft.interface_id:
                blocks.append(self.sections[section].interfaces[written].block())
                written += 1
            blocks.append(draft.block())
        return blocks

    def packets(self, shown, knows_sections):
        """The packets for the model. shown: for each what Wireshark shows of it, as keywords for model.Packet."""
        return [self._packet(frame, draft, facts, knows_sections)
                for frame, (draft, facts) in enumerate(zip(self.drafts, shown, strict=True), 1)]

    def _packet(self, frame, draft, facts, knows_sections):
        section = self.sections[draft.section]
        interface, host = None, (draft.section, "", 0)
        if draft.section == 0 or knows_sections:
            interface = section.interfaces[draft.interface_id]
            host = (draft.section, interface.host, section.numbers[draft.interface_id])
        record = draft.record(interface)
        direction = (draft.flags or 0) & 3
        return model.Packet(
            frame=frame, time=draft.time, recorded=record is not None, host=host, host_name=host[1] or None,
            device=interface.name if interface else "", way=direction if direction in (RECEIVED, SENT) else None,
            drops=draft.drops, data=draft.data, length=draft.length, sequence=draft.sequence, consumes=draft.consumes,
            **(record or {}), **facts)


# --- what is sent ----------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Datagram:
    """What a network layer sends: its Ethernet type and bytes, and of a TCP segment where it is in its stream."""
    kind: int
    payload: bytes
    forward: bool = True
    sequence: int = None
    consumes: int = 0


class Talk:
    """Two hosts, or one with itself, and what one of them sends next."""

    def __init__(self, rng, version=4):
        self.rng = rng
        self.version = version
        self.kind = wire.IPV4 if version == 4 else wire.IPV6
        self.hosts = rng.sample(range(1, 9), 2) if rng.random() < 0.93 else [rng.randint(1, 8)] * 2
        # few ports, so that talks of equal ones meet, and one of them is used again; at times both are equal
        self.ports = rng.choice([40000, 40001]), rng.choice([40001, 40002])
        self.idents = rng.randrange(1000)

    def packet(self, protocol, payload, forward, **fragment):
        source, target = self.hosts if forward else self.hosts[::-1]
        return wire.ip(self.version, protocol, wire.address(self.version, source),
                       wire.address(self.version, target), payload, **fragment)

    def datagram(self, protocol, payload, forward, **place):
        return Datagram(self.kind, self.packet(protocol, payload, forward), forward, **place)

    def ends(self, forward):
        return self.ports if forward else self.ports[::-1]

    def way(self):
        return self.rng.random() < 0.7

    def text(self):
        return b"x" * self.rng.choice([1, 5, 30, 100])


class Tcp(Talk):
    def __init__(self, rng, version=4):
        super().__init__(rng, version)
        self.open()

    def open(self):
        """A new connection between the same ports; its numbers may soon begin again at 0."""
        self.next = {way: self.rng.choice([2**32 - 60, self.rng.randrange(2**32)]) for way in (True, False)}
        self.opening = [(True, wire.SYN), (False, wire.SYN | wire.ACK)]

    def _choose(self):
        """(direction, flags, sequence number, payload): mostly the next data, at times a step back or a gap."""
        forward, what, seq = self.way(), self.rng.random(), None
        if self.opening:
            forward, flags = self.opening.pop(0)
            return forward, flags, self.next[forward], b""
        if what < 0.5:
            return forward, wire.ACK | wire.PSH, self.next[forward], self.text()
        if what < 0.75:
            seq = self.next[forward] - self.rng.choice([1, 5, 30, 100, 130])
            return forward, wire.ACK, seq % 2**32, self.text()
        if what < 0.85:
            return forward, wire.ACK | self.rng.choice([0, 0, wire.RST]), self.next[forward], b""
        if what < 0.9:
            return forward, wire.ACK, (self.next[forward] + 50) % 2**32, self.rng.choice([b"", b"x" * 30])
        if what < 0.95:
            return forward, wire.ACK | wire.FIN, self.next[forward], b""
        self.open()
        return self._choose()

    def segment(self):
        forward, flags, seq, payload = self._choose()
        consumes = len(payload) + (flags & wire.SYN > 0) + (flags & wire.FIN > 0)
        if model.is_below(self.next[forward], (seq + consumes) % 2**32):
            self.next[forward] = (seq + consumes) % 2**32
        acknowledged = self.next[not forward] if flags & wire.ACK else 0
        return forward, wire.tcp(*self.ends(forward), seq, acknowledged, flags, payload), seq, consumes

    def send(self):
        forward, segment, seq, consumes = self.segment()
        first = self.datagram("tcp", segment, forward, sequence=seq, consumes=consumes)
        return [first] if self.rng.random() < 0.6 else [self._following(forward, seq, consumes), first]

    def _following(self, forward, seq, consumes):
        """The segment behind, which overtakes."""
        seq, payload = (seq + consumes) % 2**32, self.text()
        following = wire.tcp(*self.ends(forward), seq, 1, wire.ACK, payload)
        if model.is_below(self.next[forward], (seq + len(payload)) % 2**32):
            self.next[forward] = (seq + len(payload)) % 2**32
        return self.datagram("tcp", following, forward, sequence=seq, consumes=len(payload))


class Udp(Talk):
    def send(self):
        forward = self.way()
        return [self.datagram("udp", wire.udp(*self.ends(forward), self.text()), forward)]


class Sctp(Talk):
    def send(self):
        forward = self.way()
        return [self.datagram("sctp", wire.sctp(*self.ends(forward), self.rng.randrange(9)), forward)]


class Echo(Talk):
    def send(self):
        forward = self.rng.random() < 0.5
        return [self.datagram("icmp", wire.echo(self.version, self.rng.randrange(9), not forward), forward)]


class Errors(Tcp):
    """Errors about the segments of a connection, between the segments."""

    def send(self):
        forward, segment, seq, consumes = self.segment()
        if self.rng.random() < 0.5:
            return [self.datagram("tcp", segment, forward, sequence=seq, consumes=consumes)]
        error = wire.unreachable(self.version, self.packet("tcp", segment, forward))
        return [self.datagram("icmp", error, not forward)]


class Fragments(Talk):
    """A packet in two pieces; of a segment the first has its ports and its sequence number."""

    def send(self):
        forward, self.idents = self.way(), self.idents + 1
        whole = wire.udp(*self.ends(forward), b"y" * 40)
        protocol = "udp"
        if self.rng.random() < 0.5:
            whole, protocol = wire.tcp(*self.ends(forward), 1, 1, wire.ACK, b"y" * 40), "tcp"
        pieces = [self.packet(protocol, whole[:24], forward, ident=self.idents, more=True),
                  self.packet(protocol, whole[24:], forward, ident=self.idents, offset=24)]
        if self.rng.random() < 0.3:
            pieces.reverse()
        return [Datagram(self.kind, piece, forward) for piece in pieces]


class Tunnel(Tcp):
    """Connections, datagrams and questions inside IP in IP, or inside VXLAN."""

    def send(self):
        forward, segment, _seq, _consumes = self.segment()
        inner = self.packet("tcp", segment, forward)
        if self.rng.random() < 0.5:
            inner = self.packet("udp", wire.udp(*self.ends(forward), self.text()), forward)
        kind = self.kind
        if self.rng.random() < 0.2:
            inner, kind = wire.arp(*self.hosts), wire.ARP
        if self.version == 4 and kind != wire.ARP and self.rng.random() < 0.5:
            return [Datagram(wire.IPV4, self._outside("ip", inner, forward), forward)]
        frame = wire.ethernet(kind, wire.mac(11), wire.mac(12), inner, padded=False)
        return [Datagram(wire.IPV4, self._outside("udp", wire.vxlan(frame), forward), forward)]

    @staticmethod
    def _outside(protocol, payload, forward):
        ends = [wire.address(4, 101), wire.address(4, 102)]
        return wire.ip(4, protocol, *(ends if forward else ends[::-1]), payload)


class Arp(Talk):
    def send(self):
        forward = self.way()
        return [Datagram(wire.ARP, wire.arp(*(self.hosts if forward else self.hosts[::-1])), forward)]


class Experiment(Talk):
    """Something that is no IP: it has its Ethernet addresses."""

    def send(self):
        return [Datagram(wire.EXPERIMENTAL, self.text(), self.way())]


TALKS = [Tcp, Tcp, Tcp, Udp, Udp, Sctp, Echo, Errors, Fragments, Tunnel, Arp, Experiment]


# --- where it is captured --------------------------------------------------------------------------------------------

DEVICES = {"eth0": wire.ETHERNET, "eth1": wire.ETHERNET, "lo": wire.ETHERNET, "tun0": wire.RAW, "ppp0": wire.SLL,
           "any0": wire.SLL2}
CPUS = [0, 1, 2, 3, 12, 4294967294]
STEPS = [0, 1, US, 20 * US, MS, 4 * MS, 10 * MS, 10 * MS + 1, 150 * MS, 1000 * MS, 1000 * MS + 1]
STEP_WEIGHTS = [2, 2, 20, 20, 12, 8, 2, 2, 2, 1, 1]


def cpu_interface(host, device, cpu, node):
    text = f"{host + ':' if host else ''}{device} CPU {'unknown' if cpu is None else cpu}"
    text += f" node {node} (rxtxcpu)" if node is not None else " (rxtxcpu)"
    return Interface(device, text, DEVICES[device], host, {"cpu": cpu, "node": node})


OTHERS = [
    Interface("eth0", "eth0 queue 2 (rxtxcpu)", record={"queue": 2}),
    Interface("eth0", "eth0 queue unknown (rxtxcpu)", record={}),
    Interface("eth0", "eth0 node 1 (rxtxcpu)", record={"node": 1}),
    Interface("eth0", "Ethernet"),
    Interface("eth0", "eth0 CPU 03 (rxtxcpu)"),
    Interface("eth7", None),
    Interface("eth0", "web9:eth0 CPU 3 hook napi (rxtxcpu)", host="web9", record={"cpu": 3}),
]


class Maker:
    """One capture in the making."""

    def __init__(self, seed, packets, introduced):
        self.rng = random.Random(seed)
        self.wanted = packets
        self.introduced = introduced
        self.cpus = self.rng.sample(CPUS, self.rng.randint(2, 4))
        self.hosts = self.rng.choice([[""], [""], ["web1", "web2"]])
        self.copies = self.rng.choice([1, 1, 2, 3])  # of the whole list, as in a file of several captures
        self.move = self.rng.choice([0.1, 0.4])
        self.sections, self.drafts = [], []
        self.now = self.newest = capture.START
        self.sent = []  # what may be repeated: (draft, when)
        self.homes = {}   # talk: the host and the copy of it where most of its packets are seen
        self.places = {}  # (talk, direction, way, device): CPU
        self.talks = [Tcp(self.rng), Tcp(self.rng), Tcp(self.rng, 6),
                      *[self._talk() for _ in range(self.rng.randint(3, 6))]]

    def _talk(self):
        return self.rng.choice(TALKS)(self.rng, self.rng.choice([4, 4, 6]))

    def make(self):
        sections = self.rng.choice([1, 1, 1, 2])
        for number in range(1, sections + 1):
            self._begin_section()
            while len(self.drafts) < self.wanted * number // sections:
                self._happen()
        return Capture(self.sections, self.drafts)

    def _begin_section(self):
        nodes = {cpu: self.rng.choice([None, index % 2]) for index, cpu in enumerate(self.cpus)}
        one = [cpu_interface(host, device, cpu, nodes.get(cpu))
               for host in self.hosts for device in DEVICES for cpu in [*self.cpus, None]]
        one += self.rng.sample(OTHERS, self.rng.randint(2, len(OTHERS)))
        self.sections.append(Section(one * self.copies))
        self.size = len(one)
        if self.introduced:
            self._introduce()

    def _introduce(self):
        """A packet on each interface before all others."""
        for number, interface in enumerate(self.sections[-1].interfaces):
            data = wire.on_link(interface.link_type, wire.IPV4, wire.mac(1), wire.mac(2), wire.ip(
                4, "icmp", wire.address(4, 1), wire.address(4, 2), wire.echo(4, number, False)))
            self._write(number, data, RECEIVED, Datagram(wire.IPV4, b""))

    def _id(self, host, device, cpu, copy):
        names = [(each.host, each.name, (each.record or {}).get("cpu", "none"))
                 for each in self.sections[-1].interfaces]
        return copy * self.size + names.index((host, device, cpu))

    def _home(self):
        return self.rng.choice(self.hosts), self.rng.randrange(self.copies)

    def _place(self, talk, forward, way, device):
        """On which CPU: mostly where the one before was."""
        key = talk, forward, way, device
        if key not in self.places or self.rng.random() < self.move:
            self.places[key] = self.rng.choice(self.cpus)
        return None if self.rng.random() < 0.03 else self.places[key]

    def _happen(self):
        what = self.rng.random()
        if what < 0.01:
            self.talks[self.rng.randrange(len(self.talks))] = self._talk()
        if what < 0.12 and self.sent:
            self._repeat()
            return
        talk = self.rng.choice(self.talks)
        for datagram in talk.send():
            self._travel(talk, datagram)

    def _travel(self, talk, datagram):
        """The ways of a packet through a machine."""
        receive, send = RECEIVED, SENT
        ways = self.rng.choices([
            [("eth0", receive if datagram.forward else send)],
            [("eth0", receive)],                                                # a bridge, a mirror port
            [(self.rng.choice(["eth0", "eth1"]), receive)],
            [("eth0", receive), ("eth1", send)] if datagram.forward else [("eth1", receive), ("eth0", send)],
            [("lo", send), ("lo", receive)],
            [("tun0", receive if datagram.forward else send)],
            [(self.rng.choice(["ppp0", "any0"]), receive)],
            [("eth0", self.rng.choice([None, 0, 3]))],
        ], [8, 6, 4, 4, 4, 2, 2, 1])[0]
        host, copy = self.homes.setdefault(talk, self._home())
        if self.rng.random() < 0.2:
            host, copy = self._home()
        padded, vlans = self.rng.random() < 0.3, self.rng.choice([(), (), (), (5,), (5, 6)])
        for device, flags in ways:
            if DEVICES[device] == wire.RAW and datagram.kind not in (wire.IPV4, wire.IPV6):
                continue
            ends = [wire.mac(1), wire.mac(2)]
            data = wire.on_link(DEVICES[device], datagram.kind, *(ends if datagram.forward else ends[::-1]),
                                datagram.payload, vlans, padded)
            cpu = self._place(talk, datagram.forward, flags, device)
            interface = self._id(host, device, cpu, copy)
            if self.rng.random() < 0.06:
                interface = self._other(interface)
            self._write(interface, data, flags, datagram)

    def _other(self, otherwise):
        """An interface of another kind, of Ethernet like those whose packets may come there."""
        if self.sections[-1].interfaces[otherwise].link_type != wire.ETHERNET:
            return otherwise
        each = [index for index, interface in enumerate(self.sections[-1].interfaces) if interface in OTHERS]
        return self.rng.choice(each)

    def _time(self):
        self.now += self.rng.choices(STEPS, STEP_WEIGHTS)[0]
        what = self.rng.random()
        if what < 0.003:
            self.now -= self.rng.choice([1000 * MS, 5000 * MS])
        if what > 0.95:
            return self.now - self.rng.choice([1, US, 5 * MS, 999 * MS])
        return self.now

    def _write(self, interface, data, flags, datagram=None):
        rng = self.rng
        if flags is not None and rng.random() < 0.2:
            flags |= rng.choice([1, 2, 3, 4]) << 2
        length = len(data)
        if len(data) > 150 and rng.random() < 0.2:
            data = data[:150]
        comment = None
        if rng.random() < 0.05:
            comment = {"cpu": rng.choice(self.cpus), **rng.choice([{}, {"queue": 1, "hash": 0xd22cfd90}, {"node": 1}])}
        draft = Draft(len(self.sections) - 1, interface, self._time(), data, length, flags,
                      queue=rng.choice([None, None, None, 0, 5]), drops=rng.choice([None] * 9 + [7, 2**40]),
                      comment=comment, remark=rng.choice([None] * 9 + ["seen on cpu=3"]),
                      sequence=datagram.sequence, consumes=datagram.consumes)
        self.drafts.append(draft)
        self.sent.append((draft, datagram))

    def _repeat(self):
        """A frame that came before comes again, once or in a run, mostly at the same place."""
        draft, datagram = self.rng.choice(self.sent[-30:])
        if draft.section != len(self.sections) - 1:
            return
        for _ in range(self.rng.choice([1, 1, 2, 12])):
            self.now += self.rng.choice([0, 0, 0, 900 * MS, 1000 * MS, 1001 * MS]) if self.rng.random() < 0.3 else 0
            interface = draft.interface_id
            flags = draft.flags
            if self.rng.random() < 0.15:
                same = self.sections[-1].interfaces[interface]
                interface = self.rng.choice([index for index, each in enumerate(self.sections[-1].interfaces)
                                             if each.link_type == same.link_type])
            self._write(interface, draft.data, flags, datagram)
            if len(self.drafts[-1].data) != draft.length:
                self.drafts[-1] = dataclasses.replace(self.drafts[-1], length=draft.length)


def make(seed, packets=1500, introduced=False):
    """introduced: every interface has a packet at the beginning of its section."""
    return Maker(seed, packets, introduced).make()


def on_many_cpus(count):
    """A flow that goes through so many CPUs, twice."""
    interfaces = [cpu_interface("", "eth0", cpu, None) for cpu in range(count)]
    data = capture.frame()
    return Capture([Section(interfaces)], [
        Draft(0, number % count, capture.START + number * US, data, len(data), RECEIVED)
        for number in range(2 * count)])


def overtaken(gaps):
    """For each gap a connection with a segment that comes so long behind a later one of another CPU."""
    interfaces = [cpu_interface("", "eth0", cpu, None) for cpu in range(2)]
    drafts = []
    for number, gap in enumerate(gaps):
        begin = capture.START + number * 1000 * MS + 900 * US  # not at a whole millisecond
        for cpu, seq, time in ((0, 1000, begin), (1, 500, begin + gap)):
            segment = wire.tcp(40000 + number, 9, seq, 1, wire.ACK, b"x" * 50)
            data = wire.ethernet(wire.IPV4, wire.mac(1), wire.mac(2),
                                 wire.ip(4, "tcp", wire.address(4, 1), wire.address(4, 2), segment))
            drafts.append(Draft(0, cpu, time, data, len(data), RECEIVED, sequence=seq, consumes=50))
    return Capture([Section(interfaces)], drafts)
