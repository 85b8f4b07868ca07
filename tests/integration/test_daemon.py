# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon and its command line on a private bus, with the sample protocol."""

import os
import signal
import stat

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from harness.bus import Bus  # noqa: E402
from harness.muster import BUS_NAME, ROOT_PATH  # noqa: E402
from harness.process import wait_until  # noqa: E402

ECHO = "ann@echo.test"
ERROR = f"{BUS_NAME}.Error."


def bus_error(call, *arguments, **named):
    """The name and the words of the error that a call must end with."""
    with pytest.raises(GLib.Error) as caught:
        call(*arguments, **named)
    name = Gio.DBusError.get_remote_error(caught.value)
    Gio.DBusError.strip_remote_error(caught.value)
    return name, caught.value.message


def account_path(muster, selector=ECHO):
    (path,) = muster.call("Manager", "Find", "(ssa{sv})", ("account", selector, {}))
    return path


# Secrets that do not come


def test_few_calls_wait_for_their_secrets(muster):
    """Whoever gives descriptors and writes nothing cannot have the daemon hold any number of them."""
    muster.add("echo", ECHO)
    path = account_path(muster)
    writers, replies = [], []

    def on_reply(connection, result):
        try:
            connection.call_with_unix_fd_list_finish(result)
            replies.append("")
        except GLib.Error as error:
            replies.append(Gio.DBusError.get_remote_error(error))

    for _ in range(100):
        reading, writing = os.pipe()
        writers.append(writing)
        muster.connection.call_with_unix_fd_list(
            BUS_NAME, path, f"{BUS_NAME}.Account", "SetSecret", GLib.Variant("(sha{sv})", ("password", 0, {})),
            None, 0, 20000, Gio.UnixFDList.new_from_array([reading]), None, on_reply)
    while len(replies) < 36:
        GLib.MainContext.default().iteration(True)
    assert replies == [ERROR + "TooMany"] * 36
    for writing in writers:
        os.close(writing)
    while len(replies) < 100:
        GLib.MainContext.default().iteration(True)
    assert replies[36:] == [ERROR + "InvalidArgument"] * 64  # an empty one is none
    muster.do("secret", ECHO, "password", "--fd", "3", secret="hush")


# Life


def test_it_owns_its_name_and_ends_well(muster):
    """The daemon is on the bus under its name, and ends by SIGTERM with status 0."""
    assert muster.name_owner_pid() == muster.pid
    assert muster.get("Manager", "Version")
    assert muster.stop() == 0
    assert muster.name_owner_pid() is None


def test_files_are_the_users_own(muster):
    """Nobody else can read the database or the key, and the key is not in the database."""
    muster.add("echo", ECHO)
    for path in (muster.database, muster.key_file):
        assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0, path
    assert stat.S_IMODE(os.stat(os.path.dirname(muster.database)).st_mode) & 0o077 == 0


def test_a_second_daemon_on_the_same_bus(muster, make_muster, tmp_path):
    """It says that another one has the name, and leaves with a failure; the first runs on."""
    second = make_muster(tmp_path / "second", start=False)
    process = second.spawn()
    assert process.wait(10) not in (0, -signal.SIGSEGV, -signal.SIGABRT)
    assert "another musterd" in process.log()
    assert muster.name_owner_pid() == muster.pid


def test_a_second_daemon_on_the_same_database(muster, make_muster, tmp_path):
    """On another bus, but with the same home: it names the database, and leaves with a failure."""
    other_bus = Bus(tmp_path / "other-bus")
    try:
        second = make_muster(muster.home, environment={"DBUS_SESSION_BUS_ADDRESS": other_bus.address}, start=False)
        second.log_path = str(tmp_path / "second.log")
        process = second.spawn()
        assert process.wait(10) not in (0, -signal.SIGSEGV, -signal.SIGABRT)
        assert muster.database in process.log()
    finally:
        other_bus.end()
    muster.add("echo", ECHO)


def test_accounts_survive_a_restart(muster):
    """What was added is there after a restart, registered again, with the same id."""
    muster.add("echo", ECHO)
    before = muster.show(ECHO)
    muster.stop()
    muster.start()
    after = muster.wait_state(ECHO, "registered")
    assert (after["id"], after["address"], after["created"]) == (before["id"], before["address"], before["created"])


def test_accounts_survive_a_kill(muster):
    """An account was acknowledged, then the daemon is killed at once: it is there afterwards."""
    muster.add("echo", ECHO, wait=False)
    muster.kill()
    muster.start()
    muster.wait_state(ECHO, "registered")


# Accounts


def test_add_and_show(muster):
    """A user adds an account of the sample protocol and sees it registered."""
    muster.add("echo", ECHO)
    (row,) = muster.list()
    assert (row["protocol"], row["address"], row["state"], row["enabled"]) == ("echo", ECHO, "registered", True)
    assert muster.show(row["id"]) == muster.show(ECHO)
    assert muster.show("ann") == muster.show(ECHO), "a unique beginning is enough"
    assert ECHO in muster.do("list")


