"""What tests/run does once everything is installed: builds, runs, adds up. Nothing here knows what a test tests."""

import argparse
import concurrent.futures
import fnmatch
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

TESTS = pathlib.Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
BUILDS = ROOT / "build"
HOSTILE = ("remote/test_hostile.py",)  # asan's in a whole run, but for what is about memory
NOT_SANITIZED = "not sandbox and not test_values"  # where there is no sandbox, and no room for valgrind
# One after another; in each, what runs at the same time: (build, folders or files, further words for pytest).
PYTEST_STEPS = (
    (("dev", ("lib", "cli", "tshark", "install"), []), ("dev", ("remote",), [])),
    (("dev", ("net",), []),),
    (("dev", ("plugin", "static"), []), ("dev", ("guest", "gui"), [])),
    (("asan", ("cli",), []), ("asan", ("plugin",), [])),
    (("asan", ("net",), ["-k", NOT_SANITIZED]), ("asan", HOSTILE, ["-k", "not flood"]), ("dev", HOSTILE, ["-k", "flood"])),
    (("tsan", ("cli", "net", "remote"), ["-m", "threads"]),),
)
UNIT_LIMIT, PYTEST_LIMIT, BUILD_LIMIT = 180, 900, 600  # seconds
MATRIX = TESTS / "plugin/matrix"
SANITIZED = ("asan", "tsan")
BEGIN = time.monotonic()

# Why a sanitizer's report must not go unseen: the exit status of its program is another one then.
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "exitcode=99:second_deadlock_stack=1",
}


class Tally:
    """What passed, failed and was skipped, with reasons."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def add_pass(self, count=1):
        self.passed += count

    def add_failure(self, name, reason):
        self.failed.append((name, reason))

    def add_skip(self, name, reason):
        self.skipped.append((name, reason))

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def close(self):
        """Prints the end of the run; the exit status."""
        for title, rows in (("skipped", self.skipped), ("FAILED", self.failed)):
            for name, reason in rows:
                print(f"{title}: {name}: {reason}")
        say("all done")
        print(f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped", flush=True)
        return 1 if self.failed else 0


def say(text):
    print(f"== after {time.monotonic() - BEGIN:.0f} s: {text}", flush=True)


def run(argv, limit, env=None):
    """(exit status, output) of a program; 124 when it took longer than `limit` seconds."""
    try:
        ended = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=limit, env={**os.environ, **(env or {})},
                               encoding="utf-8", errors="backslashreplace", check=False)
        return ended.returncode, ended.stdout
    except subprocess.TimeoutExpired as expired:
        return 124, f"{(expired.stdout or b'').decode('utf-8', 'replace')}\nstill running after {limit} s"
    except OSError as error:
        return 127, str(error)


# --- builds ----------------------------------------------------------------------------------------------------------

def configure_words(build):
    """clang is no preset: a build like dev, for what another compiler warns of."""
    if build == "clang":
        return ["cmake", "-S", ROOT, "-B", BUILDS / build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                "-DCMAKE_C_COMPILER=clang"]
    return ["cmake", "-S", ROOT, "--preset", build]


def make(build, tally):
    """Configures and compiles; whether that went well."""
    for words in (configure_words(build), ["cmake", "--build", BUILDS / build]):
        status, output = run(words, BUILD_LIMIT)
        if status != 0:
            print(output)
            tally.add_failure(f"build {build}", f"{' '.join(map(str, words))} ended with {status}")
            return False
    tally.add_pass()
    return True


# --- unit tests and corpora ------------------------------------------------------------------------------------------

def parse_tap(text):
    """(passed, [failure], [(name, reason of the skip)]) of what a GLib test program prints with --tap."""
    passed, failed, skipped = 0, [], []
    for match in re.finditer(r"^(not )?ok \d+ (?:- )?(.+?)(?: # (SKIP|TODO) ?(.*))?$", text, re.MULTILINE):
        wrong, name, directive, reason = match.groups()
        if directive:
            skipped.append((name, reason))
        elif wrong:
            failed.append(name)
        else:
            passed += 1
    return passed, failed, skipped


def sanitized_words(build, argv):
    """Sanitizers cannot place their shadow under some kernels' address randomisation."""
    return ["setarch", "-R", *argv] if build in (*SANITIZED, "fuzz") else argv


def run_unit(build, program, tally):
    name = f"{build} {program.name}"
    status, output = run(sanitized_words(build, [program, "--tap"]), UNIT_LIMIT, SANITIZER_OPTIONS)
    passed, failed, skipped = parse_tap(output)
    tally.add_pass(passed)
    for test, reason in skipped:
        tally.add_skip(f"{name} {test}", reason)
    for test in failed:
        tally.add_failure(f"{name} {test}", "not ok")
    if status != 0 and not failed:
        tally.add_failure(name, f"exit status {status}")
    elif passed == 0 and not failed:
        tally.add_failure(name, "ran no test")
    if status != 0 or failed:
        print(output)


