"""What the kernel tells about its receive path (net/core/net-procfs.c, softnet_seq_show)."""

import os

from lib.process import eventually

CPUS = sorted(os.sched_getaffinity(0))  # that a test may send from
_DROPPED, _BACKLOG, _CPU = 1, 11, 12


def _numbers(text):
    """The numbers of a list like 0,2-4."""
    ranges = [part.partition("-") for part in text.strip().split(",")]
    return [number for first, _dash, last in ranges for number in range(int(first), int(last or first) + 1)]


def cpus(which):
    """The CPUs that are 'online' or 'possible'."""
    with open(f"/sys/devices/system/cpu/{which}", encoding="ascii") as file:
        return _numbers(file.read())


def _softnet():
    with open("/proc/net/softnet_stat", encoding="ascii") as file:
        return [[int(word, 16) for word in line.split()] for line in file]


def softnet_dropped():
    """Packets lost before anybody could capture them, for each CPU."""
    return {row[_CPU]: row[_DROPPED] for row in _softnet()}


def wait_for_backlog():
    """Returns once no packet waits for its receive path: what was sent has been seen by every socket."""
    eventually(lambda: all(row[_BACKLOG] == 0 for row in _softnet()), "the receive backlog to drain")


def node_of(cpu):
    """The CPU's NUMA node, None where the kernel tells none."""
    nodes = [name for name in os.listdir(f"/sys/devices/system/cpu/cpu{cpu}") if name.startswith("node")]
    return int(nodes[0][4:]) if nodes else None
