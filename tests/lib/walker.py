"""Sends from the calling thread, which goes from CPU to CPU as a test says. Each payload is the mark of its CPU.

Every packet has been received before the next one is sent, so that it was handled where the thread is.
"""

import contextlib
import ctypes
import os
import socket
import struct

SIZE = 24  # of a mark, as tests/net/sender.c writes it
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _enter(descriptor):
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(namespace):
    """What the thread opens meanwhile belongs to the namespace."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace.name}", os.O_RDONLY)
    try:
        _enter(there)
        yield
    finally:
        _enter(own)
        os.close(there)
        os.close(own)


@contextlib.contextmanager
def walking():
    """Afterwards the thread may run everywhere again."""
    cpus = os.sched_getaffinity(0)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)


def go_to(cpu):
    """The thread is there when this returns."""
    os.sched_setaffinity(0, {cpu})


def mark(cpu, seq):
    return struct.pack(">4sIQQ", b"RXTX", cpu, seq, 0)


def udp_ends(ends):
    """A socket for each (namespace, (address, port)), the two connected with each other."""
    sockets = []
    for namespace, end in ends:
        with inside(namespace):
            sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sockets[-1].bind(end)
        sockets[-1].settimeout(5)
    for one, (_namespace, end) in zip(sockets, reversed(ends)):
        one.connect(end)
    return sockets


def tcp_ends(ends):
    """The two ends of a connection, the first of which made it."""
    with inside(ends[1][0]):
        listener = socket.create_server(ends[1][1])
    with inside(ends[0][0]):
        client = socket.socket()
    with listener:
        client.bind(ends[0][1])
        client.connect(ends[1][1])
        server, _peer = listener.accept()
    for one in (client, server):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.settimeout(5)
    return client, server


def say(source, target, cpu, seq, payload=None):
    """A packet from one socket to the other, handled on a CPU."""
    go_to(cpu)
    payload = mark(cpu, seq) if payload is None else payload
    source.sendall(payload)
    assert target.recv(1 << 16) == payload