def run_units(build, selection, tally):
    programs = [program for program in sorted((BUILDS / build / "tests/unit").glob("unit_*"))
                if program.is_file() and selection.takes_program("unit", program.name)]
    if programs:
        say(f"unit tests, {build}")
    for program in programs:
        run_unit(build, program, tally)


def run_corpora(build, selection, tally):
    programs = [program for program in sorted((BUILDS / build / "tests/fuzz").glob("fuzz_*"))
                if program.is_file() and selection.takes_program("fuzz", program.name)]
    if programs:
        say(f"corpora, {build}")
    for program in programs:
        seeds = sorted((TESTS / "fuzz/corpus" / program.name.removeprefix("fuzz_")).glob("*"))
        status, output = run(sanitized_words(build, [program, *seeds]), UNIT_LIMIT, SANITIZER_OPTIONS)
        if status == 0 and seeds:
            tally.add_pass()
            continue
        print(output)
        tally.add_failure(f"{build} {program.name}", f"exit status {status}" if seeds else "has no seeds")


# --- pytest ----------------------------------------------------------------------------------------------------------

def add_junit(path, build, tally):
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = f"{build} {case.get('classname', '').replace('.', '/')}::{case.get('name')}"
        trouble = [part for part in case if part.tag in ("failure", "error")]
        skip = case.find("skipped")
        if trouble:
            tally.add_failure(name, (trouble[0].get("message") or "no message").splitlines()[0])
        elif skip is not None:
            tally.add_skip(name, skip.get("message"))
        else:
            tally.add_pass()


def run_pytest(build, words, tally, beside=False):
    """beside: another one runs at the same time, so what it prints comes when it is over."""
    say(f"pytest, {build}: {' '.join(words)}")
    with tempfile.TemporaryDirectory(prefix="rxtxcpu-suite-") as folder:
        report = pathlib.Path(folder) / "junit.xml"
        argv = ["/usr/bin/python3", "-m", "pytest", "-q", "-ra", "--tb=short", f"--rootdir={TESTS}",
                f"--basetemp={folder}/pytest", f"--junitxml={report}", *words]
        try:
            ended = subprocess.run(argv, cwd=TESTS, stdin=subprocess.DEVNULL, timeout=PYTEST_LIMIT, check=False,
                                   stdout=subprocess.PIPE if beside else None,
                                   env={**os.environ, "RXTX_BUILD": str(BUILDS / build)})
        except subprocess.TimeoutExpired:
            tally.add_failure(f"{build} pytest", f"still running after {PYTEST_LIMIT} s")
            return
        if beside:
            print(ended.stdout.decode("utf-8", "replace"), flush=True)
        before = len(tally.failed)
        if report.exists():
            add_junit(report, build, tally)
        if ended.returncode not in (0, 5) and len(tally.failed) == before:  # 5: none was selected
            tally.add_failure(f"{build} pytest", f"exit status {ended.returncode}")


def run_matrix(words, tally):
    """The plugin's tests with other versions of Wireshark, each in a Debian of its own."""
    with tempfile.TemporaryDirectory(prefix="rxtxcpu-suite-") as folder:
        try:
            status = subprocess.run([MATRIX, "--junit", folder, "--", *words], cwd=TESTS, stdin=subprocess.DEVNULL,
                                    timeout=PYTEST_LIMIT, check=False).returncode
        except subprocess.TimeoutExpired:
            tally.add_failure("matrix", f"still running after {PYTEST_LIMIT} s")
            return
        before = len(tally.failed)
        for report in sorted(pathlib.Path(folder).glob("*.xml")):
            add_junit(report, report.stem.partition("-")[0], tally)
        if status != 0 and len(tally.failed) == before:
            tally.add_failure("matrix", f"exit status {status}")


# --- what to run -----------------------------------------------------------------------------------------------------

