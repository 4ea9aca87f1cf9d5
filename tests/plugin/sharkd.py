"""Wireshark's server: one process that opens one file after another, as the window does."""

import json
import subprocess

from model import FIELDS
from story import Answers

SAID = {"True": "1", "received": "1", "sent": "2"}  # in its columns values have names


def _columns(fields):
    return {f"column{index}": f"{field}:1" for index, field in enumerate(fields)}


class Server:
    """The requests of one process, made one after another and answered all at the end."""

    def __init__(self, user):
        self._user = user
        self._requests = []

    def _request(self, method, **params):
        self._requests.append({"jsonrpc": "2.0", "id": len(self._requests) + 1, "method": method, "params": params})
        return len(self._requests)

    def load(self, path):
        return self._request("load", file=str(path))

    def frames(self, display_filter="", **some):
        """What our fields are of the packets that pass a filter; some: skip, limit."""
        params = {"filter": display_filter} if display_filter else {}
        return self._request("frames", **params, **some, **_columns(FIELDS))

    def expert(self):
        return self._request("tap", tap0="expert")

    def set(self, preference, value):
        return self._request("setconf", name=preference, value=str(value))

    def run(self):
        """{number of the request: its result}"""
        self._request("bye")
        self._user.own()
        lines = "".join(json.dumps(request) + "\n" for request in self._requests)
        done = subprocess.run(self._user.words("sharkd", "-"), cwd=self._user.home, input=lines, encoding="utf-8",
                              env={**self._user.environment, **self._user.loading}, capture_output=True, timeout=60,
                              check=False)
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert all("error" not in answer for answer in answers), answers
        return {answer["id"]: answer["result"] for answer in answers}


def rows(result):
    return [[SAID.get(value, value) for value in packet["c"]] for packet in result]


def answers(result):
    return Answers(rows(result))


def numbers(result):
    return [packet["num"] for packet in result]


def notes(result):
    """(packet, severity, text) of each expert note of ours, in the order of the packets."""
    return sorted((note["f"], note["s"], note["m"]) for tap in result["taps"] for note in tap["details"]
                  if note["p"] == "rxtxcpu")
