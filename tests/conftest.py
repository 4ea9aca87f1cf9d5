"""Fixtures that every folder of tests may use. Each cleans up after itself, whatever happens."""

import contextlib
import itertools
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import pytest

sys.dont_write_bytecode = True

from lib import capture as captures, kernel, namespaces, paths, sanitizer, sshd  # noqa: E402
from lib.process import Pipe, check, run  # noqa: E402
from lib.remote import wait_until_idle  # noqa: E402

TEST_TIMEOUT = 60 * sanitizer.SLOWNESS  # seconds


def pytest_report_header():
    return f"program: {paths.PROGRAM}, sanitizer: {sanitizer.kind() or 'none'}, CPUs: {kernel.CPUS}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """A test that hangs in spite of its own bounds ends here."""

    def expire(_signal, _frame):
        raise TimeoutError(f"{item.name} took longer than {TEST_TIMEOUT} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(TEST_TIMEOUT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True, scope="session")
def _cache():
    """What the program keeps for its user is not kept in the home of who runs the tests."""
    with tempfile.TemporaryDirectory(prefix="rxtxcpu-cache-") as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        yield


@pytest.fixture(autouse=True)
def no_sanitizer_report():
    """A report belongs to the test that made it, also where that looks at nothing but the output."""
    yield
    if report := sanitizer.take_reports():
        pytest.fail(f"a sanitizer reports:\n{report}", pytrace=False)


@pytest.fixture(scope="session")
def _root():
    if os.geteuid() != 0:
        pytest.skip("only root can make network namespaces")
    namespaces.sweep()


@pytest.fixture
def scratch():
    """A folder that an ordinary user may enter."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rxtxcpu-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def small_disks(scratch):
    """Makes file systems of 256 KiB, or of so many."""
    made = []

    def make(size="256k"):
        folder = scratch / f"small-{len(made)}"
        folder.mkdir()
        check(["mount", "-t", "tmpfs", "-o", f"size={size}", "rxtxcpu-test", folder])
        made.append(folder)
        return folder

    yield make
    for folder in made:
        run(["umount", "--lazy", folder])  # a test may have done so


@pytest.fixture
def folders(scratch):
    """Makes folders."""
    numbers = itertools.count()

    def make():
        folder = scratch / f"folder-{next(numbers)}"
        folder.mkdir()
        return folder

    return make


@pytest.fixture
def cleanup(scratch):
    """What is entered here ends with the test, before its folder goes."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def make_namespace(_root, cleanup):
    return lambda label="", **options: cleanup.enter_context(namespaces.Namespace(label, **options))


@pytest.fixture
def make_veth(_root, cleanup):
    return lambda **options: cleanup.enter_context(namespaces.VethPair(**options))


@pytest.fixture
def veth(make_veth):
    """A pair of devices with four queues: va in namespace a, vb in namespace b."""
    return make_veth(queues=4)


@pytest.fixture(scope="module")
def lab(_root):
    """Hosts with sshds, for all tests of a module."""
    if not shutil.which(sshd.DAEMON):
        pytest.skip("there is no sshd")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rxtxcpu-test-"))
    folder.chmod(0o755)
    try:
        with sshd.Lab(folder) as made:
            yield made
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def web1(lab):
    """The host that most tests use; it is idle again when a test is over."""
    yield lab.web1
    try:
        wait_until_idle(lab.web1)
    finally:
        lab.web1.end_sessions()


@pytest.fixture
def two_cpus():
    """Two CPUs of this machine."""
    if len(kernel.CPUS) < 2:
        pytest.skip("this machine has one CPU")
    return kernel.CPUS[:2]


@pytest.fixture
def capture(cleanup, scratch):
    """Starts captures: capture(namespace, interface, option…). They write to a file unless `output` says otherwise."""
    started = []

    def start(namespace, interface, *options, output="", **how):
        started.append(None)
        if output == "":
            output = scratch / f"capture-{len(started)}.pcapng"
        return cleanup.enter_context(captures.Capture(namespace, interface, *options, output=output, **how))

    return start


@pytest.fixture
def piped(veth, capture):
    """Starts a capture of vb that writes to a pipe: (the capture, the pipe)."""

    def start(pipe=None, options=()):
        pipe = pipe or Pipe()
        running = capture(veth.b, "vb", "-d", "rx", *options, output="-", stdout=pipe.write_end)
        pipe.hand_over()
        return running, pipe

    return start
