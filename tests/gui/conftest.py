"""One X display for all tests of the window, and users with the built plugin."""

import os
import pathlib
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "plugin")]

from lib import paths, sanitizer  # noqa: E402
from wireshark import Display  # noqa: E402
from wireshark_user import new_user  # noqa: E402


@pytest.fixture(name="display", scope="session")
def x_display():
    with Display() as display:
        yield display


@pytest.fixture(name="user")
def user_with_plugin():
    """A user who has never started Wireshark."""
    if sanitizer.kind():
        pytest.skip("Wireshark's own extcap programs hang with a sanitizer's library loaded into them")
    with new_user(paths.PLUGIN) as user:
        yield user


@pytest.fixture(name="plain")
def user_without_plugin():
    """A user who has never started Wireshark and has no plugin yet: install(paths.PLUGIN)."""
    with new_user() as user:
        yield user


@pytest.fixture(name="pictures")
def picture_folder():
    """Where screenshots are left for a person to look at."""
    return pathlib.Path(os.environ.get("RXTX_PICTURES", paths.BUILD / "pictures"))
