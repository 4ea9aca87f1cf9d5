"""The main job in the real Wireshark, with its profile: live packets, each with its CPU."""

import os
import signal
import time

from lib import kernel
from lib.process import eventually
from lib.sshd import processes
from live import capture, colour_of, has_pixel, install_profile, piped, stop
from wireshark import PACKET_LIST, shown_columns


def test_a_live_capture_shows_the_cpu_of_each_packet(display, user, veth, pictures):
    install_profile(user)
    file = user.home / "live.pcapng"
    with capture(display, user, veth, file, "-C", "rxtxcpu") as wireshark:
        wireshark.wait_until_still(0.1, "200x20+0+0")
        live = wireshark.pixels(PACKET_LIST)
        stop(wireshark)
        wireshark.screenshot(pictures / "live.png")
        assert list(display.windows()) == [file.name], "another window is open"
        wireshark.quit()
    # A colour rule is a filter on rxtxcpu.cpu: where its colour is, the field has that value.
    assert any(has_pixel(live, colour_of(user, cpu)) for cpu in kernel.CPUS), "no packet had a CPU while it was captured"
    assert "rxtxcpu.cpu" in [column.split(":")[0] for column in shown_columns(user, "rxtxcpu")]
    seen = user.field(file, "rxtxcpu.cpu")
    assert set(seen) == {str(cpu) for cpu in kernel.CPUS}


def test_a_user_without_the_profile_gets_the_column_too(display, user, veth, pictures):
    file = user.home / "live.pcapng"
    with capture(display, user, veth, file) as wireshark:
        stop(wireshark)
        wireshark.screenshot(pictures / "live-default.png")
        wireshark.quit()
    assert "rxtxcpu.cpu" in [column.split(":")[0] for column in shown_columns(user)]


def test_when_wireshark_is_killed_the_capture_ends_within_a_second_and_leaves_nothing(display, user, veth):
    """As with tests/tshark/test_killed.py, where more is killed."""
    with capture(display, user, veth, user.home / "live.pcapng") as wireshark:
        assert veth.b.packet_sockets()
        os.kill(wireshark.process.pid, signal.SIGKILL)
        eventually(lambda: "dumpcap" not in processes(veth.b).values(), "dumpcap to see it")
        gone = time.monotonic()
        eventually(lambda: "rxtxcpu" not in processes(veth.b).values(), "the capture to end")
        assert time.monotonic() - gone < 1
        assert veth.b.packet_sockets() == []


def test_a_capture_of_ours_can_be_piped_into_wireshark(display, user, veth, pictures):
    file = user.home / "piped.pcapng"
    with piped(display, user, veth, file) as wireshark:
        stop(wireshark)
        wireshark.screenshot(pictures / "piped.png")
        wireshark.quit()
    assert set(user.field(file, "rxtxcpu.cpu")) == {str(cpu) for cpu in kernel.CPUS}
