"""Which CPU had the packets of a flow: moves, both directions, order, told of small captures with known truth."""

import wire
from capture import NS, RECEIVED, SENT
from story import A, B, MS, US, Story, arp, ask, frame, gre, ip, tcp, udp, vxlan

PAST = "flow", "flow.cpus", "flow.prev_cpu", "flow.moved", "flow.prev_frame"
SPLIT, REORDERED = "flow.split", "flow.reordered_by_move"


# --- moves -----------------------------------------------------------------------------------------------------------

def test_a_move_is_told_with_the_cpu_and_the_packet_before(user):
    story = Story()
    story.packets(udp(), 0, 0, 3, 3, 12, 0)
    assert ask(user, story).rows(*PAST) == [
        ["1", "1", "", "", ""],
        ["1", "1", "0", "", ""],
        ["1", "2", "0", "1", "2"],
        ["1", "2", "3", "", ""],
        ["1", "3", "3", "1", "4"],
        ["1", "3", "12", "1", "5"],
    ]


def test_packets_of_other_flows_between_do_not_count(user):
    story = Story()
    story.packet(udp(), 0)
    story.packet(udp((3, 40000), B), 1)
    story.packet(udp((1, 40001), B), 2)
    story.packet(udp(), 0)
    story.packet(udp((3, 40000), B), 0)
    assert ask(user, story).rows(*PAST) == [["1", "1", "", "", ""], ["2", "1", "", "", ""], ["3", "1", "", "", ""],
                                        ["1", "1", "0", "", ""], ["2", "2", "1", "1", "2"]]


def test_the_packets_of_one_flow_are_found_by_its_number_in_both_directions(user):
    story = Story()
    story.packet(udp(A, B), 0)
    story.packet(udp((3, 40000), B), 0)
    story.packet(udp(B, A), 0, SENT)
    assert user.frames(story.write(user.home), "rxtxcpu.flow == 1") == [1, 3]


def test_each_direction_is_compared_with_itself(user):
    """What is received and what is answered are on CPUs of their own: nothing has moved."""
    story = Story()
    for _ in range(3):
        story.packet(udp(A, B), 0, RECEIVED)
        story.packet(udp(B, A), 1, SENT)
    story.packet(udp(B, A), 2, SENT)
    said = ask(user, story)
    assert said.frames("flow.moved") == [7]
    assert said.column("flow.cpus") == ["1"] * 6 + ["2"]


def test_a_box_that_forwards_has_each_packet_on_two_devices_and_no_move(user):
    story = Story()
    for _ in range(2):
        story.packet(udp(A, B), 0, RECEIVED, "eth0")
        story.packet(udp(A, B), 1, SENT, "eth1")
        story.packet(udp(B, A), 2, RECEIVED, "eth1")
        story.packet(udp(B, A), 3, SENT, "eth0")
    story.packet(udp(A, B), 0, RECEIVED, "eth0")
    story.packet(udp(A, B), 2, SENT, "eth1")
    said = ask(user, story)
    assert said.frames("flow.moved") == [10]
    assert said.column("flow.prev_frame")[9] == "6"


def test_a_packet_received_on_a_port_and_again_on_its_bridge_has_not_moved(user):
    story = Story()
    for _ in range(2):
        story.packet(udp(), 0, RECEIVED, "eth0")
        story.packet(udp(), 1, RECEIVED, "br0")
    said = ask(user, story)
    assert said.column("flow") == ["1"] * 4
    assert said.column("flow.prev_cpu") == ["", "", "0", "1"]
    assert said.frames("flow.moved") == said.frames("flow.split") == []


def test_on_lo_each_packet_is_seen_sent_and_received_and_that_is_no_move(user):
    story = Story()
    for source, target, cpu in ((A, B, 0), (B, A, 1), (A, B, 0), (B, A, 1)):
        story.packet(udp(source, target), cpu, SENT, "lo")
        story.packet(udp(source, target), 1 - cpu, RECEIVED, "lo")
    said = ask(user, story)
    assert said.column("flow.prev_cpu") == [""] * 4 + ["0", "1", "1", "0"]
    assert said.frames("flow.moved") == []


