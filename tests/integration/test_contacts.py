# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One roster of all accounts: who is there, who asks, and what one can ask of them."""

import time

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from echo_all import EchoAll
from harness.muster import BUS_NAME, ROOT_PATH
from harness.process import wait_until

BOB, CAROL, DAVE = "bob@all.test", "carol@all.test", "dave@all.test"
NOBODY, AMBIGUOUS, REFUSES = 5, 6, 8


@pytest.fixture
def ann(muster, tmp_path):
    return EchoAll(muster, tmp_path, contacts=f"{BOB}=away")


def contacts(muster, *words):
    return {row["address"]: row for row in muster.json("contacts", *words)}


def wait_contact(muster, address, **expected):
    """Wait until its row has these values."""

    def met():
        row = contacts(muster).get(address, {})
        return row if all(row.get(key) == value for key, value in expected.items()) else None

    return wait_until(met, 10, f"{address} is {expected}", lambda: str(contacts(muster)))


class Follower:
    """A roster kept by Contacts.Changed alone."""

    def __init__(self, muster):
        self.rows, self.sizes = {}, []
        self.connection = muster.connection
        self.subscription = self.connection.signal_subscribe(
            BUS_NAME, f"{BUS_NAME}.Contacts", "Changed", ROOT_PATH, None, 0, self.on_changed)
        muster.get("Manager", "Version")  # the bus has the match when this is back

    def on_changed(self, _connection, _sender, _path, _interface, _name, parameters):
        (rows,) = parameters.unpack()
        self.sizes.append(len(rows))
        for row in rows:
            if row.get("Removed"):
                del self.rows[row["Address"]]
            else:
                self.rows[row["Address"]] = row

    def wait(self, condition, what):
        end_s = time.monotonic() + 20
        while not condition(self.rows):
            assert time.monotonic() < end_s, f"{what}: {str(self.rows)[:1000]}"
            GLib.MainContext.default().iteration(False)


def error_of(muster, method, signature, arguments):
    with pytest.raises(GLib.Error) as caught:
        muster.call("Contacts", method, signature, arguments)
    name = Gio.DBusError.get_remote_error(caught.value)
    return name.removeprefix(f"{BUS_NAME}.Error."), caught.value.message.partition(f"{name}: ")[2]


def test_best_of_two_accounts(muster, tmp_path, ann):
    """Bob is away here and there at the other account: he is there, and if that account goes, away."""
    anna = EchoAll(muster, tmp_path, "anna@all.test", contacts=f"{BOB}=offline")
    anna.send(f"contact {BOB} available at my desk")
    row = wait_contact(muster, BOB, presence="available", text="at my desk", account=anna.id)
    assert {each["account-address"]: each["presence"] for each in row["accounts"]} == {
        "ann@all.test": "away", "anna@all.test": "available"}
    assert row["since"] is not None and all(each["current"] for each in row["accounts"])
    line = muster.do("contacts").splitlines()[1]
    assert "available" in line and "ann@all.test, anna@all.test" in line
    assert line.endswith("  at my desk")  # what may be long moves no column
    assert [each["name"] for each in row["accounts"]] == [None, None]

    muster.do("disable", "anna@all.test", "--wait")
    wait_contact(muster, BOB, presence="away", account=ann.id)
    muster.do("disable", "ann@all.test", "--wait")
    row = wait_contact(muster, BOB, presence="unknown")
    assert not any(each["current"] for each in row["accounts"])
    assert "ann@all.test (off), anna@all.test (off)" in muster.do("contacts")
    assert muster.json("contacts", "--presence", "available") == []
    muster.do("enable", "ann@all.test", "--wait")
    wait_contact(muster, BOB, presence="away")
    muster.do("remove", "ann@all.test", "anna@all.test", "--yes")
    wait_until(lambda: contacts(muster) == {}, 10, "nobody's contacts are gone")


def test_watching(muster, ann):
    """Watch, by any spelling; what becomes of it; and no longer."""
    ann.log()
    said = muster.do("watch", f"echo-all:{CAROL}", "--name", "Carol")
    assert "has not answered yet" in said and "Carol" in said
    assert ann.log("add") == [f'add {CAROL} "Carol"']
    ann.send(f"contact {CAROL} dnd in a meeting")
    wait_contact(muster, CAROL, presence="dnd", text="in a meeting", state="watched", name="Carol")
    ann.send(f"denied {CAROL}")
    assert wait_contact(muster, CAROL, state="denied")["presence"] == "unknown"
    assert "does not let you see it" in muster.do("contacts")
    assert muster.do("watch", CAROL.upper(), "--remove") == f"{CAROL.upper()} is not watched any more\n"
    assert ann.log("remove") == [f"remove {CAROL}"]
    assert list(contacts(muster)) == [BOB]
    outcome = muster.run("watch", CAROL, "--remove")
    assert (outcome.returncode, outcome.stderr) == (
        NOBODY, f"muster: cannot stop watching {CAROL}: no account has this address among its contacts\n")
    ann.send(f"gone {BOB}")
    wait_until(lambda: contacts(muster) == {}, 10, "Bob is gone")
    types = [event["type"] for event in muster.json("log", "--type", "contact.")]
    assert types == ["contact.added", "contact.accepted", "contact.refused", "contact.removed"]


