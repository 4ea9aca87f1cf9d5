"""What a program is shown of the machine, in a container for instance, is not what handles packets."""

import pytest

from lab import from_cpus, remarks
from lib import attribution, contract
from machine import BUFFER, CPUS, IN_BURSTS, N_CPUS

COUNT = 256
SEND = f"send all {from_cpus(CPUS)} --count {COUNT} {IN_BURSTS}"
OWN = [2, 3]  # the CPUs that a container has
OFFLINE = N_CPUS - 3
ONLINE = [cpu for cpu in CPUS if cpu != OFFLINE]

CONTAINER = f"""
    within="confined=2-3"
    capture confined b -d rx {BUFFER}
    capture listed b -d rx {BUFFER} -l 1-4
    within="confined=2-3 shown=2-3"
    capture shown b -d rx {BUFFER}
    capture sent a -d tx {BUFFER}
    {SEND}
    for name in confined listed shown sent; do
        grep Cpus_allowed_list "/proc/$(cat /run/$name.pid)/status" >>"$results/allowed"
    done
    stop confined listed shown sent
"""


@pytest.mark.story(CONTAINER)
@pytest.mark.parametrize("name, direction", (("confined", "rx"), ("shown", "rx"), ("sent", "tx")))
def test_in_a_cpuset_every_cpu_s_packets_are_captured_and_on_that_cpu(outcome, name, direction):
    """`shown` and `sent` see its CPUs only in /sys, too."""
    assert set(outcome.text("allowed").split()) == {"Cpus_allowed_list:", "2-3"}
    result, sent = outcome.capture(name), outcome.sent("all")
    attribution.check_all(result.packets, sent, (direction,))
    assert result.counts() == sent == dict.fromkeys(CPUS, COUNT)
    assert remarks(result) == []


@pytest.mark.story(CONTAINER)
def test_in_a_cpuset_cpus_outside_it_may_be_chosen(outcome):
    result = outcome.capture("listed")
    attribution.check_all(result.packets, dict.fromkeys(range(1, 5), COUNT))
    assert result.counts() == dict.fromkeys(range(1, 5), COUNT)
    assert remarks(result) == []


WITHOUT_SYSFS = f"""
    offline {OFFLINE}
    within=without-sysfs
    capture received b -d rx {BUFFER}
    capture chosen b -d rx {BUFFER} -l 1,{OFFLINE}
    capture queues b -d rx {BUFFER} --group queue
    attempt nodes b within without-sysfs -- rxtxcpu -w "$results/nodes.pcapng" --group numa vb
    send all {from_cpus(ONLINE)} --count {COUNT} {IN_BURSTS}
    online {OFFLINE} received chosen
    send late --cpu {OFFLINE} --count {COUNT} {IN_BURSTS}
    stop received chosen queues
"""


@pytest.mark.story(WITHOUT_SYSFS)
def test_without_sysfs_each_packet_is_on_its_cpu(outcome):
    result, sent = outcome.capture("received"), outcome.sent("all", "late")
    attribution.check_all(result.packets, sent)
    assert result.counts() == sent == dict.fromkeys(CPUS, COUNT)
    assert all(len(contract.description_of(interface).pairs) == 1 for interface in result.file.interfaces), "no nodes"


@pytest.mark.story(WITHOUT_SYSFS)
def test_without_sysfs_a_list_of_cpus_holds(outcome):
    result = outcome.capture("chosen")
    attribution.check_all(result.packets, dict.fromkeys([1, OFFLINE], COUNT))
    assert result.counts() == dict.fromkeys([1, OFFLINE], COUNT)


@pytest.mark.story(WITHOUT_SYSFS)
def test_without_sysfs_a_queue_that_is_not_known_is_unknown(outcome):
    result, sent = outcome.grouped("queues"), outcome.sent("all", "late")
    assert {contract.description_of(packet.interface).stream for packet in result.packets} == {("queue", "unknown")}
    assert result.groups() == {"queue 0": 0, "queue unknown": sum(sent.values())}


@pytest.mark.story(WITHOUT_SYSFS)
def test_without_sysfs_by_node_is_refused_with_what_to_do_instead(outcome):
    ended = outcome.ended("nodes")
    assert ended.status == 1 and ended.stdout == "" and "nodes.pcapng" not in outcome.files
    assert ended.stderr.splitlines() == [
        "rxtxcpu: Failed to get numa node count.", "rxtxcpu: This system does not tell. By CPU: --group cpu"]
