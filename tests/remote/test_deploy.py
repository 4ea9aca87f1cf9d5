"""A host where rxtxcpu is not installed: the program is brought along (--remote-deploy), whatever shell and folders are
there, and nothing of it is left, whatever goes wrong on the way."""

import concurrent.futures
import contextlib
import hashlib
import os
import platform
import re
import shutil
import signal
import time

import pytest

from lib import attribution, paths, pcapng, remote, sanitizer, sshd, static_program
from lib.capture import program, words
from lib.process import Process, check, eventually
from lib.remote import GONE, wait_until_idle, wait_until_nothing_runs
from lib.sender import send

MACHINE = platform.machine()
OTHER_MACHINE = "aarch64" if MACHINE == "x86_64" else "x86_64"
DEPLOY = ("--remote-deploy",)
TIMEOUT = 2  # --remote-timeout; the least that may be
MEMORY = 100 << 20  # bytes that the near end may have
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")
COUNT = 5


# --- a far end without the program, with folders for temporary files that are its own

class Bare:
    """A host of the lab without rxtxcpu; what lies in its folders is there because of us."""

    def __init__(self, host):
        self.host = host
        self.home = host.folder / "home-root"

    def shell(self, script):
        """In the mounts that sshd and what it starts see."""
        return check(["nsenter", "--target", str(self.host.daemon), "--mount", "sh", "-ec", script])

    def empty_temporary_folders(self, options="rw"):
        """New ones; the lab's own folder, which is below one of them, stays where it is."""
        lab = self.host.folder.parent
        self.shell(f"mkdir -p /run/lab; mount --bind {lab} /run/lab")
        for folder in TEMPORARY:
            self.shell(f"mount -t tmpfs -o mode=1777,{options} none {folder}")
        self.shell(f"mkdir -p {lab}; mount --bind /run/lab {lab}")

    def left(self):
        """What lies in the folders that the program may be put into."""
        found = []
        for folder in (*TEMPORARY, *self.host.folder.glob("home-*")):
            seen = f"/proc/{self.host.daemon}/root{folder}"
            found += [f"{folder}/{name}" for name in os.listdir(seen)]
        return sorted(name for name in found if not re.search(r"/rxtxcpu-test-[^.]*$|/\.(bashrc|config|local|cache)$",
                                                              name))

    @contextlib.contextmanager
    def having(self, name, *lines):
        """A program of this name comes first in its PATH."""
        path = sshd.write_script(self.host.bin / name, *lines)
        try:
            yield path
        finally:
            path.unlink()

    def shell_named(self, name):
        """A copy where the host sees it; a busybox is what its name says."""
        if not shutil.which(name):
            pytest.skip(f"there is no {name}")
        path = self.host.folder / ("sh" if name == "busybox" else name)
        if not path.exists():
            shutil.copy(shutil.which(name), path)
        return path

    @contextlib.contextmanager
    def login_shell(self, shell, user="root"):
        passwd = self.host.folder / "passwd"
        before = passwd.read_text(encoding="utf-8")
        passwd.write_text(re.sub(rf"^({user}:.*:).*$", rf"\g<1>{shell}", before, flags=re.MULTILINE), encoding="utf-8")
        try:
            yield
        finally:
            passwd.write_text(before, encoding="utf-8")


@pytest.fixture(scope="module")
def bare_hosts(lab):
    """web1 and web2, from which the program has been taken away."""
    static_program.built(MACHINE)
    bare = [Bare(lab.web1), Bare(lab.web2)]
    for host in bare:
        host.empty_temporary_folders()
        host.host.program.rename(host.host.folder / "rxtxcpu-moved")
    yield bare
    for host in bare:
        (host.host.folder / "rxtxcpu-moved").rename(host.host.program)


