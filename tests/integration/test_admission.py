# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many accounts of one service that does not answer."""

import socket

import pytest

from harness.process import wait_until

PLACES = 100
WAITING = 4


@pytest.fixture
def silent_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_silent_service(muster, silent_server):
    """No more attempts are under way than a service has places for. The others say what they wait for, go when
    one is given up, and hold nobody else up."""
    for number in range(PLACES + WAITING):
        muster.add("sip", f"u{number}@example.test", secret="se:cret", wait=False, server=silent_server)

    def waiting():
        return [row["id"] for row in muster.list() if row["reason"] == "admission"]

    wait_until(lambda: len(waiting()) == WAITING, 15, f"{WAITING} wait for admission", lambda: str(waiting()))
    rows = muster.list()
    assert {row["state"] for row in rows} == {"registering"}
    first = waiting()[0]
    assert "turn" in muster.do("explain", first)

    muster.add("echo", "ann@echo.test")
    assert muster.show("ann@echo.test")["state"] == "registered"

    given_up = [row["id"] for row in rows if row["reason"] != "admission"][0]
    muster.do("disable", given_up)
    wait_until(lambda: len(waiting()) == WAITING - 1, 5, "the next one has its turn", lambda: str(waiting()))
    muster.do("disable", waiting()[0])
    assert len(waiting()) == WAITING - 2
