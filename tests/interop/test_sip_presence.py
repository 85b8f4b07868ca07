# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIP presence, and what a registrar tells of an account, with a real kamailio as presence server."""

import sqlite3
import time

import pytest

from harness.process import wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
PASSWORD = "se:cret"
USERS = {"alice": PASSWORD, "bob": PASSWORD}
OWN_EVENTS = 3  # of each account: who watches it, its messages, its bindings


@pytest.fixture
def kamailio(make_kamailio):
    return make_kamailio(USERS, presence="active")


def add(muster, kamailio, *addresses, **parameters):
    for address in addresses:
        muster.add("sip", address, secret=PASSWORD, server=kamailio.server, **parameters)


def contact(muster, address):
    return {row["address"]: row for row in muster.json("contacts")}.get(address, {})


def wait_contact(muster, address, timeout_s=10, **expected):
    """Wait until its row has these values; returns how long it took."""
    began_s = time.monotonic()
    wait_until(lambda: all(contact(muster, address).get(key) == value for key, value in expected.items()), timeout_s,
               f"{address} is {expected}", lambda: f"{contact(muster, address)}\n{muster.log()[-4000:]}")
    return time.monotonic() - began_s


def wait_subscribed(kamailio, user, count):
    """Wait until so many subscriptions of the user were accepted: those that were challenged come twice."""
    wait_until(lambda: len({each.call_id for each in kamailio.requests("SUBSCRIBE") if each.user == user}) >= count, 15,
               f"{count} subscriptions of {user}", lambda: "\n".join(kamailio.lines()[-40:]))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_watch_somebody(muster, kamailio, transport):
    """What one account publishes, another that watches it sees within a second, and that it has gone, too."""
    add(muster, kamailio, ALICE, BOB, transport=transport)
    muster.do("presence", "available")
    muster.do("watch", BOB, "--account", ALICE, "--name", "Bob")
    wait_contact(muster, BOB, presence="available")

    muster.do("presence", "away", "--text", "Lunch")
    assert wait_contact(muster, BOB, presence="away", text="Lunch") < 1
    muster.do("presence", "dnd")
    assert wait_contact(muster, BOB, presence="dnd") < 1
    muster.do("disable", BOB)
    wait_contact(muster, BOB, presence="offline")


def test_contacts_outlive_the_daemon(muster, kamailio):
    """The list of contacts is kept here, and is watched again after a restart."""
    add(muster, kamailio, ALICE, BOB)
    muster.do("presence", "available")
    muster.do("watch", BOB, "--account", ALICE)
    wait_contact(muster, BOB, presence="available")
    muster.stop()
    muster.start()
    muster.wait_state(ALICE, "registered")
    wait_contact(muster, BOB, presence="available")

    muster.do("watch", BOB, "--account", ALICE, "--remove")
    assert contact(muster, BOB) == {}


def kept_of(muster, *words):
    """In which columns of the database, but those of what has happened, one of the words is."""
    with sqlite3.connect(f"file:{muster.database}?mode=ro", uri=True) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = set()
        for name in set(names) - {"event", "outbox", "retired"}:
            rows = database.execute(f"SELECT * FROM {name}")
            columns = [column[0] for column in rows.description]
            for row in rows:
                found |= {f"{name}.{column}" for column, value in zip(columns, row)
                          if any(word in str(value) for word in words)}
    return found


def test_nothing_is_kept_of_a_removed_account(keyring, make_muster, make_kamailio):
    """With the account its secrets, its presence and the list of whom it watches go, and do not come back."""
    keyring.start()
    kamailio = make_kamailio(USERS, presence="active")
    muster = make_muster()
    add(muster, kamailio, ALICE, BOB)
    muster.do("presence", "dnd", "--account", ALICE)
    muster.do("watch", BOB, "--account", ALICE)
    wait_contact(muster, BOB, state="watched")
    muster.stop()
    muster.start()
    muster.wait_state(ALICE, "registered")
    wait_contact(muster, BOB, state="watched")
    alice, bob = muster.show(ALICE)["id"], muster.show(BOB)["id"]
    assert kept_of(muster, alice, ALICE) == {
        "account.id", "account.address", "runtime.account", "sealed.account", "presence_override.account",
        "record.account", "record.key", "account.name"}

    muster.do("watch", "carol@example.test", "--account", ALICE)  # is to be kept a second later
    muster.do("remove", "--yes", ALICE)
    muster.stop()
    assert kept_of(muster, alice, ALICE) == set()
    assert not any(alice in keyring.label(item) or ALICE in keyring.label(item) for item in keyring.items())
    muster.start()
    muster.wait_state(BOB, "registered")
    muster.stop()
    assert kept_of(muster, alice, ALICE) == set()
    assert kept_of(muster, bob) != set()
    assert len(keyring.items()) == 1  # the key


def test_somebody_asks(muster, make_kamailio):
    """Where the provider lets nobody watch by itself, who asks is shown with the account that is asked."""
    kamailio = make_kamailio(USERS, presence="pending")
    add(muster, kamailio, ALICE, BOB)
    wait_subscribed(kamailio, "bob", OWN_EVENTS)
    muster.do("watch", BOB, "--account", ALICE)
    wait_contact(muster, ALICE, asks=True)
    assert contact(muster, BOB)["presence"] != "available"


def test_the_server_drops_a_binding(muster, kamailio):
    """The registrar loses the binding, says so, and has it again within two seconds, long before a refresh is due."""
    add(muster, kamailio, ALICE, expires=3600)
    wait_subscribed(kamailio, "alice", OWN_EVENTS)
    time.sleep(1)  # the list of bindings comes after the answer
    assert len(kamailio.bindings("alice")) == 1
    kamailio.forget("alice")
    wait_until(lambda: len(kamailio.bindings("alice")) == 1, 2, "registered again", muster.log)
    row = muster.wait_state(ALICE, "registered")
    assert row["error"] is None


def test_a_server_without_presence(muster, make_kamailio):
    """A registrar that has nothing of this is asked once, and the account does not suffer."""
    kamailio = make_kamailio(USERS)
    add(muster, kamailio, ALICE, expires=10)
    wait_subscribed(kamailio, "alice", OWN_EVENTS)
    asked = len(kamailio.requests("SUBSCRIBE"))
    row = muster.wait_for(ALICE, 25, "refreshed twice", lambda row: row["refreshes"] >= 2)
    assert row["state"] in ("registered", "refreshing") and row["error"] is None
    assert len(kamailio.requests("SUBSCRIBE")) == asked
    assert "WARNING" not in muster.log()


def test_switched_off(muster, kamailio):
    """Parameters keep an account from asking for any of it."""
    add(muster, kamailio, ALICE, expires=10, presence=False, message_waiting=False, reg_event=False)
    muster.wait_for(ALICE, 25, "refreshed", lambda row: row["refreshes"] >= 1)
    assert kamailio.requests("SUBSCRIBE") == []


def test_switched_off_later(muster, kamailio):
    """Whoever switches presence off is not seen any more, at once, and is told why."""
    add(muster, kamailio, ALICE, BOB)
    muster.do("watch", BOB, "--account", ALICE)
    wait_contact(muster, BOB, presence="available")
    muster.do("set", BOB, "presence=no")
    wait_contact(muster, BOB, presence="offline")
    muster.wait_state(BOB, "registered")
    row = muster.json("presence", "--account", BOB)
    assert row["published"] is None and "a parameter of it switches that off" in row["note"]
    muster.do("set", BOB, "--unset", "presence")
    wait_contact(muster, BOB, presence="available")
