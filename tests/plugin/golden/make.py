#!/usr/bin/python3
"""Makes the captures in this folder again, and beside each what is true of its packets (as root, with the build `dev`).

    tests/plugin/golden/make.py [NAME...]

Nothing here asks the plugin: which CPU handled a packet is what its sender wrote into it, and what follows of that is
worked out by ../model.py. What a capture tells of the machine it was made on is taken out, see ORIGIN.md.
"""

import contextlib
import pathlib
import signal
import struct
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]
sys.dont_write_bytecode = True

import capture as blocks  # noqa: E402
import generator  # noqa: E402
import model  # noqa: E402
from lib import contract, pcapng, walker  # noqa: E402
from lib.capture import Capture  # noqa: E402
from lib.namespaces import Namespace, VethPair  # noqa: E402
from test_against_model import judged  # noqa: E402

A, B = ("10.66.0.1", 40000), ("10.66.0.2", 40001)
QUEUE_OF_CPU = "for q in 0 1; do echo $((1 << q)) > /sys/class/net/vb/queues/tx-$q/xps_cpus; done"
RARE_SEED, RARE_PACKETS = 10, 150


# --- what a file may not tell ----------------------------------------------------------------------------------------

USERAPPL, INTERFACE_TIMES = 4, (2, 3)


def shifted(high, low, by):
    time = (high << 32 | low) + by
    return struct.pack("<II", time >> 32, time & 0xFFFFFFFF)


def scrubbed(data):
    """The file as if made at capture.START, by a machine that nothing is known of: no hardware, system or comments."""
    whole = pcapng.parse(data)
    by = blocks.START - whole.packets[0].ts_ns
    interfaces, statistics, out = iter(whole.interfaces), {}, []
    for block in whole.blocks:
        body = block.body
        if block.type == pcapng.SHB:
            kept = [blocks.option(code, value) for code, value in whole.section if code == USERAPPL]
            out.append(blocks.block(block.type, body[:16], kept))
        elif block.type == pcapng.IDB:
            kept = [blocks.option(code, value) for code, value in next(interfaces).options
                    if code in (pcapng.IF_NAME, pcapng.IF_DESCRIPTION, pcapng.IF_TSRESOL)]
            out.append(blocks.block(block.type, body[:8], kept))
        elif block.type in (pcapng.EPB, pcapng.ISB):
            number, high, low = struct.unpack_from("<III", body)
            rest = body[12:] if block.type == pcapng.EPB else b""
            options = []
            if block.type == pcapng.ISB:
                place = statistics[number] = statistics.get(number, -1) + 1
                for code, value in whole.interfaces[number].statistics[place].options:
                    if code in INTERFACE_TIMES:
                        value = shifted(*struct.unpack("<II", value), by)
                    options.append(blocks.option(code, value))
            out.append(blocks.block(block.type, struct.pack("<I", number) + shifted(high, low, by) + rest, options))
    return b"".join(out)


# --- what is true ----------------------------------------------------------------------------------------------------

ETHERNET, IP = 14, 20
PORT_TYPES = {6: "tcp", 17: "udp"}


def payload_of(data):
    """What a socket sent, without the padding of a short frame."""
    ip_length = struct.unpack_from(">H", data, ETHERNET + 2)[0]
    at = ETHERNET + IP
    header = data[at + 12] // 16 * 4 if data[ETHERNET + 9] == 6 else 8
    return data[at + header : ETHERNET + ip_length]


def marked_cpus(packets):
    """The CPU of each packet by the marks. One without (of TCP) is where the thread was: at the mark before."""
    marks = [payload_of(packet.data) for packet in packets]
    cpus = [struct.unpack_from(">I", mark, 4)[0] if mark.startswith(b"RXTX") else None for mark in marks]
    last = next(cpu for cpu in cpus if cpu is not None)
    for place, cpu in enumerate(cpus):
        cpus[place] = last = last if cpu is None else cpu
    return cpus


def true_packets(file, record):
    """For the model. record: from (packet, CPU) to what was recorded of it, as keywords."""
    for packet, cpu in zip(file.packets, marked_cpus(file.packets)):
        data = packet.data
        port_type = PORT_TYPES[data[ETHERNET + 9]]
        yield model.Packet(
            frame=packet.number, time=packet.ts_ns, device=packet.interface.name, **record(packet, cpu),
            way={"rx": model.RECEIVED, "tx": model.SENT}[packet.direction], data=data, length=packet.len,
            source=data[26:30].hex(), target=data[30:34].hex(), port_type=port_type,
            ports=struct.unpack_from(">HH", data, ETHERNET + IP))


def by_cpu(packet, cpu):
    assert contract.cpu_of(packet) == cpu, f"packet {packet.number}"
    return {"cpu": cpu}


def by_queue(packet, cpu):
    """What is sent goes to the queue of the CPU, and of what is received the driver records none."""
    return {"queue": cpu} if packet.direction == "tx" else {}


