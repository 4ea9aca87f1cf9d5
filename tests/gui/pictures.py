#!/usr/bin/python3
"""Makes pictures of all that the plugin shows, to be looked at: tests/gui/pictures.py [FOLDER] (as root, after a build)."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "plugin")]

from lib import paths  # noqa: E402
from lib.wireshark import version  # noqa: E402
from questions import MOVED, STATISTICS, choose, window  # noqa: E402
from wireshark import CURSOR_S, Display  # noqa: E402
from wireshark_user import new_user  # noqa: E402

WINDOWS = {**{name: (f"rxtxcpu,{name}", title) for name, title in STATISTICS.items()},
           "expert": ("expert", "Expert Information"), "io-graph": ("io,stat", "I/O Graph")}

DETAILS = 200, 700  # below the rows of the packet's details


def of_the_list(display, user, name):
    """The packet list, the frame's tree with our part of it open, and the menu."""
    with window(display, user, "-g", MOVED) as wireshark:
        wireshark.screenshot(name("list"))
        wireshark.focus()
        wireshark.click(*DETAILS)
        wireshark.key("Home", "End", "shift+Right", "End")  # our part is the last one: opens and shows it
        wireshark.wait_until_still(CURSOR_S)
        wireshark.screenshot(name("tree"))
        choose(wireshark, 0)
        wireshark.screenshot(name("menu"))


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else paths.BUILD / "pictures" / version()

    def name(what):
        return folder / f"{what}.png"

    with Display() as display, new_user(paths.PLUGIN) as user:
        of_the_list(display, user, name)
        for what, (statistic, title) in WINDOWS.items():
            with window(display, user, "-z", statistic, title=title) as wireshark:
                wireshark.screenshot(name(what))


if __name__ == "__main__":
    main()
