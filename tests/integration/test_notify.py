# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon tells a service manager, which this test plays."""

import os
import signal
import socket
import time

import pytest

ECHO = "ann@echo.test"
WATCHDOG_S = 0.4


class Manager:
    """The socket that NOTIFY_SOCKET names: a path, or an abstract name."""

    def __init__(self, address):
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))

    def receive(self, timeout_s):
        """One message as a dictionary; None if none comes."""
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            text = self._socket.recv(4096).decode()
        except TimeoutError:
            return None
        return dict(line.split("=", 1) for line in text.split("\n") if line)

    def wait_for(self, name, value=None, timeout_s=10):
        """Reads on until the message; returns the time at which it came."""
        deadline = time.monotonic() + timeout_s
        seen = []
        while time.monotonic() < deadline:
            message = self.receive(deadline - time.monotonic())
            if message and name in message and value in (None, message[name]):
                return time.monotonic()
            seen.append(message)
        raise AssertionError(f"{name}={value or ''} did not come, but: {seen}")

    def drain(self):
        """What has come, without waiting."""
        messages = []
        while message := self.receive(0):
            messages.append(message)
        return messages

    def end(self):
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    manager = Manager(str(tmp_path / "notify") if request.param == "path" else f"@muster-test-{os.getpid()}")
    yield manager
    manager.end()


def test_a_life(manager, make_muster):
    """It says that it is ready, how it is, and that it goes."""
    muster = make_muster(environment={"NOTIFY_SOCKET": manager.address})
    manager.wait_for("READY", "1")
    manager.wait_for("STATUS", "0 accounts, 0 registered")
    muster.add("echo", ECHO)
    manager.wait_for("STATUS", "1 accounts, 1 registered")
    muster.do("disable", ECHO, "--wait")
    manager.wait_for("STATUS", "1 accounts, 0 registered")
    assert not any("WATCHDOG" in message for message in manager.drain())
    muster.stop()
    manager.wait_for("STOPPING", "1")


def test_the_status_is_told_once_a_second(manager, make_muster):
    """Many changes make few messages, and the last of them is true."""
    muster = make_muster(environment={"NOTIFY_SOCKET": manager.address})
    began = manager.wait_for("READY")
    for number in range(20):
        muster.add("echo", f"user{number}@echo.test", wait=False)
    seen = []
    while not seen or seen[-1] != "20 accounts, 20 registered":
        message = manager.receive(10)
        assert message is not None, seen
        seen += [message["STATUS"]] if "STATUS" in message else []
    assert len(seen) <= time.monotonic() - began + 2, seen


def test_the_watchdog(manager, make_muster):
    """WATCHDOG=1 comes at half of the time that the manager allows, while the main loop turns."""
    muster = make_muster(environment={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))})
    manager.wait_for("READY")
    manager.drain()
    times = [manager.wait_for("WATCHDOG", "1") for _ in range(6)]
    assert (times[-1] - times[0]) / 5 < WATCHDOG_S
    assert (times[-1] - times[0]) / 5 > WATCHDOG_S / 4
    muster.stop()


def test_a_watchdog_for_somebody_else(manager, make_muster):
    """With the pid of another process in WATCHDOG_PID it is not ours to answer."""
    muster = make_muster(environment={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
    manager.wait_for("READY")
    muster.add("echo", ECHO)
    manager.wait_for("STATUS", "1 accounts, 1 registered")
    muster.stop()
    assert not any("WATCHDOG" in message for message in manager.drain())


def test_a_plugin_that_loops_stops_the_watchdog(manager, make_muster, tmp_path):
    """The manager hears nothing more when a plugin does not come back; its SIGABRT ends the daemon."""
    trigger = tmp_path / "trigger"
    folders = [os.path.join(os.environ["MUSTER_TEST_PLUGINS"], "loop-for-ever"), os.environ["MUSTER_PLUGIN_PATH"]]
    muster = make_muster(environment={
        "MUSTER_PLUGIN_PATH": ":".join(folders), "NOTIFY_SOCKET": manager.address,
        "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))})
    muster.add("loop", "mal@bad.test", wait=False, trigger=str(trigger))
    manager.wait_for("WATCHDOG", "1")
    trigger.touch()
    deadline = time.monotonic() + 20
    while manager.receive(3 * WATCHDOG_S) is not None:
        assert time.monotonic() < deadline, "the messages do not end"
    os.kill(muster.pid, signal.SIGABRT)
    assert muster.wait_end() == -signal.SIGABRT
    trigger.unlink()
    muster.start()
    assert "the last run stood still (SIGABRT) in plugin loop-for-ever" in muster.log()


@pytest.mark.parametrize("name, value", [
    ("NOTIFY_SOCKET", "not-a-path"),
    ("NOTIFY_SOCKET", "/" + "x" * 200),
    ("WATCHDOG_USEC", "soon"),
    ("WATCHDOG_USEC", "0"),
], ids=["socket", "long socket", "watchdog", "no watchdog"])
def test_what_is_not_understood(make_muster, tmp_path, name, value):
    """Nonsense in the environment is named and ignored."""
    muster = make_muster(environment={"NOTIFY_SOCKET": str(tmp_path / "nobody"), name: value})
    assert f"{name} is" in muster.log()
    muster.add("echo", ECHO)
