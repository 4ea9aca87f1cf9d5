"""The expert notes: in the table of expert information and in a packet's details, each once where it is due."""

import pytest

import experts
import wire
from capture import RECEIVED, SENT
from story import A, B, MS, Story, ask_file, tcp, udp

pytestmark = pytest.mark.usefixtures("ten_are_an_alarm")

SPLIT = "The two directions of the flow are received on different CPUs"
REORDERED = "Out of order because the flow moved"
LATE = "Late: the packet's time is before that of an earlier packet"


def eventful():
    """Everything happens: moves, a split, a segment that is overtaken, losses, a late packet, a stuck frame."""
    story = Story()
    story.packet(tcp(A, B, 1000, b"a" * 100), 0)                     # 1
    story.packet(tcp(A, B, 1200, b"c" * 100), 1)                     # 2  moved
    story.packet(tcp(A, B, 1100, b"b" * 100), 0, drops=3)            # 3  moved, reordered, losses
    story.packet(tcp(B, A, 1, b"answer"), 1, drops=0)                # 4  split
    story.packet(tcp(A, B, 1300, b"d" * 100), 0)                     # 5  split, no further note
    story.packet(tcp(A, B, 1400, b"e" * 100), 0, after=-MS)          # 6  late
    for _ in range(12):
        story.packet(udp((3, 1), B, b"stuck"), 2, SENT, after=MS)    # 7 to 18; 17 is the warning
    return story


TABLE = {
    ("Notes", "Flow moved from CPU 0 to CPU 1"): 1,
    ("Notes", "Flow moved from CPU 1 to CPU 0"): 1,
    ("Notes", SPLIT): 1,
    ("Notes", REORDERED): 1,
    ("Notes", LATE): 1,
    ("Warns", "3 packets of this stream lost before this one"): 1,
    ("Warns", "The same frame again and again on this CPU: 10 times by now"): 1,
}

FRAMES = {"moved": [2, 3], "split": [4], "reordered_by_move": [3], "drops": [3], "late": [6], "repeat": [17]}


def test_the_story_is_what_it_says(user):
    said = ask_file(user, eventful().write(user.home))
    assert said.frames("flow.moved") == [2, 3]
    assert said.frames("flow.split") == [4, 5]
    assert said.frames("flow.reordered_by_move") == [3]
    assert said.frames("late") == [6]
    assert said.frames("drops") == [3, 4]
    assert said.frames("repeat") == list(range(8, 19))


def test_the_table_of_expert_information_has_each_note_once(user):
    path = eventful().write(user.home)
    assert experts.in_the_table(user, path) == TABLE
    assert experts.in_the_table(user, path, "-2") == TABLE


def test_the_details_have_each_note_once(user):
    path = eventful().write(user.home)
    assert sorted(experts.in_the_details(user, path)) == sorted(
        (severity[:-1].replace("Warn", "Warning"), "Sequence", text) for severity, text in TABLE)


def test_each_note_can_be_filtered_by_its_name(user):
    path = eventful().write(user.home)
    names = [f"rxtxcpu.expert.{name}" for name in FRAMES]
    rows = user.fields(path, *names)
    assert {name: [number for number, row in enumerate(rows, 1) if row[index]]
            for index, name in enumerate(FRAMES)} == FRAMES


def listed(user, path, *args):
    """The numbers of the packets in TShark's list. Where it shows fields or details it makes all notes anyway."""
    return [int(line.split()[0]) for line in user.run("tshark", "-r", path, *args).splitlines()]


def test_a_filter_for_any_note_finds_ours(user):
    path = eventful().write(user.home)
    for args in ((), ("-2",)):
        assert listed(user, path, *args, "-Y", '_ws.expert.message contains "moved from"') == [2, 3]
        found = listed(user, path, *args, "-Y", "_ws.expert")
        assert set(FRAMES["late"] + FRAMES["repeat"] + FRAMES["split"]) <= set(found)


def test_a_move_is_a_note_each_time_and_a_split_once_a_flow(user):
    story = Story()
    for source in ((3, 1), (4, 1)):
        for _ in range(3):
            story.packet(udp(source, B), 0)
            story.packet(udp(B, source), 1)
            story.packet(udp(source, B), 2, RECEIVED)
    path = story.write(user.home)
    assert experts.in_the_table(user, path) == {
        ("Notes", SPLIT): 2, ("Notes", "Flow moved from CPU 0 to CPU 2"): 6,
        ("Notes", "Flow moved from CPU 2 to CPU 0"): 4}
    assert user.frames(path, "rxtxcpu.expert.split") == [2, 11]


def test_the_first_note_of_a_split_stays_where_it_is_when_a_filter_hides_packets(user):
    """What a filter hides was seen all the same."""
    story = Story()
    for source, target, cpu in ((A, B, 0), (B, A, 1), (A, B, 0), (B, A, 1)):
        story.packet(udp(source, target), cpu)
    path = story.write(user.home)
    assert user.frames(path, "rxtxcpu.expert.split && rxtxcpu.cpu == 0") == []
    assert user.frames(path, "rxtxcpu.flow.split && rxtxcpu.cpu == 0") == [3]


def test_a_quiet_capture_has_no_note_of_ours(user):
    story = Story()
    for _ in range(5):
        story.packet(tcp(A, B, flags=wire.ACK), 0, drops=0)
        story.packet(tcp(B, A, flags=wire.ACK), 0, SENT)
    path = story.write(user.home)
    assert experts.in_the_table(user, path) == {}
    assert experts.in_the_details(user, path) == []


def test_the_line_of_a_packet_says_what_happened_to_it(user):
    path = eventful().write(user.home)
    lines = [line for line in user.run("tshark", "-V", "-r", path).splitlines() if line.startswith("[Per-CPU")]
    assert lines[:8] == [
        "[Per-CPU capture: CPU 0, received]",
        "[Per-CPU capture: CPU 1, received, flow moved from CPU 0]",
        "[Per-CPU capture: CPU 0, received, flow moved from CPU 1]",
        "[Per-CPU capture: CPU 1, received, flow split]",
        "[Per-CPU capture: CPU 0, received, flow split]",
        "[Per-CPU capture: CPU 0, received, late]",
        "[Per-CPU capture: CPU 2, sent]",
        "[Per-CPU capture: CPU 2, sent, repeat 1]"]
