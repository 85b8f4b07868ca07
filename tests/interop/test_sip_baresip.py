# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""People with a real baresip, through a real kamailio: they watch, are watched, call, write and take calls."""

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import GLib  # noqa: E402

from harness.baresip import Baresip  # noqa: E402
from harness.process import wait_until  # noqa: E402

ALICE, BOB, CAROL = "alice@example.test", "bob@example.test", "carol@example.test"
PASSWORD = "se:cret"
USERS = {name: PASSWORD for name in ("alice", "bob", "carol")}


@pytest.fixture
def kamailio(request, make_kamailio):
    return make_kamailio(USERS, presence=getattr(request, "param", "active"))


@pytest.fixture
def make_phone(kamailio, tmp_path):
    """Starts phones: make_phone ("bob", transport="tcp")."""
    phones = []

    def make(user, **options):
        phones.append(Baresip(tmp_path / f"phone-{len(phones)}", user, kamailio.server, PASSWORD, **options))
        return phones[-1]

    yield make
    for each in phones:
        each.end()


@pytest.fixture(params=["udp", "tcp"])
def transport(request):
    return request.param


@pytest.fixture
def alice(muster, kamailio):
    """Signs her in: alice ("tcp")."""
    return lambda transport="udp": muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.server, transport=transport)


def incoming(muster, timeout_s=10):
    """The only offer, once it is there."""
    (row,) = wait_until(lambda: muster.json("incoming"), timeout_s, "something came in", muster.log)
    return row


def wait_ended(muster, state):
    wait_until(lambda: [row["state"] for row in muster.json("incoming", "--all")] == [state], 10, f"the call is {state}",
               lambda: f"{muster.json('incoming', '--all')}\n{muster.log()[-4000:]}")


def test_bob_sees_alice(muster, alice, make_phone, transport):
    """He sees how she is as she changes it, and that she has gone."""
    alice(transport)
    bob = make_phone("bob", transport=transport, watches=["alice"])
    for word, shown in (("available", "Online"), ("away", "Offline"), ("dnd", "Busy"), ("offline", "Offline"),
                        ("available", "Online")):
        muster.do("presence", word)
        bob.wait_shows("alice", shown)
    assert bob.log().count("<rpid:away/>") == 1  # which his phone takes for offline
    muster.do("disable", ALICE)
    bob.wait_shows("alice", "Offline")


def test_bob_sees_nothing_of_a_crash(muster, alice, make_phone):
    """The daemon is killed and comes back: for him she has been busy all the time."""
    alice()
    bob = make_phone("bob", watches=["alice"])
    muster.do("presence", "dnd")
    bob.wait_shows("alice", "Busy")
    before = bob.log().count("changed status")
    muster.kill()
    muster.start()
    muster.wait_state(ALICE, "registered")
    muster.do("presence", "available")
    bob.wait_shows("alice", "Online")
    assert bob.log().count("changed status") == before + 1


@pytest.mark.parametrize("kamailio", ["pending"], indirect=True)
def test_bob_asks(muster, alice, make_phone):
    """Where the provider lets nobody watch by itself, she sees that he asks, and he does not see how she is."""
    alice()
    muster.do("presence", "available")
    bob = make_phone("bob", watches=["alice"])
    wait_until(lambda: [(row["address"], row["asks"]) for row in muster.json("contacts")] == [(BOB, True)], 10, "bob asks",
               lambda: f"{muster.json('contacts')}\n{muster.log()[-4000:]}")
    assert bob.shows("alice") == "Unknown"


def test_alice_sees_bob(muster, alice, make_phone, transport):
    """She sees what he says at his phone."""
    alice(transport)
    muster.do("watch", BOB, "--account", ALICE)

    def wait_bob(presence):
        wait_until(lambda: [row["presence"] for row in muster.json("contacts")] == [presence], 10, f"bob is {presence}",
                   lambda: f"{muster.json('contacts')}\n{muster.log()[-4000:]}")

    bob = make_phone("bob", transport=transport, publishes=True)
    bob.command("presence_online")
    wait_bob("available")
    bob.command("presence_offline")
    wait_bob("offline")
    bob.command("presence_online")
    wait_bob("available")


@pytest.mark.parametrize("answer, heard", [("decline", "603"), ("busy", "486")])
def test_alice_does_not_take_it(muster, alice, make_phone, transport, answer, heard):
    """Bob hears it ring, and then what she answered."""
    alice(transport)
    bob = make_phone("bob", transport=transport)
    bob.dial(f"sip:{ALICE}")
    row = incoming(muster)
    assert (row["kind"], row["from"], row["from-name"], row["address"]) == ("call", f"sip:{BOB}", "Bob", ALICE)
    bob.wait_event("CALL_RINGING")
    muster.do("incoming", answer, row["id"])
    assert bob.wait_event("CALL_CLOSED").detail.startswith(heard)
    wait_ended(muster, "taken")


def test_bob_gives_up(muster, alice, make_phone, transport):
    """The offer is over as soon as he hangs up."""
    alice(transport)
    bob = make_phone("bob", transport=transport)
    bob.dial(f"sip:{ALICE}")
    incoming(muster)
    bob.hang_up()
    wait_ended(muster, "cancelled")
    assert muster.json("incoming") == []


