"""One kernel and one file system for all guests of a session. A guest boots for the first test of those that want such
a machine, and plays the stories of all of them (those that were selected) one after another."""

import os
import pathlib
import platform
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import debian  # noqa: E402
import lab as labs  # noqa: E402
from lib import namespaces, paths  # noqa: E402


@pytest.fixture(scope="session")
def _lab():
    if platform.machine() != "x86_64":
        pytest.skip("the guest is made of programs of this machine, and has an x86-64 kernel")
    if not shutil.which("qemu-system-x86_64"):
        pytest.skip("qemu-system-x86_64 is not installed")
    try:
        return labs.Lab(debian.fetch(paths.BUILD / "guest"))
    except debian.Unavailable as reason:
        pytest.skip(f"no kernel for the guest: {reason}")


@pytest.fixture(scope="session")
def _guests(_lab, request):
    stories = [labs.Story.of(item) for item in request.session.items if item.get_closest_marker("story")]
    with tempfile.TemporaryDirectory(prefix="rxtxcpu-guest-") as folder:
        yield labs.Guests(_lab, stories, pathlib.Path(folder))


@pytest.fixture
def outcome(_guests, request):
    """What has become of the test's story."""
    story = labs.Story.of(request.node)
    if story.machine.cards:
        _need_taps()
    return _guests.outcome(story)


def _need_taps():
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        pytest.skip("only root can make the tap devices that the guest's cards are connected to")
    namespaces.sweep()
