"""Network namespaces with devices in them: a small net of our own, where only our packets are."""

import contextlib
import itertools
import json
import os
import re

from lib.process import check, eventually

PREFIX = "rxtxcpu"
_numbers = itertools.count()

# An address or a multicast report of IPv6 would be a packet that nobody sent.
QUIET = "for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do [ ! -e $f ] || echo 1 > $f; done"


def sweep():
    """Deletes what test processes that were killed have left behind."""
    for line in check(["ip", "netns", "list"]).splitlines():
        name = line.split()[0]
        owner = re.match(rf"{PREFIX}-(\d+)-", name)
        if owner and not os.path.exists(f"/proc/{owner[1]}"):
            check(["ip", "netns", "delete", name])


class Namespace:
    def __init__(self, label, ipv6=False):
        self.name = f"{PREFIX}-{os.getpid()}-{next(_numbers)}{label}"
        check(["ip", "netns", "add", self.name])
        if not ipv6:
            self.shell(QUIET)

    def inside(self, *argv):
        """The words that run `argv` in here; the process keeps its id."""
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv):
        return check(self.inside(*argv))

    def shell(self, script):
        return self.run("sh", "-c", script)

    def ip(self, words):
        return check(["ip", "-n", self.name, *words.split()])

    def link(self, device):
        """What `ip` tells about a device."""
        return json.loads(self.ip(f"-d -j link show {device}"))[0]

    def up_devices(self):
        return {link["ifname"] for link in json.loads(self.ip("-j link show up")) if link}

    def receive_on(self, device, mask):
        """Receive packet steering of `device` to the CPUs of `mask`; 0 switches it off."""
        self.shell(f"for f in /sys/class/net/{device}/queues/rx-*/rps_cpus; do echo {mask:x} > $f; done")

    def packet_sockets(self):
        """Interface indexes that sockets listen on here, one for each socket."""
        table = self.run("cat", "/proc/net/packet").splitlines()[1:]
        return [int(line.split()[4]) for line in table]

    def delete(self):
        check(["ip", "netns", "delete", self.name])

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.delete()


class VethPair:
    """va in namespace `a`, vb in namespace `b`: what is sent on one is received on the other."""

    def __init__(self, *, queues=1, mtu=1500, ipv6=False):
        with contextlib.ExitStack() as made:
            self.a = made.enter_context(Namespace("a", ipv6))
            self.b = made.enter_context(Namespace("b", ipv6))
            self.make(queues, mtu)
            self._stack = made.pop_all()

    def make(self, queues=4, mtu=1500):
        """Once more, when one end was deleted, which takes the other one with it."""
        many = f"mtu {mtu} numtxqueues {queues} numrxqueues {queues}"
        self.a.ip(f"link add va address 02:00:00:00:00:01 {many} type veth "
                  f"peer name vb netns {self.b.name} address 02:00:00:00:00:02 {many}")
        self.bring_up()

    def bring_up(self):
        for namespace, device in ((self.a, "va"), (self.b, "vb")):
            namespace.ip(f"link set {device} addrgenmode none arp off up")
        for namespace, device in ((self.a, "va"), (self.b, "vb")):
            eventually(lambda: namespace.link(device)["operstate"] == "UP", f"{device} to be up")

    def give_addresses(self, a, b):
        """An address to each end, and what it must know of the other's."""
        for namespace, device, own, other, mac in ((self.a, "va", a, b, "02:00:00:00:00:02"),
                                                   (self.b, "vb", b, a, "02:00:00:00:00:01")):
            nodad = " nodad" if ":" in own else ""
            namespace.ip(f"address add {own} peer {other} dev {device}{nodad}")
            namespace.ip(f"neighbour replace {other} lladdr {mac} dev {device} nud permanent")

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._stack.close()
