"""What the fields say of a packet, in the real TShark: the two forms of a record, and what is not known."""

import pytest

from capture import RECEIVED, SENT, START, interface, on_cpus, packet, section, write

ALL = ("rxtxcpu.cpu", "rxtxcpu.queue", "rxtxcpu.node", "rxtxcpu.direction", "rxtxcpu.late")


@pytest.fixture(name="user")
def user_of_each(either):
    """Every test here is run with the plugin and with the Lua file."""
    return either


def described(user, description, *packets, name="eth0"):
    """A capture with one interface and these packets, by default one that carries nothing but bytes."""
    return write(user.home / "one.pcapng", section(), interface(description, name=name), *(packets or [packet()]))


def commented(user, comment, description="eth0"):
    return described(user, description, packet(comment=comment))


def test_a_display_filter_finds_the_packets_of_a_cpu(user):
    capture = on_cpus(user.home / "cpus.pcapng", 0, 3, 3, 1, 12)
    assert user.frames(capture, "rxtxcpu.cpu == 3") == [2, 3]
    assert user.frames(capture, "rxtxcpu.cpu > 2") == [2, 3, 5]
    assert user.frames(capture, "rxtxcpu") == [1, 2, 3, 4, 5]
    assert user.frames(capture, "rxtxcpu.cpu == 2") == []


def test_each_packet_has_the_cpu_of_its_interface(user):
    capture = on_cpus(user.home / "cpus.pcapng", 0, 3, 4294967294, 1)
    assert user.field(capture, "rxtxcpu.cpu") == ["0", "3", "4294967294", "1"]


def test_one_statistic_for_each_cpu(user):
    capture = on_cpus(user.home / "cpus.pcapng", 0, 3, 3, 1)
    table = user.run("tshark", "-q", "-r", capture, "-z", "io,stat,0,rxtxcpu.cpu==3,COUNT(rxtxcpu.cpu)rxtxcpu.cpu")
    row = [line for line in table.splitlines() if "<>" in line and line.startswith("| 0.0")][0]
    assert [int(cell) for cell in row.replace("|", " ").split()[-3:]] == [2, 84, 4]


def test_a_field_that_is_not_known_is_absent_and_not_0(user):
    assert user.fields(described(user, "eth0 CPU 3 (rxtxcpu)"), *ALL) == [["3", "", "", "", ""]]
    assert user.fields(described(user, "eth0 queue unknown (rxtxcpu)"), *ALL) == [["", "", "", "", ""]]
    assert user.frames(user.home / "one.pcapng", "rxtxcpu") == [1]
    assert user.frames(user.home / "one.pcapng", "rxtxcpu.queue || rxtxcpu.cpu || rxtxcpu.node") == []


@pytest.mark.parametrize(("description", "values"), [
    ("eth0 CPU 3 node 1 (rxtxcpu)", ["3", "", "1"]),
    ("eth0 queue 2 (rxtxcpu)", ["", "2", ""]),
    ("eth0 queue 0 (rxtxcpu)", ["", "0", ""]),
    ("eth0 node 1 (rxtxcpu)", ["", "", "1"]),
    ("web1:eth0 CPU 3 hook napi (rxtxcpu)", ["3", "", ""]),
    ("eth0 CPU 3 lane 7 queue 2 (rxtxcpu)", ["3", "2", ""]),
])
def test_every_stream_of_the_contract_is_read(user, description, values):
    assert user.fields(described(user, description), *ALL[:3]) == [values]


@pytest.mark.parametrize(("flags", "value"), [
    (RECEIVED, "1"), (SENT, "2"), (0, ""), (3, ""), (None, ""),
    (RECEIVED | 4 << 2, "1"),  # promiscuous reception
    (SENT | 3 << 2, "2"),      # broadcast
])
def test_the_direction_is_that_of_the_flags(user, flags, value):
    capture = described(user, "eth0 CPU 3 (rxtxcpu)", packet(direction=flags))
    assert user.field(capture, "rxtxcpu.direction") == [value]


def test_the_direction_can_be_asked_for_by_name(user):
    capture = described(user, "eth0 CPU 3 (rxtxcpu)", packet(direction=RECEIVED), packet(direction=SENT), packet())
    assert user.frames(capture, 'rxtxcpu.direction == "received"') == [1]
    assert user.frames(capture, 'rxtxcpu.direction == "sent"') == [2]


def test_a_queue_is_taken_from_the_packet_when_the_interface_names_none(user):
    packets = [packet(queue=5), packet(queue=0), packet()]
    assert user.field(described(user, "eth0 CPU 3 (rxtxcpu)", *packets), "rxtxcpu.queue") == ["5", "0", ""]
    assert user.field(described(user, "eth0 queue unknown (rxtxcpu)", *packets), "rxtxcpu.queue") == ["5", "0", ""]
    assert user.field(described(user, "eth0 queue 2 (rxtxcpu)", *packets), "rxtxcpu.queue") == ["2", "2", "2"]


