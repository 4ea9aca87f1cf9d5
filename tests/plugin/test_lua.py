"""The Lua file beside the plugin, and in its place: one must never be heard where the other is, and both say the same.

What its fields say is tested where the plugin's are: in each test with the fixture `either`, and against the model.
"""

import re
import shutil

import pytest

import generator
from capture import RECEIVED, START, block, frame, interface, on_cpus, packet, section, write
from test_against_model import FIELDS
from wireshark_user import LUA, new_user


@pytest.fixture(name="lua")
def user_with_lua_file():
    with new_user(LUA) as user:
        yield user


def random_capture(user):
    return write(user.home / "random.pcapng", *generator.make(2, packets=400).blocks())


def details(user, path):
    """Without the line that names the file."""
    return user.run("tshark", "-V", "-r", path)


def registered(user, what):
    return [line for line in user.run("tshark", "-G", what).splitlines() if "rxtxcpu" in line.split("\t")[1:3]
            or "\trxtxcpu." in line]


def test_beside_the_plugin_it_changes_nothing_and_says_nothing(user, both):
    """run() fails at any word on stderr."""
    for name in ("protocols", "fields", "values"):
        assert registered(both, name) == registered(user, name) != []
    assert details(both, random_capture(both)) == details(user, random_capture(user))


def test_beside_the_plugin_no_field_is_there_twice(both):
    path = on_cpus(both.home / "cpus.pcapng", 0, 3, 3)
    assert both.fields(path, "rxtxcpu.cpu", "rxtxcpu.direction") == [["0", "1"], ["3", "2"], ["3", "1"]]


def test_two_copies_of_it_are_as_good_as_one(lua):
    folder = lua.home / ".local/lib/wireshark/plugins"
    (folder / "more").mkdir()
    shutil.copy(LUA, folder / "more")
    path = on_cpus(lua.home / "cpus.pcapng", 0, 3, 3)
    assert lua.field(path, "rxtxcpu.cpu") == ["0", "3", "3"]


def test_its_fields_are_registered_as_the_plugin_registers_them(user, lua):
    def fields(whose):
        return sorted(line for line in registered(whose, "fields") if line.split("\t")[2] in FIELDS["lua"])

    assert fields(lua) == fields(user)
    assert len(fields(lua)) == len(FIELDS["lua"])
    assert sorted(registered(lua, "values")) == sorted(registered(user, "values"))


def test_no_packet_makes_it_fail(lua):
    assert "Lua Error" not in details(lua, random_capture(lua))


@pytest.mark.parametrize("kept", [[], ["frame.encap_type"], ["frame.encap_type", "frame.interface_id", "frame.time"]])
def test_a_wireshark_that_lacks_fields_is_told_less_and_makes_it_fail_no_packet(lua, kept):
    """Which fields a later version may have no more, nobody knows: so none but these."""
    plugin = lua.home / ".local/lib/wireshark/plugins" / LUA.name
    text = plugin.read_text(encoding="utf-8")
    for name in set(re.findall(r'extractor\("([^"]+)"\)', text)) - set(kept):
        text = text.replace(f'extractor("{name}")', f'extractor("no.such.{name}")')
    plugin.write_text(text, encoding="utf-8")
    assert "Lua Error" not in details(lua, random_capture(lua))


def test_a_capture_without_comments_and_options_is_read_in_full(lua):
    path = write(lua.home / "bare.pcapng", section(), interface("eth0 CPU 3 (rxtxcpu)"), packet(), packet(data=b""),
                 packet(data=b"x"))
    assert lua.fields(path, "rxtxcpu.cpu", "rxtxcpu.flow") == [["3", "1"], ["3", ""], ["3", ""]]


def test_addresses_of_one_name_are_different_endpoints(either):
    """Names are shown in their place, and two addresses may have one."""
    folder = either.home / ".config/wireshark"
    folder.mkdir(parents=True)
    (folder / "hosts").write_text("192.0.2.1 web\n192.0.2.2 web\n", encoding="ascii")
    path = write(either.home / "names.pcapng", section(), interface("eth0 CPU 3 (rxtxcpu)"),
                 *[packet(data=frame(source=source)[:34]) for source in (1, 2, 1)])
    shown = either.fields(path, "ip.src_host", "rxtxcpu.flow", args=("-Nn",))
    assert shown == [["web", "1"], ["web", "2"], ["web", "1"]]


def test_a_packet_that_a_read_filter_hides_still_is_the_one_before(either):
    """It has the frame number of the one behind it, which has nothing else of it: here that one has no flow."""
    path = write(either.home / "hidden.pcapng", section(),
                 *[interface(f"eth0 CPU {cpu} (rxtxcpu)") for cpu in range(3)],
                 packet(0, START, RECEIVED), packet(1, START + 1, RECEIVED, data=frame(b"x")),
                 packet(2, START + 2, RECEIVED), packet(1, START + 3, RECEIVED, data=frame(b"x")),
                 packet(0, START + 4, RECEIVED, data=b"x"))
    shown = either.fields(path, "rxtxcpu.cpu", "rxtxcpu.flow", "rxtxcpu.flow.prev_cpu", "rxtxcpu.flow.moved",
                          args=("-2", "-R", "udp.length != 9 || !udp"))
    assert shown == [["0", "1", "", ""], ["2", "1", "1", "1"], ["0", "", "", ""]]


def test_a_block_that_is_no_packet_has_no_record_and_makes_none_late(either):
    """An entry of a journal, with a time of its own."""
    text = f"__REALTIME_TIMESTAMP={(START + 500_000_000) // 1000}\nMESSAGE=hello\n".encode()
    path = write(either.home / "journal.pcapng", section(), interface("eth0 CPU 3 (rxtxcpu)"), packet(time_ns=START),
                 block(9, text.ljust((len(text) + 3) // 4 * 4, b"\n")), packet(time_ns=START + 100))
    assert either.fields(path, "frame.time_relative", "rxtxcpu.cpu", "rxtxcpu.late") == [
        ["0.000000000", "3", ""], ["0.500000000", "", ""], ["0.000000100", "3", ""]]


def merged_captures(*ids):
    """Two captures of hosts that are called the same, each with CPU 0 and CPU 1, and packets on these interfaces."""
    interfaces = [interface(f"eth0 CPU {cpu} (rxtxcpu)") for cpu in (0, 1)] * 2
    return [section(), *interfaces, *[packet(number, START + index, RECEIVED) for index, number in enumerate(ids)]]


def test_captures_of_two_hosts_are_told_apart_once_an_interface_comes_again(either):
    path = write(either.home / "merged.pcapng", *merged_captures(0, 1, 2, 3, 0, 2))
    assert either.fields(path, "rxtxcpu.flow", "rxtxcpu.flow.prev_cpu") == [
        ["1", ""], ["1", "0"], ["2", ""], ["2", "0"], ["1", "1"], ["2", "1"]]
    path = write(either.home / "merged.pcapng", *merged_captures(2, 0, 3, 1, 0))
    assert either.fields(path, "rxtxcpu.flow", "rxtxcpu.flow.prev_cpu") == [
        ["1", ""], ["2", ""], ["1", "0"], ["2", "0"], ["2", "1"]]


def test_until_then_it_takes_them_for_one_as_its_first_lines_say(lua):
    path = write(lua.home / "merged.pcapng", *merged_captures(0, 3, 1, 0, 3, 2))
    assert lua.fields(path, "rxtxcpu.flow", "rxtxcpu.flow.prev_cpu") == [
        ["1", ""], ["1", "0"], ["1", "1"], ["1", "1"], ["2", ""], ["2", "1"]]
