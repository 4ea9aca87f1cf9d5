"""Runs the program under test at the near end of a lab, and judges what it wrote of one or several hosts."""

import os
import signal
from dataclasses import replace

from lib import capture, contract, pcapng
from lib.process import DEADLINE, eventually

GONE = 3.0  # seconds in which the far end must be gone, whatever became of the near end


def host_of(interface):
    return contract.description_of(interface).host


def host_of_packet(packet):
    return host_of(packet.interface)


def of_host(file, host):
    """The capture with only what is one host's."""
    interfaces = [interface for interface in file.interfaces if host_of(interface) == host]
    return replace(file, interfaces=interfaces, packets=[packet for packet in file.packets
                                                         if host_of_packet(packet) == host])


def check(file, hosts, **expected):
    """The file keeps to the contract, and there is nothing in it but these hosts' captures."""
    assert {host_of(interface) for interface in file.interfaces} == set(hosts)
    for host in hosts:
        contract.check(of_host(file, host), **expected)
    times = [packet.ts_ns for packet in file.packets]
    assert times == sorted(times), "packets of different hosts are not in the order of time"


class RemoteCapture(capture.Capture):
    """A capture of one or several hosts that is live once this is made."""

    def __init__(self, view, hosts, interface, *options, **how):
        self.hosts = [hosts] if isinstance(hosts, str) else hosts
        words = [word for host in self.hosts for word in ("--remote-host", host)]
        super().__init__(view, interface, *words, *options, **how)

    def _started(self, options):
        """-v says so, and a file has its head then, which is written once every host captures."""
        self._exact_stop = bool({"-c", "--count"} & set(options))
        self._annotate = options[options.index("--annotate") + 1] if "--annotate" in options else "interface"
        try:
            eventually(lambda: self._is_live() or not self.running, f"'{capture.LIVE}', or a file's head")
            assert self.running or self._is_live(), f"it has ended: {self.stderr.text}"
        except AssertionError:
            self.kill()
            raise

    def _is_live(self):
        if capture.LIVE in self.stderr.text:
            return True
        if self.output == "-":
            return bool(self.stdout and self.stdout.data)
        return bool(self.output) and os.path.exists(self.output) and os.path.getsize(self.output) > 0

    def _parsed(self, whole):
        if not self.output or (self.output == "-" and self.stdout is None):
            return None
        file = pcapng.parse(self.stdout.data if self.output == "-" else self._file())
        names = [host.rpartition("@")[2] for host in self.hosts]
        check(file, names, annotate=self._annotate, statistics=whole, exact_stop=self._exact_stop)
        return file

    def fails(self, *parts, timeout=DEADLINE, whole=True):
        """Waits for an end that is none of ours: status 1 and a sentence with these parts; the file is whole."""
        result = self.result(timeout=timeout, status=1, whole=whole)
        told = [line for line in result.said if any(part in line for part in parts)]
        assert told or not parts, result.stderr
        return result


def wait_until_idle(host, timeout=GONE):
    """Within `timeout` nothing runs at the far end any more and no packet socket is left."""
    try:
        eventually(host.is_idle, "it to be idle", timeout)
    except AssertionError as error:
        raise AssertionError(f"{host.name}: after {timeout} s there is still {host.sessions()}, packet sockets: "
                             f"{host.namespace.packet_sockets()}") from error


def wait_until_nothing_runs(view, but=()):
    eventually(lambda: not set(view.processes()) - set(but), f"nothing to be left here: {view.processes()}", GONE)


def interrupt(running):
    """Ctrl-C: every process of the terminal's foreground group has the signal."""
    os.killpg(running.pid, signal.SIGINT)