def test_packets_whose_direction_nobody_said_are_compared_among_themselves(user):
    story = Story()
    story.packet(udp(), 0, RECEIVED)
    story.packet(udp(), 1, None)
    story.packet(udp(), 2, 0)
    story.packet(udp(), 0, RECEIVED)
    assert ask(user, story).rows("flow.prev_cpu", "flow.moved") == [["", ""], ["", ""], ["1", "1"], ["0", ""]]


def test_a_packet_on_no_known_cpu_has_the_number_of_its_flow_and_changes_nothing(user):
    story = Story()
    story.packet(udp(), 0)
    story.packet(udp(), stream="queue 5")
    story.packet(udp(), "unknown")
    story.packet(udp(), 0)
    assert ask(user, story).rows(*PAST) == [["1", "1", "", "", ""], ["1", "", "", "", ""], ["1", "", "", "", ""],
                                        ["1", "1", "0", "", ""]]


def test_a_packet_of_another_program_between_is_not_there(user):
    story = Story()
    story.packet(udp(), 0)
    story.packet(udp(), stream="Ethernet")
    story.packet(udp(), 0)
    said = ask(user, story)
    assert said.column("flow") == ["1", "", "1"]
    assert said.frames("flow.moved") == []


def test_a_late_packet_is_not_compared_and_its_cpu_is_counted(user):
    story = Story()
    story.packet(udp(), 0)
    story.packet(udp(), 0, after=10 * MS)
    story.packet(udp(), 1, after=-5 * MS)
    story.packet(udp(), 0, after=10 * MS)
    assert ask(user, story).rows("late", *PAST) == [
        ["", "1", "1", "", "", ""], ["", "1", "1", "0", "", ""], ["1", "1", "2", "", "", ""],
        ["", "1", "2", "0", "", ""]]


def test_a_late_packet_is_not_the_other_direction_either(user):
    story = Story()
    story.packet(udp(A, B), 0, after=10 * MS)
    story.packet(udp(B, A), 1, after=-5 * MS)
    story.packet(udp(A, B), 0, after=10 * MS)
    assert ask(user, story).frames(SPLIT) == []


def test_a_host_with_a_name_is_not_compared_with_another(user):
    story = Story()
    for cpu, host in ((0, "web1"), (1, "web2"), (0, "web1"), (1, "web2"), (1, "web1")):
        story.packet(udp(), cpu, host=host)
    said = ask(user, story)
    assert said.column("flow") == ["1", "2", "1", "2", "1"]
    assert said.frames("flow.moved") == [5]


# --- split -----------------------------------------------------------------------------------------------------------

def test_a_flow_is_split_where_its_other_direction_is_received_on_another_cpu(user):
    story = Story()
    story.packet(udp(A, B), 0)
    story.packet(udp(B, A), 1)  # split
    story.packet(udp(A, B), 0)  # split
    story.packet(udp(A, B), 1)
    story.packet(udp(B, A), 1)
    story.packet(udp(B, A), 0)  # split
    assert ask(user, story).frames(SPLIT) == [2, 3, 6]


def test_only_received_packets_are_split(user):
    """On which CPU a packet is sent is up to its sender: no receive queue is wrong there."""
    story = Story()
    for _ in range(2):
        story.packet(udp(A, B), 0, RECEIVED)
        story.packet(udp(B, A), 1, SENT)
        story.packet(udp(B, A), 2, None)
    story.packet(udp(B, A), 1, RECEIVED)
    assert ask(user, story).frames(SPLIT) == [7]


def test_on_lo_both_directions_are_received_and_split(user):
    story = Story()
    for source, target, cpu in ((A, B, 0), (B, A, 1), (A, B, 0)):
        story.packet(udp(source, target), cpu, SENT, "lo")
        story.packet(udp(source, target), cpu, RECEIVED, "lo")
    assert ask(user, story).frames(SPLIT) == [4, 6]


