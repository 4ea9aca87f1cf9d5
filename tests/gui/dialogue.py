"""The dialogue of rxtxcpu-ssh in the real Wireshark, and the window that tells of an error.

Keys do most: from 4.0 to 4.6, only the first field of each tab and the button Save are in one place.
"""

import contextlib
import re

from lib.process import eventually
from live import installed_extcap
from wireshark import CURSOR_S, Wireshark, configuration, set_preferences

TITLE, COMPLAINT = "Interface Options", "^Wireshark$"
TABS = "Server", "Authentication", "Capture", "CPUs"
FIRST_FIELD, SAVE = (640, 63), (1055, 776)  # in a dialogue that fills the display
# The column of gears in the window that fills the display: a gear is the only dark thing there.
GEARS, DARK = (40, 60, 25, 600), 90


@contextlib.contextmanager
def started(display, user, near, *arguments):
    """Wireshark at the near end, which offers no extcap interface but rxtxcpu-ssh."""
    devices = sorted(near.namespace.up_devices())
    hidden = ",".join([*devices, *(f"rxtxcpu-{device}" for device in devices)])
    if not configuration(user).exists():
        set_preferences(user, f"capture.devices_hide: {hidden}")
    with installed_extcap(capable=False) as extcap, \
            Wireshark(display, user, arguments, extcap=extcap, prefix=near.view.inside()) as wireshark:
        yield wireshark


def wait_until_started(wireshark):
    wireshark.wait_for_window("The Wireshark Network Analyzer")
    wireshark.fill_display()
    wireshark.wait_until_still()


def _gear(wireshark):
    left, top, width, height = GEARS
    pixels = wireshark.pixels(f"{width}x{height}+{left}+{top}")
    dark = [divmod(at // 3, width) for at in range(0, len(pixels), 3) if max(pixels[at:at + 3]) < DARK]
    assert dark, "there is no gear"
    rows, columns = zip(*dark)
    return left + (min(columns) + max(columns)) // 2, top + (min(rows) + max(rows)) // 2


class Dialogue:
    """The dialogue, filling the display; the tab Server is open."""

    def __init__(self, wireshark):
        self._wireshark = wireshark
        self._window = eventually(lambda: wireshark.find_window(TITLE), "the dialogue")
        wireshark.fill_display(self._window)
        wireshark.focus(self._window)
        wireshark.wait_until_still(CURSOR_S)
        wireshark.click(*FIRST_FIELD)
        self.tab = TABS[0]

    def is_open(self):
        return bool(self._wireshark.find_window(TITLE))

    def open_tab(self, name):
        """To the right of the one that is open; the keyboard is in its first field then."""
        while self.tab != name:
            self.tab = TABS[TABS.index(self.tab) + 1]
            self._wireshark.key("Tab", "ctrl+Tab")  # a selector takes ctrl+Tab for a letter that is looked for
            self._wireshark.wait_until_still(CURSOR_S)

    def reload(self, host):
        """Presses the button beside the tab's first field, and waits until the host has answered."""
        before = host.log().count("Accepted")
        self._wireshark.key("Tab", "space")
        eventually(lambda: host.log().count("Accepted") > before and host.is_idle(), "a question and its answer")
        self._wireshark.wait_until_still(CURSOR_S)

    def list_choices(self):
        """Opens the tab's first field, a selector. The keyboard has its list then."""
        self._wireshark.click(*FIRST_FIELD)
        self._wireshark.wait_until_still(CURSOR_S)

    def choose(self, key):
        self._wireshark.key(key, "Return")
        self._wireshark.wait_until_still(CURSOR_S)

    def type(self, text):
        self._wireshark.type(text)

    def screenshot(self, path):
        self._wireshark.screenshot(path)

    def save(self):
        self._wireshark.click(*SAVE)
        self._wait_until_closed()

    def close(self):
        self._wireshark.key("Escape")
        self._wait_until_closed()

    def _wait_until_closed(self):
        eventually(lambda: not self.is_open(), "the dialogue to close")
        self._wireshark.wait_until_still(CURSOR_S)


@contextlib.contextmanager
def options(wireshark):
    """The dialogue, opened with the gear among Wireshark's capture options, which are closed afterwards."""
    wireshark.focus()
    wireshark.key("ctrl+k")
    window = eventually(lambda: wireshark.find_window("Capture Options"), "Wireshark's capture options")
    wireshark.fill_display(window)
    wireshark.wait_until_still(CURSOR_S)
    wireshark.click(*_gear(wireshark))
    yield Dialogue(wireshark)
    wireshark.focus(window)
    wireshark.key("Escape")
    eventually(lambda: not wireshark.find_window("Capture Options"), "Wireshark's capture options to close")


def stored(user):
    """{name: value} of what the dialogue has stored."""
    preferences = configuration(user) / "preferences"
    text = preferences.read_text(encoding="utf-8") if preferences.exists() else ""
    return dict(re.findall(r"^extcap\.rxtxcpu_ssh\.(\w+): ?(.*)$", text, re.MULTILINE))


class Complaint:
    """The window in which Wireshark tells of an error."""

    def __init__(self, wireshark):
        self._wireshark = wireshark
        self._window = eventually(lambda: wireshark.find_window(COMPLAINT), "a complaint")
        wireshark.wait_until_still(CURSOR_S)

    def text(self):
        """A third click selects the line, which is X's first selection then."""
        words = self._wireshark.display.run("xdotool", "getwindowgeometry", "--shell", self._window).decode().split()
        place = dict(word.split("=") for word in words)
        self._wireshark.click(int(place["X"]) + int(place["WIDTH"]) // 2, int(place["Y"]) + 20, times=3)
        return eventually(self._selected, "a text that can be selected")

    def _selected(self):
        return self._wireshark.display.run("timeout", "1", "xclip", "-o", "-selection", "primary", check=False).decode()

    def close(self):
        self._wireshark.focus(self._window)
        self._wireshark.key("Return")
        eventually(lambda: not self._wireshark.find_window(COMPLAINT), "it to close")
