"""Captures in the lab of hosts."""

import pytest

from lib import capture as captures
from lib.remote import RemoteCapture


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
