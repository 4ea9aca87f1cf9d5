"""--persist: an interface that is gone is waited for, by its name, and captured on into the same files, whose numbers go
on."""

import json
import signal

import pytest

from lib import accounting, attribution, kernel, pcapng, tun_device
from lib.capture import named, words
from lib.kinds import events_of, start_all
from lib.process import Process, eventually, run
from lib.sender import Sending, send

DOWN_ONCE = "the interface went down (1 time): what it carried meanwhile is not captured."
GONE = ("link-gone", "The interface vb is gone (deleted, or moved to another namespace), waiting for an interface vb")
BACK = ("link-back", "There is an interface vb again, the capture goes on")
FIRST, MEANWHILE, SECOND = 41000, 42000, 43000  # ports


def delete(veth):
    veth.b.ip("link delete vb")


def wait_for(running, event, times=1):
    eventually(lambda: running.stderr.text.count(f"Z: {event[1]}\n") >= times, event[1])


def comings_and_goings(result):
    return [event for event in events_of(result) if event[0] in ("link-gone", "link-back")]


def test_an_interface_that_is_made_again_is_captured_on_into_every_kind_of_file(veth, capture, folders):
    all_kinds = start_all(capture, veth.b, "vb", folders, "-d", "rx", "-p", "--persist")
    sent = {FIRST: send(veth.a, "va", count=50, udp=FIRST)}
    delete(veth)
    for one in all_kinds:
        wait_for(one.process, GONE)
    veth.make()
    for one in all_kinds:
        wait_for(one.process, BACK)
    sent[SECOND] = send(veth.a, "va", count=50, udp=SECOND)
    assert veth.b.link("vb")["promiscuity"] == len(all_kinds)
    for one in all_kinds:
        one.process.signal(signal.SIGINT)
        result, kept = one.ended(whole=True, status=0)
        assert accounting.check(result, sent, kept) == {}, one.kind
        assert comings_and_goings(result) == [GONE, BACK], one.kind
    assert veth.b.link("vb")["promiscuity"] == 0


def test_without_it_the_same_ends_the_capture(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "--json")
    delete(veth)
    result = running.result(status=1)
    veth.make()
    assert comings_and_goings(result) == []
    assert result.said == [f"rxtxcpu: {GONE[1].replace('waiting for an interface vb', 'the capture ends here')}"]


def test_one_that_moves_away_and_comes_back_is_captured_on(veth, make_namespace, capture):
    elsewhere = make_namespace("c")
    running = capture(veth.b, "vb", "-d", "rx", "--json", "--persist")
    sent = {FIRST: send(veth.a, "va", count=50, udp=FIRST)}
    veth.b.ip(f"link set vb netns {elsewhere.name}")
    wait_for(running, GONE)
    elsewhere.ip("link set vb addrgenmode none arp off up")
    eventually(lambda: veth.a.link("va")["operstate"] == "UP", "va to be up")
    send(veth.a, "va", count=10, udp=MEANWHILE)
    elsewhere.ip(f"link set vb netns {veth.b.name}")
    veth.bring_up()
    wait_for(running, BACK)
    sent[SECOND] = send(veth.a, "va", count=50, udp=SECOND)
    result = running.stop()
    assert accounting.check(result, sent) == {}
    assert comings_and_goings(result) == [GONE, BACK]


def test_losses_before_and_after_are_those_of_the_counts(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "-B", 1, "--json", "--persist")
    with running.frozen():
        sent = {FIRST: send(veth.a, "va", count=3000, rate=20000, size=1000, udp=FIRST)}
        delete(veth)
        veth.make()
    wait_for(running, BACK)
    with running.frozen():
        sent[SECOND] = send(veth.a, "va", count=3000, rate=20000, size=1000, udp=SECOND)
    result = running.stop()
    assert set(accounting.check(result, sent)) == set(sent[FIRST])
    assert {cpu: lost > 3000 for cpu, lost in result.dropped().items()} == dict.fromkeys(sent[FIRST], True)


def test_that_it_comes_and_goes_ten_times_under_load_puts_no_packet_on_a_wrong_cpu(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "--json", "--persist")
    total = 0
    for number in range(10):
        with Sending(veth.a, "va", kernel.CPUS[:2], rate=2000, udp=41000 + number) as sending:
            running.wait_for_packets(total + 1)
            sending.stop()
            total = len(running.so_far())
        delete(veth)
        veth.make()
        wait_for(running, BACK, number + 1)
    result = running.stop()
    assert comings_and_goings(result) == [GONE, BACK] * 10
    for (_direction, cpu), packets in attribution.by_sender(result.packets).items():
        attribution.check_cpu(packets, cpu, f"CPU {cpu}")
    books = accounting.told(result)
    assert books == accounting.of_captures(result.file).books
    assert all(one.accepted == one.delivered + one.dropped for one in books.values())


