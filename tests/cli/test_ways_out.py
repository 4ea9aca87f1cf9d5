"""The ways out of the program that no other test takes: each says one sentence and ends with its status, and the build
with LeakSanitizer sees whether all was given back."""

import os
import pty
import subprocess

import pytest

from lib import paths, refusal, sanitizer
from lib.capture import program, words
from lib.far_end import PING, PROTOCOL, REQUEST, START, Words
from lib.process import DEADLINE, run

SSH = ("--capture", "--extcap-interface", "rxtxcpu-ssh", "--fifo", "/dev/null")


# --- what was typed --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, status, sentence", (
    (("-b", "packets:5", "lo"), 2, "-b needs files. Name them: -w FILE."),
    (("-a", "filesize:5", "lo"), 2, "-a filesize or files needs files. Name them: -w FILE."),
    (("-w", "/dev/null", "-b", "files:2", "lo"), 2, "A number of files needs an end for each."),
    (("--format", "pcap", "lo"), 2, "--format needs a file. Name it: -w FILE."),
    (("--remote-port", "22", "lo"), 2, "--remote-port is about another host. Name it: --remote-host HOST."),
    (("--remote-host", "a", "--remote-host", "me@a", "lo"), 2, "The remote host 'me@a' is given twice."),
    (("--remote-host", "me@a", "--remote-username", "you", "lo"), 2, "both say who to be. Leave one out."),
    (("--remote-host", "a", "a/b"), 2, "Invalid interface 'a/b'."),
    (("--remote-host", "a", "-f", "\udcff", "lo"), 2, "The filter for another host has to be UTF-8."),
    (("--group", "queue", "--duration", "1"), 1, "Queues belong to an interface."),
    (("-s", "nothing", "lo"), 2, "Invalid snap"),
    (("--extcap-dlts",), 2, "No interface given: add --extcap-interface rxtxcpu-NAME."),
    (("--extcap-dlts", "--extcap-interface", "lo"), 2, "No such interface 'lo': ours begin with 'rxtxcpu-'."),
    (("--extcap-dlts", "--extcap-interface", "rxtxcpu-nowhere"), 1, "nowhere"),
    (("--extcap-interface", "rxtxcpu-lo"), 2, "Nothing to do: Wireshark calls with"),
    (("--capture", "--fifo", "/dev/null"), 2, "No interface given: add --extcap-interface rxtxcpu-NAME."),
    (("--capture", "--extcap-interface", "rxtxcpu-lo"), 2, "No fifo given: add --fifo PATH."),
    (SSH, 2, "No host given: fill in 'Host', or add --remote-host HOST."),
), ids=lambda value: " ".join(value)[:60].encode("ascii", "replace").decode() if isinstance(value, tuple) else "")
def test_words_that_cannot_be_meant(options, status, sentence):
    ended = program(*options)
    assert ended.status == status and sentence in ended.stderr, ended.stderr


def test_a_list_that_is_asked_of_no_host_says_so_in_the_list():
    ended = program("--extcap-config", "--extcap-interface", "rxtxcpu-ssh", "--extcap-reload-option",
                    "remote-interface")
    assert ended.status == 0 and "No host given: fill in 'Host' first." in ended.stdout, ended.stdout


def test_a_host_cannot_be_reached_without_ssh(scratch):
    ended = run([*sanitizer.launcher(), "env", f"PATH={scratch}", paths.PROGRAM, "--remote-host", "a", "lo"])
    assert ended.status == 1 and "Install it: apt-get install openssh-client" in ended.stderr


# What an ssh says and with what status it ends, in place of a connection; tests/remote has real ones.
DEPLOY = ("--remote-deploy",)


@pytest.mark.parametrize("options, script, sentence", (
    ((), "echo 'me@a: Permission denied (publickey).' >&2; exit 255", "a: "),
    ((), "echo '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @' >&2; exit 255", "a: "),
    ((), "echo 'sh: 1: rxtxcpu: not found' >&2; exit 127", "There is no program 'rxtxcpu'."),
    ((), "echo 'sh: 1: rxtxcpu: Permission denied' >&2; exit 126", "The program 'rxtxcpu' cannot be run:"),
    ((), "exit 0", "The program there ended without a word"),
    ((), "echo 'no such words' >&2; exit 1", "The other end said nothing that we know: no such words"),
    (DEPLOY, "exit 1", "a: "),
    (DEPLOY, "echo rxtxcpu-deploy machine ../x; cat >/dev/null", "It does not tell what machine it is."),
    (DEPLOY, "echo rxtxcpu-deploy machine vax; cat >/dev/null", "no program to bring along for its machine (vax)"),
    (DEPLOY, "echo rxtxcpu-deploy nowhere; cat >/dev/null", "There is no folder in which a program could be run"),
    (DEPLOY, "echo rxtxcpu-deploy broken; cat >/dev/null", "that was brought along does not run there."),
    (DEPLOY, "echo rxtxcpu-deploy what; cat >/dev/null", "The other end said what makes no sense here."),
))
def test_an_ssh_that_comes_to_nothing(scratch, options, script, sentence):
    (scratch / "ssh").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (scratch / "ssh").chmod(0o755)
    ended = program("--remote-host", "a", *options, "lo", env={**os.environ, "PATH": f"{scratch}:{os.environ['PATH']}"})
    assert ended.status == 1 and sentence in ended.stderr, ended.stderr


@pytest.mark.parametrize("options, status, sentence", (
    (("--serve",), 2, "--serve is for another rxtxcpu, which runs it."),
    (("-w", "-", "-c", "1", "lo"), 1, "Standard output is a terminal, which a capture would garble.")))
