"""The main job: the real tshark captures on rxtxcpu-vb and filters by the CPU."""

import re

import pytest

from lib import contract, kernel, pcapng
from lib.frames import decode
from lib.process import eventually
from lib.sender import send
from lib.wireshark import Installation

PORT = 40000
FIELDS = ["-T", "fields", "-E", "separator=|", *(word for name in (
    "rxtxcpu.cpu", "rxtxcpu.direction", "udp.dstport", "udp.payload", "frame.time_epoch", "frame.interface_name",
    "frame.interface_description") for word in ("-e", name))]


class Row:
    """What tshark shows of one packet."""

    def __init__(self, line):
        cpu, self.direction, port, payload, time, self.interface, self.description = line.split("|")
        self.cpu, self.port, self.time = int(cpu), int(port), float(time)
        mark = bytes.fromhex(payload.replace(":", ""))
        self.sender, self.seq = int.from_bytes(mark[4:8], "big"), int.from_bytes(mark[8:16], "big")


def rows(running):
    """The whole lines up to now, without the probes'."""
    lines = running.stdout.text.rpartition("\n")[0].splitlines()
    return [row for row in map(Row, lines) if row.port == PORT]


def a_line(running):
    running.stdout.wait_for_line("")


def wait_for_rows(running, count):
    eventually(lambda: len(rows(running)) >= count, f"{count} packets in tshark's output")


@pytest.mark.parametrize("cpu", kernel.CPUS[:2])
def test_a_display_filter_shows_the_packets_of_one_cpu_live(veth, tshark, stop, cpu):
    running = tshark("-Y", f"rxtxcpu.cpu == {cpu}", *FIELDS, probe_from=[cpu], live=a_line)
    sent = send(veth.a, "va", count=100, rate=2000, udp=PORT)
    wait_for_rows(running, sent[cpu])
    stop(running)
    assert [(row.cpu, row.sender, row.seq) for row in rows(running)] == [(cpu, cpu, seq) for seq in range(sent[cpu])]


def test_without_a_filter_all_packets_come_in_the_order_of_time_each_with_its_cpu(veth, tshark, stop):
    running = tshark(*FIELDS, live=a_line)
    sent = send(veth.a, "va", count=200, rate=2000, udp=PORT)
    wait_for_rows(running, sum(sent.values()))
    stop(running)
    shown = rows(running)
    assert sorted((row.cpu, row.seq) for row in shown) == [(cpu, seq) for cpu in sorted(sent) for seq in range(200)]
    assert all(row.cpu == row.sender and row.interface == "vb" for row in shown)
    assert all(row.description == f"vb CPU {row.cpu} (rxtxcpu)" for row in shown)
    assert [row.time for row in shown] == sorted(row.time for row in shown)


def test_the_direction_is_a_field(veth, tshark, stop):
    running = tshark(*FIELDS, live=a_line)
    send(veth.a, "va", kernel.CPUS[:1], count=10, udp=PORT)
    wait_for_rows(running, 10)
    received = {row.direction for row in rows(running)}
    send(veth.b, "vb", kernel.CPUS[:1], count=10, udp=PORT)
    wait_for_rows(running, 20)
    stop(running)
    both = {row.direction for row in rows(running)}
    assert len(received) == 1 and len(both) == 2


def test_the_interfaces_are_listed_with_what_they_are(installation, veth):
    listed = installation.run(veth.b, "tshark", "-D")
    assert listed.status == 0, listed.stderr
    assert re.search(r"^\d+\. rxtxcpu-vb \(Per-CPU capture: vb\)$", listed.stdout, re.MULTILINE), listed.stdout


def test_the_link_types_are_listed(installation, veth):
    listed = installation.run(veth.b, "tshark", "-L", "-i", "rxtxcpu-vb")
    assert listed.status == 0 and "EN10MB" in listed.stdout + listed.stderr, listed.stderr


def test_a_capture_filter_is_obeyed(veth, tshark, stop):
    running = tshark(*FIELDS, "-f", f"udp dst port {PORT} or udp dst port 39999", live=a_line)
    send(veth.a, "va", kernel.CPUS[:1], count=5, udp=41000)
    send(veth.a, "va", kernel.CPUS[:1], count=5, udp=PORT)
    wait_for_rows(running, 5)
    stop(running)
    assert {int(line.split("|")[2]) for line in running.stdout.lines} == {PORT, 39999}


def test_a_count_of_ours_ends_the_capture_and_keeps_the_statistics(installation, veth, tshark):
    path = installation.home / "capture.pcapng"
    running = tshark("-o", "extcap.rxtxcpu_vb.count:50", "-w", path,
                     live=lambda running: eventually(lambda: len(on_disk(path)) > 1, "packets in the file"))
    send(veth.a, "va", count=100, udp=PORT)
    assert running.wait() == 0, running.stderr.text
    capture = contract.read(path, exact_stop=True)
    assert len(capture.packets) == 50
    for packet in capture.packets:
        assert contract.cpu_of(packet) == decode(packet).mark.cpu


def on_disk(path):
    return pcapng.split(path.read_bytes())[0] if path.exists() else []


def test_the_choice_of_cpus_reaches_the_capture(veth, tshark, stop, two_cpus):
    chosen = two_cpus[1]
    running = tshark("-o", f"extcap.rxtxcpu_vb.cpulist:{chosen}", *FIELDS, probe_from=[chosen], live=a_line)
    sent = send(veth.a, "va", two_cpus, count=50, udp=PORT)
    wait_for_rows(running, sent[chosen])
    stop(running)
    assert {row.cpu for row in rows(running)} == {chosen}


def test_a_capture_by_queue_has_the_queue_of_each_packet_and_no_cpu(veth, tshark, stop):
    """What vb sends has its queue, what it receives none that is known."""
    running = tshark("-o", "extcap.rxtxcpu_vb.group:queue", "-T", "fields", "-e", "rxtxcpu.direction", "-e",
                     "rxtxcpu.queue", "-e", "rxtxcpu.cpu", live=a_line)
    received = len(running.stdout.lines)
    sent = send(veth.b, "vb", kernel.CPUS[:1], count=5, udp=PORT)
    eventually(lambda: len(running.stdout.lines) >= received + sum(sent.values()), "the packets")
    stop(running)
    found = [line.split("\t") for line in running.stdout.lines]
    assert {tuple(row) for row in found if row[0] == "1"} == {("1", "", "")}
    assert [row[2] for row in found if row[0] == "2"] == [""] * 5
    assert {row[1] for row in found if row[0] == "2"} <= set("0123")


def test_a_program_without_its_capability_says_what_to_type_and_hangs_nobody(needs_wireshark, scratch, veth):
    ended = Installation(scratch, capable=False).run(veth.b, "tshark", "-i", "rxtxcpu-vb", "-a", "duration:10")
    assert ended.status != 0
    assert "setcap cap_net_raw+ep" in ended.stderr


def test_a_bad_capture_filter_is_explained_and_hangs_nobody(installation, veth):
    ended = installation.run(veth.b, "tshark", "-i", "rxtxcpu-vb", "-f", "udp por", "-a", "duration:10")
    assert ended.status != 0
    assert "udp por" in ended.stderr
