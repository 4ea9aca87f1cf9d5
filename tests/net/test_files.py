"""Classic pcap files, one for each CPU, and files one after another."""

import json
import os
import re
import time

import pytest

from lib import accounting, attribution, contract, kernel, pcap
from lib.capture import named, program
from lib.frames import mark_of
from lib.process import check, eventually
from lib.sender import Sending, send

RING_NAME = re.compile(r"_(\d{5})_(\d{14})$")


def turn_of(path):
    """(number, date) in the name of a file of a ring."""
    match = RING_NAME.search(path.stem)
    assert match, path
    return int(match[1]), match[2]


def check_cpus(files, sent):
    for group, file in files.items():
        marks = [mark_of(packet) for packet in file.packets]
        assert [(mark.cpu, mark.seq) for mark in marks] == [(int(group), seq) for seq in range(sent.get(int(group), 0))]


@pytest.mark.threads
@pytest.mark.parametrize("name, end, device", (("rxcpu", "b", "vb"), ("txcpu", "a", "va")))
def test_each_file_has_what_its_cpu_handled(veth, capture, scratch, name, end, device):
    running = capture(getattr(veth, end), device, "-w", scratch / "out.pcap", output=None, launch=named(name))
    sent = send(veth.a, "va", count=3000, rate=20000)
    assert running.stop().counts() == {cpu: sent.get(cpu, 0) for cpu in kernel.cpus("online")}
    files = pcap.groups(scratch)
    assert set(files) == {str(cpu) for cpu in kernel.cpus("online")}
    check_cpus(files, sent)
    attribution.check_times([packet for file in files.values() for packet in file.packets])


def test_files_follow_packets_that_rps_moves(veth, capture, scratch, two_cpus):
    veth.b.receive_on("vb", 1 << two_cpus[1])
    running = capture(veth.b, "vb", "-d", "rx", "-w", scratch / "out.pcap", output=None)
    sent = send(veth.a, "va", two_cpus, count=500, rate=20000)
    running.stop()
    files = pcap.groups(scratch)
    assert files[str(two_cpus[0])].packets == []
    assert len(files[str(two_cpus[1])].packets) == sum(sent.values())


def test_tshark_reads_in_each_file_every_packet_of_its_cpu(veth, capture, scratch):
    running = capture(veth.b, "vb", "-d", "rx", "-w", scratch / "out.pcap", output=None)
    sent = send(veth.a, "va", count=200, rate=20000)
    running.stop()
    for cpu in kernel.cpus("online"):
        lines = check(["tshark", "-r", scratch / f"out-{cpu}.pcap", "-T", "fields", "-e", "frame.time_epoch",
                       "-e", "udp.payload"]).splitlines()
        assert all(re.match(r"\d+\.\d{9}\t", line) for line in lines), lines
        marks = [bytes.fromhex(line.split("\t")[1].replace(":", "")) for line in lines]
        found = [(int.from_bytes(mark[4:8], "big"), int.from_bytes(mark[8:16], "big")) for mark in marks]
        assert found == [(cpu, seq) for seq in range(sent.get(cpu, 0))]


def test_a_file_has_its_header_before_any_packet(veth, capture, scratch):
    running = capture(veth.b, "vb", "-w", scratch / "out.pcap", output=None)
    assert {file.linktype for file in pcap.groups(scratch).values()} == {pcap.LINKTYPE_ETHERNET}
    running.stop()


def test_packet_buffered_files_have_each_packet_at_once(veth, capture, scratch):
    running = capture(veth.b, "vb", "-d", "rx", "-U", "-w", scratch / "out.pcap", output=None)
    for count in range(1, 4):
        send(veth.a, "va", kernel.CPUS[:1], count=1)
        eventually(lambda: len(pcap.groups(scratch)[str(kernel.CPUS[0])].packets) == count, f"packet {count}")
    running.stop()


def test_a_snapshot_length_keeps_the_true_one(veth, capture, scratch):
    running = capture(veth.b, "vb", "-d", "rx", "-s", 64, "-w", scratch / "out.pcap", output=None)
    send(veth.a, "va", kernel.CPUS[:1], count=3, size=1000)
    running.stop()
    packets = pcap.groups(scratch)[str(kernel.CPUS[0])].packets
    assert [(packet.caplen, packet.len) for packet in packets] == [(64, 1000)] * 3


