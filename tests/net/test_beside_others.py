"""Beside other captures, and other programs that group packet sockets: nobody takes from the other, and each keeps its
own books."""

import os
import re
import signal

import pytest

from lib import accounting, fanout_groups
from lib.capture import words
from lib.process import Process
from lib.sender import send

BURST, OTHER, AFTER = 41000, 42000, 43000  # ports


def test_of_two_captures_at_once_each_keeps_its_own_books(veth, capture):
    """One stands still and loses, the other loses nothing; a third one's filter lets a part through."""
    slow, quick = (capture(veth.b, "vb", "-d", "rx", "-B", size, "--json") for size in (1, 64))
    picky = capture(veth.b, "vb", "-d", "rx", "-B", 1, "-f", f"not udp port {OTHER}")
    with slow.frozen(), picky.frozen():
        sent = {port: send(veth.a, "va", count=1500, rate=20000, size=1000, udp=port) for port in (BURST, OTHER)}
    for one in (slow, picky):
        one.wait_for_packets(1)
    sent[AFTER] = send(veth.a, "va", count=10, rate=1000, size=1000, udp=AFTER)
    assert set(accounting.check(slow.stop(), sent)) == set(sent[BURST])
    assert set(accounting.check(picky.stop(), sent, filtered=(OTHER,))) == set(sent[BURST])
    assert accounting.check(quick.stop(), sent) == {}


def test_captures_with_one_process_number_in_two_pid_namespaces_do_not_share_a_group(veth, capture):
    """Each is process 1 in its own."""
    launch = lambda *options: ["unshare", "--pid", "--fork", "--kill-child", *words(*options)]  # noqa: E731
    running = [capture(veth.b, "vb", "-d", "rx", launch=launch) for _number in range(2)]
    sent = {BURST: send(veth.a, "va", count=200, rate=10000, udp=BURST)}
    for one in running:
        os.kill(only_child(one.pid), signal.SIGINT)
        assert accounting.check(one.result(), sent) == {}
    assert len({group_of(one) for one in running}) == 2


def only_child(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return int(children.read())


def group_of(running):
    """The id of its fan-out group, which -v tells."""
    return int(re.search(r"^using fanout group id '(\d+)'$", running.stderr.text, re.MULTILINE)[1])


@pytest.mark.parametrize("options", ((), ("--group", "queue")))
def test_groups_of_other_programs_are_left_alone_whatever_their_ids(veth, capture, cleanup, options):
    """The kernel looks for a free id from the last one on: all of the next ones are taken, by groups of every kind."""
    last = capture(veth.b, "vb", output=None)
    first = group_of(last) + 1
    last.stop()
    taken = [(first + number) % 65536 for number in range(25)]
    others = cleanup.enter_context(Process(fanout_groups.holder(veth.b, "vb", taken)))
    others.stdout.wait_for_line("holding")
    running = capture(veth.b, "vb", "-d", "rx", *options, **({"output": None} if options else {}))
    assert group_of(running) not in taken
    sent = {BURST: send(veth.a, "va", count=300, rate=10000, udp=BURST)}
    others.signal(fanout_groups.TELL)
    heard = fanout_groups.heard(others)
    assert heard == dict.fromkeys(taken, sum(sent[BURST].values())), "we have taken from another's group"
    if options:
        assert running.stop().groups()["queue unknown"] == sum(sent[BURST].values())
    else:
        assert accounting.check(running.stop(), sent) == {}
