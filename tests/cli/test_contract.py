"""The command line that people have in their fingers: the original rxtxcpu 1.2.6, case by case. What a case prints first,
whether the short usage follows, and its exit status."""

import re

import pytest

from lib.capture import NAMES, program, words, words_for_anybody
from lib.process import check, run

CPU_NAMES, QUEUE_NAMES, NUMA_NAMES = NAMES[:3], NAMES[3:6], NAMES[6:]
WORD = {**dict.fromkeys(CPU_NAMES, "cpu"), **dict.fromkeys(QUEUE_NAMES, "queue"), **dict.fromkeys(NUMA_NAMES, "numa")}
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
NOUN = {"cpu": "cpu", "queue": "queue", "numa": "numa node"}

# What every name refuses: with the usage behind it, and exit status 2. {0} is cpu, queue or numa.
REFUSED = [
    *((["-c", value], f"Invalid count '{value}'.")
      for value in ("10j", "j", " ", "0x10", "1.5", "1k", "", "-1", "99999999999999999999999", "--5", "+")),
    *((["-l", value], f"Invalid {{0}} list '{value}'.")
      for value in ("10j", "j", " ", "0x1", "0 ", "all", "1-0", "0--1", "0-1-2", "", "-1", "-5", "0-2147483647",
                    "4294967297", "99999", ",")),
    *((["-m", value], f"Invalid {{0}} mask '{value}'.")
      for value in ("10j", "0x1", "-1", " 1", "", "0", ",", "1" + "0" * 20000)),
    *((["-d", value], f"Invalid direction '{value}'.") for value in ("RX", "up", "", "rxtxrx", "r")),
    (["-l", "0", "-m", "1"], "-l [--{0}-list] and -m [--{0}-mask] are mutually exclusive."),
    (["-m", "1", "--{0}-list=0"], "-l [--{0}-list] and -m [--{0}-mask] are mutually exclusive."),
    (["lo", "lo2"], "Only one interface argument is allowed (got [ 'lo', 'lo2' ])."),
    (["lo", "-v", "lo2", "x"], "Only one interface argument is allowed (got [ 'lo', 'lo2', 'x' ])."),
    (["-z"], "Unrecognized option '-z'."),
    (["-vz"], "Unrecognized option '-z'."),
    (["-zv"], "Unrecognized option '-z'."),
    (["--nope"], "Unrecognized option '--nope'."),
    (["--nope=value"], "Unrecognized option '--nope=value'."),
    (["--ver"], "Unrecognized option '--ver'."),
    (["--help=1"], "Unrecognized option '--help=1'."),  # the original named another option
    *(([word], f"Option '{word}' requires an argument.")
      for word in ("-c", "-d", "-l", "-m", "-w", "-vw", "--count", "--direction", "--write", "--{0}-list")),
    (["-l", "65000", "lo"], "No configured {1}s present in {0} list."),
    (["-m", "1" + "0" * 16000, "lo"], "No configured {1}s present in {0} mask."),
]


def filled(words_, name):
    return [word.format(WORD[name]) for word in words_]


