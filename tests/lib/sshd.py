"""Hosts behind real sshds, in network namespaces of their own, and a near end from which `ssh web1` works.

          10.77.1.0/24      web1 ── vb ── va, where a sender sits
    near  10.77.2.0/24      web2 ── vb ── va
          10.77.3.0/24      jump ── 10.77.4.0/24 ── web1

Both ends see files of ours where this machine's ~/.ssh, /etc/ssh and users are: each program has a mount namespace of
its own, and nothing of the machine is written to. Keys, users and passwords are thrown away with the folder.
"""

import contextlib
import os
import pathlib
import shutil
import signal

from lib import paths, sanitizer, user
from lib.namespaces import Namespace, VethPair
from lib.process import Process, check, eventually, run

PORT, NOBODY_LISTENS = 2222, 2299
PASSPHRASE = "open sesame"
CAPTOR = 64001  # an ordinary user of the far ends
DAEMON = "/usr/sbin/sshd"


# setsid forks where there is a session already, and nobody could wait for the program or end it.
LEAD = 'case "$(cut -d " " -f 6 /proc/$$/stat)" in $$) exec "$@" ;; *) exec setsid "$@" ;; esac'


class View:
    """A namespace whose programs see `files` of ours in place of the machine's, and no terminal; ids are kept."""

    def __init__(self, namespace, script, files, prepare=""):
        self.namespace, self.name = namespace, namespace.name
        self._script, self._environment = script, []
        mounts = [f"mount --bind {source} {target}" for target, source in files.items() if os.path.exists(target)]
        script.write_text("\n".join(["set -e", prepare, *mounts, LEAD, ""]), encoding="utf-8")

    def having(self, **environment):
        """The same, with more in the environment."""
        other = object.__new__(View)
        other.__dict__.update(self.__dict__)
        other._environment = [*self._environment, *(f"{key}={value}" for key, value in environment.items())]
        return other

    def inside(self, *argv):
        return self.namespace.inside("sh", self._script, "env", *self._environment, *argv)

    def run(self, *argv, **how):
        return run(self.inside(*argv), **how)

    def ip(self, words):
        return self.namespace.ip(words)

    def processes(self):
        """{id: name} of what runs in here."""
        return processes(self.namespace)

    def connections(self):
        """[(own address:port, the other's)] of TCP connections that are open."""
        table = self.namespace.run("ss", "-Htn", "state", "established")
        return [tuple(line.split()[2:4]) for line in table.splitlines()]


def processes(namespace):
    found = {}
    for pid in map(int, check(["ip", "netns", "pids", namespace.name]).split()):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
            found[pid] = comm.read().strip()
    return found


def kill_all(namespace):
    """What is left of what was started in there."""
    for pid in processes(namespace):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: not processes(namespace), "everything in a namespace to be gone")


def write(path, text, mode=0o644):
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def write_script(path, *lines):
    return write(path, "\n".join(["#!/bin/sh", *lines, ""]), 0o755)


def make_folder(*parts, mode=0o755):
    path = pathlib.Path(*parts)
    path.mkdir()
    path.chmod(mode)
    return path


def make_key(path, passphrase=""):
    check(["ssh-keygen", "-q", "-t", "ed25519", "-a", "1", "-N", passphrase, "-C", path.name, "-f", path])
    return path


def public(key):
    return pathlib.Path(f"{key}.pub").read_text(encoding="utf-8")


def users(homes):
    """passwd with the machine's users; those of `homes`, {name: (uid, home, shell)}, are ours."""
    with open("/etc/passwd", encoding="utf-8") as file:
        kept = [line for line in file.read().splitlines() if line.split(":")[0] not in homes]
    ours = [f"{name}:x:{uid}:{uid}:{name}:{home}:{shell}" for name, (uid, home, shell) in homes.items()]
    ours.sort(key=lambda line: not line.startswith("root:"))  # the first one of a uid is its name
    return "\n".join([*ours, *kept, ""])


