"""Wireshark's own programs, run as an ordinary user with our extcap and plugin installed in a folder of his."""

import functools
import re
import shutil

from lib import paths, user
from lib.process import Process, check, run


@functools.cache
def version():
    """'4.0' of TShark 4.0.17."""
    return re.search(r"^TShark .*?(\d+\.\d+)\.\d+", check(["tshark", "--version"]), re.MULTILINE)[1]


def without_global_plugins(folder):
    """The environment in which the plugin of an installed package is not found beside the one that is tested."""
    return {"WIRESHARK_PLUGIN_DIR": str(folder / "no-plugins")}


class Installation:
    def __init__(self, folder, capable=True):
        self.home = folder / "home"
        self.extcap = folder / "extcap"
        self._make_home()
        self.extcap.mkdir()
        if capable:
            user.install(self.extcap)
        else:
            shutil.copy(paths.PROGRAM, self.extcap / "rxtxcpu")
        self.environment = {**without_global_plugins(self.home), "HOME": str(self.home),
                            "XDG_CONFIG_HOME": str(self.home / ".config"),
                            "TMPDIR": str(self.home), "WIRESHARK_EXTCAP_DIR": str(self.extcap)}

    def _make_home(self):
        plugins = self.home / ".local/lib/wireshark/plugins" / version() / "epan"
        plugins.mkdir(parents=True)
        shutil.copy(paths.PLUGIN, plugins)
        for path in (self.home, *self.home.rglob("*")):
            user.own(path)

    def start(self, namespace, *argv):
        return Process(namespace.inside(*user.words(*argv)), env=self.environment, cwd=self.home)

    def run(self, namespace, *argv, **how):
        return run(namespace.inside(*user.words(*argv)), env=self.environment, cwd=self.home, **how)

    def tool(self, *argv):
        """A program that needs no network; its stdout."""
        return check(user.words(*argv), env=self.environment, cwd=self.home)
