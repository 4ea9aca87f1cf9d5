"""A Debian of another release in a folder: made once with mmdebstrap, and entered without leaving a trace.

    debian = Chroot(folder, "trixie", ["gcc", "tshark"])
    debian.make()                                       # at once when it is there already
    status = debian.run(["tshark", "--version"], build)

Programs in it see the repository read-only at /rxtxcpu, with `build` as its folder build/, the only one that stays: the
rest of the file system cannot be written to, but for /tmp and /run, which are new each time. They have namespaces of
their own for mounts, processes, network and shared memory. So whatever way they end, nothing of them is left running
or mounted.
"""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = "/rxtxcpu"  # the repository, inside
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp",
               "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
MAKE_LIMIT = 900  # seconds; for a mirror that answers slowly

# With no MIRROR said, mmdebstrap takes Debian's own, of a stable release with its updates. Check-Valid-Until: a mirror
# that stands still, or a clock that runs ahead, is no reason not to test; signatures are checked all the same.
MMDEBSTRAP = ["mmdebstrap", "--mode=root", "--format=directory", "--variant=minbase",
              '--aptopt=Acquire::Languages "none"', '--aptopt=Acquire::Check-Valid-Until "false"',
              "--dpkgopt=force-unsafe-io",
              *[f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "info", "locale", "man")]]

# Namespaces that end with us, also when we are killed.
UNSHARED = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
            "--kill-child", "--mount-proc"]


class Unavailable(Exception):
    """There can be no such chroot here, and why."""


class Chroot:
    """folder/debian holds the root and the recipe it was made by. It is whole or not there."""

    def __init__(self, folder, suite, packages):
        self.folder = folder
        self.suite = suite
        self.packages = packages
        self._debian = folder / "debian"
        self.root = self._debian / "root"

    def _words(self, target):
        return [*MMDEBSTRAP, f"--include={','.join(self.packages)}", self.suite, str(target)]

    def _recipe(self):
        return "\n".join(self._words("root")) + "\n"

    def _is_made(self):
        recipe = self._debian / "recipe"
        return recipe.exists() and recipe.read_text(encoding="utf-8") == self._recipe()

    @contextlib.contextmanager
    def _lock(self):
        """Who comes while another makes the same one waits, and has it then."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def make(self):
        """Makes it, if it is not there or was made by another recipe."""
        if os.geteuid() != 0:
            raise Unavailable("only root can make a chroot and enter it")
        with self._lock():
            if self._is_made():
                return
            if not shutil.which("mmdebstrap"):
                raise Unavailable("mmdebstrap is not installed")
            new = self.folder / "debian.new"
            _remove(new)
            (new / "tmp").mkdir(parents=True)
            try:
                self._bootstrap(new / "root", new / "tmp")
                _remove(new / "tmp")
                (new / "recipe").write_text(self._recipe(), encoding="utf-8")
                _remove(self._debian)
                new.rename(self._debian)
            finally:
                _remove(new)

    def _bootstrap(self, target, temporary):
        try:
            ended = subprocess.run([*UNSHARED, "--", *self._words(target)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=MAKE_LIMIT,
                                   env={**os.environ, "TMPDIR": str(temporary)}, encoding="utf-8",
                                   errors="backslashreplace", check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(str(error)) from error
        if ended.returncode != 0:
            raise Unavailable(_cause(ended.stdout))
        os.chmod(target, 0o755)  # an ordinary user may enter it whatever our umask is
        (target / SOURCE.lstrip("/")).mkdir()

    def run(self, command, build, **how):
        """The exit status of a program in the repository as seen from inside."""
        build.mkdir(parents=True, exist_ok=True)
        inside = ["/usr/bin/python3", __file__, str(self.root), str(build), *command]
        return subprocess.run([*UNSHARED, "--net", "--ipc", "--", *inside], check=False, **how).returncode


def _remove(folder):
    """Not what is mounted in it, should that ever be."""
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)


def _cause(said):
    """Of what a failed mmdebstrap says, the first complaint: the others are its consequences."""
    complaint = re.search(r"^(?:E: |\w+: )?(.*(?:^E: |failed|not permitted|denied).*)$", said, re.MULTILINE)
    return complaint[0] if complaint else said.strip()[-300:] or "mmdebstrap failed and said nothing"


# --- inside the namespaces -------------------------------------------------------------------------------------------

def _mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


def _bind_read_only(source, target):
    _mount("--bind", source, target)
    _mount("-o", "remount,bind,ro", target)


def _mount_all(root, build):
    source = root / SOURCE.lstrip("/")
    _bind_read_only(root, root)
    _mount("-t", "proc", "proc", root / "proc")
    _mount("-t", "sysfs", "sysfs", root / "sys")
    _mount("--rbind", "/dev", root / "dev")
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "tmp")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root / "run")
    _bind_read_only(ROOT, source)
    _mount("--bind", build, source / "build")


def _run_as_first_process(command):
    """Its exit status. What it leaves behind is ours to reap, and is killed when we end."""
    process = subprocess.Popen(command, env={**ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")})
    while True:
        pid, status = os.wait()
        if pid == process.pid:
            return os.waitstatus_to_exitcode(status)


def _enter(root, build, *command):
    _mount_all(pathlib.Path(root), build)
    os.chroot(root)
    os.chdir(SOURCE)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, env=ENVIRONMENT)
    status = _run_as_first_process(command)
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(_enter(*sys.argv[1:]))
