"""The statistics of TShark: every number in them against an own count over a capture made at random."""

import collections
import functools
import random
import subprocess

import pytest

import model
import tables
import wire
from capture import RECEIVED, SENT, START, interface, on_cpus, packet, section, write
from story import A, B, MS, Story, frame, ip, udp

STAT, FLOWS, SYMMETRY, TREE = "rxtxcpu,stat", "rxtxcpu,flows", "rxtxcpu,symmetry", "rxtxcpu,tree"
UNKNOWN = 2**32  # behind all CPUs

CPUS = {2: 0, 10: 1, 11: None, 100: 1, UNKNOWN: None}  # CPU: node


def ask(user, path, *which, args=()):
    return user.run("tshark", "-q", "-r", path, *args, *[word for one in which for word in ("-z", one)])


def refused(user, path, *which):
    """(status, the lines on stderr) of a TShark that is asked for what there is not."""
    user.own()
    words = user.words("tshark", "-q", "-r", path, *[word for one in which for word in ("-z", one)])
    done = subprocess.run(words, cwd=user.home, env={**user.environment, **user.loading}, capture_output=True,
                          encoding="utf-8", timeout=60, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


# --- a capture at random, and what is true of it ----------------------------------------------------------------------

class Talk:
    """What two ends say to each other; low is the end that Wireshark's bytes put first."""

    def __init__(self, protocol, version, low, high):
        self.protocol, self.version, self.low, self.high = protocol, version, low, high

    def frame(self, forward, payload):
        source, target = (self.low, self.high) if forward else (self.high, self.low)
        if self.protocol == "icmp":
            inner = wire.echo(self.version, 1, False) + payload
        elif self.protocol == "udp":
            inner = wire.udp(source[1], target[1], payload)
        else:
            inner = wire.tcp(source[1], target[1], 1, 1, wire.ACK, payload)
        return frame(source, target, ip(self.protocol, source, target, inner, self.version))

    def _end(self, end):
        host = f"192.0.2.{end[0]}" if self.version == 4 else f"2001:db8::{end[0]}"
        return host if self.protocol == "icmp" else f"{host if self.version == 4 else f'[{host}]'}:{end[1]}"

    @property
    def text(self):
        kind = "" if self.protocol == "icmp" else self.protocol.upper() + " "
        return f"{kind}{self._end(self.low)} <-> {self._end(self.high)}"


TALKS = [
    Talk("udp", 4, (1, 40000), (2, 53)), Talk("udp", 4, (1, 40001), (2, 53)), Talk("udp", 6, (1, 40000), (2, 53)),
    Talk("tcp", 4, (3, 1000), (3, 2000)), Talk("tcp", 6, (4, 443), (5, 50000)), Talk("icmp", 4, (6, 0), (7, 0)),
    Talk("udp", 4, (8, 7), (9, 7)), Talk("tcp", 4, (1, 40000), (2, 53)),
    *[Talk("udp", 4, (20, port), (21, 9)) for port in range(1, 30)],
]


class Counted:
    """A packet and all that a statistic may count of it."""

    def __init__(self, talk, forward, cpu, way, device, length, fields):
        self.talk, self.forward, self.cpu, self.way, self.device, self.length = talk, forward, cpu, way, device, length
        self.drops = fields.get("rxtxcpu.drops", 0)
        self.repeat = "rxtxcpu.repeat" in fields
        self.split = "rxtxcpu.flow.split" in fields
        self.moved_from = fields["rxtxcpu.flow.prev_cpu"] if "rxtxcpu.flow.moved" in fields else None
        self.flow = fields.get("rxtxcpu.flow", 0)


@functools.cache
def made():
    """(the blocks of a capture, its packets as they are to be counted)"""
    rng, story, talked, packets, now = random.Random(6), Story(), [], [], START
    favourite = {}
    for number in range(1, 2501):
        talk = rng.choices(TALKS, [20] * 8 + [1] * 29)[0]
        forward, way = rng.random() < 0.6, rng.choice([RECEIVED, RECEIVED, SENT, None])
        if talk.protocol == "icmp":  # of which one direction alone was seen
            forward = True
        key = talk, forward, way
        if key not in favourite or rng.random() < 0.2:
            favourite[key] = rng.choice(list(CPUS))
        cpu, device = favourite[key], rng.choice(["eth0", "eth0", "eth1"])
        data = talk.frame(forward, b"x" * rng.choice([30, 30, 30, 1000, rng.randrange(30, 500)]))
        length = len(data) + rng.choice([0, 0, 500])
        after = rng.choice([0, 1000, MS, MS, MS, 3 * MS, -2 * MS])
        now += after
        drops = rng.choice([None] * 20 + [0, 1, 2**33])
        stream = f"CPU {'unknown' if cpu == UNKNOWN else cpu}"
        if CPUS[cpu] is not None:
            stream += f" node {CPUS[cpu]}"
        story.packet(data, way=way, device=device, after=after, stream=stream, drops=drops, length=length)
        talked.append((talk, forward, cpu, way, device, length))
        packets.append(model.Packet(
            frame=number, time=now, host="", device=device, cpu=None if cpu == UNKNOWN else cpu, node=CPUS[cpu],
            way=way, drops=drops, data=data, length=length,
            source=str((talk.version, talk.low if forward else talk.high)),
            target=str((talk.version, talk.high if forward else talk.low)),
            port_type=None if talk.protocol == "icmp" else talk.protocol))
    return story.blocks(), [Counted(*of, fields) for of, fields in zip(talked, model.answers(packets), strict=True)]


@pytest.fixture(name="path")
def random_capture(user):
    return write(user.home / "random.pcapng", *made()[0])


def cpu_text(cpu):
    return "unknown" if cpu == UNKNOWN else str(cpu)


def count_cpus(packets):
    """The rows of rxtxcpu,stat for these packets, and the row of all together."""
    out = collections.Counter(each.moved_from for each in packets)
    rows = []
    for cpu in sorted({each.cpu for each in packets} | set(out) - {None}):
        of = [each for each in packets if each.cpu == cpu]
        node = CPUS[cpu] if of and CPUS[cpu] is not None else ""
        rows.append([cpu_text(cpu), str(node), *_numbers(of, len(packets), out[cpu])])
    moves = sum(each.moved_from is not None for each in packets)
    return rows, ["all", "", *_numbers(packets, len(packets), moves)]


def _numbers(of, all_packets, moves_out):
    share = 100 * len(of) / all_packets if all_packets else 0
    return [str(len(of)), f"{share:.1f}%", *map(str, (
        sum(each.length for each in of), sum(each.way == RECEIVED for each in of), sum(each.way == SENT for each in of),
        len({each.flow for each in of}), sum(each.moved_from is not None for each in of), moves_out,
        sum(each.repeat for each in of), sum(each.drops for each in of)))]


def count_flows(packets, shown=10):
    """The rows of rxtxcpu,flows."""
    rows = []
    for cpu in sorted({each.cpu for each in packets}):
        shares = []
        for flow in {each.flow for each in packets if each.cpu == cpu}:
            of = [each for each in packets if each.flow == flow]
            here = [each for each in of if each.cpu == cpu]
            size = sum(each.length for each in here)
            shares.append((-size, flow, [
                cpu_text(cpu), str(len(here)), str(size), str(len({each.cpu for each in of} - {UNKNOWN})),
                str(sum(each.moved_from is not None for each in of)), "yes" if any(each.split for each in of) else "no",
                str(flow), of[0].talk.text]))
        rows += [row for _size, _flow, row in sorted(shares)[:shown]]
    return rows


KINDS = ["received both ways", "received one, sent other", "sent both ways", "unknown direction"]


def kind_of(ways):
    """How the two directions are compared, by the way of each."""
    if None in ways:
        return KINDS[3]
    return KINDS[0] if ways == (RECEIVED, RECEIVED) else KINDS[2] if ways == (SENT, SENT) else KINDS[1]


def compared(known):
    """[(ways, CPUs with their packets of each direction)] of one flow: of each device with both directions, or of all.
    Best is what was received both ways, also on two devices."""
    devices = [[each for each in known if each.device == device] for device in sorted({each.device for each in known})]
    for good in (lambda both: both and both[0] == (RECEIVED, RECEIVED), bool):
        for groups in (devices, [known]):
            if found := [both for of in groups if good(both := both_directions(of))]:
                return found
    return []


def both_directions(known):
    directions = [[each for each in known if each.forward == forward] for forward in (True, False)]
    if not all(directions):
        return None
    ways = tuple(next(way for way in (RECEIVED, SENT, None) if any(each.way == way for each in of)) for of in directions)
    return ways, [collections.Counter(each.cpu for each in of if each.way == way)
                  for of, way in zip(directions, ways, strict=True)]


def verdict_of(of, ways, cpus):
    """1: on one CPU. 2: moved together, for each move at most one packet was split. 3: apart."""
    if len(set(cpus[0]) | set(cpus[1])) == 1:
        return 1
    moves, splits = sum(each.moved_from is not None for each in of), sum(each.split for each in of)
    return 2 if ways == (RECEIVED, RECEIVED) and splits <= moves else 3


def count_symmetry(packets):
    """The rows of both tables of rxtxcpu,symmetry."""
    kinds = {kind: [0, 0, 0, 0] for kind in KINDS}
    several = []
    for flow in sorted({each.flow for each in packets}):
        of = [each for each in packets if each.flow == flow]
        for ways, cpus in compared([each for each in of if each.cpu != UNKNOWN]):
            verdict = verdict_of(of, ways, cpus)
            kinds[kind_of(ways)][0] += 1
            kinds[kind_of(ways)][verdict] += 1
            if verdict > 1:
                several.append([kind_of(ways), "1", "0", *(("1", "0") if verdict == 2 else ("0", "1")), str(flow),
                                of[0].talk.text, *[", ".join(f"CPU {cpu} ({each[cpu]})" for cpu in sorted(each))
                                                   for each in cpus]])
    return [[kind, *map(str, numbers)] for kind, numbers in kinds.items()], several


def count_tree(packets):
    rows = []
    for cpu in sorted({each.cpu for each in packets}):
        of = [each for each in packets if each.cpu == cpu]
        rows.append((1, f"CPU {cpu_text(cpu)}", len(of), f"{100 * len(of) / len(packets):.2f}%"))
        for text, way in (("direction unknown", None), ("received", RECEIVED), ("sent", SENT)):
            if times := sum(each.way == way for each in of):
                rows.append((2, text, times, f"{100 * times / len(of):.2f}%"))
    return rows


def check(text, packets, shown=10):
    """Every number of the three tables."""
    found = tables.statistics(text)
    rows, together = count_cpus(packets)
    assert found["Packets per CPU"].tables == {"CPUs": rows, "Together": [together]}
    assert found["Flows per CPU"].tables == {"The largest flows of each CPU": count_flows(packets, shown)}
    kinds, several = count_symmetry(packets)
    assert found["Symmetry of flows"].tables == {
        "Flows with both directions": kinds, "Those that are not on one CPU": several}


# --- the numbers -----------------------------------------------------------------------------------------------------

def test_every_number_of_three_statistics_in_one_run_is_right(user, path):
    check(ask(user, path, STAT, FLOWS, SYMMETRY), made()[1])


def test_the_capture_has_what_there_is_to_count():
    packets = made()[1]
    numbers = count_cpus(packets)[1][2:]
    assert "0" not in numbers and len(count_flows(packets, 99)) > len(count_flows(packets))
    kinds, several = count_symmetry(packets)
    assert {row[3] for row in several} == {"0", "1"} and int(kinds[0][1]) > 20
    assert any(each.split for each in packets)


def symmetry(user, story):
    """The row "received both ways", and the ways of those that are not on one CPU."""
    found = tables.statistics(ask(user, story.write(user.home), SYMMETRY))["Symmetry of flows"].tables
    return found["Flows with both directions"][0][1:], [row[-2:] for row in found["Those that are not on one CPU"]]


def test_directions_are_compared_on_the_device_that_has_both(user):
    """Behind a bridge each packet is received once more, on another CPU."""
    story = Story()
    for ends in ((A, B), (B, A)):
        story.packet(udp(*ends), 0, RECEIVED, "eth0")
        story.packet(udp(*ends), 2, RECEIVED, "br0")
    assert symmetry(user, story) == (["2", "2", "0", "0"], [])


def test_directions_of_two_devices_are_compared_where_neither_received_both(user):
    """A box that forwards."""
    story = Story()
    story.packet(udp(A, B), 0, RECEIVED, "eth0")
    story.packet(udp(A, B), 0, SENT, "eth1")
    story.packet(udp(B, A), 2, RECEIVED, "eth1")
    story.packet(udp(B, A), 2, SENT, "eth0")
    assert symmetry(user, story) == (["1", "0", "0", "1"], [["CPU 0 (1)", "CPU 2 (1)"]])


def test_a_flow_whose_directions_move_together_is_told_from_one_whose_directions_are_apart(user):
    together, apart = Story(), Story()
    for number, cpu in enumerate([0] * 4 + [2] * 4):
        together.packet(udp(*((A, B) if number % 2 else (B, A))), cpu)
        apart.packet(udp(*((A, B) if number % 2 else (B, A))), 2 * (number % 2))
    assert symmetry(user, together)[0] == ["1", "0", "1", "0"]
    assert symmetry(user, apart)[0] == ["1", "0", "0", "1"]


def test_what_a_queue_lost_is_no_cpus(user):
    story = Story()
    story.packet(udp(), stream="queue 1", comment="cpu=3", drops=7)
    rows = tables.statistics(ask(user, story.write(user.home), STAT))["Packets per CPU"].tables["CPUs"]
    assert [(row[0], row[2], row[-1]) for row in rows] == [("3", "1", "0"), ("unknown", "0", "7")]


def test_the_columns_have_titles(user):
    found = tables.statistics(ask(user, on_cpus(user.home / "cpus.pcapng", 0, 1), STAT, FLOWS, SYMMETRY))
    assert found["Packets per CPU"].columns == [
        "CPU", "Node", "Packets", "Share", "Bytes", "Received", "Sent", "Flows", "Moves in", "Moves out", "Repeats",
        "Lost"]
    assert found["Flows per CPU"].columns == [
        "CPU", "Packets", "Bytes", "CPUs seen", "Moved", "Split", "Flow", "Between"]
    assert found["Symmetry of flows"].columns == [
        "Directions", "Flows", "On one CPU", "Moved together", "Apart", "Flow", "Between", "There", "Back"]


def test_the_tree_counts_cpus_and_directions_in_the_order_of_the_numbers(user, path):
    order = ("-o", "statistics.st_sort_defcolflag:Node name (topic/item)",
             "-o", "statistics.st_sort_defdescending:FALSE")
    text = ask(user, path, TREE, args=order)
    top, *rows = tables.tree(text)
    assert top == (0, "Packets per CPU", 2500, "100%")
    assert rows == [(*row[:3], row[3].replace("100.00%", "100%")) for row in count_tree(made()[1])]


@pytest.mark.parametrize(("text", "passes"), [
    ("rxtxcpu.cpu != 10", lambda each: each.cpu not in (10, UNKNOWN)),
    ("udp && rxtxcpu.direction == 1", lambda each: each.talk.protocol == "udp" and each.way == RECEIVED),
    ("rxtxcpu.flow.moved", lambda each: each.moved_from is not None),
    ("icmp && tcp", lambda each: False),
])
def test_a_filter_says_what_is_counted_and_not_what_has_moved(user, path, text, passes):
    packets = [each for each in made()[1] if passes(each)]
    said = ask(user, path, f"{STAT},{text}", f"{FLOWS},{text}", f"{SYMMETRY},{text}")
    if packets:
        check(said, packets)
    assert [one.filter for one in tables.statistics(said).values()] == [text] * 3


def test_a_filter_of_the_tree_is_obeyed(user, path):
    assert tables.tree(ask(user, path, f"{TREE},rxtxcpu.cpu == 10"))[1][:3] == (
        1, "CPU 10", sum(each.cpu == 10 for each in made()[1]))


def test_so_many_flows_are_listed_as_were_asked_for(user, path):
    """As a number, as a number with a filter, and by the preference; then more than there are."""
    packets = made()[1]
    tcp = [each for each in packets if each.talk.protocol == "tcp"]
    prefer = "-o", "rxtxcpu.flows_shown:3"
    for argument, args, right in (
            (",2", (), count_flows(packets, 2)), (",2,tcp", (), count_flows(tcp, 2)),
            (",tcp", prefer, count_flows(tcp, 3)), ("", prefer, count_flows(packets, 3)),
            (",9999", prefer, count_flows(packets, 9999))):
        said = tables.statistics(ask(user, path, FLOWS + argument, args=args))
        assert said["Flows per CPU"].tables == {"The largest flows of each CPU": right}, argument


def test_cpus_stand_in_the_order_of_their_numbers_and_the_unknown_one_is_last(user):
    story = Story()
    for cpu in (10, "unknown", 2, 4294967294, 0):
        story.packet(udp(), cpu)
    found = tables.statistics(ask(user, story.write(user.home), STAT, FLOWS))
    for name, table in (("Packets per CPU", "CPUs"), ("Flows per CPU", "The largest flows of each CPU")):
        assert [row[0] for row in found[name].tables[table]] == ["0", "2", "10", "4294967294", "unknown"]


def test_a_queue_counts_as_an_unknown_cpu(user):
    story = Story()
    story.packet(udp(), stream="queue 3")
    story.packet(udp(), "unknown")
    found = tables.statistics(ask(user, story.write(user.home), STAT))
    assert [row[:3] for row in found["Packets per CPU"].tables["CPUs"]] == [["unknown", "", "2"]]


def test_moves_are_put_down_to_both_cpus(user):
    story = Story()
    story.packets(udp(), 0, 0, 3, 3, 0, 5)
    found = tables.statistics(ask(user, story.write(user.home), STAT))["Packets per CPU"]
    moves_in, moves_out = found.columns.index("Moves in"), found.columns.index("Moves out")
    assert [(row[0], row[moves_in], row[moves_out]) for row in found.tables["CPUs"]] == [
        ("0", "1", "2"), ("3", "1", "1"), ("5", "1", "0")]


# --- the same numbers, however they are asked for --------------------------------------------------------------------

def test_the_numbers_are_the_same_with_details_two_passes_and_other_statistics(user, path):
    alone = [ask(user, path, which) for which in (STAT, FLOWS, SYMMETRY)]
    for args in (("-2",), ("-Y", "rxtxcpu.flow.split"), ("-V", "-Y", "frame.number == 0")):
        together = ask(user, path, SYMMETRY, "expert", TREE, FLOWS, "io,phs", STAT, args=args)
        for text in alone:
            assert text.strip("\n=") in together, args


# --- what there is not -----------------------------------------------------------------------------------------------

def test_a_capture_of_another_program_has_empty_tables(user):
    foreign = write(user.home / "foreign.pcapng", section(), interface(None), interface("Ethernet CPU 3"),
                    packet(0, START, RECEIVED), packet(1, START + 1, SENT))
    found = tables.statistics(ask(user, foreign, STAT, FLOWS, SYMMETRY, TREE))
    assert [row for one in found.values() for rows in one.tables.values() for row in rows] == []
    assert len(found) == 3


@pytest.mark.parametrize(("which", "sentence"), [
    (["rxtxcpu,statx"], '"-z rxtxcpu,statx": there is no such statistic. Try: -z rxtxcpu,stat'),
    (["rxtxcpu,flows,0"], '"-z rxtxcpu,flows,0" would list nothing. Try: -z rxtxcpu,flows,10'),
    (["rxtxcpu,stat", "rxtxcpu,stat,udp"],
     '"-z rxtxcpu,stat" can be asked for once in a run. Run tshark again for another filter.'),
])
def test_what_cannot_be_counted_is_refused_with_one_sentence(user, path, which, sentence):
    status, lines = refused(user, path, *which)
    assert status == 1
    assert lines == [f"tshark: {sentence}"]


def test_a_filter_that_is_none_is_refused(user, path):
    status, lines = refused(user, path, "rxtxcpu,stat,no such filter")
    assert status != 0
    assert any("no such filter" in line for line in lines)