@pytest.fixture
def bare(bare_hosts, web1):
    """web1. When a test is over nothing is left of what was brought along."""
    assert bare_hosts[0].left() == []
    yield bare_hosts[0]
    wait_until_idle(web1)
    try:
        eventually(lambda: bare_hosts[0].left() == [], "nothing to be left there", GONE)
    except AssertionError as error:
        left = bare_hosts[0].left()
        bare_hosts[0].shell("rm -rf " + " ".join(left))
        raise AssertionError(f"this was left there: {left}") from error


@pytest.fixture
def near(lab):
    yield lab.near.view
    wait_until_nothing_runs(lab.near.view)


@pytest.fixture
def deployed(remote_capture):
    """Captures with a program that is brought along."""
    return lambda host="web1", *options, **how: remote_capture(host, "vb", "-d", "rx", *DEPLOY, *options, **how)


@pytest.fixture
def installed(scratch):
    """A near end installed elsewhere, with files to bring along that a test may change: (launch, their folder)."""
    folder = scratch / "lib/rxtxcpu/deploy"
    folder.mkdir(parents=True)
    (scratch / "bin").mkdir()
    copy = shutil.copy(paths.PROGRAM, scratch / "bin/rxtxcpu")
    for name in (f"rxtxcpu-{MACHINE}", "SHA256SUMS"):
        shutil.copy(paths.PROGRAM.parents[1] / "lib/rxtxcpu/deploy" / name, folder)
    return lambda *options: [*sanitizer.launcher(), copy, *options], folder


def put(folder, machine, data):
    """A file to bring along, with its sum."""
    name = f"rxtxcpu-{machine}"
    (folder / name).write_bytes(data)
    with open(folder / "SHA256SUMS", "a", encoding="ascii") as sums:
        sums.write(f"{hashlib.sha256(data).hexdigest()}  {name}\n")


@pytest.fixture
def fails(bare, near, scratch):
    """Runs a capture that must fail, with one sentence and perhaps a line of what to do: (both, seconds)."""

    def run(*options, host="web1", status=1, launch=words, timeout=15):
        file = scratch / "capture.pcapng"
        argv = launch("--remote-host", host, *DEPLOY, *options, "-w", file, "vb")
        with Process(near.inside("prlimit", f"--data={MEMORY}", *argv) if not sanitizer.kind()
                     else near.inside(*argv)) as running:
            ended = running.wait(timeout * sanitizer.SLOWNESS)
            text, seconds = running.stderr.text, time.monotonic() - running.began
        assert ended == status, text
        assert not file.exists()
        lines = text.splitlines()
        assert len(lines) in (1, 2) and all(line.startswith("rxtxcpu: ") for line in lines), text
        assert lines[0].startswith(f"rxtxcpu: {host}: "), text
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), ascii(text)
        assert len(text) < 1000
        return lines[0], lines[-1], seconds

    return run


def check_capture(running, peer):
    """What is sent there comes here, and is put down to the CPU that sent it."""
    sent = send(peer, "va", count=COUNT)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    attribution.check_counts(result, sent)
    assert result.said == []
    return result


# --- it works as if it were installed

def test_a_capture_there_is_right_packet_by_packet(bare, near, deployed):
    running = deployed()
    assert bare.left() == [], "it removes itself at once"
    sent = send(bare.host.peer, "va", count=2000, rate=20000)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    attribution.check_counts(result, sent)
    assert result.said == []


def test_without_it_the_hint_names_it(fails, near_program):
    ended = near_program("--remote-host", "web1", "vb")
    assert ended.status == 1 and "--remote-deploy" in ended.stderr, ended.stderr


@pytest.mark.parametrize("question", ("-D", "--list-cpus"))
def test_what_is_there_is_listed(bare, near_program, question):
    ended = near_program("--remote-host", "web1", *DEPLOY, question)
    assert ended.status == 0, ended.stderr
    assert ended.stdout == program(question, namespace=bare.host.view).stdout


def test_wrong_words_there_are_told_as_ever(fails):
    sentence, _hint, _seconds = fails("-f", "no such filter", status=2)
    assert "Invalid capture filter 'no such filter'" in sentence


