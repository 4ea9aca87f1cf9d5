"""How a capture ends: by count, time, signal or because nobody reads any more, with all that had arrived."""

import contextlib
import os
import signal
import socket
import time

import pytest

from lib import attribution, kernel, pcapng, sanitizer
from lib.capture import words
from lib.frames import mark_of
from lib.process import Pipe, Process, eventually
from lib.sender import Sending, send

PROMPT = 1.0 * sanitizer.SLOWNESS  # seconds that an end may take


@pytest.mark.threads
@pytest.mark.parametrize("count", (1, 2, 100, 5000))
def test_a_count_is_exact(veth, capture, count):
    running = capture(veth.b, "vb", "-d", "rx", "-c", count)
    with Sending(veth.a, "va", rate=20000):
        result = running.result()
    assert len(result.packets) == count
    assert sum(result.counts().values()) == count


def test_a_count_that_is_not_reached_goes_on_until_it_is(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "-c", 3 * len(kernel.CPUS))
    first = send(veth.a, "va", count=2, udp=41000)
    running.wait_for_packets(sum(first.values()))
    assert running.running
    send(veth.a, "va", count=1, udp=42000)
    assert len(running.result().packets) == 3 * len(kernel.CPUS)


@pytest.mark.parametrize("busy", (True, False))
def test_a_duration_ends_the_capture_by_itself(veth, capture, busy):
    begin = time.monotonic()
    running = capture(veth.b, "vb", "-d", "rx", "--duration", 1)
    with Sending(veth.a, "va", rate=1000 if busy else 1):
        result = running.result()
    assert 1.0 <= time.monotonic() - begin < 1.0 + 4 * PROMPT
    assert result.counts() == {cpu: attribution.per_cpu(result.packets)[cpu] for cpu in kernel.cpus("online")}


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.threads
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_amid_traffic_delivers_what_still_sits_in_an_open_block(veth, capture, number):
    running = capture(veth.b, "vb", "-d", "rx")
    with Sending(veth.a, "va", rate=5000):
        running.wait_for_packets(100)
        result = running.stop(number)  # the statistics tell whether the ring held more than was delivered
    for (_direction, cpu), packets in attribution.by_sender(result.packets).items():
        assert [mark_of(packet).seq for packet in packets] == list(range(len(packets))), f"CPU {cpu}"
    assert result.seconds < PROMPT


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_right_after_a_few_packets_delivers_them(veth, capture, number):
    running = capture(veth.b, "vb", "-d", "rx")
    sent = send(veth.a, "va", count=5)
    result = running.stop(number)
    attribution.check_all(result.packets, sent)
    attribution.check_counts(result, sent)
    assert result.seconds < PROMPT
    assert result.said == []


def test_a_capture_of_nothing_is_a_whole_file(veth, capture):
    result = capture(veth.b, "vb").stop()
    attribution.check_counts(result, {})
    assert result.seconds < PROMPT


