"""What `cmake --install` puts where, and what is built where Wireshark's headers are missing."""

import os
import pathlib
import shutil

import pytest

from lib import paths, sanitizer, wireshark
from lib.capture import NAMES
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
    assert (prefix / "share/rxtxcpu/rxtxcpu.lua").is_file()


def test_the_extcap_is_a_link_to_the_program_wherever_the_prefix_is(prefix):
    link = prefix / plugin_folder().parent.parent / "extcap/rxtxcpu"
    assert link.is_symlink() and not os.path.isabs(os.readlink(link))
    assert link.resolve() == prefix / "bin/rxtxcpu"
    assert "interface {value=rxtxcpu-lo}" in check([link, "--extcap-interfaces", "--extcap-version=4.0"])


def points_into(link, folder):
    """Whether it is a link that holds wherever the prefix is, and leads to a file in that folder."""
    return link.is_symlink() and not os.path.isabs(os.readlink(link)) and link.resolve().parent == folder.resolve()


def test_every_name_is_a_link_to_the_program_and_runs(prefix):
    for name in NAMES[1:]:
        assert points_into(prefix / "bin" / name, prefix / "bin")
    for name in NAMES:
        argv = [*sanitizer.launcher(), prefix / "bin" / name]
        assert check([*argv, "--version"]).startswith(f"{name} version ")
        assert check([*argv, "--list-cpus"]).startswith("CPU ")
        assert f"{name} [OPTIONS] [INTERFACE]" in check([*argv, "--help"])


@pytest.mark.parametrize("folder, file", (("share/man/man1", "{}.1"), ("share/fish/vendor_completions.d", "{}.fish"),
                                          ("share/bash-completion/completions", "{}")))
def test_the_manual_and_the_completions_are_found_by_every_name(prefix, folder, file):
    assert {path.name for path in (prefix / folder).iterdir()} == {file.format(name) for name in NAMES}
    assert "rxtxqueue" in (prefix / folder / file.format("rxtxcpu")).read_text(encoding="utf-8")
    for name in NAMES[1:]:
        assert points_into(prefix / folder / file.format(name), prefix / folder)


def test_zsh_finds_its_completion_also_where_debian_s_looks(prefix):
    functions = prefix / "share/zsh/site-functions"
    assert (functions / "_rxtxcpu").read_text(encoding="utf-8").startswith("#compdef rxtxcpu ")
    assert points_into(prefix / "share/zsh/vendor-completions/_rxtxcpu", functions)


def test_without_wireshark_s_headers_the_program_is_built_and_the_plugin_said_to_be_left_out(scratch):
    build = scratch / "build"
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    said = check(["cmake", "-S", paths.ROOT, "-B", build, *generator, "-DCMAKE_DISABLE_FIND_PACKAGE_Wireshark=ON",
                  "-DBUILD_TESTING=OFF"], timeout=60)
    assert "the plugin is left out" in said and "apt-get install wireshark-dev" in said
    check(["cmake", "--build", build], timeout=120)
    assert "rxtxcpu version" in check([build / "extcap/rxtxcpu", "--version"])
    assert not list(build.rglob("rxtxcpu.so"))
