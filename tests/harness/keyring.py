# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real gnome-keyring-daemon as the Secret Service of a private bus, and who counts what it is asked."""

import os
import signal

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from harness.process import Process, private_environment, wait_until  # noqa: E402

NAME = "org.freedesktop.secrets"
PATH = "/org/freedesktop/secrets"
LOGIN = f"{PATH}/collection/login"
PASSWORD = b"the keyring's own"
BACKDOOR = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"


class Keyring:
    """Start it unlocked once: that makes its one keyring. Then start it locked, kill it, stop it."""

    def __init__(self, directory, bus_address):
        self.home = str(directory)
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        self._environment = private_environment(self.home, bus_address)
        self._process = None
        self._connection = Gio.DBusConnection.new_for_address_sync(
            bus_address,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)
        self._connection.set_exit_on_close(False)

    # Life

    def start(self, *, unlocked=True):
        assert self._process is None, "the keyring runs already"
        command = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        if unlocked:
            password = os.path.join(self.home, "password")
            with open(password, "wb") as file:
                file.write(PASSWORD)
            command = ["bash", "-c", 'exec "$@" --unlock <"$0"', password, *command]
        process = Process("gnome-keyring-daemon", command, os.path.join(self.home, "keyring.log"),
                          env=self._environment)
        self._process = process
        process.wait_ready(lambda: self._owner_pid() == process.pid, 10)

    def kill(self):
        """SIGKILL; returns when the bus has noticed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        wait_until(lambda: self._owner_pid() is None, 5, "the bus noticed that the keyring is gone")

    def hang(self):
        self._process.signal(signal.SIGSTOP)

    def go_on(self):
        self._process.signal(signal.SIGCONT)

    # What it holds

    def lock(self):
        self._call(PATH, "org.freedesktop.Secret.Service", "Lock", "(ao)", ([LOGIN],))

    def unlock(self):
        """As its user does, but without a window."""
        secret = (self._open_session(), b"", PASSWORD, "text/plain")
        self._call(PATH, BACKDOOR, "UnlockWithMasterPassword", "(o(oayays))", (LOGIN, secret))

    def items(self):
        """The path of each item of ours, locked or not."""
        unlocked, locked = self._call(PATH, "org.freedesktop.Secret.Service", "SearchItems", "(a{ss})",
                                      ({"xdg:schema": "org.muster.Muster1.Key"},))
        return unlocked + locked

    def label(self, item):
        return self._call(item, "org.freedesktop.DBus.Properties", "Get", "(ss)",
                          ("org.freedesktop.Secret.Item", "Label"))[0]

    def secret(self, item):
        (secret,) = self._call(item, "org.freedesktop.Secret.Item", "GetSecret", "(o)", (self._open_session(),))
        return bytes(secret[2])

    def take_out(self, item):
        """Delete an item; returns what puts it back."""
        (attributes,) = self._call(item, "org.freedesktop.DBus.Properties", "Get", "(ss)",
                                   ("org.freedesktop.Secret.Item", "Attributes"))
        label, secret = self.label(item), self.secret(item)
        self._call(item, "org.freedesktop.Secret.Item", "Delete", "()", ())
        properties = {"org.freedesktop.Secret.Item.Label": GLib.Variant("s", label),
                      "org.freedesktop.Secret.Item.Attributes": GLib.Variant("a{ss}", attributes)}

        def put_back(secret=secret):
            self._call(LOGIN, "org.freedesktop.Secret.Collection", "CreateItem", "(a{sv}(oayays)b)",
                       (properties, (self._open_session(), b"", secret, "text/plain"), False))

        return put_back

    # D-Bus

    def _open_session(self):
        return self._call(PATH, "org.freedesktop.Secret.Service", "OpenSession", "(sv)",
                          ("plain", GLib.Variant("s", "")))[1]

    def _call(self, path, interface, method, signature, arguments):
        return self._connection.call_sync(
            NAME, path, interface, method, GLib.Variant(signature, arguments), None,
            Gio.DBusCallFlags.NO_AUTO_START, 5000, None).unpack()

    def _owner_pid(self):
        try:
            return self._connection.call_sync(
                "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "GetConnectionUnixProcessID", GLib.Variant("(s)", (NAME,)), None, 0, 5000, None).unpack()[0]
        except GLib.Error:
            return None


class Listener:
    """dbus-monitor, for what one program asks of the keyring."""

    def __init__(self, directory, bus_address):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._process = Process(
            "dbus-monitor",
            ["dbus-monitor", "--address", bus_address, f"type='method_call',destination='{NAME}'",
             "type='signal',member='NameAcquired'"],
            os.path.join(directory, "monitor.log"))
        self._process.wait_ready(lambda: "NameAcquired" in self._process.log(), 5)

    def count(self, method, but_of=None):
        """How often it was called so far, on behalf of whoever but the connection of that name."""
        calls = [line for line in self._process.log().splitlines()
                 if line.startswith("method call") and f"member={method}" in line]
        return len([line for line in calls if f"sender={but_of} " not in line])

    def end(self):
        self._process.end()
