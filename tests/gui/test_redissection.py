"""What the real Wireshark makes of the packets when it dissects all of them once more."""

from capture import START, interface, packet, section, write
from wireshark import CURSOR_S, PACKET_LIST, Wireshark, set_preferences


def test_late_packets_are_the_same_ones_when_dissected_again(display, user, pictures):
    set_preferences(user, "gui.column.format: ", '\t"No.", "%m",', '\t"Late", "%Cus:rxtxcpu.late:0:R",', '\t"What", "%i"')
    capture = write(user.home / "late.pcapng", section(), interface("eth0 CPU 3 (rxtxcpu)"),
                    *[packet(time_ns=START + time) for time in (300, 100, 200, 400)])
    with Wireshark(display, user, ["-r", capture]) as wireshark:
        wireshark.wait_for_window(capture.name)
        wireshark.fill_display()
        wireshark.wait_until_still()
        wireshark.screenshot(pictures / "late.png")
        begin = wireshark.pixels(PACKET_LIST)
        wireshark.focus()
        wireshark.key("ctrl+d")  # ignores the first packet, behind which the others were late
        wireshark.wait_until_still(CURSOR_S)
        wireshark.screenshot(pictures / "first-ignored.png")
        assert wireshark.pixels(PACKET_LIST) != begin
        wireshark.key("ctrl+d")
        wireshark.wait_until_still(CURSOR_S)
        assert wireshark.pixels(PACKET_LIST) == begin
        wireshark.quit()
