"""The manual, the README and the shells' completions: what they say of the options is so, and what they show runs."""

import fcntl
import functools
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

import pytest

from lib import kernel, paths, sanitizer
from lib.capture import NAMES, program, words
from lib.process import DEADLINE, Process, check, eventually, run
from lib.sender import Sending

DOCUMENTS = paths.BUILD / "packaging/documents"
MANUAL = DOCUMENTS / "manual/rxtxcpu.1"
COMPLETIONS = {"bash": DOCUMENTS / "bash/rxtxcpu", "zsh": DOCUMENTS / "zsh/_rxtxcpu",
               "fish": DOCUMENTS / "fish/rxtxcpu.fish"}
GROUPS = {"cpu": "rxtxcpu", "queue": "rxtxqueue", "numa": "rxtxnuma"}


def need(tool):
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")


# --- the options -----------------------------------------------------------------------------------------------------

@functools.cache
def options_of(name):
    """(letter or '', long name, what the value is called or '') of each option in --help."""
    text = program("--help", name=name).stdout
    rows = re.findall(r"^  (?:-(\w), |    )\[--([\w-]+)(?:=(\w+))?\]", text, re.MULTILINE)
    assert rows
    return sorted(rows)


def typed(options):
    """As they are typed: -l and --cpu-list."""
    return sorted([f"-{letter}" for letter, _name, _value in options if letter]
                  + [f"--{name}" for _letter, name, _value in options])


def section(title):
    """The lines of one section of the manual's source."""
    text = MANUAL.read_text(encoding="utf-8")
    return re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", text, re.MULTILINE | re.DOTALL)[1].splitlines()


def test_the_manual_has_every_option_of_every_name_and_no_other():
    rows = [re.fullmatch(r"\.It (?:Fl (\w) , )?Fl -([\w-]+)(?: Ns = Ns Ar (\w+))?", line)
            for line in section("OPTIONS") if line.startswith(".It")]
    shown = [tuple(value or "" for value in row.groups()) for row in rows]
    assert sorted(shown) == sorted(set().union(*map(options_of, NAMES)))


def sentences_of(name):
    """What --help says of each option, up to its values and default."""
    rows = re.split(r"^  (?:-\w, |    )\[--.*?\]", program("--help", name=name).stdout, flags=re.MULTILINE)[1:]
    return [re.split(r"\.? One of |\.? From |; the default", re.sub(r"\s+(# +)?", " ", row).strip())[0] for row in rows]


def test_the_manual_says_of_each_option_what_help_says():
    need("mandoc")
    shown = check(["mandoc", "-T", "ascii", "-O", "width=1000", MANUAL])
    text = re.sub(r"\s+", " ", re.sub(r".\x08", "", shown))
    for name in GROUPS.values():
        assert [sentence for sentence in sentences_of(name) if sentence not in text] == []
        assert len(sentences_of(name)) == len(options_of(name)) and all(sentences_of(name))


@pytest.mark.parametrize("lint", (["mandoc", "-T", "lint", "-W", "warning"],
                                  ["groff", "-ww", "-z", "-mandoc", "-Tutf8"]), ids=lambda lint: lint[0])
def test_the_manual_is_well_formed(lint):
    need(lint[0])
    ended = run([*lint, MANUAL])
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")


def test_the_manual_is_found_by_every_name():
    named = re.findall(r"^\.Nm (\w+)", "\n".join(section("NAME")), re.MULTILINE)
    assert sorted(named) == sorted(NAMES)
    assert program("--version").stdout.split()[-1] in MANUAL.read_text(encoding="utf-8").split(".Dt")[1].splitlines()[1]


# --- completions -----------------------------------------------------------------------------------------------------

