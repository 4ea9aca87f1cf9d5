"""The questions in the real Wireshark: the menu that applies them, the statistics, and the same answers after a reload.

What was applied as a filter is read from what Wireshark writes when it is quit. Screenshots are left in
build/dev/pictures; pictures.py makes those of all windows.
"""

import pytest

from capture import on_cpus
from questions import MOVED, STATISTICS, applied_filters, choose, window
from story import Story, udp
from wireshark import CURSOR_S, PACKET_LIST, Wireshark, set_preferences

# A part of the display without a line in which a cursor blinks.
MIDDLE = "1280x500+0+100"
FILTERS = ("rxtxcpu.cpu == 2", "rxtxcpu.flow.moved", "rxtxcpu.flow.split", "rxtxcpu.repeat")


def test_the_menu_applies_the_questions(display, user, pictures):
    with window(display, user, "-g", MOVED) as wireshark:
        before = wireshark.pixels(PACKET_LIST)
        for entry in (0, 1, 2, 3):
            choose(wireshark, entry)
            if entry == 0:
                wireshark.screenshot(pictures / "menu.png")
            wireshark.key("Return")
            wireshark.wait_until_still(CURSOR_S)
            assert wireshark.pixels(PACKET_LIST) != before
        wireshark.screenshot(pictures / "menu-repeats.png")
        wireshark.quit()
    assert sorted(applied_filters(user)) == sorted(FILTERS)


def test_of_several_hosts_the_menu_asks_for_the_cpu_of_the_packets_own(display, user):
    story = Story()
    story.packet(udp(), 3, host="web1")
    story.packet(udp(), 3, host="web2")
    path = story.write(user.home)
    user.own()
    with Wireshark(display, user, ["-r", path, "-g", "2"]) as wireshark:
        wireshark.wait_for_window(path.name)
        wireshark.fill_display()
        wireshark.wait_until_still(CURSOR_S)
        choose(wireshark, 0)
        wireshark.key("Return")
        wireshark.wait_until_still(CURSOR_S)
        wireshark.quit()
    assert applied_filters(user) == ['rxtxcpu.host == "web2" && rxtxcpu.cpu == 3']


def test_without_a_packet_the_menu_says_what_to_do(display, user, pictures):
    with Wireshark(display, user, []) as wireshark:
        wireshark.wait_for_window("The Wireshark Network Analyzer")
        wireshark.fill_display()
        wireshark.wait_until_still(CURSOR_S)
        begin = wireshark.pixels(MIDDLE)
        choose(wireshark, 0)
        wireshark.key("Return")
        wireshark.wait_until_still(CURSOR_S)
        wireshark.screenshot(pictures / "menu-without-packet.png")
        assert wireshark.pixels(MIDDLE) != begin, "no message"


@pytest.mark.parametrize("name", STATISTICS)
def test_a_statistic_has_a_window_and_takes_a_filter(display, user, pictures, name):
    seen = []
    for title, behind in ((f"statistic-{name}", ""), (f"statistic-{name}-filtered", ",rxtxcpu.cpu == 3")):
        with window(display, user, "-z", f"rxtxcpu,{name}{behind}", title=STATISTICS[name]) as wireshark:
            wireshark.screenshot(pictures / f"{title}.png")
            seen.append(wireshark.pixels(MIDDLE))
    assert seen[0] != seen[1]


def columns(user):
    set_preferences(user, "gui.column.format: ", *[
        f'\t"{field}", "%Cus:rxtxcpu.{field}:0:R",' for field in ("cpu", "flow", "flow.prev_cpu", "flow.moved", "repeat")],
        '\t"What", "%i"')


def test_a_reload_gives_the_same_answers_and_another_file_its_own(display, user, pictures):
    columns(user)
    captures = [on_cpus(user.home / name, *cpus) for name, cpus in (("a.pcapng", (0, 3, 3, 0)), ("b.pcapng", (3, 0, 0, 3)))]
    user.own()
    seen = []
    for capture in captures:
        with Wireshark(display, user, ["-r", capture]) as wireshark:
            wireshark.wait_for_window(capture.name)
            wireshark.fill_display()
            wireshark.wait_until_still(CURSOR_S)
            seen.append(wireshark.pixels(PACKET_LIST))
            wireshark.focus()
            wireshark.key("ctrl+r")
            wireshark.wait_until_still(CURSOR_S)
            wireshark.screenshot(pictures / f"reloaded-{capture.stem}.png")
            assert wireshark.pixels(PACKET_LIST) == seen[-1]
    assert seen[0] != seen[1]
    with Wireshark(display, user, ["-r", captures[0]]) as wireshark:
        wireshark.wait_for_window(captures[0].name)
        wireshark.fill_display()
        wireshark.wait_until_still(CURSOR_S)
        captures[1].replace(captures[0])  # another file under the same name: a reload opens it in the same process
        wireshark.focus()
        wireshark.key("ctrl+r")
        wireshark.wait_until_still(CURSOR_S)
        wireshark.screenshot(pictures / "another-file.png")
        assert wireshark.pixels(PACKET_LIST) == seen[1]
