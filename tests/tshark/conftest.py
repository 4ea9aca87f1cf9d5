"""A live tshark on vb, as an ordinary user runs it."""

import shutil
import signal

import pytest

from lib import kernel, paths, sanitizer
from lib.sender import Sending
from lib.wireshark import Installation

PROBE = 39999  # a port


@pytest.fixture
def needs_wireshark(_root):
    if sanitizer.kind():
        pytest.skip("a plugin with sanitizers does not load into a tshark without")
    if not shutil.which("tshark") or not paths.PLUGIN.exists():
        pytest.skip("tshark is not installed or the plugin was not built")


@pytest.fixture
def installation(needs_wireshark, scratch):
    return Installation(scratch)


@pytest.fixture
def tshark(installation, veth, cleanup):
    """Starts tshark on vb and waits until packets come through it; the first ones go to port PROBE."""

    def start(*options, probe_from=None, live):
        running = cleanup.enter_context(installation.start(veth.b, "tshark", "-n", "-l", "-i", "rxtxcpu-vb", *options))
        with Sending(veth.a, "va", probe_from or kernel.CPUS[:1], rate=20, udp=PROBE):
            live(running)
        return running

    return start


@pytest.fixture
def stop():
    """Ends a tshark as Ctrl-C does; its output is whole then."""

    def end(running):
        running.signal(signal.SIGINT)
        assert running.wait() == 0, running.stderr.text

    return end
