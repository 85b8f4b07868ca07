# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon under test with a home of its own, and its command line."""

import datetime
import json
import os
import signal
import subprocess

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from harness import secrets  # noqa: E402
from harness.process import Process, private_environment, wait_until  # noqa: E402

BUS_NAME = "org.muster.Muster1"
ROOT_PATH = "/org/muster/Muster1"
LEASED = ("registered", "refreshing")


def seconds(time):
    """A time as `muster --json` prints it (RFC 3339, UTC), in seconds since 1970."""
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


class CommandFailed(AssertionError):
    def __init__(self, arguments, outcome):
        super().__init__(f"muster {' '.join(arguments)}: status {outcome.returncode}\n{outcome.stdout}{outcome.stderr}")
        self.outcome = outcome


class Muster:
    """musterd on a bus. Stop or kill it and start it again: its home stays."""

    def __init__(self, home, bus_address, *, environment=None, start=True):
        os.makedirs(home, mode=0o700, exist_ok=True)
        self.home = str(home)
        self.environment = private_environment(home, bus_address)
        self.environment.update(environment or {})
        self.database = os.path.join(self.environment["XDG_DATA_HOME"], "muster", "muster.db")
        self.key_file = os.path.join(self.environment["XDG_DATA_HOME"], "muster", "key")
        self.log_path = os.path.join(self.home, "musterd.log")
        self.program = os.environ["MUSTERD"]
        self.command = os.environ["MUSTER"]
        self._process = None
        self.connection = Gio.DBusConnection.new_for_address_sync(
            bus_address,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)
        self.connection.set_exit_on_close(False)
        if start:
            self.start()

    # Life

    def spawn(self, *arguments):
        """Start a daemon without waiting for anything. It logs all it can."""
        environment = {"G_MESSAGES_DEBUG": "all", **self.environment}
        return Process("musterd", [self.program, *arguments], self.log_path, env=environment)

    def start(self, *arguments):
        """Start and wait until the bus name is there."""
        assert self._process is None, "musterd runs already"
        process = self.spawn(*arguments)
        self._process = process
        process.wait_ready(lambda: self.name_owner_pid() == process.pid, 10)

    def stop(self):
        """Ask it to end, which it must do well; returns the exit status."""
        process, self._process = self._process, None
        if process is None:
            return None
        status = process.end(15)
        assert status == 0, f"musterd ended with {status}:\n{self.log()}"
        return status

    def kill(self):
        """SIGKILL, as an out-of-memory killer does it."""
        self._process.signal(signal.SIGKILL)
        self._process.wait(5)
        self._process = None
        wait_until(lambda: self.name_owner_pid() is None, 5, "the bus noticed the kill")

    def wait_end(self, timeout_s=15):
        """Wait until it ends by itself; returns the status, which is -N for signal N."""
        status = self._process.wait(timeout_s)
        self._process = None
        wait_until(lambda: self.name_owner_pid() is None, 5, "the bus noticed the end")
        return status

    def signal(self, number):
        self._process.signal(number)

    @property
    def pid(self):
        return self._process.pid if self._process else None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    # D-Bus

    def name_owner_pid(self):
        try:
            reply = self.connection.call_sync(
                "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "GetConnectionUnixProcessID", GLib.Variant("(s)", (BUS_NAME,)), None, 0, 5000, None)
        except GLib.Error:
            return None
        return reply.unpack()[0]

    def call(self, interface, method, signature=None, arguments=(), path=ROOT_PATH):
        """One call of org.muster.Muster1.INTERFACE; returns the unpacked answer, raises GLib.Error."""
        parameters = GLib.Variant(signature, arguments) if signature else None
        reply = self.connection.call_sync(
            BUS_NAME, path, f"{BUS_NAME}.{interface}", method, parameters, None, 0, 10000, None)
        return reply.unpack()

    def get(self, interface, name, path=ROOT_PATH):
        reply = self.connection.call_sync(
            BUS_NAME, path, "org.freedesktop.DBus.Properties", "Get",
            GLib.Variant("(ss)", (f"{BUS_NAME}.{interface}", name)), None, 0, 10000, None)
        return reply.unpack()[0]

    def get_all(self, interface, path=ROOT_PATH):
        reply = self.connection.call_sync(
            BUS_NAME, path, "org.freedesktop.DBus.Properties", "GetAll",
            GLib.Variant("(s)", (f"{BUS_NAME}.{interface}",)), None, 0, 10000, None)
        return reply.unpack()[0]

    # The command line

    def run(self, *arguments, secret=None, timeout_s=60):
        """One command. A secret goes to it on descriptor 3. Returns subprocess.CompletedProcess."""
        if secret is None:
            return subprocess.run([self.command, *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=timeout_s, check=False)
        secrets.note(secret)
        reading, writing = os.pipe()
        try:
            os.write(writing, secret.encode())
            os.close(writing)
            return subprocess.run(
                ["bash", "-c", f'exec 3<&{reading} && exec "$@"', "bash", self.command, *arguments],
                env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
                pass_fds=(reading,), check=False)
        finally:
            os.close(reading)

    def do(self, *arguments, secret=None, timeout_s=60):
        """A command that must work; returns its output."""
        outcome = self.run(*arguments, secret=secret, timeout_s=timeout_s)
        if outcome.returncode != 0:
            raise CommandFailed(arguments, outcome)
        return outcome.stdout

    def json(self, *arguments, **more):
        return json.loads(self.do(*arguments, "--json", **more))

    def add(self, protocol, address, *, secret=None, wait=True, options=(), **parameters):
        """Add an account; parameters by name, with _ for -."""
        words = ["add", protocol, address, *options]
        for name, value in parameters.items():
            words += ["--set", f"{name.replace('_', '-')}={value}"]
        if secret is not None:
            words += ["--password-fd", "3"]
        if wait:
            words.append("--wait")
        return self.do(*words, secret=secret)

    def show(self, account):
        return self.json("show", account)

    def list(self):
        return self.json("list")

    def wait_for(self, account, timeout_s, what, condition):
        """Wait until what `muster show` says of the account meets the condition; returns it."""
        last = {}

        def met():
            last.update(self.show(account))
            return dict(last) if condition(last) else None

        return wait_until(met, timeout_s, f"{account}: {what}",
                          lambda: f"{json.dumps(last, indent=1)}\n{self.log()}")

    def wait_state(self, account, states, timeout_s=10):
        states = (states,) if isinstance(states, str) else states
        return self.wait_for(account, timeout_s, " or ".join(states), lambda row: row["state"] in states)
