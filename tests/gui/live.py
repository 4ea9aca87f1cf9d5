"""A live capture in the real Wireshark: picks rxtxcpu-vb as a user does, while pings run on every CPU."""

import contextlib
import os
import pathlib
import re
import shutil
import tempfile

from lib import kernel, paths
from lib import user as ordinary
from lib.process import Process, eventually
from wireshark import Wireshark, configuration

PROFILE = paths.ROOT / "packaging/profile/rxtxcpu"
ENOUGH = 6000  # bytes of a capture file: some forty pings


def install_profile(user):
    shutil.copytree(PROFILE, configuration(user) / "profiles" / "rxtxcpu")


@contextlib.contextmanager
def installed_extcap(capable=True):
    """The program in a folder, as a package would install it. Not in the user's home: who gives a file away takes its
    capabilities with it."""
    with tempfile.TemporaryDirectory(prefix="rxtxcpu-extcap-") as name:
        os.chmod(name, 0o755)
        if capable:
            ordinary.install(pathlib.Path(name))
        else:
            shutil.copy(paths.PROGRAM, name)
        yield name


@contextlib.contextmanager
def pinging(veth):
    """A ping from each CPU, to vb's address and back."""
    veth.give_addresses("10.66.0.1", "10.66.0.2")
    with contextlib.ExitStack() as running:
        for cpu in kernel.CPUS:
            running.enter_context(Process(veth.a.inside("taskset", "-c", cpu, "ping", "-i", "0.2", "10.66.0.2")))
        yield


@contextlib.contextmanager
def capture(display, user, veth, file, *arguments):
    """Wireshark with a live capture that has packets of every CPU; it goes on until the body ends it."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(pinging(veth))
        wireshark = stack.enter_context(
            Wireshark(display, user, ["-i", "rxtxcpu-vb", "-k", "-w", file, *arguments],
                      extcap=stack.enter_context(installed_extcap()), prefix=veth.b.inside()))
        wireshark.wait_for_window("Capturing from")
        wireshark.fill_display()
        eventually(lambda: file.exists() and file.stat().st_size > ENOUGH, "packets in the capture file")
        yield wireshark


PIPE = '"$0" -w - vb | "$@"'


@contextlib.contextmanager
def piped(display, user, veth, file):
    """Wireshark that reads our standard output: rxtxcpu -w - vb | wireshark -k -i -"""
    with contextlib.ExitStack() as stack:
        stack.enter_context(pinging(veth))
        prefix = veth.b.inside("sh", "-c", PIPE, paths.PROGRAM)
        wireshark = stack.enter_context(Wireshark(display, user, ["-k", "-i", "-", "-w", file], prefix=prefix))
        wireshark.wait_for_window("Capturing from")
        eventually(lambda: file.exists() and file.stat().st_size > ENOUGH, "packets in the capture file")
        yield wireshark


def stop(wireshark):
    """As the red button does."""
    wireshark.focus()
    wireshark.key("ctrl+e")
    eventually(lambda: not wireshark.find_window("Capturing from"), "the capture to end")
    wireshark.wait_until_still()


def colour_of(user, cpu):
    """The background that the profile gives to the packets of a CPU, as RGB bytes."""
    rules = (user.home / ".config/wireshark/profiles/rxtxcpu/colorfilters").read_text()
    words = re.search(rf"rxtxcpu\.cpu % 8 == {cpu % 8}@\[(\d+),(\d+),(\d+)\]", rules).groups()
    return bytes(int(word) >> 8 for word in words)


def has_pixel(pixels, colour):
    return any(pixels[at:at + 3] == colour for at in range(0, len(pixels), 3))
