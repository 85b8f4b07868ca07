# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls and messages of a real sipp, through a real kamailio or straight at the contact."""

import pytest

from harness.process import wait_until
from harness.sipp import Sipp

ALICE = "alice@example.test"
PASSWORD = "correct horse"
ALLOW = "INVITE, ACK, CANCEL, OPTIONS, MESSAGE, NOTIFY"


@pytest.fixture
def kamailio(make_kamailio):
    return make_kamailio({"alice": PASSWORD})


@pytest.fixture
def caller(muster, kamailio, tmp_path):
    """Registers alice over a transport, and gives who calls her: caller ("tcp"), by another one or directly."""
    made = []

    def make(registered, called=None, direct=False):
        if not made:
            muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.server, transport=registered)
        uri, remote = f"sip:{ALICE}", kamailio.server
        if direct:
            (uri,) = muster.show(ALICE)["bindings"]
            remote = uri.split("@")[1].split(";")[0]
        made.append(Sipp(tmp_path / f"sipp-{len(made)}", uri, remote, called or registered))
        return made[-1]

    return make


@pytest.fixture(params=["udp", "tcp"])
def transport(request):
    return request.param


def test_options(caller, transport):
    """Whoever asks what alice can do hears what is answered."""
    caller(transport).send("OPTIONS").receive(200, Allow=ALLOW).run()


def test_a_caller_gives_up(caller, transport):
    """Alice's phone rings until it is cancelled."""
    caller(transport).send("INVITE").receive(100).receive(180).pause(0.3) \
        .send("CANCEL").receive_both(200, 487).send("ACK").run()


def test_a_caller_over_another_transport(caller):
    """What lies between is the proxy's business."""
    caller("udp", "tcp").send("INVITE").receive(100).receive(180) \
        .send("CANCEL").receive_both(200, 487).send("ACK").run()


def ringing(muster):
    """The only offer, once it is there."""
    (row,) = wait_until(lambda: muster.json("incoming"), 10, "something came in")
    return row


@pytest.mark.parametrize("answer, code, headers", [
    (("decline", ), 603, {}),
    (("busy", ), 486, {}),
    (("accept", "--to", "sip:dialer@192.0.2.7"), 302, {"Contact": "sip:dialer@192.0.2.7"}),
    (("redirect", "sip:carol@example.test"), 302, {"Contact": "sip:carol@example.test"}),
])
def test_a_call_is_answered(muster, caller, transport, answer, code, headers):
    """What the user says is what the caller hears, and the ringing is over."""
    call = caller(transport).send("INVITE", "Subject: the roof").receive(100).receive(180).receive(code, **headers) \
        .send("ACK").start()
    row = ringing(muster)
    assert (row["kind"], row["from"], row["from-name"], row["text"]) == (
        "call", "sip:bob@example.test", "Bob", "the roof")
    muster.do("incoming", answer[0], row["id"], *answer[1:])
    call.wait()
    (row,) = muster.json("incoming", "--all")
    assert row["state"] == "taken"


@pytest.mark.parametrize("reason, state", [((), "cancelled"), (("Reason: SIP;cause=200", ), "elsewhere")])
def test_a_call_that_is_over_is_shown_as_over(muster, caller, reason, state):
    """Whether somebody gave up or another device was faster is told apart, straight from the caller."""
    caller("udp", direct=True).send("INVITE").receive(180).send("CANCEL", *reason).receive(200).receive(487) \
        .send("ACK").run()
    (row,) = muster.json("incoming", "--all")
    assert row["state"] == state


def test_a_message_is_read(muster, caller, transport):
    """What was written is what is shown."""
    caller(transport).send("MESSAGE", "Content-Type: text/plain", body="the lamp is broken").receive(200).run()
    row = ringing(muster)
    assert (row["kind"], row["text"].strip()) == ("message", "the lamp is broken")
    muster.do("incoming", "accept", row["id"])
    assert muster.json("incoming") == []


def test_signing_out_ends_the_ringing(muster, caller, transport):
    """Who calls is not left waiting for somebody who has gone."""
    call = caller(transport).send("INVITE").receive(100).receive(180).receive(480).send("ACK").start()
    wait_until(lambda: "180 INVITE" in call.heard(), 10, "ringing", call.heard)
    muster.do("disable", ALICE, "--wait")
    call.wait()


def test_messages(caller, transport):
    """Text is taken; what is not text is said to be not understood."""
    caller(transport).send("MESSAGE", "Content-Type: text/plain", branch=1, body="hello").receive(200) \
        .send("MESSAGE", "Content-Type: text/html", branch=2, body="<b>hello</b>").receive(415, Accept="text/plain") \
        .send("MESSAGE", "Content-Type: text/plain", branch=3, body="hello\n" * 2000).receive(413).run()


def test_straight_at_the_contact(caller):
    """Nothing but what is meant for alice is answered as if it were."""
    caller("udp", direct=True).send("OPTIONS", branch=1).receive(200, Allow=ALLOW) \
        .send("REFER", "Refer-To: <sip:carol@example.test>", branch=2).receive(405, Allow=ALLOW) \
        .send("INVITE", "Require: 100rel", branch=3).receive(420, Unsupported="100rel").send("ACK", branch=3) \
        .send("NOTIFY", "Event: message-summary", "Subscription-State: active", branch=4).receive(481) \
        .send("CANCEL", branch=5).receive(481).run()
    stranger = caller("udp", direct=True)
    stranger._uri = stranger._uri.replace("sip:", "sip:x")
    stranger.send("OPTIONS").receive(404).run()


def test_a_repeated_invite_and_a_lost_ack(caller):
    """What got lost on the way is said again, until it was heard."""
    call = caller("udp", direct=True)
    call.send("INVITE").receive(180).send("INVITE").receive(180).send("CANCEL").receive(200).receive(487)
    call.receive(487, timeout_s=2).receive(487, timeout_s=2).send("ACK").pause(4).run()
    assert call.heard() == ["180 INVITE"] * 2 + ["200 CANCEL"] + ["487 INVITE"] * 3
