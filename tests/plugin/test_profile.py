"""The profile: every filter in it is one that this TShark takes, and its colours can be read and told apart by everybody.

Colour blindness is simulated as in Machado, Oliveira, Fernandes 2009 (severity 1.0), differences are CIE 1976, contrast is
that of WCAG 2.
"""

import csv
import itertools
import math
import re

import pytest

from capture import RECEIVED, SENT, START, interface, packet, section, write
from lib import paths

PROFILE = paths.ROOT / "packaging/profile/rxtxcpu"
BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
LEAST_CONTRAST, LEAST_DIFFERENCE = 7, 10
RULE = re.compile(r"@(.+?)@(.+)@\[(\d+),(\d+),(\d+)\]\[(\d+),(\d+),(\d+)\]")


def rules():
    """(name, filter, background, text) of each colour rule, colours as linear RGB from 0 to 1."""
    for line in (PROFILE / "colorfilters").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, text, *numbers = RULE.fullmatch(line).groups()
            colours = [linear(int(number) / 65535) for number in numbers]
            yield name, text, colours[:3], colours[3:]


def linear(value):
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def luminance(colour):
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def seen(colour, matrix):
    return [min(1, max(0, sum(a * b for a, b in zip(row, colour)))) for row in matrix]


def lab(colour):
    def root(value):
        return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116

    x = root((0.4124 * colour[0] + 0.3576 * colour[1] + 0.1805 * colour[2]) / 0.9505)
    y = root(luminance(colour))
    z = root((0.0193 * colour[0] + 0.1192 * colour[1] + 0.9505 * colour[2]) / 1.089)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def table(name):
    with open(PROFILE / name, encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("rule", list(rules()), ids=lambda rule: rule[0])
def test_the_text_of_every_rule_can_be_read(rule):
    assert contrast(*rule[2:]) >= LEAST_CONTRAST


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_everybody_can_tell_the_cpus_apart(blindness):
    colours = [lab(seen(background, BLINDNESS[blindness])) for name, _filter, background, _text in rules()
               if name.startswith("CPU ")]
    assert len(colours) == 8
    assert min(math.dist(*pair) for pair in itertools.combinations(colours, 2)) >= LEAST_DIFFERENCE


def of_many_cpus(user):
    return write(user.home / "cpus.pcapng", section(), *[interface(f"eth0 CPU {cpu} (rxtxcpu)") for cpu in range(17)],
                 *[packet(cpu, START + cpu, SENT if cpu % 2 else RECEIVED) for cpu in range(17)])


def test_each_cpu_has_one_rule(user):
    capture = of_many_cpus(user)
    cpus = [user.frames(capture, text) for name, text, *_colours in rules() if name.startswith("CPU ")]
    assert cpus == [[cpu + 1, cpu + 9] + ([17] if cpu == 0 else []) for cpu in range(8)]


def test_every_filter_of_the_profile_is_one(user):
    capture = of_many_cpus(user)
    filters = {row[2] for row in table("dfilter_buttons")} | {row[2] for row in table("io_graphs")}
    filters |= {text for _name, text, *_colours in rules()}
    for text in filters - {""}:
        assert "rxtxcpu." in text
        user.frames(capture, text)


def test_the_graphs_are_those_of_every_version():
    """4.6 has a tenth column, which may be left out; a wrong one is an error message."""
    assert {len(row) for row in table("io_graphs")} == {9}
    assert {row[4] for row in table("io_graphs")} <= {"Line", "Dot", "Square", "Impulse"}
