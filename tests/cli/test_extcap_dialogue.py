"""The questions Wireshark asks before a capture, and the traps in answering them."""

import re
import shutil

import pytest

from lib import capture, extcap, kernel, paths, sanitizer, user
from lib.extcap import ask, of_kind
from lib.process import check

WIRESHARK_4_0_TYPES = {"integer", "unsigned", "long", "double", "string", "password", "boolean", "boolflag", "selector",
                       "radio", "multicheck", "fileselect", "timestamp"}
CHOICES = {"selector", "radio", "multicheck"}
VB = ("--extcap-interface", "rxtxcpu-vb")


@pytest.fixture
def net(make_namespace):
    """vb up, vc down, loopback up."""
    namespace = make_namespace()
    namespace.ip("link add vb type veth peer name vc")
    for device in ("vb", "lo"):
        namespace.ip(f"link set {device} up")
    return namespace


def config(net):
    return ask(net, "--extcap-config", *VB)


def arguments(net):
    return {argument["call"]: argument for argument in of_kind(config(net), "arg")}


def values_of(sentences, argument):
    return [value for value in of_kind(sentences, "value") if value["arg"] == argument["number"]]


# --- the list of interfaces

@pytest.mark.parametrize("version", ([], ["--extcap-version=4.0"], ["--extcap-version=4.4"], ["--extcap-version=4.6"]))
def test_the_program_introduces_itself_first(net, version):
    first, *others = ask(net, "--extcap-interfaces", *version)
    assert first.kind == "extcap" and re.fullmatch(r"\d+\.\d+\.\d+", first["version"])
    assert {sentence.kind for sentence in others} <= {"interface", "control", "value"}


def test_the_interfaces_are_those_that_are_up_in_the_order_of_libpcap(net):
    listed = [line.split(".", 1)[1].split()[0] for line in check(net.inside("tcpdump", "-D")).splitlines()]
    up = [name for name in listed if name in net.up_devices()]
    offered = of_kind(ask(net, "--extcap-interfaces", "--extcap-version=4.0"), "interface")
    assert {"vb", "lo"} == set(up)
    assert [interface["value"] for interface in offered] == [*(f"rxtxcpu-{name}" for name in up), "rxtxcpu-ssh"]
    assert [interface["display"] for interface in offered[:-1]] == [f"Per-CPU capture: {name}" for name in up]


def test_an_interface_is_offered_once_it_is_up_and_no_longer_when_it_is_gone(net):
    def offered():
        return {sentence["value"] for sentence in of_kind(ask(net, "--extcap-interfaces"), "interface")}

    assert "rxtxcpu-vc" not in offered()
    net.ip("link set vc up")
    assert "rxtxcpu-vc" in offered()
    net.ip("link delete vc")
    assert not offered() & {"rxtxcpu-vc", "rxtxcpu-vb"}


def test_a_namespace_without_an_interface_that_is_up_offers_none(make_namespace):
    sentences = ask(make_namespace(), "--extcap-interfaces", "--extcap-version=4.0")
    assert [interface["value"] for interface in of_kind(sentences, "interface")] == ["rxtxcpu-ssh"]


def test_options_that_wireshark_may_come_to_pass_are_ignored(net):
    plain = ask(net, "--extcap-interfaces")
    assert ask(net, "--extcap-interfaces", "--extcap-new-thing", "--extcap-other-thing=4") == plain
    assert ask(net, "--extcap-config", *VB, "--extcap-config-option-depth=3") == config(net)


def test_an_ordinary_user_without_any_capability_gets_the_same_answers(net, scratch):
    copy = shutil.copy(paths.PROGRAM, scratch / "rxtxcpu")
    for query in (["--extcap-interfaces", "--extcap-version=4.0"], ["--extcap-config", *VB], ["--extcap-dlts", *VB]):
        as_user = extcap.parse(check(net.inside(*user.words(*sanitizer.launcher(), copy, *query))))
        assert as_user == ask(net, *query)


# --- link types

def test_the_link_type_is_the_one_of_the_device(net):
    (ethernet,) = ask(net, "--extcap-dlts", *VB)
    assert (ethernet.kind, ethernet["number"], ethernet["name"]) == ("dlt", "1", "EN10MB")
    assert ethernet["display"]


def test_a_tun_device_has_raw_ip(net):
    net.ip("tuntap add dev tun0 mode tun")
    net.ip("link set tun0 up")
    (raw,) = ask(net, "--extcap-dlts", "--extcap-interface", "rxtxcpu-tun0")
    assert (raw["number"], raw["name"]) == ("12", "RAW")  # a DLT, which the file's linktype 101 stands for


