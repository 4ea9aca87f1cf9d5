"""The real tshark captures on another host through rxtxcpu-ssh, as an ordinary user whose own ssh reaches it."""

import os
import pathlib
import shutil
import signal

import pytest

from lib import attribution, contract, kernel, paths, pcapng, remote, sanitizer
from lib.frames import decode
from lib.process import eventually
from lib.remote import wait_until_nothing_runs
from lib.sender import Sending, send
from lib.wireshark import Installation

PORT, PROBE = 40000, 39999


@pytest.fixture
def installation(_root, scratch):
    if sanitizer.kind():
        pytest.skip("a plugin with sanitizers does not load into a tshark without")
    if not shutil.which("tshark") or not paths.PLUGIN.exists():
        pytest.skip("tshark is not installed or the plugin was not built")
    return Installation(scratch, capable=False)  # what captures is at the far end


def settings(host="web1", **options):
    """The options of rxtxcpu-ssh, as Wireshark's preferences hold them."""
    chosen = {"remotehost": host, "remoteinterface": "vb", **options}
    return [word for name, value in chosen.items() for word in ("-o", f"extcap.rxtxcpu_ssh.{name}:{value}")]


@pytest.fixture
def tshark(installation, lab, web1, cleanup):
    def start(*words):
        argv = ("tshark", "-n", "-l", "-i", "rxtxcpu-ssh", *words)
        return cleanup.enter_context(installation.start(lab.near.view, *argv))
    return start


def probe_until(web1, condition, what):
    """tshark does not tell when it is live: packets come until the first one is there."""
    with Sending(web1.peer, "va", kernel.CPUS[:1], rate=50, udp=PROBE):
        eventually(condition, what)


def on_disk(path):
    blocks = pcapng.split(path.read_bytes())[0] if path.exists() else []
    return sum(block.type == pcapng.EPB for block in blocks)


def end(running):
    running.signal(signal.SIGINT)
    assert running.wait() == 0, running.stderr.text


def test_it_is_offered(installation, lab):
    listed = installation.run(lab.near.view, "tshark", "-D")
    assert "rxtxcpu-ssh" in listed.stdout, listed.stderr


def test_each_packet_has_its_host_and_cpu_live(web1, tshark):
    running = tshark(*settings(), "-T", "fields", "-e", "udp.dstport", "-e", "rxtxcpu.cpu", "-e", "rxtxcpu.host",
                     "-e", "udp.payload")
    probe_until(web1, lambda: running.stdout.lines, "a line")
    sent = send(web1.peer, "va", count=100, rate=2000, udp=PORT)

    def rows():
        lines = running.stdout.text.rpartition("\n")[0].splitlines()
        return [row for row in (line.split("\t") for line in lines) if row[0] == str(PORT)]

    eventually(lambda: len(rows()) >= sum(sent.values()), "the packets")
    end(running)
    assert {row[2] for row in rows()} == {"web1"}
    for _port, cpu, _host, payload in rows():
        assert int(payload.replace(":", "")[8:16], 16) == int(cpu)


def test_what_tshark_writes_is_what_was_sent(installation, web1, tshark):
    path = pathlib.Path(installation.home) / "x.pcapng"
    running = tshark(*settings(direction="rx"), "-w", path)
    probe_until(web1, lambda: on_disk(path), "a packet in the file")
    before = on_disk(path)
    sent = send(web1.peer, "va", count=100, rate=2000, udp=PORT)
    eventually(lambda: on_disk(path) >= before + sum(sent.values()), "all packets in the file")
    end(running)
    file = contract.read(path, statistics=False)
    attribution.check_all([packet for packet in file.packets if decode(packet).port == PORT], sent)
    assert {interface.description for interface in file.interfaces} == \
        {f"web1:vb CPU {cpu} (rxtxcpu)" for cpu in kernel.cpus("online")}


def test_a_count_ends_it_and_keeps_the_statistics(installation, lab, web1, tshark):
    path = pathlib.Path(installation.home) / "x.pcapng"
    running = tshark(*settings(remotecount=50), "-w", path)
    with Sending(web1.peer, "va", rate=500):
        assert running.wait() == 0, running.stderr.text
    file = pcapng.read(path)
    remote.check(file, ["web1"], exact_stop=True)
    assert len(file.packets) == 50
    wait_until_nothing_runs(lab.near.view)


def test_filters_of_the_dialogue_and_of_the_main_window_both_count(web1, tshark):
    running = tshark(*settings(remotefilter=f"udp dst port {PORT} or udp dst port {PROBE}"), "-f",
                     "udp dst portrange 39999-40000", "-T", "fields", "-e", "udp.dstport")
    probe_until(web1, lambda: running.stdout.lines, "a line")
    send(web1.peer, "va", kernel.CPUS[:1], count=5, udp=41000)
    send(web1.peer, "va", kernel.CPUS[:1], count=5, udp=PORT)
    eventually(lambda: running.stdout.lines.count(str(PORT)) == 5, "the packets")
    end(running)
    assert set(running.stdout.lines) == {str(PORT), str(PROBE)}


@pytest.mark.parametrize("host, options, sentence", (
    ("web1-refused", {}, "Connection refused"),
    ("web1-unknown", {}, "The host's key is not known yet."),
    ("web1-stranger", {}, "You are not let in"),
    ("web1", {"remoteinterface": "eth9"}, "error setting ifname 'eth9': No such device"),
    ("web1", {"remotefilter": "udp por"}, "udp por"),
    ("web1;reboot", {}, "Invalid"),
), ids=lambda value: value if isinstance(value, str) else "")
def test_what_goes_wrong_is_told_and_hangs_nobody(installation, lab, web1, host, options, sentence):
    ended = installation.run(lab.near.view, "tshark", "-i", "rxtxcpu-ssh", *settings(host, **options),
                             "-a", "duration:10")
    assert ended.status != 0
    assert sentence in ended.stderr
    wait_until_nothing_runs(lab.near.view)


def test_a_connection_that_is_lost_ends_tshark_and_keeps_the_packets(installation, lab, web1, tshark):
    path = pathlib.Path(installation.home) / "x.pcapng"
    running = tshark(*settings(direction="rx"), "-w", path)
    probe_until(web1, lambda: on_disk(path), "a packet in the file")
    before = on_disk(path)
    for pid, name in web1.sessions().items():
        if name.startswith("sshd"):
            os.kill(pid, signal.SIGKILL)
    running.wait()
    assert "The connection was lost" in running.stderr.text
    assert len(pcapng.read(path).packets) >= before
    wait_until_nothing_runs(lab.near.view)


def test_a_tshark_that_is_killed_leaves_nothing_there(lab, web1, installation, tshark):
    path = pathlib.Path(installation.home) / "x.pcapng"
    running = tshark(*settings(), "-w", path)
    probe_until(web1, lambda: on_disk(path), "a packet in the file")
    running.kill()
    wait_until_nothing_runs(lab.near.view)
    remote.wait_until_idle(web1)
