"""Every kind of file that a capture writes: how it is asked for, and what is in it afterwards."""

import functools
import json
import os
import pathlib

from lib import accounting, contract, pcapng
from lib.process import check

BEFORE = b"what was there before, and stays\n"

# What -w is given, and what else. By JSON everything said of a CPU can be compared.
KINDS = {
    "pcapng": ("out.pcapng",),
    "pcapng, packet by packet": ("out.pcapng", "-U"),
    "pcap for each CPU": ("out.pcap",),
    "pcap for each CPU, packet by packet": ("out.pcap", "-U"),
    "ring of pcapng": ("out.pcapng", "-b", "filesize:60"),
    "ring of pcap for each CPU": ("out.pcap", "-b", "filesize:30"),
    "appended stdout": ("-",),
}


class Written:
    """A capture of one kind into a folder, live once this is made."""

    def __init__(self, capture, namespace, device, kind, folder, *options):
        self.file, *more = KINDS[kind]
        self.kind, self.folder, self.asked = kind, folder, folder
        self._unmounted = None
        start = functools.partial(capture, namespace, device, "--json", *more, *options, output=None)
        self.process = self._start_appending(start) if self.file == "-" else start("-w", folder / self.file)

    def _start_appending(self, start):
        """As with >> in a shell."""
        (self.folder / "stdout").write_bytes(BEFORE)
        with open(self.folder / "stdout", "ab") as stdout:
            return start("-w", "-", stdout=stdout)

    def ended(self, *, whole, status):
        """The Result and what is in the files, each of which keeps to the contract; of several only the last may lack
        its end, and only if not `whole`."""
        result = self.process.result(status=status)
        return result, self._kept(whole)

    def move(self, folder):
        """The folder is called otherwise from now on."""
        self.folder = self.folder.rename(folder)

    def unmount(self):
        """The path leads to what was there before the disk was, which is kept in sight."""
        self._unmounted = os.open(self.folder, os.O_DIRECTORY)
        check(["umount", "--lazy", self.folder])

    def _folders(self):
        held = [] if self._unmounted is None else [pathlib.Path(f"/proc/self/fd/{self._unmounted}")]
        return [*held, self.folder]

    def paths(self):
        """Its files that have something in them, the oldest first."""
        stem, _dot, extension = self.file.partition(".")
        pattern = "stdout" if self.file == "-" else f"{stem}*.{extension}"
        found = [path for folder in self._folders() for path in folder.glob(pattern) if path.stat().st_size]
        return sorted(found, key=lambda path: path.name)

    def _kept(self, whole):
        if self.file == "out.pcap":
            return accounting.of_pcap_files(self.paths())
        captures = [pcapng.parse(self._bytes(path)) for path in self.paths()]
        for number, one in enumerate(captures):
            contract.check(one, statistics=whole or number < len(captures) - 1)
        return accounting.of_captures(*captures)

    def close(self):
        """Lets go of a disk that was unmounted."""
        if self._unmounted is not None:
            os.close(self._unmounted)

    def _bytes(self, path):
        data = path.read_bytes()
        if self.file != "-":
            return data
        assert data.startswith(BEFORE)
        return data[len(BEFORE):]


def start_all(capture, namespace, device, make_folder, *options, kinds=tuple(KINDS)):
    """One capture of each kind at once, each into a folder of its own."""
    return [Written(capture, namespace, device, kind, make_folder(), *options) for kind in kinds]


def object_of(result):
    """The JSON object, which is where the packets are not."""
    return json.loads(result.stdout or result.stderr.splitlines()[-1])


def events_of(result):
    """The events of the JSON object: [(event, text)…]."""
    return [(one["event"], one["text"]) for one in object_of(result).get("events", [])]
