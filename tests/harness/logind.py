# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""logind as python-dbusmock plays it: sleep is announced by the test."""

import os
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from harness.process import Process  # noqa: E402

NAME = "org.freedesktop.login1"
PATH = "/org/freedesktop/login1"
MANAGER = "org.freedesktop.login1.Manager"
MOCK = "org.freedesktop.DBus.Mock"


class Logind:
    """python-dbusmock's logind. It can go and come again."""

    def __init__(self, directory, address):
        self._directory = directory
        self._address = address
        self._process = None
        self._bus = Gio.DBusConnection.new_for_address_sync(
            address,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)
        self._bus.set_exit_on_close(False)
        self.start()

    def start(self):
        environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self._address)
        self._process = Process(
            "logind", [sys.executable, "-m", "dbusmock", "--template", "logind"],
            os.path.join(self._directory, "logind.log"), env=environment)
        self._process.wait_ready(self._answers, 10)

    def end(self):
        self._process.signal(15)
        self._process.wait(5)

    def prepare_for_sleep(self, sleeping):
        value = GLib.Variant("b", sleeping)
        self._call(MOCK, "EmitSignal", GLib.Variant("(sssav)", (MANAGER, "PrepareForSleep", "b", [value])))

    def about_to_sleep(self, sleeping):
        """Only the property: the signal was sent before anybody listened."""
        value = {"PreparingForSleep": GLib.Variant("b", sleeping)}
        self._call(MOCK, "UpdateProperties", GLib.Variant("(sa{sv})", (MANAGER, value)))

    def inhibitors(self):
        """(what, who, why, mode) of each that is held."""
        return [each[:4] for each in self._call(MANAGER, "ListInhibitors")[0]]

    def _answers(self):
        try:
            self.inhibitors()
            return True
        except GLib.Error:
            return False

    def _call(self, interface, method, arguments=None):
        return self._bus.call_sync(NAME, PATH, interface, method, arguments, None, 0, 5000, None).unpack()
