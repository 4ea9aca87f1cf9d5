"""Wireshark's programs are killed with SIGKILL while they capture: the capture ends within a second of dumpcap, which
has the other end of its pipe and looks for its own parent twice a second, and nothing is left."""

import contextlib
import os
import signal
import time

import pytest

from lib.process import eventually
from lib.sender import Sending
from lib.sshd import processes


def a_line(running):
    running.stdout.wait_for_line("")


def ids(namespace, name):
    """Of the processes in a namespace that are called so."""
    return [pid for pid, called in processes(namespace).items() if called == name]


@pytest.mark.parametrize("busy", (True, False), ids=("busy", "quiet"))
@pytest.mark.parametrize("victim", ("tshark", "dumpcap"))
def test_when_it_is_killed_the_capture_ends_within_a_second(veth, tshark, victim, busy):
    running = tshark("-o", "extcap.rxtxcpu_vb.promiscuous:true", live=a_line)
    assert len(ids(veth.b, "rxtxcpu")) == 1 and veth.b.link("vb")["promiscuity"] > 0
    with Sending(veth.a, "va", rate=500) if busy else contextlib.nullcontext():
        for pid in ids(veth.b, victim):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not ids(veth.b, "dumpcap"), "dumpcap to see it")
        gone = time.monotonic()
        eventually(lambda: not ids(veth.b, "rxtxcpu"), "the capture to end")
        assert time.monotonic() - gone < 1
    eventually(lambda: veth.b.packet_sockets() == [], "no packet socket")
    assert veth.b.link("vb").get("promiscuity", 0) == 0
    running.kill()
