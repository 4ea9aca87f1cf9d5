"""What `cmake --install` puts where, and what is built where Wireshark's headers are missing."""

import os
import pathlib
import platform
import re
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


# --- a release -------------------------------------------------------------------------------------------------------

def configure(build, *options):
    """What cmake says."""
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    return check(["cmake", "-S", paths.ROOT, "-B", build, *generator, "-DCMAKE_BUILD_TYPE=Release",
                  "-DCMAKE_INSTALL_PREFIX=/usr", "-DBUILD_TESTING=OFF", *options], timeout=60)


@pytest.fixture(scope="module", name="release")
def _release(tmp_path_factory):
    """(a release without Wireshark's headers, what cmake said)."""
    build = tmp_path_factory.mktemp("release")
    said = configure(build, "-DCMAKE_DISABLE_FIND_PACKAGE_Wireshark=ON")
    check(["cmake", "--build", build], timeout=120)
    return build, said


@pytest.fixture(name="packaged")
def _packaged(release, scratch):
    """The program that is in the package."""
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("dpkg-dev is not installed")
    check(["cpack", "-B", scratch], cwd=release[0], timeout=60)
    check(["dpkg-deb", "-x", *scratch.glob("*.deb"), scratch / "root"])
    return scratch / "root/usr/bin/rxtxcpu"


@pytest.fixture(name="plugin")
def _plugin(scratch):
    if not paths.PLUGIN.exists():
        pytest.skip("the plugin was not built")
    configure(scratch / "plugin")
    check(["cmake", "--build", scratch / "plugin", "--target", "rxtxcpu_plugin"], timeout=120)
    check(["cmake", "--install", scratch / "plugin/plugin", "--prefix", scratch / "usr"])
    return next((scratch / "usr").rglob("rxtxcpu.so"))


def test_without_wireshark_s_headers_the_program_is_built_and_the_plugin_said_to_be_left_out(release):
    build, said = release
    assert "the plugin is left out" in said and "apt-get install wireshark-dev" in said
    assert "rxtxcpu version" in check([build / "extcap/rxtxcpu", "--version"])
    assert not list(build.rglob("rxtxcpu.so"))


def check_hardened(file):
    """That it can be placed anywhere, nothing in it is both written and run, its table of functions is read-only once
    it runs, its stack and its copies are watched, and it looks for no library where others may put one."""
    said = check(["readelf", "-W", "--file-header", "--program-headers", "--dynamic", "--dyn-syms", file])
    segments = {name: flags.replace(" ", "") for name, flags in re.findall(
        r"^  (LOAD|GNU_STACK|GNU_RELRO) +(?:0x\w+ +){5}([RWE ]{3})", said, re.MULTILINE)}
    loads = re.findall(r"^  LOAD +(?:0x\w+ +){5}([RWE ]{3})", said, re.MULTILINE)
    assert re.search(r"Type: +DYN ", said)
    assert loads and not [flags for flags in loads if "W" in flags and "E" in flags]
    assert segments["GNU_STACK"] == "RW" and segments["GNU_RELRO"] == "R"
    assert re.search(r"\(FLAGS\) +.*BIND_NOW", said) and re.search(r"\(FLAGS_1\) +Flags: .*NOW", said)
    assert re.search(r" UND __stack_chk_fail@", said) and re.search(r" UND __\w+_chk@", said)
    assert not re.search(r"\((RPATH|RUNPATH|TEXTREL)\)", said)


def test_the_packaged_program_is_hardened(packaged):
    check_hardened(packaged)


def test_the_released_plugin_is_hardened(plugin):
    check_hardened(plugin)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="of a compiler for x86_64")
def test_a_release_is_compiled_with_all_that_this_compiler_has_against_misuse(release):
    """What no header of the file tells."""
    commands = (release[0] / "compile_commands.json").read_text(encoding="utf-8")
    macros = check(["gcc", "-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3", "-dM", "-E", "-include", "features.h",
                    "-x", "c", os.devnull])
    level = re.search(r"#define __USE_FORTIFY_LEVEL (\d)", macros)[1]
    for flag in ("-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection=full",
                 f"-D_FORTIFY_SOURCE={level}"):
        assert commands.count(f" {flag} ") == commands.count('"command"'), flag
