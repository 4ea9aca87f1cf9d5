"""Reads the tables that TShark prints of our statistics."""

import re


class Statistic:
    """One of Wireshark's simple tables: its filter, its columns, and the rows below each title."""

    def __init__(self, lines):
        self.name = lines[0].rstrip(":")
        self.filter = lines[1].removeprefix("Filter for statistics: ")
        self.columns = self._cells(lines[2])
        self.tables = {}
        for line in lines[3:]:
            if "|" not in line:
                rows = self.tables[line] = []
            else:
                rows.append(self._cells(line))

    @staticmethod
    def _cells(line):
        *cells, rest = line.split("|")
        assert rest.strip() == ""
        return [cell.strip() for cell in cells]


def statistics(text):
    """{name: Statistic} of all simple tables in the output."""
    found = {}
    for part in re.split(r"^=+\n", text, flags=re.MULTILINE):
        lines = part.strip("\n").split("\n")
        if len(lines) > 2 and lines[1].startswith("Filter for statistics"):
            one = Statistic(lines)
            assert one.name not in found
            found[one.name] = one
    return found


def tree(text):
    """[(level, item, count, share of the level above)] of the statistics tree in the output, in its order."""
    rows = re.findall(r"^( *)(\S.*\S) +(\d+) +[\d.]+ +([\d.]+%)", text.partition("Topic / Item")[2], re.MULTILINE)
    return [(len(indent), " ".join(item.split()), int(count), share) for indent, item, count, share in rows]
