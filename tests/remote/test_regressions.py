"""What once went wrong in captures on other hosts, each as it was: it does not come back.

Where it matters what the other host says, or when, a script stands in for ssh: instead of a connection it runs one of
the plans below, which are far ends.
"""

import contextlib
import inspect
import os
import pathlib
import re
import shlex
import signal
import socket
import time

import pytest

from lib import attribution, contract, kernel, pcap, pcapng, remote, sanitizer, sshd, user, walker
from lib.capture import words
from lib.extcap import ExtcapCapture, parse
from lib.far_end import PING, REQUEST, START, STATUS, STOP, TEXT, WARNING
from lib.process import Fifo, Process, eventually
from lib.remote import GONE, wait_until_idle
from lib.sender import send
from lib.sshd import write_script

TESTS = pathlib.Path(__file__).resolve().parents[1]
BOTH = ["web1", "web2"]
TIMEOUT = 2  # --remote-timeout, the least there is
PROMPT = 1.5 * sanitizer.SLOWNESS  # seconds for what is to be done at once
PACKETS = 6  # that a plan says well
RATE, BACKLOG, FRAME = 500000, 8000000, 1400  # bytes in a second, of all and of each; ssh's buffers take two million
APART = 0.6  # seconds between two signals that are two requests


# --- plans. Each is copied into a script of its own: it sees the names of lib.far_end, os, time and note() only

def speaks_well(far):
    far.begin()
    far.say(far.file_head(), far.packets(6), far.status())
    far.wait_for(STOP)
    far.finish()


def trickles(far):
    """A backlog behind a slow link: its end comes much later than a silence is borne."""
    far.begin()
    far.say(far.file_head(), far.packets(1), far.status())
    far.wait_for(STOP)
    for _packet in range(16):
        time.sleep(1)
        far.say(far.packets(1))
    far.finish()


def trickles_within_a_packet(far):
    """The same; the link is slower and the packet longer."""
    far.begin()
    far.say(far.file_head(), far.packets(5), far.status())
    far.wait_for(STOP)
    packet = far.packets(1)
    for at in range(0, len(packet), 12):
        far.say(packet[at : at + 12])
        time.sleep(1)
    far.finish()


def does_not_come_to_its_end(far):
    """But tells that it is well."""
    far.begin()
    far.say(far.file_head(), far.packets(4), far.status())
    far.wait_for(STOP)
    far.say(far.packets(2))
    far.wait_for(0)


def trickles_for_ever(far):
    far.begin()
    far.say(far.file_head(), far.packets(1), far.status())
    far.wait_for(STOP)
    note("stopped")
    while True:
        far.say(far.packets(1))
        time.sleep(0.05)


def counts_pings(far):
    """Answers each with one STATUS."""
    far.wait_for(REQUEST)
    far.say(far.hello())
    while far.wait_for(PING, START)[0] == PING:
        note("pings")
        far.say(far.status())
    far.request = True
    far.say(far.file_head(), far.packets(6), far.status())
    far.wait_for(STOP)
    far.finish()


def has_its_clock_set(far):
    far.begin()
    far.say(far.file_head(), far.packets(6), far.status())
    far.shift_ns += 5 * 10**9
    far.wait_for(PING)
    far.say(far.status(), far.message(WARNING, "the clock was read"))
    far.wait_for(STOP)
    far.finish()


def never_begins(far):
    """But tells that it is well."""
    far.begin()
    note("started")
    far.wait_for(STOP)
    far.wait_for(0)


def says_nothing(far):
    far.wait_for(REQUEST)
    time.sleep(60)


def answers_without_an_end(far):
    far.wait_for(REQUEST)
    far.say(far.message(TEXT, "vb\tveth\tup\t1\t4\n"))
    time.sleep(60)


def counts_beyond_all_numbers(far):
    far.begin()
    far.say(far.file_head(), far.packets(6), far.status())
    far.say(far.message(STATUS, 0, 0, far.now(), far.now(), False, [(2**64 - 1, 0, 0)] * 2))
    far.wait_for(0)


def loses_more_than_there_were(far):
    far.begin()
    far.say(far.file_head(), far.packets(6), far.status())
    far.say(far.message(STATUS, 0, 0, far.now(), far.now(), False, [(10, 2**64 - 1, 0)] * 2))
    far.wait_for(0)


