# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a stranger sends to the port of an account, and what becomes of it."""

import re
import socket

import pytest

from harness import sip_torture
from harness.sip_peer import SipPeer

ADDRESS = "alice@example.test"
MAX_CALLS = 8
SIGN = ("OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKsign{number};rport\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:bob@example.test>;tag=1\r\nTo: <sip:alice@example.test>\r\n"
        "Call-ID: sign{number}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def peer(tmp_path):
    peer = SipPeer(tmp_path / "peer.log")
    yield peer
    peer.end()


class Stranger:
    """Somebody who knows the account's contact."""

    def __init__(self, uri):
        self._uri = uri
        self._to = ("127.0.0.1", int(re.search(r":(\d+)$", uri).group(1)))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(10)
        self._n_signs = 0

    def send(self, message):
        """The account is there when it was read."""
        if len(message) <= 65507:
            self._socket.sendto(message, self._to)
        self._n_signs += 1
        self._socket.sendto(SIGN.format(uri=self._uri, number=self._n_signs).encode(), self._to)
        sign = b"z9hG4bKsign%d;" % self._n_signs
        while sign not in (answer := self._socket.recv(65536)):
            pass
        assert answer.startswith(b"SIP/2.0 200 ")

    def close(self):
        self._socket.close()


def test_a_stranger_does_no_harm(muster, peer):
    """All that is hard to read, as it is and to our own contact: the account stays registered, nothing is said of it
    in the log or the journal but that somebody called."""
    muster.add("sip", ADDRESS, secret="se:cret", server=peer.server, presence="false")
    muster.wait_state(ADDRESS, "registered")
    (uri,) = muster.show(ADDRESS)["bindings"]
    messages = sip_torture.load()
    n_before = len(muster.json("log"))
    assert len(messages) > 49

    stranger = Stranger(uri)
    n_offered = 0
    for message in messages:
        stranger.send(message.bytes)
        aimed = message.aim(uri)
        if aimed is not None:
            stranger.send(aimed)
            n_offered += bool({"180", "200"} & set(message.aimed))
    stranger.close()

    assert muster.show(ADDRESS)["state"] == "registered"
    assert 0 < len(muster.json("log")) - n_before <= 2 * n_offered
    calls = [each for each in muster.json("incoming") if each["kind"] == "call"]
    assert len(calls) == MAX_CALLS  # the others hear that we are busy
    loud = [line for line in muster.log().splitlines() if re.search(r"WARNING|CRITICAL|ERROR|stun", line)]
    assert loud == []
