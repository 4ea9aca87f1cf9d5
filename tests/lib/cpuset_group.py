"""A control group that confines processes to some CPUs, as containers do: cgroup v2 where it has the controller, else v1."""

import contextlib
import os
import pathlib
import tempfile

from lib.process import check, eventually

LAUNCH = 'echo $$ > "$0"/cgroup.procs && exec "$@"'


def _mount(stack, *words):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rxtxcpu-cgroup-"))
    stack.callback(folder.rmdir)
    check(["mount", *words, "rxtxcpu-test", folder])
    stack.callback(lambda: check(["umount", folder]))
    return folder


def _root(stack):
    second = _mount(stack, "-t", "cgroup2")
    if "cpuset" not in (second / "cgroup.controllers").read_text(encoding="ascii").split():
        return _mount(stack, "-t", "cgroup", "-o", "cpuset")
    (second / "cgroup.subtree_control").write_text("+cpuset", encoding="ascii")
    return second


@contextlib.contextmanager
def confined(cpus):
    """The words that start a program inside."""
    with contextlib.ExitStack() as stack:
        root = _root(stack)
        group = root / f"rxtxcpu-{os.getpid()}"
        group.mkdir()
        stack.callback(lambda: eventually(lambda: _remove(group), "the control group to be empty"))
        mems = root / "cpuset.mems.effective" if (root / "cpuset.mems.effective").exists() else root / "cpuset.mems"
        (group / "cpuset.mems").write_text(mems.read_text(encoding="ascii"), encoding="ascii")
        (group / "cpuset.cpus").write_text(cpus, encoding="ascii")
        yield ["sh", "-c", LAUNCH, group]


def _remove(group):
    with contextlib.suppress(OSError):
        group.rmdir()
    return not group.exists()
