# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls and messages: who hears of them, who answers, and where accepted ones go."""

import json
import subprocess

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from echo_all import EchoAll  # noqa: E402
from harness.muster import BUS_NAME, ROOT_PATH  # noqa: E402
from harness.process import wait_until  # noqa: E402

BOB = "bob@all.test"
SECRET_TEXT = "meet me where the lamp is broken"
OK, REFUSES, NOBODY, AMBIGUOUS = 0, 8, 5, 6


@pytest.fixture
def echo(muster, tmp_path):
    """A registered account on a service that does what it is told."""
    return EchoAll(muster, tmp_path, lease=3600)


def offers(echo, *options):
    return echo.muster.json("incoming", *options)


def only(echo, *options):
    (row,) = offers(echo, *options)
    return row


def path(row):
    return f"{ROOT_PATH}/Incoming/{row['id']}"


def answer(echo, row, method, signature="(a{sv})", arguments=({},)):
    echo.muster.call("Incoming", method, signature, arguments, path=path(row))


class Dialer:
    """An application with a connection of its own."""

    def __init__(self, bus):
        self.connection = Gio.DBusConnection.new_for_address_sync(
            bus.address,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)
        self.connection.set_exit_on_close(False)

    def _call(self, method, signature, arguments):
        self.connection.call_sync(BUS_NAME, ROOT_PATH, f"{BUS_NAME}.HandlerManager", method,
                                  GLib.Variant(signature, arguments), None, 0, 5000, None)

    def register(self, address, *kinds, **options):
        self._call("RegisterHandler", "(sasa{sv})", (address, kinds or ("call",), options))

    def unregister(self, address):
        self._call("UnregisterHandler", "(sa{sv})", (address, {}))

    def close(self):
        self.connection.close_sync(None)


def test_a_call_is_shown_and_declined(echo):
    """Somebody calls: it is there with all that is known of it, once; declining tells the service, and it is over."""
    echo.send(f"call 1 {BOB} Bob B.")
    row = only(echo)
    assert (row["kind"], row["state"], row["from"], row["from-name"]) == ("call", "waiting", BOB, "Bob B.")
    assert (row["account"], row["address"], row["answer"], row["error"]) == (echo.id, echo.address, None, None)
    assert len(row["id"]) == 13 and row["id"][0] == "i" and row["since"]

    shown = json.loads(echo.muster.do("incoming", "decline", row["id"][:6], "--json"))
    assert (shown["state"], shown["answer"]) == ("taken", "decline")
    assert echo.log("answer") == ["answer 1 decline"]
    assert offers(echo) == [] and only(echo, "--all")["state"] == "taken"

    outcome = echo.muster.run("incoming", "busy", row["id"])
    assert outcome.returncode == REFUSES and "the call is over: it was answered already" in outcome.stderr


@pytest.mark.parametrize("command, state", [("cancel", "cancelled"), ("elsewhere", "elsewhere"), ("stale", "stale")])
def test_calls_end_without_us(echo, command, state):
    """The caller gives up, another device answers, or the service gives up: nobody can answer any more."""
    echo.send(f"call 1 {BOB}", f"{command} 1")
    row = only(echo, "--all")
    assert row["state"] == state and offers(echo) == []
    with pytest.raises(GLib.Error, match="WrongState.*the call is over"):
        answer(echo, row, "Accept", arguments=({"target": GLib.Variant("s", "echo-all:me@here")},))
    assert echo.log("answer") == []


def test_calls_end_with_the_registration(echo):
    """An account that is switched off takes no calls; what was written to it stays to be read."""
    echo.send(f"call 1 {BOB}", f"message 2 {BOB} hello")
    echo.muster.do("disable", echo.address, "--wait")
    assert {row["kind"]: row["state"] for row in offers(echo, "--all")} == {"call": "stale", "message": "waiting"}
    row = only(echo)
    assert row["text"] == "hello"
    echo.muster.do("incoming", "accept", row["id"])
    assert offers(echo) == []
    echo.muster.do("remove", echo.address, "--yes")
    assert offers(echo, "--all") == []


