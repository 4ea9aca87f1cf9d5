"""Programs in the background. Every wait has an end, and says what it waited for and what there was instead."""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time

from lib import sanitizer

DEADLINE = 20.0 * sanitizer.SLOWNESS  # seconds; for what takes a moment


def eventually(condition, what, timeout=DEADLINE):
    """What `condition` returns once it is true; for what gives no other sign than being so."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {timeout:.0f} s in vain: {what}"
        time.sleep(0.002)
    return value


class Stream:
    """What a program writes to a pipe, collected by a thread of its own."""

    def __init__(self, pipe):
        self._pipe = pipe
        self._data = bytearray()
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self):
        self._open()
        while chunk := self._read():
            with self._changed:
                self._data += chunk
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _open(self):
        pass

    def _read(self):
        try:
            return os.read(self._pipe.fileno(), 1 << 16)
        except OSError:
            return b""

    @property
    def data(self):
        with self._changed:
            return bytes(self._data)

    @property
    def text(self):
        return self.data.decode("utf-8", "backslashreplace")

    @property
    def lines(self):
        return self.text.splitlines()

    def wait_until(self, look, what, timeout=DEADLINE):
        """What look(data) returns once it is true."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or look(bytes(self._data)), timeout)
            value = look(bytes(self._data))
        assert value, f"{what} did not come; there was: {self.text[-2000:]!r}"
        return value

    def wait_for_line(self, pattern, timeout=DEADLINE):
        """The match of `pattern` in a whole line."""
        line = re.compile(rb"^.*?" + pattern.encode() + rb".*\n", re.MULTILINE)
        return self.wait_until(line.search, f"a line with {pattern!r}", timeout)

    def wait_for_end(self, timeout=DEADLINE):
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "a pipe was not closed"


class Fifo(Stream):
    """A fifo that is read as soon as somebody opens it for writing."""

    def __init__(self, path):
        os.mkfifo(path)
        os.chmod(path, 0o666)
        self.path = path
        self.opened = threading.Event()
        super().__init__(None)

    def _open(self):
        self._pipe = open(self.path, "rb", buffering=0)
        self.opened.set()

    def close_reader(self):
        """The writer sees that nobody reads any more; a read that is under way still ends with what it gets."""
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, self._pipe.fileno())
        os.close(nothing)

    def close(self):
        if not self.opened.is_set():
            os.close(os.open(self.path, os.O_RDWR))
        self.wait_for_end()
        self._pipe.close()


class Pipe:
    """A pipe as stdout of a program, whose reader is the test itself. `make` may make something else with two ends."""

    def __init__(self, make=os.pipe):
        ends = make()
        self.read_end, self.write_end = (end if isinstance(end, int) else end.detach() for end in ends)

    def hand_over(self):
        os.close(self.write_end)

    def read_block(self):
        """Waits for bytes, which a capture writes as soon as it is live."""
        data = os.read(self.read_end, 1 << 16)
        assert data
        return data

    def read_all(self, enough=None):
        """All that comes, or the first so many bytes and some more."""
        data = bytearray()
        while (enough is None or len(data) < enough) and (chunk := os.read(self.read_end, 1 << 16)):
            data += chunk
        return bytes(data)

    def close(self):
        os.close(self.read_end)


class Process:
    """A program started in the background. As a context manager it is gone at the end, however that came about."""

    def __init__(self, argv, *, stdout=subprocess.PIPE, env=None, **popen):
        environment = {**os.environ, "LC_ALL": "C", **sanitizer.environment(), **(env or {})}
        self.began = time.monotonic()
        self.popen = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=stdout,
                                      stderr=popen.pop("stderr", subprocess.PIPE), env=environment, **popen)
        self.stdout = Stream(self.popen.stdout) if self.popen.stdout else None
        self.stderr = Stream(self.popen.stderr) if self.popen.stderr else None

    @property
    def pid(self):
        return self.popen.pid

    @property
    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    @contextlib.contextmanager
    def frozen(self):
        """The program does nothing meanwhile."""
        self.signal(signal.SIGSTOP)
        eventually(lambda: self._state() == "T", "the program to stand still")
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def _state(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0]

    def wait(self, timeout=DEADLINE):
        """The exit status, once all output has come too."""
        try:
            status = self.popen.wait(timeout)
        except subprocess.TimeoutExpired as expired:
            raise AssertionError(f"{self.popen.args} did not end in {timeout:.0f} s; "
                                 f"stderr: {self.stderr.text[-2000:]!r}") from expired
        for stream in filter(None, (self.stdout, self.stderr)):
            stream.wait_for_end()
        return status

    def kill(self):
        if self.running:
            self.popen.kill()
        self.popen.wait()
        for stream, pipe in ((self.stdout, self.popen.stdout), (self.stderr, self.popen.stderr)):
            if stream:
                stream.wait_for_end()
                pipe.close()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.kill()


class Ended:
    """A program that ran to its end."""

    def __init__(self, process, status):
        self.status = status
        self.stdout = process.stdout.text
        self.stderr = process.stderr.text

    @property
    def stderr_lines(self):
        return self.stderr.splitlines()


def run(argv, *, timeout=DEADLINE, **options):
    """Runs a program to its end."""
    with Process(argv, **options) as process:
        return Ended(process, process.wait(timeout))


def check(argv, **options):
    """Runs a program that must succeed; its stdout."""
    ended = run(argv, **options)
    assert ended.status == 0, f"{' '.join(map(str, argv))}: exit {ended.status}: {ended.stderr}"
    return ended.stdout
