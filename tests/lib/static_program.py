"""The program as one file that needs no other: made by packaging/static/build, once in a run."""

import functools
import subprocess

import pytest

from lib import paths

BUILD = paths.ROOT / "packaging/static/build"
DEPLOY = paths.ROOT / "build/static/deploy"
BUILD_LIMIT = 300  # seconds
UNAVAILABLE = 69  # exit status: a tool or the network is missing


@functools.cache
def _ended(architecture):
    return subprocess.run([BUILD, architecture], stdin=subprocess.DEVNULL, capture_output=True, timeout=BUILD_LIMIT,
                          encoding="utf-8", check=False)


def built(architecture):
    """Its path; a test that wants it is skipped where it cannot be had."""
    ended = _ended(architecture)
    if ended.returncode == UNAVAILABLE:
        pytest.skip(ended.stderr.strip().splitlines()[-1])
    assert ended.returncode == 0, ended.stderr
    return DEPLOY / f"rxtxcpu-{architecture}"
