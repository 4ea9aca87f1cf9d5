"""What is captured there is what was sent there, packet by packet, and all that is told of it is as if it were here."""

import json
import os
import re
import signal

import pytest

from lib import attribution, kernel, pcap, pcapng, remote
from lib.capture import named, program
from lib.extcap import ExtcapCapture, ask, of_kind
from lib.frames import mark_of
from lib.sender import Sending, send

PACED = {"count": 2000, "rate": 20000}


# --- which CPU

@pytest.mark.threads
def test_what_a_cpu_receives_there_is_on_that_cpu(web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx")
    sent = send(web1.peer, "va", **PACED)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    attribution.check_counts(result, sent)
    assert result.said == []


def test_what_a_cpu_sends_there_is_on_that_cpu(web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "tx")
    sent = send(web1.namespace, "vb", **PACED)
    result = running.stop()
    attribution.check_all(result.packets, sent, ("tx",))
    attribution.check_counts(result, sent)


def test_both_directions_at_once_are_told_apart(web1, remote_capture):
    running = remote_capture("web1", "vb")
    with Sending(web1.peer, "va", **PACED) as receiving, Sending(web1.namespace, "vb", **PACED) as sending:
        sent = receiving.wait()
        assert sending.wait() == sent
    attribution.check_all(running.stop().packets, sent, ("rx", "tx"))


@pytest.mark.parametrize("target", kernel.CPUS[:2])
def test_what_is_steered_to_a_cpu_is_on_that_cpu(web1, remote_capture, target):
    web1.namespace.receive_on("vb", 1 << target)
    try:
        running = remote_capture("web1", "vb", "-d", "rx")
        sent = send(web1.peer, "va", count=500, rate=5000)
        attribution.check_all(running.stop().packets, sent, cpu_of=lambda _sender: target)
    finally:
        web1.namespace.receive_on("vb", 0)


def test_the_interfaces_are_described_with_the_host_and_say_how_it_steers(web1, remote_capture):
    file = remote_capture("web1", "vb").stop().file
    assert [interface.description for interface in file.interfaces] == \
        [f"web1:vb CPU {cpu} (rxtxcpu)" for cpu in kernel.cpus("online")]
    assert {interface.name for interface in file.interfaces} == {"vb"}
    assert file.interfaces[0].comments, "the steering there is not told"


def test_a_name_with_colons_is_still_told_from_the_interface(lab, web1, remote_capture):
    """As an address of IPv6 has them; here it is an alias for ssh."""
    config = lab.near.homes["root"] / ".ssh/config"
    before = config.read_text(encoding="utf-8")
    config.write_text(f"Host 2001:db8::1\n    HostName 10.77.1.2\n    HostKeyAlias web1\n    Port 2222\n"
                      f"    IdentityFile ~/.ssh/key_user\n{before}", encoding="utf-8")
    try:
        result = remote_capture("2001:db8::1", "vb", "-d", "rx").stop()
    finally:
        config.write_text(before, encoding="utf-8")
    assert {interface.name for interface in result.file.interfaces} == {"vb"}


def test_the_choice_of_cpus_is_made_there(web1, remote_capture, two_cpus):
    chosen = two_cpus[1]
    running = remote_capture("web1", "vb", "-d", "rx", "-l", chosen)
    sent = send(web1.peer, "va", two_cpus, count=20)
    result = running.stop()
    attribution.check_all(result.packets, {chosen: sent[chosen]})
    assert result.counts() == {chosen: sent[chosen]}


def test_the_snapshot_length_is_kept_and_the_true_length_told(web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx", "-s", 100)
    sent = send(web1.peer, "va", count=20, size=500)
    packets = running.stop().packets
    assert {(packet.caplen, packet.len) for packet in packets} == {(100, 500)} and len(packets) == sum(sent.values())


def test_a_filter_is_applied_there(web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx", "-f", "udp dst port 42000")
    send(web1.peer, "va", count=20, udp=41000)
    sent = send(web1.peer, "va", count=10, udp=42000)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    attribution.check_counts(result, sent)


@pytest.mark.parametrize("name, group", (("rxtxqueue", "queue"), ("rxtxnuma", "node")))
def test_queues_and_nodes_of_the_far_end(web1, remote_capture, name, group):
    """`rxcpu --remote-host` is rxcpu there."""
    running = remote_capture("web1", "vb", "--json", output=None, launch=named(name))
    sent = send(web1.namespace, "vb", count=5)
    one = json.loads(running.stop().stdout)
    assert one["group"] in (group, "numa")
    assert sum(entry["packets"] for entry in one["groups"]) == sum(sent.values())


def test_another_name_chooses_the_direction_there(web1, remote_capture):
    running = remote_capture("web1", "vb", launch=named("txcpu"))
    send(web1.peer, "va", count=5)
    sent = send(web1.namespace, "vb", count=5)
    packets = running.stop().packets
    assert {packet.direction for packet in packets} == {"tx"} and len(packets) == sum(sent.values())


# --- what is told of it

def test_with_v_it_says_when_it_is_live_and_on_which_host(near_program):
    """As it does here, also where nothing is written."""
    ended = near_program("--remote-host", "web1", "-v", "--duration", 1, "vb")
    live, = [line for line in ended.stderr_lines if "capturing on" in line]
    assert "web1" in live and "vb" in live


def test_the_lines_and_the_object_count_what_was_sent(web1, remote_capture):
    lines = remote_capture("web1", "vb", "-d", "rx", output=None)
    obj = remote_capture("web1", "vb", "-d", "rx", "--json", output=None)
    sent = send(web1.peer, "va", count=100, size=200)
    expected = {cpu: sent.get(cpu, 0) for cpu in kernel.cpus("online")}
    assert lines.stop().counts() == expected
    one = json.loads(obj.stop().stdout)
    assert {group["cpu"]: group["packets"] for group in one["groups"]} == expected
    assert one["total"]["bytes"] == 200 * sum(sent.values()) and one["total"]["dropped"] == 0
    assert one["total"]["accepted"] == one["total"]["packets"] == sum(sent.values())
    assert (one["interface"], one["group"], one["over"]) == ("vb", "cpu", True)


def test_counts_come_while_it_runs(web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx", "--json", "--stats", 1, output=None)
    with Sending(web1.peer, "va", rate=500):
        running.stdout.wait_until(lambda data: data.count(b"\n") >= 2, "two lines")
        result = running.stop()
    packets = [json.loads(line)["total"]["packets"] for line in result.stdout.splitlines()]
    assert packets == sorted(packets) and packets[0] > 0


def test_a_file_for_each_cpu(web1, remote_capture, scratch):
    running = remote_capture("web1", "vb", "-d", "rx", "-w", scratch / "out.pcap", output=None)
    sent = send(web1.peer, "va", count=50)
    running.stop()
    files = pcap.groups(scratch)
    assert {int(cpu): len(file.packets) for cpu, file in files.items() if cpu != "unknown" and file.packets} == sent
    for cpu, file in files.items():
        assert {mark_of(packet).cpu for packet in file.packets} <= {int(cpu)}


def test_packets_come_on_stdout_at_once(web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "rx", output="-")
    running.stdout.wait_until(lambda data: pcapng.split(data)[0], "the section header, before any packet")
    for number in range(1, 4):
        send(web1.peer, "va", kernel.CPUS[:1], count=1)
        running.wait_for_packets(number)
    assert len(running.stop().packets) == 3


def test_losses_there_are_told_here_to_the_packet(web1, remote_capture, two_cpus):
    running = remote_capture("web1", "vb", "-d", "tx", "-B", 2)
    program_there, = web1.programs()
    os.kill(program_there, signal.SIGSTOP)
    sent = send(web1.namespace, "vb", two_cpus, count=5000, size=1000)
    os.kill(program_there, signal.SIGCONT)
    result = running.stop()
    for cpu, (accepted, dropped, delivered) in result.statistics().items():
        if cpu in sent:
            assert dropped > 0 and accepted == delivered + dropped == sent[cpu]
    assert [line for line in result.said if "lost" in line or "dropped" in line], "nobody was told of the losses"


def test_at_a_high_rate_with_an_ample_buffer_nothing_is_missing(web1, remote_capture):
    running = remote_capture("web1", "vb", "-d", "tx", "-B", 256)
    sent = send(web1.namespace, "vb", count=30000)
    result = running.stop()
    attribution.check_all(result.packets, sent, ("tx",))
    attribution.check_counts(result, sent)


def test_all_interfaces_of_the_far_end(web1, remote_capture):
    """Each packet is of the interface that it came on."""
    running = remote_capture("web1", None, "-f", "udp")
    sent = send(web1.peer, "va", count=20)
    result = running.stop()
    of_vb = [packet for packet in result.packets if packet.interface.name == "vb"]
    attribution.check_all(of_vb, sent)
    assert result.packets == of_vb
    assert result.counts() == {cpu: sent.get(cpu, 0) for cpu in kernel.cpus("online")}


# --- lists of the far end

@pytest.mark.parametrize("which", ("-D", "--list-cpus"))
def test_lists_are_those_of_the_far_end(web1, near_program, which):
    local = program(which, namespace=web1.view)
    far = near_program("--remote-host", "web1", which)
    assert (far.status, far.stderr) == (0, "")
    assert far.stdout == local.stdout


def test_a_list_of_a_host_that_does_not_answer_is_an_error(near_program):
    ended = near_program("--remote-host", "web1-refused", "-D")
    assert (ended.status, ended.stdout) == (1, "")
    assert "Connection refused" in ended.stderr_lines[0]


# --- Wireshark's questions

SSH = ("--extcap-interface", "rxtxcpu-ssh")
RELOAD = ("--extcap-config", *SSH, "--remote-host", "web1", "--extcap-reload-option")


def test_the_interface_is_offered_last(lab):
    offered = of_kind(ask(lab.near.view, "--extcap-interfaces", "--extcap-version=4.0"), "interface")
    assert [one["value"] for one in offered].index("rxtxcpu-ssh") == len(offered) - 1


def test_the_dialogue_has_sshdumps_names_in_its_tabs(lab):
    arguments = {one["call"]: one for one in of_kind(ask(lab.near.view, "--extcap-config", *SSH), "arg")}
    groups = {call: one.get("group") for call, one in arguments.items()}
    for group, calls in (("Server", ("--remote-host", "--remote-port")),
                         ("Authentication", ("--remote-username", "--sshkey", "--proxycommand")),
                         ("Capture", ("--remote-interface", "--remote-filter", "--remote-count"))):
        assert {groups[call] for call in calls} == {group}, groups
    assert "--remote-password" not in arguments and "--sshkey-passphrase" not in arguments
    assert arguments["--remote-interface"]["reload"] == "true"


def test_reload_lists_the_interfaces_of_the_far_end(lab, web1):
    values = of_kind(ask(lab.near.view, *RELOAD, "remote-interface"), "value")
    assert {"vb", "ssh0", "in0"} <= {one["value"] for one in values}
    assert len({one["arg"] for one in values}) == 1


def test_reload_lists_the_cpus_of_the_far_end(lab, web1):
    values = of_kind(ask(lab.near.view, *RELOAD, "remote-cpu"), "value")
    assert [int(one["value"]) for one in values if one["value"].isdigit()] == kernel.cpus("online")


def test_reload_from_a_host_that_does_not_answer_says_why(near_program):
    ended = near_program(*[word.replace("web1", "web1-refused") for word in RELOAD], "remote-interface")
    value, = ended.stdout.splitlines()
    assert re.fullmatch(r"value \{arg=\d+\}\{value=\}\{display=web1-refused: Connection refused[^{}]*\}\{default=true\}",
                        value)
    assert (ended.status, ended.stderr) == (0, "")


def test_a_capture_of_wireshark_has_all_that_was_sent(lab, web1, cleanup, scratch):
    running = cleanup.enter_context(ExtcapCapture(
        lab.near.view, "ssh", "--remote-host", "web1", "--remote-interface", "vb", "--direction", "rx",
        "--remote-filter", "udp dst port 42000", "--extcap-capture-filter", "udp", folder=scratch))
    running.wait_until_live()
    send(web1.peer, "va", count=5, udp=41000)
    sent = send(web1.peer, "va", count=20, udp=42000)
    running.wait_for_packets(sum(sent.values()))
    result = running.stop()
    attribution.check_all(result.packets, sent)
    assert {remote.host_of(interface) for interface in result.interfaces} == {"web1"}


def test_a_count_of_wireshark_is_exact(lab, web1, cleanup, scratch):
    running = cleanup.enter_context(ExtcapCapture(lab.near.view, "ssh", "--remote-host", "web1", "--remote-interface",
                                                  "vb", "--remote-count", 30, folder=scratch))
    running.wait_until_live()
    send(web1.peer, "va", count=100)
    assert len(running.result(exact_stop=True).packets) == 30


def test_an_error_there_reaches_wireshark_and_hangs_nobody(lab, web1, cleanup, scratch):
    running = cleanup.enter_context(ExtcapCapture(lab.near.view, "ssh", "--remote-host", "web1", "--remote-interface",
                                                  "eth9", folder=scratch, toolbar=True))
    _status, text = running.failure()
    assert "web1: " in text and "error setting ifname 'eth9': No such device" in text
