"""The column CPU in the real Wireshark: there without a click, never in the way of the user's own columns.

Which columns there are is read from what Wireshark writes when it is quit; that values stand in it is seen by
comparing pictures of captures that differ in their CPUs only. Screenshots are left in build/dev/pictures.
"""

import re
import shutil

import pytest

from capture import on_cpus
from lib import paths
from wireshark import CURSOR_S, PACKET_LIST, Wireshark, configuration, set_preferences, shown_columns

PROFILE = paths.ROOT / "packaging/profile/rxtxcpu"
USUAL = ["%m", "%t", "%s", "%d", "%p", "%L"]
CPU = "rxtxcpu.cpu"
# Below the line where a text cursor blinks.
PREFERENCES_LIST = "1280x700+0+60"
VALUE_X = 1000  # in the list's column Value: 4.4 takes a double click nowhere else


def look(display, user, capture, picture, arguments=()):
    """Opens a capture, takes a picture, quits; returns the packet list as pixels."""
    with Wireshark(display, user, ["-r", capture, *arguments]) as wireshark:
        wireshark.wait_for_window(capture.name)
        wireshark.fill_display()
        wireshark.wait_until_still()
        wireshark.screenshot(picture)
        assert list(display.windows()) == [capture.name], f"another window is open: see {picture}"
        pixels = wireshark.pixels(PACKET_LIST)
        wireshark.quit()
    return pixels


def offered_columns(user):
    """What the user's preferences ask for, defaults included, which Wireshark writes as comments."""
    text = (configuration(user) / "preferences").read_text().partition("gui.column.format:")[2].partition("\n\n")[0]
    return [line.split('"')[3].removeprefix("%Cus:").split(":")[0] for line in text.splitlines() if '"' in line]


def click_and_see(wireshark, x, y):
    """Whether a click changed what is painted there."""
    spot = f"1x1+{x}+{y}"
    before = wireshark.pixels(spot)
    wireshark.click(x, y)
    wireshark.wait_until_still(0.5, PREFERENCES_LIST)  # longer than a double click can take
    return wireshark.pixels(spot) != before


def toggle_preference(wireshark):
    """In Preferences, Advanced. The row is found by trying: it is the only one that can be selected."""
    with wireshark.dialog("ctrl+shift+p", "Preferences"):
        wireshark.key("End", "Tab")
        wireshark.type("rxtxcpu.cpu_column")
        wireshark.wait_until_still(area=PREFERENCES_LIST)
        row = next(y for y in range(80, 200, 10) if click_and_see(wireshark, VALUE_X, y))
        wireshark.click(VALUE_X, row, times=2)


def choose_first_profile(wireshark):
    with wireshark.dialog("ctrl+shift+a", "Configuration Profiles"):
        wireshark.key("Down")


def test_the_column_is_there_without_a_click(display, user, pictures):
    look(display, user, on_cpus(user.home / "cpus.pcapng", 0, 3, 3, 1, 12), pictures / "column.png")
    assert shown_columns(user) == [*USUAL, CPU, "%i"]


@pytest.mark.parametrize(("wanted", "differs"), [("TRUE", True), ("FALSE", False)])
def test_the_list_shows_the_cpus_only_in_the_column(display, user, pictures, wanted, differs):
    set_preferences(user, f"rxtxcpu.cpu_column: {wanted}")
    seen = [look(display, user, on_cpus(user.home / "cpus.pcapng", *cpus), pictures / f"cpus-{wanted}-{name}.png")
            for name, cpus in (("a", (0, 3, 3)), ("b", (0, 4, 7)))]
    assert (seen[0] != seen[1]) == differs


def test_the_preference_turns_it_off(display, user, pictures):
    set_preferences(user, "rxtxcpu.cpu_column: FALSE")
    look(display, user, on_cpus(user.home / "cpus.pcapng", 0, 3), pictures / "off.png")
    assert shown_columns(user) == [*USUAL, "%i"]


def test_an_option_of_the_command_line_turns_it_off(display, user, pictures):
    capture = on_cpus(user.home / "cpus.pcapng", 0, 3)
    look(display, user, capture, pictures / "option.png", ["-o", "rxtxcpu.cpu_column:FALSE"])
    assert shown_columns(user) == [*USUAL, "%i"]


def test_the_users_columns_stay_and_are_not_written_over(display, user, pictures):
    file = set_preferences(user, "gui.column.format: ", '\t"When", "%Aut",', '\t"What", "%i",', '\t"Len", "%L"')
    before = file.read_text()
    look(display, user, on_cpus(user.home / "cpus.pcapng", 0, 3), pictures / "own.png")
    assert shown_columns(user) == ["%Aut", CPU, "%i", "%L"]
    assert file.read_text() == before


def test_without_an_info_column_it_comes_last(display, user, pictures):
    set_preferences(user, "gui.column.format: ", '\t"When", "%Aut",', '\t"Len", "%L"')
    look(display, user, on_cpus(user.home / "cpus.pcapng", 0, 3), pictures / "no-info.png")
    assert shown_columns(user) == ["%Aut", "%L", CPU]


