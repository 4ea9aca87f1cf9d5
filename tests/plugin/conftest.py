"""The real TShark, with the built plugin, with the Lua file in its place, and with neither."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lib import paths  # noqa: E402
from wireshark_user import LUA, WRITTEN_IN, new_user  # noqa: E402


@pytest.fixture(name="plain")
def plain_user():
    """A user without the plugin."""
    with new_user() as user:
        yield user


@pytest.fixture(name="user")
def user_with_plugin():
    """A user with the plugin. Captures go into user.home."""
    with new_user(paths.PLUGIN) as user:
        yield user


@pytest.fixture(name="either", params=WRITTEN_IN)
def user_with_either(request):
    """A user with the plugin, and in another test one with the Lua file, which gives the same answers."""
    with new_user(WRITTEN_IN[request.param]) as user:
        yield user


@pytest.fixture(name="both")
def user_with_both():
    """A user with the plugin and the Lua file."""
    with new_user(paths.PLUGIN, LUA) as user:
        yield user


@pytest.fixture(name="ten_are_an_alarm")
def repeats_are_an_alarm_from_ten_on(user):
    """As a preference: as many as Wireshark is told to warn of, and less than it warns of by itself."""
    folder = user.home / ".config/wireshark"
    folder.mkdir(parents=True)
    (folder / "preferences").write_text("rxtxcpu.repeat_alarm: 10\n", encoding="utf-8")
