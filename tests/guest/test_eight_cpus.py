"""Eight CPUs, each with packets of its own: more than most machines that run these tests have."""

import pytest

from lab import from_cpus, remarks
from lib import attribution, contract

CPUS = range(8)
COUNT = 500
SEND = f"send all {from_cpus(CPUS)} --count {COUNT} --rate 1000"


def check(result, sent, direction, cpu_of=lambda cpu: cpu):
    """Everything that was sent is in the file once, on its CPU, and in the counts."""
    attribution.check_all(result.packets, sent, (direction,), cpu_of)
    expected = dict.fromkeys(CPUS, 0)
    for cpu, count in sent.items():
        expected[cpu_of(cpu)] += count
    assert result.counts() == expected
    assert result.statistics() == {cpu: (count, 0, count) for cpu, count in expected.items()}


def test_each_of_eight_cpus_has_what_it_received_and_what_it_sent(lab):
    outcome = lab(f"""
        capture received b -d rx
        capture sent a -d tx
        {SEND}
        stop received
        stop sent
    """)
    sent = outcome.sent("all")
    assert sent == dict.fromkeys(CPUS, COUNT)
    check(outcome.capture("received"), sent, "rx")
    check(outcome.capture("sent"), sent, "tx")


def test_a_capture_of_eight_cpus_ends_by_itself_after_so_many_packets(lab):
    enough = COUNT * len(CPUS) // 2
    outcome = lab(f"""
        capture received b -d rx -c {enough}
        {SEND}
        finish received
    """)
    result = outcome.capture("received", exact_stop=True)
    assert len(result.packets) == sum(result.counts().values()) == enough
    for (_direction, cpu), packets in attribution.by_sender(result.packets).items():
        attribution.check_cpu(packets, cpu, f"CPU {cpu}")


@pytest.mark.parametrize("target", (0, 6))
def test_what_eight_cpus_receive_for_another_one_is_on_that_one(lab, target):
    outcome = lab(f"""
        steer {1 << target:x}
        capture received b -d rx
        {SEND}
        stop received
    """)
    check(outcome.capture("received"), outcome.sent("all"), "rx", lambda _sender: target)


@pytest.mark.parametrize("machine", (
    pytest.param({"parameters": "maxcpus=4"}, id="not-started"),
    pytest.param({"cpus": "4,maxcpus=8"}, id="not-plugged-in"),
))
def test_with_four_of_eight_possible_cpus_online_only_these_are_named(lab, machine):
    online = range(4)
    outcome = lab(f"""
        cat /sys/devices/system/cpu/possible /sys/devices/system/cpu/online >/results/cpus
        capture received b -d rx
        send all {from_cpus(online)} --count {COUNT} --rate 1000
        stop received
    """, **machine)
    assert outcome.text("cpus") == "0-7\n0-3\n"
    result, sent = outcome.capture("received"), outcome.sent("all")
    attribution.check_all(result.packets, sent)
    assert result.counts() == sent == dict.fromkeys(online, COUNT)
    assert [contract.description_of(interface).cpu for interface in result.file.interfaces] == list(online)
    assert remarks(result) == []