def test_two_people_call(muster, alice, make_phone, transport):
    """Each is told apart: one is declined, and the other rings on."""
    alice(transport)
    bob, carol = make_phone("bob"), make_phone("carol", transport="tcp")
    for each in (bob, carol):
        each.dial(f"sip:{ALICE}")
        each.wait_event("CALL_RINGING")
    ids = {row["from-name"]: row["id"] for row in muster.json("incoming")}
    muster.do("incoming", "decline", ids["Bob"])
    bob.wait_event("CALL_CLOSED")
    assert carol.calls() == ["RINGING"]
    muster.do("incoming", "redirect", ids["Carol"], f"sip:{BOB}")
    bob.wait_event("CALL_INCOMING")


def test_the_session_ends_while_it_rings(muster, alice, make_phone, transport):
    """Who calls hears that she has gone."""
    alice(transport)
    bob = make_phone("bob", transport=transport)
    bob.dial(f"sip:{ALICE}")
    incoming(muster)
    muster.stop()
    assert bob.wait_event("CALL_CLOSED").detail.startswith("480")


def test_alice_sends_it_to_carol(muster, alice, make_phone, transport):
    """Carol's phone rings instead, and she talks to bob."""
    alice(transport)
    bob, carol = make_phone("bob", transport=transport), make_phone("carol")
    bob.dial(f"sip:{ALICE}")
    muster.do("incoming", "redirect", incoming(muster)["id"], f"sip:{CAROL}")
    assert carol.wait_event("CALL_INCOMING").peer == f"sip:{BOB}"
    wait_ended(muster, "taken")
    carol.accept()
    bob.wait_event("CALL_ESTABLISHED")
    assert (bob.calls(), carol.calls()) == (["ESTABLISHED"], ["ESTABLISHED"])


def test_a_dialer_takes_it(muster, kamailio, alice, make_phone, transport):
    """An application said where it takes calls: one that is accepted goes there, and nowhere else."""
    alice(transport)
    bob, dialer = make_phone("bob"), make_phone("carol", transport=transport)
    (binding,) = kamailio.bindings("carol")
    muster.call("HandlerManager", "RegisterHandler", "(sasa{sv})", (binding["Address"], ["call"], {
        "protocol": GLib.Variant("s", "sip")}))
    bob.dial(f"sip:{ALICE}")
    muster.do("incoming", "accept", incoming(muster)["id"])
    assert dialer.wait_event("CALL_INCOMING").peer == f"sip:{BOB}"
    wait_ended(muster, "taken")
    dialer.accept()
    bob.wait_event("CALL_ESTABLISHED")
    assert f"INVITE {binding['Address']} SIP/2.0" in bob.log()


def test_alices_other_phone_takes_it(muster, kamailio, alice, make_phone, transport):
    """Both ring; where the other is faster it is said that it was answered elsewhere."""
    alice(transport)
    bob, other = make_phone("bob"), make_phone("alice", transport=transport)
    assert len(kamailio.bindings("alice")) == 2
    bob.dial(f"sip:{ALICE}")
    incoming(muster)
    other.wait_event("CALL_INCOMING")
    other.accept()
    bob.wait_event("CALL_ESTABLISHED")
    wait_ended(muster, "elsewhere")


def test_a_dialer_takes_it_after_the_other_phone(muster, kamailio, alice, make_phone):
    """A proxy hands a call over only when none of her phones rings any more."""
    alice()
    bob, other, dialer = make_phone("bob"), make_phone("alice"), make_phone("carol")
    (binding,) = kamailio.bindings("carol")
    bob.dial(f"sip:{ALICE}")
    other.wait_event("CALL_INCOMING")
    muster.do("incoming", "accept", incoming(muster)["id"], "--to", binding["Address"])
    wait_ended(muster, "taken")
    assert (other.calls(), dialer.calls(), bob.calls()) == (["INCOMING"], [], ["RINGING"])
    other.hang_up()
    dialer.wait_event("CALL_INCOMING")
    dialer.accept()
    bob.wait_event("CALL_ESTABLISHED")


def test_declined_for_the_other_phone_too(muster, alice, make_phone):
    """Declining ends it on both; busy is only for here."""
    alice()
    bob, other = make_phone("bob"), make_phone("alice")
    bob.dial(f"sip:{ALICE}")
    other.wait_event("CALL_INCOMING")
    muster.do("incoming", "busy", incoming(muster)["id"])
    bob.wait_event("CALL_RINGING")
    assert other.calls() == ["INCOMING"] and not bob.events("CALL_CLOSED")
    bob.hang_up()
    other.wait_event("CALL_CLOSED")

    bob.dial(f"sip:{ALICE}")
    other.wait_event("CALL_INCOMING", 2)
    muster.do("incoming", "decline", incoming(muster)["id"])
    assert bob.wait_event("CALL_CLOSED", 2).detail.startswith("603")
    other.wait_event("CALL_CLOSED", 2)


def test_bob_writes(muster, alice, make_phone, transport):
    """What he wrote is what she reads."""
    alice(transport)
    bob = make_phone("bob", transport=transport, watches=["alice"])
    bob.write("the lamp is broken: caf\u00e9, 7 %")
    row = incoming(muster)
    assert (row["kind"], row["from"], row["text"]) == ("message", f"sip:{BOB}", "the lamp is broken: caf\u00e9, 7 %")
    muster.do("incoming", "accept", row["id"])
    assert muster.json("incoming") == []
