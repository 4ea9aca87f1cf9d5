"""A clock that is set by an hour while packets come, forward, back behind where it was, and right again."""

import itertools
import re

import pytest

from lab import LATE_SHARE, from_cpus, late_counted, remarks
from lib import attribution
from lib.frames import mark_of
from machine import BUFFER, CPUS, SLOWNESS

HOUR = 3600
NS_PER_HOUR = HOUR * 10**9
STEPS = (HOUR, -2 * HOUR, HOUR)
STEP_NS = 10**9  # RXTX_CLOCK_STEP_NS
SET = re.compile(r"The clock was set (forward|back) by (\d+\.\d+) s, times before and after cannot be compared")

STORY = f"""
    date +%s%N >"$results/start"
    capture received b -d rx {BUFFER}
    capture nodes b -d rx {BUFFER} --group numa
    sending all {from_cpus(CPUS)} --rate {400 // SLOWNESS}
    written received 200000
    for step in {" ".join(map(str, STEPS))}; do
        step_clock $step
        written received 400000
        written nodes 1
    done
    stop all
    drained
    stop received nodes
"""


def hour_of(outcome, packet):
    """Which hour it is by its time: 0 the right one, 1 that ahead, -1 that behind."""
    return round((packet.ts_ns - int(outcome.text("start"))) / NS_PER_HOUR)


def late_packets(packets):
    """As the contract has it (capture_format.h): behind a step back all is reckoned anew."""
    newest, late = 0, 0
    for packet in packets:
        if newest - STEP_NS < packet.ts_ns < newest:
            late += 1
        else:
            newest = packet.ts_ns
    return late


@pytest.mark.story(STORY)
def test_a_clock_that_is_set_loses_and_misplaces_no_packet(outcome):
    """The ring holds far less than what came behind the first step: a merge that waited for a time to come would have
    lost most of it."""
    result, sent = outcome.written("received"), outcome.sent("all")
    for (_direction, cpu), packets in attribution.by_sender(result.packets).items():
        attribution.check_cpu(packets, cpu, f"CPU {cpu}")
        assert [mark_of(packet).seq for packet in packets] == list(range(sent[cpu])), f"CPU {cpu}"
    assert result.counts() == sent
    assert result.statistics() == {cpu: (count, 0, count) for cpu, count in sent.items()}


@pytest.mark.story(STORY)
def test_between_the_settings_of_a_clock_packets_are_in_order(outcome):
    """For some milliseconds around one, packets from both sides stand side by side, for what one CPU received before it
    may come out behind what another one received after it. Otherwise there are four stretches, each in order."""
    result = outcome.written("received")
    hours = [(hour, len(list(group))) for hour, group in
             itertools.groupby(result.packets, lambda packet: hour_of(outcome, packet))]
    long = [hour for hour, count in hours if count > 500]
    assert [hour for hour, _group in itertools.groupby(long)] == [0, 1, -1, 0], hours
    assert sum(count for _hour, count in hours if count <= 500) <= LATE_SHARE * len(result.packets), hours
    assert late_packets(result.packets) <= LATE_SHARE * len(result.packets)


@pytest.mark.story(STORY)
def test_each_setting_of_a_clock_is_said_and_by_how_much(outcome):
    result = outcome.written("received")
    said = [SET.fullmatch(text) for _time, text in result.events]
    assert all(said), result.events
    assert [match[1] for match in said] == ["forward" if step > 0 else "back" for step in STEPS]
    for match, step in zip(said, STEPS):
        assert abs(float(match[2]) - abs(step)) < 2, match[0]  # date(1) cuts the second's fraction off
    assert "rxtxcpu: the clock was set back (1 time): times before and after cannot be compared." in remarks(result)
    assert late_counted(result.stderr) <= LATE_SHARE * len(result.packets)