def test_explain(muster):
    """Why an account is or is not registered is a chain of conditions, in words."""
    muster.add("echo", ECHO)
    (conditions,) = muster.call("Registration", "Explain", "(a{sv})", ({},), path=account_path(muster))
    assert [name for name, _, _ in conditions][:3] == ["enabled", "plugin", "parameters"]
    assert all(holds for _, holds, _ in conditions)
    muster.do("disable", ECHO, "--wait")
    (conditions,) = muster.call("Registration", "Explain", "(a{sv})", ({},), path=account_path(muster))
    assert conditions[0][:2] == ("enabled", False) and conditions[0][2]
    assert muster.do("explain", ECHO).strip()


def test_off_and_on_again(muster):
    """Off is off, and on registers again."""
    muster.add("echo", ECHO)
    muster.do("disable", ECHO, "--wait")
    assert (muster.show(ECHO)["state"], muster.show(ECHO)["enabled"]) == ("disabled", False)
    muster.do("enable", ECHO, "--wait")
    assert muster.show(ECHO)["state"] == "registered"


def test_remove(muster):
    """A removed account is gone, also after a restart."""
    muster.add("echo", ECHO)
    muster.do("remove", ECHO)
    assert muster.list() == []
    muster.stop()
    muster.start()
    assert muster.list() == []
    assert muster.run("show", ECHO).returncode != 0


def test_counters(muster):
    """The daemon counts what it did since it began."""
    muster.add("echo", ECHO)
    counters = muster.get("Manager", "Counters")
    assert (counters["accounts"], counters["registered"], counters["opened"], counters["lost"]) == (1, 1, 1, 0)


def test_the_journal(muster):
    """What happened to an account can be read back, newest first."""
    muster.add("echo", ECHO)
    events, _ = muster.call("Manager", "ListEvents", "(a{sv}sua{sv})", ({}, "", 100, {}))
    types = [event[2] for event in events]
    assert types.count("registration.created") == 1
    assert types.index("registration.created") < types.index("account.added")


def test_many_events_share_signals(muster):
    """Of many that happen together each is told once and in its order, in fewer signals than events."""
    n_accounts = 150
    heard, sizes, replies = [], [], []

    def on_events(_connection, _sender, _path, _interface, _member, arguments):
        (events,) = arguments.unpack()
        sizes.append(len(events))
        heard.extend(events)

    def on_reply(connection, result):
        replies.append(connection.call_finish(result).unpack()[0])

    subscription = muster.connection.signal_subscribe(
        BUS_NAME, f"{BUS_NAME}.Manager", "Events", ROOT_PATH, None, Gio.DBusSignalFlags.NONE, on_events)
    for number in range(n_accounts):
        arguments = GLib.Variant("(ssa{sv}a{sh}a{sv})", ("echo", f"u{number}@echo.test", {}, {}, {}))
        muster.connection.call(BUS_NAME, ROOT_PATH, f"{BUS_NAME}.Manager", "AddAccount", arguments, None,
                               Gio.DBusCallFlags.NONE, 20000, None, on_reply)

    def created():
        while GLib.MainContext.default().iteration(False):
            pass
        return [event[2] for event in heard if event[1] == "registration.created"]

    wait_until(lambda: len(created()) >= n_accounts and len(replies) == n_accounts, 20, "all are told of",
               lambda: f"{len(replies)} replies, {len(created())} events in {len(sizes)} signals")
    muster.connection.signal_unsubscribe(subscription)
    assert sorted(created()) == sorted(replies)
    assert [event[0] for event in heard] == sorted(event[0] for event in heard)
    for path in replies:
        types = [event[1] for event in heard if event[2] == path]
        assert types.index("account.added") < types.index("registration.created"), path
    assert 1 <= min(sizes) and max(sizes) <= 50
    assert len(sizes) < len(heard) / 2, sizes


def test_the_last_words_of_a_daemon_are_heard(muster):
    """Whoever listens to its name hears of each account that it takes back what it held, before the name goes."""
    heard = []

    def on_events(_connection, _sender, _path, _interface, _member, arguments):
        heard.extend(event[1] for event in arguments.unpack()[0])

    subscription = muster.connection.signal_subscribe(
        BUS_NAME, f"{BUS_NAME}.Manager", "Events", ROOT_PATH, None, Gio.DBusSignalFlags.NONE, on_events)
    for number in range(5):
        muster.run("add", "echo", f"u{number}@echo.test", "--wait")
    for _ in range(6):
        wait_until(lambda: muster.get("Manager", "Counters")["registered"] == 5, 5, "all are registered")
        muster.stop()
        while GLib.MainContext.default().iteration(False):
            pass
        assert heard.count("registration.ended") == 5, heard
        heard.clear()
        muster.start()
    muster.connection.signal_unsubscribe(subscription)


# What is refused


MUTATING = [
    ("Manager", "AddIdentity", "(sa{sv})", ("Ann",), None),
    ("Manager", "AddAccount", "(ssa{sv}a{sh}a{sv})", ("echo", "bob@echo.test", {}, {}), None),
    ("Account", "SetEnabled", "(ba{sv})", (False,), "account"),
    ("Account", "Update", "(a{sv}asa{sv})", ({}, []), "account"),
    ("Account", "ClearSecret", "(sa{sv})", ("password",), "account"),
    ("Account", "Remove", "(a{sv})", (), "account"),
    ("Registration", "Refresh", "(a{sv})", (), "account"),
    ("Registration", "RetryNow", "(a{sv})", (), "account"),
]


