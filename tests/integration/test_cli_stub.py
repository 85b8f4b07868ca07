# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line tool against a daemon of straw: what it prints, and how it ends.

MUSTER is the tool. Each test has a bus and a stub (stub_musterd.py) of its own.
"""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import dbus
import pytest

OK, FAILED, USAGE, TIMED_OUT, BECAME_FAILURE, NOT_FOUND, AMBIGUOUS, NO_DAEMON, REFUSED = range(9)

HERE = os.path.dirname(os.path.abspath(__file__))
MUSTER = os.environ["MUSTER"]
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
PATIENCE = 20  # seconds; only a broken tool uses them up


class Terminal:
    """The tool on a terminal of its own."""

    def __init__(self, arguments, env):
        self.output = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(MUSTER, [MUSTER, *arguments], env)

    def read(self):
        """Returns: whether there was anything."""
        if not select.select([self.fd], [], [], PATIENCE)[0]:
            raise AssertionError(f"nothing more came after {self.output!r}")
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.output += data
        return data != b""

    def expect(self, text):
        while text.encode() not in self.output:
            assert self.read(), f"ended after {self.output!r}"

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        while self.read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Follower:
    """The tool running on, its output a pipe."""

    def __init__(self, arguments, env):
        self.process = subprocess.Popen([MUSTER, *arguments], env=env, stdout=subprocess.PIPE, bufsize=0)
        self.buffer = b""

    def has_line(self, patience):
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], patience)[0]:
                return False
            data = self.process.stdout.read(65536)
            assert data, "it ended"
            self.buffer += data
        return True

    def line(self):
        assert self.has_line(PATIENCE), "no line came"
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode()

    def object(self):
        return json.loads(self.line())

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return status


class World:
    """A bus, a stub on it, and the tool."""

    def __init__(self, data_home):
        self.services = data_home / "dbus-1" / "services"
        self.services.mkdir(parents=True)
        self.bus_process = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env={**os.environ, "XDG_DATA_HOME": str(data_home)})
        self.address = self.bus_process.stdout.readline().strip()
        self.env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.address, "TZ": "UTC", "TERM": "xterm",
                    "LC_ALL": "C.UTF-8"}
        self.env.pop("NO_COLOR", None)
        self.connection = dbus.bus.BusConnection(self.address)
        self.stub_process = None

    def start_stub(self):
        self.stub_process = subprocess.Popen([sys.executable, os.path.join(HERE, "stub_musterd.py")], env=self.env)
        deadline = time.monotonic() + PATIENCE
        while not self.is_running():
            assert time.monotonic() < deadline and self.stub_process.poll() is None
            select.select([], [], [], 0.02)
        self.stub = dbus.Interface(
            self.connection.get_object("org.muster.Muster1", "/org/muster/Muster1", introspect=False),
            "org.muster.Stub")

    def install_stub(self):
        """Has the bus start the stub when somebody calls it; the stub ends with the bus."""
        (self.services / "org.muster.Muster1.service").write_text(
            "[D-BUS Service]\nName=org.muster.Muster1\n"
            f"Exec={sys.executable} {os.path.join(HERE, 'stub_musterd.py')}\n")
        self.connection.call_blocking("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                      "ReloadConfig", "", ())

    def is_running(self):
        return self.connection.name_has_owner("org.muster.Muster1")

    def stop_stub(self):
        self.stub_process.terminate()
        self.stub_process.wait(PATIENCE)

    def end(self):
        if self.stub_process is not None and self.stub_process.poll() is None:
            self.stop_stub()
        self.connection.close()
        self.bus_process.terminate()
        self.bus_process.wait(PATIENCE)
        self.bus_process.stdout.close()

    def run(self, *arguments, status=OK, stdin="", fds=(), env=None):
        done = subprocess.run([MUSTER, *arguments], env={**self.env, **(env or {})}, input=stdin, pass_fds=fds,
                              capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == status, done
        if status != OK:
            assert done.stderr.startswith("muster: ") and done.stderr.count("\n") == 1, done.stderr
        return done

    def out(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.stderr == "", done.stderr
        return done.stdout

    def err(self, status, *arguments, **options):
        return self.run(*arguments, status=status, **options).stderr

    def json(self, *arguments, **options):
        return json.loads(self.run("--json", *arguments, **options).stdout)

    def add(self, address, *arguments, protocol="echo", **options):
        return self.json("add", "--wait", protocol, address, *arguments, **options)

    def follow(self, *arguments):
        return Follower(arguments, self.env)

    def terminal(self, *arguments, **env):
        return Terminal(arguments, {**self.env, **env})

    def change(self, address, values):
        self.stub.Change(address, dbus.Dictionary(values, signature="sv"))

    def emit(self, time_us, type, address="", payload=()):
        self.emit_together([(time_us, type, address, payload)])

    def emit_together(self, events):
        self.stub.Emit(dbus.Array([(dbus.UInt64(time_us), type, address, dbus.Dictionary(payload, signature="sv"))
                                   for time_us, type, address, payload in events], signature="(tssa{sv})"))

    def secret(self, address, name):
        return bytes(self.stub.Secret(address, name))


@pytest.fixture
def empty(tmp_path):
    world = World(tmp_path)
    yield world
    world.end()


@pytest.fixture
def world(empty):
    empty.start_stub()
    return empty


def pipe_with(data):
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return reader


# No daemon, no bus, no sense


def test_version_and_help_need_no_daemon(empty):
    assert re.fullmatch(r"muster \d+\.\d+\.\d+\n", empty.out("--version"))
    overview = empty.out("help")
    assert overview == empty.out("--help")
    for command in empty.out("complete", "commands").split():
        assert f"  {command} " in overview
        assert empty.out("help", command).startswith(f"Usage:\n  muster {command} ")
        assert empty.out(command, "--help") == empty.out("help", command)


def test_no_daemon(empty):
    assert "musterd is not running" in empty.err(NO_DAEMON, "list")
    for arguments in (["show", "a"], ["add", "echo", "a@b"], ["monitor"], ["events"], ["log"], ["status"],
                      ["protocols"], ["plugin"], ["identity"], ["enable", "a", "b"]):
        empty.err(NO_DAEMON, *arguments)


def test_the_bus_starts_the_daemon(empty):
    empty.install_stub()
    assert empty.json("status")["version"] == "9.9.9" and empty.is_running()


def test_no_bus(empty):
    assert "session bus" in empty.err(NO_DAEMON, "list", env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"})


@pytest.mark.parametrize("arguments, hint", [
    ([], "which command"),
    (["lsit"], "did you mean 'list'"),
    (["xyzzy"], "'muster help'"),
    (["--jsn", "list"], "--jsn"),
    (["list", "--nonsense"], "--nonsense"),
    (["list", "extra"], "usage"),
    (["list", "--state", "registerd"], "did you mean 'registered'"),
    (["list", "--state", "zzzzzzz"], "only disabled, "),
    (["show"], "usage: muster show ACCOUNT"),
    (["add"], "usage: muster add [PROTOCOL] ADDRESS"),
    (["test", "echo", "a@b", "c"], "usage: muster test [PROTOCOL] ADDRESS"),
    (["connect"], "usage"),
    (["disconnect", "--wait=x", "a"], "1 to 86400"),
    (["import"], "usage: muster import FILE"),
    (["debug", "--past", "--for", "3"], "exclude"),
    (["debug", "--for", "0"], "1 to 86400"),
    (["add", "echo", "a@b", "--wait=0"], "1 to 86400"),
    (["add", "echo", "a@b", "--wait", "--disabled"], "--disabled"),
    (["set", "a"], "nothing to change"),
    (["secret", "a", "password"], "no terminal"),
    (["secret", "a", "password", "hunter2"], "read by everybody"),
    (["secret", "a", "password", "-", "--clear"], "exclude"),
    (["secret", "a", "password", "--fd", "777"], "not open"),
    (["secret", "a", "password", "--fd", "1"], "not a descriptor"),
    (["enable"], "usage"),
    (["enable", "--wait=x", "a"], "1 to 86400"),
    (["remove"], "usage"),
    (["log", "--limit", "many"], "not a number"),
    (["monitor", "--for", "-1"], "1 to 86400"),
    (["plugin", "frobnicate"], "usage: muster plugin"),
    (["identity", "rename", "x"], "usage: muster identity"),
    (["help", "lsit"], "did you mean 'list'"),
])
def test_wrong_usage_is_told_before_the_daemon_is_asked(empty, arguments, hint):
    message = empty.err(USAGE, *arguments)
    assert hint in message and "hunter2" not in message


def test_arguments_must_be_utf8(empty):
    done = subprocess.run([MUSTER.encode(), b"show", b"\xff"], env=empty.env, capture_output=True)
    assert done.returncode == USAGE and b"UTF-8" in done.stderr


# Accounts: add, list, show, explain


def test_add_with_typed_parameters(world):
    account = world.add("alice@example.org", "--set", "server=sip=1.example.org", "--set", "port=5070",
                        "--set", "verify=no", "--name", "Work")
    assert account["parameters"] == {"server": "sip=1.example.org", "port": 5070, "verify": False}
    assert account["state"] == "registered" and account["enabled"] is True
    assert account["name"] == "Work" and account["identity-name"] == "Me"
    assert account["identity"] == "aidentity0001" and account["id"] == "aaccount00002"


def test_json_has_true_types(world):
    account = world.add("alice@example.org")
    assert account["registered-at"] == "2025-07-05T07:20:00.123456Z"
    assert account["next-attempt-at"] is None and account["error"] is None and account["reason"] is None
    assert account["attempt"] == 0 and account["refreshes"] == 0 and account["bindings"] == []
    world.add("refused@example.org", status=BECAME_FAILURE)
    refused = world.json("show", "refused")
    assert refused["error"] == "refused"
    assert refused["error-details"] == {"message": "the password is wrong", "protocol-code": 403,
                                        "time": "2025-07-05T07:20:00.123456Z"}
    assert world.json("list") == [world.json("show", "alice"), refused]


@pytest.mark.parametrize("arguments, status, hint", [
    (["ecko", "a@b"], NOT_FOUND, "did you mean 'echo'"),
    (["echo", "nonsense"], REFUSED, "cannot add nonsense: an address is name@domain"),
    (["echo", "a@b", "--set", "prot=1"], USAGE, "echo has no parameter 'prot'; did you mean 'port'?"),
    (["echo", "a@b", "--set", "frobnication=1"], USAGE, "'muster protocols echo'"),
    (["echo", "a@b", "--set", "port=many"], USAGE, "'port' is a whole number"),
    (["echo", "a@b", "--set", "port=-1"], USAGE, "'port' is a whole number"),
    (["echo", "a@b", "--set", "port=4294967296"], USAGE, "'port' is a whole number"),
    (["echo", "a@b", "--set", "port=70000"], REFUSED, "at most 65535"),
    (["echo", "a@b", "--set", "verify=perhaps"], USAGE, "true or false"),
    (["echo", "a@b", "--set", "port"], USAGE, "NAME=VALUE"),
    (["echo", "a@b", "--set", "port=1", "--set", "port=2"], USAGE, "given twice"),
    (["echo", "a@b", "--set", "password=hunter2"], USAGE, "is a secret"),
    (["echo", "a@b", "--secret", "password=hunter2"], USAGE, "read by everybody"),
    (["echo", "a@b", "--secret", "port=-"], USAGE, "'port' is no secret"),
    (["echo", "a@b", "--secret", "pasword=-"], USAGE, "did you mean 'password'"),
    (["echo", "a@b", "--secret", "password=-"], USAGE, "is empty"),
    (["plain", "a@b", "--password-fd", "0"], USAGE, "plain has no secret 'password'"),
    (["echo", "a@b", "--identity", "Nobody"], NOT_FOUND, "no identity matches 'Nobody'"),
])
def test_add_refuses(world, arguments, status, hint):
    message = world.err(status, "add", *arguments)
    assert hint in message and "hunter2" not in message
    assert world.json("list") == []


def test_add_twice_is_refused(world):
    world.add("alice@example.org")
    assert "there is a echo account" in world.err(REFUSED, "add", "echo", "alice@example.org")


def test_add_names_an_identity(world):
    world.out("identity", "add", "Alice")
    world.out("identity", "add", "Bob")
    assert world.add("x@example.org", "--identity", "Bob")["identity-name"] == "Bob"


def test_secrets_arrive_as_they_were_but_for_one_newline(world):
    world.add("a@b", "--secret", "password=-", stdin="pass word\n")
    assert world.secret("a@b", "password") == b"pass word"
    world.add("c@d", "--secret", "password=-", stdin="two\n\n")
    assert world.secret("c@d", "password") == b"two\n"
    fd, other = pipe_with(b"\0binary\xff"), pipe_with(b"t")
    account = world.add("e@f", "--password-fd", str(fd), "--secret-fd", f"token={other}", fds=(fd, other))
    assert account["secrets"] == ["password", "token"]
    assert world.secret("e@f", "password") == b"\0binary\xff" and world.secret("e@f", "token") == b"t"


def test_a_secret_has_at_most_64_kb(world):
    world.add("a@b", "--secret", "password=-", stdin="x" * 65536 + "\n")
    assert len(world.secret("a@b", "password")) == 65536
    assert "longer than 64 kB" in world.err(USAGE, "add", "echo", "c@d", "--secret", "password=-", stdin="x" * 65537)


def test_secrets_given_twice(world):
    fd = pipe_with(b"x")
    assert "twice" in world.err(USAGE, "add", "echo", "a@b", "--secret", "password=-", "--password-fd", str(fd),
                                stdin="y", fds=(fd,))
    assert "standard input" in world.err(USAGE, "add", "echo", "a@b", "--secret", "password=-", "--secret",
                                         "token=-", stdin="y")


def test_the_password_is_asked_for_without_echo(world):
    terminal = world.terminal("add", "echo", "alice@example.org", "--wait")
    terminal.expect("Password of alice@example.org: ")
    terminal.type("wrong\x15hunx\x7fter2\n")
    assert terminal.end() == OK
    assert world.secret("alice@example.org", "password") == b"hunter2"
    assert b"hun" not in terminal.output and b"wrong" not in terminal.output


def test_no_answer_is_no_password(world):
    terminal = world.terminal("add", "echo", "alice@example.org")
    terminal.expect("Password of alice@example.org: ")
    terminal.type("\n")
    assert terminal.end() == OK
    assert world.json("show", "alice")["secrets"] == []


def test_a_required_secret_is_asked_for_and_must_be_given(world):
    for answer, status in (("\n", USAGE), ("1234\n", OK)):
        terminal = world.terminal("add", "strict", "alice@example.org")
        terminal.expect("PIN\\x1b[1m of alice@example.org: ")
        terminal.type(answer)
        assert terminal.end() == status
    assert world.secret("alice@example.org", "pin") == b"1234"


def test_interrupting_the_question_adds_nothing(world):
    terminal = world.terminal("add", "echo", "alice@example.org")
    terminal.expect("Password of alice@example.org: ")
    terminal.type("\x03")
    assert terminal.end() == -signal.SIGINT
    assert world.json("list") == []


def test_no_ask_does_not_ask(world):
    terminal = world.terminal("add", "--no-ask", "echo", "alice@example.org")
    assert terminal.end() == OK
    assert b"Password of" not in terminal.output


def test_wait_tells_by_its_exit_code(world):
    done = world.run("add", "echo", "refused@example.org", "--wait", status=BECAME_FAILURE)
    assert done.stderr == ("muster: refused@example.org is waiting-secret (refused: the password is wrong)\n")
    done = world.run("add", "echo", "slow@example.org", "--wait=1", status=TIMED_OUT)
    assert "slow@example.org is still registering" in done.stderr
    world.err(BECAME_FAILURE, "add", "echo", "failed@example.org", "--wait")
    world.run("add", "echo", "alice@example.org", "--wait")
    world.run("add", "echo", "off@example.org", "--disabled")
    assert world.json("show", "off")["state"] == "disabled"


def test_list_pages_through_all_and_filters(world):
    for i in (3, 1, 5, 2, 4):
        world.add(f"user{i}@example.org", protocol="plain" if i == 3 else "echo")
    assert [a["address"] for a in world.json("list")] == [f"user{i}@example.org" for i in range(1, 6)]
    assert [a["address"] for a in world.json("list", "--protocol", "plain")] == ["user3@example.org"]
    assert world.json("list", "--state", "failed") == []
    assert len(world.json("list", "--state", "registered", "--identity", "Me")) == 5
    world.err(NOT_FOUND, "list", "--identity", "Nobody")
    world.err(NOT_FOUND, "list", "--protocol", "pigeon")


def test_list_for_people(world):
    assert world.out("list") == ""
    world.add("alice@example.org")
    lines = world.out("list").splitlines()
    assert re.split(r"  +", lines[0]) == ["ID", "ADDRESS", "PROTOCOL", "STATE", "LEASE ENDS"]
    assert lines[1].startswith("aaccount00002  alice@example.org  echo") and "registered" in lines[1]
    assert "\033" not in lines[1]


def test_colours_only_on_a_terminal_that_wants_them(world):
    world.add("alice@example.org")
    terminal = world.terminal("list")
    assert terminal.end() == OK and b"\033[32mregistered\033[0m" in terminal.output
    terminal = world.terminal("list", NO_COLOR="1")
    assert terminal.end() == OK and b"\033" not in terminal.output


def test_show_for_people(world):
    world.add("alice@example.org", "--set", "port=5070")
    page = dict(re.split(r"  +", line, maxsplit=1) for line in world.out("show", "alice").splitlines())
    assert page["address"] == "alice@example.org" and page["parameters"] == "port=5070"
    assert page["registered"].startswith("2025-07-05 07:20:00 (") and page["enabled"] == "yes"
    assert "error" not in page


def test_selectors(world):
    world.add("alice@example.org")
    world.add("alina@example.org")
    for selector in ("alice@example.org", "alic", "aaccount00002"):
        assert world.json("show", selector)["address"] == "alice@example.org"
    assert "more than one account" in world.err(AMBIGUOUS, "show", "ali")
    assert "'muster list'" in world.err(NOT_FOUND, "show", "bob")
    assert "'\\x1b[31mbob'" in world.err(NOT_FOUND, "show", "\033[31mbob")


def test_explain(world):
    world.add("alice@example.org")
    assert world.out("explain", "alice").splitlines() == [
        "yes  enabled      it is switched on", "yes  secret       the service took the \\x1b[31mpassword"]
    world.run("add", "echo", "refused@example.org", "--wait", status=BECAME_FAILURE)
    explained = world.json("explain", "refused")
    assert explained["state"] == "waiting-secret"
    assert [c["holds"] for c in explained["conditions"]] == [True, False]
    world.err(NOT_FOUND, "explain", "bob")


# Accounts: change


def test_set(world):
    world.add("alice@example.org", "--set", "port=5070", "--secret", "password=-", stdin="x")
    done = world.json("set", "alice", "verify=off", "--unset", "port", "--name", "Work")
    assert done["effect"] == "reregister" and done["detached"] == []
    account = world.json("show", "alice")
    assert account["parameters"] == {"verify": False} and account["name"] == "Work"
    assert world.json("set", "alice", "server=evil.example.org")["detached"] == ["password"]
    assert world.json("set", "alice", "--name", "Home")["effect"] == "none"
    assert world.out("set", "alice", "port=1") == "changed alice@example.org (it is registered again if it is enabled)\n"
    assert world.out("set", "alice", "--name", "Work") == "changed alice@example.org\n"


@pytest.mark.parametrize("arguments, status, hint", [
    (["alice", "prot=1"], USAGE, "did you mean 'port'"),
    (["alice", "--unset", "prot"], USAGE, "did you mean 'port'"),
    (["alice", "port=x"], USAGE, "whole number"),
    (["alice", "password=x"], USAGE, "is a secret"),
    (["alice", "port=70000"], REFUSED, "cannot change alice@example.org: 'port' is at most 65535"),
    (["bob", "port=1"], NOT_FOUND, "no account matches 'bob'"),
])
def test_set_refuses(world, arguments, status, hint):
    world.add("alice@example.org")
    assert hint in world.err(status, "set", *arguments)
    assert world.json("show", "alice")["parameters"] == {}


def test_secret(world):
    world.add("alice@example.org")
    assert world.out("secret", "alice", "password", "-", stdin="hunter2\n") == \
        "stored 'password' of alice@example.org\n"
    assert world.secret("alice@example.org", "password") == b"hunter2"
    fd = pipe_with(b"other")
    assert world.json("secret", "alice", "password", "--fd", str(fd), fds=(fd,))["stored"] is True
    assert world.secret("alice@example.org", "password") == b"other"
    assert world.json("secret", "alice", "password", "--clear")["stored"] is False
    assert world.json("show", "alice")["secrets"] == []
    assert "no secret 'password'" in world.err(NOT_FOUND, "secret", "alice", "password", "--clear")
    assert "did you mean 'token'" in world.err(USAGE, "secret", "alice", "tokn", "-", stdin="x")
    assert "'port' is no secret" in world.err(USAGE, "secret", "alice", "port", "-", stdin="x")
    terminal = world.terminal("secret", "alice", "token")
    terminal.expect("token of alice@example.org: ")
    terminal.type("asked\n")
    assert terminal.end() == OK and world.secret("alice@example.org", "token") == b"asked"


def test_enable_and_disable(world):
    for address in ("alice@example.org", "bob@example.org"):
        world.add(address)
    off = world.json("disable", "--wait", "alice", "bob")
    assert [(a["address"], a["state"], a["enabled"]) for a in off] == [
        ("alice@example.org", "disabled", False), ("bob@example.org", "disabled", False)]
    assert [a["state"] for a in world.json("enable", "bob", "--wait=5")] == ["registered"]
    assert [a["state"] for a in world.json("list")] == ["disabled", "registered"]


def test_many_selectors_go_on_after_an_error(world):
    world.add("alice@example.org")
    done = world.run("--json", "disable", "--wait", "nobody", "alice", status=NOT_FOUND)
    assert "'nobody'" in done.stderr
    assert [a["state"] for a in json.loads(done.stdout)] == ["disabled"]


def test_enable_waits_for_what_becomes_of_it(world):
    world.run("add", "echo", "refused@example.org", "--disabled")
    world.run("add", "echo", "slow@example.org", "--disabled")
    assert "waiting-secret" in world.err(BECAME_FAILURE, "enable", "--wait", "refused")
    world.err(TIMED_OUT, "enable", "--wait=1", "slow")
    world.run("enable", "slow")


def test_refresh(world):
    world.add("alice@example.org")
    assert world.json("refresh", "--wait", "alice")[0]["refreshes"] == 1
    world.run("set", "alice", "--name", "stuck")
    assert "is still registered" in world.err(TIMED_OUT, "refresh", "--wait=1", "alice")
    world.run("set", "alice", "--name", "turned down")
    world.err(BECAME_FAILURE, "refresh", "--wait", "alice")
    assert "cannot refresh alice@example.org: it is waiting-secret" in world.err(REFUSED, "refresh", "alice")
    world.err(NOT_FOUND, "refresh", "bob")


def test_retry(world):
    world.run("add", "echo", "failed@example.org", "--wait", status=BECAME_FAILURE)
    assert world.json("retry", "failed")[0]["state"] == "registering"
    world.add("alice@example.org")
    assert "nothing to retry" in world.err(REFUSED, "retry", "alice")


def test_remove(world):
    for address in ("alice@example.org", "bob@example.org", "carol@example.org"):
        world.add(address)
    assert world.out("remove", "alice") == "removed alice@example.org\n"
    removed = world.json("remove", "--yes", "bob")
    assert [(r["address"], r["removed"]) for r in removed] == [("bob@example.org", True)]
    world.err(NOT_FOUND, "remove", "bob")
    for answer, status, left in (("n\n", FAILED, 1), ("y\n", OK, 0)):
        terminal = world.terminal("remove", "carol")
        terminal.expect("Remove the echo account carol@example.org and its secrets? [y/N] ")
        terminal.type(answer)
        assert terminal.end() == status
        assert len(world.json("list")) == left


# Watching


def test_monitor_json(world):
    world.add("alice@example.org")
    follower = world.follow("monitor", "--json")
    first = follower.object()
    assert first["change"] == "initial" and first["address"] == "alice@example.org"
    assert RFC3339.fullmatch(first["time"]) and first["expires-at"] == "2025-07-05T07:30:00.123456Z"
    world.change("alice@example.org", {"State": "waiting-retry", "Reason": "unreachable",
                                       "Attempt": dbus.UInt32(1)})
    second = follower.object()
    assert (second["change"], second["state"], second["attempt"]) == ("changed", "waiting-retry", 1)
    world.change("alice@example.org", {"Reason": "unreachable"})  # no change, no line
    world.run("add", "echo", "slow@example.org")
    added = follower.object()
    assert (added["change"], added["identity-name"]) == ("added", "Me")
    world.run("remove", "slow")
    assert follower.object()["change"] == "removed"
    assert follower.interrupt() == OK


def test_monitor_of_some(world):
    world.add("alice@example.org")
    world.add("bob@example.org")
    follower = world.follow("monitor", "bob")
    assert "  bob@example.org  registered, lease ends " in follower.line()
    world.change("alice@example.org", {"State": "failed"})
    world.change("bob@example.org", {"State": "waiting-retry", "Reason": "busy\033[2J"})
    assert "  bob@example.org  waiting-retry (busy\\x1b[2J)" in follower.line()
    assert follower.interrupt() == OK
    world.err(NOT_FOUND, "monitor", "nobody")


def test_monitor_lives_through_a_restart(world):
    world.add("alice@example.org")
    follower = world.follow("monitor", "--json")
    assert follower.object()["change"] == "initial"
    world.stop_stub()
    assert follower.object()["change"] == "daemon-stopped"
    world.start_stub()
    assert follower.object()["change"] == "daemon-started"
    assert follower.object()["change"] == "removed"  # the stub forgets
    world.run("add", "echo", "slow@example.org")
    assert follower.object()["change"] == "added"
    assert follower.interrupt() == OK


def test_monitor_ends_with_its_time_and_with_its_bus(world):
    assert world.out("monitor", "--for", "1") == ""
    follower = world.follow("monitor", "--json")
    world.add("alice@example.org")
    follower.line()
    world.bus_process.terminate()
    assert follower.process.wait(PATIENCE) == NO_DAEMON


def test_monitor_on_a_terminal_redraws_in_place(world):
    world.add("alice@example.org")
    terminal = world.terminal("monitor")
    terminal.expect("1 of 1 registered")
    world.change("alice@example.org", {"State": "failed"})
    terminal.expect("\033[3A\r")
    terminal.expect("\033[31mfailed\033[0m")
    terminal.type("\x03")
    assert terminal.end() == OK
    assert terminal.output.rstrip().endswith(b"\033[?25h")  # the cursor is back


def emit_three(world):
    """Two share a signal, one has its own."""
    events = [(1_751_700_000_000_000 + i, type, "alice@example.org" if i < 2 else "",
               {"n": dbus.UInt32(i), "text": "a\033[1mb"})
              for i, type in enumerate(("registration.created", "registration.lost", "incoming.call"))]
    world.emit_together(events[:2])
    world.emit(*events[2])


def test_log(world):
    assert world.out("log") == "" and world.json("log") == []
    world.add("alice@example.org")
    emit_three(world)
    lines = world.out("log").splitlines()
    assert lines[0] == "2025-07-05 07:20:00  registration.created  alice@example.org  n=0, text=a\\x1b[1mb"
    assert [line.split("  ")[1] for line in lines] == ["registration.created", "registration.lost", "incoming.call"]
    events = world.json("log")
    assert [event["number"] for event in events] == [1, 2, 3]
    assert events[0]["address"] == "alice@example.org" and events[2]["account"] is None
    assert events[1]["time"] == "2025-07-05T07:20:00.000001Z" and events[1]["payload"]["n"] == 1
    assert [event["number"] for event in world.json("log", "--limit", "1")] == [3]
    assert [event["number"] for event in world.json("log", "alice", "--limit", "0")] == [1, 2]
    assert [event["number"] for event in world.json("log", "--type", "registration.")] == [1, 2]
    world.err(NOT_FOUND, "log", "bob")


def test_events(world):
    world.add("alice@example.org")
    follower = world.follow("events", "--json", "--type", "registration.")
    heard = None
    while heard is None:  # until its subscription stands
        world.emit(1, "registration.probe")
        if follower.has_line(0.05):
            heard = follower.object()
    emit_three(world)
    event = follower.object()
    while event["type"] == "registration.probe":
        event = follower.object()
    assert event["type"] == "registration.created" and event["address"] == "alice@example.org"
    assert event["time"] == "2025-07-05T07:20:00.000000Z" and "number" not in event
    assert follower.object()["type"] == "registration.lost"
    world.emit(1, "registration.end")
    assert follower.object()["type"] == "registration.end"  # not incoming.call
    assert follower.interrupt() == OK


# What there is


def test_protocols(world):
    assert [p["id"] for p in world.json("protocols")] == ["echo", "plain", "strict"]
    assert world.out("protocols").splitlines()[0].split() == ["ID", "NAME", "PLUGIN", "SCHEMES", "ADDRESS"]
    echo = world.json("protocols", "echo")
    assert echo["parameters"][1] == {"name": "port", "type": "u", "label": "Port", "default": 5060, "min": 1,
                                     "max": 65535}
    assert "password" in world.out("protocols", "echo")
    assert "did you mean 'echo'" in world.err(NOT_FOUND, "protocols", "eco")


def test_plugins(world):
    assert [(p["name"], p["state"], p["reason"]) for p in world.json("plugin", "list")] == [
        ("echo", "ready", None), ("broken", "failed", "its ABI is 99")]
    assert world.out("plugin") == world.out("plugin", "list")
    assert world.json("plugin", "show", "broken")["file"] == "/lib/muster-broken.so"
    world.err(NOT_FOUND, "plugin", "show", "nothing")


def test_identities(world):
    assert world.json("identity") == []
    assert world.json("identity", "add", "Alice")["name"] == "Alice"
    assert "there is an identity 'Alice'" in world.err(REFUSED, "identity", "add", "Alice")
    world.err(REFUSED, "identity", "add", "")
    assert world.json("identity", "rename", "Ali", "Alicia")["name"] == "Alicia"
    world.err(NOT_FOUND, "identity", "rename", "Bob", "Rob")
    world.add("alice@example.org")
    assert "it has accounts" in world.err(REFUSED, "identity", "remove", "Alicia")
    world.run("remove", "alice")
    world.run("identity", "remove", "Alicia")
    assert world.json("identity", "list") == []


def test_status(world):
    assert world.json("status") == {"version": "9.9.9", "protection": "key-file", "key": "ready", "offline": [], "notice": None,
                                    "counters": {"accounts": 3, "opened": 7}}
    assert "counters    accounts=3, opened=7" in world.out("status")


def test_output_that_cannot_be_written_is_an_error(world):
    with open("/dev/full", "w") as full:
        done = subprocess.run([MUSTER, "status"], env=world.env, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == FAILED and "cannot write" in done.stderr


# The shell


def complete(world, line):
    script = f"""
      PATH={os.path.dirname(MUSTER)}:$PATH
      source {os.path.join(HERE, '..', '..', 'data', 'completions', 'muster')}
      COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=($COMP_LINE); COMP_TYPE=9
      [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
      _muster muster "${{COMP_WORDS[COMP_CWORD]}}" ''
      printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", script], env=world.env, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout.split()


def test_completion(world):
    world.add("alice@example.org")
    assert "protocols" in complete(world, "muster pro")
    # Bash breaks words at "@" and replaces only what stands behind it.
    assert complete(world, "muster show ali") == ["alice@example.org"]
    assert complete(world, "muster show alice@ex") == ["example.org"]
    assert complete(world, "muster add ec") == ["echo"]
    assert complete(world, "muster set alice@example.org po") == ["port="]
    assert complete(world, "muster secret alice@example.org pass") == ["password"]
    assert "--wait" in complete(world, "muster enable --w")
    assert complete(world, "muster list --state regis") == ["registering", "registered"]
    assert complete(world, "muster plugin show br") == ["broken"]
    assert complete(world, "muster plugin t") == ["try"]


def test_completion_starts_no_daemon_and_says_nothing(empty):
    empty.install_stub()
    assert complete(empty, "muster show ali") == [] and complete(empty, "muster add ec") == []
    assert not empty.is_running()


# What else the daemon can do


def test_test_prints_the_steps(world):
    out = world.out("test", "echo", "alice@example.org", "--secret", "password=-", stdin="hunter2\n")
    assert out.splitlines()[0] == "yes  configure    its parameters are complete" and "\x1b" not in out
    assert bytes(world.stub.TestedSecret("password")) == b"hunter2" and world.json("list") == []
    report = world.json("test", "echo", "alice@example.org")
    assert report["ok"] is True and report["details"] == {"lease": 600}
    assert report["steps"][1]["step"] == "authenticate" and report["steps"][1]["ok"] is True


def test_a_test_that_fails_says_where(world):
    done = world.run("test", "echo", "refused@example.org", status=FAILED)
    assert "no   authenticate" in done.stdout and "authenticate failed" in done.stderr
    report = json.loads(world.run("--json", "test", "echo", "refused@example.org", status=FAILED).stdout)
    assert report["details"]["protocol-code"] == 403
    assert "'port' is at most" in world.err(REFUSED, "test", "echo", "a@b", "--set", "port=70000")
    assert "is a secret" in world.err(USAGE, "test", "echo", "a@b", "--set", "password=hunter2")


def test_add_tests_with_the_same_secrets(world):
    world.add("alice@example.org", "--test", "--secret", "password=-", stdin="hunter2\n")
    assert bytes(world.stub.TestedSecret("password")) == world.secret("alice@example.org", "password") == b"hunter2"
    done = world.run("add", "echo", "refused@example.org", "--test", status=FAILED)
    assert "no   authenticate" in done.stdout and len(world.json("list")) == 1


def test_add_finds_the_protocol(world):
    assert world.json("add", "echo:x@example.org")["protocol"] == "echo"
    assert "write which in front of it: echo, plain" in world.err(AMBIGUOUS, "add", "y@example.org")
    assert "no protocol has addresses like 'none'" in world.err(NOT_FOUND, "add", "none")
    assert len(world.json("list")) == 1


def test_disconnect_and_connect(world):
    world.add("alice@example.org")
    assert "disconnected" in world.out("disconnect", "--wait", "alice")
    assert world.json("show", "alice")["reason"] == "disconnected"
    assert "registered" in world.out("connect", "--wait", "alice")
    world.out("disable", "--wait", "alice")
    assert "cannot connect alice@example.org" in world.err(REFUSED, "connect", "alice")
    assert "cannot disconnect alice@example.org" in world.err(REFUSED, "disconnect", "alice")
    assert "no account matches 'bob'" in world.err(NOT_FOUND, "disconnect", "bob")


def test_export_is_the_document(world):
    world.add("alice@example.org")
    world.add("bob@example.org")
    assert world.out("export") == "EXPORT\nalice@example.org\nbob@example.org\n"
    assert world.out("export", "bob") == "EXPORT\nbob@example.org\n"
    assert "no account matches 'carol'" in world.err(NOT_FOUND, "export", "bob", "carol")


def test_import(world, tmp_path):
    file = tmp_path / "document"
    file.write_text("a@b c@d")
    assert world.out("import", str(file)).splitlines()[0].startswith("yes  a@b  it was ")
    assert "would be" in world.out("import", "--dry-run", "-", stdin="a@b")
    done = world.run("import", "-", stdin="a@b bad@x", status=REFUSED)
    assert "no   bad@x" in done.stdout and "1 of 2 accounts" in done.stderr and "\x1b" not in done.stdout
    assert world.json("import", str(file))[1] == {"address": "c@d", "done": True, "sentence": "it was \x1b[1madded"}
    assert "cannot import '-'" in world.err(REFUSED, "import", "-", stdin="nonsense")
    assert "cannot read" in world.err(FAILED, "import", str(tmp_path / "missing"))
    file.write_bytes(b"\xff")
    assert "UTF-8" in world.err(USAGE, "import", str(file))
    file.write_bytes(b" " * (4 * 1024 * 1024 + 1))
    assert "longer" in world.err(USAGE, "import", str(file))


def test_debug(world):
    past = world.out("debug", "--past").splitlines()
    assert [line.split(": ")[1] for line in past] == ["line 1", "line 2", "line 3"]
    assert "GLib" in world.err(REFUSED, "debug", "--domains", "GLib")
    follower = world.follow("--json", "debug")
    line = follower.object()
    assert (line["number"], line["domain"], line["level"], line["text"]) == (7, "all", "info", "now\x1b[2J")
    assert follower.interrupt() == OK
    follower = world.follow("debug", "--domains", "MusterSip")
    assert "info      MusterSip: now" in follower.line()
    world.stop_stub()
    assert follower.process.wait(PATIENCE) == NO_DAEMON
    follower.process.stdout.close()


def test_status_with_all_numbers(world):
    out = world.out("status", "--all")
    assert "registered 3" in out and "uptime" in out and "\x1b" not in out
    assert world.json("status", "--all")["metrics"]["accounts"] == {"registered": 3}
    assert "metrics" not in world.json("status")


def test_log_names_accounts_that_are_gone(world):
    """The events before their end are named, too."""
    world.add("alice@example.org")
    world.emit(1, "account.enabled", "alice@example.org")
    world.emit(2, "account.removed", "alice@example.org", {"address": "alice@example.org", "protocol": "echo"})
    world.out("remove", "--yes", "alice")
    assert all("alice@example.org" in line for line in world.out("log").splitlines())


def test_log_tells_times_as_they_were(world):
    """When a lease would end is said from the event's time on, however long ago that is."""
    world.add("alice@example.org")
    world.emit(1_000_000, "registration.created", "alice@example.org", {"expires-at": dbus.UInt64(301_000_000)})
    assert world.out("log").endswith("expires-at=in 5 min 00 s\n")
