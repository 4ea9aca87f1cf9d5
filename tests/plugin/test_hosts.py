"""Several hosts in one capture: whose packet it is, and that none is compared with, or counted for, another host's.

The interfaces of the hosts stand in the file as their first packets came, so they are mixed, as in a capture that one
program made of several hosts.
"""

import pytest

import experts
import tables
from capture import RECEIVED, SENT, START, block, interface, on_cpus, option, packet, section, write
from story import A, B, MS, US, Story, ask_file, tcp, udp

LONG = "server-with-a-long-name.example.org"


def described(user, description, *packets, name="eth0"):
    return write(user.home / "one.pcapng", section(), interface(description, name=name), *(packets or [packet()]))


# --- the field --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("host", "device"), [
    ("web1", "eth0"), ("fe80::1", "eth0"), ("web1", "eth0:1"), ("fe80::1", "eth0:1"), ("::", "eth0"),
    ("db-3.example.org", "eth0"), ("eth0", "eth0"), ("user@192.0.2.1", "wlp3s0"), ("münchen", "eth0"),
    ('a"b', "eth0"),
])
def test_the_host_is_what_stands_before_the_name_of_the_device(either, host, device):
    for stream in ("CPU 3", "queue unknown", "node 1", "lane 7"):
        path = described(either, f"{host}:{device} {stream} (rxtxcpu)", name=device)
        assert either.field(path, "rxtxcpu.host") == [host]


@pytest.mark.parametrize(("description", "name"), [
    ("eth0 CPU 3 (rxtxcpu)", "eth0"),
    ("eth0:1 CPU 3 (rxtxcpu)", "eth0:1"),
    ("web1:eth0 CPU 3 (rxtxcpu)", None),         # nobody says which part is the device
    ("web1:eth0 CPU 3 (rxtxcpu)", "eth1"),
    ("web1:eth0 CPU 03 (rxtxcpu)", "eth0"),
    (":eth0 CPU 3 (rxtxcpu)", "eth0"),
    ("web1:eth0", "eth0"),
])
def test_a_host_that_is_not_known_is_absent(either, description, name):
    path = described(either, description, packet(comment="cpu=3"), name=name)
    assert either.frames(path, "rxtxcpu.host") == []
    assert either.field(path, "rxtxcpu.cpu") == ["3"]


def test_a_comment_that_names_a_cpu_takes_no_host_away(either):
    path = described(either, "web1:eth0 queue 2 (rxtxcpu)", packet(comment="cpu=3"))
    assert either.fields(path, "rxtxcpu.host", "rxtxcpu.cpu") == [["web1", "3"]]


def test_the_packets_of_a_host_are_found_by_its_name(either):
    path = flow_on_two_hosts().write(either.home)
    assert either.frames(path, 'rxtxcpu.host == "web1"') == [1, 3, 5, 7]
    assert either.frames(path, 'rxtxcpu.host == "fe80::1" && rxtxcpu.flow.prev_cpu == 1') == [6, 8]
    assert either.frames(path, 'rxtxcpu.host contains "fe80"') == [2, 4, 6, 8]
    assert either.frames(path, "!rxtxcpu.host") == []


def test_the_summary_begins_with_the_host(either):
    def summary(description):
        text = either.run("tshark", "-V", "-r", described(either, description, packet(direction=RECEIVED)))
        return [line for line in text.splitlines() if "Per-CPU" in line or "Host:" in line]

    assert summary("web1:eth0 CPU 3 (rxtxcpu)") == ["[Per-CPU capture: web1 CPU 3, received]", "    [Host: web1]"]
    assert summary("web1:eth0 queue unknown (rxtxcpu)")[0] == "[Per-CPU capture: web1 queue unknown, received]"
    assert summary("web1:eth0 lane 7 (rxtxcpu)")[0] == "[Per-CPU capture: web1, received]"


def test_a_host_whose_name_is_no_text_is_shown_and_told_from_another(user):
    """Bytes that are no UTF-8. The Lua file shows them as Wireshark does with the description."""
    options = [[option(2, b"eth0"), option(3, host + b":eth0 CPU 3 (rxtxcpu)")] for host in (b"w\xff", b"w\xfe")]
    path = write(user.home / "bytes.pcapng", section(), *[block(1, bytes([1]) + bytes(7), each) for each in options],
                 packet(0), packet(1), packet(0))
    assert user.fields(path, "rxtxcpu.host", "rxtxcpu.flow") == [["w�", "1"], ["w�", "2"], ["w�", "1"]]


