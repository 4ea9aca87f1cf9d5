"""Many CPUs on two nodes, each with packets of its own: more than most machines that run these tests have."""

import pytest

from lab import SOFTNET_PROCESSED, check_said, from_cpus, remarks
from lib import attribution, contract, pcapng
from lib.frames import mark_of
from machine import BUFFER, CPUS, IN_BURSTS, MUCH, N_CPUS, NODES, PARTLY, SLOWNESS, STEADILY, node_of

COUNT = 500
SEND = f"send all {from_cpus(CPUS)} --count {COUNT} {STEADILY}"
LISTED = [1, 4, 5, 6, N_CPUS - 1]
MASKED = [cpu for cpu in CPUS if cpu % 3 == 0]
ENOUGH = COUNT * N_CPUS // 2
TARGETS = (0, N_CPUS - 2)
SPREAD = [cpu for cpu in CPUS if cpu % 2]


def mask_of(cpus):
    return f"{sum(1 << cpu for cpu in cpus):x}"


def check(result, sent, direction, cpu_of=lambda cpu: cpu):
    """Everything that was sent is in the file once, on its CPU, and in the counts."""
    attribution.check_all(result.packets, sent, (direction,), cpu_of)
    expected = dict.fromkeys(CPUS, 0)
    for cpu, count in sent.items():
        expected[cpu_of(cpu)] += count
    assert result.counts() == expected
    assert result.statistics() == {cpu: (count, 0, count) for cpu, count in expected.items()}


def sum_by_node(counts):
    """{node: packets} of {cpu: packets}."""
    return {node: sum(count for cpu, count in counts.items() if node_of(cpu) == node) for node in NODES}


# --- one flood, looked at by many ------------------------------------------------------------------------------------

FLOOD = f"""
    capture received b -d rx {MUCH}
    capture sent a -d tx {MUCH}
    capture list b -d rx {BUFFER} -l 1,4-6,{N_CPUS - 1}
    capture mask b -d rx {BUFFER} -m {mask_of(MASKED)}
    capture nodes b -d rx {BUFFER} --group numa
    capture node a -d tx {BUFFER} --group numa --numa-list {NODES[-1]}
    capture enough b -d rx {BUFFER} -c {ENOUGH}
    {SEND}
    finish enough
    stop received sent list mask nodes node
"""


@pytest.mark.story(FLOOD)
def test_each_of_many_cpus_has_what_it_received_and_what_it_sent(outcome):
    sent = outcome.sent("all")
    assert sent == dict.fromkeys(CPUS, COUNT)
    check(outcome.capture("received"), sent, "rx")
    check(outcome.capture("sent"), sent, "tx")


@pytest.mark.story(FLOOD)
def test_each_cpu_s_interface_tells_its_node(outcome):
    descriptions = [contract.description_of(interface) for interface in outcome.capture("received").file.interfaces]
    assert [description.pairs for description in descriptions] == \
        [(("CPU", str(cpu)), ("node", str(node_of(cpu)))) for cpu in CPUS]


@pytest.mark.story(FLOOD)
@pytest.mark.parametrize("name, cpus", (("list", LISTED), ("mask", MASKED)))
def test_a_list_or_a_mask_has_its_cpus_and_no_other(outcome, name, cpus):
    result = outcome.capture(name)
    attribution.check_all(result.packets, dict.fromkeys(cpus, COUNT))
    assert result.counts() == dict.fromkeys(cpus, COUNT)


@pytest.mark.story(FLOOD)
@pytest.mark.parametrize("name, direction, nodes", (("nodes", "rx", NODES), ("node", "tx", NODES[-1:])))
def test_by_node_each_packet_is_on_the_node_of_its_cpu(outcome, name, direction, nodes):
    result, sent = outcome.grouped(name), outcome.sent("all")
    of_nodes = [cpu for cpu in CPUS if node_of(cpu) in nodes]
    for (found, cpu), packets in attribution.by_sender(result.packets).items():
        assert found == direction
        assert {contract.description_of(packet.interface).stream for packet in packets} == {("node", str(node_of(cpu)))}
        assert [mark_of(packet).seq for packet in packets] == list(range(sent[cpu]))
    by_node = sum_by_node({cpu: sent[cpu] for cpu in of_nodes})
    assert result.groups() == {f"numa node {node}": by_node[node] for node in nodes}
    for interface in result.file.interfaces:
        isb, = interface.statistics
        numbers = [isb[code] for code in (pcapng.ISB_IFRECV, pcapng.ISB_IFDROP, pcapng.ISB_USRDELIV)]
        assert numbers == [by_node[int(contract.description_of(interface).stream[1])], 0, numbers[0]]


@pytest.mark.story(FLOOD)
def test_a_capture_of_many_cpus_ends_by_itself_after_so_many_packets(outcome):
    result = outcome.capture("enough", exact_stop=True)
    assert len(result.packets) == sum(result.counts().values()) == ENOUGH
    for (_direction, cpu), packets in attribution.by_sender(result.packets).items():
        attribution.check_cpu(packets, cpu, f"CPU {cpu}")


