"""For which versions of Wireshark the plugin can be configured: for each stands a WiresharkConfig.cmake that says
little but its version."""

import shutil

import pytest

from lib import paths
from lib.process import run


def configure(scratch, version):
    """What cmake says where that version is installed: (exit status, what it said as one line)."""
    prefix = scratch / "wireshark"
    prefix.mkdir()
    (prefix / "WiresharkConfig.cmake").write_text(f"""
set(Wireshark_VERSION "{version}")
set(Wireshark_INSTALL_PREFIX "{prefix}")
set(Wireshark_INCLUDE_DIR "{prefix}/include")
set(Wireshark_PLUGIN_INSTALL_DIR "{prefix}/plugins")
set(Wireshark_EXTCAP_INSTALL_DIR "{prefix}/extcap")
""", encoding="utf-8")
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    ended = run(["cmake", "-S", paths.ROOT, "-B", scratch / "build", *generator, f"-DWireshark_DIR={prefix}",
                 "-DBUILD_TESTING=OFF"], timeout=60)
    return ended.status, " ".join((ended.stdout + ended.stderr).split())


@pytest.mark.parametrize("version", ["3.6.24", "4.1.0", "4.2.12", "4.3.1", "4.6.0", "4.6.0rc1", "4.6.1", "4.8.0",
                                     "4.40.1", "5.0.0", "14.4.1"])
def test_another_version_is_refused_in_one_sentence_that_says_what_to_do(scratch, version):
    status, said = configure(scratch, version)
    assert status != 0
    assert (f"The plugin can be built for Wireshark 4.0, 4.4 and 4.6 (from 4.6.2 on), and this is Wireshark {version}: "
            "copy plugin/rxtxcpu.lua, which needs no building, into your personal plugin folder instead, and configure "
            "with -DCMAKE_DISABLE_FIND_PACKAGE_Wireshark=ON to build the rest without the plugin.") in said


@pytest.mark.parametrize("version", ["4.0.17", "4.4.0", "4.6.2", "4.6.10"])
def test_a_version_that_is_tested_is_taken(scratch, version):
    status, said = configure(scratch, version)
    assert status == 0, said
