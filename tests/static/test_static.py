"""What clang-tidy, gcc's analyzer and cppcheck find in the sources without running them: nothing. And each finds the
fault that it is here for, when it is put in: a checker that looks at nothing finds nothing either."""

import concurrent.futures
import functools
import json
import os
import pathlib
import re
import shlex
import shutil

import pytest

from lib import kernel, paths
from lib.process import run

HERE = pathlib.Path(__file__).parent
LIMIT = 50  # seconds for one file
# A folder each, so that no test takes long: (where the sources lie, below the repository).
ROOMS = ("extcap", "extcap/base", "extcap/engine", "extcap/flow", "extcap/plan", "extcap/remote", "extcap/sink",
         "extcap/ui", "plugin", "packaging")

# gcc 12 takes what g_steal_pointer(&text) hands to g_string_free() to be uninitialized ("ref", GLib's own variable).
# clang-tidy looks for such values too, and valgrind does while the program runs.
ANALYZER = ("-fanalyzer", "-Wno-analyzer-use-of-uninitialized-value")

CPPCHECK = ("cppcheck", "--quiet", "--enable=warning,performance,portability,style,information", "--inline-suppr",
            "--std=c11", "--library=gtk,posix,gnu", "-j2", "--error-exitcode=1",
            "--template={file}:{line}: {severity}: {message} [{id}]")
CPPCHECK_KNOWS = ("-Iextcap", "-Iinclude", "-Iplugin", "-D_GNU_SOURCE", '-DRXTX_VERSION=""', "-DG_DEFINE_QUARK(a,b)=",
                  "-DG_GNUC_PRINTF(a,b)=", "-DWIRESHARK_VERSION_MAJOR=4", "-DWIRESHARK_VERSION_MINOR=0",
                  f"--suppressions-list={HERE}/cppcheck.txt")


def need(tool):
    if not shutil.which(tool):
        pytest.skip(f"there is no {tool}")


def beside_others(words, **how):
    """Ended, of a program that lets others go first."""
    return run(["nice", "-n", "5", *words], timeout=LIMIT, **how)


@functools.cache
def _commands():
    """{source: (folder, compiler's words)} of the build."""
    entries = json.loads((paths.BUILD / "compile_commands.json").read_text(encoding="utf-8"))
    return {pathlib.Path(entry["file"]): (entry["directory"], shlex.split(entry["command"])) for entry in entries}


def sources(room):
    found = sorted(path for path in _commands() if path.parent == paths.ROOT / room)
    if not found:
        pytest.skip(f"nothing in {room} was built")
    return found


def analyze(source, *words):
    """What gcc says when it looks for longer."""
    folder, compile_it = _commands()[source]
    words = [*compile_it[:compile_it.index("-o")], "-o", os.devnull, *ANALYZER, *words]
    return beside_others([*words, "-c", source], cwd=folder)


def tidy(source, *words):
    return beside_others(["clang-tidy", "--quiet", *(words or ("-p", paths.BUILD)), source])


def findings(tool, files):
    """What it says of those that it does not find clean."""
    with concurrent.futures.ThreadPoolExecutor(len(kernel.CPUS)) as pool:
        ended = [one for one in pool.map(tool, files) if one.status != 0]
    return "\n".join(one.stdout + one.stderr for one in ended)


@pytest.mark.parametrize("room", ROOMS)
def test_clang_tidy_finds_nothing(room):
    need("clang-tidy")
    assert findings(tidy, sources(room)) == ""


@pytest.mark.parametrize("room", ROOMS)
def test_the_analyzer_of_gcc_finds_nothing(room):
    assert findings(analyze, sources(room)) == ""


def test_cppcheck_finds_nothing_and_its_exceptions_are_all_needed():
    need("cppcheck")
    folders = ("extcap", "include", "plugin", "packaging", "tests/unit", "tests/net", "tests/fuzz", "tests/bench")
    ended = beside_others([*CPPCHECK, *CPPCHECK_KNOWS, *folders], cwd=paths.ROOT)
    assert (ended.status, ended.stdout + ended.stderr) == (0, "")


# --- they are awake --------------------------------------------------------------------------------------------------

LEAK = """
#include <glib.h>
char *forget(const char *text);
char *forget(const char *text)
{
    g_autofree char *kept = g_strdup(text);
    char *lost = __builtin_malloc(8);
    if (lost == NULL)
        return NULL;
    lost[0] = kept[0];
    return g_strdup(kept);
}
"""
OVERFLOW = """
int beyond(void);
int beyond(void)
{
    int numbers[4] = {0};
    for (int i = 0; i <= 4; i++)
        numbers[i] = i;
    return numbers[0];
}
"""
UNUSED = """
#include <sys/socket.h>
void turn_on(int fd, int name);
void turn_on(int fd, int name)
{
    int on = 1;
    setsockopt(fd, SOL_SOCKET, name, &on, sizeof on);
}
"""
NOTHING_THERE = """
int follow(const int *at);
int follow(const int *at)
{
    return at == (void *)0 ? *at : 0;
}
"""


@pytest.fixture(name="planted")
def _planted(scratch):
    """planted(text), a file with that."""

    def write(text):
        source = scratch / "planted.c"
        source.write_text(text, encoding="utf-8")
        return source

    return write


def test_the_analyzer_of_gcc_finds_a_leak_and_knows_what_frees_itself(planted):
    """In the place of a file of ours, with its very words."""
    source = planted(LEAK)
    of_ours = sources("extcap/base")[0]
    folder, words = _commands()[of_ours]
    _commands()[source] = (folder, [str(source) if word == str(of_ours) else word for word in words])
    ended = analyze(source)
    assert ended.status != 0 and re.findall(r"error: (.+) \[CWE", ended.stderr) == ["leak of 'lost'"]


@pytest.mark.parametrize("fault, finds", ((UNUSED, "bugprone-unused-return-value"),
                                          (NOTHING_THERE, "clang-analyzer-core.NullDereference")))
def test_clang_tidy_finds(planted, fault, finds):
    need("clang-tidy")
    ended = beside_others(["clang-tidy", "--quiet", f"--config-file={paths.ROOT}/.clang-tidy", planted(fault), "--",
                           "-std=gnu17", "-D_GNU_SOURCE"])
    assert ended.status != 0 and f"[{finds},-warnings-as-errors]" in ended.stdout


def test_cppcheck_finds_a_step_beyond_an_array(planted):
    need("cppcheck")
    ended = beside_others([*CPPCHECK, planted(OVERFLOW)])
    assert ended.status == 1 and "[arrayIndexOutOfBounds]" in ended.stderr
