# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon tells on the bus."""

from gi.repository import Gio, GLib

from harness.muster import BUS_NAME
from harness.process import wait_until


class Listener:
    """Hears signals of the daemon: (path, name, body), oldest first."""

    def __init__(self, muster):
        self.signals = []
        self.connection = muster.connection
        self.id = self.connection.signal_subscribe(BUS_NAME, None, None, None, None, Gio.DBusSignalFlags.NONE, self._on_signal)

    def _on_signal(self, _connection, _sender, path, _interface, name, parameters):
        self.signals.append((path, name, parameters.unpack()))

    def listen(self):
        """Takes what has come."""
        while GLib.MainContext.default().iteration(False):
            pass
        return self.signals

    def wait(self, what, condition):
        """Returns the first signal for which condition(path, name, body) holds."""
        return wait_until(lambda: next((signal for signal in self.listen() if condition(*signal)), None), 10, what,
                          lambda: str(self.signals))