def test_of_several_devices_the_same_one_is_compared_else_the_newest(user):
    story = Story()
    story.packet(udp(A, B), 0, device="eth0")
    story.packet(udp(A, B), 1, device="eth1")
    story.packet(udp(B, A), 0, device="eth0")  # as on eth0
    story.packet(udp(B, A), 0, device="eth1")  # not as on eth1
    story.packet(udp(B, A), 1, device="eth2")  # eth1 is newer, and it is as there
    story.packet(udp(A, B), 0, device="eth0")  # as on eth0
    story.packet(udp(B, A), 1, device="eth2")  # now eth0 is newer
    assert ask(user, story).frames(SPLIT) == [4, 7]


def test_a_host_that_talks_to_itself_from_one_port_has_one_direction(user):
    story = Story()
    story.packets(udp(A, A), 0, 1, 0)
    said = ask(user, story)
    assert said.frames("flow.moved") == [2, 3]
    assert said.frames(SPLIT) == []


# --- order -----------------------------------------------------------------------------------------------------------

def overtake(story, source=A, begin=1000, gap=10 * MS, **how):
    """A stream whose third segment is handled by a new CPU and overtakes the second."""
    story.packet(tcp(source, B, begin, b"a" * 100, **how), 0)
    story.packet(tcp(source, B, begin + 200, b"c" * 100, **how), 1)
    story.packet(tcp(source, B, begin + 100, b"b" * 100, **how), 0, after=gap)
    story.packet(tcp(source, B, begin + 300, b"d" * 100, **how), 1, after=gap)


def test_a_segment_that_a_later_one_overtook_on_another_cpu_is_reordered_by_the_move(user):
    story = Story()
    overtake(story)
    assert ask(user, story).rows(REORDERED, "flow.moved") == [["", ""], ["", "1"], ["1", "1"], ["", "1"]]


def test_sequence_numbers_are_understood_wherever_they_stand_and_wrap(user):
    story = Story()
    for number, how in enumerate([
            {"begin": 2**32 - 250}, {"begin": 2**32 - 150}, {"begin": 2**31 - 150}, {"version": 6}, {"vlans": (5,)},
            {"vlans": (5, 6), "version": 6}, {"flags": wire.ACK | wire.FIN}], 10):
        overtake(story, (number, 40000), **how)
    assert ask(user, story).frames(REORDERED) == [3, 7, 11, 15, 19, 23, 27]


def returned(wait):
    """The flow comes back to CPU 0 with an acknowledgement, and the overtaken segment so long behind the later one."""
    story = Story()
    story.packet(tcp(seq=1000, payload=b"a" * 100), 0)
    story.packet(tcp(seq=1200, payload=b"c" * 100), 1)
    story.packet(tcp(seq=1300), 0, after=0)
    story.packet(tcp(seq=1100, payload=b"b" * 100), 0, after=wait)
    return story


def test_an_overtaken_segment_is_put_down_to_a_move_when_it_is_at_most_10_ms_behind(user):
    assert ask(user, returned(10 * MS)).frames(REORDERED) == [4]
    assert ask(user, returned(10 * MS + US)).frames(REORDERED) == []


def test_how_far_behind_it_may_be_is_a_preference(user):
    assert ask(user, returned(11 * MS), "-o", "rxtxcpu.reorder_window:20").frames(REORDERED) == [4]
    assert ask(user, returned(10 * MS), "-o", "rxtxcpu.reorder_window:0").frames(REORDERED) == []


def test_what_is_sent_again_from_another_cpu_is_none(user):
    """A time-out's retransmission comes from a timer's CPU, be it soon or late."""
    for way, wait in ((SENT, MS), (SENT, 300 * MS), (RECEIVED, 300 * MS)):
        story = Story()
        story.packet(tcp(seq=1000, payload=b"a" * 100), 0, way)
        story.packet(tcp(seq=1100, payload=b"b" * 100), 0, way)
        story.packet(tcp(seq=1000, payload=b"a" * 100), 3, way, after=wait)
        said = ask(user, story)
        assert said.frames("flow.moved") == [3]
        assert said.frames(REORDERED) == []


