"""Makes the guest's file system: a cpio archive (Documentation/driver-api/early-userspace/buffer-format.rst of Linux)
with the programs of this build and of this machine, and the modules of the guest's kernel."""

import pathlib
import re
import subprocess

from lib.process import check

DIRECTORY, FILE, LINK = 0o040755, 0o100755, 0o120777
UNPACKERS = {".ko": None, ".ko.xz": "xz", ".ko.zst": "zstd"}


def _entry(number, path, mode, data):
    name = path.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return b"".join((head, bytes(-len(head) % 4), data, bytes(-len(data) % 4)))


class Archive:
    def __init__(self):
        self._entries = {}  # path: (mode, data)

    def _add(self, path, mode, data):
        for parent in reversed(pathlib.PurePosixPath(path).parents[:-1]):
            self._entries.setdefault(str(parent), (DIRECTORY, b""))
        self._entries[path] = (mode, data)

    def folder(self, path):
        self._add(path, DIRECTORY, b"")

    def data(self, path, data):
        self._add(path, FILE, data)

    def link(self, path, target):
        self._add(path, LINK, target.encode())

    def file(self, path, source):
        self.data(path, pathlib.Path(source).read_bytes())

    def program(self, source):
        """A program of this machine in /bin, with the libraries that it loads."""
        self.file(f"bin/{pathlib.Path(source).name}", source)
        for library in re.findall(r"(/\S+) \(0x", check(["ldd", source])):
            self.file(library.lstrip("/"), library)

    def bytes(self):
        """Linux takes several archives, one behind the other."""
        made = [_entry(number, path, *entry) for number, (path, entry) in enumerate(self._entries.items(), 1)]
        made.append(_entry(0, "TRAILER!!!", 0, b""))
        return b"".join(made)


class Modules:
    """The modules of one kernel, by the name that `modprobe` knows."""

    def __init__(self, folder):
        self._files = {}
        for path in folder.rglob("*.ko*"):
            name, dot, rest = path.name.partition(".")
            if dot + rest in UNPACKERS:
                self._files[name.replace("-", "_")] = path

    def _image(self, name):
        path = self._files[name]
        unpacker = UNPACKERS["." + path.name.partition(".")[2]]
        if not unpacker:
            return path.read_bytes()
        return subprocess.run([unpacker, "-dc", path], stdout=subprocess.PIPE, check=True).stdout

    def load_order(self, wanted):
        """{name: image} of the modules and of those they need, these first. What has no file is built in."""
        images = {}
        for name in wanted:
            if name not in self._files or name in images:
                continue
            image = self._image(name)
            needed = re.search(rb"\0depends=([^\0]*)\0", image)
            images |= self.load_order(needed[1].decode().split(",") if needed else [])
            images[name] = image
        return images