class Selection:
    """PATH_OR_PATTERN…: a path below tests/, or a word that is looked for in the names of tests. None: everything."""

    def __init__(self, words):
        self.everything = not words
        found = [(word, self._path(word)) for word in words]
        self.paths = [path for _word, path in found if path]
        self.patterns = [word for word, path in found if not path]

    @staticmethod
    def _path(word):
        """The path of `word`, seen from tests/, or None. What is behind :: is pytest's."""
        name, colons, rest = word.partition("::")
        for base in (pathlib.Path.cwd(), ROOT, TESTS):
            path = (base / name).resolve()
            if path.exists() and path != TESTS and TESTS in path.parents:
                return f"{path.relative_to(TESTS)}{colons}{rest}"
        return None

    def takes_program(self, folder, name):
        """Whether unit_NAME or fuzz_NAME is wanted, by its folder, its source or a part of its name."""
        sources = {folder, f"{folder}/{name}.c", f"{folder}/test_{name.removeprefix('unit_')}.c"}
        return self.everything or bool(sources & set(self.paths)) or any(
            fnmatch.fnmatch(name, f"*{pattern}*") for pattern in self.patterns)

    def names_folder(self, folder):
        """Whether it is wanted as such, or a path in it, and not for a word that some test's name may have."""
        return self.everything or folder in {re.split(r"[/:]", path)[0] for path in self.paths}

    def wants_folder(self, folder):
        return bool(self.patterns) or self.names_folder(folder)

    def pytest_words(self, folders):
        """pytest's arguments for what is wanted in `folders`, or none."""
        folders = [folder for folder in folders if (TESTS / folder).exists()]
        words = [path for path in self.paths if set(folders) & {path, re.split(r"[/:]", path)[0]}]
        if self.everything or self.patterns:
            words += folders
        if words and self.patterns:
            words += ["-k", " or ".join(self.patterns)]
        return words


class Suite:
    def __init__(self, selection, quick):
        self.selection = selection
        self.quick = quick
        self.tally = Tally()
        self.built = set()

    def _builds(self):
        if self.quick:
            return ["dev"]
        needs_programs = any(map(self.selection.wants_folder, ("unit", "fuzz", "cli", "net", "remote")))
        extra = ["clang"] if self.selection.everything else []
        fuzz = ["fuzz"] if self.selection.wants_folder("fuzz") else []
        return ["dev", *(SANITIZED if needs_programs else ()), *extra, *fuzz]

    def _wants_matrix(self):
        return not self.quick and self.selection.names_folder("plugin")

    def build(self):
        """All of them, two at a time: one configures while another compiles, or chroots are made for the matrix, which
        tells later why it has none."""
        say(f"building {', '.join(self._builds())}")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            if self._wants_matrix():
                pool.submit(run, [MATRIX, "--make"], PYTEST_LIMIT)
            good = pool.map(lambda build: (build, make(build, self.tally)), self._builds())
        self.built = {build for build, made in good if made}

    def run_programs(self):
        for build in ("dev", *SANITIZED, "fuzz"):
            if build not in self.built:
                continue
            if build != "fuzz":
                run_units(build, self.selection, self.tally)
            run_corpora(build, self.selection, self.tally)

    def _chosen(self, lane):
        """(build, words for pytest) of a lane, or None."""
        build, folders, marked = lane
        words = self.selection.pytest_words(folders)
        whole = self.selection.everything and not self.quick
        if build not in self.built or not words or (lane[:2] == ("dev", HOSTILE) and not whole):
            return None
        if not whole and "-k" in marked:
            marked = []
        if whole and build == "dev" and "remote" in folders:
            marked = [*marked, *(f"--ignore={path}" for path in HOSTILE)]
        return build, words + marked

    def run_pytests(self):
        """Everything against dev; the program's own once more with asan, and what has threads at work with tsan. What
        mostly waits runs beside another."""
        for lanes in PYTEST_STEPS:
            chosen = [lane for lane in map(self._chosen, lanes) if lane]
            with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
                tallies = [(Tally(), build, words) for build, words in chosen]
                list(pool.map(lambda lane: run_pytest(lane[1], lane[2], lane[0], beside=len(chosen) > 1), tallies))
            for tally, _build, _words in tallies:
                self.tally.add(tally)

    def run(self):
        self.build()
        self.run_programs()
        self.run_pytests()
        if self._wants_matrix():
            run_matrix(self.selection.pytest_words(("plugin",)), self.tally)
        if self.tally.passed == len(self.built) and not self.tally.failed and not self.tally.skipped:
            self.tally.add_failure("selection", "no test matches")
        return self.tally.close()


def main():
    parser = argparse.ArgumentParser(prog="tests/run", description="Builds and runs the tests; see tests/README.md.")
    parser.add_argument("--quick", action="store_true", help="only the build 'dev', without sanitizers and clang")
    parser.add_argument("selection", nargs="*", metavar="PATH_OR_PATTERN",
                        help="a path below tests/, or a part of tests' names")
    arguments = parser.parse_args()
    return Suite(Selection(arguments.selection), arguments.quick).run()


if __name__ == "__main__":
    sys.exit(main())
