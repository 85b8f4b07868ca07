# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Registrars that answer as they once did, or by a fault, with the whole daemon and its command line."""

import re
import socket
import time

import pytest

from harness.muster import seconds
from harness.process import wait_until
from harness.sip_peer import SipPeer

PASSWORD = "se:cret"
DEVICE = "34020000001320000001@3402000000"
UNNAMED = "34020000001320000002@3402000000"
HEARTBEAT = "MESSAGE sip:3402000000 SIP/2.0"
SERVER_ID = "34020000002000000001"
NAMED_HEARTBEAT = f"MESSAGE sip:{SERVER_ID}@3402000000 SIP/2.0"
CROWD = [f"alice{number}@example.test" for number in range(12)]


@pytest.fixture
def make_registrar(tmp_path):
    made = []

    def make(**more):
        made.append(SipPeer(tmp_path / f"peer-{len(made)}.log", **more))
        return made[-1]
    yield make
    for each in made:
        each.end()


def user_of(address):
    return address.split("@", maxsplit=1)[0]


def lease_s(row):
    return round(seconds(row["expires-at"]) - seconds(row["registered-at"]))


def refresh(muster, address):
    before = muster.show(address)["refreshes"]
    muster.do("refresh", address)
    return muster.wait_for(address, 10, "refreshed", lambda row: row["refreshes"] > before and row["state"] == "registered")


@pytest.mark.parametrize(("transcript", "address", "asked_s"), [
    ("registrar-with-cms", "gzj@telecom.com", 3600),
    ("exosip", "1000@sipserver.example", 300),
])
def test_registered_refreshed_and_left(muster, make_registrar, transcript, address, asked_s):
    """A user adds the account; it is registered for what it asked for, refreshed as one that is known, and taken back."""
    registrar = make_registrar(transcript=transcript, user=user_of(address))
    muster.add("sip", address, secret=PASSWORD, server=registrar.server, expires=asked_s, presence="false")
    assert lease_s(muster.show(address)) == asked_s
    refresh(muster, address)
    counters = muster.get("Manager", "Counters")
    assert (counters["opened"], counters["refreshed"], counters["lost"]) == (1, 1, 0)
    muster.do("disable", address, "--wait")
    assert muster.show(address)["state"] == "disabled"
    assert muster.show(address)["error"] is None


def test_a_platform(muster, make_registrar):
    """By GB/T 28181: a number for a domain, heartbeats, and when they stop being answered, a minute until the next
    attempt."""
    registrar = make_registrar(transcript="gb28181", user=user_of(DEVICE))
    muster.add("sip", DEVICE, secret=PASSWORD, server=registrar.server, profile="gb28181", heartbeat=1, presence="false")
    assert lease_s(muster.show(DEVICE)) == 3600  # granted; it asked for a day
    wait_until(lambda: registrar.lines().count(HEARTBEAT) >= 4, 10, "heartbeats", muster.log)
    assert muster.show(DEVICE)["state"] == "registered"

    registrar.end()
    row = muster.wait_state(DEVICE, "waiting-retry", 15)
    assert row["error"] == "unreachable"
    assert "3 heartbeats in a row unanswered" in muster.do("explain", DEVICE)
    assert seconds(row["next-attempt-at"]) - seconds(row["since"]) >= 59

    make_registrar(transcript="gb28181", user=user_of(DEVICE), port=registrar.port)
    muster.do("retry", DEVICE)
    muster.wait_state(DEVICE, "registered")


