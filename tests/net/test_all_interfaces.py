"""Without an interface, all of the namespace are captured, each with its own link type, those that come later included."""

import json
import signal
import subprocess

import pytest

from lib import contract, kernel, pcap, pcapng, tun_device
from lib.capture import named, program
from lib.frames import decode, mark_of
from lib.process import check
from lib.sender import send

IPV4 = bytes.fromhex("4500002000004000401164aa0a4200010a420002" "4e209c40000c0000" "01020304")
PPP = 512


@pytest.fixture
def several(veth):
    """vb, a tun device without a link layer, and one that claims to be PPP."""
    tun_device.make_device(veth.b, 65534, "tun0")
    tun_device.make_device(veth.b, PPP, "ppp7")
    return veth


def write_all(pair):
    tun_device.write_packets(pair.b, [IPV4] * 2, "tun0")
    tun_device.write_packets(pair.b, [IPV4] * 3, "ppp7")
    return send(pair.a, "va", count=50, rate=20000, udp=40000)


def by_interface(packets):
    found = {}
    for packet in packets:
        found.setdefault(packet.interface.name, []).append(packet)
    return found


def test_each_interface_has_its_own_link_type_and_its_cpus(several, capture):
    running = capture(several.b, None, "-d", "rx")
    sent = write_all(several)
    result = running.stop()
    found = by_interface(result.packets)
    assert {name: len(packets) for name, packets in found.items()} == {"vb": sum(sent.values()), "tun0": 2, "ppp7": 3}
    assert {name: {packet.interface.linktype for packet in packets} for name, packets in found.items()} == \
        {"vb": {pcapng.LINKTYPE_ETHERNET}, "tun0": {pcapng.LINKTYPE_RAW}, "ppp7": {pcapng.LINKTYPE_LINUX_SLL}}
    assert all(contract.cpu_of(packet) == mark_of(packet).cpu for packet in found["vb"])
    assert all(packet.data == IPV4 for packet in found["tun0"])
    assert all(packet.data[16:] == IPV4 for packet in found["ppp7"])
    assert result.counts() == {cpu: sum(contract.cpu_of(packet) == cpu for packet in result.packets)
                               for cpu in kernel.cpus("online")}


def test_an_interface_that_comes_later_is_captured(veth, capture):
    running = capture(veth.b, None, "-d", "rx")
    tun_device.make_device(veth.b, 65534, "tun0")
    tun_device.write_packets(veth.b, [IPV4], "tun0")
    assert [packet.interface.name for packet in running.stop().packets] == ["tun0"]


@pytest.mark.parametrize("expression, expected", [
    ("udp port 40000", {"vb", "tun0", "ppp7"}),
    ("udp port 41000", set()),
    ("ether src 02:00:00:00:00:01", set()),
    ("dst host 10.66.0.2", {"tun0", "ppp7", "vb"}),
    ("ip[6:2] & 0x4000 != 0 and udp[4:2] = 12", {"tun0", "ppp7"}),
    ("not ip", set()),
])
def test_a_filter_means_the_same_on_each_link_type(several, capture, expression, expected):
    running = capture(several.b, None, "-d", "rx", "-f", expression)
    write_all(several)
    found = by_interface(running.stop().packets)
    if "vb" in found and "host" in expression:
        assert all(decode(packet) for packet in found["vb"])
    assert set(found) - {"vb"} == expected - {"vb"}
    if expression in ("udp port 40000", "udp port 41000"):
        assert ("vb" in found) == ("vb" in expected)


def test_a_vlan_filter_works_on_all_interfaces(veth, capture):
    running = capture(veth.b, None, "-d", "rx", "-f", "vlan 100")
    for tags in (["100"], ["200"]):
        send(veth.a, "va", kernel.CPUS[:1], count=2, vlan=tags)
    send(veth.a, "va", kernel.CPUS[:1], count=2)
    assert [[tag for tag, _type in decode(packet).vlans] for packet in running.stop().packets] == [[100]] * 2


def test_pcap_files_hold_all_of_them_cooked(several, capture, scratch):
    """One link type for a file, with the interface in each packet: what tcpdump -i any writes."""
    running = capture(several.b, None, "-d", "rx", "-w", scratch / "out.pcap", output=None)
    sent = write_all(several)
    send(several.a, "va", kernel.CPUS[:1], count=1, vlan=["100"])
    running.stop()
    files = pcap.groups(scratch)
    assert {file.linktype for file in files.values()} == {pcap.LINKTYPE_LINUX_SLL2}
    rows = []
    for cpu in files:
        rows += check(["tshark", "-r", scratch / f"out-{cpu}.pcap", "-T", "fields", "-e", "sll.ifindex", "-e",
                       "udp.dstport", "-e", "vlan.id"]).splitlines()
    indexes = {several.b.link(name)["ifindex"]: name for name in ("vb", "tun0", "ppp7")}
    found = [(indexes[int(index)], port, vlan) for index, port, vlan in (row.split("\t") for row in rows)]
    assert found.count(("tun0", "40000", "")) == 2 and found.count(("ppp7", "40000", "")) == 3
    assert found.count(("vb", "40000", "")) == sum(sent.values())
    assert found.count(("vb", "40000", "100")) == 1 and len(found) == sum(sent.values()) + 6


