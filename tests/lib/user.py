"""An ordinary user (neither uid nor gid is 0: Wireshark treats root's programs in a way of its own)."""

import os
import shutil

from lib import paths, sanitizer
from lib.process import check

UID = GID = 65534  # nobody, in every distribution


def words(*argv):
    return ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups", *argv]


def own(path):
    os.chown(path, UID, GID)
    return path


def install(folder):
    """A copy of the program in `folder` that an ordinary user may capture with, as a package installs it."""
    copy = shutil.copy(paths.PROGRAM, folder / "rxtxcpu")
    os.chmod(copy, 0o755)
    check(["setcap", "cap_net_raw+ep", copy])
    return copy


def _privileged(folder):
    """A sanitizer cannot read its options in a program with file capabilities; there the capability is inherited."""
    if not sanitizer.kind():
        return words(install(folder))
    raw = ["--inh-caps=+net_raw", "--ambient-caps=+net_raw"]
    return ["setpriv", *raw, *words()[1:], *sanitizer.launcher(), shutil.copy(paths.PROGRAM, folder / "rxtxcpu")]


def launch(folder):
    """For Capture: the program as an ordinary user runs it whom CAP_NET_RAW was given."""
    argv = _privileged(folder)
    return lambda *options: [*argv, *options]