NSSWITCH = "passwd: files\ngroup: files\nshadow: files\nhosts: {}\n"


class Keys:
    """`user` is let in by every host, `agent` and `locked` (with a passphrase) too; `certified` has a certificate of an
    authority that the hosts trust; nobody knows `stranger`."""

    NAMES = ("user", "agent", "locked", "certified", "stranger")

    def __init__(self, folder):
        self.folder = make_folder(folder, "keys")
        for name in self.NAMES:
            make_key(self[name], PASSPHRASE if name == "locked" else "")
        self.authority = make_key(self.folder / "authority")
        check(["ssh-keygen", "-q", "-s", self.authority, "-I", "a-certificate", "-n", "root", "-V", "-5m:+1h",
               self["certified"]])
        self.authorized = write(self.folder / "authorized_keys", "".join(map(public, map(self.__getitem__, (
            "user", "agent", "locked")))))

    def __getitem__(self, name):
        return self.folder / f"key_{name}"

    def copy_to(self, folder, uid):
        """Those that a user has as files; the agent's he has not."""
        for path in self.folder.glob("key_*"):
            if not path.name.startswith("key_agent"):
                shutil.copy(path, folder)
                os.chown(folder / path.name, uid, uid)


# --- the far end

SSHD_CONFIG = """\
Port {port}
AddressFamily inet
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {keys.authorized}
TrustedUserCAKeys {keys.authority}.pub
StrictModes no
UsePAM no
UseDNS no
KexAlgorithms curve25519-sha256
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
MaxStartups 100
MaxSessions 100
LogLevel VERBOSE
SetEnv {environment}
{more}
"""