# --- nothing is compared across hosts ---------------------------------------------------------------------------------

def flow_on_two_hosts():
    """The same frames of a flow on both hosts, both directions: on CPU 0 of web1, on CPU 1 of the other."""
    story = Story()
    for _ in range(2):
        for ends in ((A, B), (B, A)):
            story.packet(udp(*ends), 0, host="web1")
            story.packet(udp(*ends), 1, host="fe80::1")
    return story


def test_a_flow_on_other_cpus_of_another_host_has_not_moved(either):
    path = flow_on_two_hosts().write(either.home)
    assert either.frames(path, "rxtxcpu.flow.moved || rxtxcpu.late") == []
    assert either.fields(path, "rxtxcpu.flow", "rxtxcpu.flow.prev_cpu") == [
        ["1", ""], ["2", ""], ["1", ""], ["2", ""], ["1", "0"], ["2", "1"], ["1", "0"], ["2", "1"]]


def test_it_is_neither_split_nor_seen_on_more_cpus_nor_sent_again(user):
    said = ask_file(user, flow_on_two_hosts().write(user.home))
    assert said.frames("flow.split") == []
    assert said.column("flow.cpus") == ["1"] * 8
    assert said.rows("repeat", "repeat.of") == [["", ""]] * 4 + [["1", "1"], ["1", "2"], ["1", "3"], ["1", "4"]]


def test_the_other_direction_on_another_host_is_no_split(user):
    story = Story()
    story.packet(udp(A, B), 0, host="web1")
    story.packet(udp(B, A), 1, host="web2")
    assert ask_file(user, story.write(user.home)).frames("flow.split") == []


def test_a_copy_on_another_host_is_no_repeat(user):
    """A frame that a switch floods comes to all, on the CPU of the same number."""
    story = Story()
    for host in ("web1", "web2", "web3"):
        story.packet(udp(), 0, host=host)
    assert ask_file(user, story.write(user.home)).frames("repeat") == []


def test_a_segment_that_another_host_has_first_is_not_reordered(user):
    story = Story()
    for host, cpu, seq in (("web1", 0, 1200), ("web2", 1, 1100), ("web1", 1, 1100), ("web2", 0, 1200)):
        story.packet(tcp(A, B, seq, b"x" * 100), cpu, host=host)
    assert ask_file(user, story.write(user.home)).frames("flow.reordered_by_move") == [3]


def test_what_moves_on_one_host_has_moved_there_only(user):
    story = Story()
    for cpu in (0, 0, 2, 2, 0):
        story.packet(udp(), cpu, host="web1")
        story.packet(udp(), 1, host="web2")
    said = ask_file(user, story.write(user.home))
    assert said.frames("flow.moved") == [5, 9]
    assert [said.column("flow.prev_frame")[frame - 1] for frame in (5, 9)] == ["3", "7"]


def test_a_host_with_a_name_is_another_than_those_without(either):
    story = Story()
    for cpu, host in ((0, ""), (1, "web1"), (0, ""), (1, "web1")):
        story.packet(udp(), cpu, host=host)
    path = story.write(either.home)
    assert either.fields(path, "rxtxcpu.host", "rxtxcpu.flow", "rxtxcpu.flow.prev_cpu") == [
        ["", "1", ""], ["web1", "2", ""], ["", "1", "0"], ["web1", "2", "1"]]


def repeated_interface(user, *hosts):
    """An interface of hosts[0] that comes again, as when its device was made anew, before another one of hosts[1]."""
    interfaces = [interface(f"{host}:eth0 CPU {cpu} (rxtxcpu)") for host, cpu in (
        (hosts[0], 0), (hosts[1], 0), (hosts[0], 0), (hosts[1], 1))]
    return write(user.home / "again.pcapng", section(), *interfaces,
                 *[packet(number, START + time, RECEIVED) for time, number in enumerate((0, 1, 2, 3, 0))])


def test_an_interface_that_comes_again_begins_no_new_capture_of_other_hosts(either):
    path = repeated_interface(either, "web1", "web2")
    assert either.fields(path, "rxtxcpu.flow", "rxtxcpu.flow.prev_cpu") == [
        ["1", ""], ["2", ""], ["3", ""], ["2", "0"], ["1", "0"]]
    assert either.frames(path, "rxtxcpu.flow.moved") == [4]


