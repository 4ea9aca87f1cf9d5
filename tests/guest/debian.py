"""Fetches Debian packages and unpacks them into a folder. Nothing is installed, and apt's own lists are not touched."""

import pathlib
import re
import shutil
import subprocess
import tempfile

LIMIT = 300  # seconds; for a mirror that answers slowly


class Unavailable(Exception):
    """A package cannot be had here, and why."""


def _run(*argv, cwd):
    try:
        ended = subprocess.run([str(word) for word in argv], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                               timeout=LIMIT, encoding="utf-8", errors="backslashreplace", check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from error
    if ended.returncode != 0:
        raise Unavailable(f"{argv[0]} {argv[-1]}: {ended.stderr.strip() or ended.stdout.strip()}")
    return ended.stdout


class _Apt:
    """apt with lists of its own in `folder`: those of the machine may be old, or were never fetched."""

    def __init__(self, folder):
        self._folder = folder
        self._options = ["-q", "-o", f"Dir::State::Lists={folder}/lists", "-o", f"Dir::Cache={folder}",
                         "-o", "APT::Sandbox::User=root"]
        (folder / "lists/partial").mkdir(parents=True)
        _run("apt-get", *self._options, "update", cwd=folder)

    def dependency(self, package, pattern):
        """The package that `package`, which holds nothing itself, stands for."""
        said = _run("apt-cache", *self._options, "depends", package, cwd=self._folder)
        found = re.search(rf"Depends: ({pattern})$", said, re.MULTILINE)
        if not found:
            raise Unavailable(f"{package} depends on nothing like {pattern}: {said}")
        return found[1]

    def unpack(self, package, into):
        _run("apt-get", *self._options, "download", package, cwd=self._folder)
        file = next(self._folder.glob(f"{package}_*.deb"))
        _run("dpkg-deb", "-x", file, into, cwd=self._folder)


def fetch(folder):
    """`folder` with the newest kernel for virtual machines and a busybox that needs no library; as it is once it has
    been made. It is whole or not there."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as temporary:
        temporary = pathlib.Path(temporary)
        apt = _Apt(temporary / "apt")
        apt.unpack(apt.dependency("linux-image-cloud-amd64", r"linux-image-\d\S*"), temporary / "made")
        apt.unpack("busybox-static", temporary / "made")
        shutil.move(temporary / "made", folder)
    return folder
