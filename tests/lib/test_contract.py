"""The reader that judges every capture is itself judged: it takes a right file and refuses each wrong one."""

import struct

import pytest

from lib import contract, pcapng

ORDER = pcapng.LOCAL_ORDER
NOW = 1_700_000_000_000_000_000


def pad(data):
    return data + bytes(-len(data) % 4)


def option(code, value):
    return struct.pack(ORDER + "HH", code, len(value)) + pad(value)


def options(*pairs):
    return b"".join(option(code, value) for code, value in pairs) + option(0, b"") if pairs else b""


def block(kind, body):
    length = struct.pack(ORDER + "I", len(body) + 12)
    return struct.pack(ORDER + "I", kind) + length + body + length


def number(value, size):
    return struct.pack(ORDER + {4: "I", 8: "Q"}[size], value)


def time(ns):
    return struct.pack(ORDER + "II", ns >> 32, ns & 0xFFFFFFFF)


def shb(*pairs, magic=pcapng.BYTE_ORDER_MAGIC, version=(1, 0)):
    return block(pcapng.SHB, struct.pack(ORDER + "IHHq", magic, *version, -1) + options(*pairs))


def idb(cpu=0, name=b"vb", description=None, tsresol=9, reserved=0, extra=()):
    description = b"vb CPU %d (rxtxcpu)" % cpu if description is None else description
    pairs = [(2, name), (3, description), (9, bytes([tsresol])), *extra]
    return block(pcapng.IDB, struct.pack(ORDER + "HHI", 1, reserved, 262000) + options(*pairs))


def epb(interface=0, ts=NOW + 1, caplen=None, length=60, flags=5, data=b"\xaa" * 60, extra=()):
    caplen = len(data) if caplen is None else caplen
    head = number(interface, 4) + time(ts) + number(caplen, 4) + number(length, 4)
    return block(pcapng.EPB, head + pad(data) + options((2, number(flags, 4)), *extra))


def isb(interface=0, received=1, dropped=0, delivered=1, extra=()):
    counters = ((4, received), (5, dropped), (6, received), (7, dropped), (8, delivered))
    pairs = [(2, time(NOW)), (3, time(NOW + 10)), *((code, number(value, 8)) for code, value in counters), *extra]
    return block(pcapng.ISB, number(interface, 4) + time(NOW + 10) + options(*pairs))


def check(*blocks, **expected):
    contract.check(pcapng.parse(b"".join(blocks)), **expected)


def test_a_right_file_is_taken():
    check(shb(), idb(0), idb(1), epb(1), isb(0, 0, 0, 0), isb(1))
    check(shb((4, b"rxtxcpu")), idb(), epb(extra=[(4, number(3, 8))]), isb(received=4, dropped=3))
    check(shb(), idb(), epb(extra=[(1, b"cpu=0")]), isb(), annotate="both")
    check(shb(), idb(), epb(), statistics=False)
    check(shb(), idb(), epb(), isb(received=9), exact_stop=True)


CUT = epb()[:-8]
WRONG_FILES = {
    "nothing": [],
    "no section": [idb()],
    "another byte order": [shb(magic=0x4D3C2B1A), idb()],
    "another version": [shb(version=(1, 2)), idb()],
    "a cut block": [shb(), idb(), CUT],
    "another length behind": [shb(), idb()[:-4] + number(8, 4)],
    "a length that is no multiple of 4": [shb(), struct.pack(ORDER + "II", 1, 22)],
    "a second section": [shb(), idb(), shb()],
    "a packet of no interface": [shb(), idb(), epb(1)],
    "statistics of no interface": [shb(), idb(), isb(1)],
    "more captured than there was": [shb(), idb(), epb(length=59)],
    "more captured than the block holds": [shb(), idb(), epb(caplen=600, length=600)],
    "padding that is not 0": [shb(), idb(), block(pcapng.EPB, number(0, 4) + time(NOW) + number(1, 4) * 2 + b"aaaa")],
    "reserved bytes that are not 0": [shb(), idb(reserved=1)],
    "options without an end": [shb(), block(pcapng.IDB, struct.pack(ORDER + "HHI", 1, 0, 1) + option(2, b"vb"))],
    "a text with a NUL": [shb(), idb(name=b"vb\0"), epb()],
    "a text that is not UTF-8": [shb(), idb(description=b"vb CPU \xff (rxtxcpu)"), epb()],
    "an option of a wrong size": [shb(), idb(), epb(extra=[(4, number(3, 4))])],
}


