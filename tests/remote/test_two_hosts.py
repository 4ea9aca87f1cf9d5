"""Several hosts, one file in the order of time: each packet with its host, and what is known of their clocks told."""

import os
import pathlib
import re
import signal

import pytest

from lib import attribution, contract, kernel, pcapng, remote
from lib.remote import wait_until_idle
from lib.sender import Sending, send
from lib.sshd import write_script

BOTH = ["web1", "web2"]
FAKE = pathlib.Path(__file__).with_name("fake_far_end.py")


@pytest.fixture
def web2(lab):
    yield lab.web2
    wait_until_idle(lab.web2)


def of_host(result, host):
    return remote.of_host(result.file, host).packets


def test_what_each_host_received_is_of_that_host_and_cpu(web1, web2, remote_capture):
    running = remote_capture(BOTH, "vb", "-d", "rx")
    with Sending(web1.peer, "va", count=500, rate=5000) as one, Sending(web2.peer, "va", count=300, rate=3000) as other:
        sent = {"web1": one.wait(), "web2": other.wait()}
    result = running.stop()
    for host in BOTH:
        attribution.check_all(of_host(result, host), sent[host])
    hosts = [remote.host_of_packet(packet) for packet in result.packets]
    assert sum(before != after for before, after in zip(hosts, hosts[1:])) > 50, "they do not alternate"


def test_each_host_has_its_interfaces_and_statistics(web1, web2, remote_capture):
    running = remote_capture(BOTH, "vb", "-d", "rx")
    sent = {"web1": send(web1.peer, "va", count=20), "web2": send(web2.peer, "va", count=30)}
    result = running.stop()
    told = {(remote.host_of(interface), contract.description_of(interface).cpu):
            interface.statistics[0][pcapng.ISB_USRDELIV] for interface in result.file.interfaces}
    assert told == {(host, cpu): sent[host].get(cpu, 0) for host in BOTH for cpu in kernel.cpus("online")}
    total = sum(count for counts in sent.values() for count in counts.values())
    assert f"{total} packets captured total." in result.stdout.splitlines()


def test_a_user_in_front_of_a_host_is_no_part_of_its_name(web1, web2, remote_capture):
    file = remote_capture(["root@web1", "web2"], "vb").stop().file
    assert {remote.host_of(interface) for interface in file.interfaces} == set(BOTH)


def test_a_count_is_of_all_hosts_together(web1, web2, remote_capture):
    running = remote_capture(BOTH, "vb", "-d", "rx", "-c", 100)
    with Sending(web1.peer, "va", rate=1000), Sending(web2.peer, "va", rate=1000):
        result = running.result()
    assert len(result.packets) == 100


def test_the_same_host_twice_is_refused(near_program):
    ended = near_program("--remote-host", "web1", "--remote-host", "web1", "vb")
    assert ended.status == 2 and "web1" in ended.stderr_lines[0]


def test_when_one_host_cannot_be_reached_there_is_no_capture_and_its_name_is_told(web1, near_program, scratch):
    ended = near_program("--remote-host", "web1", "--remote-host", "web2-refused", "-w", scratch / "x.pcapng", "vb")
    assert (ended.status, ended.stdout) == (1, "")
    assert ended.stderr_lines[0].startswith("rxtxcpu: web2-refused: ") and "Connection refused" in ended.stderr_lines[0]
    assert not (scratch / "x.pcapng").exists()


def test_a_quiet_host_does_not_hold_up_a_busy_one(web1, web2, remote_capture):
    """It says often enough that it has nothing."""
    running = remote_capture(BOTH, "vb", "-d", "rx")
    sent = send(web1.peer, "va", count=20)
    running.wait_for_packets(sum(sent.values()))
    attribution.check_all(of_host(running.stop(), "web1"), sent)


def test_when_one_host_is_lost_the_end_is_told_and_all_that_came_is_whole(web1, web2, remote_capture):
    running = remote_capture(BOTH, "vb", "-d", "rx")
    sent = {"web1": send(web1.peer, "va", count=20), "web2": send(web2.peer, "va", count=30)}
    running.wait_for_packets(sum(count for counts in sent.values() for count in counts.values()))
    for pid, name in web2.sessions().items():
        if name.startswith("sshd"):
            os.kill(pid, signal.SIGKILL)
    result = running.fails("The connection was lost")
    assert any("web2: " in line for line in result.said)
    for host in BOTH:
        attribution.check_all(of_host(result, host), sent[host])


def test_clocks_that_agree_are_told_so(web1, web2, remote_capture):
    result = remote_capture(BOTH, "vb").stop()
    told, = [line for line in result.stderr.splitlines() if "clock of web2" in line]
    seconds = [float(number) * {"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}[unit]
               for number, unit in re.findall(r"(\d+(?:\.\d+)?) (s|ms|us|µs|ns)\b", told)]
    assert seconds and max(seconds) < 0.05, told


@pytest.fixture
def fake(web2, scratch):
    """A script that is rxtxcpu on web1 and a fake on web2: one program path is for all hosts."""

    def make(name):
        (scratch / name).symlink_to(FAKE)
        return write_script(scratch / "either",
                            f'case $PATH in *web2/bin*) exec {scratch / name} "$@";; *) exec rxtxcpu "$@";; esac')

    return make


@pytest.mark.parametrize("name, word", (("well-ahead-by-300-ms", "ahead"), ("well-behind-by-300-ms", "behind")))
def test_a_clock_that_is_off_is_told_and_not_hidden(web1, web2, remote_capture, fake, name, word):
    """The times in the file are those that each host gave, and in their order."""
    running = remote_capture(BOTH, "vb", "-d", "rx", "--remote-program", fake(name))
    with Sending(web1.peer, "va", rate=100):
        running.wait_for_packets(200)
    result = running.stop()
    told, = [line for line in result.stderr.splitlines() if "clock of web2" in line]
    assert word in told and re.search(r"\b(0\.(3|29)|300|30\d\.|29\d)", told), told
    first = {host: min(packet.ts_ns for packet in of_host(result, host)) for host in BOTH}
    last = {host: max(packet.ts_ns for packet in of_host(result, host)) for host in BOTH}
    later, earlier = ("web2", "web1") if word == "ahead" else ("web1", "web2")
    assert last[later] - last[earlier] > 0.15e9, (first, last)


@pytest.mark.parametrize("name, word", (("well-ahead-by-5-s", "ahead"), ("well-behind-by-5-s", "behind")))
def test_clocks_that_are_seconds_apart_have_no_common_order(web1, web2, near_program, scratch, fake, name, word):
    ended = near_program("--remote-host", "web1", "--remote-host", "web2", "--remote-program", fake(name),
                         "-w", scratch / "x.pcapng", "vb")
    assert (ended.status, ended.stdout) == (1, "")
    assert re.search(rf"clock of web2 is (5\.0|4\.9)\d* s {word}", ended.stderr_lines[0]), ended.stderr
    assert not (scratch / "x.pcapng").exists()
