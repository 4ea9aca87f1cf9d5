"""The real Wireshark on an X display of its own, run as an ordinary user: start it, look at it, end it.

    with Display() as display, new_user(paths.PLUGIN) as user:
        with Wireshark(display, user, ["-r", capture]) as wireshark:
            wireshark.wait_for_window("cpus.pcapng")
            wireshark.wait_until_still()
            wireshark.screenshot("window.png")
            wireshark.quit()

A live capture, with an extcap folder and in a network namespace:

    Wireshark(display, user, ["-i", "rxtxcpu-vb", "-k"], extcap=folder, prefix=["ip", "netns", "exec", namespace])

Nothing here sleeps for an event: each wait asks again and again, until it is so or the time is over.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

from lib.process import eventually

LIMIT_S = 20
# A text cursor blinks: with one on the display, nothing stands still for longer.
CURSOR_S = 0.4
# The packet list of a window that fills the display, above the details of the packet that is selected.
PACKET_LIST = "1280x120+0+110"


def stop(process):
    """Ends a process that we have started, with its children."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Display:
    """An X server on a free display, reached through its socket in the file system from any network namespace."""

    def __init__(self, size="1280x800"):
        reader, writer = os.pipe()
        # Without -noreset the server begins anew whenever its last client goes, and refuses one that comes just then.
        # --pdeathsig: it ends with us, and Wireshark with it, also when we are killed.
        command = ["setpriv", "--pdeathsig", "TERM", "Xvfb", "-displayfd", str(writer),
                   "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-ac", "-noreset"]
        self.process = subprocess.Popen(command, pass_fds=[writer], start_new_session=True,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writer)
        with open(reader, encoding="ascii") as answer:
            number = answer.readline().strip()
        assert number, "Xvfb did not start"
        self.name = f":{number}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.process)

    def run(self, *command, check=True):
        """Runs an X client and returns what it wrote."""
        return subprocess.run([*map(str, command)], env={**os.environ, "DISPLAY": self.name}, timeout=LIMIT_S,
                              check=check, capture_output=True).stdout

    def windows(self):
        """The visible windows with a title: {title: id}."""
        ids = self.run("xdotool", "search", "--onlyvisible", "--class", ".", check=False).decode().split()
        titles = {number: self.run("xdotool", "getwindowname", number, check=False).decode().strip() for number in ids}
        return {title: number for number, title in titles.items() if title}


class Wireshark:
    """One Wireshark. Its log is in self.log, its standard error included."""

    def __init__(self, display, user, arguments, *, extcap=None, environment=None, prefix=()):
        runtime = user.home / "runtime"
        runtime.mkdir(mode=0o700, exist_ok=True)
        user.own()
        self.display = display
        self.log = user.home / "wireshark.log"
        self.window = None
        settings = {**user.environment, "DISPLAY": display.name, "XDG_RUNTIME_DIR": str(runtime),
                    "QT_QPA_PLATFORM": "xcb", **(environment or {})}
        if extcap is not None:
            settings["WIRESHARK_EXTCAP_DIR"] = str(extcap)
        command = [*prefix, *user.words("wireshark", *arguments)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=user.home, env=settings, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.process)

    def said(self):
        return self.log.read_text(errors="replace")

    def assert_alive(self):
        assert self.process.poll() is None, f"Wireshark ended with {self.process.returncode}:\n{self.said()}"

    def find_window(self, title):
        self.assert_alive()
        return next((number for name, number in self.display.windows().items() if re.search(title, name)), None)

    def wait_for_window(self, title):
        """Waits for a window whose title matches the regular expression, which is then this Wireshark's window."""
        self.window = eventually(lambda: self.find_window(title), f"a window {title!r}")
        return self.window

    def pixels(self, area=None):
        """The display as RGB bytes, or an area of it, "WIDTHxHEIGHT+X+Y"."""
        crop = ["-crop", area, "+repage"] if area else []
        return self.display.run("import", "-window", "root", *crop, "-depth", "8", "rgb:-")

    def wait_until_still(self, quiet_s=1.0, area=None):
        """Waits until nothing has changed for this long, on the display or in an area: what was to come is painted."""
        seen = {"pixels": None, "since": time.monotonic()}

        def still():
            self.assert_alive()
            now = self.pixels(area)
            if now != seen["pixels"]:
                seen.update(pixels=now, since=time.monotonic())
            return time.monotonic() - seen["since"] >= quiet_s

        eventually(still, "a display that stands still")

    def screenshot(self, path):
        """Writes the display into a PNG file."""
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.display.run("import", "-window", "root", path)
        return path

    def fill_display(self, window=None):
        """Makes the window as large as the display, so that nothing is cut off."""
        window = window or self.window
        width, height = self.display.run("xdotool", "getdisplaygeometry").decode().split()
        self.display.run("xdotool", "windowmove", "--sync", window, 0, 0)
        self.display.run("xdotool", "windowsize", "--sync", window, width, height)

    def focus(self, window=None):
        """There is no window manager on the display, so nobody else gives a window the keyboard."""
        self.display.run("xdotool", "windowfocus", "--sync", window or self.window)

    def key(self, *keys):
        """Presses keys, in the names of xdotool, in the window that has the keyboard."""
        self.display.run("xdotool", "key", "--clearmodifiers", *keys)

    def type(self, text):
        self.display.run("xdotool", "type", text)

    def click(self, x, y, times=1):
        self.display.run("xdotool", "mousemove", x, y, "click", "--repeat", times, "--delay", 50, 1)

    @contextlib.contextmanager
    def dialog(self, shortcut, title):
        """A dialog, opened by its keys in the main window and left by Return. It fills the display: each version gives
        it another size and another place."""
        self.focus()
        self.key(shortcut)
        window = eventually(lambda: self.find_window(title), f"the dialog {title!r}")
        self.focus(window)
        self.fill_display(window)
        self.wait_until_still(CURSOR_S)
        yield
        self.key("Return")
        eventually(lambda: not self.find_window(title), f"the dialog {title!r} to close")
        self.wait_until_still(CURSOR_S)

    def quit(self):
        """Quits as a user does, so that Wireshark writes its settings. Expects nothing that is unsaved."""
        self.focus()
        self.key("ctrl+q")
        eventually(lambda: self.process.poll() is not None, "the end of Wireshark")
        assert self.process.returncode == 0, self.said()


def configuration(user):
    """The user's folder of settings."""
    return user.home / ".config/wireshark"


def set_preferences(user, *lines):
    """Writes the preferences of a user who has none."""
    configuration(user).mkdir(parents=True)
    file = configuration(user) / "preferences"
    file.write_text("".join(line + "\n" for line in lines))
    return file


def shown_columns(user, profile=None):
    """What the packet list showed when Wireshark was last quit, in order: "%m", ..., a custom column by its field."""
    folder = configuration(user) / "profiles" / profile if profile else configuration(user)
    widths = re.search(r"^column\.width:\s*((?:.*,\n)*.*)", (folder / "recent").read_text(), re.MULTILINE).group(1)
    names = [name.strip() for name in widths.replace('"', "").split(",")[::2]]
    return [name.removeprefix("%Cus:") for name in names]
