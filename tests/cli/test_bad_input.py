"""One sentence that says what to type next, 2 for what was typed wrongly, 1 for what the system refused, and no file
half written."""

import os
import shutil

import pytest

from lib import attribution, kernel, paths, sanitizer, user
from lib.capture import program, words
from lib.process import run
from lib.sender import send

TYPED_WRONGLY, REFUSED = 2, 1

WRONG_WORDS = [
    (["-c", "x"], "Invalid count 'x'."),
    (["-c", "10j"], "Invalid count '10j'."),
    (["-c", "-1"], "Invalid count '-1'."),
    (["-c", "0x10"], "Invalid count '0x10'."),
    (["-c", "1.5"], "Invalid count '1.5'."),
    (["-c", ""], "Invalid count ''."),
    (["-c", "99999999999999999999999"], "Invalid count '99999999999999999999999'."),
    (["-d", "up"], "Invalid direction 'up'."),
    (["-d", "RX"], "Invalid direction 'RX'."),
    (["-s", "63"], "Invalid snaplen '63'. Give a whole number from 64 to 262000."),
    (["-s", "262001"], "Invalid snaplen '262001'. Give a whole number from 64 to 262000."),
    (["-B", "0"], "Invalid buffer size '0'. Give a whole number from 1 to 65536."),
    (["--duration", "soon"], "Invalid duration 'soon'. Give a whole number from 0 to 2147483."),
    (["--annotate", "nowhere"], "Invalid annotate 'nowhere'. Give interface, comment or both."),
    (["--annotate", "comment", "--format", "pcap"],
     "--annotate needs pcapng. Name the file FILE.pcapng, or add --format pcapng."),
    (["-l", "10j"], "Invalid cpu list '10j'."),
    (["-l", "all"], "Invalid cpu list 'all'."),
    (["-l", "0x1"], "Invalid cpu list '0x1'."),
    (["-l", "1-0"], "Invalid cpu list '1-0'."),
    (["-l", "0-1-2"], "Invalid cpu list '0-1-2'."),
    (["-m", "10j"], "Invalid cpu mask '10j'."),
    (["-m", "-1"], "Invalid cpu mask '-1'."),
    (["-l", "1000"], "No configured cpus present in cpu list."),
    (["-m", "1" + "0" * 250], "No configured cpus present in cpu mask."),
    (["-l", "0", "-m", "1"], "-l [--cpu-list] and -m [--cpu-mask] are mutually exclusive."),
    (["-z"], "Unrecognized option '-z'."),
    (["-vz"], "Unrecognized option '-z'."),
    (["--nonsense"], "Unrecognized option '--nonsense'."),
    (["--nonsense=4"], "Unrecognized option '--nonsense=4'."),
    (["another"], "Only one interface argument is allowed (got [ 'another', 'lo' ])."),
]


@pytest.fixture
def file(scratch):
    """Where nothing is and, because the capture never begins, nothing must come to be."""
    path = scratch / "capture.pcapng"
    yield path
    assert not path.exists()


def check_complaint(ended, sentence, status):
    assert ended.status == status, ended.stderr
    assert ended.stdout == ""
    assert ended.stderr_lines[0] == f"rxtxcpu: {sentence}"


def check_sentence(ended, status, *parts):
    assert ended.status == status, ended.stderr
    assert ended.stdout == ""
    assert 1 <= len(ended.stderr_lines) <= 2, ended.stderr
    assert all(line.startswith("rxtxcpu: ") for line in ended.stderr_lines), ended.stderr
    for part in parts:
        assert part in ended.stderr


@pytest.mark.parametrize("wrong, sentence", WRONG_WORDS, ids=lambda value: " ".join(value)[:40] if value else None)
def test_wrong_words_are_named_and_the_usage_shown(file, wrong, sentence):
    ended = program("-w", file, *wrong, "lo")
    check_complaint(ended, sentence, TYPED_WRONGLY)
    assert ended.stderr_lines[1].startswith("Usage: rxtxcpu "), ended.stderr


@pytest.mark.parametrize("option", ("-c", "-l", "-w", "-f", "-s", "--count", "--duration"))
def test_a_missing_argument_is_asked_for(option):
    check_complaint(program("vb", option), f"Option '{option}' requires an argument.", TYPED_WRONGLY)


def test_a_huge_list_does_not_take_for_ever():
    assert program("-l", "0-4294967295", "vb", timeout=5).status in (TYPED_WRONGLY, REFUSED)


def test_an_interface_that_is_not_there_is_refused(veth, file):
    ended = program("-w", file, "nowhere", namespace=veth.b)
    check_complaint(ended, "error setting ifname 'nowhere': No such device", REFUSED)
    assert ended.stderr_lines[1:] == ["rxtxcpu: To list them: rxtxcpu -D"]


