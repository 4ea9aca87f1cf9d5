"""Dissects mutated captures with the built plugin in the real Wireshark libraries, and looks at what it says of them.

One process opens a few hundred files: with two passes, all fields, all statistics, expert notes, filters, the whole
tree, and again. It must not end, hang or report, and what it says must hold together.
"""

import collections
import pathlib
import random
import re
import subprocess

import capture
import generator
import mutations
import sharkd_session
from lib import paths, sanitizer
from model import FIELDS
from sharkd import SAID
from wireshark_user import new_user

GOLDEN = pathlib.Path(__file__).parent / "golden"
FILES_OF_A_PROCESS = 250
STATISTICS = ["nstat:rxtxcpu,stat", "nstat:rxtxcpu,flows", "nstat:rxtxcpu,symmetry", "stat:rxtxcpu", "expert"]
COLUMNS = {f"column{index}": f"{field}:1" for index, field in enumerate([*FIELDS, "frame.number"])}
PLACE = {field.removeprefix("rxtxcpu."): index for index, field in enumerate(FIELDS)}

# Each allocation of Wireshark's is one that the sanitizer knows the end of.
EACH_ALONE = {"WIRESHARK_DEBUG_WMEM_OVERRIDE": "simple", "G_SLICE": "always-malloc"}
OURS_IN_STDERR = re.compile(r".*(?:[Dd]issector bug.*Per-CPU|rxtxcpu.*(?:CRITICAL|WARNING|assert)|"
                            r"(?:CRITICAL|WARNING|assert).*rxtxcpu).*")


class Wrong(Exception):
    """What was said of a file does not hold together."""


def require(truth, message):
    if not truth:
        raise Wrong(message)


# --- files -----------------------------------------------------------------------------------------------------------

def bases():
    """The kept captures, and some made at random that have few packets and much in them."""
    made = [b"".join(generator.make(seed, 40).blocks()) for seed in range(1, 7)]
    made += [b"".join(generator.on_many_cpus(12).blocks()), b"".join(generator.overtaken([1, 10**6, 10**7]).blocks())]
    return [mutations.parse(data) for data in [*[path.read_bytes() for path in sorted(GOLDEN.glob("*.pcapng"))], *made]]


def _shortened(rng, blocks):
    """Few packets; what is not about packets stays."""
    packets = mutations.of_kind(blocks, mutations.EPB)
    if len(packets) <= 60:
        return blocks
    begin = rng.randrange(len(packets) - 60)
    kept = {id(block) for block in packets[begin : begin + 60]}
    return [block for block in blocks if block.kind != mutations.EPB or id(block) in kept]


def _edited(path, rng):
    """What editcap -E makes of it: False where it can't read it."""
    out = path.with_suffix(".edited")
    done = subprocess.run(["editcap", "-E", str(rng.choice([0.01, 0.05, 0.3])), "--seed", str(rng.randrange(2**31)),
                           path, out], capture_output=True, timeout=60, check=False)
    if done.returncode == 0:
        out.replace(path)
    out.unlink(missing_ok=True)
    return done.returncode == 0


def write(path, seed, number, known):
    """The file of a seed and a number, the same each time; a tenth goes through editcap -E. What was done to it."""
    rng = random.Random(f"{seed}-{number}")
    base = _shortened(rng, rng.choice(known))
    if number % 10 == 9:
        capture.write(path, *[block.encoded(mutations.pcapng.LOCAL_ORDER) for block in base] if rng.random() < 0.5
                      else [mutations.mutated(rng, base)[0]])
        return ["editcap"] if _edited(path, rng) else ["refused by editcap"]
    data, done = mutations.mutated(rng, base)
    path.write_bytes(data)
    return done


# --- what is asked ---------------------------------------------------------------------------------------------------

def _rows(frames):
    """{number of the packet: its values}"""
    return {int(frame["c"][-1]): [SAID.get(value, value) for value in frame["c"][:-1]] for frame in frames or []}


def _check_row(number, row):
    value = {name: row[index] for name, index in PLACE.items()}
    for name in ("flow.prev_frame", "repeat.of"):
        require(not value[name] or int(value[name]) < number, f"{number}: {name} is {value[name]}")
    for name in ("cpu", "node"):  # a queue may come from an option, which the grammar is not about
        require(not value[name] or 0 <= int(value[name]) < 2**32 - 1, f"{number}: {name} is {value[name]}")
    require(value["flow.moved"] != "1" or value["flow.prev_cpu"] not in ("", value["cpu"]),
            f"{number}: moved from {value['flow.prev_cpu']} to {value['cpu']}")
    require(bool(value["repeat"]) == bool(value["repeat.of"]), f"{number}: repeat {value['repeat']} of none")
    require(not any(ord(letter) < 32 for letter in value["host"]), f"{number}: the host is {value['host']!r}")


def _filtered(session, rows, rng):
    """A filter finds the packets whose field is shown. It is another text each time: sharkd remembers what each found,
    also in the file before."""
    field = rng.choice(FIELDS)
    asked = f"{field} && frame.number != {10**6 + rng.randrange(10**8)}"
    found = {frame["num"] for frame in session.ask("frames", filter=asked) or []}
    shown = {number for number, row in rows.items() if row[FIELDS.index(field)]}
    require(found == shown, f"the filter {field} finds {sorted(found ^ shown)[:5]} differently")


