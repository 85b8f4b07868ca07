# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The disk is full: nothing is stored, everybody is told, nobody loses a registration. Needs root."""

import errno
import os
import resource
import signal

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from harness.kamailio import DOMAIN  # noqa: E402
from harness.muster import BUS_NAME, LEASED, ROOT_PATH  # noqa: E402
from harness.process import wait_until  # noqa: E402
from harness.secrets import secret_pipe  # noqa: E402

ECHO = "ann@echo.test"
ALICE = f"alice@{DOMAIN}"
PASSWORD = "se:cret"
ROOM = "1m"
MANY = 200  # changes that a full disk still has room for, at most


class SmallDisk:
    """What the daemon sees as its data folder: a file system of its own that is soon full."""

    def __init__(self, muster, folder, full=False):
        self._muster = muster
        path = os.path.join(folder, "musterd-on-a-small-disk")
        data = muster.environment["XDG_DATA_HOME"]
        filled = f"cat /dev/zero >{data}/filler 2>/dev/null" if full else ":"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"""#!/bin/sh
exec unshare -m -- sh -c '
  mount -t tmpfs -o size={ROOM},mode=700 tmpfs {data} || exit 99
  {filled}
  exec "$0" "$@"' {muster.program} "$@"
""")
        os.chmod(path, 0o755)
        muster.program = path

    @property
    def _filler(self):
        return f"/proc/{self._muster.pid}/root{self._muster.environment['XDG_DATA_HOME']}/filler"

    def fill(self):
        """Down to the last byte."""
        with open(self._filler, "ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC

    def make_room(self):
        os.unlink(self._filler)


@pytest.fixture
def muster(make_muster):
    return make_muster(start=False)


@pytest.fixture
def disk(muster, tmp_path):
    disk = SmallDisk(muster, tmp_path)
    muster.start()
    return disk


def configuration(muster):
    """What is stored, as the daemon shows it."""
    return [{name: row[name] for name in ("id", "address", "name", "enabled", "parameters", "secrets", "identity-name")}
            for row in muster.list()]


class Caller:
    """Changes of every kind, to one account."""

    def __init__(self, muster):
        self.muster = muster
        self.account = f"{ROOT_PATH}/Account/{muster.show(ECHO)['id']}"
        self.identity = muster.get("Account", "Identity", self.account)
        self.number = 0

    def changes(self):
        """(what, function) of each; the number makes each call another change."""
        return {
            "rename": lambda: self.call(self.account, "Account", "Update", "(a{sv}asa{sv})",
                                        {}, [], {"name": GLib.Variant("s", f"name {self.number}")}),
            "update": lambda: self.call(self.account, "Account", "Update", "(a{sv}asa{sv})",
                                        {"delay": GLib.Variant("u", self.number)}, [], {}),
            "enable": lambda: self.call(self.account, "Account", "SetEnabled", "(ba{sv})", self.number % 2 == 0, {}),
            "secret": lambda: self.call(self.account, "Account", "SetSecret", "(sha{sv})", "password", 0, {},
                                        fds=secret_pipe("se:cret-of-ann" * 100)),
            "add": lambda: self.call(ROOT_PATH, "Manager", "AddAccount", "(ssa{sv}a{sh}a{sv})",
                                     "echo", f"new{self.number}@echo.test", {}, {}, {}),
            "add identity": lambda: self.call(ROOT_PATH, "Manager", "AddIdentity", "(sa{sv})",
                                              f"Identity {self.number}", {}),
            "rename identity": lambda: self.call(self.identity, "Identity", "Rename", "(sa{sv})",
                                                 f"Ann {self.number}", {}),
        }

    def remove(self):
        self.call(self.account, "Account", "Remove", "(a{sv})", {})

    def call(self, path, interface, method, signature, *arguments, fds=None):
        self.muster.connection.call_with_unix_fd_list_sync(
            BUS_NAME, path, f"{BUS_NAME}.{interface}", method, GLib.Variant(signature, arguments), None, 0, 10000, fds, None)

    def fails_in_the_end(self, change):
        """Call until there is no room left. Returns the name and the words of the error."""
        for _ in range(MANY):
            self.number += 1
            try:
                change()
            except GLib.Error as error:
                name = Gio.DBusError.get_remote_error(error)
                Gio.DBusError.strip_remote_error(error)
                return name, error.message
        raise AssertionError("there is always room")


def check_no_room(error):
    name, words = error
    assert name == f"{BUS_NAME}.Error.Store"
    assert "no room" in words and "database" in words


def test_full_and_with_room_again(muster, disk, make_kamailio):
    """Each change fails in words and leaves all as it was; registrations are kept; then the same call works."""
    kamailio = make_kamailio({"alice": PASSWORD})
    muster.add("echo", ECHO, lease=1, secret=PASSWORD)
    muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.server, expires=10)
    caller = Caller(muster)
    pid = muster.pid
    disk.fill()

    for what, change in caller.changes().items():
        check_no_room(caller.fails_in_the_end(change))
        before = configuration(muster)
        check_no_room(caller.fails_in_the_end(change))
        assert configuration(muster) == before, what
    with pytest.raises(GLib.Error, match="no room"):
        caller.remove()
    assert configuration(muster) == before
    outcome = muster.run("set", ECHO, "lease=7")
    assert outcome.returncode == 1 and "no room" in outcome.stderr
    assert configuration(muster) == before

    refreshed = muster.get("Manager", "Counters")["refreshed"]
    n_seen = len(kamailio.exchanges())
    wait_until(lambda: len(kamailio.exchanges()) >= n_seen + 2, 15, "kamailio sees refreshes", muster.log)
    assert muster.get("Manager", "Counters")["refreshed"] >= refreshed + 2
    assert {each.code for each in kamailio.exchanges()[1:]} == {200}
    assert muster.show(ALICE)["state"] in LEASED
    assert muster.log().count("cannot write what happened") == 1, "said once, not each time"

    disk.make_room()
    for change in caller.changes().values():
        caller.number += 1
        change()
    assert configuration(muster) != before
    wait_until(lambda: "works again" in muster.log(), 15, "what happened meanwhile is written", muster.log)
    caller.remove()
    assert ECHO not in [row["address"] for row in muster.list()]
    assert muster.pid == pid and muster.name_owner_pid() == pid


def test_no_file_may_grow(muster):
    """A limit on the size of files is no end of the daemon either: the call fails, and works without the limit."""
    muster.start()
    muster.add("echo", ECHO, lease=1)
    caller = Caller(muster)
    before, pid = configuration(muster), muster.pid
    soft_and_hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, soft_and_hard[1]))
    for change in caller.changes().values():
        check_no_room(caller.fails_in_the_end(change))
    assert configuration(muster) == before
    refreshed = muster.get("Manager", "Counters")["refreshed"]
    wait_until(lambda: muster.get("Manager", "Counters")["refreshed"] >= refreshed + 2, 5, "refreshed")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, soft_and_hard)
    for change in caller.changes().values():
        caller.number += 1
        change()
    assert muster.pid == pid and muster.name_owner_pid() == pid


def test_full_at_the_start(make_muster, tmp_path):
    """There is no room for a database: the daemon says so and ends with a failure."""
    muster = make_muster(start=False)
    SmallDisk(muster, tmp_path, full=True)
    data = muster.environment["XDG_DATA_HOME"]
    process = muster.spawn()
    status = process.wait(10)
    assert status not in (0, 99, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS)
    assert data in process.log() and ("no room" in process.log() or "No space" in process.log())