def test_a_terminal_is_no_place_for_packets_or_requests(options, status, sentence):
    ours, theirs = pty.openpty()
    try:
        ended = subprocess.run(words(*options), stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, timeout=DEADLINE,
                               check=False, encoding="utf-8", env={**os.environ, **sanitizer.environment()})
    finally:
        os.close(ours)
        os.close(theirs)
    assert ended.returncode == status and sentence in ended.stderr, ended.stderr


# --- what another host asks ------------------------------------------------------------------------------------------

SAY = Words()


def asking(*pairs, protocol=PROTOCOL):
    return SAY.message(REQUEST, protocol, list(pairs))


@pytest.mark.parametrize("heard, answer", (
    (b"", ""),
    (b"GET / HTTP/1.1\r\n\r\n", ""),
    (SAY.raw_message(REQUEST, b"\x01"), ""),
    (SAY.message(START), "The first message was no request"),
    (asking(protocol=PROTOCOL + 1), "speaks protocol"),
    (asking(("nonsense", "1")), "does not know the option 'nonsense'"),
    (asking(("interface", "a b")), "Invalid interface."),
    (asking(("snaplen", "1")), "Invalid"),
    (asking(("list-cpus", "perhaps")), "Invalid"),
    (asking(("interface", "nowhere")), "nowhere"),
    (asking(("interface", "lo"), ("filter", "udp por")), "udp por"),
    (asking(("interface", "lo"), ("cpu-list", "999-")), ""),
    (asking(("interface", "lo")), ""),
    (asking(("interface", "lo")) + SAY.message(PING, 1) * 2000, ""),
    (asking(("interface", "lo")) + SAY.message(REQUEST, PROTOCOL, []), ""),
    (asking(("interface", "lo")) + SAY.message(START), ""),
    (asking(("interface", "lo")) + SAY.message(START) + SAY.message(PING, 1) + SAY.message(START), ""),
), ids=range(17))
def test_a_far_end_whose_near_end_goes_away(make_namespace, scratch, heard, answer):
    namespace = make_namespace()
    namespace.ip("link set lo up")
    (scratch / "heard").write_bytes(heard)
    with open(scratch / "heard", "rb") as heard_by, open(scratch / "said", "wb") as said:
        ended = subprocess.run(namespace.inside(*words("--serve")), stdin=heard_by, stdout=said, timeout=DEADLINE,
                               stderr=subprocess.PIPE, check=False,
                               env={**os.environ, **sanitizer.environment()})
    assert ended.returncode in (0, 1) and ended.stderr == b""
    assert answer.encode() in (scratch / "said").read_bytes()


# --- what the kernel refuses -----------------------------------------------------------------------------------------

SOL_SOCKET, SOL_PACKET, AF_PACKET, MAP_SHARED = 1, 263, 17, 1
ATTACH_FILTER, RX_RING, VERSION, FANOUT, FANOUT_DATA = 26, 5, 10, 18, 22
ALL, ONE, QUEUES = (), ("vb",), ("--group", "queue", "vb")


@pytest.mark.parametrize("call, why, arguments, operands, sentence", (
    ("socket", "EMFILE", {0: AF_PACKET}, ALL, "error creating socket: Too many open files"),
    ("socket", "EPERM", {0: AF_PACKET}, ONE, "Run: sudo setcap cap_net_raw+ep"),
    ("bind", "ENETDOWN", {}, ALL, "error binding socket: Network is down"),
    ("setsockopt", "EINVAL", {1: SOL_PACKET, 2: VERSION}, ALL, "choosing TPACKET_V3: Invalid argument"),
    ("setsockopt", "ENOMEM", {1: SOL_PACKET, 2: RX_RING}, ALL, "MiB: Cannot allocate memory"),
    ("mmap", "ENOMEM", {3: MAP_SHARED}, ALL, "MiB: Cannot allocate memory"),
    ("setsockopt", "ENOMEM", {1: SOL_SOCKET, 2: ATTACH_FILTER}, ONE, "attaching the capture filter: "),
    ("setsockopt", "EINVAL", {1: SOL_PACKET, 2: FANOUT}, ONE, "error configuring fanout: Invalid argument"),
    ("getsockopt", "EINVAL", {1: SOL_PACKET, 2: FANOUT}, ONE, "error configuring fanout: Invalid argument"),
    ("setsockopt", "EINVAL", {1: SOL_PACKET, 2: FANOUT_DATA}, QUEUES, "error configuring fanout: Invalid argument"),
    ("setsockopt", "EINVAL", {1: SOL_PACKET, 2: RX_RING}, ONE, "opening vb: "),
    ("eventfd2", "EMFILE", {}, ONE, "making the stop event: Too many open files"),
    ("signalfd4", "EMFILE", {}, ONE, "waiting for signals: Too many open files"),
))
def test_a_call_that_the_kernel_refuses(veth, scratch, call, why, arguments, operands, sentence):
    if not refusal.known():
        pytest.skip("the numbers of this machine's calls are not known here")
    refused = refusal.words(call, why, arguments, words("-c", "1", "-w", scratch / "c.pcapng", *operands))
    ended = run(veth.b.inside(*refused))
    assert ended.status == 1 and ended.stderr.startswith("rxtxcpu: ") and sentence in ended.stderr, ended.stderr
    assert not (scratch / "c.pcapng").exists() or (scratch / "c.pcapng").stat().st_size == 0