def test_two_hosts_at_once(bare, bare_hosts, near, deployed):
    running = deployed(["web1", "web2"])
    assert [host.left() for host in bare_hosts] == [[], []]
    sent = [send(host.host.peer, "va", count=COUNT) for host in bare_hosts]
    result = running.stop()
    for name, expected in zip(("web1", "web2"), sent):
        attribution.check_all(remote.of_host(result.file, name).packets, expected)
    wait_until_idle(bare_hosts[1].host)
    assert bare_hosts[1].left() == []


def slow(speed):
    """A head that takes so many bytes each second."""
    return ("exec /usr/bin/python3 -c '", "import os, sys, time",
            "left = int(sys.argv[2])",
            "while left and (piece := os.read(0, min(left, 32768))):",
            "    left -= os.write(1, piece)",
            f"    time.sleep(len(piece) / {speed})", "' \"$@\"")


def test_one_host_is_kept_while_the_program_is_on_its_way_to_another(bare, bare_hosts, near, deployed):
    with bare_hosts[1].having("head", *slow(900000)):
        running = deployed(["web1", "web2"], "--remote-timeout", TIMEOUT)
    sent = send(bare.host.peer, "va", count=COUNT)
    result = running.stop()
    attribution.check_all(remote.of_host(result.file, "web1").packets, sent)
    wait_until_idle(bare_hosts[1].host)


# --- shells

@pytest.mark.parametrize("shell", ("dash", "bash", "zsh", "fish", "tcsh", "busybox"))
def test_a_login_shell_of_any_kind_will_do(bare, near, deployed, shell):
    with bare.login_shell(bare.shell_named(shell)):
        check_capture(deployed(), bare.host.peer)


@pytest.mark.parametrize("shell", ("bash", "busybox"))
def test_a_bin_sh_of_another_kind_will_do(bare, near, deployed, shell):
    path = bare.shell_named(shell)
    sh = os.path.realpath("/bin/sh")
    bare.shell(f"mount --bind {path} {sh}")
    try:
        check_capture(deployed(), bare.host.peer)
    finally:
        check(["nsenter", "--target", str(bare.host.daemon), "--mount", "umount", sh])


@pytest.mark.parametrize("noise", ("echo Welcome to this host.", "printf '\\033]0;web1\\007'", "seq 100", "seq 100 >&2",
                                   "echo rxtxcpu-deploy"), ids=("a-line", "a-title", "lines", "stderr", "our-word"))
def test_a_shell_that_greets_is_no_trouble(bare, near, deployed, noise):
    bashrc = bare.host.folder / "home-noisy/.bashrc"
    before = bashrc.read_text(encoding="utf-8")
    bashrc.write_text(f"{noise}\n", encoding="utf-8")
    try:
        check_capture(deployed("web1-noisy"), bare.host.peer)
    finally:
        bashrc.write_text(before, encoding="utf-8")


# --- folders

@contextlib.contextmanager
def not_for_programs(bare, *folders):
    for folder in folders:
        bare.shell(f"mount --bind {folder} {folder}; mount -o remount,bind,noexec {folder}")
    try:
        yield
    finally:
        for folder in folders:
            bare.shell(f"umount -l {folder}")


def test_where_no_program_may_be_run_in_tmp_it_is_put_elsewhere(bare, near, deployed):
    lab = bare.host.folder.parent
    with not_for_programs(bare, "/tmp"):
        bare.shell(f"mount --bind /run/lab {lab}")
        running = deployed()
        assert bare.left() == []
        check_capture(running, bare.host.peer)
        bare.shell(f"umount {lab}")


def test_where_no_program_may_be_run_at_all_this_is_said(bare, fails):
    lab = bare.host.folder.parent
    with not_for_programs(bare, *TEMPORARY):
        bare.shell(f"mount --bind /run/lab {lab}")
        with not_for_programs(bare, bare.home):
            sentence, hint, _seconds = fails()
        bare.shell(f"umount {lab}")
    assert "There is no folder in which a program could be run (/tmp, /var/tmp, the home, /dev/shm)" in sentence
    assert "Install rxtxcpu there" in hint