# --- steered to other CPUs than those that sent ----------------------------------------------------------------------

STEERED = f"""
    capture sent a -d tx {MUCH}
    for target in {" ".join(map(str, TARGETS))}; do
        steer $(printf %x $((1 << target)))
        capture received-$target b -d rx {BUFFER}
        send to-$target {from_cpus(CPUS)} --count {COUNT // SLOWNESS} {STEADILY}
        stop received-$target
    done
    steer {mask_of(SPREAD)}
    softnet before
    capture spread b -d rx {BUFFER}
    {SEND}
    softnet after
    stop spread sent
"""


@pytest.mark.story(STEERED)
@pytest.mark.parametrize("target", TARGETS)
def test_what_many_cpus_receive_for_another_one_is_on_that_one(outcome, target):
    check(outcome.capture(f"received-{target}"), outcome.sent(f"to-{target}"), "rx", lambda _sender: target)


@pytest.mark.story(STEERED)
def test_what_is_spread_over_cpus_is_where_the_kernel_counted_it(outcome):
    """Which CPU takes a flow is the kernel's choice, but it is one for each flow."""
    result, sent = outcome.capture("spread"), outcome.sent("all")
    cpu_of = {}
    for (_direction, sender), packets in attribution.by_sender(result.packets).items():
        cpu_of[sender] = contract.cpu_of(packets[0])
    assert set(cpu_of.values()) <= set(SPREAD) and len(set(cpu_of.values())) > 1
    check(result, sent, "rx", cpu_of.get)
    grown = outcome.softnet_growth(SOFTNET_PROCESSED)
    assert {cpu: grown[cpu] for cpu in SPREAD} == {cpu: result.counts()[cpu] for cpu in SPREAD}


@pytest.mark.story(STEERED)
def test_what_was_sent_is_where_it_was_sent_however_it_is_received(outcome):
    result = outcome.capture("sent")
    expected = outcome.sent("all", *(f"to-{target}" for target in TARGETS))
    assert result.counts() == expected
    for (_direction, cpu), packets in attribution.by_sender(result.packets).items():
        attribution.check_cpu(packets, cpu, f"sent by CPU {cpu}")
        assert len(packets) == expected[cpu]


# --- fewer CPUs than there may be ------------------------------------------------------------------------------------

ONLINE = range(PARTLY.online)
LATE_COMERS = [PARTLY.online, PARTLY.present - 1]
PARTLY_ONLINE = f"""
    cat /sys/devices/system/cpu/possible /sys/devices/system/cpu/present /sys/devices/system/cpu/online >"$results/cpus"
    capture before b -d rx {BUFFER}
    capture received b -d rx {BUFFER}
    capture nodes b -d rx {BUFFER} --group numa
    send all {from_cpus(ONLINE)} --count {COUNT} {STEADILY}
    stop before
    for cpu in {" ".join(map(str, LATE_COMERS))}; do
        online $cpu received
        send from-$cpu --cpu $cpu --count {COUNT} {IN_BURSTS}
        offline $cpu received
    done
    stop received nodes
"""


@pytest.mark.story(PARTLY_ONLINE, PARTLY)
def test_of_the_possible_cpus_only_those_that_are_online_are_named(outcome):
    assert outcome.text("cpus").split() == [f"0-{count - 1}" for count in (N_CPUS, PARTLY.present, PARTLY.online)]
    result, sent = outcome.capture("before"), outcome.sent("all")
    attribution.check_all(result.packets, sent)
    assert result.counts() == sent == dict.fromkeys(ONLINE, COUNT)
    assert [contract.description_of(interface).cpu for interface in result.file.interfaces] == list(ONLINE)
    assert remarks(result) == []


@pytest.mark.story(PARTLY_ONLINE, PARTLY)
def test_cpus_that_the_kernel_had_not_started_are_captured_once_they_are(outcome):
    result, sent = outcome.capture("received"), outcome.sent("all", *(f"from-{cpu}" for cpu in LATE_COMERS))
    attribution.check_all(result.packets, sent)
    assert result.counts() == sent == dict.fromkeys([*ONLINE, *LATE_COMERS], COUNT)
    assert [contract.description_of(interface).cpu for interface in result.file.interfaces] == [*ONLINE, *LATE_COMERS]
    assert remarks(result) == []
    check_said(result, outcome.switches())


@pytest.mark.story(PARTLY_ONLINE, PARTLY)
def test_a_node_that_has_no_cpu_at_the_start_has_its_packets(outcome):
    """Of CPUs that were not there at all it may be unknown: the kernel tells their node when it has started them."""
    result = outcome.grouped("nodes")
    for (_direction, cpu), packets in attribution.by_sender(result.packets).items():
        legal = {str(node_of(cpu))} | ({"unknown"} if cpu >= PARTLY.present else set())
        assert {contract.description_of(packet.interface).stream[1] for packet in packets} <= legal
        assert len(packets) == COUNT
    assert len(result.packets) == COUNT * (len(ONLINE) + len(LATE_COMERS)) == sum(result.groups().values())
