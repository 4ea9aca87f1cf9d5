"""One file after another in one process, a file again, and packets looked at again and in any order."""

import shutil

import pytest

import sharkd
from capture import START, interface, packet, section, write
from model import FIELDS
from story import A, B, MS, Story, ask_file, tcp, udp

pytestmark = [pytest.mark.skipif(not shutil.which("sharkd"), reason="there is no sharkd"),
              pytest.mark.usefixtures("ten_are_an_alarm")]


def first(user):
    """Moves, a split, a late packet, repeats."""
    story = Story()
    story.packets(udp(A, B), 0, 0, 1)
    story.packet(udp(B, A), 0)
    story.packet(udp(A, B, b"late"), 2, after=-MS)
    story.packet(udp((3, 1), B, b"stuck"), 3, after=2 * MS)
    story.packets(udp((3, 1), B, b"stuck"), *[3] * 11)
    return story.write(user.home, "first.pcapng")


def second(user):
    """The same flow, on other CPUs, on an interface with the same number, and earlier."""
    story = Story()
    story.packet(udp(A, B, b"stuck"), 7, after=-100 * MS)
    story.packet(tcp(A, B, 1000, b"a" * 100), 7)
    story.packet(tcp(A, B, 1200, b"c" * 100), 8)
    story.packet(tcp(A, B, 1100, b"b" * 100), 7)
    return story.write(user.home, "second.pcapng")


def foreign(user):
    return write(user.home / "foreign.pcapng", section(), interface("Ethernet"), packet(0, START), packet(0, START + 1))


def told(user, path):
    """What TShark says of the file, which is the only one that it opens."""
    return [list(row) for row in user.fields(path, *FIELDS)]


def test_nothing_is_left_of_the_file_before(user):
    paths = [first(user), second(user), foreign(user), first(user), first(user), second(user)]
    right = {path: told(user, path) for path in set(paths)}
    server = sharkd.Server(user)
    asked = []
    for path in paths:
        server.load(path)
        asked.append(server.frames())
    results = server.run()
    for path, request in zip(paths, asked, strict=True):
        assert sharkd.rows(results[request]) == right[path], path


def test_packets_say_the_same_whenever_they_are_looked_at(user):
    """Backwards, some of them, through a filter: what was found out when the file was opened stays."""
    path = first(user)
    said = ask_file(user, path)
    server = sharkd.Server(user)
    server.load(path)
    last, some = server.frames(skip=12, limit=3), server.frames(skip=1, limit=2)
    filters = {name: server.frames(f"rxtxcpu.{name}") for name in ("flow.moved", "flow.split", "late", "repeat")}
    everything = server.frames()
    results = server.run()
    assert sharkd.rows(results[last]) == told(user, path)[12:15]
    assert sharkd.rows(results[some]) == told(user, path)[1:3]
    assert sharkd.rows(results[everything]) == told(user, path)
    assert {name: sharkd.numbers(results[request]) for name, request in filters.items()} == {
        name: said.frames(name) for name in filters}


def test_expert_notes_are_the_same_each_time_they_are_asked_for(user):
    server = sharkd.Server(user)
    server.load(first(user))
    before = server.expert()
    server.frames("rxtxcpu.flow.split")
    after = server.expert()
    server.load(second(user))
    other = server.expert()
    results = server.run()
    assert sharkd.notes(results[before]) == sharkd.notes(results[after]) == [
        (3, "Note", "Flow moved from CPU 0 to CPU 1"),
        (4, "Note", "The two directions of the flow are received on different CPUs"),
        (5, "Note", "Late: the packet's time is before that of an earlier packet"),
        (16, "Warning", "The same frame again and again on this CPU: 10 times by now")]
    assert [number for number, _severity, _text in sharkd.notes(results[other])] == [3, 4, 4]


def test_a_preference_counts_from_the_next_file_on(user):
    path = first(user)
    server = sharkd.Server(user)
    server.load(path)
    server.set("rxtxcpu.repeat_alarm", 3)
    before = server.expert()
    server.load(path)
    after = server.expert()
    results = server.run()
    warned = [[number for number, severity, _text in sharkd.notes(results[each]) if severity == "Warning"]
              for each in (before, after)]
    assert warned == [[16], [9]]
