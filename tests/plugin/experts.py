"""What TShark lists of ours in the table of expert information, and in the details of each packet."""

import re

ROW = re.compile(r"^ +(\d+) +(\S+) +(\S+) +(.*)$")
GROUP = re.compile(r"^(Errors|Warns|Notes|Chats) \(\d+\)$")
DETAIL = re.compile(r"\[Expert Info \((.*?)/(.*?)\): (.*)\]$")
OURS = re.compile(r"moved from CPU|on different CPUs|because the flow moved|again and again|lost before|(^|: )Late: ")


def in_the_table(user, path, *args):
    """{(severity, summary): how often} of the rows that are ours; severities are in the plural there."""
    found, severity = {}, None
    for line in user.run("tshark", "-q", "-r", path, *args, "-z", "expert").splitlines():
        if group := GROUP.match(line):
            severity = group[1]
        elif (row := ROW.match(line)) and row[3] == "rxtxcpu":
            assert (severity, row[4]) not in found
            found[severity, row[4]] = int(row[1])
    return found


def in_the_details(user, path, *args):
    """(severity, group, summary) of each note of ours, in the order of the packets."""
    text = user.run("tshark", "-V", "-r", path, *args)
    found = [DETAIL.search(line) for line in text.splitlines() if "Expert Info" in line]
    return [match.groups() for match in found if OURS.search(match[3])]
