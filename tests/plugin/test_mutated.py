"""Captures that nobody would write, in the real Wireshark libraries with the plugin under AddressSanitizer.

A small share of what tests/plugin/mutate does, always the same files: seed 0.
"""

import mutated_files
from lib import paths, sanitizer

FILES = 300

if sanitizer.kind() == "address":  # no other build sees an overrun
    def test_a_mutated_capture_is_neither_the_end_of_wireshark_nor_told_of_in_two_ways():
        dissector = mutated_files.Dissector(paths.BUILD / "mutated")
        dissector.run(mutated_files.made_by(0, range(FILES)))
        ours = [finding for finding in dissector.findings if finding.ours]
        assert not ours, "\n".join(map(str, ours))
        assert dissector.files == FILES
        assert dissector.packets > 10 * FILES, "most files can be read, or this tests nothing"


def test_the_same_seed_makes_the_same_file(tmp_path):
    """What was found once can be had again; another number is another file."""
    known = mutated_files.bases()
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    for path, number in ((first, 9), (again, 9), (other, 19)):
        mutated_files.write(path, 5, number, known)
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()
