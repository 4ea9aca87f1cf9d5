"""The real TShark, with the built plugin and without."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lib import paths  # noqa: E402
from wireshark_user import new_user  # noqa: E402


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