@pytest.mark.parametrize("wanted", ["TRUE", "FALSE"])
@pytest.mark.parametrize("field", [CPU, f"{CPU} || ip.ttl"])
def test_a_column_of_the_users_own_is_neither_doubled_nor_taken(display, user, pictures, wanted, field):
    set_preferences(user, "gui.column.format: ", f'\t"Core", "%Cus:{field}:0:R",', '\t"What", "%i"',
                    f"rxtxcpu.cpu_column: {wanted}")
    look(display, user, on_cpus(user.home / "cpus.pcapng", 0, 3), pictures / "core.png")
    assert shown_columns(user) == [field, "%i"]


def test_a_capture_of_another_program_has_an_empty_column(display, user, pictures):
    capture = on_cpus(user.home / "cpus.pcapng", 0, 3)
    capture.write_bytes(capture.read_bytes().replace(b"(rxtxcpu)", b"(wlancpu)"))
    look(display, user, capture, pictures / "foreign.png")
    assert shown_columns(user) == [*USUAL, CPU, "%i"]


def widths(user):
    """What Wireshark remembered of the columns when it was last quit: {"%m": 60, ...}."""
    recent = (configuration(user) / "recent").read_text(encoding="utf-8")
    found = re.search(r"^column\.width:\s*((?:.*,\n)*.*)", recent, re.MULTILINE)[1].replace('"', "").split(",")
    return {name.strip().removeprefix("%Cus:").split(":")[0]: int(width) for name, width in zip(found[::2], found[1::2])}


def test_who_used_wireshark_before_the_plugin_finds_the_column_as_narrow_as_its_numbers(display, plain, pictures):
    """From 4.4 on it takes the width of Info in the first session; in the next it has its own."""
    capture = on_cpus(plain.home / "cpus.pcapng", 0, 3, 3, 1, 12)
    look(display, plain, capture, pictures / "before-the-plugin.png")
    before = widths(plain)
    plain.install(paths.PLUGIN)
    look(display, plain, capture, pictures / "first-session.png")
    look(display, plain, capture, pictures / "second-session.png")
    after = widths(plain)
    assert after[CPU] < before["%i"] / 2
    assert after["%i"] > before["%i"] / 2


def test_the_profile_is_read_without_a_complaint(display, user, pictures):
    shutil.copytree(PROFILE, configuration(user) / "profiles/rxtxcpu")
    capture = on_cpus(user.home / "cpus.pcapng", 0, 3, 3, 1, 12)
    with Wireshark(display, user, ["-C", "rxtxcpu", "-r", capture]) as wireshark:
        wireshark.wait_for_window(capture.name)
        wireshark.fill_display()
        wireshark.wait_until_still()
        wireshark.screenshot(pictures / "profile.png")
        assert list(display.windows()) == [capture.name]
        wireshark.quit()
        assert "rxtxcpu" not in wireshark.said()
    assert shown_columns(user, "rxtxcpu") == ["%m", "%t", CPU, "rxtxcpu.direction", "%s", "%d", "%p", "%L", "%i"]


def test_the_preference_is_obeyed_at_once_and_for_good(display, user, pictures):
    capture = on_cpus(user.home / "cpus.pcapng", 0, 3, 3, 1, 12)
    with Wireshark(display, user, ["-r", capture]) as wireshark:
        wireshark.wait_for_window(capture.name)
        wireshark.fill_display()
        wireshark.wait_until_still()
        begin = wireshark.pixels(PACKET_LIST)
        toggle_preference(wireshark)
        wireshark.screenshot(pictures / "turned-off.png")
        assert offered_columns(user) == [*USUAL, "%i"]
        off = wireshark.pixels(PACKET_LIST)
        assert off != begin
        toggle_preference(wireshark)
        wireshark.screenshot(pictures / "turned-on.png")
        assert wireshark.pixels(PACKET_LIST) != off  # and not as at the beginning: the widths are others from 4.4 on
        wireshark.quit()
    assert shown_columns(user) == [*USUAL, CPU, "%i"]
    assert look(display, user, capture, pictures / "next-start.png") == begin


@pytest.mark.parametrize("with_file", [True, False], ids=["a file is open", "no file is open"])
def test_another_profile_has_the_column_too(display, user, pictures, with_file):
    plain = configuration(user) / "profiles/plain"
    plain.mkdir(parents=True)
    (plain / "preferences").write_text('gui.column.format: \n\t"When", "%Aut",\n\t"What", "%i"\n')
    capture = on_cpus(user.home / "cpus.pcapng", 0, 3, 3, 1, 12)
    with Wireshark(display, user, ["-r", capture] if with_file else []) as wireshark:
        wireshark.wait_for_window(capture.name if with_file else "The Wireshark Network Analyzer")
        wireshark.fill_display()
        wireshark.wait_until_still(CURSOR_S)
        choose_first_profile(wireshark)
        wireshark.screenshot(pictures / f"plain-{with_file}.png")
        wireshark.quit()
    assert shown_columns(user, "plain") == ["%Aut", CPU, "%i"]