# --- the options

def test_every_option_of_a_capture_is_offered(net):
    assert {"--cpu-list", "--direction", "--snaplen", "--promiscuous", "--buffer-size", "--count", "--duration",
            "--annotate"} <= set(arguments(net))


def test_options_are_numbered_from_0_and_every_value_belongs_to_one(net):
    sentences = config(net)
    assert {sentence.kind for sentence in sentences} == {"arg", "value"}
    numbers = [argument["number"] for argument in of_kind(sentences, "arg")]
    assert numbers == [str(number) for number in range(len(numbers))]
    assert {value["arg"] for value in of_kind(sentences, "value")} <= set(numbers)


def test_every_option_sits_on_a_tab_with_a_label_and_a_tooltip(net):
    for call, argument in arguments(net).items():
        assert argument.get("group") and argument.get("tooltip") and argument.get("display"), call


def test_no_option_has_a_type_that_wireshark_4_0_does_not_know(net):
    assert {argument["type"] for argument in arguments(net).values()} <= WIRESHARK_4_0_TYPES


def test_no_two_options_share_the_key_of_a_preference(net):
    keys = [re.sub("-", "", call).lower() for call in arguments(net)]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"--[a-z][a-z-]*", call) for call in arguments(net))


def test_a_default_lies_in_its_range_and_nothing_is_required(net):
    for call, argument in arguments(net).items():
        assert argument.get("required", "false") == "false", call
        if argument.get("range") and argument.get("default"):
            low, high = argument["range"].split(",")
            assert int(low) <= int(argument["default"]) <= int(high), call


def test_a_choice_has_values_and_one_of_them_is_the_default(net):
    sentences = config(net)
    for argument in of_kind(sentences, "arg"):
        values = values_of(sentences, argument)
        assert bool(values) == (argument["type"] in CHOICES), argument["call"]
        assert len({value["value"] for value in values}) == len(values), argument["call"]
        assert all(value.get("display") for value in values)
        defaults = [value["value"] for value in values if value.get("default") == "true"]
        assert len(defaults) == (argument["type"] in {"selector", "radio"}), argument["call"]


def test_the_choice_of_cpus_shows_each_with_its_state_and_checks_none(net):
    sentences = config(net)
    argument = next(one for one in of_kind(sentences, "arg") if one["call"] == "--cpu-list")
    values = {value["value"]: value for value in values_of(sentences, argument)}
    assert argument["type"] == "multicheck"
    online = {str(cpu) for cpu in kernel.cpus("online")}
    assert online <= set(values)
    for name, value in values.items():
        assert value.get("default", "false") == "false", "Wireshark ignores a default here"
        assert "parent" not in value.values or value["parent"] in values
        if name in online:
            assert value.get("enabled", "true") == "true"


def test_reloading_an_option_gives_its_values_and_nothing_else(net):
    sentences = config(net)
    argument = next(one for one in of_kind(sentences, "arg") if one["call"] == "--cpu-list")
    filled = ["--direction", "rx", "--count", "5"]
    reloaded = ask(net, "--extcap-config", *VB, "--extcap-reload-option", "cpu-list", *filled)
    assert reloaded == values_of(sentences, argument)


# --- the capture filter, at each keystroke

@pytest.mark.parametrize("expression", ("udp", "tcp port 443 and host 10.0.0.1", "vlan 100", "ether proto 0x88cc", ""))
def test_a_good_filter_is_answered_with_silence(net, expression):
    assert ask(net, "--extcap-capture-filter", expression, *VB) == []


@pytest.mark.parametrize("expression", ("udp por", "tcp port", "host", "(", "vlan and and", "nonsense 5"))
def test_a_bad_filter_is_answered_with_the_reason(net, expression):
    ended = capture.program("--extcap-capture-filter", expression, *VB, namespace=net)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.strip() and len(ended.stdout.splitlines()) == 1


def test_a_filter_that_does_not_fit_the_link_type_is_refused(net):
    net.ip("tuntap add dev tun0 mode tun")
    net.ip("link set tun0 up")
    ended = capture.program("--extcap-capture-filter", "ether host 02:00:00:00:00:01", "--extcap-interface",
                            "rxtxcpu-tun0", namespace=net)
    assert (ended.status, ended.stderr) == (0, "") and ended.stdout.strip()
