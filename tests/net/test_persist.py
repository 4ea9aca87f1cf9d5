"""--persist: an interface that is gone is waited for, by its name, and captured on into the same files, whose numbers go
on."""

import signal

import pytest

from lib import accounting, attribution, kernel, pcapng, tun_device
from lib.capture import named
from lib.kinds import events_of, start_all
from lib.process import eventually
from lib.sender import Sending, send

GONE = ("link-gone", "The interface vb is gone (deleted, or moved to another namespace), waiting for one of this name")
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
    assert result.said == [f"rxtxcpu: {GONE[1].replace('waiting for one of this name', 'the capture ends here')}"]


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
    assert result.said == ["rxtxcpu: There is an interface vb again, but with another link type: the capture ends here"]
    assert accounting.check(result, sent) == {}


def test_one_with_other_queues_ends_a_capture_by_queue(veth, capture):
    running = capture(veth.a, "va", "-d", "tx", "--persist", output=None, launch=named("rxtxqueue"))
    sent = send(veth.a, "va", count=20)
    delete(veth)
    running.stderr.wait_for_line("The interface va is gone")
    veth.make(queues=2)
    result = running.result(status=1)
    assert result.said == ["rxtxqueue: There is an interface va again, but with other queues: the capture ends here"]
    assert sum(result.groups().values()) == sum(sent.values())
