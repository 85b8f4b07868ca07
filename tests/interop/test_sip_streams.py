# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIP over TCP and TLS with a real kamailio."""

import sqlite3

import pytest

from harness.certificates import Authority
from harness.muster import LEASED, seconds
from harness.process import wait_until

ALICE = "alice@example.test"
PASSWORD = "correct horse"
USERS = {"alice": PASSWORD, "bob": PASSWORD}


@pytest.fixture
def kamailio(make_kamailio):
    return make_kamailio(USERS)


def stream_parameters(kamailio, transport):
    if transport == "tls":
        return {"server": kamailio.tls_server, "transport": "tls", "tls_ca": kamailio.ca}
    return {"server": kamailio.server, "transport": transport}


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_register_and_refresh(muster, kamailio, transport):
    """One challenge, then refreshes of one round trip, on one connection, with one binding."""
    muster.add("sip", ALICE, secret=PASSWORD, **stream_parameters(kamailio, transport))
    (binding,) = muster.show(ALICE)["bindings"]
    assert binding.endswith(f";transport={transport}")
    muster.do("refresh", ALICE, "--wait")
    assert [each.code for each in kamailio.exchanges()] == [401, 200, 200]
    requests = kamailio.requests()
    assert {each.transport for each in requests} == {transport}
    assert len({each.source for each in requests}) == 1 and len({each.call_id for each in requests}) == 1
    assert len(kamailio.bindings("alice")) == 1
    muster.do("disable", ALICE, "--wait")
    assert kamailio.bindings("alice") == []


def test_accounts_share_a_connection(muster, kamailio):
    """Two accounts of one server go over one connection; one leaving does not take it from the other."""
    parameters = stream_parameters(kamailio, "tls")
    muster.add("sip", ALICE, secret=PASSWORD, **parameters)
    muster.add("sip", "bob@example.test", secret=PASSWORD, **parameters)
    assert len({each.source for each in kamailio.requests()}) == 1
    muster.do("disable", ALICE, "--wait")
    muster.do("refresh", "bob@example.test", "--wait")
    assert len({each.source for each in kamailio.requests()}) == 1


def wait_until_kept(muster, account):
    """What is written behind is on the disk: the lease that is shown."""
    row = muster.show(account)
    expires_at_us = round(seconds(row["expires-at"]) * 1e6)

    def kept():
        with sqlite3.connect(f"file:{muster.database}?mode=ro", uri=True) as database:
            found = database.execute("SELECT expires_at_us FROM runtime WHERE account = ?", (row["id"],)).fetchone()
        return found is not None and abs(found[0] - expires_at_us) < 1000

    wait_until(kept, 5, "the lease is kept")


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_killed_daemon_swaps_the_contact(muster, kamailio, transport):
    """One REGISTER, no challenge, the old contact gone with it; others see no new registration."""
    muster.add("sip", ALICE, secret=PASSWORD, **stream_parameters(kamailio, transport))
    wait_until_kept(muster, ALICE)
    before = len(kamailio.exchanges())
    created = [each for each in muster.json("log") if each["type"] == "registration.created"]
    muster.kill()
    muster.start()
    muster.wait_state(ALICE, "registered")
    assert [each.code for each in kamailio.exchanges()[before:]] == [200]
    assert len(kamailio.bindings("alice")) == 1
    assert [each for each in muster.json("log") if each["type"] == "registration.created"] == created


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_lost_connection_is_made_again(muster, kamailio, transport):
    """The registrar restarts and knows nobody: that is noticed at once, not at the next refresh."""
    muster.add("sip", ALICE, secret=PASSWORD, **stream_parameters(kamailio, transport))
    kamailio.stop()
    row = muster.wait_for(ALICE, 5, "missing its server", lambda row: row["state"] not in LEASED)
    assert row["error"] == "unreachable"
    kamailio.start()
    muster.wait_state(ALICE, "registered", 30)
    assert len(kamailio.bindings("alice")) == 1


def test_an_unknown_authority_is_asked_about(muster, kamailio):
    """Nothing is sent to a server that nobody vouches for; accepting its certificate pins its key."""
    muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.tls_server, transport="tls", wait=False)
    row = muster.wait_state(ALICE, "waiting-user")
    assert row["error"] == "untrusted" and row["error-details"]["step"] == "tls"
    assert kamailio.requests() == []
    (request,) = muster.json("agent", "list")
    assert request["kind"] == "certificate" and len(request["details"]["pin"]) == 64
    muster.do("agent", "answer", request["id"], "--accept")
    muster.wait_state(ALICE, "registered")
    assert muster.show(ALICE)["parameters"]["tls-pin"] == request["details"]["pin"]
    assert muster.show(ALICE)["secrets"] == ["password"]


@pytest.mark.parametrize("names, lines, words", [
    (["other.test"], ("expiration_days = 30",), "other.test"),
    (["example.test"], ('activation_date = "2020-01-01 00:00:00 UTC"', 'expiration_date = "2020-02-01 00:00:00 UTC"'),
     "expired"),
])
def test_wrong_certificates_say_what_is_wrong(muster, make_kamailio, tmp_path, names, lines, words):
    """A certificate for somebody else, or of another time, is named as that."""
    authority = Authority(tmp_path / "authority")
    kamailio = make_kamailio(USERS, certificate=authority.issue("wrong", names, lines))
    muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.tls_server, transport="tls",
               tls_ca=authority.certificate, wait=False)
    row = muster.wait_state(ALICE, "waiting-user")
    assert words in row["error-details"]["message"]
    assert kamailio.requests() == []


def test_another_transport_is_another_place(muster, kamailio):
    """Changing the transport re-points the account: its secret is dropped, its binding taken back."""
    muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.server)
    muster.do("set", ALICE, "transport=tcp")
    row = muster.wait_state(ALICE, "waiting-secret")
    assert row["secrets"] == []
    assert kamailio.bindings("alice") == []
    muster.do("secret", ALICE, "password", "--fd", "3", secret=PASSWORD)
    muster.wait_state(ALICE, "registered")
    assert kamailio.requests()[-1].transport == "tcp"