@pytest.mark.parametrize("how", ("stop", "reader"))
def test_while_it_is_away_a_capture_ends_as_ever(veth, piped, how):
    running, pipe = piped(options=("--json", "--persist"))
    sent = {FIRST: send(veth.a, "va", count=20, udp=FIRST)}
    delete(veth)
    wait_for(running, GONE)
    if how == "stop":
        running.signal(signal.SIGTERM)
        assert len(pcapng.parse(pipe.read_all()).packets) == sum(sent[FIRST].values())
    pipe.close()
    assert running.wait() == (0 if how == "stop" else 1)
    assert ("rxtxcpu: error writing to savefile '-': Broken pipe" in running.stderr.lines) == (how == "reader")


def test_one_of_another_link_type_ends_the_capture(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "--persist")
    sent = {FIRST: send(veth.a, "va", count=20, udp=FIRST)}
    delete(veth)
    wait_for(running, GONE)
    tun_device.make_device(veth.b, 65534, "vb")
    result = running.result(status=1)
    assert result.said == ["rxtxcpu: There is an interface vb again, but with another link type: the capture ends here",
                           f"rxtxcpu: {DOWN_ONCE}"]
    assert accounting.check(result, sent) == {}


def test_one_with_other_queues_ends_a_capture_by_queue(veth, capture):
    running = capture(veth.a, "va", "-d", "tx", "--persist", output=None, launch=named("rxtxqueue"))
    sent = send(veth.a, "va", count=20)
    delete(veth)
    running.stderr.wait_for_line("The interface va is gone")
    veth.make(queues=2)
    result = running.result(status=1)
    assert result.said == ["rxtxqueue: There is an interface va again, but with other queues: the capture ends here",
                           f"rxtxqueue: {DOWN_ONCE}"]
    assert sum(result.groups().values()) == sum(sent.values())


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1))
def test_no_signal_breaks_the_wait_for_one_that_never_was(veth, number):
    waiting = Process(veth.b.inside(*words("--persist", "nobody")))
    waiting.stderr.wait_for_line("waiting for it")
    waiting.signal(number)
    if number == signal.SIGUSR1:
        waiting.signal(signal.SIGTERM)
    assert waiting.wait() == 1
    assert waiting.stderr.lines[-1] == "rxtxcpu: There came no interface nobody: nothing was captured"


@pytest.mark.parametrize("words_, status, sentence", (
    (("--persist", "-f", "tcp prot 80", "nobody"), 2, "Invalid capture filter 'tcp prot 80'"),
    (("--persist",), 2, "--persist is about one interface. Name it"),
    (("--persist", "a/b"), 1, "error setting ifname 'a/b'"),
    (("--persist", ""), None, "rxtxcpu: "),
    (("--persist", "--duration", "1", "nobody"), 1, "There came no interface nobody: nothing was captured"),
), ids=str)
def test_what_can_never_be_captured_is_not_waited_for(veth, words_, status, sentence):
    ended = run(veth.b.inside(*words(*words_)))
    assert sentence in ended.stderr and ended.status in ((status,) if status else (1, 2)), ended.stderr


def test_before_the_wait_all_rights_but_one_are_given_up_and_its_end_is_told(veth, cleanup):
    delete(veth)
    waiting = cleanup.enter_context(Process(veth.b.inside(*words("--persist", "--json", "--duration", "3", "vb"))))
    waiting.stderr.wait_for_line("waiting for it")
    with open(f"/proc/{waiting.pid}/status", encoding="ascii") as status:
        effective = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff"))
    assert effective == 1 << 13, "CAP_NET_RAW"
    veth.make()
    waiting.stderr.wait_for_line("The interface vb is up, the capture begins")
    assert waiting.wait() == 0
    assert [event["event"] for event in json.loads(waiting.stdout.text)["events"]] == ["link-up"]


def test_who_may_not_capture_is_told_before_the_wait(veth):
    without = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"]
    assert run(veth.b.inside(*without, *words("--persist", "nobody"))).status == 1


def test_made_again_and_again_at_once_it_is_waited_for(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "--json", "--persist")
    veth.b.shell("for n in $(seq 40); do ip link delete vb 2>/dev/null || true; "
                 "ip link add vb type veth peer name vc$n; ip link set vc$n up; ip link set vb up; "
                 "ip link set vb down; ip link set vb up; sleep 0.0$((n % 9 + 1)); done")
    eventually(lambda: running.stderr.text.count(BACK[1]) == running.stderr.text.count(GONE[1]) > 0, BACK[1])
    assert {event for event, _text in comings_and_goings(running.stop())} == {"link-gone", "link-back"}


def test_a_time_that_it_went_down_counts_also_when_it_was_made_again(veth, capture):
    running = capture(veth.b, "vb", "-d", "rx", "--json", "--persist")
    veth.b.ip("link set vb down")
    veth.b.ip("link set vb up")
    for number in (1, 2):
        delete(veth)
        wait_for(running, GONE, number)
        veth.b.ip("link add vb type veth peer name vc")  # not up yet, and gone again
        delete(veth)
        veth.make()
        wait_for(running, BACK, number)
    assert json.loads(running.stop().stdout)["downs"] == 3, "down once, and twice down for being deleted"
