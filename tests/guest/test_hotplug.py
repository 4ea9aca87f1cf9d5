"""CPUs that go offline and come online: what they handled is theirs, whatever becomes of them."""

import json

import pytest

from lab import SOFTNET_DROPPED, SOFTNET_PROCESSED, check_said, from_cpus, remarks
from lib import attribution, contract, pcapng
from lib.frames import decode, mark_of
from machine import BUFFER, CPUS, IN_BURSTS, MUCH, SLOWNESS, STEADILY

SWITCHED = 3  # the CPU that comes and goes
OTHERS = [cpu for cpu in CPUS if cpu != SWITCHED]
ROUNDS = range(3)
FIRST_PORT = 41000


# --- before a capture ------------------------------------------------------------------------------------------------

def check_appeared(result, late_comer):
    """A CPU's interface was described when its first packet came, behind all others."""
    cpus = [contract.description_of(interface).cpu for interface in result.file.interfaces]
    assert cpus == [*OTHERS, late_comer]
    described = [block.offset for block in result.file.blocks if block.type == pcapng.IDB][-1]
    first_packet = next(block.offset for block in result.file.blocks if block.type == pcapng.EPB)
    assert described > first_packet


LATE_COMER = f"""
    offline {SWITCHED}
    capture staying b -d rx {BUFFER}
    capture received b -d rx {BUFFER}
    capture sent a -d tx {BUFFER}
    capture chosen b -d rx {BUFFER} -l 2,{SWITCHED}
    capture others b -d rx {BUFFER} -l 0,2
    send before {from_cpus(OTHERS)} --count 200 {STEADILY}
    stop staying
    online {SWITCHED} received sent chosen
    send after --cpu {SWITCHED} --count 500 {IN_BURSTS}
    stop received sent chosen others
"""


@pytest.mark.story(LATE_COMER)
def test_a_cpu_that_comes_online_during_a_capture_is_captured_and_named(outcome):
    sent = outcome.sent("before", "after")
    assert sent == {cpu: 500 if cpu == SWITCHED else 200 for cpu in CPUS}
    for name, direction in (("received", "rx"), ("sent", "tx")):
        result = outcome.capture(name)
        attribution.check_all(result.packets, sent, (direction,))
        check_appeared(result, SWITCHED)
        assert f"500 packets captured on cpu{SWITCHED}." in result.stdout.splitlines()
        assert result.counts() == sent
        assert remarks(result) == []
        check_said(result, outcome.switches()[1:])
    chosen = outcome.capture("chosen")
    attribution.check_all(chosen.packets, {cpu: sent[cpu] for cpu in (2, SWITCHED)})
    assert remarks(chosen) == [f"rxtxcpu: CPU {SWITCHED}: offline when the capture began."]


@pytest.mark.story(LATE_COMER)
def test_that_a_cpu_comes_is_said_to_those_who_capture_it(outcome):
    check_said(outcome.capture("chosen"), outcome.switches()[1:])
    check_said(outcome.capture("others"), [])


@pytest.mark.story(LATE_COMER)
def test_a_cpu_that_stays_offline_is_not_named(outcome):
    result = outcome.capture("staying")
    assert list(result.counts()) == OTHERS
    assert [contract.description_of(interface).cpu for interface in result.file.interfaces] == OTHERS
    check_said(result, [])


@pytest.mark.story(f"""
    offline {SWITCHED}
    attempt list b rxtxcpu -w "$results/list.pcapng" -l {SWITCHED} vb
    attempt mask b rxtxcpu -w "$results/mask.pcapng" -m {1 << SWITCHED:x} vb
    online {SWITCHED}
    capture again b -l {SWITCHED}
    stop again
""")
def test_a_capture_of_offline_cpus_only_is_refused(outcome):
    for name in ("list", "mask"):
        ended = outcome.ended(name)
        assert ended.status == 2
        assert f"rxtxcpu: No online cpus present in cpu {name}." in ended.stderr.splitlines()
        assert ended.stdout == ""
        assert f"{name}.pcapng" not in outcome.files
    assert outcome.capture("again").counts() == {SWITCHED: 0}


# --- during a capture ------------------------------------------------------------------------------------------------

def spans(switches):
    """When the CPU was surely on, and when surely off: (begin, end) in nanoseconds; between them it was being switched.
    It is on at first, and is switched off and on in turn."""
    ends = [0, *(time for switch in switches for time in (switch.before, switch.after)), 1 << 63]
    between = list(zip(ends[::2], ends[1::2]))
    return between[::2], between[1::2]


def during(packets, span):
    begin, end = span
    return [packet for packet in packets if begin <= packet.ts_ns <= end]


def accepted_by(result):
    """{cpu: packets} that came to the capture, be they in its file or lost; the contract has looked at that sum."""
    return {cpu: accepted for cpu, (accepted, _dropped, _delivered) in result.statistics().items()}


def lost_before_us(outcome):
    """Packets for which the kernel's own queue was full, where nobody can capture them."""
    return sum(outcome.softnet_growth(SOFTNET_DROPPED).values())


STEERED = f"""
    steer {1 << SWITCHED:x}
    capture received b -d rx {MUCH}
    capture counted b -d rx {MUCH} --json
    sending all {from_cpus(OTHERS)} --rate {300 // SLOWNESS}
    more 400
    for round in {" ".join(map(str, ROUNDS))}; do
        offline {SWITCHED} received counted
        more 400
        online {SWITCHED} received counted
        more 400
    done
    stop all
    drained
    stop received counted
"""


