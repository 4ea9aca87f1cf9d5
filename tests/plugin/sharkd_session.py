"""Wireshark's server as somebody who waits for each answer, and notices when none comes."""

import json
import os
import select
import subprocess
import tempfile
import time

ANSWER_LIMIT_S = 60


class Died(Exception):
    """It ended, or gave no answer in time."""


class Session:
    """A process that opens one file after another. environment: what it gets beside the user's own."""

    def __init__(self, user, environment=()):
        self._user = user
        self._words = tempfile.TemporaryFile()  # what it says of itself; nobody has to read it for it to go on
        self._process = subprocess.Popen(
            user.words("sharkd", "-"), cwd=user.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._words,
            env={**user.environment, **user.loading, **dict(environment)})
        self._rest = b""
        self._asked = 0

    def _send(self, method, params):
        self._asked += 1
        line = json.dumps({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params})
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise Died(f"{method}: it has ended with {self._end()}") from error

    def ask(self, method, **params):
        """The result, or None where it says that there is none."""
        self._send(method, params)
        while True:
            answer = json.loads(self._answer(method).decode("utf-8", "replace"))
            if answer["id"] == self._asked:
                return answer.get("result")

    def load(self, path):
        """How many packets there are: of a file that is broken, those before. It is not always told that it is."""
        self._send("load", {"file": str(path)})
        return self.ask("status")["frames"]

    def _answer(self, method):
        limit = time.monotonic() + ANSWER_LIMIT_S
        while b"\n" not in self._rest:
            out = self._process.stdout
            ready, _, _ = select.select([out], [], [], max(0, limit - time.monotonic()))
            if not ready:
                self._process.kill()
                raise Died(f"{method}: no answer within {ANSWER_LIMIT_S} s")
            piece = os.read(out.fileno(), 1 << 20)
            if not piece:
                raise Died(f"{method}: it ended with {self._end()}")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _end(self):
        return self._process.wait(ANSWER_LIMIT_S)

    def close(self):
        """Its exit status, and what it said on stderr."""
        if self._process.poll() is None:
            try:
                self._process.communicate(b'{"jsonrpc":"2.0","id":0,"method":"bye"}\n', ANSWER_LIMIT_S)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self._process.kill()
        status = self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._words.seek(0)
        with self._words as words:
            return status, words.read().decode("utf-8", "replace")
