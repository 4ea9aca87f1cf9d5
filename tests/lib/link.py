"""A network interface that goes down and up often: by its flags, as `ip link` sets them, without a process for each."""

import fcntl
import socket
import struct
import time
from dataclasses import dataclass

from lib import walker

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


@dataclass(frozen=True)
class Outage:
    """Before the interface went down and after it was up again, by the clock of packets."""

    begin_ns: int
    end_ns: int


class Link:
    """A device in a namespace."""

    def __init__(self, namespace, device):
        self._name = device.encode()
        with walker.inside(namespace):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def _flags(self):
        request = fcntl.ioctl(self._socket, _SIOCGIFFLAGS, struct.pack("16sH22x", self._name, 0))
        return struct.unpack("16sH22x", request)[1]

    def set_up(self, up):
        """Returns when everybody in the kernel knows."""
        flags = self._flags() | _IFF_UP if up else self._flags() & ~_IFF_UP
        fcntl.ioctl(self._socket, _SIOCSIFFLAGS, struct.pack("16sH22x", self._name, flags))

    def flap(self, times, down_s=0.002, up_s=0.008):
        """Down and up again so often; the Outages. The pauses only give packets a chance to come, or not to."""
        outages = []
        for _time in range(times):
            begin_ns = time.time_ns()
            self.set_up(False)
            time.sleep(down_s)
            self.set_up(True)
            outages.append(Outage(begin_ns, time.time_ns()))
            time.sleep(up_s)
        return outages

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._socket.close()
