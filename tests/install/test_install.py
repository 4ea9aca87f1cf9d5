"""What `cmake --install` puts where, and what is built where Wireshark's headers are missing."""

import os
import pathlib
import shutil

import pytest

from lib import paths, wireshark
from lib.process import check

# Below the prefix, as Wireshark has them below /usr.
PROFILE = pathlib.Path("share/wireshark/profiles/rxtxcpu")


@pytest.fixture
def prefix(scratch):
    if not paths.PLUGIN.exists():
        pytest.skip("the plugin was not built")
    check(["cmake", "--install", paths.BUILD, "--prefix", scratch / "usr"])
    return scratch / "usr"


def plugin_folder():
    return pathlib.Path(check(["pkg-config", "--variable=plugindir", "wireshark"]).strip()).relative_to("/usr")


def test_everything_goes_where_wireshark_looks(prefix):
    folder = plugin_folder()
    assert folder.name == wireshark.version()
    assert (prefix / folder / "epan/rxtxcpu.so").is_file()
    assert {path.name for path in (prefix / PROFILE).iterdir()} >= {"preferences", "colorfilters", "dfilter_buttons"}
    assert os.access(prefix / "bin/rxtxcpu", os.X_OK)


def test_the_extcap_is_a_link_to_the_program_wherever_the_prefix_is(prefix):
    link = prefix / plugin_folder().parent.parent / "extcap/rxtxcpu"
    assert link.is_symlink() and not os.path.isabs(os.readlink(link))
    assert link.resolve() == prefix / "bin/rxtxcpu"
    assert "interface {value=rxtxcpu-lo}" in check([link, "--extcap-interfaces", "--extcap-version=4.0"])


def test_without_wireshark_s_headers_the_program_is_built_and_the_plugin_said_to_be_left_out(scratch):
    build = scratch / "build"
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    said = check(["cmake", "-S", paths.ROOT, "-B", build, *generator, "-DCMAKE_DISABLE_FIND_PACKAGE_Wireshark=ON",
                  "-DBUILD_TESTING=OFF"], timeout=60)
    assert "the plugin is left out" in said and "apt-get install wireshark-dev" in said
    check(["cmake", "--build", build], timeout=120)
    assert "rxtxcpu version" in check([build / "extcap/rxtxcpu", "--version"])
    assert not list(build.rglob("rxtxcpu.so"))