@pytest.mark.parametrize("name", ("rxtxcpu", "rxqueue", "txnuma"))
@pytest.mark.parametrize("options, message", REFUSED, ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_a_wrong_word_has_its_line_the_usage_and_status_2(name, options, message):
    ended = program(*filled(options, name), name=name)
    first, *usage = ended.stderr_lines
    expected = message.format(WORD[name], NOUN[WORD[name]])
    assert (first, ended.status, ended.stdout) == (f"{name}: {expected}", 2, "")
    assert usage[0].startswith(f"Usage: {name} ["), usage


def test_every_name_says_its_own_name_first():
    for name in NAMES:
        ended = program("-z", name=name)
        assert ended.stderr_lines[0] == f"{name}: Unrecognized option '-z'."


@pytest.mark.parametrize("name", NAMES)
def test_version_ends_at_once_whatever_comes_behind_it(name):
    for options in (["-V"], ["--version"], ["-v", "-V", "--nope"], ["--vers"], ["-pV", "a", "b"]):
        ended = program(*options, name=name)
        assert (ended.status, ended.stderr) == (0, "")
        assert re.fullmatch(rf"{name} version \d+\.\d+\.\d+\n", ended.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_help_is_shown_unless_something_is_wrong(name):
    ended = program("-h", "lo", name=name)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"Usage:\n  {name} [OPTIONS] [INTERFACE]\n\nOptions:\n")
    assert f"--{WORD[name]}-list=" in ended.stdout
    assert not any(f"--{word}-list=" in ended.stdout for word in NOUN if word != WORD[name])
    assert program("-h", "-z", name=name).status == 2
    assert program("-z", "-h", name=name).status == 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", (["-h"], ["-V"], ["--help"], ["--version"], ["-D"], ["--list-cpus"]))
def test_questions_need_no_privilege(name, options):
    ended = run([*AS_NOBODY, *words_for_anybody(*options, name=name)])
    assert (ended.status, ended.stderr) == (0, "") and ended.stdout


def test_help_and_version_win_over_what_does_not_go_together():
    assert program("-l0", "-m1", "-V").status == 0
    assert program("-h", "lo", "lo2").stdout.startswith("Usage:")
    assert program("-a", "files:2", "-V").status == 0
    assert program("-l0", "-m1", "a", "b").stderr_lines[0].endswith("are mutually exclusive.")


def test_the_letter_that_is_wrong_is_named_wherever_it_stands():
    for options in (["--verbose", "-zv"], ["-v", "-vz"], ["lo", "-pz"]):
        assert program(*options).stderr_lines[0] == "rxtxcpu: Unrecognized option '-z'."


def test_options_come_in_any_order_and_shape():
    same = [["-c", "0", "-d", "rx", "-l", "0", "-pUv", "-a", "duration:0.1", "lo"],
            ["lo", "-c0", "-drx", "-l0", "-p", "-U", "-v", "-aduration:0.1"],
            ["--count=0", "--direction=rx", "--cpu-list=0", "--promiscuous", "--packet-buffered", "--verbose", "lo",
             "--autostop=duration:0.1"],
            ["--co", "0", "lo", "--d=rx", "--cpu-l=0", "--pr", "--pa", "--verb", "--autos=duration:0.1"],
            ["-c", "9", "-d", "tx", "-d", "rx", "-l", "7", "-l", "0", "-c", "0", "-pUv", "lo", "-a", "duration:0.1"]]
    for options in same:
        ended = program(*options)
        assert ended.status == 0, ended.stderr
        assert "using direction 'rx'" in ended.stderr_lines
        assert "packet buffered output requested" in ended.stderr_lines
        assert "promiscuous mode requested" in ended.stderr_lines
        assert "using packet count '0' (infinite)" in ended.stderr_lines
        assert "using ring set '0'" in ended.stderr_lines


def test_with_posixly_correct_options_come_first():
    ended = program("lo", "-d", "rx", env={"POSIXLY_CORRECT": "1"})
    assert ended.stderr_lines[0] == "rxtxcpu: Only one interface argument is allowed (got [ 'lo', '-d', 'rx' ])."


@pytest.mark.parametrize("name", NAMES)
def test_the_name_sets_direction_and_grouping(make_namespace, name):
    namespace = make_namespace()
    namespace.ip("link set lo up")
    ended = program("-v", "-a", "duration:0.1", "lo", name=name, namespace=namespace)
    direction = "rx" if name.startswith("rx") and not name.startswith("rxtx") else "tx" if name.startswith("tx") else "rxtx"
    assert f"using direction '{direction}'" in ended.stderr_lines
    noun = NOUN[WORD[name]]
    space = "" if noun == "cpu" else " "
    assert ended.stdout.splitlines()[0] == f"0 packets captured on {noun}{space}0."
    assert ended.stdout.splitlines()[-1] == "0 packets captured total."


def test_any_other_name_is_rxtxcpu(scratch, make_namespace):
    namespace = make_namespace()
    namespace.ip("link set lo up")
    (scratch / "mycpu").symlink_to(words()[-1])
    output = run(namespace.inside(*words()[:-1], scratch / "mycpu", "-v", "-a", "duration:0.1", "lo"))
    assert "using direction 'rxtx'" in output.stderr_lines and "mycpu: capturing on lo" in output.stderr_lines
    assert run([*words()[:-1], scratch / "mycpu", "-V"]).stdout.startswith("mycpu version ")


REFUSED_BY_THE_SYSTEM = [
    ("rxtxcpu", ["nowhere"], "error setting ifname 'nowhere': No such device"),
    ("rxtxcpu", ["any"], "error setting ifname 'any': No such device"),
    ("rxqueue", ["nowhere"], "error setting ifname 'nowhere': No such device"),
    ("rxtxqueue", [], "Failed to get queue count."),
    ("rxtxcpu", ["-w", "/nowhere/x.pcap", "lo"],
     "error opening savefile '/nowhere/x-0.pcap': libpcap: /nowhere/x-0.pcap: No such file or directory"),
    ("rxtxcpu", ["-w", "/dev/null/x.pcap", "lo"],
     "error opening savefile '/dev/null/x-0.pcap': libpcap: /dev/null/x-0.pcap: Not a directory"),
]


@pytest.mark.parametrize("name, options, message", REFUSED_BY_THE_SYSTEM)
def test_what_the_system_refuses_is_status_1(make_namespace, name, options, message):
    namespace = make_namespace()
    namespace.ip("link set lo up")
    ended = program(*options, name=name, namespace=namespace)
    assert (ended.stderr_lines[0], ended.status, ended.stdout) == (f"{name}: {message}", 1, "")
    assert all(line.startswith(f"{name}: ") for line in ended.stderr_lines)


def test_a_reader_of_the_help_may_have_enough():
    """As with other programs; what was captured is another matter."""
    argv = " ".join(map(str, words("--help")))
    ended = run(["sh", "-c", f"{argv} | head -1"])
    assert (ended.stdout, ended.stderr) == ("Usage:\n", "")


def test_list_errors_come_before_any_privilege_is_needed():
    ended = run([*AS_NOBODY, *words_for_anybody("-l", "65000", "lo")])
    assert ended.stderr_lines[0] == "rxtxcpu: No configured cpus present in cpu list."


def test_without_the_capability_the_line_is_the_original_s():
    ended = run([*AS_NOBODY, *words_for_anybody("lo")])
    assert ended.stderr_lines[0] == "rxtxcpu: error creating socket: Operation not permitted"
    assert "setcap cap_net_raw" in ended.stderr_lines[1]
    assert ended.status == 1


@pytest.mark.parametrize("options, noun", ((["rxtxcpu", "--format", "pcap"], "cpu"), (["rxtxqueue", "--format", "pcap"], "queue")))
def test_one_pcap_on_stdout_is_of_a_single_group(veth, options, noun):
    name, *options = options
    ended = program("-w", "-", *options, "vb", name=name, namespace=veth.b)
    assert ended.stderr_lines[0] == \
        f"{name}: Write file '-' (stdout) is only permitted when capturing on a single {noun}."
    assert ended.status == 2


def test_the_usage_has_the_options_of_the_original_in_its_words():
    usage = " ".join(program("-z").stderr_lines[1:])
    for option in ("[--help]", "[--count=N]", "[--cpu-list=CPULIST|--cpu-mask=CPUMASK]", "[--direction=DIRECTION]",
                   "[--packet-buffered]", "[--promiscuous]", "[--verbose]", "[--version]", "[--write=FILE]"):
        assert option in usage
    assert all(len(line) <= 79 for line in program("-z").stderr_lines)


def test_capabilities_other_than_net_raw_are_not_needed(veth):
    bare = [*AS_NOBODY, "--inh-caps=+net_raw", "--ambient-caps=+net_raw"]
    for name in NAMES:
        check(veth.b.inside(*bare, *words_for_anybody("-p", "-a", "duration:0.1", "vb", name=name)))