def test_where_no_folder_can_be_written_this_is_said(bare, fails):
    with bare.having("mktemp", "exit 1"):
        assert "There is no folder" in fails()[0]


# --- what is missing

def test_without_sha256sum_it_is_not_run(bare, fails):
    with bare.having("sha256sum", "echo sha256sum: not found >&2", "exit 127"):
        sentence, hint, _seconds = fails()
    assert "sha256sum" in sentence and "nstall rxtxcpu there" in hint


def test_what_arrives_otherwise_than_it_was_sent_is_not_run(bare, fails, scratch):
    ran = scratch / "ran"
    fake = f"printf '#!/bin/sh\\ntouch {ran}\\n'"
    with bare.having("head", "/usr/bin/head \"$@\" >/dev/null", fake):
        assert "did not arrive as it was sent" in fails()[0]
    assert not ran.exists()


def test_a_file_that_is_not_what_its_sum_says_is_not_sent(bare, fails, installed):
    launch, folder = installed
    with open(folder / f"rxtxcpu-{MACHINE}", "r+b") as file:
        file.seek(1000)
        file.write(b"otherwise")
    sentence, hint, _seconds = fails(launch=launch)
    assert "is not what SHA256SUMS beside it says" in sentence and str(folder) in os.path.realpath(
        sentence.split(": ")[2].split(" is not")[0])
    assert hint.endswith(f"packaging/static/build {MACHINE}")


@pytest.mark.parametrize("sums", (None, "", "0" * 64 + "  rxtxcpu-" + MACHINE + "\n"), ids=("none", "empty", "wrong"))
def test_a_file_without_its_sum_is_not_sent(bare, fails, installed, sums):
    launch, folder = installed
    (folder / "SHA256SUMS").unlink()
    if sums is not None:
        (folder / "SHA256SUMS").write_text(sums, encoding="ascii")
    with bare.having("head", "touch /tmp/was-sent"):
        assert "SHA256SUMS" in fails(launch=launch)[0]


def test_without_a_file_for_the_machine_the_command_is_said_that_makes_it(bare, fails, installed):
    launch, folder = installed
    (folder / f"rxtxcpu-{MACHINE}").unlink()
    sentence, hint, _seconds = fails(launch=launch)
    assert f"({MACHINE})" in sentence and "is not there" in sentence
    assert hint.endswith(f"packaging/static/build {MACHINE}")


def test_a_machine_of_another_kind_is_told_by_its_name(bare, fails, installed):
    with bare.having("uname", "echo riscv64"):
        sentence, _hint, _seconds = fails(launch=installed[0])
    assert "(riscv64)" in sentence and "rxtxcpu-riscv64" in sentence


def test_another_machine_has_the_file_for_it(bare, near, deployed, installed):
    launch, folder = installed
    moved = bare.host.folder / "rxtxcpu-moved"
    mark = bare.host.folder / "other-machine"
    put(folder, OTHER_MACHINE, f'#!/bin/sh\ntouch {mark}\nrm -rf "${{0%/*}}"\nexec {moved} "$@"\n'.encode()
        .replace(b"rm -rf", b'[ "$1" = --version ] || rm -rf'))
    with bare.having("uname", f"echo {OTHER_MACHINE}"):
        check_capture(deployed(launch=launch), bare.host.peer)
    assert mark.exists()
    mark.unlink()


def test_a_program_that_does_not_run_there_is_told(bare, fails, installed):
    launch, folder = installed
    put(folder, OTHER_MACHINE, b"\x7fELF of another kind")
    with bare.having("uname", f"echo {OTHER_MACHINE}"):
        sentence, hint, _seconds = fails(launch=launch)
    assert "does not run there" in sentence and "nstall rxtxcpu there" in hint


# --- rights

@pytest.fixture
def sudo(web1):
    """What sudo lets captor do."""
    if not shutil.which("sudo"):
        pytest.skip("there is no sudo")
    yield web1.allow_without_password
    web1.allow_without_password(False)