@pytest.mark.story(STEERED)
def test_steered_to_a_cpu_that_comes_and_goes_each_packet_is_where_it_was_handled(outcome):
    result, sent = outcome.capture("received"), outcome.sent("all")
    on, off = spans(outcome.switches())
    assert len(off) == len(ROUNDS) and len(on) == len(ROUNDS) + 1
    for span in on:
        attribution.check_cpu(during(result.packets, span), SWITCHED, "while it was online")
    for span in off:
        for (_direction, cpu), packets in attribution.by_sender(during(result.packets, span)).items():
            attribution.check_cpu(packets, cpu, f"while it was offline, sent by CPU {cpu}")
    assert all(len(during(result.packets, span)) > 100 for span in on + off)
    check_nothing_is_missing(result.packets, sent)
    assert sum(result.counts().values()) == sum(sent.values()) and not any(result.dropped().values())


def check_nothing_is_missing(packets, sent):
    """On its way to another CPU a packet may be overtaken by those that went there directly."""
    for (_direction, cpu), group in attribution.by_sender(packets).items():
        assert sorted(mark_of(packet).seq for packet in group) == list(range(sent[cpu])), f"CPU {cpu}"


@pytest.mark.story(STEERED)
def test_each_time_that_a_cpu_goes_or_comes_is_said_with_its_time(outcome):
    check_said(outcome.capture("received"), outcome.switches())
    assert len(outcome.switches()) == 2 * len(ROUNDS)


@pytest.mark.story(STEERED)
def test_each_time_that_a_cpu_goes_or_comes_is_in_the_json(outcome):
    result = outcome.ended("counted")
    check_said(result, outcome.switches())
    found = json.loads(result.stdout)["events"]
    assert [(event["event"], event["cpu"], event["text"]) for event in found] == [
        ("cpu-online" if switch.on else "cpu-offline", SWITCHED, switch.text) for switch in outcome.switches()]
    assert [event["time_ns"] // 1000 * 1000 for event in found] == [time for time, _text in result.events]


@pytest.mark.story(f"""
    capture received b -d rx {MUCH} -c 2000
    start all a sender --interface va --cpu {SWITCHED} --count 2000 --rate 1000
    more 20
    offline {SWITCHED} received
    finish received all
""")
def test_what_a_cpu_took_before_it_went_offline_comes_out_without_a_stop(outcome):
    result = outcome.capture("received", exact_stop=True)
    assert outcome.sent("all") == {SWITCHED: 2000}
    check_nothing_is_missing(result.packets, {SWITCHED: 2000})
    counts = result.counts()
    assert 0 < counts[SWITCHED] < 2000 == sum(counts.values()), "the CPU did not go in the middle"
    check_said(result, outcome.switches())


@pytest.mark.story(f"""
    softnet before
    capture received b -d rx -s 128 {MUCH}
    capture sent a -d tx -s 128 {MUCH}
    capture lossy b -d rx -B 8
    sending others {from_cpus(OTHERS)} --rate {200 // SLOWNESS}
    for round in {" ".join(map(str, ROUNDS))}; do
        sending moving-$round --cpu {SWITCHED} --rate 1000 --udp $(({FIRST_PORT} + round))
        more 400
        tell lossy -STOP
        send burst-$round {from_cpus((0, SWITCHED))} --count 1000 --size 1400
        offline {SWITCHED} received sent
        tell lossy -CONT
        more 400
        online {SWITCHED} received sent lossy
        stop moving-$round
    done
    stop others
    drained
    softnet after
    stop received sent lossy
""")
def test_a_sender_s_cpu_goes_under_load_and_nothing_is_on_a_wrong_cpu_or_uncounted(outcome):
    """What is sent from a CPU that goes offline is sent from wherever the kernel then puts the sender, so the marks
    tell only what the other CPUs sent. How many packets each CPU received is known by the kernel's own counters."""
    moving = [f"moving-{number}" for number in ROUNDS]
    bursts = [f"burst-{number}" for number in ROUNDS]
    sent = outcome.sent("others", *moving, *bursts)
    _on, off = spans(outcome.switches())
    received, sent_out, lossy = (outcome.capture(name) for name in ("received", "sent", "lossy"))
    for result in (received, sent_out):
        assert not any(result.dropped().values())
        check_moves(result.packets, off)
        check_said(result, outcome.switches())
    for result in (received, sent_out, lossy):
        check_marks(result.packets)
    for result in (received, lossy):
        check_against_kernel(outcome, result)
        assert sum(accepted_by(result).values()) == sum(sent.values()) - lost_before_us(outcome)
    assert sum(accepted_by(sent_out).values()) == sum(sent.values())
    assert any(lossy.dropped().values()), "nothing was lost, so that nothing was proved of losses"


def check_marks(packets):
    """The other CPUs' packets are on them, and no packet of theirs is where it was not sent."""
    for (_direction, cpu), group in attribution.by_sender(packets).items():
        if cpu != SWITCHED:
            attribution.check_cpu(group, cpu, f"sent by CPU {cpu}")


def check_moves(packets, off):
    """Each round's sender was on the CPU, and elsewhere while that was offline."""
    for number, span in enumerate(off):
        mine = [packet for packet in packets if decode(packet).port == FIRST_PORT + number]
        assert SWITCHED in attribution.per_cpu(mine), f"round {number}"
        assert len(during(mine, span)) > 20, f"round {number}"
        assert SWITCHED not in attribution.per_cpu(during(packets, span)), f"round {number}"


def check_against_kernel(outcome, result):
    """As many packets came to each CPU's capture as that CPU has received."""
    assert accepted_by(result) == outcome.softnet_growth(SOFTNET_PROCESSED)
