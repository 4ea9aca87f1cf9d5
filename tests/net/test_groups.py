"""By queue and by NUMA node: a number where there is one, and unknown where there is none."""

import signal
import subprocess
from collections import Counter

import pytest

from lib import contract, kernel, pcap, pcapng, tun_device
from lib.capture import named, program
from lib.frames import decode, mark_of
from lib.process import Process, eventually
from lib.sender import Sending, send

COUNTS = [10, 20, 30, 40]  # frames of each queue
PINNED_QUEUES = "for q in 0 1; do echo $((1 << q)) > /sys/class/net/va/queues/tx-$q/xps_cpus; done"


def queue_of(packet):
    """"2" or "unknown", by the packet's interface; and its own option tells the same."""
    key, value = contract.description_of(packet.interface).stream
    option = packet.options.number(pcapng.EPB_QUEUE)
    assert key == "queue" and (str(option) if option is not None else "unknown") == value
    return value


@pytest.fixture
def queues(make_namespace):
    """A tap device with four queues, whose driver records the queue of what it receives."""
    namespace = make_namespace()
    tun_device.make_queues(namespace)
    return namespace


def merged(namespace, device, capture, *options):
    """A capture by queue to stdout, in pcapng."""
    return capture(namespace, device, *options, "-w", "-", launch=named("rxtxqueue"), output=None,
                   stdout=subprocess.PIPE)


def stopped(running):
    running.signal(signal.SIGINT)
    assert running.wait() == 0, running.stderr.text
    return pcapng.parse(running.stdout.data).packets


@pytest.mark.threads
def test_sent_packets_are_in_the_file_of_their_queue(veth, capture, scratch, two_cpus):
    """XPS binds each CPU to a queue of its own, so that the sender's mark tells the queue."""
    if two_cpus != [0, 1]:
        pytest.skip("CPUs 0 and 1 are not both here")
    veth.a.shell(PINNED_QUEUES)
    running = capture(veth.a, "va", "-w", scratch / "out.pcap", output=None, launch=named("txqueue"))
    sent = send(veth.a, "va", two_cpus, count=1000, rate=20000)
    groups = running.stop().groups()
    assert groups == {"queue 0": sent[0], "queue 1": sent[1], "queue 2": 0, "queue 3": 0}
    for queue, file in pcap.groups(scratch).items():
        marks = [mark_of(packet) for packet in file.packets]
        assert [(str(mark.cpu), mark.seq) for mark in marks] == [(queue, seq) for seq in range(groups[f"queue {queue}"])]


def received(running, attached):
    """What comes when the frames are let go."""
    attached.signal(signal.SIGUSR1)
    assert attached.wait() == 0
    return [queue_of(packet) for packet in stopped(running)]


def test_received_packets_have_the_queue_that_the_driver_recorded(queues, capture, cleanup):
    attached = cleanup.enter_context(Process(tun_device.attach_queues(queues, COUNTS)))
    attached.stdout.wait_for_line("attached")
    found = received(merged(queues, "tap0", capture, "-d", "rx"), attached)
    assert [found.count(queue) for queue in "0123"] == COUNTS and len(found) == sum(COUNTS)


def test_queues_that_came_later_are_unknown_and_never_another_number(queues, capture, cleanup):
    """One at the start, four when frames come."""
    running = merged(queues, "tap0", capture, "-d", "rx")
    attached = cleanup.enter_context(Process(tun_device.attach_queues(queues, COUNTS)))
    attached.stdout.wait_for_line("attached")
    found = received(running, attached)
    assert (found.count("0"), found.count("unknown"), len(found)) == (COUNTS[0], sum(COUNTS[1:]), sum(COUNTS))


def test_veth_records_no_queue(veth, capture):
    running = merged(veth.b, "vb", capture)
    sent = send(veth.a, "va", count=200, rate=20000)
    packets = stopped(running)
    assert [queue_of(packet) for packet in packets] == ["unknown"] * sum(sent.values())
    assert {packet.direction for packet in packets} == {"rx"}


def test_only_the_chosen_queues_are_captured(veth, capture, two_cpus):
    veth.a.shell(PINNED_QUEUES)
    for options in (["-l", "1,3"], ["-m", "a"]):
        running = capture(veth.a, "va", *options, output=None, launch=named("txqueue"))
        sent = send(veth.a, "va", two_cpus, count=50)
        assert running.stop().groups() == {"queue 1": sent[1], "queue 3": 0}


def test_a_list_of_queues_says_that_it_leaves_out_what_has_none(veth, capture):
    running = capture(veth.b, "vb", "-l", "0", output=None, launch=named("rxqueue"))
    assert "vb does not tell the queue of what it receives" in running.stderr.text  # at the start
    send(veth.a, "va", count=5)
    assert running.stop().groups() == {"queue 0": 0}


def test_a_link_that_flaps_leaves_queues_their_own(veth, capture, two_cpus):
    veth.a.shell(PINNED_QUEUES)
    running = merged(veth.a, "va", capture, "-d", "tx")
    for number in range(5):
        veth.a.ip("link set va down")
        veth.a.ip("link set va up")
        eventually(lambda: veth.a.link("va")["operstate"] == "UP", "va to be up")
        send(veth.a, "va", two_cpus, count=20, udp=41000 + number)
    packets = stopped(running)
    assert len(packets) == 5 * 2 * 20
    assert all(queue_of(packet) == str(mark_of(packet).cpu) for packet in packets)