def test_a_retransmission_on_the_same_cpu_is_none(user):
    story = Story()
    story.packet(tcp(seq=1000, payload=b"a" * 100), 1)
    story.packet(tcp(seq=1100, payload=b"b" * 100), 0)
    story.packet(tcp(seq=1200, payload=b"c" * 100), 0)
    story.packet(tcp(seq=1100, payload=b"b" * 100), 0)
    said = ask(user, story)
    assert said.frames("flow.moved") == [2]
    assert said.frames(REORDERED) == []


def test_an_old_acknowledgement_takes_no_place_in_the_stream(user):
    story = Story()
    story.packet(tcp(seq=1000, payload=b"a" * 100), 0)
    story.packet(tcp(seq=1100, payload=b"b" * 100), 1)
    story.packet(tcp(seq=1050), 0)
    story.packet(tcp(seq=1100, flags=wire.RST), 0)
    said = ask(user, story)
    assert said.frames("flow.moved") == [2, 3]
    assert said.frames(REORDERED) == []


def test_both_directions_have_sequence_numbers_of_their_own(user):
    story = Story()
    story.packet(tcp(A, B, 5000, b"a" * 100), 0)
    story.packet(tcp(B, A, 1000, b"a" * 100), 1)
    story.packet(tcp(B, A, 1100, b"a" * 100), 0)
    assert ask(user, story).frames(REORDERED) == []


def test_datagrams_have_no_order(user):
    story = Story()
    for cpu, payload in ((0, b"a"), (1, b"c"), (0, b"b")):
        story.packet(udp(payload=payload), cpu)
    assert ask(user, story).frames(REORDERED) == []


def test_the_outer_header_of_a_tunnel_says_nothing_of_the_order_inside(user):
    def inside(seq):
        return ip("tcp", A, B, wire.tcp(*A[1:], *B[1:], seq, 1, wire.ACK, b"x" * 100))

    story = Story()
    for cpu, seq in ((0, 1000), (1, 1200), (0, 1100)):
        story.packet(gre((101, 0), (102, 0), inside(seq)), cpu)
    assert ask(user, story).rows("flow", "flow.moved", REORDERED) == [["1", "", ""], ["1", "1", ""], ["1", "1", ""]]


# --- what is one flow ------------------------------------------------------------------------------------------------

def test_a_port_that_is_used_again_is_another_flow(user):
    story = Story()
    story.packet(tcp(A, B, 1000, flags=wire.SYN), 0)
    story.packet(tcp(B, A, 7000, flags=wire.SYN | wire.ACK), 0, SENT)
    story.packet(tcp(A, B, 1001, flags=wire.FIN | wire.ACK), 0)
    story.packet(tcp(A, B, 900000, flags=wire.SYN), 1, after=NS)
    story.packet(tcp(B, A, 800000, flags=wire.SYN | wire.ACK), 1, SENT)
    said = ask(user, story)
    assert said.column("flow") == ["1", "1", "1", "2", "2"]
    assert said.frames("flow.moved") == []


def test_an_error_about_a_flow_is_not_of_that_flow(user):
    """Its host is the one that it tells of, and the ports inside would fit: they are the same on both sides."""
    here, there = (1, 123), (2, 123)
    story = Story()
    for version in (4, 6):
        quoted = ip("udp", here, there, wire.udp(here[1], there[1]), version)
        error = frame(there, here, ip("icmp", there, here, wire.unreachable(version, quoted), version))
        story.packet(udp(here, there, version=version), 0, SENT)
        story.packet(udp(there, here, version=version), 0)
        story.packet(error, 1)
        story.packet(udp(there, here, version=version), 0)
        story.packet(error, 2)
    assert ask(user, story).rows("flow", "flow.moved") == [
        ["1", ""], ["1", ""], ["2", ""], ["1", ""], ["2", "1"],
        ["3", ""], ["3", ""], ["4", ""], ["3", ""], ["4", "1"]]


def test_a_flow_is_followed_over_ipv6_and_in_vlans(user):
    story = Story()
    for source, how in (((3, 1), {"version": 6}), ((4, 1), {"vlans": (5,)}), ((5, 1), {"version": 6, "vlans": (5, 6)})):
        story.packet(udp(source, B, **how), 0)
        story.packet(udp(B, source, **how), 1)
        story.packet(udp(source, B, **how), 1)
    assert ask(user, story).rows("flow", "flow.moved", SPLIT) == [
        ["1", "", ""], ["1", "", "1"], ["1", "1", ""],
        ["2", "", ""], ["2", "", "1"], ["2", "1", ""],
        ["3", "", ""], ["3", "", "1"], ["3", "1", ""]]


