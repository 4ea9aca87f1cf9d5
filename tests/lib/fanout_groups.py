"""Another program with fan-out groups of its own. As a program: `INTERFACE ID…` makes a group with each id, of each
kind in turn, says `holding`, and at SIGUSR1 how many packets each has been given."""

import re
import signal
import socket
import struct
import sys

TELL = signal.SIGUSR1
SOL_PACKET, PACKET_FANOUT, PACKET_STATISTICS, ETH_P_ALL = 263, 18, 6, 3
KINDS = (0, 1, 2, 4, 5)  # hash, load balance, CPU, random, queue mapping


def holder(namespace, interface, ids):
    return namespace.inside(sys.executable, __file__, interface, *map(str, ids))


def heard(process):
    """{id: packets} that its groups were given, once it was told to tell."""
    assert process.wait() == 0, process.stderr.text
    return {int(group): int(count) for group, count in re.findall(r"^(\d+) (\d+)$", process.stdout.text, re.MULTILINE)}


def _member(interface, group, kind):
    """Its buffer need not hold what it is given: the kernel counts it all the same."""
    member = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    member.bind((interface, ETH_P_ALL))
    member.setsockopt(SOL_PACKET, PACKET_FANOUT, struct.pack("I", group | kind << 16))
    return member


def _count(member):
    """What it was given, dropped or not (packet_getsockopt)."""
    return struct.unpack("II", member.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[0]


def _hold(interface, *ids):
    signal.pthread_sigmask(signal.SIG_BLOCK, {TELL})
    groups = {group: _member(interface, int(group), KINDS[number % len(KINDS)]) for number, group in enumerate(ids)}
    print("holding", flush=True)
    signal.sigwait({TELL})
    for group, member in groups.items():
        print(group, _count(member))


if __name__ == "__main__":
    _hold(*sys.argv[1:])
