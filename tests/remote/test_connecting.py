"""If `ssh web1` works, so does a capture there, however it is that ssh gets in; and what is left out of the capture is
our own connection alone."""

import re

import pytest

from lib import attribution, pcapng, remote, sanitizer, sshd, user
from lib.extcap import ExtcapCapture
from lib.frames import ETHERTYPE_IP
from lib.sender import send

COUNT = 20


def check_capture(running, host):
    """What is sent there comes here."""
    sent = send(host.peer, "va", count=COUNT)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    return result


def let_in(host, before):
    """How sshd let whom in since its log was `before`."""
    return re.findall(r"^Accepted (\S+) for (\S+) from (\S+) .*?ssh2: (\S+)", host.log()[len(before):], re.MULTILINE)


# --- ways in

@pytest.mark.parametrize("host", ("web1", "root@web1", "web1-certificate", "inner1"))
def test_where_ssh_gets_in_by_its_own_configuration_so_does_a_capture(web1, remote_capture, host):
    before = web1.log()
    result = check_capture(remote_capture(host, "vb", "-d", "rx"), web1)
    (way, name, address, kind), = let_in(web1, before)
    assert (way, name, kind) == ("publickey", "root", "ED25519-CERT" if "certificate" in host else "ED25519")
    assert address == ("10.77.4.1" if host == "inner1" else "10.77.1.1")
    assert {remote.host_of(interface) for interface in result.file.interfaces} == {host.rpartition("@")[2]}


def test_a_key_that_only_an_agent_has_is_used(lab, web1, remote_capture, cleanup):
    agent, socket = lab.near.agent("agent")
    cleanup.enter_context(agent)
    check_capture(remote_capture("web1-agent", "vb", "-d", "rx", view=lab.near.view.having(SSH_AUTH_SOCK=socket)), web1)


def test_a_passphrase_is_asked_for_by_ssh_itself(lab, web1, remote_capture):
    program, asked = lab.near.askpass(sshd.PASSPHRASE)
    view = lab.near.view.having(SSH_ASKPASS=program, DISPLAY=":9")
    check_capture(remote_capture("web1-locked", "vb", "-d", "rx", view=view), web1)
    assert "key_locked" in asked.read_text(encoding="utf-8")


def test_with_wireshark_too_a_passphrase_is_asked_for_where_an_askpass_program_is_set(lab, web1, cleanup, scratch):
    program, asked = lab.near.askpass(sshd.PASSPHRASE)
    view = lab.near.view.having(SSH_ASKPASS=program, DISPLAY=":9")
    running = cleanup.enter_context(ExtcapCapture(view, "ssh", "--remote-host", "web1-locked",
                                                  "--remote-interface", "vb", folder=scratch))
    running.wait_until_live()
    running.stop()
    assert "key_locked" in asked.read_text(encoding="utf-8")


def test_with_wireshark_nobody_is_asked_where_none_is_set(lab, web1, cleanup, scratch):
    running = cleanup.enter_context(ExtcapCapture(lab.near.view, "ssh", "--remote-host", "web1-locked",
                                                  "--remote-interface", "vb", folder=scratch))
    _status, text = running.failure()
    assert "You are not let in" in text and "Permission denied (" in text


def test_a_connection_that_is_shared_is_used_and_left_open(lab, web1, remote_capture):
    lab.ssh("web1-fast", "true")
    before, masters = web1.log(), web1.sessions()
    try:
        running = remote_capture("web1-fast", "ssh0")
        own = own_port(lab)
        result = running.stop()
        assert let_in(web1, before) == []
        assert own not in ports(result)
        assert lab.ssh("web1-fast", "true").status == 0 and let_in(web1, before) == []
    finally:
        lab.ssh("-O", "exit", "web1-fast")
    assert masters


def test_a_capture_never_becomes_the_connection_that_others_share(lab, web1, remote_capture):
    """Or its end would be theirs; also with ControlMaster auto."""
    check_capture(remote_capture("web1-fast", "vb", "-d", "rx"), web1)
    assert not web1.programs()
    assert lab.ssh("-O", "check", "web1-fast").status != 0


def test_without_any_configuration_the_options_say_it_all(lab, web1, remote_capture):
    key = lab.near.homes["root"] / ".ssh/key_user"
    running = remote_capture("web1.lab", "vb", "-d", "rx", "--remote-port", sshd.PORT, "--remote-username", "root",
                             "--sshkey", key)
    check_capture(running, web1)