@pytest.mark.parametrize("interface, method, signature, arguments, target", MUTATING, ids=lambda value: str(value))
def test_unknown_option_keys(muster, interface, method, signature, arguments, target):
    """An option that a method does not know is refused by its name, and nothing is done."""
    muster.add("echo", ECHO)
    path = account_path(muster) if target else ROOT_PATH
    options = {"no-such-option": GLib.Variant("b", True)}
    name, words = bus_error(muster.call, interface, method, signature, (*arguments, options), path=path)
    assert name == ERROR + "InvalidArgument"
    assert "no-such-option" in words
    (row,) = muster.list()
    assert row["state"] == "registered"


@pytest.mark.parametrize("address, parameters, secrets, word", [
    ("", {}, {}, "address"),
    ("a" * 5000, {}, {}, "address"),
    ("ann\r\n@echo.test", {}, {}, "address"),
    (ECHO, {"no-such-parameter": GLib.Variant("s", "x")}, {}, "no-such-parameter"),
], ids=["empty", "over-long", "control characters", "unknown parameter"])
def test_bad_accounts(muster, address, parameters, secrets, word):
    """A bad account is refused by the name of what is wrong with it."""
    name, words = bus_error(muster.call, "Manager", "AddAccount", "(ssa{sv}a{sh}a{sv})",
                            ("echo", address, parameters, secrets, {}))
    assert name == ERROR + "InvalidArgument"
    assert word in words
    assert muster.list() == []


def test_unknown_protocol(muster):
    """A protocol that no plugin speaks is named."""
    name, words = bus_error(muster.call, "Manager", "AddAccount", "(ssa{sv}a{sh}a{sv})",
                            ("carrier-pigeon", ECHO, {}, {}, {}))
    assert name in (ERROR + "InvalidArgument", ERROR + "NotFound")
    assert "carrier-pigeon" in words


def test_the_same_account_twice(muster):
    """An address is added once to a protocol."""
    muster.add("echo", ECHO)
    outcome = muster.run("add", "echo", ECHO)
    assert outcome.returncode != 0 and ECHO in outcome.stderr
    assert len(muster.list()) == 1


def test_wrong_state(muster):
    """What cannot be done now says so: a refresh needs a registration."""
    muster.add("echo", ECHO)
    muster.do("disable", ECHO, "--wait")
    name, _ = bus_error(muster.call, "Registration", "Refresh", "(a{sv})", ({},), path=account_path(muster))
    assert name == ERROR + "WrongState"


def test_not_found_and_ambiguous(muster):
    """A selector that means nothing or too much is told apart."""
    muster.add("echo", "ann@echo.test")
    muster.add("echo", "anna@echo.test")
    assert bus_error(account_path, muster, "bob")[0] == ERROR + "NotFound"
    assert bus_error(account_path, muster, "an")[0] == ERROR + "Ambiguous"


@pytest.mark.parametrize("selector, outcome", [
    ("Bob", "Bob"),
    ("bob", "bob"),
    ("BOB", ERROR + "Ambiguous"),
    ("Ångström", "Ångström"),
    ("ångström", "Ångström"),
    ("ÅNG", "Ångström"),
    ("Carol", "Carol of Bob's"),
    ("carol", "Carol of Bob's"),
    ("c", ERROR + "Ambiguous"),
    ("dave", ERROR + "NotFound"),
])
def test_an_identity_in_other_capitals(muster, selector, outcome):
    """Capitals count where something is written so; else they do not, if only one identity is meant."""
    for name in ("Bob", "bob", "Ångström", "Carol of Bob's", "Cecil"):
        muster.do("identity", "add", name)

    def find():
        return muster.call("Manager", "Find", "(ssa{sv})", ("identity", selector, {}))[0]

    if outcome.startswith(ERROR):
        assert bus_error(find)[0] == outcome
    else:
        assert muster.get("Identity", "Name", find()) == outcome


@pytest.mark.parametrize("arguments", [
    [],
    ["no-such-command"],
    ["list", "--no-such-option"],
    ["add"],
    ["add", "echo"],
    ["show"],
    ["add", "echo", ECHO, "--set", "without-a-value"],
    ["add", "echo", ECHO, "--password-fd", "not-a-number"],
    ["add", "echo", ECHO, "--password-fd", "77"],
], ids=" ".join)
def test_bad_arguments(muster, arguments):
    """A command that was not understood says so on stderr, with a status of its own, and does nothing."""
    outcome = muster.run(*arguments)
    assert outcome.returncode not in (0, 1) and outcome.returncode < 64, outcome
    assert outcome.stderr.strip() and not outcome.stdout
    assert muster.list() == []


def test_without_a_daemon(make_muster):
    """The command line says that the daemon is not there."""
    muster = make_muster(start=False)
    outcome = muster.run("list")
    assert outcome.returncode != 0
    assert "musterd" in outcome.stderr
