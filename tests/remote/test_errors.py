"""What goes wrong on the way to another host, and there: one sentence, one line of what to type next, no file, nothing
left."""

import contextlib
import re
import shutil
import signal
import socket
import time

import pytest

from lib import paths, sanitizer, sshd, walker
from lib.capture import program
from lib.extcap import ExtcapCapture
from lib.process import Process
from lib.sender import send

TYPED_WRONGLY, REFUSED = 2, 1


@pytest.fixture
def fails(web1, near_program, scratch):
    """Runs a capture that must fail: (sentence, hint, seconds)."""

    def run(host, *options, interface="vb", status=REFUSED, view=None):
        file = scratch / "capture.pcapng"
        begin = time.monotonic()
        ended = near_program("--remote-host", host, *options, "-w", file, interface, view=view)
        seconds = time.monotonic() - begin
        assert ended.status == status, ended.stderr
        assert ended.stdout == ""
        assert not file.exists()
        lines = ended.stderr_lines
        assert len(lines) == 2 and all(line.startswith("rxtxcpu: ") for line in lines), ended.stderr
        assert lines[0].startswith(f"rxtxcpu: {host.rpartition('@')[2]}: "), ended.stderr
        assert "\x1b" not in ended.stderr and "\r" not in ended.stderr
        assert "?" not in lines[0], "the end of a line of ssh's is shown as a question mark"
        return lines[0], lines[1], seconds

    return run


# --- the way there

@pytest.mark.parametrize("view", ("view", "with_dns"))
def test_a_name_that_is_not_known(lab, fails, view):
    sentence, hint, _seconds = fails("nowhere.invalid", view=getattr(lab.near, view))
    assert "The host's name is not known." in sentence
    assert "Try: ssh" in hint and "nowhere.invalid" in hint


def test_a_connection_that_is_refused(fails):
    sentence, hint, _seconds = fails("web1-refused")
    assert "Connection refused" in sentence
    assert "Try: ssh" in hint and "web1-refused" in hint


def test_a_port_that_was_given_is_in_the_hint(fails):
    sentence, hint, _seconds = fails("web1", "--remote-port", sshd.NOBODY_LISTENS)
    assert "Connection refused" in sentence
    assert f"Try: ssh -p {sshd.NOBODY_LISTENS} web1" in hint


def test_a_host_that_does_not_answer(fails):
    sentence, hint, seconds = fails("web1-silent", "--remote-timeout", 2)
    assert "timed out" in sentence
    assert "Try: ssh" in hint and "web1-silent" in hint
    assert 1.9 <= seconds < 4 * sanitizer.SLOWNESS


def test_a_server_that_accepts_and_says_nothing(lab, fails):
    with walker.inside(lab.web1.namespace):
        mute = socket.create_server(("10.77.1.2", 2300))
    with contextlib.closing(mute):
        sentence, hint, seconds = fails("web1", "--remote-port", 2300, "--remote-timeout", 2)
    assert "timed out" in sentence and "Try: ssh" in hint
    assert 1.9 <= seconds < 4 * sanitizer.SLOWNESS


def test_a_server_that_is_something_else(fails):
    sentence, hint, _seconds = fails("web1", "--proxycommand", "echo HTTP/1.0 400 Bad Request", "--remote-timeout", 2)
    assert "web1: " in sentence and "Try: ssh" in hint


def test_a_jump_host_that_does_not_let_through(fails):
    sentence, hint, _seconds = fails("web1", "--proxycommand", f"ssh -W 10.77.4.2:{sshd.NOBODY_LISTENS} jump")
    assert "web1: " in sentence and "Try: ssh" in hint


def test_a_host_whose_key_is_not_known_yet(lab, fails):
    before = {path: path.read_text(encoding="utf-8") for path in lab.near.folder.glob("home-*/.ssh/known_hosts")}
    sentence, hint, _seconds = fails("web1-unknown")
    assert "The host's key is not known yet." in sentence
    assert "Connect once and check its fingerprint" in hint and "ssh web1-unknown" in hint
    assert before == {path: path.read_text(encoding="utf-8") for path in before}


def test_a_host_whose_key_has_changed(fails):
    sentence, hint, _seconds = fails("web1-changed")
    assert "The host's key has changed" in sentence
    assert "ssh-keygen" in hint and "-R" in hint


