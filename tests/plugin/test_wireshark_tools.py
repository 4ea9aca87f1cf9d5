"""What is left of a record when Wireshark's own tools have written the capture again."""

import pytest

from capture import RECEIVED, SENT, START, interface, on_cpus, packet, section, write

EVERYTHING = ("rxtxcpu.cpu", "rxtxcpu.queue", "rxtxcpu.node", "rxtxcpu.direction", "rxtxcpu.late", "frame.drop_count")


@pytest.fixture(name="user")
def user_of_each(either):
    """Every test here is run with the plugin and with the Lua file."""
    return either


def rich(user):
    """CPUs, a node, a queue, a comment, a loss, both directions and a late packet."""
    return write(user.home / "rich.pcapng", section(),
                 interface("eth0 CPU 0 node 0 (rxtxcpu)"), interface("eth0 CPU 3 node 1 (rxtxcpu)"), interface("eth0"),
                 packet(0, START, RECEIVED), packet(1, START + 2000, SENT, queue=2), packet(1, START + 1000, drops=7),
                 packet(2, START + 3000, RECEIVED, comment="cpu=5 queue=1"))


def test_editcap_keeps_every_field(user):
    capture = rich(user)
    user.run("editcap", capture, user.home / "edited.pcapng")
    assert user.fields(user.home / "edited.pcapng", *EVERYTHING) == user.fields(capture, *EVERYTHING) == [
        ["0", "", "0", "1", "", ""], ["3", "2", "1", "2", "", ""], ["3", "", "1", "", "1", "7"],
        ["5", "1", "", "1", "", ""]]


def test_tshark_keeps_every_field(user):
    capture = rich(user)
    user.run("tshark", "-r", capture, "-w", user.home / "written.pcapng")
    assert user.fields(user.home / "written.pcapng", *EVERYTHING) == user.fields(capture, *EVERYTHING)


def test_tshark_writes_the_packets_of_one_cpu(user):
    user.run("tshark", "-r", rich(user), "-Y", "rxtxcpu.cpu == 3", "-w", user.home / "cpu3.pcapng")
    assert user.field(user.home / "cpu3.pcapng", "rxtxcpu.cpu") == ["3", "3"]


def test_reordercap_keeps_the_cpus_and_leaves_none_late(user):
    user.run("reordercap", rich(user), user.home / "ordered.pcapng")
    assert user.fields(user.home / "ordered.pcapng", "rxtxcpu.cpu", "rxtxcpu.late") == [
        ["0", ""], ["3", ""], ["3", ""], ["5", ""]]


def test_mergecap_renumbers_the_interfaces_and_not_the_cpus(user):
    first = on_cpus(user.home / "first.pcapng", 0, 1, 3)
    second = write(user.home / "second.pcapng", section(), interface("eth1 CPU 7 (rxtxcpu)", name="eth1"),
                   interface("eth0 CPU 1 (rxtxcpu)"), packet(1, START + 500), packet(0, START + 1500))
    user.run("mergecap", "-w", user.home / "merged.pcapng", second, first)
    assert user.fields(user.home / "merged.pcapng", "frame.interface_name", "rxtxcpu.cpu") == [
        ["eth0", "0"], ["eth0", "1"], ["eth0", "1"], ["eth1", "7"], ["eth0", "3"]]


def test_a_second_section_never_lends_its_packets_the_cpu_of_the_first(user):
    """Wireshark before 4.4 looks an interface up in the first section: then it is unknown, and not wrong."""
    capture = write(user.home / "sections.pcapng",
                    section(), interface("eth0 CPU 0 (rxtxcpu)"), packet(0, START),
                    section(), interface("eth9 CPU 9 (rxtxcpu)", name="eth9"), packet(0, START + 1),
                    packet(0, START + 2, comment="cpu=8"))
    for passes in ((), ("-2",)):
        cpus = user.field(capture, "rxtxcpu.cpu", passes)
        assert cpus in (["0", "", "8"], ["0", "9", "9"])


def test_an_interface_that_comes_in_the_middle_is_read(user):
    capture = write(user.home / "hotplug.pcapng", section(), interface("eth0 CPU 0 (rxtxcpu)"), packet(0, START),
                    interface("eth0 CPU 4 (rxtxcpu)"), packet(1, START + 1), packet(0, START + 2))
    for passes in ((), ("-2",)):
        assert user.field(capture, "rxtxcpu.cpu", passes) == ["0", "4", "0"]
