# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""kill -9 at any moment: what was acknowledged is there afterwards, whole, and no secret is to be read.

Several clients change accounts as fast as the daemon answers, each its own ones, and each writes down
what it was promised. A call that was under way when the daemon died may have worked or not, but
nothing in between. KILL_SEED repeats a run, as far as the machine does.
"""

import contextlib
import os
import random
import sqlite3
import threading
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from harness.kamailio import DOMAIN  # noqa: E402
from harness.muster import BUS_NAME, LEASED, ROOT_PATH  # noqa: E402
from harness.process import wait_until  # noqa: E402
from harness.secrets import NEEDLE, files_with_secrets, secret_pipe  # noqa: E402

SEED = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
KILLS = 200
MAX_LIFE_S = 0.15
ECHO_CLIENTS = 3
ECHOS_EACH = 4
SIP_USERS = [f"sip{number}" for number in range(4)]
PASSWORD = f"{NEEDLE}-of-sip"
GONE = ("org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected")
NEVER_THERE = ("org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner")
WRONG_STATE = f"{BUS_NAME}.Error.WrongState"


class Killed(Exception):
    """The daemon is gone."""


class Client(threading.Thread):
    """Changes accounts of its own, one call after the other, until the daemon dies.

    `promised` is what the daemon acknowledged: address -> configuration, None if there is none.
    `open` is what it may be instead, since a call got no answer.
    """

    def __init__(self, muster, seed, protocol, addresses, server=None):
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.connection = muster.connection
        self.protocol = protocol
        self.server = server
        self.promised = dict.fromkeys(addresses)
        self.paths = {}
        self.open = {}
        self.n_acknowledged = 0
        self.failure = None

    def run(self):
        try:
            while True:
                self.change(self.random.choice(list(self.promised)))
        except Killed:
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error  # raised where the test sees it

    # What it does

    def change(self, address):
        now = self.promised[address]
        if now is None:
            self.add(address)
            return
        verbs = [self.update, self.update, self.rename, self.switch, self.give_secret, self.refresh]
        if self.protocol == "echo":
            verbs += [self.clear_secret, self.remove]
        self.random.choice(verbs)(address, dict(now))

    def some_parameters(self):
        """Two that belong together, so that half of a change can be told."""
        if self.protocol == "sip":
            expires = self.random.randrange(10, 21)
            return {"server": self.server, "expires": expires, "display-name": f"for {expires}"}
        lease = self.random.randrange(1, 4)
        return {"lease": lease, "delay": lease * 7}

    def a_secret(self):
        return PASSWORD if self.protocol == "sip" else f"{NEEDLE}{self.random.getrandbits(64):x}"

    def add(self, address):
        parameters = self.some_parameters()
        wanted = {"name": address, "enabled": True, "parameters": parameters, "secrets": ["password"]}
        fds = secret_pipe(self.a_secret())
        arguments = GLib.Variant("(ssa{sv}a{sh}a{sv})", (self.protocol, address, variants(parameters), {"password": 0}, {}))
        (path,) = self.call(address, wanted, ROOT_PATH, "Manager", "AddAccount", arguments, fds)
        self.paths[address] = path

    def update(self, address, wanted):
        wanted["parameters"] = self.some_parameters()
        arguments = GLib.Variant("(a{sv}asa{sv})", (variants(wanted["parameters"]), [], {}))
        self.call(address, wanted, self.paths[address], "Account", "Update", arguments)

    def rename(self, address, wanted):
        wanted["name"] = f"name {self.random.randrange(1000)}"
        arguments = GLib.Variant("(a{sv}asa{sv})", ({}, [], {"name": GLib.Variant("s", wanted["name"])}))
        self.call(address, wanted, self.paths[address], "Account", "Update", arguments)

    def switch(self, address, wanted):
        wanted["enabled"] = not wanted["enabled"]
        self.call(address, wanted, self.paths[address], "Account", "SetEnabled",
                  GLib.Variant("(ba{sv})", (wanted["enabled"], {})))

    def give_secret(self, address, wanted):
        wanted["secrets"] = ["password"]
        self.call(address, wanted, self.paths[address], "Account", "SetSecret",
                  GLib.Variant("(sha{sv})", ("password", 0, {})), secret_pipe(self.a_secret()))

    def clear_secret(self, address, wanted):
        wanted["secrets"] = []
        self.call(address, wanted, self.paths[address], "Account", "ClearSecret",
                  GLib.Variant("(sa{sv})", ("password", {})))

    def remove(self, address, _wanted):
        self.call(address, None, self.paths[address], "Account", "Remove", GLib.Variant("(a{sv})", ({},)))
        del self.paths[address]

    def refresh(self, address, wanted):
        self.call(address, wanted, self.paths[address], "Registration", "Refresh", GLib.Variant("(a{sv})", ({},)))

    def call(self, address, wanted, path, interface, method, arguments, fds=None):
        """One call that makes the account as wanted."""
        try:
            answer, _ = self.connection.call_with_unix_fd_list_sync(
                BUS_NAME, path, f"{BUS_NAME}.{interface}", method, arguments, None, 0, 10000, fds, None)
        except GLib.Error as error:
            name = Gio.DBusError.get_remote_error(error)
            if name in GONE:
                self.open[address] = wanted
                raise Killed from error
            if name in NEVER_THERE:
                raise Killed from error
            if name == WRONG_STATE and method == "Refresh":
                return ()
            raise
        self.promised[address] = wanted
        self.n_acknowledged += 1
        return answer.unpack()

    # What it finds afterwards

    def judge(self, rows):
        """What the daemon says now must be what was promised, or what was asked last."""
        for address, promised in self.promised.items():
            found = rows.get(address)
            now = found and {key: found[key] for key in ("name", "enabled", "parameters", "secrets")}
            allowed = [promised] + ([self.open[address]] if address in self.open else [])
            assert now in allowed, f"{address} is {now}, not {' or '.join(map(str, allowed))} (KILL_SEED={SEED})"
            self.promised[address] = now
            if found:
                self.paths[address] = f"{ROOT_PATH}/Account/{found['id']}"
            else:
                self.paths.pop(address, None)
        self.open.clear()

    def again(self):
        """A client for the next life of the daemon that goes on with what this one knows."""
        successor = Client.__new__(Client)
        threading.Thread.__init__(successor, daemon=True)
        for name in ("random", "connection", "protocol", "server", "promised", "paths", "open", "n_acknowledged"):
            setattr(successor, name, getattr(self, name))
        successor.failure = None
        return successor


def variants(parameters):
    return {name: GLib.Variant("u" if isinstance(value, int) else "s", value) for name, value in parameters.items()}


def start_and_die_early(muster, life_s):
    """Killed before it is ready, as likely as not."""
    process = muster.spawn()
    time.sleep(life_s)
    process.kill()
    wait_until(lambda: muster.name_owner_pid() is None, 5, "the bus noticed the kill")


def rows_by_address(muster):
    return {row["address"]: row for row in muster.list()}


def test_killed_at_any_moment(make_muster, make_kamailio):
    """200 kills while accounts are added, changed, refreshed and removed."""
    print(f"KILL_SEED={SEED}")
    dice = random.Random(SEED)
    kamailio = make_kamailio(dict.fromkeys(SIP_USERS, PASSWORD))
    muster = make_muster()
    muster.do("identity", "add", "Ann")
    clients = [Client(muster, dice.random(), "echo", [f"e{client}{number}@echo.test" for number in range(ECHOS_EACH)])
               for client in range(ECHO_CLIENTS)]
    clients.append(Client(muster, dice.random(), "sip", [f"{user}@{DOMAIN}" for user in SIP_USERS], kamailio.server))

    for number in range(KILLS):
        clients = [each.again() for each in clients]
        for each in clients:
            each.start()
        time.sleep(dice.uniform(0, MAX_LIFE_S))  # the moment of death is what is random here
        muster.kill()
        for each in clients:
            each.join(10)
            if each.failure:
                raise each.failure
        assert files_with_secrets(muster.home) == []
        if number % 5 == 0:
            start_and_die_early(muster, dice.uniform(0, 0.05))
        muster.start()
        assert muster.get("Manager", "Notice") == ""
        rows = rows_by_address(muster)
        for each in clients:
            each.judge(rows)

    assert sum(each.n_acknowledged for each in clients) > KILLS, "the clients got something done"
    settle(muster, kamailio)


def settle(muster, kamailio):
    """Left alone, what is on is registered, once; the journal and the files are whole."""
    def all_settled():
        return all(row["state"] in (LEASED if row["enabled"] else ("disabled",)) for row in muster.list())

    wait_until(all_settled, 15, "all is settled", lambda: f"{muster.list()}\n{muster.log()[-4000:]}")
    for row in muster.list():
        assert row == muster.show(row["id"]) or row["protocol"] == "echo", "echo refreshes all the time"
        events = [event["type"] for event in muster.json("log", row["id"], "--limit", "0")]
        assert events.count("account.added") == 1, f"{row['address']}: {events}"
        if row["protocol"] == "sip" and row["enabled"]:
            assert len(kamailio.bindings(row["address"].split("@")[0])) == 1
    muster.stop()
    assert files_with_secrets(muster.home) == []
    with contextlib.closing(sqlite3.connect(muster.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert not [name for name in os.listdir(os.path.dirname(muster.database)) if "damaged" in name]


def test_the_newest_secret_is_the_one_that_counts(make_muster, make_kamailio):
    """A secret that was acknowledged the moment before the kill is what the service gets afterwards."""
    address = f"alice@{DOMAIN}"
    kamailio = make_kamailio({"alice": f"{NEEDLE}-0"})
    muster = make_muster()
    muster.add("sip", address, secret=f"{NEEDLE}-0", server=kamailio.server)
    path = f"{ROOT_PATH}/Account/{muster.show(address)['id']}"
    for number in range(1, 11):
        kamailio.set_password("alice", f"{NEEDLE}-{number}")
        muster.connection.call_with_unix_fd_list_sync(
            BUS_NAME, path, f"{BUS_NAME}.Account", "SetSecret", GLib.Variant("(sha{sv})", ("password", 0, {})), None, 0,
            5000, secret_pipe(f"{NEEDLE}-{number}"), None)
        muster.kill()
        muster.start()
        row = muster.wait_for(address, 10, "a standing", lambda row: row["state"] in (*LEASED, "waiting-secret"))
        assert row["state"] in LEASED
        muster.do("disable", address, "--wait")  # so that the next secret is asked for
        muster.do("enable", address, "--wait")
        assert muster.show(address)["state"] == "registered"
    assert files_with_secrets(muster.home) == []
