"""An ordinary user of Wireshark: a home with or without the built plugin or the Lua file, and the programs run there.

Wireshark ignores the plugins of a user with uid or gid 0, so this one is nobody, with a home of its own.
"""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from lib import paths, sanitizer, user as nobody, wireshark as installed

LIMIT_S = 60

LUA = paths.ROOT / "plugin" / "rxtxcpu.lua"

# A sanitizer looks into the plugin only: what the Lua file says is the same in every build.
WRITTEN_IN = {"plugin": paths.PLUGIN} | ({} if sanitizer.kind() else {"lua": LUA})


def sanitizer_environment(plugin):
    """A plugin with AddressSanitizer needs its library in the program that loads it. Wireshark leaks."""
    needed = subprocess.run(["ldd", plugin], capture_output=True, text=True, check=True).stdout
    found = re.search(r"=> (\S*libasan\S*)", needed)
    return {"LD_PRELOAD": found.group(1), **sanitizer.environment(leaks=False)} if found else {}


class User:
    def __init__(self, home, *plugins):
        self.home = home
        self.loading = {}  # what else a program needs that loads the plugin
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8",
                            **installed.without_global_plugins(home)}
        for plugin in plugins:
            self.install(plugin)

    def install(self, plugin):
        assert plugin.exists(), f"{plugin} is not built"
        folder = self.home / ".local/lib/wireshark/plugins"
        if plugin.suffix != ".lua":
            folder = folder / installed.version() / "epan"
            self.loading = sanitizer_environment(plugin)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(plugin, folder)

    def own(self):
        """Gives everything below the home to the user."""
        for path in [self.home, *self.home.rglob("*")]:
            nobody.own(path)

    @staticmethod
    def words(*command):
        """The command as this user runs it."""
        return [*sanitizer.launcher(), *nobody.words(*map(str, command))]

    def run(self, *command):
        """Runs a program that has to end well and without a complaint; returns what it wrote."""
        self.own()
        environment = {**self.environment, **(self.loading if command[0] == "tshark" else {})}
        done = subprocess.run(self.words(*command), cwd=self.home, env=environment, capture_output=True,
                              encoding="utf-8", timeout=LIMIT_S, check=False)
        assert done.returncode == 0 and done.stderr == "", f"{command}: {done.returncode}\n{done.stderr}"
        return done.stdout

    def fields(self, capture, *names, args=()):
        """What TShark shows: one list of values for each packet, "" where a field is absent."""
        out = self.run("tshark", "-r", capture, *args, "-T", "fields", *[arg for name in names for arg in ("-e", name)])
        said = {"True": "1"}  # a boolean, from 4.4 on
        return [[said.get(value, value) for value in line.split("\t")] for line in out.splitlines()]

    def field(self, capture, name, args=()):
        return [values[0] for values in self.fields(capture, name, args=args)]

    def frames(self, capture, display_filter, args=()):
        """The numbers of the packets that pass the filter."""
        return [int(number) for number in self.field(capture, "frame.number", args=(*args, "-Y", display_filter))]


@contextlib.contextmanager
def new_user(*plugins):
    """A user in a new home, which is removed afterwards. Not below tmp_path: pytest keeps that for its own user."""
    with tempfile.TemporaryDirectory(prefix="rxtxcpu-user-") as name:
        yield User(pathlib.Path(name), *plugins)
