"""Where things are."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("RXTX_BUILD", "build/dev")).resolve()
PROGRAM = BUILD / "extcap" / "rxtxcpu"
PLUGIN = BUILD / "plugin" / "rxtxcpu.so"
SENDER = BUILD / "tests" / "net" / "sender"