def test_an_accepted_call_goes_to_a_dialer(echo, bus):
    """The dialer that came last and takes such calls; without any, one has to say where. They go with their names."""
    first, second = Dialer(bus), Dialer(bus)
    echo.send(f"call 1 {BOB}", f"call 2 {BOB}", f"call 3 {BOB}", f"call 4 {BOB}")
    ids = [row["id"] for row in sorted(offers(echo), key=lambda row: row["since"])]
    outcome = echo.muster.run("incoming", "accept", ids[0])
    assert outcome.returncode == REFUSES and f"muster incoming accept {ids[0]} --to ADDRESS" in outcome.stderr
    assert echo.log("answer") == []

    first.register("echo-all:first@127.0.0.1:5070", "call", "message")
    second.register("echo-all:second@127.0.0.1:5071", "call")
    second.register("sip:second@127.0.0.1:5071", "call")
    second.register("echo-all:box@127.0.0.1", "message", protocol=GLib.Variant("s", "echo-all"))
    echo.muster.do("incoming", "accept", ids[0])
    second.unregister("echo-all:second@127.0.0.1:5071")
    echo.muster.do("incoming", "accept", ids[1])
    first.close()
    wait_until(lambda: len(echo.muster.get("HandlerManager", "Handlers")) == 2, 5, "handlers go with their names")
    assert echo.muster.run("incoming", "accept", ids[2]).returncode == REFUSES
    echo.muster.do("incoming", "accept", ids[2], "--to", "echo-all:me@here")
    echo.muster.do("incoming", "redirect", ids[3], "carol@all.test")
    asked = [line.split()[2:] for line in echo.log("answer")]
    assert asked == [["accept", "echo-all:second@127.0.0.1:5071"], ["accept", "echo-all:first@127.0.0.1:5070"],
                     ["accept", "echo-all:me@here"], ["redirect", "carol@all.test"]]
    second.close()
    wait_until(lambda: not echo.muster.get("HandlerManager", "Handlers"), 5, "the other ones, too")


def test_handlers_are_for_whom_they_say(echo, bus, tmp_path):
    """One for some accounts is not asked for others; all can be seen."""
    dialer = Dialer(bus)
    other = EchoAll(echo.muster, tmp_path, "olga@all.test", lease=3600)
    accounts = [f"{ROOT_PATH}/Account/{other.id}"]
    identity = echo.muster.get("Account", "Identity", path=accounts[0])
    dialer.register("echo-all:a@here", "call", "message", accounts=GLib.Variant("ao", accounts))
    dialer.register("echo-all:b@here", "message", identity=GLib.Variant("o", identity))
    handlers = echo.muster.json("incoming", "handlers")
    assert [(row["address"], row["kinds"], row["accounts"]) for row in handlers] == [
        ("echo-all:a@here", ["call", "message"], [other.id]), ("echo-all:b@here", ["message"], None)]
    assert handlers[1]["identity"] == identity.rpartition("/")[2]
    assert handlers[0]["client"] == dialer.connection.get_unique_name()
    table = echo.muster.do("incoming", "handlers").splitlines()
    assert table[0].split()[:2] == ["ADDRESS", "KINDS"] and len(table) == 3

    echo.send(f"call 1 {BOB}")
    other.send(f"call 2 {BOB}")
    by_account = {row["account"]: row["id"] for row in offers(echo)}
    assert echo.muster.run("incoming", "accept", by_account[echo.id]).returncode == REFUSES
    echo.muster.do("incoming", "accept", by_account[other.id])
    assert other.log("answer") == ["answer 2 accept echo-all:a@here"]
    dialer.close()


