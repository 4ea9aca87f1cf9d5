"""The measured faults of the original rxtxcpu 1.2.6, one by one, with the numbers of their list; here they are right."""

import fcntl
import os
import signal
import struct
import subprocess
import termios
import time

import pytest

from lib import attribution, cpuset_group, kernel, pcap, pcapng, sanitizer, tun_device, user
from lib.capture import named, program, words
from lib.frames import decode, mark_of
from lib.process import Pipe, Process, check, eventually, run
from lib.sender import Sending, send

# A /sys that shows one CPU and hides the others, as containers make it.
HIDING = ("mount -t tmpfs rxtxcpu-test /sys/devices/system/cpu && cd /sys/devices/system/cpu && "
          "echo 0 > possible && echo 0 > online && echo 0 > present && exec \"$@\"")
IPV4 = bytes.fromhex("4500002000004000401164aa0a4200010a420002" "4e209c40000c0000" "01020304")
OFFLINE = HIDING.replace("echo 0 > possible", "echo 0-1 > possible")
BROKEN = "mount -t tmpfs rxtxcpu-test /sys && exec \"$@\""


def under(script):
    """How a program is launched behind `script`, in a mount namespace of its own."""
    return lambda *options: ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh",
                             *words(*options)]


@pytest.fixture
def files(veth, capture, scratch):
    """Starts a capture of vb into a file for each CPU; the files by CPU are read with pcap.groups(scratch)."""

    def start(*options, name="rxtxcpu", interface="vb", end=None, launch=None):
        write = ["-w", scratch / "out.pcap"]
        return capture(end or veth.b, interface, *write, *options, output=None, launch=launch or named(name))

    return start


def check_files(scratch, sent, groups=None):
    """Each CPU's file has what that CPU sent, in order and complete."""
    found = pcap.groups(scratch)
    assert set(found) == {str(group) for group in (groups or kernel.cpus("online"))}
    for group, file in found.items():
        marks = [mark_of(packet) for packet in file.packets]
        assert [mark.seq for mark in marks] == list(range(sent.get(int(group), 0)))
        assert {mark.cpu for mark in marks} <= {int(group)}


@pytest.mark.threads
def test_01_losses_are_counted_and_shown(veth, files, scratch):
    running = files("-d", "rx", "-B", 1)
    with running.frozen():
        sent = send(veth.a, "va", count=6000, rate=20000, size=1000)
    result = running.stop()
    lost = {}
    for line in result.said:
        if " packets lost on cpu" in line:
            count, cpu = line.removeprefix("rxtxcpu: ").removesuffix(".").split(" packets lost on cpu")
            lost[int(cpu)] = int(count)
    assert set(lost) == set(sent), result.stderr
    assert {cpu: count + lost[cpu] for cpu, count in result.counts().items()} == sent
    assert {int(group): len(file.packets) for group, file in pcap.groups(scratch).items()} == result.counts()


def test_02_a_cpu_outside_our_cpuset_is_told_right(veth, files, scratch, two_cpus):
    with cpuset_group.confined(str(two_cpus[0])) as inside:
        running = files("-d", "rx", launch=lambda *options: [*inside, *words(*options)])
        sent = send(veth.a, "va", two_cpus, count=500, rate=20000)
        assert running.stop().counts() == sent
    check_files(scratch, sent)


