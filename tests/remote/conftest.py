"""A lab of hosts for each module, and captures in it."""

import pathlib
import shutil
import tempfile

import pytest

from lib import capture as captures, sshd
from lib.remote import RemoteCapture, wait_until_idle


@pytest.fixture(scope="module")
def lab(_root):
    if not shutil.which(sshd.DAEMON):
        pytest.skip("there is no sshd")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rxtxcpu-test-"))
    folder.chmod(0o755)
    try:
        with sshd.Lab(folder) as made:
            yield made
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def web1(lab):
    """The host that most tests use; it is idle again when a test is over."""
    yield lab.web1
    try:
        wait_until_idle(lab.web1)
    finally:
        lab.web1.end_sessions()


@pytest.fixture
def remote_capture(lab, web1, cleanup, scratch):
    """Starts captures: remote_capture(host or hosts, interface, option…). They write to a file unless `output` says
    otherwise; `view` is another near end than root's."""
    started = []

    def start(hosts="web1", interface="vb", *options, output="", view=None, **how):
        started.append(None)
        if output == "":
            output = scratch / f"remote-{len(started)}.pcapng"
        running = RemoteCapture(view or lab.near.view, hosts, interface, *options, output=output, **how)
        return cleanup.enter_context(running)

    return start


@pytest.fixture
def near_program(lab):
    """Runs the program at the near end to its end."""
    return lambda *options, view=None, **how: captures.program(*options, namespace=view or lab.near.view, **how)
