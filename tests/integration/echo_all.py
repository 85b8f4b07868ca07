# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An account on the service of plugins/echo-all, and its control socket."""

import itertools
import os
import socket

from harness.process import wait_until

_numbers = itertools.count()


class Unwilling(AssertionError):
    """The service does not do what the script says; its sentence says why."""


class EchoAll:
    """Adds the account: EchoAll(muster, tmp_path, supported="available,dnd"). The script is what send() sends."""

    def __init__(self, muster, folder, address="ann@all.test", *, wait=True, **parameters):
        self.muster = muster
        self.address = address
        self._lines = []
        self.path = os.path.join(str(folder), f"echo-all-{next(_numbers)}")
        muster.add("echo-all", address, wait=wait, control=self.path, **parameters)
        self.id = muster.show(address)["id"]

    def ask(self, command, timeout_s=10):
        """One command; returns what the service answers."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mine:
            mine.bind("")  # an abstract name that the kernel chooses
            mine.settimeout(timeout_s)
            mine.sendto(command.encode(), self.path)
            return mine.recv(1 << 17).decode()

    def send(self, *commands):
        """Commands that must work, such as "call 1 bob@all.test Bob"."""
        for command in commands:
            answer = self.ask(command)
            if answer != "ok":
                raise Unwilling(f"{command}: {answer}")

    def log(self, *verbs):
        """What the service was asked since the last look; only the lines of these verbs, if any are named."""
        self._look()
        lines, self._lines = self._lines, []
        return [line for line in lines if not verbs or line.split()[0] in verbs]

    def wait_log(self, line, timeout_s=10):
        """Wait until the service was asked this; returns all lines up to and with it, and keeps those behind it."""

        def asked():
            self._look()
            return line in self._lines

        wait_until(asked, timeout_s, f"{self.address} was asked: {line}",
                   lambda: f"but: {self._lines}\n{self.muster.log()}")
        end = self._lines.index(line) + 1
        lines, self._lines = self._lines[:end], self._lines[end:]
        return lines

    def _look(self):
        """What there is to see: nothing before the account listens."""
        try:
            self._lines += self.ask("log").splitlines()
        except (FileNotFoundError, ConnectionRefusedError):
            pass

    def is_listening(self):
        return os.path.exists(self.path)

    def set(self, **parameters):
        """Change parameters, by name with _ for -. Of `contacts` and `control` the account must be disabled: they take
        the socket away for a moment."""
        for name, value in parameters.items():
            self.muster.do("set", self.address, f"{name.replace('_', '-')}={value}")