def counts_backwards(far):
    far.begin()
    far.say(far.file_head(), far.packets(6), far.status())
    far.say(far.message(STATUS, 0, 0, far.now(), far.now(), False, [(2, 0, 2)] * 2))
    far.wait_for(0)


def says_a_packet_now_and_then(far):
    far.begin()
    far.say(far.file_head())
    while far.wait_for(STOP, until=time.monotonic() + 0.1) is None:
        far.say(far.packets(1), far.status())
    far.finish()


SCRIPT = """\
#!/usr/bin/python3
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, {tests!r})

from lib.far_end import *


def note(what):
    with open(f"{{sys.argv[0]}}.{{what}}", "a") as file:
        file.write("x")


{plan}

try:
    {name}(FarEnd())
except BrokenPipeError:
    os._exit(0)
"""


THROTTLE = """\
#!/usr/bin/python3
import os
import select
import socket
import sys
import time

link = socket.socket()
link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
link.connect((sys.argv[1], int(sys.argv[2])))
while True:
    for ready in select.select([0, link], [], [])[0]:
        data = os.read(ready if ready == 0 else link.fileno(), 20000)
        if not data:
            sys.exit(0)
        if ready == 0:
            link.sendall(data)
        else:
            os.write(1, data)
            if os.path.exists(sys.argv[0] + ".slow"):
                time.sleep(len(data) / {rate})
"""


class StandIn:
    """A ssh for the near end. What each of `hosts` does is a plan, or words of shell; others are reached. `first` are
    words of shell in front of all."""

    def __init__(self, lab, folder, first=":", **hosts):
        self._folder = folder
        script = [first, 'case " $* " in']
        for host, what in hosts.items():
            script += [f'*" {host} "*)', self._script(what) if callable(what) else what, ";;"]
        write_script(folder / "ssh", *script, "esac", 'exec /usr/bin/ssh "$@"')
        self.view = lab.near.view.having(PATH=f"{folder}:{os.environ['PATH']}")

    def _script(self, plan):
        path = self._folder / plan.__name__
        text = SCRIPT.format(tests=str(TESTS), plan=inspect.getsource(plan), name=plan.__name__)
        sshd.write(path, text, 0o755)
        return f'exec {path} "$@"'

    def noted(self, plan, what):
        """How often the plan did."""
        path = self._folder / f"{plan.__name__}.{what}"
        return path.stat().st_size if path.exists() else 0


@pytest.fixture
def stand_in(lab, scratch):
    return lambda **hosts: StandIn(lab, sshd.make_folder(scratch, "stand-in"), **hosts)


class Gate:
    """Shell that runs into `wait` goes on once this is opened."""

    def __init__(self, path):
        os.mkfifo(path)
        os.chmod(path, 0o666)
        self._fd = os.open(path, os.O_RDWR)
        self.wait = f"read opened < {path}"

    def open(self):
        os.write(self._fd, b"\n")

    def close(self):
        os.close(self._fd)


@pytest.fixture
def gate(cleanup, scratch):
    made = Gate(scratch / "gate")
    with contextlib.closing(made):
        yield made


@contextlib.contextmanager
def configured(lab, *lines):
    """The near end's ~/.ssh/config begins with these lines."""
    config = lab.near.homes["root"] / ".ssh/config"
    before = config.read_text(encoding="utf-8")
    config.write_text("\n".join([*lines, before]), encoding="utf-8")
    try:
        yield
    finally:
        config.write_text(before, encoding="utf-8")


def numbers(result):
    """Which of a plan's packets these are."""
    return [int.from_bytes(packet.data[:4], "big") for packet in result.packets]


# --- what takes seconds: all of it at once, while other tests run

