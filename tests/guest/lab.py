"""A Linux with as many CPUs as a test wants, without KVM: boots it, has it play stories, brings their files back.

What a story may say is in lab.sh. Its network is a veth pair of its own, its only packets are the story's. All stories
for one kind of machine are played one after another in one guest.
"""

import contextlib
import dataclasses
import pathlib
import re
import tarfile

import cards
from initramfs import Archive, Modules
from lib import contract, paths, pcapng, sanitizer
from lib.capture import Result
from lib.process import Process
from machine import SLOWNESS, WHOLE, Machine

HERE = pathlib.Path(__file__).parent
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "veth")
PROGRAMS = (paths.PROGRAM, paths.SENDER, "/usr/sbin/ip", "/usr/bin/date")
FOLDERS = ("proc", "sys", "dev", "run", "tmp", "results", "cgroup", "stories")
LIMIT = 150 * SLOWNESS * sanitizer.SLOWNESS  # seconds for a guest
MEMORY = (2048 if sanitizer.kind() else 1024) * max(SLOWNESS // 2, 1)  # MiB
DISK = 256 << 20  # bytes; a sparse file
SOFTNET_PROCESSED, SOFTNET_DROPPED, SOFTNET_CPU = 0, 1, 12  # columns (net/core/net-procfs.c, softnet_seq_show)
LATE_SHARE = 0.05  # of the packets; more would be no order
LATE_REMARK = re.compile(r"^rxtxcpu: (\d+) packets? came later", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Story:
    """What a test has played in a guest. Tests with the same story look at one outcome."""
    name: str
    script: str
    machine: Machine = WHOLE

    @classmethod
    def of(cls, item):
        mark = item.get_closest_marker("story")
        name = mark.kwargs.get("name") or getattr(item, "originalname", item.name).removeprefix("test_")
        return cls(name, *mark.args)

    @property
    def key(self):
        return self.script, self.machine


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


def late_counted(said):
    counted = LATE_REMARK.search(said)
    return int(counted[1]) if counted else 0


def _check_order(capture, said):
    """The guest's CPUs take turns, and any may stand still between the stamp of a packet and its way into the ring.
    So there may be late packets here, but few, and the program must have counted every one."""
    late = late_packets(capture)
    assert late == late_counted(said), f"{late} packets are late; {said}"
    assert late <= LATE_SHARE * len(capture.packets), f"{late} of {len(capture.packets)} packets are late"


@dataclasses.dataclass(frozen=True)
class Switch:
    """A CPU that was switched: it began after `before`, was over when `after`, and was said by `said` (nanoseconds)."""
    cpu: int
    on: bool
    before: int
    after: int
    said: int

    @property
    def text(self):
        return f"CPU {self.cpu} {'came online' if self.on else 'went offline'}"


def check_said(result, switches):
    """Each time that a CPU came or went was said once, in turn, with a time that lies between the moments when the
    switching began and when the capture was known to have said it."""
    assert [text for _time, text in result.events] == [switch.text for switch in switches]
    for (time, text), switch in zip(result.events, switches):
        assert switch.before <= time <= switch.said, f"{text} at {time}, but switched from {switch.before}"


class Outcome:
    """The files that a story left in its folder of /results."""

    def __init__(self, files, console):
        self.files = files  # {name: bytes}
        self.console = console
        assert self.files.get("status") == b"0\n", f"the story failed, or the guest itself; {end_of(console)}"

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

    def written(self, name):
        """A capture's end and its file, whose order nobody has looked at."""
        result = self.ended(name)
        assert result.status == 0, f"exit {result.status}: {result.stderr}"
        result.file = pcapng.parse(self.files[f"{name}.pcapng"])
        return result

    def capture(self, name, exact_stop=False):
        """A capture's end and its file, which keeps to the contract."""
        result = self.grouped(name)
        in_order = sorted(result.packets, key=lambda packet: packet.ts_ns)
        contract.check(dataclasses.replace(result.file, packets=in_order), exact_stop=exact_stop)
        return result

    def grouped(self, name):
        """The same of one by queue or by node: its packets have no CPU."""
        result = self.written(name)
        _check_order(result.file, result.stderr)
        return result

    def softnet(self, name, column):
        """{cpu: number} in a column of the kernel's counters of the receive path, as they were at `softnet NAME`."""
        rows = [[int(word, 16) for word in line.split()] for line in self.text(name).splitlines()]
        return {row[SOFTNET_CPU]: row[column] for row in rows}

    def softnet_growth(self, column, before="before", after="after"):
        """{cpu: number}: how much that column grew from `softnet BEFORE` to `softnet AFTER`."""
        first, last = self.softnet(before, column), self.softnet(after, column)
        return {cpu: number - first.get(cpu, 0) for cpu, number in last.items()}

    def switches(self):
        """Each `offline` and `online`, in turn."""
        rows = [line.split() for line in self.text("moments").splitlines()]
        assert [row[0] for row in rows] == ["before", "switched", "said"] * (len(rows) // 3), rows
        return [Switch(int(before[1]), before[2] == "1", int(before[3]), int(after[3]), int(said[3]))
                for before, after, said in zip(rows[::3], rows[1::3], rows[2::3])]


class Lab:
    """A kernel and the file system that it boots with; each machine is a guest of its own."""

    def __init__(self, packages):
        self._kernel = next((packages / "boot").glob("vmlinuz-*"))
        self._archive = self._make_archive(packages).bytes()

    @staticmethod
    def _make_archive(packages):
        archive = Archive()
        for folder in FOLDERS:
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
        archive.file("bin/within", HERE / "within")
        archive.data("limit", f"{2 * LIMIT}\n".encode())
        return archive

    def _words(self, folder, machine):
        """The CPUs take turns in one thread. With a thread for each, qemu 7.2 now and then goes on executing code that
        the guest's kernel has patched meanwhile (an int3 of its jump labels), for ever; two in 500 boots hung so."""
        return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "pc",
                "-accel", "tcg,thread=single", *machine.words(MEMORY),
                "-display", "none", "-serial", "stdio", "-no-reboot",
                "-kernel", self._kernel, "-initrd", folder / "initrd",
                "-append", f"console=ttyS0 loglevel=4 panic=-1 {machine.parameters()}",
                "-drive", f"if=virtio,format=raw,file={folder / 'disk'}"]

    def play(self, machine, stories, folder):
        """{key of a story: its files} of a guest that has played `stories`, and the console."""
        extra = Archive()
        names = {story.key: f"{number:02}-{story.name[:60]}" for number, story in enumerate(stories)}
        for story in stories:
            extra.data(f"stories/{names[story.key]}", story.script.encode())
        (folder / "initrd").write_bytes(self._archive + extra.bytes())
        with open(folder / "disk", "wb") as disk:
            disk.truncate(DISK)
        with cards.wired() if machine.cards else contextlib.nullcontext() as wires:
            words = self._words(folder, machine)
            console = _watch(wires.inside(*words, *cards.words()) if wires else words)
        files = _files_on(folder / "disk", console)
        return {key: files.get(name, {}) for key, name in names.items()}, console


class Guests:
    """The guests for `stories`, each booted when the first of its stories is asked for, once."""

    def __init__(self, lab, stories, folder):
        self._lab, self._folder = lab, folder
        self._stories = {}  # {machine: {key: story}}
        for story in stories:
            self._stories.setdefault(story.machine, {}).setdefault(story.key, story)
        self._played = {}  # {machine: (files, console)}, or the failure

    def outcome(self, story):
        if story.machine not in self._played:
            self._played[story.machine] = self._play(story.machine)
        if isinstance(self._played[story.machine], AssertionError):
            raise self._played[story.machine]
        files, console = self._played[story.machine]
        return Outcome(files[story.key], console)

    def _play(self, machine):
        try:
            return self._lab.play(machine, list(self._stories[machine].values()), self._folder)
        except AssertionError as error:
            return error


def end_of(console):
    return f"the guest's console:\n{console[-8000:]}"


def _watch(words):
    """What is on the console of a guest until it has switched itself off."""
    with Process(words) as qemu:
        try:
            status = qemu.wait(LIMIT)
        except AssertionError as error:
            raise AssertionError(f"the guest did not end in {LIMIT} s; {end_of(qemu.stdout.text)}") from error
    assert status == 0, f"qemu: exit {status}: {qemu.stderr.text}; {end_of(qemu.stdout.text)}"
    return qemu.stdout.text


def _files_on(disk, console):
    """{folder: {name: bytes}} of the archive that the guest has written."""
    found = {}
    try:
        with tarfile.open(disk, "r:") as tar:
            for member in tar:
                if member.isfile():
                    folder, name = member.name.removeprefix("./").split("/", 1)
                    found.setdefault(folder, {})[name] = tar.extractfile(member).read()
    except tarfile.TarError as error:
        raise AssertionError(f"the guest left no results ({error}); {end_of(console)}") from error
    return found
