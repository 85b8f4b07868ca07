# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line tool, a bus of its own and a daemon of straw on it (stub_musterd.py).

MUSTER is the tool.
"""

import json
import os
import pty
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