def test_a_name_that_no_interface_can_have_is_refused(veth, file):
    ended = program("-w", file, "a-name-of-many-more-than-fifteen-bytes", namespace=veth.b)
    check_sentence(ended, REFUSED, "No such device")


def test_an_interface_that_is_down_is_waited_for_with_the_command_that_sets_it_up(veth, file):
    veth.b.ip("link set vb down")
    ended = program("-w", file, "-a", "duration:0.3", "vb", namespace=veth.b)
    assert ended.status == 0 and "ip link set dev vb up" in ended.stderr_lines[0]
    assert ended.stdout.splitlines()[-1] == "0 packets captured total."


@pytest.mark.parametrize("expression", ("udp por", "(", "host", "nonsense 5", "port 99999"))
def test_a_bad_filter_is_named_with_the_reason(veth, file, expression):
    check_sentence(program("-w", file, "-f", expression, "vb", namespace=veth.b), TYPED_WRONGLY, expression)


def test_a_filter_that_the_link_type_cannot_have_is_named(make_namespace, file):
    namespace = make_namespace()
    namespace.ip("tuntap add dev tun0 mode tun")
    namespace.ip("link set tun0 up")
    ended = program("-w", file, "-f", "ether host 02:00:00:00:00:01", "tun0", namespace=namespace)
    check_sentence(ended, TYPED_WRONGLY)


def test_a_user_who_may_not_capture_is_told_what_to_type(veth, scratch):
    folder = scratch / "folder"
    folder.mkdir()
    user.own(folder)
    copy = shutil.copy(paths.PROGRAM, scratch / "rxtxcpu")
    argv = user.words(*sanitizer.launcher(), copy, "-w", folder / "capture.pcapng", "vb")
    ended = run(veth.b.inside(*argv))
    assert (ended.status, ended.stdout) == (REFUSED, "")
    assert ended.stderr.startswith("rxtxcpu: ") and "Operation not permitted" in ended.stderr_lines[0]
    assert "setcap cap_net_raw+ep" in ended.stderr and len(ended.stderr_lines) <= 2
    assert os.listdir(folder) == []


@pytest.mark.parametrize("where, reason", (("nowhere/capture.pcapng", "No such file or directory"),
                                           ("folder.pcapng", "Is a directory"),
                                           ("taken/capture.pcapng", "Not a directory")))
def test_a_file_that_cannot_be_written_is_refused(veth, scratch, where, reason):
    (scratch / "taken").write_text("a file")
    (scratch / "folder.pcapng").mkdir()
    ended = program("-w", scratch / where, "vb", namespace=veth.b)
    check_sentence(ended, REFUSED, str(scratch / where), reason)


def test_a_user_who_may_not_write_the_file_is_told_so(veth, scratch):
    launch = user.launch(scratch)
    path = scratch / "capture.pcapng"
    ended = run(veth.b.inside(*launch("-w", path, "vb")))
    check_sentence(ended, REFUSED, str(path), "Permission denied")
    assert not path.exists()


@pytest.mark.parametrize("wrong", (["nowhere"], ["-f", "udp por", "vb"], ["-z", "vb"], ["-l", "1000", "vb"]))
def test_a_capture_of_before_survives_a_slip_of_the_fingers(veth, scratch, wrong):
    old = scratch / "old.pcapng"
    old.write_bytes(b"a week of packets")
    assert program("-w", old, *wrong, namespace=veth.b).status in (TYPED_WRONGLY, REFUSED)
    assert old.read_bytes() == b"a week of packets"


def test_a_device_that_is_always_full_is_an_error(veth):
    ended = program("-w", "/dev/full", "vb", namespace=veth.b)
    assert ended.status == REFUSED
    assert "No space left on device" in ended.stderr


# --- machines that are not this one, by showing the program other lists of CPUs

def with_cpus(scratch, argv, **lists):
    """Words that run the program where sysfs tells of other CPUs; nobody else sees them."""
    script = ""
    for name, text in lists.items():
        (scratch / name).write_text(text + "\n")
        script += f"mount --bind {scratch / name} /sys/devices/system/cpu/{name} && "
    return ["unshare", "--mount", "sh", "-c", script + 'exec "$@"', "sh", *argv]


def test_a_cpu_that_is_offline_cannot_be_all_that_is_captured(veth, scratch, file, two_cpus):
    first, second = two_cpus
    argv = with_cpus(scratch, words("-w", file, "-l", second, "vb"), online=str(first))
    check_complaint(run(veth.b.inside(*argv)), "No online cpus present in cpu list.", TYPED_WRONGLY)


def test_cpus_that_may_come_online_do_not_disturb_those_that_are(veth, scratch, capture):
    running = capture(veth.b, "vb", "-d", "rx",
                      launch=lambda *options: with_cpus(scratch, words(*options), possible="0-31"))
    sent = send(veth.a, "va", count=100, rate=10000)
    result = running.stop()
    attribution.check_all(result.packets, sent)
    assert list(result.counts()) == kernel.cpus("online")