def test_03_a_second_capture_with_the_same_process_number_sees_everything(veth, capture, scratch):
    launch = lambda *options: ["unshare", "--pid", "--fork", *words(*options)]  # noqa: E731
    first = capture(veth.b, "vb", "-d", "rx", "-c", 200, "-w", scratch / "a.pcap", output=None, launch=launch)
    second = capture(veth.b, "vb", "-d", "rx", "-c", 200, "-w", scratch / "b.pcap", output=None, launch=launch)
    send(veth.a, "va", kernel.CPUS[:2], count=200 // len(kernel.CPUS[:2]))
    for running, stem in ((first, "a"), (second, "b")):
        counts = running.result().counts()
        assert sum(counts.values()) == 200
        assert {int(cpu): len(file.packets) for cpu, file in pcap.groups(scratch, stem).items()} == counts


def test_04_a_cpu_that_sys_hides_has_its_own_number(veth, files, scratch, two_cpus):
    running = files("-d", "rx", launch=under(HIDING))
    sent = send(veth.a, "va", two_cpus, count=100)
    assert running.stop().counts() == sent
    check_files(scratch, sent)


def test_05_a_queue_that_no_driver_recorded_is_unknown_and_never_a_number(veth, files, scratch):
    running = files("-d", "rx", name="rxtxqueue")
    sent = send(veth.a, "va", count=300, rate=20000)
    groups = running.stop().groups()
    assert groups == {**{f"queue {queue}": 0 for queue in range(4)}, "queue unknown": sum(sent.values())}
    assert len(pcap.groups(scratch)["unknown"].packets) == sum(sent.values())


def test_06_started_on_a_down_interface_it_waits_and_records_nothing_of_others(veth, cleanup, scratch):
    """lo is busy meanwhile and after, in the same namespace."""
    veth.b.ip("link set lo up")
    veth.b.ip("link set vb down")
    argv = veth.b.inside(*words("-v", "-d", "rx", "-w", scratch / "out.pcap", "vb"))
    with Sending(veth.b, "lo", rate=2000):
        running = cleanup.enter_context(Process(argv))
        running.stderr.wait_for_line("The interface vb is down, waiting until it is up. Run: ip link set dev vb up")
        assert not list(scratch.glob("out*"))
        veth.b.ip("link set vb up")
        running.stderr.wait_for_line("capturing on vb")
        eventually(lambda: veth.a.link("va")["operstate"] == "UP", "va to be up")
        sent = send(veth.a, "va", count=100, rate=5000)
        running.signal(signal.SIGINT)
        assert running.wait() == 0
    check_files(scratch, sent)


@pytest.mark.parametrize("how", ("signal", "deleted"))
def test_06_the_wait_for_a_down_interface_ends(veth, cleanup, how):
    veth.b.ip("link set vb down")
    running = cleanup.enter_context(Process(veth.b.inside(*words("vb"))))
    running.stderr.wait_for_line("waiting")
    if how == "signal":
        running.signal(signal.SIGTERM)
        assert running.wait() == 0 and running.stdout.lines[-1] == "0 packets captured total."
    else:
        veth.b.ip("link delete vb")
        assert running.wait() == 1 and "The interface vb is gone" in running.stderr.text


def test_07_a_cpu_that_comes_later_is_captured_and_named(veth, files, scratch, two_cpus):
    """Offline by /sys at the start; with a real one it is a matter for the guest."""
    if two_cpus != [0, 1]:
        pytest.skip("CPUs 0 and 1 are not both here")
    running = files("-d", "rx", launch=under(OFFLINE))
    assert set(pcap.groups(scratch)) == {"0"}
    sent = send(veth.a, "va", two_cpus, count=100)
    result = running.stop()
    assert "Skipping cpu '1' since it is offline." in result.stderr
    assert result.counts() == sent
    check_files(scratch, sent)


def test_08_an_interface_that_goes_away_ends_the_capture_with_a_sentence(veth, files, scratch):
    running = files("-d", "rx", "-c", 1000000)
    sent = send(veth.a, "va", count=100)
    veth.b.ip("link delete vb")
    result = running.result(status=1)
    assert "The interface vb is gone" in result.stderr
    assert result.counts() == sent
    check_files(scratch, sent)


@pytest.mark.parametrize("options", ((), ("-U",)))
def test_09_a_full_disk_is_an_error_and_the_counts_are_those_of_the_files(veth, capture, scratch, options):
    small = scratch / "small"
    small.mkdir()
    check(["mount", "-t", "tmpfs", "-o", "size=256k", "rxtxcpu-test", small])
    try:
        running = capture(veth.b, "vb", "-d", "rx", *options, "-w", small / "out.pcap", output=None)
        send(veth.a, "va", count=2000, size=500, rate=20000)
        result = running.result(status=1)
        assert any("error writing to savefile" in line and "No space left on device" in line for line in result.said)
        found = {int(cpu): len(file.packets) for cpu, file in pcap.groups(small).items()}
    finally:
        check(["umount", "--lazy", small])
    assert result.counts() == found
    assert sum(found.values()) > 100


def test_10_times_are_real_and_compare_between_the_files(veth, files, scratch, two_cpus):
    running = files("-d", "rx")
    for number in range(20):
        send(veth.a, "va", [two_cpus[number % 2]], count=1)
    running.stop()
    packets = [packet for file in pcap.groups(scratch).values() for packet in file.packets]
    attribution.check_times(packets)
    order = [mark_of(packet).cpu for packet in sorted(packets, key=lambda packet: packet.ts_ns)]
    assert order == [two_cpus[number % 2] for number in range(20)]
    assert any(packet.ts_ns % 1000 for packet in packets)


def test_11_rx_and_tx_of_a_queue_are_told_apart(veth, capture):
    running = capture(veth.a, "va", "-w", "-", launch=named("rxtxqueue"), output=None, stdout=subprocess.PIPE)
    sent = send(veth.a, "va", count=20)
    send(veth.b, "vb", count=30)
    running.signal(signal.SIGINT)
    assert running.wait() == 0
    packets = pcapng.parse(running.stdout.data).packets
    directions = [(packet.direction, packet.interface.description.split()[2]) for packet in packets]
    assert sum(direction == "tx" for direction, _queue in directions) == sum(sent.values())
    assert all((queue == "unknown") == (direction == "rx") for direction, queue in directions)


@pytest.mark.parametrize("tags", (["100"], ["200", "100"]))
def test_12_vlan_tags_stay(veth, files, scratch, tags):
    running = files("-d", "rx")
    sent = send(veth.a, "va", kernel.CPUS[:1], count=5, vlan=tags)
    running.stop()
    packets = pcap.groups(scratch)[str(kernel.CPUS[0])].packets
    assert [[tag for tag, _type in decode(packet).vlans] for packet in packets] == [[int(tag) for tag in tags]] * 5
    assert sum(sent.values()) == 5


def test_13_a_tun_device_has_its_own_link_type(make_namespace, capture, scratch):
    namespace = make_namespace()
    tun_device.make_device(namespace, 65534)
    running = capture(namespace, "tun0", "-d", "rx", "-w", scratch / "out.pcap", output=None)
    tun_device.write_packets(namespace, [IPV4, IPV4 + b"more"])
    running.stop()
    found = pcap.groups(scratch)
    assert {file.linktype for file in found.values()} == {pcap.LINKTYPE_RAW}
    packets = sorted((packet for file in found.values() for packet in file.packets), key=lambda packet: packet.ts_ns)
    assert [packet.data for packet in packets] == [IPV4, IPV4 + b"more"]


def test_14_frames_beyond_65535_bytes_have_their_true_length(make_veth, capture, scratch):
    pair = make_veth(mtu=65535)
    running = capture(pair.b, "vb", "-d", "rx", "-w", scratch / "out.pcap", output=None)
    for size in (65534, 65535, 65536, 65549):
        send(pair.a, "va", kernel.CPUS[:1], count=1, size=size)
    running.stop()
    packets = pcap.groups(scratch)[str(kernel.CPUS[0])].packets
    assert [(packet.caplen, packet.len) for packet in packets] == [(n, n) for n in (65534, 65535, 65536, 65549)]


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
@pytest.mark.parametrize("options", ((), ("-U",)))
def test_15_signals_end_it_with_whole_files_and_counts(veth, files, scratch, number, options):
    running = files("-d", "rx", *options)
    sent = send(veth.a, "va", count=20)
    result = running.stop(number)
    assert result.counts() == {cpu: sent.get(cpu, 0) for cpu in kernel.cpus("online")}
    check_files(scratch, sent)


def test_16_a_pipe_has_the_header_at_once_each_packet_at_once_and_holds_up_no_signal(veth, capture):
    pipe = Pipe()
    running = capture(veth.b, "vb", "-d", "rx", "-l", kernel.CPUS[0], "-w", "-", output=None, stdout=pipe.write_end)
    pipe.hand_over()
    assert len(pipe.read_block()) == 24
    for number in range(1, 4):
        send(veth.a, "va", kernel.CPUS[:1], count=1)
        seconds, _ns, caplen, length = struct.unpack("=IIII", pipe.read_block()[:16])
        assert caplen == length > 0 and abs(seconds - time.time()) < 60, f"packet {number}"
    with Sending(veth.a, "va", kernel.CPUS[:1], rate=20000, size=1000):
        eventually(Full(pipe), "the pipe to be full")
        running.signal(signal.SIGINT)
        assert running.wait() == 1
    assert "stopped reading" in running.stderr.text
    pipe.close()


class Full:
    """True once what waits in a pipe has not grown for a while, although more is on its way."""

    def __init__(self, pipe):
        self._end, self._waiting, self._since = pipe.read_end, 0, time.monotonic()

    def __call__(self):
        waiting = struct.unpack("i", fcntl.ioctl(self._end, termios.FIONREAD, b"\0" * 4))[0]
        if waiting != self._waiting:
            self._waiting, self._since = waiting, time.monotonic()
        return waiting > 100_000 and time.monotonic() - self._since > 0.3


def test_17_idle_costs_nothing_to_speak_of(veth, capture, scratch):
    """At most 60 wake-ups in a second; the original had 7,000."""
    running = capture(veth.b, "vb", "-w", scratch / "out.pcap", output=None)
    before = wakeups(running.pid)
    time.sleep(1)
    assert wakeups(running.pid) - before <= 60 * sanitizer.SLOWNESS
    running.stop()


def wakeups(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as status:
            total += sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
    return total


@pytest.mark.parametrize("options", (["-m", "0"], ["-l", ""], ["-l", "-1"], ["-l", "-5"], ["-l", "0-2147483647"],
                                     ["-l", "4294967297"], ["-c", "-1"], ["-c", ""], ["-l", "1024"], ["-l", "4096"],
                                     ["-m", "1" + "0" * 300]))
def test_18_what_names_no_cpu_is_refused_and_never_means_all(options):
    ended = program(*options, "-a", "duration:1", "lo", timeout=5)
    assert ended.status == 2 and ended.stdout == ""
    assert ended.stderr_lines[0].startswith(("rxtxcpu: Invalid ", "rxtxcpu: No configured cpus present in cpu "))


def test_18_a_comma_too_many_is_nothing_and_not_cpu_0(veth, two_cpus):
    ended = program("-l", f",{two_cpus[1]},", "-a", "duration:0.1", "vb", namespace=veth.b)
    assert ended.stdout.splitlines()[0] == f"0 packets captured on cpu{two_cpus[1]}."


def test_19_queues_and_nodes_need_no_more_privilege_than_cpus(veth, scratch):
    for name in ("rxtxqueue", "rxtxnuma"):
        launch = user.launch(scratch)
        assert run(launch("-h")).status == 0
        ended = run(veth.b.inside(*launch("--group", name[4:], "-a", "duration:0.1", "vb")))
        assert ended.status == 0, ended.stderr


@pytest.mark.parametrize("template, made", (("out", "out-0"), ("out.pcap", "out-0.pcap"), (".hidden", ".hidden-0"),
                                            ("out.tar.gz", "out.tar-0.gz"), ("a.b/out", "a.b/out-0")))
def test_20_a_file_without_an_extension_gets_no_dot(veth, scratch, template, made):
    (scratch / "a.b").mkdir()
    ended = program("-l", "0", "-a", "duration:0.1", "-w", scratch / template, "vb", namespace=veth.b)
    assert ended.status == 0, ended.stderr
    assert [str(path.relative_to(scratch)) for path in scratch.rglob("*") if path.is_file()] == [made]


def test_21_a_count_is_exact_with_every_cpu_busy(veth, files, scratch):
    for _again in range(5):
        running = files("-d", "rx", "-c", 100)
        with Sending(veth.a, "va", rate=20000):
            counts = running.result().counts()
        assert sum(counts.values()) == 100
        assert sum(len(file.packets) for file in pcap.groups(scratch).values()) == 100


def test_22_without_sys_it_works(veth, files, scratch, two_cpus):
    running = files("-d", "rx", launch=under(BROKEN))
    sent = send(veth.a, "va", two_cpus, count=100)
    result = running.stop()
    assert {cpu: count for cpu, count in result.counts().items() if count} == sent


def test_23_it_has_what_was_missing():
    text = program("--help").stdout
    for option in ("--filter", "--snaplen", "--buffer-size", "--duration", "--ring-buffer", "--stats", "--json"):
        assert f"[{option}" in text


@pytest.mark.threads
def test_24_threads_share_nothing_that_races(veth, files):
    """For the build that looks for races: tables and JSON are made while packets are counted."""
    running = files("-d", "rx", "--stats", 1, "--json")
    with Sending(veth.a, "va", rate=20000):
        running.stdout.wait_for_line('"groups"')
        running.signal(signal.SIGUSR1)
        running.stderr.wait_for_line("total")
        running.signal(signal.SIGINT)
        assert running.wait() == 0
