"""A Linux with as many CPUs as a test wants, without KVM: boots it, runs a script in it, brings its files back.

What the script may say is in lab.sh. The guest's network is a veth pair of its own, its only packets are the script's.
"""

import dataclasses
import pathlib
import re
import tarfile

from initramfs import Archive, Modules
from lib import contract, paths, pcapng, sanitizer
from lib.capture import Result
from lib.process import Process

HERE = pathlib.Path(__file__).parent
MODULES = ("virtio_pci", "virtio_blk", "veth")
PROGRAMS = (paths.PROGRAM, paths.SENDER, "/usr/sbin/ip", "/usr/bin/date")
LIMIT = 50 * sanitizer.SLOWNESS  # seconds; below that of conftest.py, so that the console is seen
MEMORY = 2048 if sanitizer.kind() else 512  # MiB
DISK = 256 << 20  # bytes; a sparse file
SOFTNET_PROCESSED, SOFTNET_DROPPED, SOFTNET_CPU = 0, 1, 12  # columns (net/core/net-procfs.c, softnet_seq_show)
LATE_SHARE = 0.05  # of the packets; more would be no order
LATE_REMARK = re.compile(r"^rxtxcpu: (\d+) packets came later", re.MULTILINE)


def from_cpus(cpus):
    """The sender's words for `cpus`."""
    return " ".join(f"--cpu {cpu}" for cpu in cpus)


def late_packets(capture):
    """How many packets have a time before that of an earlier one in the file."""
    newest, late = 0, 0
    for packet in capture.packets:
        late += packet.ts_ns < newest
        newest = max(newest, packet.ts_ns)
    return late


def remarks(result):
    """What the program said at the end, but for how many packets were late: that is the guest's own doing."""
    return [line for line in result.said if not LATE_REMARK.match(line)]


def _check_order(capture, said):
    """The guest's CPUs take turns, and any may stand still between the stamp of a packet and its way into the ring.
    So there may be late packets here, but few, and the program must have counted every one."""
    late = late_packets(capture)
    counted = LATE_REMARK.search(said)
    assert late == int(counted[1] if counted else 0), f"{late} packets are late; {said}"
    assert late <= LATE_SHARE * len(capture.packets), f"{late} of {len(capture.packets)} packets are late"


class Outcome:
    """The files that the guest's script left in /results."""

    def __init__(self, files, console):
        self.files = files  # {name: bytes}
        self.console = console

    def text(self, name):
        return self.files[name].decode()

    def ended(self, name):
        """A program's end, whatever it was."""
        status, stdout, stderr = (self.text(f"{name}.{part}") for part in ("status", "stdout", "stderr"))
        return Result(int(status), stdout, stderr, 0, None)

    def sent(self, *names):
        """{cpu: packets} that senders have sent, all of them together."""
        counts = {}
        for name in names:
            ended = self.ended(name)
            assert ended.status == 0, f"the sender {name} failed: {ended.stderr}"
            for cpu, count in re.findall(r"^sent cpu=(\d+) count=(\d+)$", ended.stdout, re.MULTILINE):
                counts[int(cpu)] = counts.get(int(cpu), 0) + int(count)
        return counts

    def capture(self, name, exact_stop=False):
        """A capture's end and its file, which keeps to the contract."""
        result = self.ended(name)
        assert result.status == 0, f"exit {result.status}: {result.stderr}"
        result.file = pcapng.parse(self.files[f"{name}.pcapng"])
        _check_order(result.file, result.stderr)
        in_order = sorted(result.packets, key=lambda packet: packet.ts_ns)
        contract.check(dataclasses.replace(result.file, packets=in_order), exact_stop=exact_stop)
        return result

    def softnet(self, name, column):
        """{cpu: number} in a column of the kernel's counters of the receive path, as they were at `softnet NAME`."""
        rows = [[int(word, 16) for word in line.split()] for line in self.text(name).splitlines()]
        return {row[SOFTNET_CPU]: row[column] for row in rows}

    def moments(self):
        """[(nanoseconds before, after)] of each `offline` and `online`."""
        lines = [line.split() for line in self.text("moments").splitlines()]
        assert [word for word, _time in lines] == ["before", "after"] * (len(lines) // 2), lines
        times = [int(time) for _word, time in lines]
        return list(zip(times[::2], times[1::2]))


class Lab:
    """A kernel and the file system that it boots with; each run is a guest of its own."""

    def __init__(self, packages):
        self._kernel = next((packages / "boot").glob("vmlinuz-*"))
        self._archive = self._make_archive(packages).bytes()

    @staticmethod
    def _make_archive(packages):
        archive = Archive()
        for folder in ("proc", "sys", "dev", "run", "tmp", "results"):
            archive.folder(folder)
        archive.file("bin/busybox", packages / "bin/busybox")
        for program in PROGRAMS:
            archive.program(program)
        images = Modules(packages / "lib/modules").load_order(MODULES)
        for name, image in images.items():
            archive.data(f"modules/{name}.ko", image)
        archive.data("modules/order", "".join(f"{name}\n" for name in images).encode())
        archive.file("init", HERE / "init")
        archive.file("lab.sh", HERE / "lab.sh")
        return archive

    def _words(self, folder, cpus, parameters):
        """The CPUs take turns in one thread. With a thread for each, qemu 7.2 now and then goes on executing code that
        the guest's kernel has patched meanwhile (an int3 of its jump labels), for ever; two in 500 boots hung so."""
        return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "pc",
                "-accel", "tcg,thread=single", "-smp", cpus, "-m", MEMORY,
                "-display", "none", "-serial", "stdio", "-no-reboot",
                "-kernel", self._kernel, "-initrd", folder / "initrd",
                "-append", f"console=ttyS0 loglevel=4 panic=-1 {parameters}",
                "-drive", f"if=virtio,format=raw,file={folder / 'disk'}"]

    def run(self, script, folder, *, cpus="8", parameters=""):
        """The Outcome of `script` in a guest with `cpus`, as qemu's -smp has them, and the kernel's `parameters`."""
        extra = Archive()
        extra.data("script", script.encode())
        (folder / "initrd").write_bytes(self._archive + extra.bytes())
        with open(folder / "disk", "wb") as disk:
            disk.truncate(DISK)
        console = _watch(self._words(folder, cpus, parameters))
        files = _files_on(folder / "disk", console)
        assert files.get("status") == b"0\n", f"the script failed, or the guest itself; {_end_of(console)}"
        return Outcome(files, console)


def _end_of(console):
    return f"the guest's console:\n{console[-8000:]}"


def _watch(words):
    """What is on the console of a guest until it has switched itself off."""
    with Process(words) as qemu:
        try:
            status = qemu.wait(LIMIT)
        except AssertionError as error:
            raise AssertionError(f"the guest did not end in {LIMIT} s; {_end_of(qemu.stdout.text)}") from error
    assert status == 0, f"qemu: exit {status}: {qemu.stderr.text}; {_end_of(qemu.stdout.text)}"
    return qemu.stdout.text


def _files_on(disk, console):
    """{name: bytes} of the archive that the guest has written."""
    try:
        with tarfile.open(disk, "r:") as tar:
            return {member.name.removeprefix("./"): tar.extractfile(member).read() for member in tar if member.isfile()}
    except tarfile.TarError as error:
        raise AssertionError(f"the guest left no results ({error}); {_end_of(console)}") from error
