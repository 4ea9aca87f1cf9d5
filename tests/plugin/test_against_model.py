"""What the fields say of captures made at random, in the real TShark, against model.py, field by field.

Each capture is made from a seed, so a failure can be had again:

    RXTX_SEEDS=7 /usr/bin/python3 -m pytest --rootdir=tests tests/plugin/test_against_model.py
    RXTX_SEEDS=100-400 ...                                             # a night's worth of others
"""

import functools
import os
import re

import pytest

import capture
import generator
import model
from lib import wireshark as installed
from wireshark_user import WRITTEN_IN, new_user

FIRST, _, LAST = os.environ.get("RXTX_SEEDS", "1-10").partition("-")
SEEDS = range(int(FIRST), int(LAST or FIRST) + 1)

FIELDS = {"plugin": model.FIELDS, "lua": tuple("rxtxcpu." + name for name in (
    "host", "cpu", "queue", "node", "direction", "drops", "late", "flow", "flow.prev_cpu", "flow.moved"))}

# In columns, as these are what Wireshark shows of addresses and ports: not resolved, and after all layers.
COLUMNS = ('"source","%us","target","%ud","source port","%uS","target port","%uD",'
           '"layers","%Cus:frame.protocols:0:U","tcp","%Cus:tcp.stream:0:U","udp","%Cus:udp.stream:0:U"')

MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}$")


def shown_facts(line):
    """What a TShark without our plugin shows of a packet, as keywords for model.Packet.

    What a tunnel over UDP holds may have Ethernet addresses and no ports of its own: then Wireshark still has those of
    the tunnel, and no conversation that goes with them.
    """
    source, _arrow, target, *rest = (cell.strip() for cell in line.split("\t"))
    source_port, target_port, layers, tcp, udp = rest
    facts = {"source": source, "target": target}
    layers = layers.split(":")
    types = [layer for layer in layers if layer in model.PORT_TYPES]
    if types and source_port and "icmp" not in layers and "icmpv6" not in layers:
        streams = {"tcp": tcp, "udp": udp}.get(types[-1], "") if not MAC.match(source) else ""
        facts.update(port_type=types[-1], ports=(int(source_port), int(target_port)),
                     conversation=int(streams.split(",")[-1]) if streams else None)
    return facts


def is_introduced(seed):
    """Whether each interface has a packet before the flows begin: the Lua file knows none before its first packet."""
    return seed % 2 == 0


def judged(whole):
    """(the bytes of a capture's file, what the model says of its packets)"""
    with new_user() as plain:
        path = capture.write(plain.home / "plain.pcapng", *whole.blocks())
        out = plain.run("tshark", "-r", path, "-T", "tabs", "-o", f"gui.column.format:{COLUMNS}")
        shown = [shown_facts(line) for line in out.rstrip("\n").split("\n")]
        packets = whole.packets(shown, knows_sections=float(installed.version()) >= 4.4)
        return path.read_bytes(), model.answers(packets)


@functools.cache
def made(seed):
    return judged(generator.make(seed, introduced=is_introduced(seed)))


def as_shown(field, value):
    if value is None:
        return ""
    return f"{value:#010x}" if field == "rxtxcpu.hash" else str(value)


def differences(said, expected, fields):
    """A line for each value that is wrong."""
    assert len(said) == len(expected)
    return [f"frame {frame}: {field} is {got or 'absent'}, not {right or 'absent'}"
            for frame, (row, answer) in enumerate(zip(said, expected), 1)
            for field, got in zip(fields, row)
            for right in [as_shown(field, answer.get(field))]
            if got != right]


def assert_is_right(written_in, data, expected, hint=""):
    fields = FIELDS[written_in]
    with new_user(WRITTEN_IN[written_in]) as user:
        path = user.home / "made.pcapng"
        path.write_bytes(data)
        for passes in ((), ("-2",)):
            wrong = differences(user.fields(path, *fields, args=passes), expected, fields)
            assert not wrong, f"{len(wrong)} differences with {passes or 'one pass'}{hint}\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize(("written_in", "seed"), [
    (written_in, seed) for written_in in WRITTEN_IN for seed in SEEDS if written_in != "lua" or is_introduced(seed)])
def test_every_field_of_every_packet_is_what_the_model_says(written_in, seed):
    assert_is_right(written_in, *made(seed), hint=f"; for this capture alone set RXTX_SEEDS={seed}")


@pytest.mark.parametrize("written_in", WRITTEN_IN)
def test_of_more_cpus_than_can_be_followed_the_first_ones_are(written_in):
    assert_is_right(written_in, *judged(generator.on_many_cpus(1030)))


def test_a_wrong_order_is_put_down_to_a_move_when_the_later_segment_came_at_most_10_ms_before():
    gaps = [9 * model.MS, 10 * model.MS, 10 * model.MS + 1, 10_900_000, 11 * model.MS]
    data, expected = judged(generator.overtaken(gaps))
    reordered = ["rxtxcpu.flow.reordered_by_move" in fields for fields in expected]
    assert reordered == [False, True] * 2 + [False, False] * 3
    assert_is_right("plugin", data, expected)


def test_the_captures_have_what_they_are_made_for():
    """A generator that no longer makes something would let its field pass untested."""
    times = {field: 0 for field in model.FIELDS}
    for seed in SEEDS:
        for fields in made(seed)[1]:
            for field in fields:
                times[field] += 1
    assert min(times.values()) >= 3 * len(SEEDS), times
