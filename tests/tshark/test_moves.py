"""A real flow whose sender goes from CPU to CPU: the plugin says that it moved exactly where its sender did."""

import contextlib

import pytest

from lib import kernel, pcapng, walker
from lib.frames import decode
from lib.process import eventually

PORTS = 40000, 40001
COUNT = 60


@pytest.fixture
def ends(veth, two_cpus):
    """A UDP socket on va and one on vb."""
    veth.give_addresses("10.66.0.1", "10.66.0.2")
    with contextlib.ExitStack() as stack:
        stack.enter_context(walker.walking())
        yield [stack.enter_context(one) for one in walker.udp_ends(
            [(veth.a, ("10.66.0.1", PORTS[0])), (veth.b, ("10.66.0.2", PORTS[1]))])]


def walk():
    """The CPUs of the packets: each stays for a while, and not always as long."""
    return [kernel.CPUS[(number * number // 50) % len(kernel.CPUS)] for number in range(COUNT)]


def moves(cpus):
    """The packets, by their place, whose CPU is not that of the one before."""
    return [place for place in range(1, len(cpus)) if cpus[place] != cpus[place - 1]]


def send(ends, cpus):
    for seq, cpu in enumerate(cpus):
        walker.say(*ends, cpu, seq)


def told(installation, path, *fields):
    """The fields of the flow's packets, a list for each."""
    shown = installation.tool("tshark", "-n", "-r", path, "-Y", f"udp.port == {PORTS[1]}", "-T", "fields",
                              *[word for name in fields for word in ("-e", name)])
    return [line.split("\t") for line in shown.splitlines()]


def test_a_flow_moved_in_the_file_where_its_sender_moved_sent_and_received(installation, veth, capture, ends):
    captures = [capture(veth.a, "va", "-d", "tx"), capture(veth.b, "vb", "-d", "rx")]
    cpus = walk()
    send(ends, cpus)
    for running in captures:
        running.stop()
        marks = [decode(packet).mark for packet in pcapng.read(running.output).packets]
        assert [(mark.cpu, mark.seq) for mark in marks] == list(zip(cpus, range(COUNT)))
        rows = told(installation, running.output, "rxtxcpu.cpu", "rxtxcpu.flow.prev_cpu", "rxtxcpu.flow.moved",
                    "rxtxcpu.flow.prev_frame", "rxtxcpu.flow.cpus")
        assert [int(row[0]) for row in rows] == cpus
        assert [row[1] for row in rows] == ["", *map(str, cpus[:-1])]
        assert [place for place, row in enumerate(rows) if row[2]] == moves(cpus)
        assert [int(row[3]) for row in rows if row[3]] == moves(cpus)  # its place is the number of the frame before
        assert [int(row[4]) for row in rows] == [len(set(cpus[:place + 1])) for place in range(COUNT)]
    assert len(moves(cpus)) > 5


def test_both_sides_of_the_pair_in_one_file_are_one_flow_that_moves_on_each_alone(installation, veth, capture, ends):
    captures = [capture(veth.a, "va", "-d", "tx"), capture(veth.b, "vb", "-d", "rx")]
    cpus = walk()
    send(ends, cpus)
    for running in captures:
        running.stop()
    both = installation.home / "both.pcapng"
    installation.tool("mergecap", "-w", both, *[running.output for running in captures])
    rows = told(installation, both, "rxtxcpu.flow", "rxtxcpu.direction", "rxtxcpu.flow.moved")
    assert [row[:2] for row in rows] == [["1", "2"], ["1", "1"]] * COUNT
    for way in (0, 1):
        assert [place for place, row in enumerate(rows[way::2]) if row[2]] == moves(cpus)


def test_a_flow_moves_live_where_its_sender_moves(tshark, stop, ends):
    cpus = walk()

    def shown():
        lines = running.stdout.text.rpartition("\n")[0].splitlines()
        return [row for row in (line.split("\t") for line in lines) if row[0] == str(PORTS[1])]

    fields = ("udp.dstport", "rxtxcpu.cpu", "rxtxcpu.flow.prev_cpu", "rxtxcpu.flow.moved")
    running = tshark("-T", "fields", *[word for name in fields for word in ("-e", name)],
                     live=lambda running: running.stdout.wait_for_line(""))
    send(ends, cpus)
    eventually(lambda: len(shown()) == COUNT, "the packets")
    stop(running)
    assert [int(row[1]) for row in shown()] == cpus
    assert [place for place, row in enumerate(shown()) if row[3]] == moves(cpus)


def test_a_question_and_its_answer_on_two_cpus_are_split_and_have_not_moved(installation, make_namespace, capture,
                                                                             cleanup, two_cpus):
    namespace = make_namespace()
    namespace.ip("link set lo up")
    running = capture(namespace, "lo")
    sockets = walker.udp_ends([(namespace, ("127.0.0.1", port)) for port in PORTS])
    cleanup.enter_context(walker.walking())
    for seq in range(10):
        walker.say(*sockets, two_cpus[0], seq)
        walker.say(*reversed(sockets), two_cpus[1], seq)
    for one in sockets:
        one.close()
    running.stop()
    rows = told(installation, running.output, "rxtxcpu.cpu", "rxtxcpu.direction", "rxtxcpu.flow.moved",
                "rxtxcpu.flow.split")
    there, back = map(str, two_cpus)
    first = [[there, "2", "", ""], [there, "1", "", ""], [back, "2", "", ""], [back, "1", "", "1"]]
    later = [[there, "2", "", ""], [there, "1", "", "1"], [back, "2", "", ""], [back, "1", "", "1"]]
    assert rows == [*first, *later * 9]
