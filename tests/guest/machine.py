"""What the guests are made of: how many CPUs, of which how many run, on which node each is, and which network cards."""

import os
from dataclasses import dataclass

N_CPUS = int(os.environ.get("RXTX_GUEST_CPUS", "8"))
if N_CPUS % 8 or not 8 <= N_CPUS <= 64:  # quarters of the CPUs must be pairs; the sender knows 64
    raise ValueError(f"RXTX_GUEST_CPUS={N_CPUS}: a multiple of 8, at most 64")

CPUS = range(N_CPUS)
NODES = range(2)
SLOWNESS = N_CPUS // 8  # the CPUs share one of this machine's
N_QUEUES = 4

# How to send. A block of a ring is used up as soon as it has one packet and 16 ms have passed; so what comes steadily
# needs a program that is awake again before all blocks are. What comes in bursts leaves it time: for CPUs offline
# when the capture began, which have the smallest ring of four blocks, and for a guest so slow that it sleeps for long.
IN_BURSTS = f"--burst --rate {320 // SLOWNESS}"
STEADILY = "--rate 1000" if SLOWNESS == 1 else IN_BURSTS
# How much memory a capture has, where there are several, and where there is one that must not lose anything.
BUFFER = f"-B {32 * SLOWNESS}"
MUCH = f"-B {64 * SLOWNESS}"


def node_of(cpu):
    return cpu * len(NODES) // N_CPUS


@dataclass(frozen=True)
class Machine:
    """`possible` is always all; of those, `present` are there, of which `online` run."""
    present: int = N_CPUS
    online: int = N_CPUS
    cards: bool = False  # two, with N_QUEUES queues each: what one sends the other receives

    def words(self, memory):
        """qemu's, but for the cards."""
        words = ["-smp", f"{self.present},maxcpus={N_CPUS}", "-m", f"{memory}M"]
        for node in NODES:
            cpus = [cpu for cpu in CPUS if node_of(cpu) == node]
            words += ["-object", f"memory-backend-ram,id=memory{node},size={memory // len(NODES)}M",
                      "-numa", f"node,nodeid={node},cpus={cpus[0]}-{cpus[-1]},memdev=memory{node}"]
        return words

    def parameters(self):
        """The kernel's."""
        return f"maxcpus={self.online}" if self.online < self.present else ""


WHOLE = Machine()
PARTLY = Machine(present=N_CPUS * 3 // 4, online=N_CPUS // 2)
WITH_CARDS = Machine(cards=True)