def test_what_to_type_when_a_key_has_changed_forgets_that_key(lab, fails):
    """Which name it stands under depends on port, HostName and HostKeyAlias; ssh tells."""
    known = lab.near.homes["root"] / ".ssh/known_hosts"
    before = known.read_text(encoding="utf-8")
    _sentence, hint, _seconds = fails("web1-changed")
    try:
        lab.near.view.run("sh", "-c", re.search("ssh-keygen .*", hint)[0])
        sentence, _hint, _seconds = fails("web1-changed")
        assert "not known yet" in sentence
    finally:
        known.write_text(before, encoding="utf-8")
        known.with_name("known_hosts.old").unlink(missing_ok=True)


def test_a_configuration_that_silences_ssh_does_not_hide_the_reason(lab, fails):
    config = lab.near.homes["root"] / ".ssh/config"
    before = config.read_text(encoding="utf-8")
    config.write_text(f"LogLevel QUIET\n{before}", encoding="utf-8")
    try:
        sentence, _hint, _seconds = fails("web1-refused")
    finally:
        config.write_text(before, encoding="utf-8")
    assert "Connection refused" in sentence


@pytest.mark.parametrize("host", ("web1-stranger", "web1-agent", "nobody-here@web1"))
def test_a_user_who_is_not_let_in(fails, host):
    sentence, hint, _seconds = fails(host)
    assert "You are not let in" in sentence and "Permission denied (" in sentence
    assert "Try: ssh" in hint


def test_a_passphrase_that_nobody_can_be_asked_for(fails):
    sentence, hint, _seconds = fails("web1-locked")
    assert "You are not let in" in sentence and "Try: ssh" in hint


def test_a_wrong_passphrase(lab, fails):
    askpass, asked = lab.near.askpass("a wrong one")
    sentence, _hint, _seconds = fails("web1-locked", view=lab.near.view.having(SSH_ASKPASS=askpass, DISPLAY=":9"))
    assert "You are not let in" in sentence
    assert asked.read_text(encoding="utf-8")


def test_without_an_ssh_client(lab, near_program, scratch):
    ended = near_program("--remote-host", "web1", "vb", view=lab.near.view.having(PATH=str(scratch)))
    assert (ended.status, ended.stdout, len(ended.stderr_lines)) == (REFUSED, "", 2)
    assert "ssh" in ended.stderr_lines[0] and "openssh-client" in ended.stderr_lines[1]


# --- the program there

@pytest.fixture
def stand_in(web1):
    """Another program in the place of rxtxcpu on web1."""
    made = []

    def make(*lines):
        made.append(sshd.write_script(web1.folder / f"stand-in-{len(made)}", *lines))
        return made[-1]

    yield make
    for path in made:
        path.unlink()


@pytest.mark.parametrize("words", ([], ["--remote-program", "/nowhere/rxtxcpu"]), ids=("in-PATH", "by-its-path"))
def test_there_is_no_program(web1, fails, words):
    moved = web1.program.rename(web1.folder / "rxtxcpu-moved")
    try:
        sentence, hint, _seconds = fails("web1", *words)
    finally:
        moved.rename(web1.program)
    assert f"There is no program '{words[-1] if words else 'rxtxcpu'}'" in sentence
    assert "--remote-program" in hint and "--remote-deploy" in hint


def test_the_program_there_may_not_be_run(web1, fails, scratch):
    path = sshd.write(scratch / "rxtxcpu", "#!/bin/sh\n", 0o644)
    sentence, _hint, _seconds = fails("web1", "--remote-program", path)
    assert "run" in sentence and str(path) in sentence and "not let in" not in sentence


@pytest.mark.parametrize("complaint", ("Unrecognized option '--serve'.", "unrecognized option '--serve'"))
def test_the_program_there_is_too_old(fails, stand_in, complaint):
    """The first version, and the program that it follows."""
    old = stand_in(f'echo "rxtxcpu: {complaint}" >&2', "echo 'Usage: rxtxcpu [--count=N] [INTERFACE]' >&2", "exit 2")
    sentence, hint, _seconds = fails("web1", "--remote-program", old)
    assert "too old" in sentence
    assert "Update" in hint


def test_the_program_there_is_for_another_machine(fails, scratch):
    path = scratch / "rxtxcpu"
    path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(44))
    path.chmod(0o755)
    sentence, _hint, _seconds = fails("web1", "--remote-program", path)
    assert "run" in sentence and str(path) in sentence and "not let in" not in sentence


def test_the_program_there_has_no_permission(web1, fails):
    sentence, hint, _seconds = fails("web1-captor")
    assert "Operation not permitted" in sentence
    assert f"setcap cap_net_raw+ep {web1.program}" in hint
    assert "--remote-priv sudo" in hint


