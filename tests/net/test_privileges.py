"""What the program may still do while it captures, and what it says when it may not do enough."""

import json
import os

import pytest

from lib import attribution, paths, sanitizer, user
from lib.process import eventually, run
from lib.sender import send

PROBE = paths.BUILD / "tests/net/sandbox_probe.so"
RAW = 1 << 13  # CAP_NET_RAW
ALWAYS_REFUSED = {"execve", "fork", "internet", "packet", "connect", "sendto", "kill", "setns", "process_vm_readv"}
FILES = {"write", "unlink"}
SOCKETS = {"internet", "packet", "connect", "sendto"}


def statuses(pid):
    """What /proc tells of each thread: {name: value}."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii", errors="replace") as status:
            yield dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


def capabilities(status):
    return {name: int(status[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")}


@pytest.mark.parametrize("options,kept", (((), 0), (("--persist",), RAW), (("-d", "rx", "-p"), 0)))
def test_no_thread_keeps_a_capability_it_does_not_need(veth, capture, options, kept):
    running = capture(veth.b, "vb", *options)
    eventually(lambda: len(os.listdir(f"/proc/{running.pid}/task")) > 1, "the worker's thread")
    for status in statuses(running.pid):
        assert capabilities(status) == {"CapPrm": kept, "CapEff": kept, "CapInh": 0, "CapAmb": 0}, status["Name"]
        assert status["NoNewPrivs"] == "1", status["Name"]
    running.stop()


def test_net_raw_alone_is_enough_and_is_given_up(veth, capture, scratch):
    home = scratch / "home"
    home.mkdir()
    user.own(home)
    running = capture(veth.b, "vb", "-d", "rx", output=home / "capture.pcapng", launch=user.launch(scratch))
    assert all(set(capabilities(status).values()) == {0} for status in statuses(running.pid))
    sent = send(veth.a, "va", count=100, rate=10000)
    attribution.check_all(running.stop().packets, sent)


def test_without_net_raw_it_says_which_capability_is_missing(veth):
    every_other = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"]
    ended = run(veth.b.inside(*every_other, *sanitizer.launcher(), paths.PROGRAM, "vb"))
    assert ended.status == 1 and ended.stdout == ""
    assert ended.stderr_lines[0] == "rxtxcpu: error creating socket: Operation not permitted"
    assert ended.stderr_lines[1] == f"rxtxcpu: Run: sudo setcap cap_net_raw+ep {os.path.realpath(paths.PROGRAM)}"


def test_where_the_kernel_does_not_tell_of_cpus_that_is_said():
    """As in a container without root: a user's own network namespace."""
    alone = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    ended = run([*alone, *sanitizer.launcher(), paths.PROGRAM, "--json", "--duration", "1", "lo"])
    assert ended.status == 0, ended.stderr
    events = [(event["event"], event["text"]) for event in json.loads(ended.stdout)["events"]]
    assert events == [("unseen", "This system does not tell of CPUs that come and go: nothing will be said of it")]
    assert ended.stderr_lines[0].endswith(f"Z: {events[0][1]}")


def probed(running):
    """{what: was it allowed} once before everything and once while the capture ends."""
    lines = [line.split() for line in running.stderr.lines]
    return tuple({what: verdict == "allowed" for when, what, verdict in (line for line in lines if len(line) == 3)
                  if when == moment} for moment in ("before", "after"))


@pytest.mark.parametrize("output,options,allowed", (
    (None, (), {"read"}),
    ("", (), {"read"} | FILES),
    ("", ("--persist",), {"read"} | FILES | SOCKETS),
))
def test_in_the_sandbox_only_what_a_capture_needs_is_allowed(veth, capture, output, options, allowed):
    if sanitizer.kind():
        pytest.skip("a sanitizer's own calls would be refused, so there is no sandbox in its build")
    running = capture(veth.b, "vb", *options, output=output, env={**os.environ, "LD_PRELOAD": str(PROBE)})
    assert all(status["Seccomp"] == "2" for status in statuses(running.pid))
    running.stop()
    before, after = probed(running)
    assert before and all(before.values()), "the probe proves nothing"
    refused = {what for what, may in after.items() if not may}
    assert refused == (ALWAYS_REFUSED | FILES) - allowed