BASH = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
registered=$(complete -p "$1")
[[ $registered =~ ' -F '([a-z_]+) ]]
"${BASH_REMATCH[1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
exit 0
"""


def by_bash(*line, wrap=lambda *argv: argv, **how):
    """What bash offers for the last word; the line is cut as bash does it."""
    cut = [part for word in line for part in (re.findall(r"[^=:]+|[=:]", word) or [""])]
    return check(wrap("bash", "--norc", "-c", BASH, "bash", COMPLETIONS["bash"], *cut), **how).splitlines()


def by_fish(*line, wrap=lambda *argv: argv, **how):
    need("fish")
    script = 'source $argv[1]; complete -C "$argv[2]"'
    offered = check(wrap("fish", "--no-config", "-c", script, COMPLETIONS["fish"], " ".join(line)), **how)
    return [row.split("\t")[0] for row in offered.splitlines()]


SHELLS = {"bash": by_bash, "fish": by_fish}


@pytest.fixture(params=SHELLS)
def complete(request):
    return SHELLS[request.param]


@pytest.mark.parametrize("name", NAMES)
def test_each_name_completes_to_its_options_and_no_others(complete, name):
    assert sorted(set(complete(name, "-") + complete(name, "--"))) == typed(options_of(name))


@pytest.mark.parametrize("group, name", GROUPS.items())
def test_lists_and_masks_follow_the_group_that_was_typed(complete, group, name):
    for option in ([f"--group={group}"], ["--group", group]):
        offered = complete("txcpu", *option, "-") + complete("txcpu", *option, "--")
        assert sorted(set(offered)) == typed(options_of(name))


@pytest.mark.parametrize("line, offered", (
    (["rxtxcpu", "--dir"], ["--direction"]),
    (["rxtxcpu", "-d", ""], ["rx", "rxtx", "tx"]),
    (["rxqueue", "-d", "t"], ["tx"]),
    (["rxtxcpu", "--format", ""], ["auto", "pcap", "pcapng"]),
    (["rxtxcpu", "-a", ""], ["duration:", "files:", "filesize:", "packets:"]),
    (["rxtxcpu", "-b", "files"], ["files:", "filesize:"]),
    (["rxtxcpu", "-a", "duration:5"], []),
    (["rxtxcpu", "-l", ""], []),
    (["rxtxcpu", "-c", ""], []),
    (["rxtxcpu", "-i", "l"], ["lo"]),
    (["rxtxcpu", "l"], ["lo"]),
    (["rxtxcpu", "-p", "l"], ["lo"]),
    (["rxtxcpu", "-w", "/etc/hostn"], ["/etc/hostname"]),
), ids=" ".join)
def test_a_value_completes_to_what_is_right_there(complete, line, offered):
    assert sorted(set(complete(*line))) == offered


def test_values_complete_behind_an_equals_sign():
    assert by_bash("rxtxcpu", "--direction=") == ["rxtx", "rx", "tx"]
    assert by_bash("rxtxcpu", "--direction=t") == ["tx"]
    assert by_fish("rxtxcpu", "--direction=t") == ["--direction=tx"]


def test_the_program_takes_every_value_that_is_offered():
    for letter in ("-a", "-b"):
        for limit in by_bash("rxtxcpu", letter, ""):
            ended = program(letter, f"{limit}1", "-b", "packets:1", "-w", "file.pcap", "no-such-device")
            assert "error setting ifname" in ended.stderr, limit
    for option in ("--annotate", "--direction", "--format", "--group"):
        for value in by_bash("rxtxcpu", option, ""):
            assert "Invalid" not in program(option, value, "-w", "file.pcap", "no-such-device").stderr


def test_a_name_of_an_interface_is_never_run(complete, make_veth, scratch):
    veth = make_veth()
    veth.b.ip("link set vb down")
    veth.b.ip("link set vb name $(id>x)")
    offered = complete("rxtxcpu", "", wrap=veth.b.inside, cwd=scratch)
    assert [name.replace("\\", "") for name in offered] == ["$(id>x)", "lo"]
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("shell", COMPLETIONS)
def test_a_shell_can_read_its_completion(shell):
    need(shell)
    ended = run([shell, "-n", COMPLETIONS[shell]])
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")


def test_zsh_knows_every_name():
    assert COMPLETIONS["zsh"].read_text(encoding="utf-8").splitlines()[0].split() == ["#compdef", *NAMES]


class Terminal:
    """A shell at a terminal, as somebody types to it."""

    SHELLS = {
        "bash": (["bash", "--norc", "--noprofile", "-i"], "source '{file}'"),
        "zsh": (["zsh", "-f", "-i"], "fpath=('{folder}' $fpath) LISTMAX=1000; autoload -Uz compinit; compinit -u -D"),
    }
    KILL_LINE, LIST, PROMPT = "\x15", "\x04", "@> "

    def __init__(self, shell):
        need(shell)
        argv, setup = self.SHELLS[shell]
        self.end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("4H", 200, 300, 0, 0))
        environment = {**os.environ, "TERM": "dumb", "LC_ALL": "C", "HISTFILE": ""}
        self.process = subprocess.Popen(argv, stdin=other, stdout=other, stderr=other, env=environment,
                                        start_new_session=True)
        os.close(other)
        self.type(setup.format(file=COMPLETIONS[shell], folder=COMPLETIONS[shell].parent)
                  + f"; PS1='{self.PROMPT}'\n")
        self.synchronize()

    def type(self, text):
        os.write(self.end, text.encode())

    def wait_for(self, pattern):
        """What came up to `pattern`."""
        seen, end = "", time.monotonic() + DEADLINE
        while not re.search(pattern, seen, re.DOTALL):
            assert select.select([self.end], [], [], max(end - time.monotonic(), 0))[0], f"no {pattern!r} in {seen!r}"
            seen += os.read(self.end, 1 << 16).decode("utf-8", "replace")
        return seen

    def synchronize(self):
        """What came until now. The line that was typed is deleted, and the shell waits for the next."""
        self.type(f"{self.KILL_LINE}echo do''ne\n")
        return self.wait_for(f"done\r\n.*{self.PROMPT}")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.end)


@pytest.fixture
def terminal(request, cleanup):
    shell = Terminal(request.param)
    cleanup.callback(shell.close)
    return shell


@pytest.mark.parametrize("terminal", Terminal.SHELLS, indirect=True)
def test_the_tab_key_completes(terminal):
    for line, completed in (("rxcpu --dir", "rxcpu --direction"), ("rxqueue --queue-l", "rxqueue --queue-list"),
                            ("rxtxcpu --group=numa --numa-m", "rxtxcpu --group=numa --numa-mask"),
                            ("rxtxcpu --direction=t", "rxtxcpu --direction=tx"),
                            ("rxtxcpu -a dur", "rxtxcpu -a duration:"), ("txnuma -i l", "txnuma -i lo"),
                            ("rxcpu -w /etc/hostn", "rxcpu -w /etc/hostname")):
        terminal.type(f"{line}\t")
        terminal.wait_for(completed)
        terminal.synchronize()


@pytest.mark.parametrize("terminal", ["zsh"], indirect=True)
def test_zsh_lists_the_options_of_each_name_and_no_others(terminal):
    for line, name in (*((name, name) for name in NAMES), ("rxcpu --group queue", "rxqueue"),
                       ("rxcpu --group=numa", "rxnuma")):
        offered = []
        for dashes in ("-", "--"):
            terminal.type(f"{line} {dashes}{terminal.LIST}")
            rows = re.findall(r"^(-.*?) +-- [A-Z]", terminal.synchronize(), re.MULTILINE)
            offered += [option for row in rows for option in row.split()]
        wanted = [option for option in typed(options_of(name)) if option != "--group" or line == name]
        assert sorted(set(offered)) == wanted


# --- what is shown runs ----------------------------------------------------------------------------------------------

def manual_examples():
    """The commands in the manual's EXAMPLES, as a reader copies them."""
    source = (paths.ROOT / "packaging/rxtxcpu.1.in").read_text(encoding="utf-8").split("\n.Sh ")
    examples = next(part for part in source if part.startswith("EXAMPLES"))
    lines = re.findall(r"^\.Dl (.*)$", examples, re.MULTILINE)
    return [line.replace("\\-", "-").replace("\\(aq", "'") for line in lines]


