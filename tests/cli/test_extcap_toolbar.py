"""What Wireshark's toolbar is told while a capture runs: losses, in its log and in the status bar."""

import struct
from dataclasses import dataclass

import pytest

from lib import contract, pcapng
from lib.extcap import ExtcapCapture
from lib.process import eventually
from lib.sender import send

ADD, STATUS_BAR = 2, 6
LOG = 0


@dataclass(frozen=True)
class Message:
    control: int
    command: int
    text: str


def messages(data):
    """All of what was written so far; a message is whole, for each was written at once."""
    found = []
    while data:
        sync, high, low, control, command = struct.unpack_from(">sBHBB", data)
        length = (high << 16) + low
        assert sync == b"T" and len(data) >= 4 + length, data
        found.append(Message(control, command, data[6 : 4 + length].decode()))
        data = data[4 + length :]
    return found


@pytest.fixture
def running(veth, scratch, cleanup):
    """A capture with the smallest buffers."""
    options = ("--direction", "rx", "--buffer-size", 1)
    return cleanup.enter_context(ExtcapCapture(veth.b, "vb", *options, folder=scratch, toolbar=True)).wait_until_live()


def lose(veth, running, cpus):
    """More than fits, to a program that does not read; a loss is told with the packet behind it."""
    with running.frozen():
        send(veth.a, "va", cpus, count=5000, size=1000)
    send(veth.a, "va", cpus, count=10, rate=1000)


def told(running):
    return messages(running.control_out.data)


def dropped(result):
    """{cpu: packets} by the statistics, of those that lost any."""
    lost = {contract.description_of(interface).cpu: interface.statistics[0][pcapng.ISB_IFDROP]
            for interface in result.interfaces}
    return {cpu: count for cpu, count in lost.items() if count}


@pytest.mark.threads
def test_losses_are_told_while_the_capture_runs_once_each_and_in_both_places(veth, running, two_cpus):
    lose(veth, running, two_cpus)
    eventually(lambda: len(told(running)) >= 4, "two messages for each CPU")
    assert running.running
    logged = [message.text for message in told(running) if message.command == ADD]
    shown = [message.text for message in told(running) if message.command == STATUS_BAR]
    assert [message.control for message in told(running)] == [LOG] * 4
    result = running.stop()
    lost = dropped(result)
    assert set(lost) == set(two_cpus)
    assert shown == [f"{lost[cpu]} packets lost on cpu{cpu}, the buffer was full" for cpu in two_cpus]
    assert logged == [f"{line}\n" for line in shown]
    assert len(told(running)) == 4, "something was told again"


def test_each_further_loss_is_told_by_how_much_it_was(veth, running, two_cpus):
    cpu = two_cpus[0]
    for number in (1, 2):
        lose(veth, running, [cpu])
        eventually(lambda: len(told(running)) == 2 * number, "a loss")
    numbers = [int(message.text.split()[0]) for message in told(running) if message.command == ADD]
    assert sum(numbers) == dropped(running.stop())[cpu]


def test_a_loss_with_no_packet_behind_it_is_told_at_the_end(veth, running, two_cpus):
    with running.frozen():
        send(veth.a, "va", two_cpus[:1], count=5000, size=1000)
    lost = dropped(running.stop())
    assert [message.text for message in told(running)][0] == \
        f"{lost[two_cpus[0]]} packets lost on cpu{two_cpus[0]}, the buffer was full\n"


def test_without_a_loss_nothing_is_told(veth, running):
    send(veth.a, "va", count=10)
    running.stop()
    assert told(running) == []


def test_a_toolbar_that_is_closed_when_a_loss_is_told_does_not_end_the_capture(veth, running, two_cpus):
    running.control_out.close_reader()
    lose(veth, running, two_cpus)
    assert set(dropped(running.stop())) == set(two_cpus)
