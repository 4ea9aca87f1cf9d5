"""Two network cards with several queues for a guest: taps of this machine, bridged in a namespace of their own."""

import contextlib

from lib import namespaces

from machine import N_QUEUES

ADDRESSES = {"qa": "02:00:00:00:00:01", "qb": "02:00:00:00:00:02"}


@contextlib.contextmanager
def wired():
    """The namespace that qemu must run in; what one card sends the other receives, and nothing else."""
    with namespaces.Namespace("cards") as namespace:
        namespace.ip("link add bridge type bridge stp_state 0 mcast_snooping 0")
        for name in ADDRESSES:
            namespace.ip(f"tuntap add dev {name} mode tap multi_queue")
            namespace.ip(f"link set {name} addrgenmode none txqueuelen 10000 master bridge up")  # loses nothing
            namespace.ip(f"link set {name} type bridge_slave learning off")  # all senders have one address
        namespace.ip("link set bridge addrgenmode none up")
        yield namespace


def words():
    """qemu's. Two vectors for each queue, and two for the card itself."""
    found = []
    for name, address in ADDRESSES.items():
        found += ["-netdev", f"tap,id={name},ifname={name},script=no,downscript=no,queues={N_QUEUES},vhost=off",
                  "-device", f"virtio-net-pci,netdev={name},mac={address},mq=on,vectors={2 * N_QUEUES + 2},romfile="]
    return found