def test_the_summary_says_what_is_known(user):
    def summary(description, **options):
        text = user.run("tshark", "-V", "-r", described(user, description, packet(**options)))
        return [line for line in text.splitlines() if "Per-CPU" in line]

    assert summary("eth0 CPU 3 node 1 (rxtxcpu)", direction=RECEIVED) == ["[Per-CPU capture: CPU 3, received]"]
    assert summary("eth0 queue 2 (rxtxcpu)", direction=SENT) == ["[Per-CPU capture: queue 2, sent]"]
    assert summary("eth0 queue unknown (rxtxcpu)") == ["[Per-CPU capture: queue unknown]"]
    assert summary("eth0 node 1 (rxtxcpu)") == ["[Per-CPU capture: node 1]"]
    assert summary("eth0 queue 2 (rxtxcpu)", comment="cpu=3") == ["[Per-CPU capture: CPU 3]"]


@pytest.mark.parametrize(("comment", "values"), [
    ("cpu=3", ["3", "", ""]),
    ("cpu=3 node=1", ["3", "", "1"]),
    ("cpu=3 queue=2 hash=0xd22cfd90", ["3", "2", ""]),
    (["seen by me", "cpu=3", "cpu=4"], ["3", "", ""]),
])
def test_a_comment_names_the_cpu_where_the_interface_does_not(user, comment, values):
    assert user.fields(commented(user, comment), *ALL[:3]) == [values]


def test_the_interface_is_believed_before_the_comment(user):
    assert user.field(commented(user, "cpu=4", "eth0 CPU 3 (rxtxcpu)"), "rxtxcpu.cpu") == ["3"]
    assert user.fields(commented(user, "cpu=4 queue=1", "eth0 queue 2 (rxtxcpu)"), *ALL[:2]) == [["4", "2"]]


@pytest.mark.parametrize("comment", ["this went to cpu=3", "cpu=3 is wrong", "CPU=3", "cpu=03", "cpu=4294967295"])
def test_a_comment_that_somebody_wrote_is_not_a_record(user, comment):
    assert user.frames(commented(user, comment), "rxtxcpu") == []


@pytest.mark.parametrize("description", [
    None, "", "eth0", "CPU 3", "eth0 CPU 3", "eth0 CPU 3 (rxtxcpu) ", "eth0 CPU 03 (rxtxcpu)", "eth0 CPU -1 (rxtxcpu)",
    "eth0 CPU 4294967295 (rxtxcpu)", "eth0 CPU 3 CPU 4 (rxtxcpu)", "eth0  CPU 3 (rxtxcpu)", "eth1 CPU 3 (rxtxcpu)",
    "eth0 CPU 3 node (rxtxcpu)", "eth0 CPU 3 (rxtxcpu)\n", "eth0 CPU 3 hook " + "x" * 40000 + " (rxtxcpu)",
])
def test_a_malformed_description_names_no_cpu(user, description):
    assert user.frames(described(user, description), "rxtxcpu") == []


def test_an_interface_without_a_name_is_read(user):
    assert user.field(described(user, "eth0 CPU 3 (rxtxcpu)", name=None), "rxtxcpu.cpu") == ["3"]


def test_a_capture_of_another_program_shows_nothing_of_us(user, plain):
    capture = write(user.home / "foreign.pcapng", section(), interface(None), interface("Ethernet CPU 3"),
                    packet(0, START + 10, RECEIVED, queue=3), packet(1, START, SENT, comment="look at this"))
    assert user.frames(capture, "rxtxcpu") == []
    shown = user.run("tshark", "-V", "-r", capture)
    assert "CPU capture" not in shown
    plain.own()
    (plain.home / "foreign.pcapng").write_bytes(capture.read_bytes())
    assert shown == plain.run("tshark", "-V", "-r", plain.home / "foreign.pcapng")


def test_the_columns_of_tshark_stay_as_they_were(user, plain):
    capture = on_cpus(user.home / "cpus.pcapng", 0, 3)
    (plain.home / "cpus.pcapng").write_bytes(capture.read_bytes())
    assert user.run("tshark", "-r", capture) == plain.run("tshark", "-r", plain.home / "cpus.pcapng")
    assert "CPU" not in user.run("tshark", "-G", "column-formats") + user.run("tshark", "-r", capture)


def test_the_protocol_can_be_turned_off(user):
    capture = on_cpus(user.home / "cpus.pcapng", 0, 3)
    assert user.frames(capture, "rxtxcpu", args=("--disable-protocol", "rxtxcpu")) == []
