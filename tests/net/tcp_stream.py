"""One TCP connection that carries a known stream: `listen ADDRESS PORT`, then `send ADDRESS PORT BYTES`."""

import socket
import struct
import sys

CHUNK = 1 << 20


def pattern(count):
    """`count` bytes, none of whose aligned words comes twice."""
    return b"".join(struct.pack(">I", number) for number in range((count + 3) // 4))[:count]


def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listen(address, port):
    with socket.create_server((address, int(port)), family=_family(address)) as server:
        print("listening", flush=True)
        connection, _peer = server.accept()
        with connection:
            total = 0
            while received := connection.recv(CHUNK):
                total += len(received)
    print(f"received {total}", flush=True)


def send(address, port, count):
    with socket.create_connection((address, int(port))) as connection:
        connection.sendall(pattern(int(count)))


if __name__ == "__main__":
    {"listen": listen, "send": send}[sys.argv[1]](*sys.argv[2:])