def test_sudo_wants_a_password(web1, fails):
    if not shutil.which("sudo"):
        pytest.skip("there is no sudo")
    sentence, hint, _seconds = fails("web1-captor", "--remote-priv", "sudo")
    assert "sudo" in sentence and "password" in sentence
    assert "NOPASSWD" in hint or "setcap" in hint


def test_there_is_no_doas(fails):
    if shutil.which("doas"):
        pytest.skip("this machine has doas")
    sentence, _hint, _seconds = fails("web1", "--remote-priv", "doas")
    assert "doas" in sentence


def test_the_shell_there_says_something_of_its_own(fails):
    sentence, hint, _seconds = fails("web1-noisy")
    assert "said something else than rxtxcpu" in sentence
    assert "Welcome" in sentence + hint


def test_a_shell_that_talks_on_stderr_is_no_trouble(web1, remote_capture, stand_in):
    talking = stand_in("echo 'Last login: never' >&2", f'exec {web1.program} "$@"')
    running = remote_capture("web1", "vb", "-d", "rx", "--remote-program", talking)
    sent = send(web1.peer, "va", count=5)
    assert len(running.stop().packets) == sum(sent.values())


def test_a_program_that_ends_without_a_word(fails, stand_in):
    sentence, _hint, _seconds = fails("web1", "--remote-program", stand_in("exit 0"))
    assert "web1: " in sentence


def test_the_disk_there_is_full(fails, stand_in):
    full = stand_in("echo 'head: write error: No space left on device' >&2", "exit 1")
    sentence, hint, _seconds = fails("web1", "--remote-program", full)
    assert "There is no space left there: head: write error: No space left on device" in sentence and "df -h" in hint


def test_a_program_that_says_nothing(web1, fails, stand_in):
    try:
        sentence, _hint, seconds = fails("web1", "--remote-program", stand_in("exec sleep 60"), "--remote-timeout", 2)
    finally:
        web1.end_sessions()  # this one does not care that nobody is there any more
    assert "The other end does not answer: nothing was heard for 2 seconds" in sentence
    assert seconds < 4 * sanitizer.SLOWNESS


# --- what was asked of it

def test_there_is_no_such_interface(fails):
    sentence, hint, _seconds = fails("web1", interface="eth9")
    assert "error setting ifname 'eth9': No such device" in sentence
    assert "rxtxcpu -D --remote-host web1" in hint


def test_an_interface_that_is_down_is_waited_for_as_here(lab, web1):
    web1.namespace.ip("link add down0 type veth peer name down1")
    words = [*sanitizer.launcher(), paths.PROGRAM, "-v", "--remote-host", "web1", "down0"]
    try:
        with Process(lab.near.view.inside(*words)) as waiting:
            waiting.stderr.wait_for_line("web1: The interface down0 is down, waiting until it is up. Run there: ip link "
                                         "set dev down0 up")
            for device in ("down0", "down1"):
                web1.namespace.ip(f"link set {device} up")
            waiting.stderr.wait_for_line("capturing on down0 of web1")
            waiting.signal(signal.SIGINT)
            assert waiting.wait() == 0
    finally:
        web1.namespace.ip("link delete down0")


def test_an_interface_whose_name_is_a_command_is_no_command(web1, remote_capture):
    """The kernel allows such names. What is asked for goes through no shell."""
    name = "x;$(id>&2)"
    web1.namespace.run("ip", "link", "add", name, "type", "veth", "peer", "name", "peer0")
    try:
        for device in (name, "peer0"):
            web1.namespace.run("ip", "link", "set", device, "addrgenmode", "none", "arp", "off", "up")
        result = remote_capture("web1", name).stop()
    finally:
        web1.namespace.run("ip", "link", "delete", name)
    assert {interface.name for interface in result.file.interfaces} == {name}
    assert "uid=" not in result.stderr


@pytest.mark.parametrize("text", ("udp por", "host name.that.is.nowhere", "((("))
def test_a_bad_filter_is_explained_in_the_words_of_the_local_program(web1, near_program, scratch, text):
    words = ("-f", text, "-w", scratch / "x.pcapng", "vb")
    local = program(*words, namespace=web1.view)
    far = near_program("--remote-host", "web1", *words)
    assert (far.status, far.stdout) == (local.status, "")
    assert far.stderr_lines == [line.replace("rxtxcpu: ", "rxtxcpu: web1: ", 1) if number == 0 else line
                                for number, line in enumerate(local.stderr_lines)]
    assert not (scratch / "x.pcapng").exists()