class Slow:
    """Captures and questions that only time ends: {name: one}, each for a test at the end of this file."""

    def __init__(self, lab, folder, stack):
        self._lab, self._folder, self._stack = lab, folder, stack
        self._running = {plan.__name__: self._capture(plan) for plan in (
            trickles, trickles_within_a_packet, does_not_come_to_its_end)}
        for running in self._running.values():
            running.wait_for_packets(1)
            running.signal(signal.SIGINT)
        self._running["throttled"] = self._throttled()
        self._running["never begins"] = self._start(
            never_begins, "--remote-host", "web1", "--remote-timeout", TIMEOUT, "-w", folder / "x.pcapng", "vb")
        for plan in (says_nothing, answers_without_an_end):
            self._running[f"reload: {plan.__name__}"] = self._reload(
                self._stand_in(plan).view, "--remote-timeout", TIMEOUT)
        self._running["reload: mute server"] = self._reload(lab.near.view, "--remote-port", self._mute_port())

    def _stand_in(self, plan):
        return StandIn(self._lab, sshd.make_folder(self._folder, f"stand-in-{plan.__name__}"), web1=plan)

    def _capture(self, plan):
        return self._stack.enter_context(remote.RemoteCapture(
            self._stand_in(plan).view, "web1", "vb", "--remote-timeout", TIMEOUT,
            output=self._folder / f"{plan.__name__}.pcapng"))

    def _throttled(self):
        """A real host, of which nothing else is captured meanwhile; what the buffers do not take waits there."""
        throttle = sshd.write(self._folder / "throttle", THROTTLE.format(rate=RATE), 0o755)
        running = self._stack.enter_context(remote.RemoteCapture(
            self._lab.near.view, "jump", "vb", "-d", "rx", "--remote-timeout", TIMEOUT, "--proxycommand",
            f"{throttle} %h %p", output=self._folder / "throttled.pcapng"))
        sshd.write(self._folder / "throttle.slow", "")
        self.sent = send(self._lab.jump.peer, "va", count=BACKLOG // FRAME // len(kernel.CPUS), size=FRAME, rate=5000)
        running.signal(signal.SIGINT)
        return running

    def _start(self, plan, *options, view=None):
        view = view or self._stand_in(plan).view
        return self._stack.enter_context(Process(view.inside(*words(*options))))

    def _reload(self, view, *options):
        return self._start(None, *RELOAD, "--remote-host", "web1", *options,
                           view=view.having(XDG_CACHE_HOME=self._folder))

    def _mute_port(self):
        with walker.inside(self._lab.web1.namespace):
            self._stack.enter_context(contextlib.closing(socket.create_server(("10.77.1.2", 2300))))
        return 2300

    def __getitem__(self, name):
        return self._running[name]


RELOAD = ("--extcap-config", "--extcap-interface", "rxtxcpu-ssh", "--extcap-reload-option", "remote-interface")


@pytest.fixture(scope="module", autouse=True)
def slow(lab):
    with contextlib.ExitStack() as stack:
        yield Slow(lab, sshd.make_folder(lab.folder, "slow"), stack)


# --- signals

def apart(since):
    eventually(lambda: time.monotonic() - since > APART, "it to be another request")


def test_ctrl_c_while_a_backlog_is_waited_for_ends_it_at_once(stand_in, remote_capture):
    link = stand_in(web1=trickles_for_ever)
    running = remote_capture("web1", "vb", view=link.view)
    remote.interrupt(running)
    began = time.monotonic()
    eventually(lambda: link.noted(trickles_for_ever, "stopped"), "STOP to be there")
    apart(began)
    assert running.running, "it did not wait"
    remote.interrupt(running)
    again = time.monotonic()
    with contextlib.suppress(ProcessLookupError):
        remote.interrupt(running)
    result = running.fails("not waited for any longer")
    assert time.monotonic() - again < PROMPT
    assert result.packets


def family(view, ancestor):
    """A program that the view runs, and what it started there: {id: name}."""
    parents, names = {}, view.processes()
    for pid in names:
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            parents[pid] = int(stat.read().rpartition(")")[2].split()[1])
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: names[pid] for pid in found & set(names)}


def test_ctrl_c_ends_a_capture_that_does_not_begin(stand_in, lab, cleanup, scratch):
    link = stand_in(web1=never_begins)
    running = cleanup.enter_context(Process(link.view.inside(*words(
        "--remote-host", "web1", "-w", scratch / "x.pcapng", "vb"))))
    eventually(lambda: link.noted(never_begins, "started"), "START to be there")
    started = set(family(lab.near.view, running.pid))
    assert len(started) > 1
    remote.interrupt(running)
    began = time.monotonic()
    assert running.wait() in (-signal.SIGINT, 1)
    assert time.monotonic() - began < PROMPT
    eventually(lambda: not started & set(lab.near.view.processes()), "its ssh to be gone", GONE)


def test_a_terminal_that_is_closed_is_an_end_in_order(web1, remote_capture):
    """Every process of its group has the signal, ssh too."""
    running = remote_capture("web1", "vb", "-d", "rx")
    sent = send(web1.peer, "va", count=50)
    os.killpg(running.pid, signal.SIGHUP)
    result = running.result()
    attribution.check_all(result.packets, sent)
    attribution.check_counts(result, sent)
    assert result.said == []