def test_a_start_that_fails_leaves_files_that_were_there_as_they_were(veth, scratch):
    (scratch / "out-0.pcap").write_bytes(b"precious")
    (scratch / "out-1.pcap").mkdir()
    (scratch / "target").write_bytes(b"precious too")
    (scratch / "link-0.pcap").symlink_to(scratch / "target")
    (scratch / "link-1.pcap").mkdir()
    for stem in ("out", "link"):
        ended = program("-w", scratch / f"{stem}.pcap", "vb", namespace=veth.b)
        assert ended.status == 1 and "Is a directory" in ended.stderr
    assert (scratch / "out-0.pcap").read_bytes() == b"precious"
    assert (scratch / "target").read_bytes() == b"precious too" and (scratch / "link-0.pcap").is_symlink()


def test_a_name_beside_a_folder_of_that_name_is_a_template(veth, capture, scratch):
    (scratch / "cap").mkdir()
    capture(veth.b, "vb", "-l", 0, "-w", scratch / "cap", output=None).stop()
    assert pcap.read(scratch / "cap-0").packets == []


@pytest.mark.parametrize("options", (["-a", "filesize:10"], ["--format", "pcap"]))
def test_a_fifo_that_nobody_reads_is_refused_where_it_is_one_of_many(veth, scratch, options):
    os.mkfifo(scratch / "f")
    os.mkfifo(scratch / "f-0")
    ended = program("-w", scratch / "f", *options, "vb", namespace=veth.b, timeout=10)
    assert ended.status == 1 and "Nobody reads this fifo" in ended.stderr


def test_json_leaves_out_what_a_broken_output_makes_untrue(veth, capture, small_disks):
    running = capture(veth.b, "vb", "-d", "rx", "--json", "-w", small_disks() / "out.pcap", output=None)
    send(veth.a, "va", count=2000, size=500, rate=20000)
    for group in json.loads(running.result(status=1).stdout)["groups"]:
        assert "rx" not in group or group["rx"]["packets"] == group["packets"]


def test_a_file_that_is_there_is_emptied_and_a_link_followed(veth, capture, scratch):
    (scratch / "elsewhere").write_bytes(b"old" * 1000)
    (scratch / "out-0.pcap").symlink_to(scratch / "elsewhere")
    capture(veth.b, "vb", "-l", 0, "-w", scratch / "out.pcap", output=None).stop()
    assert len((scratch / "elsewhere").read_bytes()) == 24


# --- one after another -----------------------------------------------------------------------------------------------

@pytest.mark.threads
def test_a_ring_of_pcapng_files_keeps_the_last_ones_each_whole(veth, capture, scratch):
    running = capture(veth.b, "vb", "-d", "rx", "-b", "filesize:20", "-b", "files:3", "-w", scratch / "out.pcapng",
                      output=None)
    sent = send(veth.a, "va", count=1500, rate=20000)
    assert sum(running.stop().counts().values()) == sum(sent.values())
    paths = sorted(scratch.glob("out_*.pcapng"))
    numbers = [turn_of(path)[0] for path in paths]
    assert len(paths) == 3 and numbers == list(range(numbers[0], numbers[0] + 3)) and numbers[0] > 1
    captures = [contract.read(path) for path in paths]
    packets = [packet for one in captures for packet in one.packets]
    for (_direction, cpu), group in attribution.by_sender(packets).items():
        seqs = [mark_of(packet).seq for packet in group]
        assert seqs == list(range(sent[cpu] - len(seqs), sent[cpu])), f"CPU {cpu}: the last ones, without a gap"
        attribution.check_cpu(group, cpu, f"CPU {cpu}")
    for path in paths[:-1]:
        assert 20_000 <= path.stat().st_size < 23_000


def test_a_ring_without_a_limit_of_files_loses_nothing(veth, capture, scratch):
    running = capture(veth.b, "vb", "-d", "rx", "-b", "packets:100", "-w", scratch / "out.pcapng", output=None)
    sent = send(veth.a, "va", count=505, rate=20000)
    running.stop()
    captures = [contract.read(path) for path in sorted(scratch.glob("out_*"))]
    assert [len(one.packets) for one in captures[:-1]] == [100] * (len(captures) - 1)
    attribution.check_all([packet for one in captures for packet in one.packets], sent)


@pytest.mark.threads
def test_per_cpu_files_of_a_ring_change_together(veth, capture, scratch):
    running = capture(veth.b, "vb", "-d", "rx", "-b", "filesize:20", "-w", scratch / "out.pcap", output=None)
    sent = send(veth.a, "va", count=1500, rate=20000)
    running.stop()
    found = {}
    for path in scratch.glob("out-*.pcap"):
        cpu, number = re.fullmatch(r"out-(\d+)_(\d{5})_\d{14}\.pcap", path.name).groups()
        found.setdefault(int(number), {})[int(cpu)] = pcap.read(path)
    assert len(found) > 3 and all(set(files) == set(kernel.cpus("online")) for files in found.values())
    for cpu in kernel.cpus("online"):
        seqs = [mark_of(packet).seq for number in sorted(found) for packet in found[number][cpu].packets]
        assert seqs == list(range(sent.get(cpu, 0)))
    for earlier, later in zip(sorted(found), sorted(found)[1:]):
        newest = max(packet.ts_ns for file in found[earlier].values() for packet in file.packets)
        oldest = min(packet.ts_ns for file in found[later].values() for packet in file.packets)
        assert newest <= oldest


