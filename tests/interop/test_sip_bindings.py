# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a real kamailio has of an address: seen, and removed, with a phone on the desk beside us."""

import pytest

from harness.kamailio import DOMAIN
from harness.process import wait_until
from harness.sip_client import Client

ALICE = "alice@example.test"
PASSWORD = "se:cret"
NOT_FOUND = 5


@pytest.fixture
def kamailio(make_kamailio):
    return make_kamailio({"alice": PASSWORD})


@pytest.fixture
def phone(kamailio):
    """Another device of Alice's, registered for ten minutes."""
    client = Client("alice", PASSWORD, DOMAIN, kamailio.port)
    client.register(600)
    assert client.register(600).code == 200
    client.uri = f"sip:alice@127.0.0.1:{client.local_port}"
    yield client
    client.close()


def addresses(kamailio):
    return sorted(each["Address"] for each in kamailio.bindings("alice"))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_phone_is_seen_and_removed(muster, kamailio, phone, transport):
    """The list is the registrar's; the phone goes, we stay, and nobody notices at the next refresh."""
    muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.server, transport=transport)
    (ours,) = muster.show(ALICE)["bindings"]
    listed = {each["uri"]: each for each in muster.json("bindings", ALICE)}
    assert sorted(listed) == addresses(kamailio) == sorted([ours, phone.uri])
    assert listed[ours]["ours"] and not listed[phone.uri]["ours"]
    assert listed[ours]["device"].startswith("urn:uuid:") and listed[phone.uri]["device"] is None
    assert listed[phone.uri]["expires-at"] < listed[ours]["expires-at"]

    muster.do("bindings", ALICE, "--remove", phone.uri)
    assert addresses(kamailio) == [ours]
    refused = muster.run("bindings", ALICE, "--remove", phone.uri)
    assert refused.returncode == NOT_FOUND and "no such binding" in refused.stderr
    muster.do("refresh", ALICE, "--wait")
    registers = [each for each in kamailio.exchanges() if each.request.call_id != phone.call_id]
    assert len({each.request.call_id for each in registers}) == 1
    cseqs = [each.request.cseq for each in registers]
    assert cseqs == sorted(set(cseqs)) and [each.code for each in registers].count(401) == 1
    assert muster.show(ALICE)["refreshes"] == 1


@pytest.mark.parametrize("everything", [True, False])
def test_ours_comes_back(muster, kamailio, phone, everything):
    """Whatever is removed, we are reachable again before anybody could call."""
    muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.server)
    (ours,) = muster.show(ALICE)["bindings"]
    if everything:
        muster.do("bindings", ALICE, "--remove-all", "--yes")
    else:
        muster.do("bindings", ALICE, "--remove", ours)
    wait_until(lambda: ours in addresses(kamailio), 5, "our binding is back")
    muster.wait_state(ALICE, "registered")
    assert addresses(kamailio) == ([ours] if everything else sorted([ours, phone.uri]))
    types = [each["type"] for each in muster.json("log") if each["type"].startswith(("registration.", "binding."))]
    assert [each for each in types if "proven" not in each] == [
        "registration.created", "binding.removed", "registration.lost", "registration.created"]


def test_what_a_crash_left_behind(muster, kamailio):
    """A binding of a life that is forgotten is listed beside ours, and can be taken away."""
    left = Client("alice", PASSWORD, DOMAIN, kamailio.port)
    left.register(3600)
    left.register(3600)
    left.close()
    muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.server)
    (other,) = [each["uri"] for each in muster.json("bindings", ALICE) if not each["ours"]]
    muster.do("bindings", ALICE, "--remove", other)
    assert [each["ours"] for each in muster.json("bindings", ALICE)] == [True]


def test_the_registrar_says_no(muster, kamailio, phone):
    """Its words are shown, and the registration stands."""
    muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.server)
    kamailio.answer(403)
    outcome = muster.run("bindings", ALICE)
    assert outcome.returncode != 0 and "the server forbids it" in outcome.stderr, outcome
    kamailio.answer(0)
    assert muster.show(ALICE)["state"] == "registered"
    assert len(muster.json("bindings", ALICE)) == 2
