"""Wireshark's side of the extcap dialogue: asks, reads the sentences and plays the partner at the pipes."""

import os
import re
import signal
import threading
from dataclasses import dataclass

from lib import capture, contract, pcapng
from lib.process import Fifo, Process

PREFIX = "rxtxcpu-"
_SENTENCE = re.compile(r"(\w+) ((?:\{\w+=[^{}]*\})+)")
_VALUE = re.compile(r"\{(\w+)=([^{}]*)\}")


@dataclass(frozen=True)
class Sentence:
    kind: str
    values: dict

    def __getitem__(self, key):
        return self.values[key]

    def get(self, key, otherwise=None):
        return self.values.get(key, otherwise)


def parse(text):
    """The sentences of an answer, one a line; no value holds a brace."""
    return [_sentence(line) for line in text.splitlines()]


def _sentence(line):
    match = _SENTENCE.fullmatch(line)
    assert match, f"not a sentence: {line!r}"
    pairs = _VALUE.findall(match[2])
    assert len(dict(pairs)) == len(pairs), f"a key comes twice: {line!r}"
    return Sentence(match[1], dict(pairs))


def ask(namespace, *words):
    """The sentences of a query, which must succeed and complain about nothing."""
    ended = capture.program(*words, namespace=namespace)
    assert ended.status == 0, ended.stderr
    assert ended.stderr == ""
    return parse(ended.stdout)


def of_kind(sentences, kind):
    return [sentence for sentence in sentences if sentence.kind == kind]


class ControlIn:
    """The pipe of the toolbar's messages: the GUI's main thread waits in open() until the program opens it too."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path = path
        self.opened = threading.Event()
        self._thread = threading.Thread(target=self._open, daemon=True)
        self._thread.start()

    def _open(self):
        self._fd = os.open(self.path, os.O_WRONLY)
        self.opened.set()

    def write(self, data):
        os.write(self._fd, data)

    def close(self):
        if not self.opened.is_set():
            os.close(os.open(self.path, os.O_RDWR | os.O_NONBLOCK))
        self._thread.join()
        os.close(self._fd)


class ExtcapCapture(Process):
    """A capture as Wireshark starts it; `folder` takes the pipes."""

    def __init__(self, namespace, interface, *options, folder, toolbar=False, launch=capture.words):
        self.fifo = Fifo(folder / "fifo")
        self.control_in = ControlIn(folder / "control-in") if toolbar else None
        self.control_out = Fifo(folder / "control-out") if toolbar else None
        super().__init__(namespace.inside(*launch("--capture", "--extcap-interface", PREFIX + interface,
                                                  *self._pipes(), *options)))

    def _pipes(self):
        words = ["--fifo", self.fifo.path]
        if self.control_in:
            words += ["--extcap-control-in", self.control_in.path, "--extcap-control-out", self.control_out.path]
        return words

    def wait_until_live(self):
        """The section and an interface are written once packets are captured."""
        self.fifo.wait_until(lambda data: pcapng.IDB in self._types(data), "an interface block")
        return self

    @staticmethod
    def _types(data):
        return [block.type for block in pcapng.split(data)[0]]

    def wait_for_packets(self, count):
        self.fifo.wait_until(lambda data: self._types(data).count(pcapng.EPB) >= count, f"{count} packets")

    def stop(self, **expected):
        self.signal(signal.SIGTERM)
        return self.result(**expected)

    def result(self, **expected):
        """The capture, whole and by the contract, of a program that ended well and said nothing."""
        status = self.wait()
        self.fifo.wait_for_end()
        assert (status, self.stdout.text, self.stderr.text) == (0, "", "")
        result = pcapng.parse(self.fifo.data)
        contract.check(result, **expected)
        return result

    def failure(self):
        """What a program says that fails: one line, with every pipe opened and nothing written."""
        status = self.wait()
        for pipe in filter(None, (self.fifo, self.control_in, self.control_out)):
            assert pipe.opened.wait(1), f"{pipe.path} was never opened"
        assert status != 0
        assert (self.fifo.data, self.stdout.text) == (b"", "")
        assert self.stderr.text.startswith("rxtxcpu: "), self.stderr.text
        return status, self.stderr.text

    def __exit__(self, *exception):
        super().__exit__(*exception)
        for pipe in filter(None, (self.fifo, self.control_in, self.control_out)):
            pipe.close()
