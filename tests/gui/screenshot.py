#!/usr/bin/python3
"""Makes the picture of the README from a real live capture: tests/gui/screenshot.py [FILE] (as root, after a build)."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "plugin")]

from lib import paths  # noqa: E402
from lib.namespaces import VethPair  # noqa: E402
from live import capture, install_profile, stop  # noqa: E402
from wireshark import Display  # noqa: E402
from wireshark_user import new_user  # noqa: E402


def main():
    picture = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else paths.ROOT / "packaging" / "screenshot.png"
    with VethPair() as veth, Display("1280x720") as display, new_user(paths.PLUGIN) as user:
        install_profile(user)
        with capture(display, user, veth, user.home / "live.pcapng", "-C", "rxtxcpu") as wireshark:
            stop(wireshark)
            wireshark.key("ctrl+Home")
            wireshark.wait_until_still()
            wireshark.screenshot(picture)


if __name__ == "__main__":
    main()