def test_without_a_file_packets_are_counted(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", output=None)
    sent = send(veth.a, "va", count=50)
    assert running.stop().counts() == {cpu: sent.get(cpu, 0) for cpu in kernel.cpus("online")}


def test_on_stdout_the_packets_come_at_once_and_the_counts_go_to_stderr(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", output="-")
    running.stdout.wait_until(lambda data: pcapng.split(data)[0], "the section header, before any packet")
    for number in range(1, 4):
        sent = send(veth.a, "va", kernel.CPUS[:1], count=1)
        running.wait_for_packets(number)
    result = running.stop()
    assert len(result.packets) == 3
    assert result.counts(result.stderr)[kernel.CPUS[0]] == 3 * sent[kernel.CPUS[0]]


def test_a_reader_that_goes_away_ends_a_quiet_capture(piped):
    running, pipe = piped()
    pipe.read_block()
    pipe.close()
    result = running.result(status=1)
    assert result.seconds < PROMPT
    assert result.said == ["rxtxcpu: error writing to savefile '-': Broken pipe"]


def test_a_reader_that_goes_away_ends_a_busy_capture(veth, piped):
    running, pipe = piped()
    with Sending(veth.a, "va", rate=5000):
        pipe.read_block()
        pipe.close()
        result = running.result(status=1)
    assert result.seconds < PROMPT
    assert result.said == ["rxtxcpu: error writing to savefile '-': Broken pipe"]


def test_a_reader_of_the_counts_who_sleeps_can_be_given_up(veth, capture):
    """stdout is full before anything is said; a signal ends the wait, and only that."""
    pipe = Pipe()
    os.set_blocking(pipe.write_end, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(pipe.write_end, b"x" * 4096):
            pass
    os.set_blocking(pipe.write_end, True)
    running = capture(veth.b, "vb", output=None, stdout=pipe.write_end)
    pipe.hand_over()
    running.signal(signal.SIGINT)
    eventually(lambda: not is_blocked(running.pid, signal.SIGTERM), "it to wait for its reader")
    assert running.running
    running.signal(signal.SIGTERM)
    assert running.wait() == -signal.SIGTERM
    pipe.close()


def is_blocked(pid, number):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        mask = next(int(line.split()[1], 16) for line in status if line.startswith("SigBlk"))
    return bool(mask >> (number - 1) & 1)


def test_a_reader_that_is_slow_loses_nothing_that_fits_the_buffer(veth, piped):
    running, pipe = piped()
    sent = send(veth.a, "va", count=2000, size=500)
    running.signal(signal.SIGTERM)
    capture = pcapng.parse(pipe.read_all())
    assert running.wait() == 0
    pipe.close()
    attribution.check_all(capture.packets, sent)


def test_a_reader_that_sleeps_cannot_keep_a_capture_from_ending(veth, piped):
    running, pipe = piped()
    send(veth.a, "va", count=2000, size=500)
    running.signal(signal.SIGTERM)
    eventually(lambda: not running.running or running.signal(signal.SIGTERM), "a second SIGTERM to end it at once")
    assert running.wait() == 1
    lost, = [line for line in running.stderr.lines if "lost" in line]
    assert lost in (f"rxtxcpu: {who} '-' {what} is lost" for who, what in (
        ("The reader of", "stopped reading: what it had not taken"),
        ("Told twice to stop: what the reader of", "had not taken")))
    pipe.close()


def test_a_reader_that_sleeps_at_a_socket_cannot_either(veth, piped):
    running, end = piped(Pipe(socket.socketpair))
    send(veth.a, "va", count=2000, size=500)
    running.signal(signal.SIGTERM)
    assert running.wait() == 1
    end.close()


def test_two_signals_of_one_stop_are_one(veth, piped):
    """As a terminal, a shell or timeout(1) sends them."""
    running, pipe = piped()
    sent = send(veth.a, "va", count=3000, size=1000)
    running.signal(signal.SIGINT)
    running.signal(signal.SIGTERM)
    capture = pcapng.parse(pipe.read_all())
    assert running.wait() == 0
    pipe.close()
    attribution.check_all(capture.packets, sent)


def test_a_duration_that_is_over_while_a_reader_is_slow_says_nothing(veth, piped):
    running, pipe = piped(options=("--duration", 1))
    sent = send(veth.a, "va", count=3000, size=1000)
    running.signal(signal.SIGTERM)
    data = b""
    while time.monotonic() - running.began < 1.3:
        data += pipe.read_all(enough=1)
        time.sleep(0.02)  # this is the slow reader
    capture = pcapng.parse(data + pipe.read_all())
    assert running.wait() == 0
    pipe.close()
    attribution.check_all(capture.packets, sent)
    assert not [line for line in running.stderr.lines if "GLib" in line or "CRITICAL" in line]


def test_a_fifo_that_nobody_reads_does_not_keep_the_program(veth, scratch):
    fifo = scratch / "fifo"
    os.mkfifo(fifo)
    with Process(veth.b.inside(*words("-w", fifo, "vb"))) as waiting:
        eventually(veth.b.packet_sockets, "its packet sockets")
        waiting.signal(signal.SIGTERM)
        assert waiting.wait() in (0, -signal.SIGTERM)
    assert veth.b.packet_sockets() == []


def test_a_capture_that_is_killed_leaves_nothing_behind(veth, capture):
    running = capture(veth.b, "vb", "-p")
    assert veth.b.packet_sockets() and veth.b.link("vb")["promiscuity"] == 1
    running.kill()
    assert veth.b.packet_sockets() == []
    assert veth.b.link("vb")["promiscuity"] == 0
