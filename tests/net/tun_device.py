"""A tun device that claims to be hardware of any kind: `make NAME ARPHRD`, then `write NAME HEX…`, each a packet."""

import fcntl
import os
import struct
import sys

TUNSETIFF, TUNSETPERSIST, TUNSETLINK = 0x400454CA, 0x400454CB, 0x400454CD
IFF_TUN = 0x0001
ETHERTYPES = {4: 0x0800, 6: 0x86DD}


def attach(name):
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN))
    return device


def make(name, hardware):
    device = attach(name)
    fcntl.ioctl(device, TUNSETLINK, int(hardware))
    fcntl.ioctl(device, TUNSETPERSIST, 1)


def write(name, *packets):
    """In front of each packet stands what the kernel takes its type from (struct tun_pi)."""
    device = attach(name)
    for packet in map(bytes.fromhex, packets):
        os.write(device, struct.pack(">HH", 0, ETHERTYPES.get(packet[0] >> 4, 0x88B5)) + packet)


if __name__ == "__main__":
    {"make": make, "write": write}[sys.argv[1]](*sys.argv[2:])