def test_sudo_gives_it_the_right(bare, near, deployed, sudo):
    sudo(True)
    running = deployed("web1-captor", "--remote-priv", "sudo")
    assert bare.left() == []
    check_capture(running, bare.host.peer)


def test_where_sudo_wants_a_password_nothing_is_left_and_nothing_is_advised_that_cannot_be(bare, fails, sudo):
    sudo(False)
    sentence, hint, _seconds = fails("--remote-priv", "sudo", host="web1-captor")
    assert "sudo" in sentence and "password" in sentence
    assert "command -v rxtxcpu" not in hint, "there is no rxtxcpu there"


def test_without_rights_nothing_is_advised_for_a_file_that_is_gone(bare, fails):
    sentence, hint, _seconds = fails(host="web1-captor")
    assert "Operation not permitted" in sentence
    assert "setcap" not in hint, "it has removed itself"
    assert "--remote-priv sudo" in hint


# --- the way there

@pytest.fixture
def throttled(lab, bare):
    """The link carries so many bits each second."""
    def throttle(rate):
        lab.near.namespace.shell(f"tc qdisc replace dev n1 root tbf rate {rate} burst 16kb latency 200ms")

    try:
        throttle("100mbit")
    except AssertionError:
        pytest.skip("this kernel cannot slow a link down")
    yield throttle
    lab.near.namespace.shell("tc qdisc del dev n1 root || true")


def test_a_link_that_needs_longer_than_the_timeout_is_no_trouble(bare, near, deployed, throttled):
    """ssh has taken all of the file long before it has arrived."""
    throttled("10mbit")
    check_capture(deployed("web1", "--remote-timeout", TIMEOUT), bare.host.peer)


def test_a_passphrase_that_is_typed_slowly_is_waited_for(lab, bare, near, deployed):
    """For a person there is no timeout."""
    ask, _asked = lab.near.askpass(sshd.PASSPHRASE)
    ask.write_text(ask.read_text(encoding="utf-8").replace("echo", f"sleep {TIMEOUT + 0.5}; echo"), encoding="utf-8")
    view = lab.near.view.having(SSH_ASKPASS=ask, DISPLAY=":9")
    check_capture(deployed("web1-locked", "--remote-timeout", TIMEOUT, view=view), bare.host.peer)


def kill_ssh(bare, near, _running):
    for pid, name in near.processes().items():
        if name == "ssh":
            os.kill(pid, signal.SIGKILL)


def kill_near_end(_bare, _near, running):
    running.signal(signal.SIGKILL)


def kill_session(bare, _near, _running):
    for pid, name in bare.host.sessions().items():
        if name.startswith("sshd"):
            os.kill(pid, signal.SIGKILL)


def ctrl_c(_bare, _near, running):
    remote.interrupt(running)


def terminate(_bare, _near, running):
    running.signal(signal.SIGTERM)


@pytest.mark.parametrize("cut", (kill_ssh, kill_near_end, kill_session, ctrl_c, terminate),
                         ids=lambda cut: cut.__name__)
def test_nothing_is_left_of_a_transfer_that_is_cut(bare, near, cleanup, scratch, cut):
    file = scratch / "capture.pcapng"
    with bare.having("head", *slow(400000)):
        running = cleanup.enter_context(Process(near.inside(*words("--remote-host", "web1", *DEPLOY, "-w", file, "vb"))))
        eventually(lambda: bare.left() and any("python3" in name for name in bare.host.sessions().values()), "the transfer to have begun")
        begin = time.monotonic()
        cut(bare, near, running)
        status = running.wait()
    assert time.monotonic() - begin < GONE
    if cut in (kill_ssh, kill_session):
        sentence, hint = running.stderr.lines
        assert status == 1 and sentence.startswith("rxtxcpu: web1: ") and hint.startswith("rxtxcpu: ")
    else:
        assert status != 0 and running.stderr.text == ""
    assert not file.exists()
    wait_until_idle(bare.host)
    assert bare.left() == []