def test_of_the_same_host_it_does(either):
    path = repeated_interface(either, "web1", "web1")
    assert len(set(either.field(path, "rxtxcpu.flow"))) > 1


# --- lateness is the file's -------------------------------------------------------------------------------------------

def test_hosts_whose_clocks_differ_are_not_late_in_a_file_in_order_of_time(either):
    """What counts is the order of the file, and a merge by time leaves none out of order, whatever the clocks say."""
    hosts = [(START + skew + number * MS, index) for index, skew in enumerate((0, 400 * MS)) for number in range(800)]
    path = write(either.home / "merged.pcapng", section(), *[
        interface(f"web{index}:eth0 CPU 0 (rxtxcpu)") for index in (0, 1)],
        *[packet(index, time, RECEIVED) for time, index in sorted(hosts)])
    assert either.frames(path, "rxtxcpu.late") == []


def test_a_packet_behind_one_of_another_host_is_late(either):
    story = Story()
    story.packet(udp(), 0, host="web1", after=MS)
    story.packet(udp(), 0, host="web2", after=-US)
    assert either.frames(story.write(either.home), "rxtxcpu.late") == [2]


# --- notes ------------------------------------------------------------------------------------------------------------

@pytest.mark.usefixtures("ten_are_an_alarm")
def test_a_note_begins_with_the_host(user):
    story = Story()
    for host in ("web1", "web2"):
        story.packet(tcp(A, B, 1000, b"a" * 100), 0, host=host)
        story.packet(tcp(A, B, 1200, b"c" * 100), 1, host=host)
        story.packet(tcp(A, B, 1100, b"b" * 100), 0, host=host, drops=3)
        story.packet(tcp(B, A, 1, b"answer"), 1, host=host)
        story.packet(udp(A, B), 1, host=host, after=-US)
        story.packets(udp((3, 1), B, b"stuck"), *[2] * 12, host=host, way=SENT)
    path = story.write(user.home)
    sentences = [("Notes", "Flow moved from CPU 0 to CPU 1"), ("Notes", "Flow moved from CPU 1 to CPU 0"),
                 ("Notes", "The two directions of the flow are received on different CPUs"),
                 ("Notes", "Out of order because the flow moved"),
                 ("Notes", "Late: the packet's time is before that of an earlier packet"),
                 ("Warns", "3 packets of this stream lost before this one"),
                 ("Warns", "The same frame again and again on this CPU: 10 times by now")]
    assert experts.in_the_table(user, path) == {
        (severity, f"{host}: {sentence}"): 1 for host in ("web1", "web2") for severity, sentence in sentences}
    assert len(experts.in_the_details(user, path)) == 14


# --- statistics -------------------------------------------------------------------------------------------------------

STAT, FLOWS, SYMMETRY = "rxtxcpu,stat", "rxtxcpu,flows", "rxtxcpu,symmetry"


def ask(user, path, *which):
    return user.run("tshark", "-q", "-r", path, *[word for one in which for word in ("-z", one)])


def rows(statistic, table, *columns):
    """Cells by the titles of their columns, of which the spaces that put them in line are left out."""
    places = [statistic.columns.index(column) for column in columns]
    return [[" ".join(row[place].split()) for place in places] for row in statistic.tables[table]]


def busy_hosts():
    """CPU 0 of three hosts, of which one has no name: moves, losses and an unknown CPU, different on each."""
    story = Story()
    for host, cpus in ((LONG, (0, 3, 0)), ("web1", (0, 0, 10)), ("", (0, "unknown"))):
        for cpu in cpus:
            story.packet(udp(A, B, host.encode()), cpu, host=host, drops=len(host) if cpu == 0 else None)
    story.packet(udp(A, B), host="web1", stream="queue 2", drops=5)
    return story


def test_cpus_of_the_same_number_on_two_hosts_have_a_row_each(user):
    found = tables.statistics(ask(user, busy_hosts().write(user.home), STAT))["Packets per CPU"]
    assert rows(found, "CPUs", "CPU", "Packets", "Flows", "Moves in", "Moves out", "Lost") == [
        ["CPU 0", "1", "1", "0", "0", "0"],
        ["CPU unknown", "1", "1", "0", "0", "0"],
        [f"{LONG} CPU 0", "2", "1", "1", "1", str(2 * len(LONG))],
        [f"{LONG} CPU 3", "1", "1", "1", "1", "0"],
        ["web1 CPU 0", "2", "1", "0", "1", "8"],
        ["web1 CPU 10", "1", "1", "1", "0", "0"],
        ["web1 CPU unknown", "1", "1", "0", "0", "5"],
    ]
    assert rows(found, "Together", "CPU", "Packets", "Flows", "Moves in") == [["all", "9", "3", "3"]]


