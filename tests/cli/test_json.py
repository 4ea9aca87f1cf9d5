"""--json: the same numbers as the lines, for programs."""

import json
import subprocess

import pytest

from lib import kernel, pcapng
from lib.capture import named, program
from lib.process import Pipe
from lib.sender import Sending, send


def objects(text):
    """Each line is an object, and there is nothing else."""
    return [json.loads(line) for line in text.splitlines()]


def check_sums(one):
    assert set(one["total"]) - {"node"} <= set(one["groups"][0]) | {"packets", "bytes"}
    for member in ("packets", "bytes", "dropped"):
        assert one["total"][member] == sum(group[member] for group in one["groups"]), member
    for group in one["groups"]:
        parts = [group[key] for key in ("rx", "tx", "other") if key in group]
        assert group["packets"] == sum(part["packets"] for part in parts)
        assert group["bytes"] == sum(part["bytes"] for part in parts)
        for part in parts:
            assert (part["first_ns"] is None) == (part["packets"] == 0)


@pytest.mark.parametrize("output", (True, False))
def test_the_object_tells_what_was_captured(veth, capture, scratch, output):
    running = capture(veth.b, "vb", "--json", output=scratch / "x.pcapng" if output else None)
    sent = send(veth.a, "va", count=40, size=200)
    result = running.stop()
    one, = objects(result.stdout)
    check_sums(one)
    assert (one["interface"], one["group"], one["over"]) == ("vb", "cpu", True)
    assert {group["cpu"]: group["packets"] for group in one["groups"]} == \
        {cpu: sent.get(cpu, 0) for cpu in kernel.cpus("online")}
    assert one["total"]["bytes"] == 200 * sum(sent.values())
    assert one["total"]["accepted"] == one["total"]["packets"] + one["total"]["dropped"]
    if output:
        check_times(one, result.packets)


def check_times(one, packets):
    times = [packet.ts_ns for packet in packets]
    rx = [group["rx"] for group in one["groups"] if group["rx"]["packets"]]
    assert min(part["first_ns"] for part in rx) == min(times)
    assert max(part["last_ns"] for part in rx) == max(times)
    assert one["start_ns"] <= min(times) and max(times) <= one["end_ns"]


def test_tagged_packets_have_their_tag_counted_without_a_file_too(veth, capture):
    """Only counting keeps almost nothing of a packet, but its length is told."""
    running = capture(veth.b, "vb", "-d", "rx", "--json", output=None)
    send(veth.a, "va", kernel.CPUS[:1], count=3, size=500)
    send(veth.a, "va", kernel.CPUS[:1], count=2, size=500, vlan=["100"])
    one, = objects(running.stop().stdout)
    with_file = capture(veth.b, "vb", "-d", "rx")
    send(veth.a, "va", kernel.CPUS[:1], count=3, size=500)
    send(veth.a, "va", kernel.CPUS[:1], count=2, size=500, vlan=["100"])
    assert one["total"]["bytes"] == sum(packet.len for packet in with_file.stop().packets)


def test_losses_are_told(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "-B", 1, "--json", "-w", "/dev/null", output=None)
    with running.frozen():
        sent = send(veth.a, "va", count=4000, size=1000, rate=20000)
    one, = objects(running.stop().stdout)
    assert {group["cpu"]: group["packets"] + group["dropped"] for group in one["groups"] if group["packets"]} == sent
    assert one["total"]["dropped"] > 0


@pytest.mark.threads
def test_with_stats_there_is_an_object_a_line_while_it_runs(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "--json", "--stats", 1, output=None)
    with Sending(veth.a, "va", rate=500):
        running.stdout.wait_until(lambda data: data.count(b"\n") >= 2, "two lines")
        result = running.stop()
    *live, last = objects(result.stdout)
    assert [one["over"] for one in live] == [False] * len(live) and last["over"]
    packets = [one["total"]["packets"] for one in (*live, last)]
    assert packets == sorted(packets) and packets[-1] > 0
    for one in (*live, last):
        assert one["start_ns"] == last["start_ns"]
    assert "accepted" not in live[0]["total"]


def test_with_packets_on_stdout_it_goes_to_stderr(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "--json", "-w", "-", output=None, stdout=subprocess.PIPE)
    sent = send(veth.a, "va", count=3)
    running.signal(2)
    assert running.wait() == 0
    assert len(pcapng.parse(running.stdout.data).packets) == sum(sent.values())
    one = json.loads(running.stderr.lines[-1])
    assert one["total"]["packets"] == sum(sent.values())


def test_queues_and_nodes_have_their_own_names_and_unknown_is_null(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "--json", output=None, launch=named("rxtxqueue"))
    sent = send(veth.a, "va", count=3)
    one, = objects(running.stop().stdout)
    assert one["group"] == "queue"
    assert {group["queue"]: group["packets"] for group in one["groups"]} == \
        {0: 0, 1: 0, 2: 0, 3: 0, None: sum(sent.values())}


def test_all_interfaces_are_null(veth, capture):
    one, = objects(capture(veth.b, None, "--json", output=None).stop().stdout)
    assert one["interface"] is None


def test_a_reader_that_goes_away_ends_a_capture_that_only_counts(veth, capture):
    pipe = Pipe()
    running = capture(veth.b, "vb", "--json", "--stats", 1, output=None, stdout=pipe.write_end)
    pipe.hand_over()
    pipe.read_block()
    pipe.close()
    assert running.wait() == 1
    assert "Broken pipe" in running.stderr.text


def test_cpus_that_are_not_there_are_named(veth):
    one, = objects(program("--json", "-l", "0,999", "-a", "duration:0.1", "vb", namespace=veth.b).stdout)
    assert one["absent"] == "999"
