"""A tun device that claims to be hardware of any kind, and a tap device with several queues, whose driver records them.

As a program, inside a namespace: `make NAME ARPHRD`, `write NAME HEX…` (each a packet), `queues NAME COUNT…` (attaches as
many queues, and at SIGUSR1 puts so many frames into each)."""

import fcntl
import os
import signal
import struct
import sys

TUNSETIFF, TUNSETPERSIST, TUNSETLINK = 0x400454CA, 0x400454CB, 0x400454CD
IFF_TUN, IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI = 0x0001, 0x0002, 0x0100, 0x1000
ETHERTYPES = {4: 0x0800, 6: 0x86DD}
FRAME = bytes.fromhex("ffffffffffff" "020000000009" "88b5") + bytes(46)


def maker(hardware, name="tun0"):
    return [sys.executable, __file__, "make", name, str(hardware)]


def writer(packets, name="tun0"):
    return [sys.executable, __file__, "write", name, *(packet.hex() for packet in packets)]


def make_device(namespace, hardware, name="tun0"):
    namespace.run(*maker(hardware, name))
    namespace.ip(f"link set {name} up")


def write_packets(namespace, packets, name="tun0"):
    namespace.run(*writer(packets, name))


def make_queues(namespace, name="tap0"):
    namespace.ip(f"tuntap add dev {name} mode tap multi_queue")
    namespace.ip(f"link set {name} addrgenmode none up")


def attach_queues(namespace, counts, name="tap0"):
    """The words of a program that holds as many queues and, at SIGUSR1, has counts[i] frames received on queue i. It says
    `attached` before and ends behind that."""
    return namespace.inside(sys.executable, __file__, "queues", name, *map(str, counts))


def _attach(name, flags):
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    return device


def _make(name, hardware):
    device = _attach(name, IFF_TUN)
    fcntl.ioctl(device, TUNSETLINK, int(hardware))
    fcntl.ioctl(device, TUNSETPERSIST, 1)


def _write(name, *packets):
    """In front of each packet stands what the kernel takes its type from (struct tun_pi)."""
    device = _attach(name, IFF_TUN)
    for packet in map(bytes.fromhex, packets):
        os.write(device, struct.pack(">HH", 0, ETHERTYPES.get(packet[0] >> 4, 0x88B5)) + packet)


def _queues(name, *counts):
    """The kernel numbers queues in the order in which they are attached."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    devices = [_attach(name, IFF_TAP | IFF_MULTI_QUEUE | IFF_NO_PI) for _count in counts]
    print("attached", flush=True)
    signal.sigwait({signal.SIGUSR1})
    for device, count in zip(devices, counts, strict=True):
        for _frame in range(int(count)):
            os.write(device, FRAME)


if __name__ == "__main__":
    {"make": _make, "write": _write, "queues": _queues}[sys.argv[1]](*sys.argv[2:])
