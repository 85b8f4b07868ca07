# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Addresses come and go, in a network namespace of the daemon's own. Needs root."""

import os
import subprocess

import pytest

from harness.kamailio import DOMAIN
from harness.process import wait_until

LOCAL = "ann@echo.test"
REMOTE = f"ann@{DOMAIN}"
NOBODY = "192.0.2.99"
AS_BEFORE = "as before"  # what the daemon says to itself of a look that showed nothing new


class Namespace:
    """What `ip` can do to the network of a running daemon."""

    def __init__(self, muster):
        self._pid = muster.pid

    def ip(self, *words):
        subprocess.run(["nsenter", "-t", str(self._pid), "-n", "ip", *words], check=True, capture_output=True)


@pytest.fixture
def muster(make_muster, tmp_path):
    """A daemon whose machine has no network but loopback."""
    muster = make_muster(environment={"G_MESSAGES_DEBUG": "MusterConnectivity"}, start=False)
    wrapper = tmp_path / "musterd-alone"
    wrapper.write_text(f'#!/bin/sh\nexec unshare -n -- sh -c \'ip link set lo up && exec "$0" "$@"\' "{muster.program}" "$@"\n',
                       encoding="utf-8")
    os.chmod(wrapper, 0o755)
    muster.program = str(wrapper)
    muster.start()
    return muster


@pytest.fixture
def network(muster):
    return Namespace(muster)


def offline(muster):
    return muster.get("Manager", "Offline")


def wait_online(muster, online):
    wait_until(lambda: (offline(muster) == []) == online, 5, f"on-line is {online}", muster.log)


def refreshes(muster):
    return muster.get("Manager", "Counters")["refreshed"]


def add_link(network, address):
    """wlan0, which carries as long as its other end, air0, is up."""
    network.ip("link", "add", "wlan0", "type", "veth", "peer", "name", "air0")
    network.ip("link", "set", "wlan0", "up")
    network.ip("link", "set", "air0", "up")
    network.ip("address", "add", address, "dev", "wlan0")


def test_without_a_network(muster):
    """No network at all: an account of another machine waits, those of this machine are registered."""
    assert offline(muster) == ["no-network"]
    muster.add("echo", LOCAL)
    muster.add("sip", REMOTE, secret="se:cret", wait=False, server=NOBODY)
    muster.add("sip", f"bob@{DOMAIN}", secret="se:cret", wait=False, server="127.0.0.1:1")
    assert muster.show(LOCAL)["state"] == "registered"
    waiting = muster.wait_state(REMOTE, "waiting-network")
    assert waiting["reason"] == "no-network"
    assert "address" in muster.do("explain", REMOTE)
    muster.wait_state(f"bob@{DOMAIN}", "waiting-retry")  # tried: nobody listens there


def test_a_network_comes_and_goes(muster, network):
    """An account that waits for the network is tried as soon as there is one, and waits again without."""
    muster.add("echo", LOCAL, lease=3600)
    muster.add("sip", REMOTE, secret="se:cret", wait=False, server=NOBODY)
    muster.wait_state(REMOTE, "waiting-network")
    add_link(network, "192.0.2.7/24")
    wait_online(muster, True)
    muster.wait_state(REMOTE, ("registering", "waiting-retry"))
    network.ip("link", "set", "air0", "down")  # out of reach; the address is still there
    wait_online(muster, False)
    muster.wait_state(REMOTE, "waiting-network")
    assert muster.show(LOCAL)["state"] == "registered"
    assert muster.get("Manager", "Counters")["lost"] == 0, "this machine's own account never noticed"


def test_another_address(muster, network):
    """A laptop changes from one network to another: every registration is made sure of."""
    add_link(network, "192.0.2.7/24")
    wait_online(muster, True)
    muster.add("echo", LOCAL, lease=3600)
    before = refreshes(muster)
    network.ip("address", "add", "198.51.100.7/24", "dev", "wlan0")
    network.ip("address", "del", "192.0.2.7/24", "dev", "wlan0")
    wait_until(lambda: refreshes(muster) > before, 5, "registered from the new address", muster.log)
    muster.wait_state(LOCAL, "registered")
    assert offline(muster) == []


def test_what_is_no_change(muster, network):
    """Link-local, deprecated and loopback addresses, and routes, come and go, and nobody is troubled."""
    add_link(network, "192.0.2.7/24")
    wait_online(muster, True)
    muster.add("echo", LOCAL, lease=3600)
    before = refreshes(muster)
    for verb in ("add", "del"):
        seen = muster.log().count(AS_BEFORE)
        network.ip("address", verb, "169.254.1.1/16", "dev", "wlan0")
        network.ip("address", verb, "127.0.0.2/8", "dev", "lo")
        network.ip("address", verb, "2001:db8::7/64", "dev", "wlan0",
                   *(("preferred_lft", "0", "nodad") if verb == "add" else ()))
        network.ip("route", verb, "default", "via", "192.0.2.1")
        wait_until(lambda n=seen: muster.log().count(AS_BEFORE) > n, 5, "it was looked at", muster.log)
        assert refreshes(muster) == before
    assert offline(muster) == []
