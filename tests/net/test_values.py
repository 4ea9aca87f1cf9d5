"""No value is used before it has been set, and nothing is lost from sight at an end: what valgrind sees and
AddressSanitizer does not, in captures of each kind and in the ways out of them."""

import json
import os
import pathlib
import re
import shutil
import signal

import pytest

from lib import paths, sanitizer
from lib.capture import Capture
from lib.process import run
from lib.sender import Sending

FOUND = 99  # exit status, unlike any of ours
LIMIT = 60  # seconds
MEMCHECK = ("valgrind", "--quiet", f"--error-exitcode={FOUND}", "--leak-check=full", "--errors-for-leak-kinds=definite",
            "--child-silent-after-fork=yes", "--vgdb=no", f"--suppressions={pathlib.Path(__file__).parent}/valgrind.supp")
CALL_UNKNOWN = re.compile("unhandled ioctl|could cause spurious value errors|README_MISSING_SYSCALL_OR_IOCTL")
COUNTED = ("-d", "rx", "-c", "20")

pytestmark = [pytest.mark.skipif(not shutil.which("valgrind"), reason="there is no valgrind"),
              pytest.mark.skipif(bool(sanitizer.kind()), reason="valgrind takes no sanitizer along")]


def watched(*options):
    """How the program is launched under valgrind."""
    return [*MEMCHECK, paths.PROGRAM, *options]


def captured(veth, *options, **how):
    """What it says, and its status, of a capture while packets come."""
    with Sending(veth.a, "va", rate=2000):
        return run(veth.b.inside(*watched(*options)), timeout=LIMIT, **how)


@pytest.mark.parametrize("options", (
    ("-w", "PATH.pcapng", *COUNTED, "vb"),
    ("-w", "PATH.pcap", *COUNTED, "vb"),
    ("-w", "PATH.pcapng", "--annotate", "both", "--group", "numa", *COUNTED, "-f", "udp", "vb"),
    ("-w", "PATH.pcapng", "-b", "packets:5", "-b", "files:2", "--group", "queue", *COUNTED, "vb"),
    ("--json", "--stats", "1", "--duration", "2", "vb"),
    ("-w", "PATH.pcapng", *COUNTED),
), ids=" ".join)
def test_of_packets(veth, scratch, options):
    ended = captured(veth, *(word.replace("PATH", f"{scratch}/capture") for word in options))
    assert ended.status == 0, ended.stderr


@pytest.mark.parametrize("options, status", (
    (("-D",), 0), (("--extcap-config", "--extcap-interface", "rxtxcpu-vb"), 0),
    (("-f", "udp por", "vb"), 2), (("nowhere",), 1),
    (("-w", "/nowhere/capture.pcapng", "vb"), 1), (("-c", "5", "-w", "/dev/full", "vb"), 1)), ids=str)
def test_on_the_ways_out(veth, options, status):
    assert captured(veth, *options).status == status


def test_at_a_signal(veth, scratch):
    with Sending(veth.a, "va", rate=2000):
        with Capture(veth.b, "vb", output=scratch / "capture.pcapng", launch=watched) as running:
            running.wait_for_packets(20)
            running.signal(signal.SIGINT)
            assert running.wait(LIMIT) == 0, running.stderr.text


def test_of_another_host(veth, scratch):
    """ssh is a script here that runs what it is told to; the far end is watched too."""
    for name, script in (("ssh", 'for word; do :; done\nexec sh -c "$word"'),
                         ("rxtxcpu", f'exec {" ".join(MEMCHECK)} --log-file={scratch}/far {paths.PROGRAM} "$@"')):
        (scratch / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (scratch / name).chmod(0o755)
    ended = captured(veth, "--remote-host", "there", "--remote-timeout", "50", "--remote-own-traffic", "--json",
                     *COUNTED, "vb", env={**os.environ, "PATH": f"{scratch}:{os.environ['PATH']}"})
    assert ended.status == 0, ended.stderr
    assert sum(group["packets"] for group in json.loads(ended.stdout)["groups"]) == 20
    log = (scratch / "far").read_text(encoding="utf-8")
    assert not [line for line in log.splitlines() if line.startswith("==") and not CALL_UNKNOWN.search(line)], log