# --- two hosts

@pytest.fixture
def web2(lab):
    yield lab.web2
    wait_until_idle(lab.web2)


def test_a_host_that_ends_by_itself_is_named(web1, web2, remote_capture):
    """In order: its --serve got a SIGTERM."""
    running = remote_capture(BOTH, "vb", "-d", "rx")
    sent = {"web1": send(web1.peer, "va", count=20), "web2": send(web2.peer, "va", count=30)}
    running.wait_for_packets(sum(count for counts in sent.values() for count in counts.values()))
    serving, = web2.programs()
    os.kill(serving, signal.SIGTERM)
    result = running.fails("web2: The capture was ended at the other end")
    for host in BOTH:
        attribution.check_all(remote.of_host(result.file, host).packets, sent[host])


def apart_s(stderr):
    """How far the clock of web2 is told to be from that of web1, and how sure that is."""
    told, = [line for line in stderr.splitlines() if "clock of web2 is" in line]
    factors = {"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
    return [float(number) * factors[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?) (s|ms|us|µs|ns)\b", told)]


def test_who_waits_for_another_host_is_pinged_now_and_then(web2, stand_in, gate, cleanup, scratch):
    """Once in a second, and not once for each answer."""
    file = scratch / "x.pcapng"
    link = stand_in(web1=counts_pings, web2=f'{gate.wait}; exec /usr/bin/ssh "$@"')
    running = cleanup.enter_context(Process(link.view.inside(*words(
        "-v", "--remote-host", "web1", "--remote-host", "web2", "-w", file, "vb"))))
    eventually(lambda: link.noted(counts_pings, "pings") >= 1, "the first ping")
    began = time.monotonic()
    eventually(lambda: link.noted(counts_pings, "pings") >= 3, "two more")
    assert time.monotonic() - began > 1.9 - 0.5, "three pings at once"
    gate.open()
    running.stderr.wait_for_line("capturing on")
    assert link.noted(counts_pings, "pings") < 20
    running.signal(signal.SIGINT)
    assert running.wait() == 0, running.stderr.text
    assert max(apart_s(running.stderr.text)) < 0.05
    assert "went" not in running.stderr.text, "nobody has set a clock"
    remote.check(pcapng.read(file), BOTH)


# --- clocks

def test_a_clock_that_is_set_meanwhile_is_told(stand_in, remote_capture):
    running = remote_capture("web1", "vb", view=stand_in(web1=has_its_clock_set).view)
    running.stderr.wait_for_line("the clock was read")
    result = running.stop()
    assert numbers(result) == list(range(PACKETS))
    told, = [line for line in result.said if "The clock of web1 went forth" in line]
    assert re.search(r"by (5\.00|4\.99)\d* s", told), told


def test_clocks_that_part_during_the_capture_end_it(stand_in, remote_capture):
    running = remote_capture(BOTH, "vb", view=stand_in(web1=speaks_well, web2=has_its_clock_set).view)
    result = running.fails("have no common order")
    for host in BOTH:
        assert len(remote.of_host(result.file, host).packets) == PACKETS


# --- ssh

def test_nothing_is_asked_on_wiresharks_terminal(lab, web1, cleanup, scratch):
    """A jump host's ssh is one of its own, and is not told to ask nobody."""
    fifo = cleanup.enter_context(contextlib.closing(Fifo(scratch / "fifo")))
    asking = ("--capture", "--extcap-interface", "rxtxcpu-ssh", "--fifo", fifo.path, "--remote-host",
              "inner1-unknown", "--remote-interface", "vb", "--remote-timeout", TIMEOUT)
    command = shlex.join(map(str, words(*asking)))
    with configured(lab, "Host inner1-unknown", "HostName 10.77.4.2", "HostKeyAlias web1", "ProxyJump jump-unknown",
                    "Host jump-unknown", "HostName 10.77.3.2", "HostKeyAlias never-seen", f"Port {sshd.PORT}"):
        ended = lab.near.view.run("script", "-qefc", command, "/dev/null", env={"SHELL": "/bin/sh"})
    lines = ended.stdout.replace("\r", "").splitlines()
    assert "continue connecting" not in ended.stdout, ended.stdout
    assert ended.status != 0 and "rxtxcpu: inner1-unknown: " in ended.stdout, ended.stdout
    assert all(line.startswith("rxtxcpu: ") for line in lines), ended.stdout


def test_a_capture_does_not_become_the_connection_of_others(lab, web1, remote_capture, gate, cleanup):
    """With ControlMaster in the user's configuration, they would end with it."""
    with configured(lab, "Host web1-shared", "ControlMaster auto", f"ControlPath {lab.near.folder}/shared-%C"):
        running = remote_capture("web1-shared", "vb")
        other = cleanup.enter_context(Process(lab.near.view.inside(
            "ssh", "web1-shared", f"echo here; {gate.wait}; echo still here")))
        other.stdout.wait_for_line("here")
        running.stop()
        gate.open()
        assert other.wait() == 0, other.stderr.text
    assert other.stdout.lines == ["here", "still here"]


LOGIN = "Confirm your login at https://login.example/1234"
WAY = f"exec ssh -W 10.77.4.2:{sshd.PORT} jump"


def test_what_ssh_says_while_it_waits_for_somebody_is_shown(web1, lab, gate, cleanup):
    running = cleanup.enter_context(Process(lab.near.view.inside(*words(
        "-v", "--remote-host", "web1", "--proxycommand", f"sh -c 'echo {LOGIN} >&2; {gate.wait}; {WAY}'", "vb"))))
    running.stderr.wait_for_line(re.escape(LOGIN))
    assert "capturing on" not in running.stderr.text
    gate.open()
    running.stderr.wait_for_line("capturing on")
    running.signal(signal.SIGINT)
    assert running.wait() == 0
    assert running.stderr.text.count(LOGIN) == 1


@pytest.mark.parametrize("later", ("", "sleep 0.3;"))
def test_what_ssh_says_right_before_it_fails_is_told_once(near_program, stand_in, later):
    link = stand_in(web1=f"echo The proxy is not in the mood. >&2; {later} exit 255")
    ended = near_program("--remote-host", "web1", "vb", view=link.view)
    assert ended.status == 1
    assert ended.stderr.count("not in the mood") == 1, ended.stderr


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_ssh_that_closes_its_stderr_costs_no_time(stand_in, remote_capture):
    link = stand_in(web1=says_a_packet_now_and_then, first="exec 2>&-")
    running = remote_capture("web1", "vb", view=link.view)
    before, began = cpu_seconds(running.pid), time.monotonic()
    running.wait_for_packets(len(running.so_far()) + 6)
    spent, took = cpu_seconds(running.pid) - before, time.monotonic() - began
    result = running.stop()
    assert spent < 0.3 * took, f"{spent:.2f} s in {took:.2f} s"
    assert numbers(result)


# --- what is asked for

def rows(folder):
    """What is in the files but the interfaces' numbers, which the near end has of its own."""
    return {group: sorted(packet.data[:4] + packet.data[8:] + packet.len.to_bytes(4, "big") for packet in file.packets)
            for group, file in pcap.groups(folder).items()}


def test_all_interfaces_in_pcap_files_are_cooked_as_here(web1, remote_capture, capture, scratch):
    there, here = (sshd.make_folder(scratch, name) for name in ("there", "here"))
    options = ("-d", "rx", "-f", "udp dst port 40000")
    running = remote_capture("web1", None, *options, "-w", there / "out.pcap", output=None)
    local = capture(web1.namespace, None, *options, "-w", here / "out.pcap", output=None)
    sent = send(web1.peer, "va", count=20, udp=40000)
    local.stop()
    result = running.stop()
    files = pcap.groups(there)
    assert {file.linktype for file in files.values()} == {pcap.LINKTYPE_LINUX_SLL2}
    assert {int(cpu): len(file.packets) for cpu, file in files.items() if file.packets} == sent
    assert rows(there) == rows(here)
    assert sum(result.counts().values()) == sum(sent.values())


def test_a_long_filter_is_no_reason_to_fall_silent(web1, remote_capture):
    """Longer than a pipe holds."""
    running = remote_capture("web1", "vb", "-d", "rx", "-f", "udp dst port 40000" + " " * 70000)
    sent = send(web1.peer, "va", count=5, udp=40000)
    send(web1.peer, "va", count=5, udp=40001)
    running.wait_for_packets(sum(sent.values()))
    assert len(running.stop().packets) == sum(sent.values())


@pytest.mark.parametrize("plan", (counts_beyond_all_numbers, loses_more_than_there_were, counts_backwards))
def test_counters_that_cannot_be_are_refused(near_program, stand_in, scratch, plan):
    file = scratch / "x.pcapng"
    ended = near_program("--remote-host", "web1", "-w", file, "vb", view=stand_in(web1=plan).view)
    assert ended.status == 1
    assert "web1: The other end said something that is no part of our protocol" in ended.stderr
    whole = pcapng.read(file)
    remote.check(whole, ["web1"])
    assert len(whole.packets) == PACKETS


def test_two_fields_for_cpus_add_up(lab, web1, cleanup, scratch):
    if not {0, 1} <= set(kernel.cpus("online")):
        pytest.skip("CPUs 0 and 1 are not both online")
    running = cleanup.enter_context(ExtcapCapture(
        lab.near.view, "ssh", "--remote-host", "web1", "--remote-interface", "vb", "--remote-cpu", 0,
        "--remote-cpu-list", 1, folder=scratch))
    file = running.wait_until_live().stop()
    assert {contract.description_of(interface).cpu for interface in file.interfaces} == {0, 1}


def test_two_answers_to_who_to_be_are_refused(near_program):
    ended = near_program("--remote-host", "captor@web1", "--remote-username", "root", "vb")
    assert (ended.status, ended.stdout) == (2, "")
    assert "captor@web1" in ended.stderr and "--remote-username" in ended.stderr


def rights(pid):
    """The capabilities of a process, in all of its sets but the one that only limits."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return {name: int(value, 16) for name, value in re.findall(r"Cap(Inh|Prm|Eff|Amb):\t(\w+)", status.read())}


NONE = {"Inh": 0, "Prm": 0, "Eff": 0, "Amb": 0}


@pytest.mark.parametrize("what", (["-v", "vb"], ["-D"], [*RELOAD]), ids=("capture", "list", "reload"))
def test_who_talks_to_another_host_has_no_rights_here(lab, web1, gate, cleanup, scratch, what):
    if sanitizer.kind():
        pytest.skip("a sanitizer cannot read its options in a program with file capabilities")
    home = user.own(sshd.make_folder(scratch, "home"))
    way = ("--remote-host", "web1", "--proxycommand", f"sh -c '{gate.wait}; {WAY}'")
    view = lab.near.view.having(XDG_CACHE_HOME=home)
    running = cleanup.enter_context(Process(view.inside(*user.words(user.install(scratch), *way, *what))))
    eventually(lambda: "ssh" in family(view, running.pid).values(), "ssh to run")
    started = family(view, running.pid)
    assert "rxtxcpu" in started.values()
    for pid, name in started.items():
        assert rights(pid) == NONE, name
    gate.open()
    if "vb" in what:
        running.stderr.wait_for_line("capturing on")
        assert rights(running.pid) == NONE
        running.signal(signal.SIGINT)
    assert running.wait() == 0, running.stderr.text


# --- what took seconds

def test_a_backlog_behind_a_slow_link_is_waited_for(slow):
    result = slow["trickles"].result()
    assert len(result.packets) == sum(result.counts().values()) == 17
    assert result.said == []


def test_so_it_is_there_by_a_program_that_cannot_get_rid_of_it(slow):
    """Through a real connection, for longer than a local reader may take."""
    result = slow["throttled"].result(timeout=30)
    attribution.check_all(result.packets, slow.sent)
    attribution.check_counts(result, slow.sent)
    assert result.said == []


def test_it_is_waited_for_as_long_as_bytes_come_and_be_it_one_long_packet(slow):
    result = slow["trickles_within_a_packet"].result()
    assert len(result.packets) == PACKETS and result.said == []


def test_a_host_that_does_not_come_to_its_end_is_an_error_and_the_file_is_whole(slow):
    result = slow["does_not_come_to_its_end"].fails("not waited for any longer")
    assert len(result.packets) == PACKETS


def test_a_host_that_never_begins_is_given_up_with_a_sentence(slow):
    ended = slow["never begins"]
    assert ended.wait() == 1
    assert "rxtxcpu: web1: The other end does not do what it should." in ended.stderr.text


@pytest.mark.parametrize("name", ("says_nothing", "answers_without_an_end", "mute server"))
def test_reload_in_wireshark_has_an_end(slow, name):
    """With its list, or with a sentence in its place."""
    asked = slow[f"reload: {name}"]
    assert asked.wait() == 0 and asked.stderr.text == ""
    assert parse(asked.stdout.text)
    assert ("{value=vb}" in asked.stdout.text) == (name == "answers_without_an_end")
    assert ("{display=web1: The " in asked.stdout.text) == (name != "answers_without_an_end")
