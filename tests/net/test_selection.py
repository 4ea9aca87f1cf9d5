"""Only what was asked for: filters, CPUs, and where each packet's CPU is written."""

import pathlib

import pytest

from lib import attribution, contract, kernel
from lib.frames import decode
from lib.sender import send


def ports(result):
    return {decode(packet).port for packet in result.packets}


def test_a_filter_takes_only_what_matches_it(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "-f", "udp port 42000")
    for port in (41000, 42000, 43000):
        sent = send(veth.a, "va", count=300, rate=20000, udp=port)
    result = running.stop()
    assert ports(result) == {42000}
    attribution.check_all(result.packets, sent)
    attribution.check_counts(result, sent)


def test_a_filter_that_matches_nothing_makes_a_capture_of_nothing(veth, capture):
    running = capture(veth.b, "vb", "-f", "tcp")
    send(veth.a, "va", count=10)
    attribution.check_counts(running.stop(), {})


@pytest.mark.parametrize("end, device, direction", (("b", "vb", "rx"), ("a", "va", "tx")))
@pytest.mark.parametrize("expression, matching", [
    ("vlan", {"100", "200", "double"}),
    ("vlan 100", {"100"}),
    ("vlan 200", {"200", "double"}),
    ("vlan 100 and udp port 40000", {"100"}),
    ("vlan 200 and vlan 100", {"double"}),
    ("not vlan", {"none"}),
])
def test_a_vlan_filter_works_on_a_live_device(veth, capture, end, device, direction, expression, matching):
    running = capture(getattr(veth, end), device, "-d", direction, "-f", expression)
    frames = {"none": [], "100": ["100"], "200": ["200"], "double": ["200", "100"]}
    for tags in frames.values():
        send(veth.a, "va", kernel.CPUS[:1], count=3, vlan=tags)
    found = [decode(packet).vlans for packet in running.stop().packets]
    expected = [tuple((int(tag), 0x8100) for tag in tags) for name, tags in frames.items() if name in matching]
    assert found == [tags for tags in expected for _frame in range(3)]


@pytest.mark.parametrize("option", ("-l", "-m"))
def test_only_the_chosen_cpu_is_captured(veth, capture, two_cpus, option):
    for cpu in two_cpus:
        running = capture(veth.b, "vb", "-d", "rx", option, cpu if option == "-l" else f"{1 << cpu:x}")
        sent = send(veth.a, "va", two_cpus, count=100, rate=20000)
        result = running.stop()
        attribution.check_all(result.packets, {cpu: sent[cpu]})
        assert result.counts() == {cpu: sent[cpu]}


@pytest.mark.parametrize("selection", (("-l", "0-1"), ("-l", "1,0"), ("-m", "3"), ("-l", "0,0-1,1")))
def test_a_list_and_a_mask_may_hold_several_cpus(veth, capture, two_cpus, selection):
    if two_cpus != [0, 1]:
        pytest.skip("CPUs 0 and 1 are not both here")
    running = capture(veth.b, "vb", "-d", "rx", *selection)
    sent = send(veth.a, "va", two_cpus, count=100, rate=20000)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    assert list(result.counts()) == two_cpus


def test_the_interface_of_a_packet_names_device_and_cpu(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx")
    send(veth.a, "va", count=5)
    result = running.stop()
    online = kernel.cpus("online")
    assert [contract.description_of(interface).cpu for interface in result.file.interfaces] == online
    assert {interface.name for interface in result.file.interfaces} == {"vb"}
    assert not any(packet.comments for packet in result.packets)


def test_the_first_interface_tells_how_packets_were_steered(veth, capture, two_cpus):
    veth.b.receive_on("vb", 1 << two_cpus[1])
    first, *others = capture(veth.b, "vb").stop().file.interfaces
    assert len(first.comments) == 1 and "rps_cpus" in first.comments[0], first.comments
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    assert f"boot {boot}" in first.comments[0].splitlines()
    assert not any(other.comments for other in others)


@pytest.mark.parametrize("where", ("comment", "both"))
def test_the_cpu_is_in_a_comment_when_asked_for(veth, capture, where):
    running = capture(veth.b, "vb", "-d", "rx", "--annotate", where)
    sent = send(veth.a, "va", count=100, rate=20000)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    for packet in result.packets:
        assert contract.comment_of(packet)["cpu"] == str(decode(packet).mark.cpu)
