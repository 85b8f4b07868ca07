# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A child process that ends by its pid, and the one place where the harness polls."""

import os
import signal
import socket
import subprocess
import time

POLL_S = 0.02


class Timeout(AssertionError):
    """Something that should have become true did not."""


def wait_until(condition, timeout_s, what, on_timeout=None, every_s=POLL_S):
    """Call condition until it is true; return its value. on_timeout adds words to the failure."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            detail = f"\n{on_timeout()}" if on_timeout else ""
            raise Timeout(f"after {timeout_s} s still not: {what}{detail}")
        time.sleep(every_s)


def free_ports(count=1, host="127.0.0.1"):
    """Loopback ports that are free for UDP and TCP alike at the time of the call."""
    held, ports = [], []
    while len(ports) < count:
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.bind((host, 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        held += [tcp, udp]
        port = tcp.getsockname()[1]
        try:
            udp.bind((host, port))
        except OSError:
            continue
        ports.append(port)
    for each in held:
        each.close()
    return ports


class Process:
    """A child whose output goes to a file, and which outlives this program only if `keep` is set."""

    keep = False

    def __init__(self, name, argv, log_path, env=None):
        self.name = name
        self.log_path = str(log_path)
        # setpriv becomes the program itself (same pid), so end () reaches the right one.
        bound = [] if self.keep else ["setpriv", "--pdeathsig", "TERM", "--"]
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(
                [*bound, *map(str, argv)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                start_new_session=self.keep)
        self.pid = self._child.pid

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def status(self):
        """The exit status, or None while it runs."""
        return self._child.poll()

    def children(self):
        """The pids of the processes that it began and that still run."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def wait(self, timeout_s):
        return self._child.wait(timeout_s)

    def signal(self, number):
        if self.status() is None:
            self._child.send_signal(number)

    def wait_ready(self, condition, timeout_s):
        """Wait for the condition, but fail at once if the process ends before."""

        def ready():
            if self.status() is not None:
                raise AssertionError(f"{self.name} ended with {self.status()}:\n{self.log()}")
            return condition()

        return wait_until(ready, timeout_s, f"{self.name} is ready", self.log)

    def kill(self):
        self.signal(signal.SIGKILL)
        self._child.wait()

    def end(self, timeout_s=5):
        """SIGTERM, then SIGKILL if that does not help. Returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end on SIGTERM within {timeout_s} s:\n{self.log()}")


def private_environment(home, bus_address=None):
    """An environment in which nothing of the user's own home or bus can be reached."""
    home = str(home)
    environment = {
        key: os.environ[key]
        for key in ("PATH", "TERM", "COLUMNS", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "G_DEBUG",
                    "MUSTER_PLUGIN_PATH", "MUSTER_DEBUG", "G_MESSAGES_DEBUG", "LD_LIBRARY_PATH")
        if key in os.environ
    }
    environment.update(
        HOME=home,
        LC_ALL="C.UTF-8",
        XDG_DATA_HOME=f"{home}/data",
        XDG_CONFIG_HOME=f"{home}/config",
        XDG_CACHE_HOME=f"{home}/cache",
        XDG_STATE_HOME=f"{home}/state",
        XDG_RUNTIME_DIR=f"{home}/run",
        GIO_USE_VFS="local",
        GSETTINGS_BACKEND="memory",
    )
    for key in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        os.makedirs(environment[key], mode=0o700, exist_ok=True)
    if bus_address:
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus_address
    return environment