def test_a_proxy_command_carries_the_connection(web1, remote_capture):
    before = web1.log()
    running = remote_capture("web1", "vb", "-d", "rx", "--proxycommand", "ssh -W 10.77.4.2:%p jump")
    check_capture(running, web1)
    assert [address for _way, _name, address, _kind in let_in(web1, before)] == ["10.77.4.1"]


def test_with_compression_the_capture_is_the_same(web1, remote_capture):
    check_capture(remote_capture("web1", "vb", "-d", "rx", "--remote-compress"), web1)


def test_another_program_there_is_the_one_that_runs(web1, remote_capture, scratch):
    mark = scratch / "was-run"
    other = sshd.write_script(scratch / "other-rxtxcpu", f"touch {mark}", f'exec {web1.program} "$@"')
    check_capture(remote_capture("web1", "vb", "-d", "rx", "--remote-program", other), web1)
    assert mark.exists()


# --- whose traffic is captured

def own_port(lab):
    """The near end's port of the one connection that ssh has open."""
    (own, _other), = lab.near.view.connections()
    return int(own.rpartition(":")[2])


def ports(result):
    """The ports of the TCP and UDP packets over IPv4."""
    found = set()
    for packet in result.packets:
        data = packet.data
        if int.from_bytes(data[12:14], "big") == ETHERTYPE_IP and data[23] in (6, 17):
            found |= {int.from_bytes(data[34:36], "big"), int.from_bytes(data[36:38], "big")}
    return found


def filters(result):
    return [interface.options.get(pcapng.IF_FILTER).decode() for interface in result.file.interfaces]


@pytest.mark.parametrize("host, device", (("web1", "ssh0"), ("inner1", "in0"), ("web1", None)))
def test_our_own_connection_is_left_out_and_nothing_else_is(lab, web1, remote_capture, host, device):
    running = remote_capture(host, device)
    own = [int(other.rpartition(":")[2]) for _own, other in web1.view.connections()]
    assert len(own) == 1
    assert lab.ssh(host, "id").status == 0
    send(web1.peer, "va", udp=22, count=1)
    running.wait_for_packets(10)
    result = running.stop()
    seen = ports(result)
    assert own[0] not in seen
    assert sshd.PORT in seen, "another connection with the same server is missing"
    assert (22 in seen) == (device is None)
    assert all(str(own[0]) in text and "not" in text for text in filters(result)), filters(result)


def test_a_filter_of_the_users_keeps_our_own_connection_out_too(lab, web1, remote_capture):
    running = remote_capture("web1", "ssh0", "-f", f"tcp port {sshd.PORT} or udp")
    own = own_port(lab)
    assert lab.ssh("web1", "id").status == 0
    running.wait_for_packets(10)
    result = running.stop()
    assert sshd.PORT in ports(result) and own not in ports(result)
    assert all(f"tcp port {sshd.PORT} or udp" in text for text in filters(result)), filters(result)


def test_our_own_connection_is_captured_when_asked_for(lab, web1, remote_capture):
    running = remote_capture("web1", "ssh0", "--remote-own-traffic", "-s", 64, "-c", 20)
    own = own_port(lab)
    result = running.result()
    assert own in ports(result) and len(result.packets) == 20
    assert all(interface.options.get(pcapng.IF_FILTER) is None for interface in result.file.interfaces)


# --- rights there

def test_a_program_with_its_capability_there_needs_no_root(web1, remote_capture, scratch):
    if sanitizer.kind():
        pytest.skip("a sanitizer cannot read its options in a program with file capabilities")
    copy = user.install(scratch)
    check_capture(remote_capture("web1-captor", "vb", "-d", "rx", "--remote-program", copy), web1)


def test_sudo_gives_the_rights_where_it_asks_for_no_password(web1, remote_capture):
    web1.allow_without_password(True)
    try:
        check_capture(remote_capture("web1-captor", "vb", "-d", "rx", "--remote-priv", "sudo"), web1)
    finally:
        web1.allow_without_password(False)


def test_doas_is_run_so_that_it_never_asks(web1, remote_capture):
    """A stand-in: what matters here is how it is called."""
    called = web1.folder / "doas-was-called"
    doas = sshd.write_script(web1.bin / "doas", f'printf "%s\\n" "$*" > {called}',
                             'while getopts n o; do :; done; shift $((OPTIND - 1)); exec "$@"')
    try:
        check_capture(remote_capture("web1", "vb", "-d", "rx", "--remote-priv", "doas"), web1)
        assert called.read_text(encoding="utf-8").startswith("-n ")
    finally:
        doas.unlink()
