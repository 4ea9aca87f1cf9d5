"""What there is to capture, and where our own threads run."""

import os

import pytest

from lib import kernel
from lib.capture import program
from lib.process import eventually


def rows(text):
    header, *lines = text.splitlines()
    return header, [line.split() for line in lines]


def test_interfaces_have_state_driver_and_queues(veth):
    veth.b.ip("link set lo down")
    header, found = rows(program("-D", namespace=veth.b).stdout)
    assert header.split()[:4] == ["NAME", "STATE", "DRIVER", "QUEUES"]
    table = {row[0]: " ".join(row[1:]) for row in found}
    assert table["vb"].startswith("up veth 4 rx, 4 tx, rx queue not recorded")
    assert table["lo"].startswith("down")
    veth.a.ip("link set va down")
    eventually(lambda: ["vb", "no", "carrier"] in [row[:3] for row in rows(program("-D", namespace=veth.b).stdout)[1]],
               "the carrier to be gone")


def test_cpus_have_node_and_state():
    header, found = rows(program("--list-cpus").stdout)
    assert header.split() == ["CPU", "NODE", "ONLINE", "CAPTURE"]
    assert {int(row[0]) for row in found} == set(kernel.cpus("possible"))
    for row in found:
        online = int(row[0]) in kernel.cpus("online")
        assert row[2] == ("yes" if online else "no")
        assert row[3] == ("yes" if online else "when")


def test_worker_cpus_bind_every_thread(veth, capture, two_cpus):
    running = capture(veth.b, "vb", "--worker-cpus", two_cpus[1], output=None)
    for task in os.listdir(f"/proc/{running.pid}/task"):
        with open(f"/proc/{running.pid}/task/{task}/status", encoding="ascii") as status:
            allowed = [line.split()[1] for line in status if line.startswith("Cpus_allowed_list")]
        assert allowed == [str(two_cpus[1])]
    running.stop()


@pytest.mark.parametrize("cpus, status, says", (("60000", 2, "--list-cpus"), ("x", 2, "Invalid worker cpus 'x'.")))
def test_worker_cpus_that_cannot_be_are_refused(veth, cpus, status, says):
    ended = program("--worker-cpus", cpus, "vb", namespace=veth.b)
    assert ended.status == status and ended.stdout == "" and says in ended.stderr


def test_an_interface_may_be_named_with_an_option(veth):
    ended = program("-a", "duration:0.1", "-i", "vb", namespace=veth.b)
    assert ended.status == 0 and "total" in ended.stdout
