"""Captures of the real program and their truth, which are kept: golden/ORIGIN.md tells where they come from."""

import pathlib

import pytest

from lib import pcapng
from model import FIELDS

FOLDER = pathlib.Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in FOLDER.glob("*.pcapng"))
USERAPPL = 4


def truth(name):
    """What the table says: for each packet each field of ours, "" where it has none."""
    header, *lines = (line.split() for line in (FOLDER / f"{name}.txt").read_text(encoding="ascii").splitlines())
    rows = []
    for frame, line in enumerate(lines, 1):
        said = dict(zip(header, line, strict=True))
        assert said["frame"] == str(frame)
        rows.append([said.get(field.removeprefix("rxtxcpu."), "-").replace("-", "") for field in FIELDS])
    return rows


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_a_kept_capture_is_what_its_table_says(user, name):
    path = user.home / "golden.pcapng"
    path.write_bytes((FOLDER / f"{name}.pcapng").read_bytes())
    assert user.fields(path, *FIELDS) == truth(name)


def test_there_is_a_table_for_each_capture_and_a_line_on_its_origin():
    assert NAMES == sorted(path.stem for path in FOLDER.glob("*.txt")) and len(NAMES) >= 6
    origin = (FOLDER / "ORIGIN.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in origin for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_kept_capture_is_small_and_tells_nothing_of_the_machine_it_was_made_on(name):
    path = FOLDER / f"{name}.pcapng"
    assert path.stat().st_size < 60_000
    file = pcapng.read(path)
    assert {code for code, _value in file.section} <= {USERAPPL}
    for interface in file.interfaces:
        assert {code for code, _value in interface.options} <= {
            pcapng.IF_NAME, pcapng.IF_DESCRIPTION, pcapng.IF_TSRESOL}
    for packet in file.packets:
        if packet.interface.linktype == pcapng.LINKTYPE_ETHERNET:
            for mac in (packet.data[:6], packet.data[6:12]):
                assert mac == bytes(6) or mac[0] == 2, f"packet {packet.number}: {mac.hex(':')}"
