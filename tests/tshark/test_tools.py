"""A live capture keeps each packet's CPU through Wireshark's tools, whatever they do to interface numbers."""

import re
from collections import Counter

import pytest

from lib import contract, kernel, pcapng
from lib.frames import decode
from lib.process import eventually
from lib.sender import Sending, send

PORT, COUNT = 40000, 100


@pytest.fixture
def live_file(installation, veth, tshark, stop):
    """What tshark -w made of a live capture: the contract's file, without the end that tshark does not wait for."""
    path = installation.home / "live.pcapng"

    def packets():
        blocks = pcapng.split(path.read_bytes())[0] if path.exists() else []
        return len([block for block in blocks if block.type == pcapng.EPB])

    running = tshark("-w", path, live=lambda _running: eventually(packets, "a packet in the file"))
    sent = send(veth.a, "va", count=COUNT, rate=2000, udp=PORT)
    eventually(lambda: packets() > sum(sent.values()), "all packets in the file")
    stop(running)
    contract.read(path, statistics=False)
    return path


def check_cpus(path, copies=1):
    """Each packet is on the CPU that its mark tells."""
    packets = [packet for packet in pcapng.read(path).packets if decode(packet).port == PORT]
    for packet in packets:
        assert contract.cpu_of(packet) == decode(packet).mark.cpu
        assert packet.interface.name == "vb" and packet.direction == "rx"
    assert Counter(map(contract.cpu_of, packets)) == dict.fromkeys(kernel.CPUS, COUNT * copies)


def shown(installation, path, *filters):
    """{CPU: packets} by the plugin's field."""
    text = installation.tool("tshark", "-n", "-r", path, "-Y", " and ".join((f"udp.dstport == {PORT}", *filters)),
                             "-T", "fields", "-e", "rxtxcpu.cpu")
    return Counter(map(int, text.split()))


def test_what_tshark_writes_is_read_back(installation, live_file):
    check_cpus(live_file)
    assert shown(installation, live_file) == dict.fromkeys(kernel.CPUS, COUNT)
    for cpu in kernel.CPUS:
        assert shown(installation, live_file, f"rxtxcpu.cpu == {cpu}") == {cpu: COUNT}


def test_capinfos_understands_the_file(installation, live_file):
    told = installation.tool("capinfos", "-M", live_file)
    assert re.search(rf"^Number of packets: +{len(pcapng.read(live_file).packets)}$", told, re.MULTILINE), told
    for cpu in kernel.cpus("online"):
        assert f"vb CPU {cpu} (rxtxcpu)" in told


@pytest.mark.parametrize("command", (
    ["editcap", "{old}", "{new}"],
    ["editcap", "-s", "80", "{old}", "{new}"],
    ["reordercap", "{old}", "{new}"],
    ["tshark", "-r", "{old}", "-w", "{new}"],
    ["tshark", "-r", "{old}", "-Y", "rxtxcpu.cpu >= 0", "-w", "{new}"],
), ids=" ".join)
def test_a_copy_keeps_the_cpus(installation, live_file, command):
    copy = installation.home / "copy.pcapng"
    installation.tool(*(word.format(old=live_file, new=copy) for word in command))
    check_cpus(copy)
    assert shown(installation, copy) == dict.fromkeys(kernel.CPUS, COUNT)


def test_a_merge_keeps_the_cpus_of_both(installation, live_file):
    merged = installation.home / "merged.pcapng"
    installation.tool("mergecap", "-w", merged, live_file, live_file)
    check_cpus(merged, copies=2)
    assert shown(installation, merged) == dict.fromkeys(kernel.CPUS, 2 * COUNT)


def test_a_merge_with_a_capture_of_another_interface_keeps_name_and_cpu(installation, veth, capture, live_file):
    running = capture(veth.a, "va", "-d", "tx")
    send(veth.a, "va", count=COUNT, udp=PORT)
    running.stop()
    merged = installation.home / "merged.pcapng"
    installation.tool("mergecap", "-w", merged, running.output, live_file)
    found = Counter((packet.interface.name, contract.cpu_of(packet)) for packet in pcapng.read(merged).packets
                    if decode(packet).port == PORT)
    assert found == {(name, cpu): COUNT for name in ("va", "vb") for cpu in kernel.CPUS}


def test_ring_files_each_keep_the_cpus(installation, veth, tshark, stop):
    first = installation.home / "ring.pcapng"

    def files():
        return sorted(installation.home.glob("ring_*.pcapng"))

    running = tshark("-b", "packets:100", "-w", first, live=lambda _running: eventually(files, "a first file"))
    with Sending(veth.a, "va", rate=1000, udp=PORT):
        eventually(lambda: len(files()) >= 4, "four files")
    stop(running)
    for path in files():
        for packet in pcapng.read(path).packets:
            assert contract.cpu_of(packet) == decode(packet).mark.cpu
