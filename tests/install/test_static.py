"""The program as one file that runs on any Linux, which packaging/static/build makes for --remote-deploy to send."""

import hashlib
import json
import os
import platform
import re
import shutil

import pytest

from lib import contract, paths, pcapng, static_program
from lib.capture import Capture, program
from lib.process import check, run

ARCHITECTURES = {"x86_64": "Advanced Micro Devices X86-64", "aarch64": "AArch64"}
PINGS = 100

# The first process in a folder that holds nothing but the program, /proc, /sys and what a test has put there.
ENTER = 'mount -t proc proc "$0/proc" && mount -t sysfs sysfs "$0/sys" && exec chroot "$0" /rxtxcpu "$@"'


@pytest.fixture(name="built")
def _built():
    return static_program.built


@pytest.fixture(name="runnable")
def _runnable(built):
    """runnable(architecture), the words that run the program here."""

    def words(architecture):
        if architecture == platform.machine():
            return [built(architecture)]
        emulator = shutil.which(f"qemu-{architecture}-static")
        if not emulator:
            pytest.skip(f"qemu-{architecture}-static is not installed")
        return [emulator, built(architecture)]

    return words


@pytest.fixture(name="empty")
def _empty(built, scratch):
    """A folder with the program for this machine, and nothing else."""
    if platform.machine() not in ARCHITECTURES:
        pytest.skip(f"there is no static build for {platform.machine()}")
    root = scratch / "empty"
    for folder in ("proc", "sys", "etc"):
        (root / folder).mkdir(parents=True)
    shutil.copy(built(platform.machine()), root / "rxtxcpu")
    return root


@pytest.fixture(name="loopback")
def _loopback(make_namespace):
    namespace = make_namespace()
    namespace.ip("link set lo up")
    return namespace


def within(root):
    """How the program is launched in that folder; the process keeps its id."""
    return lambda *options: ["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, root, *options]


# --- the file --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_needs_no_other_file_and_is_hardened(built, architecture):
    said = check(["readelf", "-W", "--file-header", "--program-headers", "--dynamic", "--section-headers",
                  built(architecture)])
    assert re.search(rf"Machine: +{ARCHITECTURES[architecture]}\n", said)
    assert re.search(r"Type: +DYN ", said), "it can be placed anywhere"
    assert "INTERP" not in said and "(NEEDED)" not in said
    assert re.search(r"FLAGS_1\) +Flags: .*NOW.*PIE", said) and "GNU_RELRO" in said
    assert re.search(r"GNU_STACK .* RW +0x", said), "a stack that is not executable"
    assert ".symtab" not in said


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_its_sum_stands_beside_it(built, architecture):
    file = built(architecture)
    sums = (file.parent / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    assert f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" in sums


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_knows_nothing_of_the_folder_that_it_was_built_in(built, architecture):
    assert str(paths.ROOT).encode() not in built(architecture).read_bytes()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_runs_and_says_what_the_program_says(runnable, architecture):
    words = runnable(architecture)
    name = f"rxtxcpu-{architecture}"
    assert check([*words, "--version"]) == program("--version").stdout.replace("rxtxcpu", name)
    assert check([*words, "--list-cpus"]) == program("--list-cpus").stdout
    assert re.search(r"^lo +up ", check([*words, "-D"]), re.MULTILINE)


# --- where there is nothing else -------------------------------------------------------------------------------------

def test_it_captures_where_there_is_nothing_but_the_kernel(empty, loopback):
    options = ("-f", "icmp and host 127.0.0.1", "-w", "/capture.pcapng")
    with Capture(loopback, "lo", *options, launch=within(empty)) as running:
        loopback.run("ping", "-q", "-i", "0.002", "-c", str(PINGS), "127.0.0.1")
        counts = running.stop().counts()
    capture = pcapng.read(empty / "capture.pcapng")
    contract.check(capture)
    assert sum(counts.values()) == len(capture.packets) == 4 * PINGS  # question and answer, each sent and received


def test_names_in_filters_are_looked_up_without_libraries(empty, loopback):
    (empty / "etc/nsswitch.conf").write_text("hosts: mdns4_minimal [NOTFOUND=return] resolve\nservices: ldap\n")
    (empty / "etc/hosts").write_text("192.0.2.1 lab\n")
    (empty / "etc/services").write_text("strange 4711/tcp\n")

    def try_filter(text):
        return run(loopback.inside(*within(empty)("--duration", "1", "-f", text, "lo")))

    known = try_filter("host lab or host 192.0.2.7 or tcp port strange")
    assert known.status == 0, known.stderr
    for unknown, what in (("host nobody", "unknown host 'nobody'"), ("port nothing", "unknown port 'nothing'")):
        ended = try_filter(unknown)
        assert ended.status == 2 and what in ended.stderr, ended.stderr


def test_its_json_is_that_of_json_glib(empty, loopback):
    """Also a name with all that JSON has to escape and a name of an interface may hold."""
    name = 'a"b\\c\x01\x7fä'
    loopback.run("ip", "link", "add", name, "type", "veth", "peer", "name", "other")
    loopback.run("ip", "link", "set", name, "up")
    loopback.run("ip", "link", "set", "other", "up")
    options = ("--json", "--duration", "1", name)
    texts = [run(loopback.inside(*within(empty)(*options))).stdout, program(*options, namespace=loopback).stdout]
    assert json.loads(texts[0])["interface"] == name
    static, dynamic = (re.sub(r":\d+", ":0", text) for text in texts)
    assert static == dynamic


# --- where it is found -----------------------------------------------------------------------------------------------

def test_it_is_installed_where_the_program_looks_for_it(built, scratch):
    file = built(platform.machine())
    check(["cmake", "--install", paths.BUILD, "--prefix", scratch / "usr"])
    for where in (paths.PROGRAM.parent, scratch / "usr/bin"):
        folder = where / "../lib/rxtxcpu/deploy"
        assert {path.name for path in folder.iterdir()} == {path.name for path in static_program.DEPLOY.iterdir()}
        assert (folder / file.name).read_bytes() == file.read_bytes()
        check(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder)
    assert not os.access(scratch / "usr/lib/rxtxcpu/deploy" / file.name, os.X_OK)
