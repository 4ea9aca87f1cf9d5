"""Another host in the real Wireshark: its dialogue, a live capture there, and what is left there afterwards.

The user is an ordinary one at the near end of the lab (lib/sshd.py), whose own ssh reaches web1.
"""

import os
import signal

import pytest

from dialogue import Complaint, options, started, stored, wait_until_started
from lib import attribution, contract, kernel, pcapng, remote
from lib.frames import decode
from lib.process import eventually
from lib.sender import Sending, send
from live import colour_of, has_pixel, install_profile
from wireshark import CURSOR_S, PACKET_LIST

PORT, PROBE = 40000, 39999


def live(file, host="web1", **chosen):
    """The words that start a capture at once, with options as Wireshark's preferences hold them."""
    settings = {"remotehost": host, "remoteinterface": "vb", **chosen}
    words = [word for name, value in settings.items() for word in ("-o", f"extcap.rxtxcpu_ssh.{name}:{value}")]
    return ["-i", "rxtxcpu-ssh", "-k", "-w", file, *words]


def on_disk(path):
    blocks = pcapng.split(path.read_bytes())[0] if path.exists() else []
    return sum(block.type == pcapng.EPB for block in blocks)


def titles(wireshark):
    return sorted(wireshark.display.windows())


def wait_until_live(wireshark, web1, file):
    wireshark.wait_for_window("Capturing from")
    wireshark.fill_display()
    with Sending(web1.peer, "va", kernel.CPUS[-1:], rate=50, udp=PROBE):
        eventually(lambda: on_disk(file), "a packet in the capture file")


def stop_and_look(wireshark, web1):
    """As the red button does; nothing is left there."""
    wireshark.focus()
    wireshark.key("ctrl+e")
    remote.wait_until_idle(web1)
    eventually(lambda: not wireshark.find_window("Capturing from"), "the capture to end")
    wireshark.wait_until_still(CURSOR_S)


def test_packets_of_another_host_are_shown_live_and_stop_ends_it_there(display, user, lab, web1, pictures):
    install_profile(user)
    file = user.home / "live.pcapng"
    with started(display, user, lab.near, *live(file, direction="rx"), "-C", "rxtxcpu") as wireshark:
        wait_until_live(wireshark, web1, file)
        before = on_disk(file)
        sent = send(web1.peer, "va", count=100, rate=2000, udp=PORT)
        eventually(lambda: on_disk(file) >= before + sum(sent.values()), "all packets in the file")
        # A colour rule is a filter on rxtxcpu.cpu: where its colour is, the field has that value.
        colours = [colour_of(user, cpu) for cpu in kernel.CPUS]
        eventually(lambda: any(has_pixel(wireshark.pixels(PACKET_LIST), colour) for colour in colours),
                   "a packet with its CPU in the list")
        stop_and_look(wireshark, web1)
        wireshark.screenshot(pictures / "remote-live.png")
        assert titles(wireshark) == [file.name], "another window is open"
        wireshark.quit()
    assert {*user.field(file, "rxtxcpu.host")} == {"web1"}
    capture = pcapng.read(file)
    remote.check(capture, ["web1"])
    attribution.check_all([packet for packet in capture.packets if decode(packet).port == PORT], sent)


def test_without_a_host_nothing_can_be_started(display, user, lab, pictures):
    with started(display, user, lab.near) as wireshark:
        wait_until_started(wireshark)
        with options(wireshark) as dialogue:
            wireshark.key("Return")
            wireshark.wait_until_still(CURSOR_S)
            wireshark.screenshot(pictures / "remote-without-host.png")
            assert dialogue.is_open()
            dialogue.close()
        assert not wireshark.find_window("Capturing from")


def fill_in(dialogue, web1, picture):
    """The host, its interface vb and its last CPU; by what it lists itself."""
    dialogue.type("web1")
    for tab, key in (("Authentication", None), ("Capture", "v"), ("CPUs", "End")):
        dialogue.open_tab(tab)
        if key:
            dialogue.reload(web1)
            dialogue.list_choices()
        dialogue.screenshot(picture(tab))
        if key:
            dialogue.choose(key)
    dialogue.save()


def look_at(dialogue, picture):
    for tab in ("Capture", "CPUs"):
        dialogue.open_tab(tab)
        dialogue.screenshot(picture(f"{tab}-again"))
    dialogue.save()


def test_what_the_other_host_lists_can_be_chosen_is_kept_and_is_captured(display, user, lab, web1, pictures):
    chosen = {"remotehost": "web1", "remoteinterface": "vb", "remotecpu": str(kernel.CPUS[-1])}

    def picture(name):
        return pictures / f"remote-{name}.png"

    with started(display, user, lab.near) as wireshark:
        wait_until_started(wireshark)
        with options(wireshark) as dialogue:
            fill_in(dialogue, web1, picture)
        assert stored(user).items() >= chosen.items()
        with options(wireshark) as dialogue:  # which forgets what it does not know to be possible
            look_at(dialogue, picture)
        wireshark.quit()
    assert stored(user).items() >= chosen.items()
    file = user.home / "live.pcapng"
    with started(display, user, lab.near, "-i", "rxtxcpu-ssh", "-k", "-w", file) as wireshark:
        wait_until_live(wireshark, web1, file)
        stop_and_look(wireshark, web1)
        wireshark.quit()
    described = [contract.description_of(interface) for interface in pcapng.read(file).interfaces]
    assert [(what.host, what.name, what.cpu) for what in described] == [("web1", "vb", kernel.CPUS[-1])]


@pytest.mark.parametrize("host, interface, sentence", (
    ("web1-unknown", "vb", "web1-unknown: The host's key is not known yet"),
    ("web1-stranger", "vb", "web1-stranger: You are not let in"),
    ("web1", "eth9", "web1: error setting ifname 'eth9': No such device"),
), ids=("key-not-known", "not-let-in", "no-such-interface"))
def test_what_goes_wrong_is_told_once(display, user, lab, web1, pictures, host, interface, sentence):
    file = user.home / "live.pcapng"
    with started(display, user, lab.near, *live(file, host, remoteinterface=interface)) as wireshark:
        complaint = Complaint(wireshark)
        wireshark.screenshot(pictures / f"remote-error-{host}-{interface}.png")
        said = complaint.text()
        assert said.count(sentence) == 1 and len(said.splitlines()) == 1, said
        assert ".." not in said
        complaint.close()
        wireshark.wait_until_still()
        assert len(titles(wireshark)) == 1, "another window is open"


def test_a_wireshark_that_is_killed_while_nothing_comes_leaves_nothing_there(display, user, lab, web1):
    file = user.home / "live.pcapng"
    with started(display, user, lab.near, *live(file)) as wireshark:
        wait_until_live(wireshark, web1, file)
        os.kill(wireshark.process.pid, signal.SIGKILL)
        remote.wait_until_nothing_runs(lab.near.view)
        remote.wait_until_idle(web1)
