"""One kernel and one file system for all guests of a session; each test boots its own."""

import pathlib
import platform
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import debian  # noqa: E402
import lab as labs  # noqa: E402
from lib import paths  # noqa: E402


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


@pytest.fixture
def lab(_lab, scratch):
    """Boots a guest for a script: lab(script, cpus="8", parameters=""), an Outcome."""
    return lambda script, **machine: _lab.run(script, scratch, **machine)