@pytest.mark.parametrize("words", (["-l", "1000"], ["-m", "1" + "0" * 250]), ids=("list", "mask"))
def test_cpus_that_the_far_end_does_not_have(web1, near_program, words):
    local = program(*words, "vb", namespace=web1.view)
    far = near_program("--remote-host", "web1", *words, "vb")
    assert far.status == local.status
    assert local.stderr_lines[0].removeprefix("rxtxcpu: ") in far.stderr_lines[0]


# --- what is refused before ssh is run

@pytest.fixture
def no_ssh(lab, scratch):
    """A near end whose ssh leaves a mark when it is run."""
    folder = sshd.make_folder(scratch, "no-ssh")
    mark = scratch / "ssh-was-run"
    sshd.write_script(folder / "ssh", f"touch {mark}", "exit 255")
    yield lab.near.view.having(PATH=f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin")
    assert not mark.exists(), "ssh was run"


WRONG_WORDS = [
    *(("host", ["--remote-host", host]) for host in (
        "-oProxyCommand=touch /tmp/x", "-l", "a b", "", "@web1", "root@", "web1;reboot", "web1\n", "$(reboot)",
        "`reboot`", "web1|cat", "a'b", 'a"b', "../web1", "w" * 300, "web1\x1b[2J", "-v@web1", "wéb",
        "web1 -oProxyCommand=x", "*")),
    *(("username", ["--remote-host", "web1", "--remote-username", name]) for name in (
        "-l", "a b", "", "root;reboot", "$(id)", "a@b;c", "u" * 300, "a\nb")),
    *(("interface", ["--remote-host", "web1", "-i", name]) for name in (
        "-x", "a b", "eth0/..", "eth0:1", "sixteen-bytes-is", "a\nb", "..", ".", "")),
    *(("port", ["--remote-host", "web1", "--remote-port", port]) for port in ("65536", "-1", "ssh", "22 -v", "1e3")),
    *(("program", ["--remote-host", "web1", "--remote-program", path]) for path in (
        "-x", "", "rxtxcpu; reboot", "a\nb", "$(id)")),
    ("proxycommand", ["--remote-host", "web1", "--proxycommand", "a\nb"]),
    ("timeout", ["--remote-host", "web1", "--remote-timeout", "0"]),
    ("timeout", ["--remote-host", "web1", "--remote-timeout", "soon"]),
    ("priv", ["--remote-host", "web1", "--remote-priv", "su"]),
]


def name_of(pair):
    return f"{pair[0]} {ascii(pair[1][-1])[:30]}"


@pytest.mark.parametrize("what, words", WRONG_WORDS, ids=map(name_of, WRONG_WORDS))
def test_what_is_outside_its_grammar_is_refused_before_ssh_is_run(no_ssh, near_program, what, words):
    ended = near_program(*words, *([] if "-i" in words else ["vb"]), view=no_ssh)
    assert (ended.status, ended.stdout) == (TYPED_WRONGLY, ""), ended.stderr
    assert ended.stderr_lines[0].startswith("rxtxcpu: Invalid "), ended.stderr
    assert what in ended.stderr_lines[0]


FOR_SSH = [pair for pair in WRONG_WORDS if pair[0] in ("host", "username")][::4]


@pytest.mark.parametrize("what, words", FOR_SSH, ids=map(name_of, FOR_SSH))
def test_wireshark_is_told_the_same(no_ssh, cleanup, scratch, what, words):
    running = cleanup.enter_context(ExtcapCapture(no_ssh, "ssh", *words, "--remote-interface", "vb", folder=scratch))
    status, text = running.failure()
    assert status == TYPED_WRONGLY
    assert "Invalid" in text and what in text


@pytest.mark.parametrize("words", (["--remote-port", "22"], ["--remote-username", "root"], ["--sshkey", "x"],
                                   ["--remote-deploy"], ["--remote-priv", "sudo"]), ids=lambda words: words[0])
def test_what_is_for_another_host_needs_one(near_program, words):
    ended = near_program(*words, "lo")
    assert ended.status == TYPED_WRONGLY
    assert "--remote-host" in ended.stderr_lines[0]


def test_our_own_trouble_is_told_as_ever(web1, near_program, scratch):
    """The file is nothing of the far end's."""
    ended = near_program("--remote-host", "web1", "-w", scratch / "no-such-folder/x.pcapng", "vb")
    assert ended.status == REFUSED
    assert "No such file or directory" in ended.stderr_lines[0] and "web1" not in ended.stderr_lines[0]


def test_a_full_disk_here_ends_the_capture_there(web1, near_program):
    ended = near_program("--remote-host", "web1", "-w", "/dev/full", "-c", "1", "--format", "pcapng", "vb")
    assert ended.status == REFUSED
    assert "No space left on device" in ended.stderr
