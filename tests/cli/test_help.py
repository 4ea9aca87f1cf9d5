"""--help and --version: for people, on stdout, whatever else was typed."""

import pytest

from lib.capture import program

OPTIONS = ["annotate", "buffer-size", "count", "cpu-list", "cpu-mask", "direction", "duration", "filter", "help",
           "promiscuous", "snaplen", "verbose", "version", "write"]


@pytest.mark.parametrize("words", (["-h"], ["--help"], ["--help", "vb"], ["-d", "rx", "-h"]))
def test_help_names_every_option(words):
    ended = program(*words)
    assert (ended.status, ended.stderr) == (0, "")
    for option in OPTIONS:
        assert f"--{option}" in ended.stdout
    assert all(len(line) <= 80 for line in ended.stdout.splitlines())


@pytest.mark.parametrize("words", (["-V"], ["--version"], ["-V", "vb"]))
def test_the_version_is_one_line(words):
    ended = program(*words)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith("rxtxcpu version ") and len(ended.stdout.splitlines()) == 1
