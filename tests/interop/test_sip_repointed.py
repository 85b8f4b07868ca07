# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whoever can change an account must not get its password by pointing it somewhere else."""

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import GLib  # noqa: E402

from harness.kamailio import DOMAIN  # noqa: E402
from harness.muster import ROOT_PATH  # noqa: E402

ALICE = f"alice@{DOMAIN}"
PASSWORD = "se:cret"
ANOTHER = "an:other"


@pytest.fixture
def home(make_kamailio):
    return make_kamailio({"alice": PASSWORD})


@pytest.fixture
def thief(make_kamailio):
    """It would take the same password, so that only never sending it can keep it out."""
    return make_kamailio({"alice": PASSWORD}, address="127.0.2.1")


def authorized(kamailio):
    return [each for each in kamailio.requests() if each.authorized]


def never_sent(muster, thief):
    """Waits for a secret, and stays so through all that makes an account try again."""
    for attempt in ([], ["retry", ALICE], ["disable", ALICE, "--wait"], ["enable", ALICE], ["set", ALICE, "expires=20"]):
        if attempt:
            muster.run(*attempt)
        if attempt[:1] != ["disable"]:
            row = muster.wait_state(ALICE, "waiting-secret")
            assert row["secrets"] == []
    muster.kill()
    muster.start()
    muster.wait_state(ALICE, "waiting-secret")
    assert authorized(thief) == []


@pytest.mark.parametrize("name", ["server", "outbound-proxy"])
def test_at_another_server(muster, home, thief, name):
    """The other server sees no Authorization until it is given a secret of its own, and then that one."""
    muster.add("sip", ALICE, secret=PASSWORD, server=home.server)
    n_at_home = len(home.requests())
    outcome = muster.do("set", ALICE, f"{name}={thief.server}")
    assert "password" in outcome, "the user is told that it was dropped"
    never_sent(muster, thief)
    thief.set_password("alice", ANOTHER)
    muster.do("secret", ALICE, "password", "--fd", "3", secret=ANOTHER)
    muster.wait_state(ALICE, "registered")
    assert [each.code for each in thief.exchanges()][-2:] == [401, 200] and len(authorized(thief)) == 1
    assert home.bindings("alice") == [], "the old registration was taken back"
    assert all(each.expires == "0" for each in home.requests()[n_at_home:])


def test_through_the_bus_at_once(muster, home, thief):
    """A client that changes server and switches the account on and off in one go gets nothing either."""
    muster.add("sip", ALICE, secret=PASSWORD, server=home.server)
    path = f"{ROOT_PATH}/Account/{muster.show(ALICE)['id']}"
    for enabled in (False, True):
        muster.call("Account", "Update", "(a{sv}asa{sv})", ({"server": GLib.Variant("s", thief.server)}, [], {}), path)
        muster.call("Account", "SetEnabled", "(ba{sv})", (enabled, {}), path)
    never_sent(muster, thief)


def test_there_and_back(muster, home, thief):
    """Pointing it away and back does not bring the secret back either: whose it was is no longer known."""
    muster.add("sip", ALICE, secret=PASSWORD, server=home.server)
    muster.do("set", ALICE, f"server={thief.server}")
    muster.do("set", ALICE, f"server={home.server}")
    never_sent(muster, thief)


def test_another_user(muster, home):
    """A password is its user's: another name for authentication does not come with it."""
    muster.add("sip", ALICE, secret=PASSWORD, server=home.server)
    n_sent = len(authorized(home))
    muster.do("set", ALICE, "auth-user=bob")
    muster.wait_state(ALICE, "waiting-secret")
    assert muster.show(ALICE)["secrets"] == []
    assert all(each.expires == "0" for each in authorized(home)[n_sent:])