def written_out(answers):
    """A table with a line for each packet and a column for each field that a packet has; "-" is none."""
    names = [name for name in model.FIELDS if any(name in fields for fields in answers)]
    rows = [["frame", *[name.removeprefix("rxtxcpu.") for name in names]]]
    for frame, fields in enumerate(answers, 1):
        rows.append([str(frame), *[shown(name, fields.get(name)) for name in names]])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths)).rstrip() + "\n" for row in rows)


def shown(name, value):
    if value is None:
        return "-"
    return f"{value:#010x}" if name == "rxtxcpu.hash" else str(value)


# --- the captures ----------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def captured(namespace, device, into, *options):
    """The capture that the program makes meanwhile is into["data"] afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "capture.pcapng"
        with Capture(namespace, device, *options, output=path) as running:
            yield
            running.stop()
        into["data"] = path.read_bytes()


@contextlib.contextmanager
def pair():
    with VethPair(queues=4) as veth:
        veth.give_addresses(A[0], B[0])
        yield veth


def walk(sockets, cpus):
    for seq, cpu in enumerate(cpus):
        walker.say(*sockets, cpu, seq)


def udp_move(made):
    with pair() as veth, contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(one) for one in walker.udp_ends([(veth.a, A), (veth.b, B)])]
        with captured(veth.b, "vb", made, "-d", "rx"):
            walk(sockets, [0] * 5 + [1] * 5 + [0] * 2 + [1] * 3)


def comment(made):
    with pair() as veth, contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(one) for one in walker.udp_ends([(veth.a, A), (veth.b, B)])]
        with captured(veth.b, "vb", made, "--annotate", "comment"):
            walk(sockets, [0, 0, 1, 1])
            walk(sockets[::-1], [1, 0, 0])
            walk(sockets, [1, 0])


def queues(made):
    """A socket keeps its queue, so there is one for each CPU. Which CPU a packet was on is not in such a capture."""
    with pair() as veth, contextlib.ExitStack() as open_sockets, tempfile.TemporaryDirectory() as folder:
        veth.b.shell(QUEUE_OF_CPU)
        each = [[open_sockets.enter_context(one) for one in walker.udp_ends(
            [(veth.a, (A[0], A[1] + cpu)), (veth.b, (B[0], B[1] + cpu))])] for cpu in (0, 1)]
        path = pathlib.Path(folder) / "capture.pcapng"
        with Capture(veth.b, "vb", "--group", "queue", "-w", path) as running:
            for cpu in (0, 1, 1, 0):
                walk(each[cpu], [cpu])
                walk(each[cpu][::-1], [cpu] * 2)
            running.signal(signal.SIGINT)
            assert running.wait() == 0, running.stderr.text
        made["data"] = path.read_bytes()


def lo_split(made):
    with Namespace("lo") as namespace, contextlib.ExitStack() as open_sockets:
        namespace.ip("link set lo up")
        ends = [(namespace, ("127.0.0.1", port)) for port in (A[1], B[1])]
        sockets = [open_sockets.enter_context(one) for one in walker.udp_ends(ends)]
        with captured(namespace, "lo", made):
            for seq in range(5):
                walker.say(*sockets, 0, seq)
                walker.say(*sockets[::-1], 1, seq)


def tcp_move(made):
    """Questions and answers on CPU 0, then on CPU 1. The time stamps of TCP would tell how long the machine was up."""
    with pair() as veth, captured(veth.b, "vb", made):
        for namespace in (veth.a, veth.b):
            namespace.shell("echo 0 > /proc/sys/net/ipv4/tcp_timestamps")
        walker.go_to(0)
        sockets = walker.tcp_ends([(veth.a, A), (veth.b, B)])
        for seq, cpu in enumerate([0] * 6 + [1] * 6):
            walker.say(*sockets, cpu, seq)
            walker.say(*sockets[::-1], cpu, seq)
        for one in sockets:
            one.close()


def rare(made):
    """By the generator, no capture of a machine: what Wireshark alone can say of it is asked of a TShark without us."""
    whole = generator.make(RARE_SEED, RARE_PACKETS)
    assert len(whole.sections) == 1, "only newer Wiresharks know the interfaces of a second section"
    made["file"], made["answers"] = judged(whole)


def real(make, record):
    def made(into):
        with walker.walking():
            make(into)
        into["file"] = scrubbed(into["data"])
        into["answers"] = model.answers(list(true_packets(pcapng.parse(into["file"]), record)))
    return made


CAPTURES = {
    "udp-move": real(udp_move, by_cpu),
    "lo-split": real(lo_split, by_cpu),
    "tcp-move": real(tcp_move, by_cpu),
    "queues": real(queues, by_queue),
    "comment": real(comment, by_cpu),
    "rare": rare,
}


def main():
    for name in sys.argv[1:] or CAPTURES:
        made = {}
        CAPTURES[name](made)
        (HERE / f"{name}.pcapng").write_bytes(made["file"])
        (HERE / f"{name}.txt").write_text(written_out(made["answers"]), encoding="ascii")
        print(f"{name}: {len(made['answers'])} packets, {len(made['file'])} bytes")


if __name__ == "__main__":
    main()