def test_what_handlers_may_say(echo, bus):
    """An address without a scheme, a kind that there is not, nobody's account: refused by name."""
    dialer = Dialer(bus)
    for address, kinds, options, words in (
            ("me@here", ["call"], {}, "InvalidArgument: address: \"me@here\" does not begin with a scheme"),
            ("sip:me", ["fax"], {}, "InvalidArgument: kinds: \"fax\" is neither call nor message"),
            ("sip:me", ["call"], {"accounts": GLib.Variant("ao", ["/nobody"])}, "NotFound: accounts: .*nobody"),
            ("sip:me", ["call"], {"accounts": GLib.Variant("ao", ["/nobody"] * 65)}, "InvalidArgument: accounts: more"),
            ("sip:me", ["call"], {"identity": GLib.Variant("o", "/nobody")}, "NotFound: identity: .*nobody"),
            ("sip:me", ["call"], {"protocol": GLib.Variant("s", "pigeon")}, "NotFound: protocol: .*pigeon")):
        with pytest.raises(GLib.Error, match=words):
            dialer.register(address, *kinds, **options)
    dialer.register("sip:me")
    with pytest.raises(GLib.Error, match="Exists: address: you have registered sip:me already"):
        dialer.register("sip:me")
    with pytest.raises(GLib.Error, match="NotFound: address: you have not registered \"sip:you\""):
        dialer.unregister("sip:you")
    dialer.close()


def test_an_answer_that_fails(echo):
    """The service does not take it: the call rings on, says why, and can be answered otherwise."""
    echo.set(answer_error="busy")
    echo.send(f"call 1 {BOB}")
    row = only(echo)
    with pytest.raises(GLib.Error, match=f"{BUS_NAME}.Error.Busy"):
        answer(echo, row, "Decline")
    row = only(echo)
    assert (row["state"], row["error"], row["answer"]) == ("waiting", "busy", None) and row["error-details"]["message"]
    outcome = echo.muster.run("incoming", "decline", row["id"])
    assert outcome.returncode == 1 and f"cannot decline {row['id']}: " in outcome.stderr
    echo.set(answer_error="")
    answer(echo, row, "Busy")
    assert (only(echo, "--all")["state"], only(echo, "--all")["error"]) == ("taken", None)


def test_messages_stay_until_somebody_saw_them(echo):
    """What was written is shown with its lines, and nowhere but on the object: not in events, journal or log."""
    echo.send(f"message 1 {BOB} {SECRET_TEXT}\nsecond line")
    row = only(echo)
    assert (row["kind"], row["text"]) == ("message", f"{SECRET_TEXT}\nsecond line")
    assert SECRET_TEXT in echo.muster.do("incoming") and SECRET_TEXT in echo.muster.do("incoming", "show", row["id"][:5])
    with pytest.raises(GLib.Error, match="WrongState: it is a message"):
        answer(echo, row, "Busy")
    echo.muster.do("incoming", "accept", row["id"])
    assert echo.log("answer") == ["answer 1 accept"]
    events = echo.muster.json("log", "--type", "incoming.")
    assert [(event["type"], event["payload"].get("state")) for event in events] == [
        ("incoming.message", None), ("incoming.ended", "taken")]
    assert events[0]["payload"] == {"id": row["id"], "from": BOB}
    assert events[1]["payload"] == {"id": row["id"], "kind": "message", "state": "taken", "answer": "accept"}
    assert "lamp" not in echo.muster.do("log") and "lamp" not in echo.muster.log()


def test_many_find_no_more_room_than_there_is(echo):
    """A hundred are kept: messages make room for newer ones, and callers hear that it is busy."""
    echo.send(f"message first {BOB} one")
    echo.send(*(f"call {number} {BOB}" for number in range(100)))
    rows = offers(echo)
    assert len(rows) == 100 and all(row["kind"] == "call" for row in rows)
    echo.send(f"call more {BOB}")
    echo.wait_log("answer more busy")
    assert len(offers(echo)) == 100


def test_ids_may_be_shortened(echo):
    """To what one alone has; otherwise it is said what is the matter."""
    echo.send(f"call 1 {BOB}", f"call 2 {BOB}")
    run = echo.muster.run
    assert run("incoming", "decline", "i").returncode == AMBIGUOUS
    assert run("incoming", "decline", "x").returncode == NOBODY
    assert run("incoming", "show", "").returncode == NOBODY
    completed = echo.muster.do("complete", "incoming").split()
    assert sorted(completed) == sorted(row["id"] for row in offers(echo))
    echo.muster.do("incoming", "decline", completed[0])
    assert echo.muster.do("complete", "incoming").split() == completed[1:]  # what is over takes no answer
    assert sorted(echo.muster.do("complete", "incoming-all").split()) == sorted(completed)