# --- a far end that is none: {name: (its words, a part of the sentence)}

ASKS = f"echo 'rxtxcpu-deploy machine {MACHINE}'"
HOSTILE = {
    "endless-lines": ("exec yes", ""),
    "endless-bytes": ("exec tr '\\0' x </dev/zero", ""),
    "closes": ("exit 0", ""),
    "fails": ("exit 3", ""),
    "never-answers": ("exec sleep 60", "does not answer"),
    "asks-and-closes": (f"{ASKS}; exit 0", ""),
    "asks-and-never-reads": (f"{ASKS}; exec sleep 60", "does not answer"),
    "asks-and-closes-its-input": (f"{ASKS}; exec sleep 60 <&-", "does not answer"),
    "takes-all-and-says-nothing": (f"{ASKS}; exec cat >/dev/null", "does not answer"),
    "asks-twice": (f"{ASKS}; read -r size sum; head -c $size >/dev/null; {ASKS}; exec cat >/dev/null", "makes no sense"),
    "says-run-at-once": ("echo 'rxtxcpu-deploy run'; exec cat >/dev/null", "makes no sense"),
    "runs-and-says-nothing": (f"{ASKS}; echo 'rxtxcpu-deploy run'; exec cat >/dev/null", ""),
    "floods-instead-of-an-answer": (f"{ASKS}; exec tr '\\0' x </dev/zero", ""),
    "a-path": ("echo 'rxtxcpu-deploy machine ../../etc/passwd'; exec cat >/dev/null", "what machine it is"),
    "an-absolute-path": ("echo 'rxtxcpu-deploy machine /etc/passwd'; exec cat >/dev/null", "what machine it is"),
    "no-machine": ("echo 'rxtxcpu-deploy machine '; exec cat >/dev/null", "what machine it is"),
    "an-order-to-a-terminal": ("printf 'rxtxcpu-deploy machine \\033]0;owned\\007\\n'; exec cat >/dev/null",
                               "what machine it is"),
    "a-command": ("echo 'rxtxcpu-deploy machine $(reboot)'; exec cat >/dev/null", "what machine it is"),
    "a-long-name": ("printf 'rxtxcpu-deploy machine %03000d\\n' 0; exec cat >/dev/null", ""),
}


SILENT = [name for name, (_words, part) in HOSTILE.items() if part == "does not answer"]


@pytest.fixture
def hostile(bare):
    """Whose login shell speaks in that way: hostile(name), a user."""
    passwd = bare.host.folder / "passwd"
    before = passwd.read_text(encoding="utf-8")

    def make(name):
        shell = sshd.write_script(bare.host.folder / f"shell-{name}", HOSTILE[name][0])
        with open(passwd, "a", encoding="utf-8") as file:
            file.write(f"{name}:x:0:0::{bare.home}:{shell}\n")
        return name

    yield make
    bare.host.end_sessions()
    passwd.write_text(before, encoding="utf-8")


@pytest.fixture
def all_fail(fails, hostile):
    """Several at once: {name: (sentence, hint, seconds)}."""

    def run(names):
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            ends = {name: pool.submit(fails, "--remote-timeout", TIMEOUT, "--remote-username", hostile(name))
                    for name in names}
        return {name: end.result() for name, end in ends.items()}

    return run


def test_a_far_end_that_is_none_is_told_in_a_sentence(all_fail):
    for name, (sentence, _hint, seconds) in all_fail([name for name in HOSTILE if name not in SILENT]).items():
        assert HOSTILE[name][1] in sentence, f"{name}: {sentence}"
        assert seconds < (TIMEOUT + GONE) * sanitizer.SLOWNESS, name


def test_a_far_end_that_falls_silent_is_given_up(all_fail):
    for name, (sentence, hint, seconds) in all_fail(SILENT).items():
        assert "does not answer" in sentence and "--remote-timeout" in hint, f"{name}: {sentence}"
        assert TIMEOUT - 0.1 < seconds < (TIMEOUT + GONE) * sanitizer.SLOWNESS, name
