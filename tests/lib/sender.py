"""Runs tests/net/sender: frames from chosen CPUs, each with the mark of who sent it."""

import re
import signal

from lib import kernel, paths, sanitizer
from lib.process import DEADLINE, Process


def _argv(namespace, interface, cpus, options):
    words = ["--interface", interface] if interface else []
    for cpu in cpus:
        words += ["--cpu", cpu]
    for name, value in options.items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            words += [f"--{name.replace('_', '-')}"] + ([] if one is True else [one])
    return namespace.inside(*sanitizer.launcher(), paths.SENDER, *words)


class Sending:
    """A sender in the background: `with Sending(…) as sending: …; sent = sending.stop()`."""

    def __init__(self, namespace, interface, cpus=None, **options):
        self._paced = "rate" in options
        self._dropped = kernel.softnet_dropped()
        self._process = Process(_argv(namespace, interface, cpus or kernel.CPUS, {"count": 0, **options}))

    def wait(self, timeout=3 * DEADLINE):
        """What each CPU has sent, once all of it has been through the receive path."""
        status = self._process.wait(timeout)
        assert status == 0, f"the sender failed: {self._process.stderr.text}"
        kernel.wait_for_backlog()
        assert not self._paced or kernel.softnet_dropped() == self._dropped, \
            "the kernel dropped packets in its receive backlog, where nobody can capture them: is this machine busy?"
        counts = re.findall(r"^sent cpu=(\d+) count=(\d+)$", self._process.stdout.text, re.MULTILINE)
        return {int(cpu): int(count) for cpu, count in counts}

    def stop(self):
        self._process.signal(signal.SIGTERM)
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._process.kill()


def send(namespace, interface, cpus=None, count=1, **options):
    """Sends `count` frames from each CPU; {cpu: how many}."""
    with Sending(namespace, interface, cpus, count=count, **options) as sending:
        return sending.wait()
