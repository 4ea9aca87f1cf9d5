"""What the fields say of files that Wireshark's tools have cut, put together or put in order, and of others."""

import subprocess

import pytest

from capture import RECEIVED, START, interface, packet, section, write
from model import FIELDS
from story import A, B, MS, US, Story, ask_file, tcp, udp


def tool(user, *words):
    """A tool that may tell what it did."""
    user.own()
    subprocess.run(user.words(*words), cwd=user.home, env=user.environment, capture_output=True, timeout=60, check=True)


def moving(**how):
    """A flow that moves with its third packet, and back with its fifth."""
    story = Story()
    for payload, cpu in enumerate([0, 0, 1, 1, 0]):
        story.packet(udp(A, B, bytes([payload])), cpu, **how)
    return story


@pytest.mark.usefixtures("ten_are_an_alarm")
def test_two_passes_say_the_same_as_one(user):
    story = moving()
    story.packet(udp(B, A), 1)
    story.packet(udp(A, B, b"late"), 2, after=-MS, drops=4, comment="cpu=3 hash=0xd22cfd90")
    story.packet(udp((3, 1), B, b"stuck"), 2, after=2 * MS)
    story.packets(udp((3, 1), B, b"stuck"), *[2] * 11)
    story.packet(tcp(A, B, 1000, b"a" * 100), 0)
    story.packet(tcp(A, B, 1200, b"c" * 100), 1)
    story.packet(tcp(A, B, 1100, b"b" * 100), 0)
    path = story.write(user.home)
    fields = [*FIELDS, *[f"rxtxcpu.expert.{name}" for name in (
        "moved", "split", "reordered_by_move", "repeat", "drops", "late")]]
    one = user.fields(path, *fields)
    assert one == user.fields(path, *fields, args=("-2",))
    assert all(any(row[index] for row in one) for index, name in enumerate(fields) if name not in (
        "rxtxcpu.host", "rxtxcpu.queue", "rxtxcpu.node"))


def test_what_a_read_filter_hides_leaves_nothing_on_the_packet_behind_it(user):
    """Wireshark gives the number of a hidden packet to the next one."""
    story = Story()
    story.packets(udp((3, 1), B), 0, 0, 1, 1)
    story.packet(udp(A, B), 5)
    path = story.write(user.home)
    shown = ask_file(user, path, "-2", "-R", "ip.src == 192.0.2.1")
    assert shown.rows("flow", "flow.prev_cpu", "flow.moved", "flow.prev_frame", "repeat") == [["2", "", "", "", ""]]


# --- cut -------------------------------------------------------------------------------------------------------------

def test_of_packets_that_were_cut_out_of_a_file_those_that_are_left_are_compared(user):
    tool(user, "editcap", "-r", moving().write(user.home), user.home / "part.pcapng", "2", "4-5")
    assert ask_file(user, user.home / "part.pcapng").rows("flow.prev_cpu", "flow.moved", "flow.prev_frame") == [
        ["", "", ""], ["0", "1", "1"], ["1", "1", "2"]]


def test_a_file_without_duplicates_has_no_repeat_and_the_same_moves(user):
    story = Story()
    story.packets(udp(), 0, 0, 0, 1)
    story.packets(udp(payload=b"b"), 0, 0)
    path = story.write(user.home)
    assert ask_file(user, path).rows("repeat", "flow.moved") == [["", ""], ["1", ""], ["2", ""], ["", "1"], ["", "1"],
                                                                 ["1", ""]]
    tool(user, "editcap", "-d", path, user.home / "single.pcapng")
    assert ask_file(user, user.home / "single.pcapng").rows("repeat", "flow.moved") == [["", ""], ["", ""]]


def test_cut_packets_keep_flows_and_order(user):
    story = Story()
    for cpu, seq in ((0, 1000), (1, 1200), (0, 1100)):
        story.packet(tcp(seq=seq, payload=b"x" * 100), cpu)
    tool(user, "editcap", "-s", "64", story.write(user.home), user.home / "short.pcapng")
    assert ask_file(user, user.home / "short.pcapng").frames("flow.reordered_by_move") == [3]


# --- put together ----------------------------------------------------------------------------------------------------

def merged(user, *stories, interfaces="none"):
    """interfaces: which ones mergecap may take for one; by default, where all are the same in each file."""
    files = [story.write(user.home, f"{number}.pcapng") for number, story in enumerate(stories)]
    tool(user, "mergecap", "-I", interfaces, "-w", user.home / "merged.pcapng", *files)
    return ask_file(user, user.home / "merged.pcapng")


def told_on(cpu, times, begin, way=RECEIVED, **how):
    """Packets of one flow on one CPU, so many ns apart from another story's."""
    story = Story()
    story.packet(udp(A, B, b"0"), cpu, way, after=begin, **how)
    for number in range(1, times):
        story.packet(udp(A, B, bytes([48 + number])), cpu, way, after=2 * US, **how)
    return story


