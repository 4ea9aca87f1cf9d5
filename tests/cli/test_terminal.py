"""What a person sees: the status line, tables, and nothing of either where nobody looks."""

import re
import signal
import subprocess
import time

import pytest

from lib import kernel, pcapng
from lib.capture import words
from lib.process import Process, eventually
from lib.sender import Sending, send
from lib.terminal import Terminal


class Shown(Process):
    """A capture of vb whose stderr is a terminal."""

    def __init__(self, veth, columns, *options, env=None):
        self.terminal = Terminal(columns)
        super().__init__(veth.b.inside(*words("-v", *options, "vb")), stderr=self.terminal.slave, env=env)
        self.terminal.hand_over()
        self.terminal.screen.wait_for_line("capturing on vb")

    def status_lines(self):
        return [line for line in self.terminal.lines if "pkt/s" in line]

    def stop(self):
        self.signal(signal.SIGINT)
        status = self.wait()
        self.terminal.close()
        return status


@pytest.fixture
def shown(veth, cleanup):
    return lambda columns, *options, **how: cleanup.enter_context(Shown(veth, columns, *options, **how))


def a_busy_status(text):
    return re.search(rb"\r *[1-9][\d.]*k? pkt/s", text)


@pytest.mark.parametrize("columns", (80, 200))
def test_the_status_line_fits_the_terminal_and_tells_where_packets_land(veth, shown, columns):
    running = shown(columns, "-d", "rx")
    with Sending(veth.a, "va", rate=1000):
        running.terminal.screen.wait_until(a_busy_status, "a status line with packets")
        running.terminal.screen.wait_until(lambda text: text.count(b"pkt/s") >= 3, "three status lines")
    assert running.stop() == 0
    lines = running.status_lines()
    assert all(len(line) <= columns - 1 for line in lines), lines
    busy = [line for line in lines if all(f"cpu{cpu}" in line for cpu in kernel.CPUS[:2])]
    assert busy, lines
    assert "0 lost" in busy[0]


def test_a_terminal_that_becomes_narrower_is_obeyed(veth, shown):
    running = shown(200, "-d", "rx")
    running.terminal.screen.wait_until(lambda text: b"| cpu" in text, "a status line")
    running.terminal.resize(30)
    running.terminal.screen.wait_until(lambda text: re.search(rb"\r[^|\r]*pkt/s[^|\r]*\r", text), "a short one")
    running.stop()
    assert len(running.status_lines()[-1]) <= 29


def test_losses_are_in_the_status_line(veth, shown):
    running = shown(120, "-d", "rx", "-B", 1, "-w", "/dev/null")
    with running.frozen():
        send(veth.a, "va", count=4000, size=1000, rate=20000)
    send(veth.a, "va", count=10)
    running.terminal.screen.wait_until(lambda text: re.search(rb"[1-9][\d.]*k? lost", text), "the losses")
    running.stop()


def test_at_the_end_a_table_and_then_the_old_lines(veth, shown):
    running = shown(100, "-d", "rx", env={"LC_ALL": "C.UTF-8"})
    sent = send(veth.a, "va", count=30)
    assert running.stop() == 0
    *rows, total = [line for line in running.terminal.lines if re.match(r" *(\d+|total) ", line) and "pkt/s" not in line]
    assert [int(row.split()[1]) for row in rows] == [sent.get(cpu, 0) for cpu in kernel.cpus("online")]
    assert total.split()[:2] == ["total", str(sum(sent.values()))]
    assert any("█" in row for row in rows)
    assert running.stdout.lines == [*(f"{sent.get(cpu, 0)} packets captured on cpu{cpu}." for cpu in kernel.cpus("online")),
                                    f"{sum(sent.values())} packets captured total."]


def test_a_terminal_that_nobody_reads_does_not_keep_a_stop(veth, cleanup, scratch):
    """Its buffer fills with status lines and tables; the program still ends when it is told to."""
    terminal = Terminal(200, read=False)
    running = cleanup.enter_context(Process(veth.b.inside(*words("-w", scratch / "x.pcapng", "vb")),
                                            stderr=terminal.slave))
    eventually(lambda: (scratch / "x.pcapng").exists(), "the capture to be live")
    for _number in range(400):
        running.signal(signal.SIGUSR1)
        time.sleep(0.002)
    running.signal(signal.SIGTERM)
    eventually(lambda: ends_with_statistics(scratch / "x.pcapng"), "the file to be whole")
    terminal.hand_over()
    terminal.start_reading()
    assert running.wait() == 0


def ends_with_statistics(path):
    blocks, used = pcapng.split(path.read_bytes())
    return bool(blocks) and blocks[-1].type == pcapng.ISB and used == path.stat().st_size


def test_quiet_is_quiet(veth, shown):
    running = shown(100, "-q", "--stats", 1, "-d", "rx")
    send(veth.a, "va", count=3)
    running.terminal.screen.wait_for_line("total")  # asked for
    before = running.terminal.screen.text.count("total")
    assert running.stop() == 0
    assert running.status_lines() == []
    assert running.terminal.screen.text.count("total") <= before + 1  # one more second, and no table at the end


def test_nobody_looks_nothing_is_shown(veth, capture):
    running = capture(veth.b, "vb", output=None)
    send(veth.a, "va", count=3)
    begin = running.stderr.text
    result = running.stop()
    assert "pkt/s" not in result.stderr and "\r" not in result.stderr
    assert "capturing on vb" in begin


def test_a_plain_capture_into_a_pipe_says_its_counts_and_no_more(veth):
    argv = veth.b.inside(*words("-a", "duration:0.2", "vb"))
    ended = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    assert ended.stdout.splitlines()[-1] == "0 packets captured total."


@pytest.mark.threads
def test_sigusr1_shows_the_table_at_once_and_the_capture_goes_on(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx")
    first = send(veth.a, "va", count=20)
    running.wait_for_packets(sum(first.values()))
    running.signal(signal.SIGUSR1)
    running.stderr.wait_for_line(rf"total +{sum(first.values())} ")
    send(veth.a, "va", count=5)
    result = running.stop()
    assert sum(result.counts().values()) == sum(first.values()) + 5 * len(first)


def test_stats_shows_the_table_again_and_again(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "--stats", 1, output=None)
    send(veth.a, "va", count=4)
    running.stderr.wait_until(lambda text: text.count(b"total") >= 2, "two tables")
    running.stop()


def test_an_interrupt_begins_a_new_line(veth, shown):
    running = shown(80, "-q")
    assert running.stop() == 0
    assert running.terminal.screen.text.split("capturing on vb\r\n")[1].startswith("\r\n")