def test_requests_are_answered(muster, tmp_path, ann):
    """Who asks is in the journal and in the list; the account that was asked answers."""
    anna = EchoAll(muster, tmp_path, "anna@all.test")
    ann.send(f"ask {CAROL}", f"ask {DAVE}")
    wait_contact(muster, DAVE, asks=True, presence="unknown", state="none")
    assert sorted(contacts(muster, "--asks")) == [CAROL, DAVE]
    assert muster.do("contacts", "--asks").count("asks to see you") == 2
    ann.log(), anna.log()
    assert muster.do("allow", CAROL) == f"{CAROL} may see your presence\n"
    assert muster.json("deny", DAVE) is None  # it is no contact
    assert ann.log("allow", "deny") == [f"allow {CAROL}", f"deny {DAVE}"]
    assert anna.log("allow", "deny") == []
    assert contacts(muster, "--asks") == {}
    events = [(event["type"], event["payload"]["contact"]) for event in muster.json("log", "ann@all.test", "--type", "contact.")]
    assert events == [("contact.asks", CAROL), ("contact.asks", DAVE), ("contact.allowed", CAROL), ("contact.denied", DAVE)]

    ann.send(f"ask {CAROL}")
    anna.send(f"ask {CAROL}")
    wait_until(lambda: len(contacts(muster)[CAROL]["accounts"]) == 2, 10, "both were asked")
    outcome = muster.run("allow", CAROL)
    assert (outcome.returncode, outcome.stderr) == (
        AMBIGUOUS, f"muster: cannot allow {CAROL}: more than one account was asked; "
                   "say which: ann@all.test, anna@all.test (with --account)\n")
    muster.do("allow", CAROL, "--account", "anna@all.test")
    assert anna.log("allow") == [f"allow {CAROL}"]
    muster.do("deny", CAROL)
    assert ann.log("allow", "deny") == [f"deny {CAROL}"]


def test_which_account_watches(muster, tmp_path, ann):
    """The only one that can, or the only one at the same host; otherwise one has to say."""
    far = EchoAll(muster, tmp_path, "ann@far.test")
    ann.log(), far.log()
    muster.do("watch", "zoe@FAR.test")
    assert far.log("add") == ["add zoe@FAR.test"] and ann.log("add") == []
    outcome = muster.run("watch", "zoe@third.test")
    assert outcome.returncode == AMBIGUOUS and "say which: ann@all.test, ann@far.test" in outcome.stderr
    muster.do("disable", "ann@far.test", "--wait")
    muster.do("watch", "zoe@third.test")
    assert ann.log("add") == ["add zoe@third.test"]
    outcome = muster.run("watch", DAVE, "--account", "ann@far.test")
    assert (outcome.returncode, outcome.stderr) == (
        REFUSES, f"muster: cannot watch {DAVE} with account ann@far.test: it is not registered (disabled), so it can watch nobody\n")
    muster.add("echo", "plain@echo.test", secret="se:cret")
    outcome = muster.run("watch", DAVE, "--account", "plain@echo.test")
    assert outcome.returncode == REFUSES and "knows no contacts" in outcome.stderr


def test_the_service_refuses(muster, ann):
    """What it answered comes through, and nothing is changed."""
    before = contacts(muster)
    ann.set(watch_error="forbidden")
    name, words = error_of(muster, "Watch", "(osa{sv})", ("/", CAROL, {}))
    assert name == "Forbidden" and words
    assert contacts(muster) == before
    ann.send("lose unreachable")
    wait_until(lambda: muster.json("log", "--type", "contacts.failed"), 10, "the load failed")
    assert muster.json("log", "--type", "contacts.failed")[0]["payload"]["error"] == "forbidden"
    assert wait_contact(muster, BOB, presence="unknown")["accounts"][0]["presence"] == "away"


def test_followers_hear_of_each_change(muster, ann):
    """Contacts.Changed alone is enough to keep a roster that is right."""
    follower = Follower(muster)
    ann.send(f"contact {CAROL} chat", f"contact {BOB} dnd")
    follower.wait(lambda rows: {address: row["Presence"] for address, row in rows.items()} == {CAROL: "chat", BOB: "dnd"},
                  "two changed")
    muster.do("watch", BOB, "--remove")
    follower.wait(lambda rows: list(rows) == [CAROL], "one is gone")
    muster.do("disable", ann.address, "--wait")
    follower.wait(lambda rows: rows[CAROL]["Presence"] == "unknown", "unknown")
    muster.do("remove", ann.address, "--yes")
    follower.wait(lambda rows: not rows, "all are gone")


def test_pages(muster, tmp_path):
    """Hundreds come page by page, each once, in order, and a filter with few hits still ends."""
    many = [f"{'cC'[number % 2]}{number:03}@all.test" for number in range(400)]
    follower = Follower(muster)
    ann = EchoAll(muster, tmp_path)
    ann.send(*(f"contact {each} away" for each in reversed(many)))
    wait_until(lambda: len(contacts(muster)) == len(many), 10, "all are there")
    seen, cursor, n_pages = [], "", 0
    while (cursor or not n_pages) and n_pages < 100:
        rows, cursor = muster.call("Contacts", "List", "(a{sv}sua{sv})", ({}, cursor, 60, {}))
        seen += [row["Address"] for row in rows]
        n_pages += 1
    assert seen == many and n_pages >= 7
    ann.send("contact C123@all.test chat")
    wait_until(lambda: list(contacts(muster, "--presence", "chat")) == ["C123@all.test"], 10, "one is otherwise")
    identity = muster.show(ann.address)["identity"]
    assert len(contacts(muster, "--account", ann.address)) == len(contacts(muster, "--identity", identity)) == len(many)
    follower.wait(lambda rows: len(rows) == len(many) and rows["C123@all.test"]["Presence"] == "chat", "all were told")
    assert max(follower.sizes) <= 40
    assert muster.do("complete", "contacts").split() == many