def test_it_is_told_on_the_bus(echo):
    """As an object that comes, changes and is listed, as other objects are."""
    seen = []
    connection = echo.muster.connection
    subscription = connection.signal_subscribe(
        BUS_NAME, None, None, None, None, 0,
        lambda _c, _s, where, _i, signal, arguments, *_: seen.append((where, signal, arguments.unpack())))
    echo.send(f"call 1 {BOB}")
    row = only(echo)
    answer(echo, row, "Decline")

    def told():
        while GLib.MainContext.default().iteration(False):
            pass
        added = [each for _, signal, each in seen if signal == "InterfacesAdded" and each[0] == path(row)]
        states = [each[1].get("State") for where, signal, each in seen
                  if signal == "PropertiesChanged" and where == path(row)]
        return added and (states[-1:] == ["taken"] or added[0][1][f"{BUS_NAME}.Incoming"]["State"] == "taken")

    wait_until(told, 5, "the object is told, and its end")
    connection.signal_unsubscribe(subscription)
    managed = connection.call_sync(
        BUS_NAME, ROOT_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", None, None, 0, 5000, None).unpack()[0]
    assert managed[path(row)][f"{BUS_NAME}.Incoming"]["From"] == BOB
    (listed,), _ = echo.muster.call("Manager", "List", "(sa{sv}assua{sv})", ("incoming", {}, ["Incoming.State"], "", 10, {}))
    assert listed == {"Path": path(row), "Incoming.State": "taken"}


def test_a_beginning_means_what_can_still_be_answered(echo):
    """Where several begin so, those that are over are not meant; if still several are left, nothing is done."""
    echo.send(f"call 1 {BOB}", "cancel 1", f"call 2 {BOB}")
    (open_id,) = [row["id"] for row in offers(echo)]
    echo.muster.do("incoming", "decline", "i")
    assert {row["state"] for row in offers(echo, "--all")} == {"cancelled", "taken"} and echo.log("answer") == ["answer 2 decline"]
    outcome = echo.muster.run("incoming", "show", "i")
    assert outcome.returncode == AMBIGUOUS and "can mean 2 calls and messages" in outcome.stderr
    echo.send(f"call 3 {BOB}", f"call 4 {BOB}")
    outcome = echo.muster.run("incoming", "busy", "i")
    assert outcome.returncode == AMBIGUOUS and "can mean 2 calls and messages" in outcome.stderr
    assert json.loads(echo.muster.do("incoming", "show", open_id, "--json"))["state"] == "taken"
    assert echo.log("answer") == []


def test_watching_in_a_terminal(echo):
    """A line for what waits, for each that comes, and for each end; a text of two lines is one."""
    echo.send(f"call 1 {BOB}")
    watch = subprocess.Popen([echo.muster.command, "incoming", "--watch"], env=echo.muster.environment,
                             stdout=subprocess.PIPE, text=True)
    try:
        assert f"call waiting  {only(echo)['id']}  from {BOB}  to {echo.address}" in watch.stdout.readline()
        echo.send(f"message 2 {BOB} one\ntwo")
        line = watch.stdout.readline()
        assert "message waiting" in line and line.endswith("  one\\ntwo\n")
        echo.send("cancel 1")
        assert "call cancelled  " in watch.stdout.readline()
        echo.muster.do("incoming", "decline", only(echo)["id"])
        while "answering" in (line := watch.stdout.readline()):
            pass
        assert "message taken (decline)  " in line
    finally:
        watch.terminate()
        assert watch.wait(5) == OK
        watch.stdout.close()


def test_watching_goes_on_without_the_daemon(echo):
    """Whoever watches is told when the daemon goes and when it is back, that what waited is gone, and what comes then."""
    echo.send(f"call 1 {BOB}")
    first = only(echo)
    watches = [subprocess.Popen([echo.muster.command, "incoming", "--watch", *options], env=echo.muster.environment,
                                stdout=subprocess.PIPE, text=True) for options in ([], ["--json"])]
    people, machines = (watch.stdout for watch in watches)
    try:
        assert "call waiting" in people.readline()
        row = json.loads(machines.readline())
        assert (row["change"], row["id"], row["state"]) == ("initial", first["id"], "waiting") and row["time"]
        echo.muster.kill()
        assert people.readline().endswith("  musterd is not running\n")
        assert json.loads(machines.readline())["change"] == "daemon-stopped"
        echo.muster.start()
        assert people.readline().endswith("  musterd is running again\n")
        assert f"call gone  {first['id']}  from {BOB}" in people.readline()
        assert [json.loads(machines.readline())["change"] for _ in range(2)] == ["daemon-started", "removed"]
        echo.muster.wait_state(echo.address, "registered")
        echo.send(f"call 2 {BOB}")
        assert f"call waiting  {only(echo)['id']}  from {BOB}  to {echo.address}" in people.readline()
        assert json.loads(machines.readline())["change"] == "added"
    finally:
        for watch in watches:
            watch.terminate()
            assert watch.wait(5) == OK
            watch.stdout.close()


def test_the_mailbox(muster, echo):
    """What waits at the service is on the account, told once, and only where the protocol has such a thing."""
    account = f"{ROOT_PATH}/Account/{echo.id}"
    assert muster.get_all("Mailbox", account) == {"New": 0, "Old": 0, "Since": 0}
    echo.send("waiting 2 5", "waiting 2 5")
    box = muster.get_all("Mailbox", account)
    assert (box["New"], box["Old"]) == (2, 5) and box["Since"] > 0
    row = muster.show(echo.address)
    assert (row["mailbox-new"], row["mailbox-old"]) == (2, 5)
    assert [event["payload"] for event in muster.json("log", "--type", "mailbox.")] == [{"new": 2, "old": 5}]

    muster.add("echo", "ann@echo.test", lease=3600)
    plain = muster.show("ann@echo.test")
    assert plain["mailbox-new"] is None
    with pytest.raises(GLib.Error, match="org.muster.Muster1.Mailbox"):
        muster.get_all("Mailbox", f"{ROOT_PATH}/Account/{plain['id']}")
    assert {row["address"]: row["mailbox-new"] for row in muster.list()} == {echo.address: 2, "ann@echo.test": None}
    managed = muster.connection.call_sync(
        BUS_NAME, ROOT_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", None, None, 0, 5000, None).unpack()[0]
    assert f"{BUS_NAME}.Mailbox" in managed[account]
    assert f"{BUS_NAME}.Mailbox" not in managed[f"{ROOT_PATH}/Account/{plain['id']}"]


def test_the_status_says_what_waits(echo):
    """Whoever looks how the daemon is sees that somebody calls, has written, or left a message; and nothing otherwise."""
    quiet = echo.muster.do("status").splitlines()
    echo.send(f"call 1 {BOB} Bob", f"message 2 {BOB} lunch?", "waiting 3 1")
    row = next(row for row in offers(echo) if row["kind"] == "call")
    assert [line for line in echo.muster.do("status").splitlines() if line not in quiet] == [
        f"1 call is ringing: from Bob ({BOB}) to {echo.address}; 'muster incoming' shows it",
        f"1 message came in and nobody has seen it: from {BOB} to {echo.address}; 'muster incoming' shows it",
        f"3 new messages wait in the mailbox of {echo.address}"]
    status = echo.muster.json("status")
    assert {each["id"]: each["kind"] for each in status["incoming"]} == {each["id"]: each["kind"] for each in offers(echo)}
    (box,) = status["mailboxes"]
    assert (box["id"], box["address"], box["new"], box["old"]) == (echo.id, echo.address, 3, 1) and box["since"]
    assert "metrics" not in status and echo.muster.json("status", "--all")["mailboxes"] == [box]

    echo.send("cancel 1", "waiting 0 4")
    assert "ringing" not in echo.muster.do("status") and row["id"] not in str(echo.muster.json("status"))
    assert echo.muster.json("status")["mailboxes"] == []
