"""Runs the program under test: as a capture in the background, or to its end."""

import calendar
import functools
import os
import re
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass

from lib import contract, paths, pcapng, sanitizer
from lib.process import DEADLINE, Process, eventually, run

LIVE = "capturing on"
EVENT = re.compile(r"\w+: (?:(?P<host>[^ ]+): )?(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(?P<us>\d{6})Z: (?P<text>.+)")
NAMES = ("rxtxcpu", "rxcpu", "txcpu", "rxtxqueue", "rxqueue", "txqueue", "rxtxnuma", "rxnuma", "txnuma")


@functools.cache
def _links():
    """A folder with the program under each of its names, for as long as the tests run. A copy, where an ordinary user may
    come, which the build's folder need not be."""
    folder = tempfile.TemporaryDirectory(prefix="rxtxcpu-names-")
    os.chmod(folder.name, 0o755)
    shutil.copy(paths.PROGRAM, os.path.join(folder.name, NAMES[0]))
    for name in NAMES[1:]:
        os.symlink(NAMES[0], os.path.join(folder.name, name))
    return folder


def words(*options, name="rxtxcpu"):
    """The program and its options, as it must be started in this build."""
    path = paths.PROGRAM if name == NAMES[0] else os.path.join(_links().name, name)
    return [*sanitizer.launcher(), path, *options]


def words_for_anybody(*options, name="rxtxcpu"):
    """The same, where an ordinary user may start it."""
    return [*sanitizer.launcher(), os.path.join(_links().name, name), *options]


def named(name):
    """How a capture is launched under another name."""
    return functools.partial(words, name=name)


def program(*options, namespace=None, name="rxtxcpu", **how):
    """Runs the program to its end, in `namespace` where one is given."""
    argv = words(*options, name=name)
    return run(namespace.inside(*argv) if namespace else argv, **how)


@dataclass
class Result:
    status: int
    stdout: str
    stderr: str
    seconds: float  # from the request to stop, or from the wait for the end, until the end
    file: pcapng.Capture | None

    @property
    def packets(self):
        return self.file.packets

    @property
    def said(self):
        """The lines on stderr that -v did not ask for, and that tell of no event."""
        return [line for line in self.stderr.splitlines()
                if line.split(": ")[0] in NAMES and LIVE not in line and not EVENT.fullmatch(line)]

    @property
    def events(self):
        """[(ns since 1970, sentence)] of the lines on stderr that tell of an event of this host."""
        matches = filter(None, map(EVENT.fullmatch, self.stderr.splitlines()))
        return [(calendar.timegm(time.strptime(match["time"], "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(match["us"]) * 1000,
                 match["text"]) for match in matches if match["host"] is None]

    def groups(self):
        """{"queue 3": packets} of the closing lines, which add up and are all that stdout has."""
        *lines, total = self.stdout.splitlines()
        found = [re.fullmatch(r"(\d+) packets captured on (.+)\.", line) for line in lines]
        counts = {match[2]: int(match[1]) for match in found}
        assert total == f"{sum(counts.values())} packets captured total.", self.stdout
        return counts

    def counts(self, text=None):
        """{cpu: packets} of the closing lines, which must be there, in order and add up."""
        lines = (self.stdout if text is None else text).splitlines()
        found = [re.fullmatch(r"(\d+) packets captured on cpu(\d+)\.", line) for line in lines]
        counts = {int(match[2]): int(match[1]) for match in found if match}
        assert list(counts) == sorted(counts), lines
        assert f"{sum(counts.values())} packets captured total." in lines, lines
        return counts

    def statistics(self):
        """{cpu: (accepted, dropped, delivered)} by the statistics blocks."""
        return {contract.description_of(interface).cpu:
                tuple(interface.statistics[0][code]
                      for code in (pcapng.ISB_IFRECV, pcapng.ISB_IFDROP, pcapng.ISB_USRDELIV))
                for interface in self.file.interfaces}

    def dropped(self):
        return {cpu: dropped for cpu, (_accepted, dropped, _delivered) in self.statistics().items()}


class Capture(Process):
    """A capture that is live once this is made. `output` is a path, '-' or None (nothing is written)."""

    def __init__(self, namespace, interface, *options, output=None, launch=words, **popen):
        self.output = output
        write = ["-w", output] if output else []
        operand = [interface] if interface else []
        super().__init__(namespace.inside(*launch("-v", *write, *options, *operand)), **popen)
        self._started(options)

    def _started(self, options):
        self._exact_stop = bool({"-c", "--count"} & set(options))
        self._annotate = options[options.index("--annotate") + 1] if "--annotate" in options else "interface"
        try:
            self.stderr.wait_for_line(LIVE)
        except AssertionError:
            self.kill()
            raise

    def so_far(self):
        """The packets that have been written up to now."""
        data = self.stdout.data if self.output == "-" else self._file()
        blocks, _used = pcapng.split(data)
        return [block for block in blocks if block.type == pcapng.EPB]

    def _file(self):
        with open(self.output, "rb") as file:
            return file.read()

    def wait_for_packets(self, count):
        eventually(lambda: len(self.so_far()) >= count, f"{count} packets in the output")

    def stop(self, number=signal.SIGINT, **expected):
        self.signal(number)
        return self.result(**expected)

    def result(self, *, timeout=DEADLINE, whole=True, status=0):
        """Waits for the end; what was written must keep to the contract, with its statistics where `whole`."""
        begin = time.monotonic()
        ended = self.wait(timeout)
        seconds = time.monotonic() - begin
        stdout = "" if self.stdout is None or self.output == "-" else self.stdout.text
        assert ended == status, f"exit {ended}: {self.stderr.text}"
        return Result(ended, stdout, self.stderr.text, seconds, self._parsed(whole))

    def _parsed(self, whole):
        if not self.output or (self.output == "-" and self.stdout is None):
            return None
        capture = pcapng.parse(self.stdout.data if self.output == "-" else self._file())
        contract.check(capture, annotate=self._annotate, statistics=whole, exact_stop=self._exact_stop)
        return capture
