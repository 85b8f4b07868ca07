# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A kamailio that lets in only clients with a certificate of its authority."""

import os

import pytest

from harness.certificates import Authority

ALICE, BOB = "alice@example.test", "bob@example.test"
PASSWORD = "se:cret"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "clients", name="Muster test clients")


@pytest.fixture
def kamailio(make_kamailio, authority):
    return make_kamailio({"alice": PASSWORD, "bob": PASSWORD}, clients=authority.certificate)


def add(muster, kamailio, address=ALICE, certificate=(), **options):
    names = dict(zip(("tls_cert", "tls_key"), certificate))
    muster.add("sip", address, secret=PASSWORD, server=kamailio.tls_server, transport="tls", tls_ca=kamailio.ca, **names,
               **options)


def test_who_has_a_certificate_is_let_in(muster, kamailio, authority):
    """Certificate and key are files of the user's; the registration is one like any other."""
    add(muster, kamailio, certificate=authority.issue("alice", [ALICE], purpose="tls_www_client"))
    assert muster.show(ALICE)["state"] == "registered"
    muster.do("refresh", ALICE, "--wait")
    assert len({each.request.source for each in kamailio.exchanges()}) == 1  # still the same connection
    muster.do("disable", ALICE, "--wait")
    assert kamailio.bindings("alice") == []


def test_who_has_none_is_not(muster, kamailio, authority, tmp_path):
    """Without one, or with that of another authority, the server says no, and it is said whose fault that is."""
    add(muster, kamailio, wait=False)
    row = muster.wait_for(ALICE, 20, "an error", lambda row: row["error"] is not None)
    assert row["state"] != "registered"
    stranger = Authority(tmp_path / "strangers", name="Somebody else")
    add(muster, kamailio, BOB, stranger.issue("bob", [BOB], purpose="tls_www_client"), wait=False)
    row = muster.wait_state(BOB, "failed")
    assert row["error"] == "forbidden" and "does not accept our certificate" in row["error-details"]["message"]
    assert kamailio.bindings("alice") == kamailio.bindings("bob") == []


def test_two_certificates_are_two_connections(muster, kamailio, authority):
    """What one account may is not what another may: they share nothing, and those with the same do."""
    one = authority.issue("one", [ALICE], purpose="tls_www_client")
    add(muster, kamailio, ALICE, one)
    add(muster, kamailio, BOB, authority.issue("two", [BOB], purpose="tls_www_client"))
    sources = {each.request.user: each.request.source for each in kamailio.exchanges()}
    assert sources["alice"] != sources["bob"]
    muster.do("set", BOB, f"tls-cert={one[0]}", f"tls-key={one[1]}")
    muster.wait_for(BOB, 20, "on the same connection", lambda row: row["state"] == "registered" and kamailio.exchanges()[-1].
                    request.source == sources["alice"])


def test_files_that_are_wrong(muster, kamailio, authority, tmp_path):
    """They are named before anything is sent, and what to do is said."""
    certificate, key = authority.issue("alice", [ALICE], purpose="tls_www_client")
    _, other = authority.issue("other", [BOB], purpose="tls_www_client")
    loose = str(tmp_path / "loose.key")
    with open(key, encoding="utf-8") as source, open(loose, "w", encoding="utf-8") as target:
        target.write(source.read())
    os.chmod(loose, 0o644)
    add(muster, kamailio, certificate=(certificate, key), options=["--disabled"], wait=False)
    for names, words in ((("/nonexistent.pem", key), "/nonexistent.pem"), ((certificate, "/nonexistent.key"), "/nonexistent.key"),
                         ((key, key), "holds no certificate"), ((certificate, certificate), "others may read"),
                         ((certificate, other), "is not the private key"), ((certificate, loose), "chmod 600")):
        muster.do("set", ALICE, f"tls-cert={names[0]}", f"tls-key={names[1]}")
        muster.do("enable", ALICE)
        row = muster.wait_state(ALICE, "failed")
        assert row["error"] == "invalid" and words in row["error-details"]["message"], (names, row)
        muster.do("disable", ALICE, "--wait")
    muster.do("set", ALICE, f"tls-cert={certificate}", "--unset", "tls-key")
    muster.do("enable", ALICE)
    assert "tls-key" in muster.wait_state(ALICE, "failed")["error-details"]["message"]
    assert kamailio.requests() == []
    muster.do("set", ALICE, f"tls-key={key}")
    muster.wait_state(ALICE, "registered")