def _check_table(answer, rows):
    """The statistic "Packets per CPU" counts the packets that have a CPU, and no others."""
    table = next((tap for tap in answer["taps"] if tap["tap"] == "nstat:rxtxcpu,stat"), None)
    if table is None or not table["tables"]:
        return
    column = table["fields"].index(next(field for field in table["fields"] if field["c"] == "Packets"))
    counted = [row[column] for each in table["tables"] for row in each["i"] if row and re.match(r"CPU", str(row[0]))]
    have = sum(1 for row in rows.values() if row[PLACE["cpu"]])
    require(not counted or sum(map(int, counted)) == have, f"the table counts {counted} of {have} packets")


def dissect(session, path, rng):
    """How many packets it has; Wrong where what is said of them does not hold together."""
    if session.load(path) == 0:
        return 0
    rows = _rows(session.ask("frames", **COLUMNS))
    for number, row in rows.items():
        _check_row(number, row)
    answer = session.ask("tap", **{f"tap{index}": name for index, name in enumerate(STATISTICS)})
    require(answer is not None, "no statistics")
    _filtered(session, rows, rng)
    for number in rng.sample(sorted(rows), min(3, len(rows))):
        require(session.ask("frame", frame=number, proto=True, columns=True) is not None, f"no packet {number}")
    require(_rows(session.ask("frames", **COLUMNS)) == rows, "asked again it says something else")
    return len(rows)


# --- many files ------------------------------------------------------------------------------------------------------

class Finding(collections.namedtuple("Finding", "path ours text")):
    def __str__(self):
        whose = "the plugin's" if self.ours else "Wireshark's own"
        return (f"{self.path}: {whose}\n{self.text}\n"
                f"Again: sudo RXTX_BUILD={paths.BUILD} tests/plugin/mutate {self.path}\n"
                f"or, where it takes the files before: --seed SEED --first NUMBER, as the file is called")


PREFERENCES = {"reorder_window": [0, 10, 2**32 - 1], "repeat_window": [0, 1000, 2**32 - 1],
               "repeat_alarm": [0, 1, 2, 1000, 2**32 - 1], "flows_shown": [0, 1, 10, 2**31]}


class Dissector:
    """Sessions, one after another, and what was found in them."""

    def __init__(self, keep):
        self._keep = keep
        self.files = self.packets = 0
        self.done = collections.Counter()
        self.findings = []

    def _session(self, user, rng):
        # without the names of all makers of network cards, which Wireshark reads again with each file
        session = sharkd_session.Session(user, {**EACH_ALONE, "WIRESHARK_DATA_DIR": str(user.home / "no-data")})
        # Wireshark 4.0 itself dies of some packets whose times go back, in each tree (stats_tree.c: update_burst_calc)
        session.ask("setconf", name="statistics.st_enable_burstinfo", value="FALSE")
        for name, values in PREFERENCES.items():
            session.ask("setconf", name=f"rxtxcpu.{name}", value=str(rng.choice(values)))
        return session

    def _trouble(self, path, why, words=""):
        """Kept with what is known of it, unless Wireshark has the same without us."""
        report = sanitizer.take_reports()
        said = "\n".join(OURS_IN_STDERR.findall(words)[:5])
        text = "\n".join(part for part in (why, said, report) if part)
        self._keep.mkdir(parents=True, exist_ok=True)
        kept = self._keep / path.name
        kept.write_bytes(path.read_bytes())
        kept.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
        self.findings.append(Finding(kept, not _dies_without_us(path), text))

    def _close(self, session, path):
        status, words = session.close()
        if status != 0 or OURS_IN_STDERR.search(words):
            self._trouble(path, f"at its end: {status}", words)

    def run(self, files):
        """files: (name, function that writes it to a path and says what was done) pairs."""
        with new_user(paths.PLUGIN) as user:
            (user.home / "no-data").mkdir()
            user.own()
            pending = collections.deque(files)
            while pending:
                self._batch(user, [pending.popleft() for _ in range(min(FILES_OF_A_PROCESS, len(pending)))])

    def _batch(self, user, files):
        session, path = None, None
        for name, make in files:
            path = user.home / name
            self.done.update(make(path))
            rng = random.Random(name)
            session = session or self._session(user, rng)
            try:
                self.packets += dissect(session, path, rng)
            except Wrong as error:
                self._trouble(path, str(error))
            except sharkd_session.Died as error:
                self._trouble(path, str(error), session.close()[1])
                session = None
            self.files += 1
            if name is not files[-1][0]:
                path.unlink()
        if session:
            self._close(session, path)


def _dies_without_us(path):
    """Whether Wireshark has the same trouble with this file when the plugin is not there."""
    with new_user() as plain:
        here = plain.home / path.name
        here.write_bytes(path.read_bytes())
        plain.own()
        session = sharkd_session.Session(plain)
        try:
            session.load(here)
            session.ask("frames")
            session.ask("tap", tap0="expert", tap1="stat:plen")
            session.ask("frame", frame=1, proto=True)
        except sharkd_session.Died:
            return True
        finally:
            session.close()
        return False


def made_by(seed, numbers):
    """The files of a seed, for Dissector.run."""
    known = bases()
    return [(f"{seed}-{number}.pcapng", lambda path, number=number: write(path, seed, number, known))
            for number in numbers]


def kept_at(sources):
    """Files that are there, for Dissector.run."""
    return [(source.name, lambda path, source=source: [path.write_bytes(source.read_bytes()) and "kept"])
            for source in sources]