class Server:
    """Says something to the contact of an account."""

    _n_sent = 0  # by all of them: what is said twice is answered to whom said it first

    def __init__(self, uri):
        self._uri = uri
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(10)
        self._socket.connect(("127.0.0.1", int(re.search(r":(\d+)$", uri).group(1))))

    def say(self, method, headers, body):
        """Returns the answer."""
        Server._n_sent += 1
        head = (f"{method} {self._uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKsaid{self._n_sent};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{SERVER_ID}@3402000000>;tag=1\r\nTo: <{self._uri}>\r\n"
                f"Call-ID: said{self._n_sent}\r\nCSeq: 1 {method}\r\nContact: <sip:127.0.0.1>\r\n{headers}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        self._socket.send(head.encode() + body)
        return self._socket.recv(65536).decode()

    def close(self):
        self._socket.close()


def test_a_platform_with_a_name(muster, make_registrar):
    """It has 20 digits of its own, to which all that is said to it goes; and what it says in its encoding is read."""
    registrar = make_registrar(transcript="gb28181", user=user_of(DEVICE))
    muster.add("sip", DEVICE, secret=PASSWORD, server=registrar.server, profile="gb28181", server_id=SERVER_ID, heartbeat=1)
    wait_until(lambda: registrar.lines().count(NAMED_HEARTBEAT) >= 1, 10, "heartbeats", muster.log)
    assert HEARTBEAT not in registrar.lines()

    query = '<?xml version="1.0"{}?>\n<Query>\n<CmdType>Catalog</CmdType>\n<Name>球机一</Name>\n</Query>\n'
    platform = Server(*muster.show(DEVICE)["bindings"])
    for content_type, encoding, said in (
            ("Application/MANSCDP+xml", "gb2312", query.format(' encoding="GB2312"')),
            ("text/plain;charset=gb18030", "gb18030", "在吗 𠮷")):
        assert platform.say("MESSAGE", f"Content-Type: {content_type}", said.encode(encoding)).startswith("SIP/2.0 200 ")
        (heard,) = wait_until(lambda: muster.json("incoming"), 10, "the message", muster.log)
        assert (heard["kind"], heard["text"]) == ("message", query.format("") if "GB2312" in said else said)
        muster.do("incoming", "accept", heard["id"])
    broken = query.format(' encoding="GB2312"').encode("gb2312").replace("球".encode("gb2312"), b"\xff\xff")
    answer = platform.say("MESSAGE", "Content-Type: Application/MANSCDP+xml", broken)
    assert answer.startswith("SIP/2.0 415 ") and "\r\nAccept: text/plain, application/manscdp+xml\r\n" in answer
    assert muster.json("incoming") == []
    platform.close()


def test_an_exchange_tells_of_messages_unasked(muster, make_registrar):
    """As Asterisk does: what waits is shown, also that nothing does any more; whoever does not want it is not told."""
    address, registrar = "alice@example.test", make_registrar()
    muster.add("sip", address, secret=PASSWORD, server=registrar.server, presence="false", reg_event="false")
    exchange = Server(*muster.show(address)["bindings"])
    headers = "Event: message-summary\r\nContent-Type: application/simple-message-summary"
    for waiting, n_new, n_old in (("yes", 2, 8), ("no", 0, 8)):
        body = f"Messages-Waiting: {waiting}\r\nMessage-Account: sip:*97@example.test\r\nVoice-Message: {n_new}/{n_old} (0/0)\r\n"
        assert exchange.say("NOTIFY", headers, body.encode()).startswith("SIP/2.0 200 ")
        muster.wait_for(address, 10, "it is shown", lambda row, n=n_new: (row["mailbox-new"], row["mailbox-old"]) == (n, 8))
    assert exchange.say("NOTIFY", "Event: check-sync", b"").startswith("SIP/2.0 481 ")

    exchange.close()

    before = muster.show(address)["bindings"]
    muster.do("set", address, "message-waiting=no")
    row = muster.wait_for(address, 10, "registered anew", lambda now: now["bindings"] not in ([], before))
    exchange = Server(*row["bindings"])
    assert exchange.say("NOTIFY", headers, body.encode()).startswith("SIP/2.0 481 ")
    exchange.close()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_new_password_counts_at_once(muster, make_registrar, restarted):
    """A user sets another password while the account is registered: the next refresh goes by it, also of a daemon that
    was killed in between, and not by what is kept of the one before."""
    registrar = make_registrar()
    muster.add("sip", "alice@example.test", secret=PASSWORD, server=registrar.server, presence="false")
    refresh(muster, "alice@example.test")
    muster.do("secret", "alice@example.test", "password", "--fd", "3", secret="wrong")
    if restarted:
        muster.kill()
        muster.start()
    else:
        muster.do("refresh", "alice@example.test")
    row = muster.wait_state("alice@example.test", "waiting-secret")
    assert row["error"] == "refused"

    muster.do("secret", "alice@example.test", "password", "--fd", "3", secret=PASSWORD)
    muster.wait_state("alice@example.test", "registered")
    refresh(muster, "alice@example.test")


def test_what_makes_no_sense(muster):
    """Refused before anything is sent, with what is wrong."""
    muster.add("sip", UNNAMED, secret=PASSWORD, wait=False, profile="gb28181")
    muster.wait_state(UNNAMED, "failed")
    assert "server must be named" in muster.do("explain", UNNAMED)
    muster.add("sip", "alice@example.test", secret=PASSWORD, wait=False, server="127.0.0.1", profile="gb28181")
    muster.wait_state("alice@example.test", "failed")
    assert "20 digits" in muster.do("explain", "alice@example.test")
    muster.add("sip", "bob@example.test", secret=PASSWORD, wait=False, server="127.0.0.1", server_id=SERVER_ID)
    muster.wait_state("bob@example.test", "failed")
    assert "server-id is for profile gb28181 only" in muster.do("explain", "bob@example.test")


def test_a_crowd_at_a_busy_registrar(muster, make_registrar):
    """It answers 503 to all and does not say until when: it is asked less and less, and all are registered soon after
    it is well again, with nobody's help."""
    registrar = make_registrar(scenario="overloaded")
    for address in CROWD:
        muster.add("sip", address, secret=PASSWORD, wait=False, server=registrar.server, auth_user="alice", presence="false")
    for address in CROWD:
        row = muster.wait_for(address, 30, "was sent away", lambda now: now["attempt"] >= 1 and now["error"])
        assert row["error"] == "busy" and row["state"] in ("waiting-retry", "registering"), row
    began, failed = time.monotonic(), muster.get("Manager", "Counters")["failed"]
    wait_until(lambda: muster.get("Manager", "Counters")["failed"] >= failed + 4, 30, "more attempts", muster.log)
    assert (time.monotonic() - began) > 2, "more than two a second"

    registrar.end()
    make_registrar(port=registrar.port)
    for address in CROWD:
        muster.wait_state(address, "registered", 60)
    assert muster.get("Manager", "Counters")["opened"] == len(CROWD)
