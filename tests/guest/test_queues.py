"""Cards with several queues. Which CPU takes a queue's interrupts, and which queue a CPU sends on, is told to the
kernel; so a packet's CPU, as another capture of the same packets has it, proves its queue."""

import pytest

from cards import ADDRESSES
from lab import from_cpus
from lib import contract, pcapng
from lib.frames import mark_of
from machine import BUFFER, CPUS, IN_BURSTS, N_CPUS, N_QUEUES, SLOWNESS, WITH_CARDS

A, B = ADDRESSES.values()
COUNT = 100
FIRST = 10  # on their way interrupts move to the CPUs that they were given
PORTS = range(41000, 41004)  # each makes another flow of each CPU's packets, and the host spreads flows over queues
SENDERS = CPUS[::SLOWNESS]  # eight: more at once are more than the host's own queues hold
FLOWS = len(PORTS) * len(SENDERS)
TAKES = {queue: N_CPUS - 1 - 2 * queue for queue in range(N_QUEUES)}  # {queue: the CPU that receives for it}
SENDS_ON = {cpu: (3 * (cpu // SLOWNESS) + 1) % N_QUEUES for cpu in CPUS}
CHOSEN = [0, N_QUEUES - 1]


def _send(label, count):
    return "\n".join(f"attempt {label}-{name}-{port} {name} sender --interface q{name} --dst {to} --udp {port}"
                     f" {from_cpus(SENDERS)} --count {count} {IN_BURSTS}"
                     for port in PORTS for name, to in (("a", B), ("b", A)))


def _mask(queue):
    return f"{sum(1 << cpu for cpu, on in SENDS_ON.items() if on == queue):x}"


PREPARE = "\n".join(f"receive_on b qb {queue} {TAKES[queue]}\nsend_on b qb {queue} {_mask(queue)}" for queue in TAKES)
STORY = f"""
    plug eth0 a qa
    plug eth1 b qb
    {PREPARE}
    {_send("first", FIRST)}
    count_of() {{ ip netns exec "$1" cat "/sys/class/net/q$1/statistics/rx_packets"; }}
    have_received() {{ [ "$(count_of a)" -ge "$1" ] && [ "$(count_of b)" -ge "$1" ]; }}
    eventually "the first packets to be through" have_received {FIRST * FLOWS}
    capture_on cpus b qb {BUFFER}
    capture_on queues b qb {BUFFER} --group queue
    capture_on chosen b qb {BUFFER} --group queue --queue-list {",".join(map(str, CHOSEN))}
    {_send("all", COUNT)}
    eventually "all packets to be through" have_received {(FIRST + COUNT) * FLOWS}
    stop cpus queues chosen
"""
TOTAL = COUNT * FLOWS  # in each direction


def _name(packet):
    """What tells a packet from all others."""
    mark = mark_of(packet)
    return packet.direction, mark.cpu, mark.time_ns, mark.seq


def _queue_of(packet):
    """By its interface, and its own option tells the same."""
    key, value = contract.description_of(packet.interface).stream
    assert key == "queue" and packet.options.number(pcapng.EPB_QUEUE) == int(value)
    return int(value)


def _in_direction(result, direction):
    return {_name(packet): packet for packet in result.packets if packet.direction == direction}


@pytest.mark.story(STORY, WITH_CARDS)
def test_what_a_queue_received_is_what_the_cpu_of_its_interrupts_received(outcome):
    by_cpu = _in_direction(outcome.capture("cpus"), "rx")
    by_queue = _in_direction(outcome.grouped("queues"), "rx")
    assert set(by_cpu) == set(by_queue) and len(by_queue) == TOTAL
    wrong = [name for name, packet in by_queue.items() if contract.cpu_of(by_cpu[name]) != TAKES[_queue_of(packet)]]
    assert not wrong, f"{len(wrong)} of {TOTAL} are not on the CPU of their queue: {wrong[:5]}"
    assert len(set(map(_queue_of, by_queue.values()))) > 1, "all came on one queue, which proves nothing"


@pytest.mark.story(STORY, WITH_CARDS)
def test_what_a_queue_sent_is_what_the_cpus_that_send_on_it_sent(outcome):
    by_cpu = _in_direction(outcome.capture("cpus"), "tx")
    by_queue = _in_direction(outcome.grouped("queues"), "tx")
    assert set(by_cpu) == set(by_queue) and len(by_queue) == TOTAL
    for name, packet in by_queue.items():
        cpus = mark_of(packet).cpu, contract.cpu_of(by_cpu[name])  # of those that share a queue one may send for both
        assert {SENDS_ON[cpu] for cpu in cpus} == {_queue_of(packet)}, f"from CPU {cpus[0]}, sent by CPU {cpus[1]}"


@pytest.mark.story(STORY, WITH_CARDS)
def test_every_queue_accounts_for_its_packets(outcome):
    result = outcome.grouped("queues")
    counts = {}
    for packet in result.packets:
        counts[f"queue {_queue_of(packet)}"] = counts.get(f"queue {_queue_of(packet)}", 0) + 1
    groups = result.groups()
    assert list(groups) == [f"queue {queue}" for queue in range(N_QUEUES)]
    assert {name: count for name, count in groups.items() if count} == counts
    for interface in result.file.interfaces:
        isb, = interface.statistics
        numbers = [isb[code] for code in (pcapng.ISB_IFRECV, pcapng.ISB_IFDROP, pcapng.ISB_USRDELIV)]
        assert numbers == [groups[" ".join(contract.description_of(interface).stream)], 0, numbers[0]]


@pytest.mark.story(STORY, WITH_CARDS)
def test_chosen_queues_have_their_packets_and_no_other(outcome):
    every, chosen = (outcome.grouped(name) for name in ("queues", "chosen"))
    expected = {_name(packet): _queue_of(packet) for packet in every.packets if _queue_of(packet) in CHOSEN}
    assert {_name(packet): _queue_of(packet) for packet in chosen.packets} == expected
    assert len(chosen.packets) == len(expected) > 0
