"""Hardware of every kind is captured as libpcap does it: beside tcpdump, with the same link type and the same bytes."""

import signal
import struct

import pytest

from lib.capture import program
from lib.process import Process, eventually
from lib.tun_device import make_device, write_packets

KINDS = {
    "no link layer": 65534,
    "PPP": 512,
    "GRE": 778,
    "IP in IP": 768,
    "802.11": 801,
    "802.11 with radiotap": 803,
    "InfiniBand": 32,
    "CAN": 280,
    "IrDA": 783,
    "netlink": 824,
    "LAPD": 8445,
    "6LoWPAN": 825,
    "never heard of": 60000,
}
UDP_TO_40000 = bytes.fromhex("4500002000004000401164aa0a4200010a420002" "4e209c40000c0000" "01020304")
UDP_TO_41000 = bytes.fromhex("4500002000004000401164aa0a4200010a420002" "4e20a028000c0000" "05060708")
IPV6 = bytes.fromhex("6000000000103afe" + "fe80000000000000" * 2 + "ff020000000000000000000000000001" + "86" * 16)
# A radiotap header without fields in front of a beacon, and the same bytes for whoever expects something else.
RADIOTAP = bytes.fromhex("0000080000000000" "80000000ffffffffffff020000000001020000000001" + "00" * 20)
EXPRESSIONS = ([], ["ip"], ["udp dst port 40000"], ["ip6"], ["len >= 60"])
PACKETS = [UDP_TO_40000, IPV6, RADIOTAP, UDP_TO_41000, bytes(range(64))]


def read_pcap(data):
    """(link type, [(length, bytes)]) of a file in the old format."""
    linktype, at, packets = struct.unpack_from("=I", data, 20)[0], 24, []
    while at < len(data):
        _seconds, _fraction, caplen, length = struct.unpack_from("=IIII", data, at)
        packets.append((length, data[at + 16 : at + 16 + caplen]))
        at += 16 + caplen
    return linktype, packets


class Tcpdump(Process):
    def __init__(self, namespace, path, expression):
        self.path = path
        super().__init__(namespace.inside("tcpdump", "-i", "tun0", "-U", "-Z", "root", "-w", path, *expression))

    def accepts(self):
        """Whether it captures; libpcap refuses a filter that makes no sense for the hardware."""
        eventually(lambda: not self.running or "listening on" in self.stderr.text, "tcpdump to start or to refuse")
        return self.running

    def stop(self, count):
        """(link type, packets) once it has written `count` packets."""
        eventually(lambda: len(read_pcap(self.path.read_bytes())[1]) >= count, f"{count} packets of tcpdump's")
        self.signal(signal.SIGINT)
        assert self.wait() == 0
        return read_pcap(self.path.read_bytes())


def check_refusal(namespace, expression):
    assert program("-f", *expression, "tun0", namespace=namespace).status == 2


def check_same(running, tcpdump, expression):
    packets = running.stop().packets
    linktype, expected = tcpdump.stop(len(packets))
    assert {packet.interface.linktype for packet in packets} <= {linktype}, expression
    assert [(packet.len, packet.data) for packet in packets] == expected, expression


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_is_captured_as_tcpdump_does(make_namespace, capture, scratch, cleanup, kind):
    namespace, pairs = make_namespace(), []
    make_device(namespace, KINDS[kind])
    for number, expression in enumerate(EXPRESSIONS):
        tcpdump = cleanup.enter_context(Tcpdump(namespace, scratch / f"{number}.pcap", expression))
        if tcpdump.accepts():
            options = ["-f", *expression] if expression else []
            pairs.append((capture(namespace, "tun0", *options), tcpdump, expression))
        else:
            check_refusal(namespace, expression)
    assert pairs
    write_packets(namespace, PACKETS)
    for pair in pairs:
        check_same(*pair)
