"""A capture with an answer to every question, and the windows of the real Wireshark that show it."""

import contextlib
import random
import re

from capture import RECEIVED, SENT, START, frame, interface, packet, section, write
from lib.process import eventually
from live import install_profile
from wireshark import CURSOR_S, Wireshark, configuration

CPUS = 12
MOVED = 34  # a packet before which its flow was on another CPU
STATISTICS = {"stat": "Packets per CPU", "flows": "Flows per CPU", "symmetry": "Symmetry of flows"}


def answer(data):
    """The frame, from its destination back to its source: Ethernet, IPv4 and UDP."""
    return data[6:12] + data[:6] + data[12:26] + data[30:34] + data[26:30] + data[36:38] + data[34:36] + data[38:]


def blocks():
    """Forty flows, of which some move; their directions meet on some CPUs; a frame is stuck, and packets were lost."""
    generator = random.Random(4)
    stuck = frame(b"stuck", source=77)
    for number in range(1, 3001):
        flow = generator.randrange(1, 41)
        back = generator.random() < 0.3
        cpu = (flow * 5 if back and flow % 4 == 0 else flow) % CPUS
        if number == MOVED or generator.random() < 0.01:
            cpu = (cpu + 1) % CPUS
        data = frame(number.to_bytes(4, "big"), source=flow)
        if 1500 < number < 1640:
            data, back, cpu = stuck, False, 3
        yield packet(cpu, START + number * 2_000_000, SENT if generator.random() < 0.2 else RECEIVED,
                     drops=7 if number == 40 else None, data=answer(data) if back else data)


def capture(user):
    interfaces = [interface(f"eth0 CPU {cpu} node {cpu // 6} (rxtxcpu)") for cpu in range(CPUS)]
    return write(user.home / "questions.pcapng", section(), *interfaces, *blocks())


@contextlib.contextmanager
def window(display, user, *arguments, title=None):
    """Wireshark with the capture in the profile; with a title, a second window of that title fills the display."""
    if not (configuration(user) / "profiles" / "rxtxcpu").exists():
        install_profile(user)
    file = capture(user)
    with Wireshark(display, user, ["-C", "rxtxcpu", "-r", file, *arguments]) as wireshark:
        wireshark.wait_for_window(file.name)
        wireshark.fill_display()
        wireshark.wait_until_still(CURSOR_S)
        if title:
            second = eventually(lambda: wireshark.find_window(title), f"a window {title!r}")
            wireshark.fill_display(second)
            wireshark.focus(second)
        wireshark.wait_until_still(CURSOR_S)
        yield wireshark


def choose(wireshark, entry):
    """An entry of the menu Tools > Per-CPU, from 0; plugins have theirs at the end of Tools."""
    wireshark.focus()
    wireshark.key("alt+t")
    wireshark.wait_until_still(CURSOR_S)
    wireshark.key("Up", "Right", *["Down"] * entry)
    wireshark.wait_until_still(CURSOR_S)


def applied_filters(user):
    """What was typed or applied as a display filter, when Wireshark was last quit; the latest last."""
    recent = "".join(path.read_text(encoding="utf-8") for path in configuration(user).rglob("recent*"))
    return re.findall(r"^recent\.display_filter: (.*)$", recent, re.MULTILINE)
