# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIP accounts kept registered with a real kamailio."""

import os

import pytest

from harness.muster import LEASED, seconds
from harness.process import wait_until

ALICE = "alice@example.test"
PASSWORD = "se:cret"  # a colon, which some stacks take for the end of it
USERS = {"alice": PASSWORD}


@pytest.fixture
def kamailio(make_kamailio):
    return make_kamailio(USERS)


def add_alice(muster, kamailio, secret=PASSWORD, **parameters):
    muster.add("sip", ALICE, secret=secret, server=kamailio.server, **parameters)


def test_register_over_udp(muster, kamailio):
    """A user adds an account and is reachable: one challenge, one binding, the lease the server gave."""
    add_alice(muster, kamailio, expires=600)
    row = muster.show(ALICE)
    assert row["state"] == "registered"
    (binding,) = kamailio.bindings("alice")
    assert row["bindings"] == [binding["Address"]]
    assert 590 <= binding["Expires"] <= 600

    exchanges = kamailio.exchanges()
    assert [each.code for each in exchanges] == [401, 200]
    assert [each.request.authorized for each in exchanges] == [False, True]
    assert len({each.request.call_id for each in exchanges}) == 1
    assert exchanges[1].request.cseq == exchanges[0].request.cseq + 1


def test_the_lease_is_the_servers(muster, make_kamailio):
    """The registrar grants less than was asked for; what it granted counts."""
    kamailio = make_kamailio(USERS, max_expires=120)
    add_alice(muster, kamailio, expires=3600)
    row = muster.show(ALICE)
    lease_s = seconds(row["expires-at"]) - seconds(row["registered-at"])
    assert 118 <= lease_s <= 121


def test_a_refresh_is_one_round_trip(muster, kamailio):
    """Credentials go ahead with a refresh: same Call-ID, next CSeq, no challenge, still one binding."""
    add_alice(muster, kamailio)
    before = kamailio.exchanges()
    muster.do("refresh", ALICE)
    after = kamailio.wait_for_exchanges(len(before) + 1, 10)
    assert len(after) == len(before) + 1
    last, refresh = before[-1].request, after[-1].request
    assert after[-1].code == 200
    assert refresh.authorized
    assert (refresh.call_id, refresh.cseq, refresh.contact) == (last.call_id, last.cseq + 1, last.contact)
    assert len(kamailio.bindings("alice")) == 1


def test_a_short_lease_is_refreshed_by_itself(muster, kamailio):
    """Leases of ten seconds are extended twice before anybody asks, and the binding never ends."""
    add_alice(muster, kamailio, expires=10)
    row = muster.wait_for(ALICE, 20, "refreshed twice", lambda row: row["refreshes"] >= 2)
    assert row["state"] in LEASED
    codes = [each.code for each in kamailio.exchanges()]
    assert codes[0] == 401 and set(codes[1:]) == {200}
    assert len(kamailio.bindings("alice")) == 1


def test_disable_removes_the_binding(muster, kamailio):
    """An account that is switched off is not reachable any more, at once; switched on it is again."""
    add_alice(muster, kamailio)
    muster.do("disable", ALICE, "--wait")
    assert muster.show(ALICE)["state"] == "disabled"
    assert kamailio.bindings("alice") == []
    last = kamailio.exchanges()[-1]
    assert last.code == 200 and last.request.authorized
    muster.do("enable", ALICE, "--wait")
    assert muster.show(ALICE)["state"] == "registered"
    assert len(kamailio.bindings("alice")) == 1


def test_remove_removes_the_binding(muster, kamailio):
    """An account that is removed leaves nothing behind at the registrar."""
    add_alice(muster, kamailio)
    muster.do("remove", ALICE)
    wait_until(lambda: not kamailio.bindings("alice"), 10, "the binding is gone")
    assert muster.list() == []


def test_a_wrong_password_is_tried_once(muster, kamailio):
    """Refused credentials wait for the user: two REGISTERs, never a third with the same secret."""
    muster.add("sip", ALICE, secret="wr:ong", server=kamailio.server, wait=False)
    row = muster.wait_state(ALICE, "waiting-secret")
    assert row["error"] == "refused"
    assert [each.code for each in kamailio.exchanges()] == [401, 401]
    assert row["next-attempt-at"] is None
    outcome = muster.run("retry", ALICE)
    assert len(kamailio.requests()) == 2, outcome.stderr

    muster.do("secret", ALICE, "password", "--fd", "3", secret=PASSWORD)
    muster.wait_state(ALICE, "registered")
    assert len(kamailio.bindings("alice")) == 1


def test_the_registrar_goes_and_comes_back(muster, kamailio):
    """While the registrar is away the account says so and when it tries again; then it is back by itself."""
    add_alice(muster, kamailio, expires=600)
    kamailio.stop()
    muster.do("refresh", ALICE)
    row = muster.wait_for(ALICE, 45, "missing its registrar", lambda row: row["error"] and row["next-attempt-at"])
    assert row["state"] == "refreshing"
    assert row["error"] == "unreachable"
    kamailio.start()
    muster.wait_state(ALICE, "registered", 60)
    assert len(kamailio.bindings("alice")) == 1


@pytest.mark.parametrize("code, state, error", [
    (403, "failed", "forbidden"),
    (500, "waiting-retry", None),
    (503, "waiting-retry", "busy"),
])
def test_errors_choose_the_reaction(muster, kamailio, code, state, error):
    """What the registrar answers decides what happens next, and the user is told its code."""
    kamailio.answer(code, retry_after_s=30 if code == 503 else 0)
    muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.server, wait=False)
    row = muster.wait_state(ALICE, state)
    assert error is None or row["error"] == error
    assert row["error-details"]["protocol-code"] == code
    if code == 503:
        wait_s = seconds(row["next-attempt-at"]) - seconds(row["since"])
        assert 29 <= wait_s <= 60
    kamailio.answer(0)
    muster.do("retry", ALICE)
    muster.wait_state(ALICE, "registered")


def test_interval_too_brief(muster, make_kamailio):
    """A registrar that wants longer leases says 423, and gets what it wants at once."""
    kamailio = make_kamailio(USERS, reject_below=40)
    add_alice(muster, kamailio, expires=20)
    assert [each.code for each in kamailio.exchanges()] == [401, 423, 200]
    (binding,) = kamailio.bindings("alice")
    assert 38 <= binding["Expires"] <= 40


def test_stale_nonce(muster, make_kamailio):
    """A nonce that grew old costs one more round trip and is no refusal."""
    kamailio = make_kamailio(USERS, nonce_expire=3)
    add_alice(muster, kamailio, expires=10)
    muster.wait_for(ALICE, 20, "refreshed", lambda row: row["refreshes"] >= 1)
    assert [each.code for each in kamailio.exchanges()] == [401, 200, 401, 200]
    assert len(kamailio.bindings("alice")) == 1


def test_another_user_name_for_authentication(muster, make_kamailio):
    """Some services authenticate by a name that is not in the address."""
    kamailio = make_kamailio({"line-4711": PASSWORD})
    add_alice(muster, kamailio, auth_user="line-4711")
    assert len(kamailio.bindings("alice")) == 1


def test_secrets_are_in_no_file(muster, kamailio):
    """After registering, no file of the daemon and no log holds the password in plain."""
    add_alice(muster, kamailio)
    muster.stop()
    for folder, _, names in os.walk(muster.home):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert PASSWORD.encode() not in file.read(), os.path.join(folder, name)
