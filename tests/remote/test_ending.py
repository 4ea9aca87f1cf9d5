"""How a remote capture ends: as asked, with all that had arrived, or because one of its many processes or the way
between them is gone, with a whole file here and nothing left there."""

import os
import platform
import shutil
import signal
import time

import pytest

from lib import accounting, attribution, kernel, pcapng, remote, sanitizer, static_program
from lib.capture import EVENT, words
from lib.frames import mark_of
from lib.process import Pipe, Process, eventually
from lib.remote import GONE, wait_until_idle, wait_until_nothing_runs
from lib.sender import Sending, send

PROMPT = 1.5 * sanitizer.SLOWNESS  # seconds that an end may take that was asked for
TIMEOUT = 2  # --remote-timeout
LOST = "The connection was lost"


@pytest.fixture
def near(lab):
    """The near end; nothing of ours runs there when a test is over."""
    yield lab.near.view
    wait_until_nothing_runs(lab.near.view)


# --- as asked

@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
def test_a_signal_amid_traffic_brings_all_that_had_arrived(near, web1, remote_capture, number):
    running = remote_capture("web1", "vb", "-d", "rx")
    with Sending(web1.peer, "va", rate=5000):
        running.wait_for_packets(100)
        result = running.stop(number)
    for (_direction, cpu), packets in attribution.by_sender(result.packets).items():
        assert [mark_of(packet).seq for packet in packets] == list(range(len(packets))), f"CPU {cpu}"
    assert set(result.dropped().values()) == {0}
    assert result.seconds < PROMPT