def terminal_chapter():
    """What the README says about the terminal."""
    readme = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    return readme.split("\n## Use it in a terminal\n")[1].split("\n## ")[0]


def readme_examples():
    """Its commands that begin with one of our names."""
    lines = re.findall(rf"^    ((?:{'|'.join(NAMES)})\b.*)$", terminal_chapter(), re.MULTILINE)
    return [re.sub(r"\s+#.*", "", line) for line in lines]


def members(value):
    """The names of an object's members, and of those within."""
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (set(value) if isinstance(value, dict) else set()).union(*map(members, within))


@pytest.mark.parametrize("group", GROUPS)
def test_the_manual_and_the_readme_name_every_member_of_the_json(group, make_namespace):
    namespace = make_namespace()
    namespace.ip("link set lo up")
    counts = program("--json", "--group", group, "-l", "0,99", "-a", "duration:0.1", "lo", namespace=namespace)
    assert counts.status == 0, counts.stderr
    shown = members(json.loads(counts.stdout))
    assert shown > {"groups", group, "packets", "first_ns", "absent"}
    assert shown - set(re.findall(r"\w+", "\n".join(section("OUTPUT")))) == set()
    assert shown - set(re.findall(r"`(\w+)`", terminal_chapter())) == set()


@pytest.fixture
def host(make_veth, cleanup):
    """A namespace with an eth0 that receives and sends packets to and from port 53."""
    veth = make_veth(queues=4)
    for words_ in ("set vb down", "set vb name eth0", "set eth0 up"):
        veth.b.ip(f"link {words_}")
    eventually(lambda: veth.b.link("eth0")["operstate"] == "UP", "eth0 to be up")
    for namespace, device in ((veth.a, "va"), (veth.b, "eth0")):
        cleanup.enter_context(Sending(namespace, device, rate=200, udp=53))
    return veth.b