def test_time_begins_a_new_file_without_any_packet(veth, capture, scratch):
    running = capture(veth.b, "vb", "-b", "duration:0.2", "-b", "files:2", "-w", scratch / "out.pcapng", output=None)
    eventually(lambda: any(turn_of(path)[0] >= 4 for path in scratch.glob("out_*")), "a fourth file")
    running.stop()
    assert len(list(scratch.glob("out_*"))) == 2
    for path in scratch.glob("out_*"):
        contract.read(path)


def test_a_number_of_files_is_the_end(veth, capture, scratch):
    running = capture(veth.b, "vb", "-d", "rx", "-b", "packets:10", "-a", "files:3", "-w", scratch / "out.pcapng",
                      output=None)
    with Sending(veth.a, "va", rate=5000):
        counts = running.result().counts()
    assert sum(counts.values()) == 30
    assert [turn_of(path)[0] for path in sorted(scratch.glob("out_*"))] == [1, 2, 3]
    assert [len(contract.read(path, exact_stop=True).packets) for path in sorted(scratch.glob("out_*"))] == [10] * 3


@pytest.mark.parametrize("file", ("out.pcapng", "out.pcap"))
def test_a_file_size_is_the_end(veth, capture, scratch, file):
    running = capture(veth.b, "vb", "-d", "rx", "-a", "filesize:10", "-w", scratch / file, output=None)
    with Sending(veth.a, "va", rate=5000):
        counts = running.result().counts()
    sizes = [path.stat().st_size for path in scratch.glob("out*")]
    assert 10_000 <= max(sizes) < 12_000
    assert sum(counts.values()) == count_packets(scratch, file)


def count_packets(scratch, file):
    if file.endswith("ng"):
        return len(contract.read(scratch / file, exact_stop=True).packets)
    return sum(len(one.packets) for one in pcap.groups(scratch).values())


@pytest.mark.parametrize("options, seconds", ((["-a", "duration:0.5"], 0.5), (["-a", "duration:9", "--duration", "1"], 1)))
def test_the_shortest_duration_is_the_end(veth, capture, options, seconds):
    begin = time.monotonic()
    capture(veth.b, "vb", *options, output=None).result()
    assert seconds <= time.monotonic() - begin < seconds + 5


def test_autostop_packets_is_as_exact_as_a_count(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "-a", "packets:77", output=None)
    with Sending(veth.a, "va", rate=5000):
        assert sum(running.result().counts().values()) == 77


def test_losses_are_told_by_the_files_of_a_ring_as_by_the_summary(veth, capture, scratch):
    running = capture(veth.b, "vb", "-d", "rx", "-B", 1, "-b", "packets:200", "-w", scratch / "out.pcapng", output=None)
    with running.frozen():
        sent = send(veth.a, "va", count=4000, rate=20000, size=1000)
    result = running.stop()
    files = accounting.of_captures(*(contract.read(path) for path in sorted(scratch.glob("out_*"))))
    assert set(accounting.check(result, {40000: sent}, files)) == set(sent)


def capabilities(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return {line.split()[0]: int(line.split()[1], 16) for line in status if line.startswith("Cap")}


def test_no_capability_is_left_but_that_of_opening_further_files(veth, capture, scratch):
    plain = capture(veth.b, "vb", "-w", scratch / "x.pcapng", output=None)
    ring = capture(veth.b, "vb", "-w", scratch / "y.pcapng", "-b", "packets:5", output=None)
    assert capabilities(plain.pid)["CapEff:"] == 0
    assert capabilities(ring.pid)["CapEff:"] == 1 << 1  # CAP_DAC_OVERRIDE
    assert capabilities(ring.pid)["CapPrm:"] == 1 << 1


def test_root_may_write_a_ring_into_the_folder_of_another_user(veth, capture, scratch):
    """As with sudo, in one's own home: the second file is opened when most capabilities are gone."""
    folder = scratch / "home"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    running = capture(veth.b, "vb", "-d", "rx", "-w", folder / "out.pcap", "-b", "packets:5", output=None)
    sent = send(veth.a, "va", count=20)
    assert sum(running.stop().counts().values()) == sum(sent.values())
    assert len({turn_of(path)[0] for path in folder.iterdir()}) > 2