def test_the_same_ports_over_ipv4_ipv6_udp_and_tcp_are_as_many_flows(user):
    story = Story()
    for cpu, data in enumerate([udp(), udp(version=6), tcp(), tcp(version=6), udp(vlans=(5,))]):
        story.packet(data, cpu)
    assert ask(user, story).column("flow") == ["1", "2", "3", "4", "1"]


def test_pieces_of_a_packet_without_ports_are_a_flow_of_the_two_hosts(user):
    """Wireshark puts the last piece together with the others, and it then has the ports: RSS knows none of them."""
    whole = wire.udp(A[1], B[1], b"y" * 40)
    story = Story()
    story.packet(udp(payload=b"z"), 0)
    story.packet(frame(A, B, ip("udp", A, B, whole[:24], ident=7, more=True)), 1)
    story.packet(frame(A, B, ip("udp", A, B, whole[24:], ident=7, offset=24)), 1)
    assert ask(user, story).rows("flow", "flow.moved") == [["1", ""], ["2", ""], ["1", "1"]]


def test_in_a_tunnel_the_flows_inside_are_told_apart(user):
    def tunnels(source):
        packet = ip("udp", source, B, wire.udp(source[1], B[1]))
        yield gre((101, 0), (102, 0), packet)
        yield vxlan((101, 0), (102, 0), frame(source, B, packet))
        yield frame(source, B, ip("ip", (101, 0), (102, 0), packet))

    story = Story()
    for source, cpu in ((A, 0), ((3, 40000), 1), (A, 0), ((3, 40000), 2)):
        for data in tunnels(source):
            story.packet(data, cpu)
    assert ask(user, story).rows("flow", "flow.moved") == [
        *[["1", ""]] * 3, *[["2", ""]] * 3, *[["1", ""]] * 3, ["2", "1"], ["2", ""], ["2", ""]]


def test_what_is_no_ip_is_a_flow_of_its_addresses(user):
    story = Story()
    story.packet(arp(A, B), 0)
    story.packet(arp((3, 0), B), 1)
    story.packet(arp(A, B), 1)
    assert ask(user, story).rows("flow", "flow.moved") == [["1", ""], ["2", ""], ["1", "1"]]


def test_a_device_without_ethernet_has_the_same_fields(user):
    story = Story()
    for cpu, seq in ((0, 1000), (1, 1200), (0, 1100)):
        segment = ip("tcp", A, B, wire.tcp(A[1], B[1], seq, 1, wire.ACK, b"x" * 100))
        story.packet(segment, cpu, device="tun0", link_type=wire.RAW)
    assert ask(user, story).rows("flow", "flow.moved", REORDERED) == [["1", "", ""], ["1", "1", ""], ["1", "1", "1"]]


# --- what the packet says by itself ----------------------------------------------------------------------------------

def test_losses_are_a_field_where_the_file_tells_them(user):
    story = Story()
    for drops in (None, 0, 7, 2**40):
        story.packet(udp(), 0, drops=drops)
    assert ask(user, story).column("drops") == ["", "0", "7", "1099511627776"]


def test_the_hash_of_a_comment_is_a_field(user):
    story = Story()
    for comment in ("cpu=3 hash=0xd22cfd90", "cpu=3 hash=0xD22CFD90 queue=1", "cpu=3 hash=0x7", "cpu=3",
                    "cpu=3 hash=0xd22cfd901", "cpu=3 hash=d22cfd90", "hash=0xd22cfd90"):
        story.packet(udp(), 3, comment=comment)
    assert ask(user, story).column("hash") == ["0xd22cfd90", "0xd22cfd90", "0x00000007"] + [""] * 4
    assert user.frames(story.write(user.home), "rxtxcpu.hash == 0xd22cfd90") == [1, 2]