@pytest.mark.threads
def test_ctrl_c_reaches_ssh_too_and_yet_all_that_had_arrived_is_here(near, web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx")
    sent = send(web1.peer, "va", count=50)
    remote.interrupt(running)
    result = running.result()
    attribution.check_all(result.packets, sent)
    attribution.check_counts(result, sent)
    assert result.said == [] and result.seconds < PROMPT


def test_a_capture_of_nothing_is_a_whole_file(near, web1, remote_capture):
    result = remote_capture("web1", "vb", "-d", "rx").stop()
    attribution.check_counts(result, {})
    assert result.seconds < PROMPT


@pytest.mark.parametrize("busy", (True, False))
def test_a_duration_ends_the_capture_by_itself(near, web1, remote_capture, busy):
    begin = time.monotonic()
    running = remote_capture("web1", "vb", "-d", "rx", "--duration", 1)
    with Sending(web1.peer, "va", rate=1000 if busy else 1):
        result = running.result()
    assert 1.0 <= time.monotonic() - begin < 1.0 + 4 * PROMPT
    assert sum(result.counts().values()) == len(result.packets)


@pytest.mark.parametrize("count", (1, 100, 5000))
def test_a_count_is_exact(near, web1, remote_capture, count):
    running = remote_capture("web1", "vb", "-d", "rx", "-c", count)
    with Sending(web1.peer, "va", rate=20000):
        result = running.result()
    assert len(result.packets) == sum(result.counts().values()) == count


def test_a_reader_that_goes_away_ends_the_far_end_too(near, web1, cleanup):
    pipe = Pipe()
    running = cleanup.enter_context(Process(near.inside(*words("--remote-host", "web1", "-w", "-", "vb")),
                                            stdout=pipe.write_end))
    pipe.hand_over()
    pipe.read_block()
    pipe.close()
    assert running.wait() == 1
    assert "rxtxcpu: error writing to savefile '-': Broken pipe" in running.stderr.lines
    wait_until_idle(web1)


def test_a_second_signal_gives_up_a_far_end_that_does_not_answer(web1, remote_capture):
    running = remote_capture("web1", "vb", "--remote-timeout", 60)
    far, = web1.programs()
    os.kill(far, signal.SIGSTOP)
    try:
        running.signal(signal.SIGTERM)
        eventually(lambda: not running.running or running.signal(signal.SIGTERM), "a second SIGTERM to end it at once")
        assert running.wait() in (1, -signal.SIGTERM)
    finally:
        os.kill(far, signal.SIGCONT)


# --- the near end is gone

def is_gone(host):
    """The program, whatever sshd still has of the connection."""
    return not host.programs() and not host.namespace.packet_sockets()


def test_a_near_end_that_is_killed_on_a_silent_interface_leaves_nothing(near, web1, remote_capture):
    running = remote_capture("web1", "vb", "-p")
    assert web1.programs() and web1.namespace.packet_sockets()
    assert web1.namespace.link("vb")["promiscuity"] == 1
    killed = time.monotonic()
    running.kill()
    wait_until_idle(web1)
    wait_until_nothing_runs(near)
    assert time.monotonic() - killed < GONE
    assert web1.namespace.link("vb")["promiscuity"] == 0


def test_a_near_end_that_is_killed_amid_traffic_leaves_nothing(near, web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx")
    with Sending(web1.peer, "va", rate=5000):
        running.wait_for_packets(100)
        running.kill()
        wait_until_idle(web1)


def test_a_near_end_that_is_killed_while_it_connects_leaves_nothing(near, web1, cleanup):
    for wanted in ("sshd", "rxtxcpu"):
        starting = cleanup.enter_context(Process(near.inside(*words("--remote-host", "web1", "vb"))))
        eventually(lambda: wanted in web1.sessions().values(), f"{wanted} to run there")
        starting.kill()
        wait_until_idle(web1)


def test_a_near_end_that_is_killed_leaves_nothing_also_where_the_connection_goes_on(near, lab, web1, remote_capture):
    lab.ssh("web1-fast", "true")
    try:
        running = remote_capture("web1-fast", "vb")
        running.kill()
        eventually(lambda: is_gone(web1), "the far end to have gone", GONE)
        assert lab.ssh("-O", "check", "web1-fast").status == 0
    finally:
        lab.ssh("-O", "exit", "web1-fast")


def test_a_near_end_that_is_killed_leaves_nothing_of_sudo_either(near, web1, remote_capture):
    if not shutil.which("sudo"):
        pytest.skip("there is no sudo")
    web1.allow_without_password(True)
    try:
        remote_capture("web1-captor", "vb", "--remote-priv", "sudo").kill()
        wait_until_idle(web1)
    finally:
        web1.allow_without_password(False)


def test_a_near_end_that_is_killed_leaves_nothing_on_a_jump_host(near, lab, web1, remote_capture):
    remote_capture("inner1", "vb").kill()
    wait_until_idle(web1)
    wait_until_idle(lab.jump)
    wait_until_nothing_runs(near)


def test_a_near_end_that_stands_still_is_given_up(near, web1, remote_capture):
    """A laptop that was closed."""
    running = remote_capture("web1", "vb", "--remote-timeout", TIMEOUT)
    with running.frozen():
        wait_until_idle(web1, TIMEOUT + GONE)
    running.fails(LOST)


# --- the far end, or the way there, is gone

def check_whole(result, sent):
    """What had come is there, and one statistics block for each interface."""
    attribution.check_all(result.packets, sent)
    for interface in result.file.interfaces:
        isb, = interface.statistics
        delivered = sum(packet.interface is interface for packet in result.packets)
        assert isb[pcapng.ISB_USRDELIV] == delivered


def kill_program(host):
    for pid in host.programs():
        os.kill(pid, signal.SIGKILL)


def kill_session(host):
    """The processes of sshd that carry it."""
    for pid, name in host.sessions().items():
        if name.startswith("sshd"):
            os.kill(pid, signal.SIGKILL)


def reset(host):
    host.namespace.shell("ss -K sport = 2222")


ENDS = {"the program there is killed": kill_program, "the session of sshd is killed": kill_session,
        "the connection is reset": reset}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_when_the_far_end_breaks_off_what_had_come_is_whole(near, web1, remote_capture, end):
    running = remote_capture("web1", "vb", "-d", "rx")
    sent = send(web1.peer, "va", count=50)
    running.wait_for_packets(sum(sent.values()))
    end(web1)
    result = running.fails(LOST)
    check_whole(result, sent)
    assert result.seconds < GONE
    assert result.counts() == {cpu: sent.get(cpu, 0) for cpu in kernel.cpus("online")}
    wait_until_idle(web1)


def test_when_it_breaks_off_amid_traffic_the_file_is_whole(near, web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx")
    with Sending(web1.peer, "va", rate=20000):
        running.wait_for_packets(2000)
        kill_session(web1)
        result = running.fails(LOST)
    for (_direction, cpu), packets in attribution.by_sender(result.packets).items():
        assert [mark_of(packet).seq for packet in packets] == list(range(len(packets))), f"CPU {cpu}"


def test_when_ssh_is_killed_here_both_ends_know(near, web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx")
    sent = send(web1.peer, "va", count=50)
    running.wait_for_packets(sum(sent.values()))
    for pid, name in near.processes().items():
        if name == "ssh":
            os.kill(pid, signal.SIGKILL)
    check_whole(running.fails(LOST), sent)
    wait_until_idle(web1)


def test_a_way_that_is_cut_silently_ends_both_ends_within_the_timeout(near, lab, web1, remote_capture):
    """What sshd has left of its session is its own business: it knows nothing of the cut."""
    running = remote_capture("web1", "vb", "-d", "rx", "--remote-timeout", TIMEOUT)
    sent = send(web1.peer, "va", count=50)
    running.wait_for_packets(sum(sent.values()))
    web1.namespace.ip("link set ssh0 down")
    cut = time.monotonic()
    try:
        result = running.fails(LOST)
        assert TIMEOUT - 1 < time.monotonic() - cut < TIMEOUT + GONE
        check_whole(result, sent)
        eventually(lambda: is_gone(web1), "the far end to have gone", GONE)
    finally:
        kill_session(web1)
        web1.namespace.ip("link set ssh0 up")
        eventually(lambda: lab.near.namespace.link("n1")["operstate"] == "UP", "the link to be up")
        lab.near.namespace.ip("neighbour replace 10.77.1.99 lladdr 02:00:00:00:00:99 dev n1 nud permanent")


def test_a_way_that_is_cut_for_less_than_the_timeout_costs_nothing(near, web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx")
    web1.namespace.ip("link set ssh0 down")
    sent = send(web1.peer, "va", count=50, rate=200)
    web1.namespace.ip("link set ssh0 up")
    running.wait_for_packets(sum(sent.values()))
    attribution.check_all(running.stop().packets, sent)


def test_a_far_end_that_stands_still_is_given_up(near, web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx", "--remote-timeout", TIMEOUT)
    sent = send(web1.peer, "va", count=50)
    running.wait_for_packets(sum(sent.values()))
    far, = web1.programs()
    os.kill(far, signal.SIGSTOP)
    try:
        check_whole(running.fails(LOST), sent)
    finally:
        os.kill(far, signal.SIGCONT)
    wait_until_idle(web1)


def test_an_interface_that_goes_away_there_is_told_as_here(near, web1, remote_capture):
    web1.namespace.ip("link add gone0 type veth peer name gone1")
    for device in ("gone0", "gone1"):
        web1.namespace.ip(f"link set {device} addrgenmode none arp off up")
    running = remote_capture("web1", "gone0", "-d", "rx")
    sent = send(web1.namespace, "gone1", count=5)
    running.wait_for_packets(sum(sent.values()))
    web1.namespace.ip("link delete gone0")
    result = running.fails()
    check_whole(result, sent)
    assert [line for line in result.said if "gone0" in line and "web1" in line], result.stderr


def test_a_link_that_flaps_there_is_told_here_with_its_host_and_time(near, web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx")
    before = send(web1.peer, "va", count=20, udp=41000)
    for state in ("down", "up"):
        web1.namespace.ip(f"link set vb {state}")
    eventually(lambda: web1.peer.link("va")["operstate"] == "UP", "va to have its carrier back")
    after = send(web1.peer, "va", count=20, udp=42000)
    result = running.stop()
    accounting.check(result, {41000: before, 42000: after})
    events = [match for match in map(EVENT.fullmatch, result.stderr.splitlines()) if match]
    assert [(match["host"], match["text"]) for match in events if "carrier" not in match["text"]] == \
        [("web1", "The interface vb went down"), ("web1", "The interface vb is up again")]


def test_the_copy_that_was_brought_along_is_gone_when_the_connection_breaks(near, web1, remote_capture):
    """Wherever it was put."""
    static_program.built(platform.machine())
    before = files_of(web1)
    moved = web1.program.rename(web1.folder / "rxtxcpu-moved")
    try:
        running = remote_capture("web1", "vb", "-d", "rx", "--remote-deploy")
        kill_session(web1)
        running.fails(LOST)
        wait_until_idle(web1)
    finally:
        moved.rename(web1.program)
    assert files_of(web1) == before


def files_of(host):
    """What could be such a copy, without what tests have made themselves."""
    listed = host.view.run("find", "/tmp", "/var/tmp", "/dev/shm", host.folder / "home-root", "-name", "*rxtxcpu*",
                           "-not", "-path", "/tmp/rxtxcpu-*-*")
    return set(listed.stdout.split())