def test_a_tag_inside_a_frame_that_is_sent_stays_in_a_cooked_file(veth, capture, scratch):
    """There the kernel takes the network header to begin behind the tag."""
    running = capture(veth.a, None, "-d", "tx", "-w", scratch / "out.pcap", output=None)
    send(veth.a, "va", kernel.CPUS[:1], count=2, vlan=["100"])
    send(veth.a, "va", kernel.CPUS[:1], count=1, vlan=["200", "100"])
    running.stop()
    rows = check(["tshark", "-r", scratch / f"out-{kernel.CPUS[0]}.pcap", "-T", "fields", "-e", "vlan.id", "-e",
                  "udp.dstport"]).splitlines()
    assert rows == ["100\t40000", "100\t40000", "200,100\t40000"]


def test_the_bytes_of_a_packet_are_those_of_the_wire_whatever_the_format(several, capture, scratch):
    options = ([], ["-w", scratch / "x.pcapng"], ["-w", scratch / "out.pcap"])
    running = [capture(several.b, None, "-d", "rx", "--json", *words, output=None) for words in options]
    write_all(several)
    totals = [json.loads(one.stop().stdout)["total"] for one in running]
    assert len({(total["bytes"], total["packets"]) for total in totals}) == 1, totals


def test_an_interface_that_changes_its_link_type_has_another_block(several, capture, two_cpus):
    running = capture(several.b, None, "-d", "rx", "-l", two_cpus[0])
    pinned = lambda: several.b.run("taskset", "-c", str(two_cpus[0]), *tun_device.writer([IPV4]))  # noqa: E731
    pinned()
    several.b.ip("link set tun0 down")
    several.b.run(*tun_device.maker(PPP))
    several.b.ip("link set tun0 up")
    pinned()
    packets = running.stop().packets
    assert [packet.interface.linktype for packet in packets] == [pcapng.LINKTYPE_RAW, pcapng.LINKTYPE_LINUX_SLL]


def test_comments_alone_need_one_block_for_each_interface(several, capture):
    running = capture(several.b, None, "-d", "rx", "--annotate", "comment")
    write_all(several)
    result = running.stop()
    assert sorted(interface.name for interface in result.file.interfaces) == ["ppp7", "tun0", "vb"]
    assert all(contract.cpu_of(packet) == mark_of(packet).cpu for packet in by_interface(result.packets)["vb"])


def test_losses_stand_in_the_file_although_no_interface_is_known(veth, capture):
    running = capture(veth.b, None, "-d", "rx", "-B", 1)
    with running.frozen():
        sent = send(veth.a, "va", count=4000, rate=20000, size=1000)
    result = running.stop()
    lost = {}
    for interface in result.file.interfaces:
        isb, = interface.statistics
        if interface.name == "any":
            lost[contract.description_of(interface).cpu] = isb[pcapng.ISB_IFDROP]
        else:
            assert isb[pcapng.ISB_IFDROP] == 0
    assert {cpu: count + lost[cpu] for cpu, count in result.counts().items()} == sent


def test_it_goes_on_when_an_interface_goes_away(several, capture):
    running = capture(several.b, None, "-d", "rx")
    tun_device.write_packets(several.b, [IPV4], "tun0")
    several.b.ip("link delete tun0")
    sent = send(several.a, "va", count=5)
    found = by_interface(running.stop().packets)
    assert len(found["vb"]) == sum(sent.values())


def test_promiscuous_mode_is_skipped(veth, capture):
    running = capture(veth.b, None, "-p", output=None)
    assert "skipping promiscuous mode for ifindex '0' (any interface)" in running.stderr.text
    assert veth.b.link("vb").get("promiscuity", 0) == 0
    running.stop()


def test_tshark_reads_the_stream_as_it_comes(veth, capture):
    running = capture(veth.b, None, "-w", "-", "-d", "rx", output=None, stdout=subprocess.PIPE)
    send(veth.a, "va", count=3)
    running.stdout.wait_until(lambda data: sum(block.type == pcapng.EPB for block in pcapng.split(data)[0]) >= 3, "packets")
    running.signal(signal.SIGINT)
    assert running.wait() == 0


def test_queues_need_an_interface():
    ended = program("-v", name="rxtxqueue")
    assert ended.stderr_lines[0] == "rxtxqueue: Failed to get queue count." and ended.status == 1


def test_nodes_need_none(veth, capture):
    running = capture(veth.b, None, "-d", "rx", output=None, launch=named("rxtxnuma"))
    sent = send(veth.a, "va", count=7)
    assert sum(running.stop().groups().values()) == sum(sent.values())
