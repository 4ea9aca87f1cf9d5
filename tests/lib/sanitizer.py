"""What a build with sanitizers needs: options that make a report fatal and put it where a test can see it."""

import functools
import os
import pathlib
import re
import tempfile

from lib import paths


@functools.cache
def kind():
    """address, thread or '', by how the build was configured."""
    try:
        cache = (paths.BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
    except OSError:
        return ""
    configured = re.search(r"^RXTX_SANITIZE:\w+=(.*)$", cache, re.MULTILINE)
    return configured[1].split(",")[0] if configured else ""


SLOWNESS = 3 if kind() else 1


@functools.cache
def _reports():
    """Anybody may write here: some programs run as an ordinary user."""
    folder = tempfile.TemporaryDirectory(prefix="rxtxcpu-reports-")
    os.chmod(folder.name, 0o1777)
    return folder


def environment(leaks=True):
    """Without `leaks`: for a program with file capabilities, which the leak check may not look into."""
    if not kind():
        return {}
    common = f"log_path={_reports().name}/report:exitcode=99"
    return {"ASAN_OPTIONS": f"{common}:detect_leaks={int(leaks)}:detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": f"{common}:print_stacktrace=1",
            "TSAN_OPTIONS": f"{common}:second_deadlock_stack=1"}


def launcher():
    """Sanitizers cannot place their shadow under some kernels' address randomisation."""
    return ["setarch", "-R"] if kind() else []


def take_reports():
    """The reports since the last call, as text."""
    if not kind():
        return ""
    found = sorted(pathlib.Path(_reports().name).iterdir())
    text = "\n".join(report.read_text(encoding="utf-8", errors="backslashreplace") for report in found)
    for report in found:
        report.unlink()
    return text