def test_two_hosts_with_the_same_descriptions_are_not_compared(user):
    """Each with eth0 and CPUs 0 and 1: mergecap keeps the interfaces of both apart, and so are the flows."""
    hosts = []
    for begin, cpus in ((0, (0, 1)), (US, (1, 0))):
        story = Story()
        story.packet(udp(A, B, b"0"), cpus[0], after=begin)
        story.packet(udp(A, B, b"1"), cpus[0], after=2 * US)
        story.packet(udp(A, B, b"2"), cpus[1], after=2 * US)
        story.packet(udp(A, B, b"3"), cpus[1], after=2 * US)
        hosts.append(story)
    said = merged(user, *hosts)
    assert said.column("flow") == ["1", "2"] * 4
    assert said.column("cpu") == ["0", "1"] * 2 + ["1", "0"] * 2
    assert said.frames("flow.moved") == [5, 6]
    assert said.column("flow.prev_frame")[4:6] == ["3", "4"]
    assert said.frames("repeat") == [] and said.frames("flow.split") == []


def test_two_hosts_with_names_are_not_compared(user):
    said = merged(user, told_on(0, 3, 0, host="web1"), told_on(1, 3, US, host="web2"))
    assert said.column("flow") == ["1", "2"] * 3
    assert said.frames("flow.moved") == []


def test_two_captures_of_one_host_one_after_another_are_two(user):
    """As two machines are: nobody can know from the files that it is the same one."""
    said = merged(user, told_on(0, 3, 0), told_on(0, 3, 10 * MS))
    assert said.column("flow") == ["1"] * 3 + ["2"] * 3
    assert said.frames("flow.moved") == [] and said.frames("repeat") == []


def test_two_captures_that_mergecap_makes_one_are_one(user):
    """Where all interfaces are alike it writes them once: for one host that is right, and two should have had names."""
    said = merged(user, told_on(0, 3, 0), told_on(0, 3, 10 * MS), interfaces="all")
    assert said.column("flow") == ["1"] * 6
    assert said.column("flow.prev_cpu") == [""] + ["0"] * 5


def test_a_comment_that_names_the_kernel_keeps_two_hosts_apart_as_mergecap_is_by_itself(user):
    """As the program writes it into the first interface: nothing else tells these two captures apart."""
    for number, (boot, cpu) in enumerate((("one", 0), ("other", 1))):
        write(user.home / f"{number}.pcapng", section(), interface("eth0 CPU 0 (rxtxcpu)", comment=f"boot {boot}"),
              interface("eth0 CPU 1 (rxtxcpu)"),
              *[packet(cpu, START + (2 * time + number) * US, RECEIVED, data=udp(A, B)) for time in range(3)])
    tool(user, "mergecap", "-w", user.home / "merged.pcapng", user.home / "0.pcapng", user.home / "1.pcapng")
    said = ask_file(user, user.home / "merged.pcapng")
    assert said.column("cpu") == ["0", "1"] * 3 and said.column("flow") == ["1", "2"] * 3
    assert said.frames("flow.moved") == []


def test_two_devices_of_one_host_in_files_of_their_own_are_one_capture(user):
    said = merged(user, told_on(0, 3, 0, device="eth0"), told_on(1, 3, US, way=2, device="eth1"))
    assert said.column("flow") == ["1"] * 6
    assert said.frames("flow.moved") == []


def test_of_three_hosts_each_is_one(user):
    said = merged(user, *[told_on(0, 2, number * 100) for number in range(3)])
    assert said.column("flow") == ["1", "2", "3"] * 2


def test_a_capture_of_another_program_between_two_of_ours_changes_nothing(user):
    stranger = Story()
    stranger.packets(udp(), *[0] * 3, stream="Ethernet")
    said = merged(user, moving(), stranger)
    assert [flow for flow in said.column("flow") if flow] == ["1"] * 5
    assert [cpu for cpu in said.column("flow.prev_cpu") if cpu] == ["0", "0", "1", "1"]


def test_late_packets_put_in_order_are_compared_in_that_order(user):
    story = Story()
    for number, (cpu, after) in enumerate([(0, 10 * MS), (0, 10 * MS), (1, -5 * MS), (0, 10 * MS)]):
        story.packet(udp(A, B, bytes([number])), cpu, after=after)
    path = story.write(user.home)
    assert ask_file(user, path).frames("flow.moved") == []
    tool(user, "reordercap", path, user.home / "ordered.pcapng")
    said = ask_file(user, user.home / "ordered.pcapng")
    assert said.frames("late") == []
    assert said.rows("cpu", "flow.moved", "flow.prev_frame") == [["0", "", ""], ["1", "1", "1"], ["0", "1", "2"],
                                                                 ["0", "", ""]]


# --- of strangers ----------------------------------------------------------------------------------------------------

STRANGERS = ["CPU 3", "eth0", "eth0 CPU 3", "eth0 CPU 3 (tcpdump)", "eth0 (rxtxcpu)", "Intel(R) CPU 3 (rxtxcpu) ",
             "eth0: CPU 3 (rxtxcpu)", "eth0 cpu", "rxtxcpu", "eth0 CPU three (rxtxcpu)", "eth1 CPU 3 (rxtxcpu)"]


def test_look_alikes_have_no_cpu_no_flow_and_no_note(user):
    packets = [packet(number, START + number * US, RECEIVED, queue=1, drops=2, comment=comment)
               for comment in (None, "this was on cpu=3", "cpu=3, queue=1") for number in range(len(STRANGERS))]
    path = write(user.home / "strangers.pcapng", section(), *map(interface, STRANGERS), *packets)
    assert user.frames(path, "rxtxcpu || rxtxcpu.flow || rxtxcpu.cpu || rxtxcpu.drops || rxtxcpu.repeat") == []
    assert "rxtxcpu" not in user.run("tshark", "-q", "-r", path, "-z", "expert")