def bash(host, line, folder):
    """A command line, started as in a shell in which our names are found."""
    names = pathlib.Path(words(name="rxcpu")[-1]).parent
    script = f"set -o pipefail; {line}" if "|" in line else f"exec {line}"
    return Process(host.inside(*sanitizer.launcher(), "bash", "-c", script), cwd=folder,
                   env={"PATH": f"{names}:{os.environ['PATH']}"})


def blocks(pid, number):
    """Whether a signal waits there until it is read, instead of ending the program."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^SigBlk:\s*(\w+)", status, re.MULTILINE)[1], 16) >> (number - 1) & 1


def interrupt_when_something_came(running):
    """Ctrl-C, once its table shows packets."""

    def has_packets():
        running.signal(signal.SIGUSR1)
        return re.search(r"^total +[1-9]", running.stderr.text, re.MULTILINE)

    eventually(lambda: blocks(running.pid, signal.SIGUSR1), "the capture to read its signals")
    eventually(has_packets, "packets in the table")
    running.signal(signal.SIGINT)


@pytest.mark.parametrize("line", dict.fromkeys(manual_examples() + readme_examples()))
def test_an_example_runs(line, host, scratch):
    if "jq" in line:
        need("jq")
    if "--worker-cpus" in line and kernel.CPUS[:2] != [0, 1]:
        pytest.skip("this machine has no CPUs 0 and 1 to run on")
    with bash(host, line, scratch) as running:
        if not re.search(r" -(?:a|c|D|-list-cpus)\b", line):
            interrupt_when_something_came(running)
        status = running.wait()
    assert status == 0, running.stderr.text
    check_output(line, running.stdout.text, running.stderr.text)
    check_files(line, scratch)


def check_output(line, stdout, stderr):
    if "| jq" in line:
        shown = [set(json.loads(row)) for row in stdout.splitlines()]
        assert shown == [{"cpu", "packets"}] * len(kernel.cpus("online"))
    elif "|" in line:
        assert len(stdout.splitlines()) == 20 and "20 packets captured total." in stderr
    elif " -D" in line or "--list-cpus" in line:
        assert re.search(r"^eth0 .* veth |^0 .* yes ", stdout, re.MULTILINE)
    else:
        assert re.search(r"^[1-9]\d* packets captured total\.$", stdout, re.MULTILINE)


def check_files(line, folder):
    """What was written has the name that the manual tells, and Wireshark's tools read it."""
    name = re.search(r" -w (\w+)(\.\w+)", line)
    files = sorted(path.name for path in folder.iterdir())
    if not name:
        assert not files
        return
    turn = r"_00001_\d{14}" if " -b " in line else ""
    numbers = [""] if name[2] == ".pcapng" else [f"-{cpu}" for cpu in kernel.cpus("online")]
    assert len(files) == len(numbers)
    for file, number in zip(files, sorted(numbers)):
        assert re.fullmatch(f"{name[1]}{number}{turn}{re.escape(name[2])}", file)
        check(["capinfos", folder / file])
