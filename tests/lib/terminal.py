"""A terminal of a certain size, as stderr (or all streams) of a program."""

import fcntl
import os
import pty
import struct
import termios

from lib.process import Stream


class Terminal:
    def __init__(self, columns, rows=24, read=True):
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self._file = os.fdopen(self.master, "rb", buffering=0)
        if read:
            self.start_reading()

    def start_reading(self):
        self.screen = Stream(self._file)

    def resize(self, columns, rows=24):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hand_over(self):
        """The program has the other end now, and its end is ours."""
        os.close(self.slave)

    @property
    def lines(self):
        """What stood on one line at one time."""
        return [piece for line in self.screen.text.split("\n") for piece in line.strip("\r").split("\r")]

    def close(self):
        self.screen.wait_for_end()
        self._file.close()
