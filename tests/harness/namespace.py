# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Network namespaces, and a cable between two of them. Needs root; each goes with its last process."""

import os
import subprocess

from harness.process import Process


class Namespace:
    """A network with loopback only, held by a process that sleeps."""

    def __init__(self, directory, name):
        self._holder = Process(f"namespace {name}", ["unshare", "-n", "--", "sleep", "infinity"],
                               os.path.join(directory, f"{name}.log"))
        self._holder.wait_ready(self._is_its_own, 5)
        self.wrapper = ("nsenter", "-t", str(self._holder.pid), "-n", "--")
        self.ip("link", "set", "lo", "up")

    def _is_its_own(self):
        return os.readlink(f"/proc/{self._holder.pid}/ns/net") != os.readlink("/proc/self/ns/net")

    @property
    def pid(self):
        return self._holder.pid

    def ip(self, *words):
        subprocess.run([*self.wrapper, "ip", *words], check=True, capture_output=True)

    def connect(self, device, other, other_device):
        """A cable from a device of ours to one of the other's; both ends are up."""
        self.ip("link", "add", device, "type", "veth", "peer", "name", other_device, "netns", str(other.pid))
        self.ip("link", "set", device, "up")
        other.ip("link", "set", other_device, "up")

    def end(self):
        self._holder.end()


def enter(program, namespace, folder):
    """A program that is the given one, in the namespace."""
    path = os.path.join(folder, "in-its-namespace")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {" ".join(namespace.wrapper)} {program} "$@"\n')
    os.chmod(path, 0o755)
    return path