def test_the_columns_of_several_hosts_stand_in_line(user):
    text = ask(user, busy_hosts().write(user.home), STAT, FLOWS)
    for part in text.split("=\n")[1:]:
        assert len({line.index("|") for line in part.splitlines() if "|" in line}) <= 1
    assert text.count(f"{LONG} CPU       0 |") == 2


def test_each_host_has_its_own_largest_flows(user):
    story = Story()
    for host, large in (("web1", 1), ("web2", 2)):
        for source in (1, 2):
            story.packet(udp((source, 40), B, b"x" * (500 if source == large else 50)), 0, host=host)
    found = tables.statistics(ask(user, story.write(user.home), f"{FLOWS},1"))["Flows per CPU"]
    assert rows(found, "The largest flows of each CPU", "CPU", "Flow", "Between") == [
        ["web1 CPU 0", "1", "UDP 192.0.2.1:40 <-> 192.0.2.2:80"],
        ["web2 CPU 0", "4", "UDP 192.0.2.2:40 <-> 192.0.2.2:80"]]


def test_a_flow_that_is_apart_on_one_host_is_told_with_the_host(user):
    story = Story()
    for host, back in (("web1", 0), ("web2", 2), ("", 3)):
        story.packet(udp(A, B), 0, host=host)
        story.packet(udp(B, A), back, host=host)
    found = tables.statistics(ask(user, story.write(user.home), SYMMETRY))["Symmetry of flows"]
    assert rows(found, "Flows with both directions", "Flows", "On one CPU", "Apart")[0] == ["3", "1", "2"]
    assert rows(found, "Those that are not on one CPU", "Between", "There", "Back") == [
        ["web2: UDP 192.0.2.1:40000 <-> 192.0.2.2:80", "CPU 0 (1)", "CPU 2 (1)"],
        ["UDP 192.0.2.1:40000 <-> 192.0.2.2:80", "CPU 0 (1)", "CPU 3 (1)"]]


def one_host(user, host):
    story = Story()
    for ends in ((A, B), (B, A)):
        story.packets(udp(*ends), 0, 3, 3, 10, host=host)
    return story.write(user.home, f"{host or 'none'}.pcapng")


def test_with_one_host_nothing_is_said_of_it(user):
    """Whether it has a name or not; also of one that a filter leaves over."""
    right = ask(user, one_host(user, ""), STAT, FLOWS, SYMMETRY)
    assert "CPUs" in right and "192.0.2.1" in right
    assert ask(user, one_host(user, "web1"), STAT, FLOWS, SYMMETRY) == right
    of_one = ask(user, busy_hosts().write(user.home), f'{STAT},rxtxcpu.host == "web1"')
    assert rows(tables.statistics(of_one)["Packets per CPU"], "CPUs", "CPU", "Packets") == [
        ["0", "2"], ["10", "1"], ["unknown", "1"]]


def test_the_tree_has_a_node_for_each_cpu_of_each_host(user):
    order = ("-o", "statistics.st_sort_defcolflag:Node name (topic/item)",
             "-o", "statistics.st_sort_defdescending:FALSE")
    text = user.run("tshark", "-q", "-r", busy_hosts().write(user.home), *order, "-z", "rxtxcpu,tree")
    assert [(name, count) for level, name, count, _share in tables.tree(text) if level == 1] == [
        ("CPU 0", 1), ("CPU unknown", 1), (f"{LONG} CPU 0", 2), (f"{LONG} CPU 3", 1), ("web1 CPU 0", 2),
        ("web1 CPU 10", 1), ("web1 CPU unknown", 1)]


def test_captures_without_names_are_one_host_to_the_statistics(user):
    """Which of two hosts without a name a packet is of is not known."""
    again = on_cpus(user.home / "cpus.pcapng", 0, 3)
    user.run("mergecap", "-I", "none", "-w", user.home / "merged.pcapng", again, again)
    found = tables.statistics(ask(user, user.home / "merged.pcapng", STAT))["Packets per CPU"]
    assert rows(found, "CPUs", "CPU", "Packets") == [["0", "2"], ["3", "2"]]