@pytest.mark.parametrize("fault", WRONG_FILES)
def test_what_is_no_pcapng_is_refused(fault):
    with pytest.raises(pcapng.Malformed):
        check(*WRONG_FILES[fault], statistics=False)


BROKEN = {
    "no interface": [shb()],
    "a section header beyond 2048 bytes": [shb((4, b"x" * 2048)), idb()],
    "a foreign block": [shb(), idb(), block(0xBAD, number(32473, 4))],
    "a name resolution block": [shb(), idb(), block(4, bytes(4))],
    "a time in microseconds": [shb(), idb(tsresol=6)],
    "no name": [shb(), idb(name=b"")],
    "a description without a CPU": [shb(), idb(description=b"vb")],
    "a description of another device": [shb(), idb(description=b"va CPU 0 (rxtxcpu)")],
    "one stream twice": [shb(), idb(0), idb(0)],
    "a verdict": [shb(), idb(), epb(extra=[(7, b"\0")])],
    "a local option": [shb(), idb(), epb(extra=[(0x8001, b"x")])],
    "a custom option": [shb(), idb(), epb(extra=[(2988, number(32473, 4))])],
    "no direction": [shb(), idb(), epb(flags=4)],
    "an unwanted comment": [shb(), idb(), epb(extra=[(1, b"cpu=0")])],
    "two packets of the wrong order": [shb(), idb(), epb(ts=NOW + 5), epb(ts=NOW + 4)],
    "a block beyond what dumpcap takes": [shb(), idb(), epb(data=bytes(262112), length=262112)],
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_breaks_the_contract_is_refused(fault):
    with pytest.raises(contract.Broken):
        check(*BROKEN[fault], statistics=False)


BROKEN_ENDS = {
    "no statistics": [],
    "statistics twice": [isb(), isb()],
    "statistics before the last packet": [isb(), epb()],
    "a wrong count of what is delivered": [isb(received=2, delivered=2)],
    "packets that are neither delivered nor dropped": [isb(received=2)],
    "a local option": [isb(extra=[(0x8000, b"x")])],
}


@pytest.mark.parametrize("fault", BROKEN_ENDS)
def test_a_wrong_end_is_refused(fault):
    with pytest.raises(contract.Broken):
        check(shb(), idb(), epb(), *BROKEN_ENDS[fault])


def test_a_comment_that_contradicts_the_interface_is_refused():
    with pytest.raises(contract.Broken):
        check(shb(), idb(), epb(extra=[(1, b"cpu=1")]), isb(), annotate="both")


@pytest.mark.parametrize("text, stream, host", [
    ("vb CPU 3 (rxtxcpu)", ("CPU", "3"), None),
    ("vb CPU 3 node 1 (rxtxcpu)", ("CPU", "3"), None),
    ("vb queue unknown (rxtxcpu)", ("queue", "unknown"), None),
    ("vb node 4294967294 colour 4 (rxtxcpu)", ("node", "4294967294"), None),
    ("web1:vb CPU 3 hook napi (rxtxcpu)", ("CPU", "3"), "web1"),
])
def test_a_description_is_read_by_its_grammar(text, stream, host):
    description = contract.parse_description(text, "vb")
    assert (description.name, description.stream, description.host) == ("vb", stream, host)


@pytest.mark.parametrize("text", [
    "vb (rxtxcpu)", "vb CPU (rxtxcpu)", "vb  CPU 3 (rxtxcpu)", "vb CPU 03 (rxtxcpu)", "vb CPU 4294967295 (rxtxcpu)",
    "vb CPU -1 (rxtxcpu)", "vb CPU 3", "vb CPU 3 (rxtxcpu) ", " vb CPU 3 (rxtxcpu)", "vb CPU 3 node (rxtxcpu)",
    "vb\t CPU 3 (rxtxcpu)", "vb CPU three (rxtxcpu)", "vb CPU 3 colour green (rxtxcpu)",
])
def test_a_description_outside_the_grammar_is_refused(text):
    with pytest.raises(contract.Broken):
        contract.parse_description(text, "vb")


def test_a_name_with_a_colon_is_not_taken_for_a_host():
    assert contract.parse_description("eth0:1 CPU 0 (rxtxcpu)", "eth0:1").host is None