class Host:
    """A host with a sshd. Its `vb` receives what is sent on `va` of `peer`; its programs find `rxtxcpu` in `bin`."""

    def __init__(self, name, folder, keys, pair):
        self.name, self.pair, self.namespace, self.peer = name, pair, pair.b, pair.a
        self.folder = make_folder(folder, name)
        self.bin = make_folder(self.folder, "bin")
        self.program = pathlib.Path(shutil.copy(paths.PROGRAM, self.bin / "rxtxcpu"))
        self.key = make_key(self.folder / "host_key")
        self.view = View(self.namespace, self.folder / "enter", self._files(),
                         prepare="mount -t tmpfs none /run; mkdir /run/sshd")
        self._config = self._configure(keys)
        self.start()

    def _files(self):
        homes = {}
        for name, uid, shell in (("root", 0, "/bin/sh"), ("captor", CAPTOR, "/bin/sh"), ("noisy", 0, "/bin/bash")):
            homes[name] = (uid, make_folder(self.folder, f"home-{name}"), shell)
            os.chown(homes[name][1], uid, uid)
        write(self.folder / "home-noisy/.bashrc", "echo Welcome to this host.\n")
        shadow = "".join(f"{name}:*:19000:0:99999:7:::\n" for name in homes)
        return {"/etc/passwd": write(self.folder / "passwd", users(homes)),
                "/etc/shadow": write(self.folder / "shadow", shadow, 0o640),
                "/etc/nsswitch.conf": write(self.folder / "nsswitch.conf", NSSWITCH.format("files")),
                "/etc/sudoers": write(self.folder / "sudoers", "captor ALL=(ALL) ALL\n", 0o440)}

    def _configure(self, keys):
        words = {"PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **sanitizer.environment()}
        environment = " ".join(f'"{key}={value}"' for key, value in words.items())
        for more in ("PerSourcePenalties no", ""):  # which OpenSSH has since 9.8
            config = write(self.folder / "sshd_config", SSHD_CONFIG.format(
                port=PORT, folder=self.folder, keys=keys, environment=environment, more=more))
            tried = self.view.run(DAEMON, "-t", "-f", config)
            if tried.status == 0:
                return config
        raise AssertionError(tried.stderr)

    def start(self):
        self._log = self.folder / "sshd.log"
        words = (DAEMON, "-D", "-f", self._config, "-E", self._log)
        self._daemon = Process(self.view.inside(*sanitizer.launcher(), *words))
        eventually(lambda: self.log().count("listening on"), "sshd to listen")

    def allow_without_password(self, allowed):
        """What sudo lets `captor` do."""
        rule = f"captor ALL=(ALL) {'NOPASSWD: ' if allowed else ''}ALL\n"
        (self.folder / "sudoers").write_text(rule, encoding="utf-8")

    def log(self):
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    @property
    def daemon(self):
        return self._daemon.pid

    def sessions(self):
        """{id: name} of all that runs here but the daemon that listens."""
        return {pid: name for pid, name in self.view.processes().items() if pid != self.daemon}

    def end_sessions(self):
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def programs(self, name="rxtxcpu"):
        return [pid for pid, comm in self.sessions().items() if comm == name]

    def is_idle(self):
        """Nothing runs here, no packet socket is open and no handler for one registered."""
        handlers = self.namespace.run("cat", "/proc/net/ptype")
        return not self.sessions() and not self.namespace.packet_sockets() and "packet_rcv" not in handlers \
            and "tpacket_rcv" not in handlers

    def close(self):
        kill_all(self.namespace)
        self._daemon.kill()


# --- the near end

SSH_CONFIG = """\
Host web1 web1-*
    HostName 10.77.1.2
    HostKeyAlias web1
Host web2 web2-*
    HostName 10.77.2.2
Host inner1
    HostName 10.77.4.2
    HostKeyAlias web1
    ProxyJump jump
Host jump
    HostName 10.77.3.2
Host *-fast
    ControlMaster auto
    ControlPath {folder}/mux-%C
    ControlPersist 600
Host *-agent
    IdentityFile none
    IdentitiesOnly no
Host *-certificate
    IdentityFile ~/.ssh/key_certified
Host *-locked
    IdentityFile ~/.ssh/key_locked
Host *-stranger
    IdentityFile ~/.ssh/key_stranger
Host *-refused
    Port {refused}
Host *-captor
    User captor
Host *-noisy
    User noisy
Host web1 web1-* web2 web2-* jump inner1 !*-agent !*-certificate !*-locked !*-stranger
    IdentityFile ~/.ssh/key_user
Host web1 web1-* web2 web2-* jump inner1
    User root
    Port {port}
    IdentitiesOnly yes
"""

# The first value of an option counts: these come before all others.
SPECIAL_HOSTS = """\
Host web1-unknown
    HostKeyAlias never-seen
Host web1-changed
    HostKeyAlias seen-otherwise
Host web1-silent
    HostName 10.77.1.99
Host web2 web2-*
    HostKeyAlias web2
Host jump
    HostKeyAlias jump
"""


HOSTS = "127.0.0.1 localhost\n10.77.1.2 web1.lab\n10.77.2.2 web2.lab\n"


class Near:
    """Where rxtxcpu and ssh run: as root in `view`, and as nobody, whose home is `home` of the same name."""

    USERS = {"root": 0, "nobody": user.UID}

    def __init__(self, folder, keys, namespace):
        self.folder, self.namespace, self.keys = make_folder(folder, "near"), namespace, keys
        self.folder.chmod(0o1777)  # for the sockets of either user
        self.homes = {name: self._make_home(name, uid) for name, uid in self.USERS.items()}
        self.view = View(namespace, self.folder / "enter", self._files("files"))
        self.with_dns = View(namespace, self.folder / "enter-with-dns", self._files("dns"))

    def _make_home(self, name, uid):
        home = make_folder(self.folder, f"home-{name}")
        ssh = make_folder(home, ".ssh", mode=0o700)
        write(ssh / "config", SPECIAL_HOSTS + SSH_CONFIG.format(folder=self.folder, refused=NOBODY_LISTENS, port=PORT))
        self.keys.copy_to(ssh, uid)
        for path in (home, *home.rglob("*")):
            os.chown(path, uid, uid)
        return home

    def _files(self, hosts_from):
        homes = {name: (uid, self.homes[name], "/bin/sh") for name, uid in self.USERS.items()}
        etc_ssh = self.folder / "etc-ssh"
        etc_ssh.mkdir(exist_ok=True)
        return {"/etc/passwd": write(self.folder / "passwd", users(homes)),
                "/etc/ssh": etc_ssh,
                "/etc/hosts": write(self.folder / "hosts", HOSTS),
                "/etc/nsswitch.conf": write(self.folder / f"nsswitch-{hosts_from}", NSSWITCH.format(hosts_from))}

    def know(self, hosts):
        """Writes down the keys of the hosts, once all of them are right and one wrong."""
        def line(name, key):
            return f"{name} {' '.join(public(key).split()[:2])}"

        lines = [line(name, host.key) for host in hosts for name in (host.name, f"[{host.name}.lab]:{PORT}")]
        lines.append(line("seen-otherwise", self.keys["stranger"]))
        for name, home in self.homes.items():
            os.chown(write(home / ".ssh/known_hosts", "\n".join([*lines, ""])), self.USERS[name], self.USERS[name])

    def agent(self, *names):
        """A running agent that has these keys, as a Process; its socket is `agent.socket` in the folder."""
        socket = self.folder / "agent.socket"
        agent = Process(self.view.inside("ssh-agent", "-D", "-a", socket))
        eventually(socket.exists, "the agent's socket")
        for name in names:
            check(["ssh-add", "-q", self.keys[name]], env={"SSH_AUTH_SOCK": str(socket)})
        return agent, socket

    def askpass(self, answer):
        """A program that answers the question for a passphrase, and the file that tells how it was asked."""
        asked = write(self.folder / "asked", "", 0o666)
        path = write_script(self.folder / "askpass", f'printf "%s\\n" "$1" >> {asked}', f'echo "{answer}"')
        return path, asked


class Lab:
    """near, web1 and web2, and a jump host behind which web1 is `inner1`."""

    def __init__(self, folder):
        self.folder = folder
        with contextlib.ExitStack() as made:
            near = made.enter_context(Namespace("n"))
            pairs = [made.enter_context(VethPair(queues=4)) for _host in range(3)]
            made.callback(kill_all, near)
            for number, pair in enumerate(pairs, 1):
                connect(near, f"n{number}", pair.b, "ssh0", f"10.77.{number}")
            connect(pairs[2].b, "in0", pairs[0].b, "in0", "10.77.4")
            near.ip("neighbour replace 10.77.1.99 lladdr 02:00:00:00:00:99 dev n1 nud permanent")
            self.keys = Keys(folder)
            self.hosts = []
            for name, pair in zip(("web1", "web2", "jump"), pairs):
                self.hosts.append(Host(name, folder, self.keys, pair))
                made.callback(self.hosts[-1].close)
            self.web1, self.web2, self.jump = self.hosts
            self.near = Near(folder, self.keys, near)
            self.near.know(self.hosts)
            self._stack = made.pop_all()

    def ssh(self, *words, **how):
        """Runs ssh as root at the near end."""
        return self.near.view.run("ssh", *words, **how)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._stack.close()


def connect(one, device, other, other_device, net):
    """A link between two namespaces, .1 at one's end and .2 at the other's."""
    one.ip(f"link add {device} type veth peer name {other_device} netns {other.name}")
    for namespace, name, number in ((one, device, 1), (other, other_device, 2)):
        namespace.ip(f"link set {name} addrgenmode none")
        namespace.ip(f"address add {net}.{number}/24 dev {name}")
        namespace.ip(f"link set {name} up")
    for namespace, name in ((one, device), (other, other_device)):
        eventually(lambda: namespace.link(name)["operstate"] == "UP", f"{name} to be up")
        namespace.ip(f"route replace {net}.0/24 dev {name} quickack 1")  # half of the time of a connection by ssh
