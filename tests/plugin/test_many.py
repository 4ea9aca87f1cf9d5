"""Many packets, many flows and many CPUs in one file."""

import struct

import experts
import tables
from capture import RECEIVED, START, interface, section
from story import A, B, udp
from test_statistics import FLOWS, STAT, SYMMETRY, ask

DIRECTION = struct.pack("<HHIHH", 2, 4, RECEIVED, 0, 0)


def write_many(path, cpus, packets):
    """A capture of one device. packets: for each the CPU and its bytes; a microsecond apart."""
    parts = [section(), *[interface(f"eth0 CPU {cpu} (rxtxcpu)") for cpu in range(cpus)]]
    for number, (cpu, data) in enumerate(packets):
        time, size = START + number * 1000, len(data)
        body = data + bytes(-size % 4) + DIRECTION
        length = 32 + len(body)
        parts.append(struct.pack("<7I", 6, length, cpu, time >> 32, time & 0xFFFFFFFF, size, size) + body +
                     struct.pack("<I", length))
    path.write_bytes(b"".join(parts))
    return path


def noted(user, path, *names):
    """The packets that have one of these fields, with their numbers."""
    rows = user.fields(path, "frame.number", *names, args=("-Y", " || ".join(names)))
    return [[int(row[0]), *row[1:]] for row in rows]


def test_a_packet_that_comes_1000_times_among_100000_others_is_found_and_warned_of_once(user):
    """Of every 101 packets one is stuck; all others differ in four bytes."""
    stuck = udp((200, 7), B, b"stuck" * 20)
    begin, end = stuck[:60], stuck[64:]
    packets = [(number % 4, begin + struct.pack(">I", number) + end) for number in range(101 * 1001)]
    packets[50::101] = [(3, stuck)] * 1001
    path = write_many(user.home / "many.pcapng", 4, packets)
    found = noted(user, path, "rxtxcpu.repeat", "rxtxcpu.repeat.of", "rxtxcpu.expert.repeat")
    assert [row[:3] for row in found] == [[51 + 101 * count, str(count), "51"] for count in range(1, 1001)]
    assert [row[0] for row in found if row[3]] == [51 + 101 * 100]


def test_10000_flows_have_their_numbers_and_each_its_cpus(user):
    """Each flow has a packet on one of 16 CPUs; then each tenth another one, on the next CPU."""
    ends = [((10 + number % 100, 1000 + number // 100), B) for number in range(10_000)]
    first = [(number % 16, udp(*pair)) for number, pair in enumerate(ends)]
    again = [((number + 1) % 16, udp(*pair)) for number, pair in enumerate(ends) if number % 10 == 0]
    path = write_many(user.home / "flows.pcapng", 16, first + again)
    assert user.field(path, "rxtxcpu.flow") == [str(number) for number in [*range(1, 10_001), *range(1, 10_001, 10)]]
    found = tables.statistics(ask(user, path, STAT, f"{FLOWS},100000", SYMMETRY))
    together = found["Packets per CPU"].tables["Together"][0]
    assert together[2] == "11000" and together[7:10] == ["10000", "1000", "1000"]
    shares = found["Flows per CPU"].tables["The largest flows of each CPU"]
    assert len(shares) == 11_000
    assert sorted({int(row[6]) for row in shares}) == list(range(1, 10_001))
    assert {row[3] for row in shares if int(row[6]) % 10 == 1} == {"2"}
    assert {row[3] for row in shares if int(row[6]) % 10 != 1} == {"1"}
    assert all(row[1:] == ["0"] * 4 for row in found["Symmetry of flows"].tables["Flows with both directions"])


def test_a_flow_that_every_cpu_of_a_large_machine_handles_moves_each_time(user):
    path = write_many(user.home / "cpus.pcapng", 256, [(cpu, udp(A, B)) for cpu in [*range(256), *range(256)]])
    rows = user.fields(path, "rxtxcpu.flow.cpus", "rxtxcpu.flow.prev_cpu", "rxtxcpu.flow.moved")
    assert rows == [[str(min(number + 1, 256)), str((number - 1) % 256) if number else "", "1" if number else ""]
                    for number in range(512)]
    assert len(experts.in_the_table(user, path)) == 256