def test_of_258_queues_each_has_a_ring_and_its_packets(make_veth, capture, two_cpus):
    """With the unknown one that is more than the 256 members which a fan-out group has without asking for more."""
    veth = make_veth(queues=258)
    running = merged(veth.a, "va", capture, "-d", "tx")
    expected = {}
    for number, queues in enumerate(((0, 1), (254, 255), (256, 257))):
        veth.a.shell("".join(f"echo {1 << cpu:x} > /sys/class/net/va/queues/tx-{queue}/xps_cpus\n"
                             for cpu, queue in zip(two_cpus, queues)))
        sent = send(veth.a, "va", two_cpus, count=50, udp=41000 + number)
        expected |= {(str(queue), 41000 + number, cpu): sent[cpu] for cpu, queue in zip(two_cpus, queues)}
        veth.a.shell("".join(f"echo 0 > /sys/class/net/va/queues/tx-{queue}/xps_cpus\n" for queue in queues))
    found = Counter((queue_of(packet), decode(packet).port, mark_of(packet).cpu) for packet in stopped(running))
    assert found == expected


def test_a_queue_filled_by_several_cpus_is_in_the_order_of_time(veth, capture, two_cpus):
    """What is received on veth has no queue, and so one ring for all CPUs."""
    running = merged(veth.b, "vb", capture, "-d", "rx")
    with Sending(veth.a, "va", two_cpus) as sending:
        eventually(lambda: len(running.stdout.data) > 3_000_000, "some packets")
        sent = sending.stop()
    packets = stopped(running)
    late = sum(packet.ts_ns < before.ts_ns for before, packet in zip(packets, packets[1:]))
    assert late <= len(packets) / 500  # only where a block ends
    for cpu in two_cpus:
        seqs = [mark_of(packet).seq for packet in packets if mark_of(packet).cpu == cpu]
        assert len(seqs) <= sent[cpu] and len(set(seqs)) == len(seqs)


def test_nodes_are_groups_of_cpus(veth, capture, scratch):
    if kernel.node_of(kernel.CPUS[0]) is None:
        pytest.skip("this kernel tells no NUMA nodes")
    running = capture(veth.b, "vb", "-d", "rx", "-w", scratch / "out.pcap", output=None, launch=named("rxtxnuma"))
    sent = send(veth.a, "va", count=500, rate=20000)
    groups = running.stop().groups()
    expected = {}
    for cpu, count in sent.items():
        expected[f"numa node {kernel.node_of(cpu)}"] = expected.get(f"numa node {kernel.node_of(cpu)}", 0) + count
    assert groups == expected
    files = pcap.groups(scratch)
    assert {f"numa node {node}": len(file.packets) for node, file in files.items()} == expected
    for node, file in files.items():
        assert {str(kernel.node_of(mark_of(packet).cpu)) for packet in file.packets} == {node}


@pytest.mark.parametrize("group, stream", (("queue", "queue"), ("numa", "node")))
def test_a_merged_file_names_the_group(veth, capture, scratch, group, stream):
    running = capture(veth.a, "va", "--group", group, "-w", scratch / "x.pcapng", output=None)
    sent = send(veth.a, "va", count=20)
    running.stop()
    file = pcapng.read(scratch / "x.pcapng")
    assert {contract.description_of(interface).stream[0] for interface in file.interfaces} == {stream}
    assert len(file.packets) == sum(sent.values())
    for interface in file.interfaces:
        isb, = interface.statistics
        packets = [packet for packet in file.packets if packet.interface is interface]
        assert isb[pcapng.ISB_IFRECV] == isb[pcapng.ISB_USRDELIV] == len(packets)


def test_a_list_of_another_group_is_refused(veth):
    ended = program("--group", "queue", "--cpu-list", "0", "vb", namespace=veth.b)
    assert ended.status == 2
    assert ended.stderr_lines[0] == "rxtxcpu: --cpu-list goes with --group cpu, but packets are grouped by queue."


def test_losses_of_a_queue_are_counted(veth, capture, two_cpus):
    running = capture(veth.b, "vb", "-d", "rx", "-B", 1, "-w", "/dev/null", output=None, launch=named("rxtxqueue"))
    with running.frozen():
        sent = send(veth.a, "va", two_cpus, count=4000, rate=20000, size=1000)
    result = running.stop()
    lost = [line for line in result.said if "packets lost on queue unknown." in line]
    assert len(lost) == 1, result.stderr
    assert int(lost[0].split()[1]) + result.groups()["queue unknown"] == sum(sent.values())


def test_vlan_tags_are_in_the_files_of_queues(veth, capture):
    running = merged(veth.b, "vb", capture, "-d", "rx")
    send(veth.a, "va", kernel.CPUS[:1], count=3, vlan=["100"])
    assert [[tag for tag, _type in decode(packet).vlans] for packet in stopped(running)] == [[100]] * 3
