# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The network between the daemon and its registrar comes, goes and changes. Needs root."""

import signal
import time

import pytest

from harness.bus import Bus
from harness.kamailio import DOMAIN
from harness.logind import Logind
from harness.muster import LEASED
from harness.namespace import Namespace, enter
from harness.process import wait_until

PASSWORD = "se:cret"
ALICE = f"alice@{DOMAIN}"
HOME = "192.0.2.7"
ELSEWHERE = "192.0.2.8"
REGISTRAR = "192.0.2.1"
DEBOUNCE_S = 1
AT_ONCE_S = DEBOUNCE_S + 2
LEASE_S = 10


class World:
    """A laptop with musterd on it, a cable, and kamailio at its other end."""

    def __init__(self, laptop, muster, kamailio):
        self.laptop = laptop
        self.muster = muster
        self.kamailio = kamailio

    def hosts(self):
        return [each["Address"].split("@")[-1].split(":")[0] for each in self.kamailio.bindings("alice")]

    def add(self, expires, **parameters):
        self.muster.add("sip", ALICE, secret=PASSWORD, server=self.kamailio.server, expires=expires, **parameters)
        assert self.hosts() == [HOME]

    def never_unregistered(self):
        """Nobody said `Contact: *` or took all back; only an address that is gone may be."""
        for each in self.kamailio.requests():
            assert each.expires != "0", each


@pytest.fixture
def namespaces(tmp_path):
    laptop, office = Namespace(tmp_path, "laptop"), Namespace(tmp_path, "office")
    laptop.connect("wlan0", office, "air0")
    laptop.ip("address", "add", f"{HOME}/24", "dev", "wlan0")
    office.ip("address", "add", f"{REGISTRAR}/24", "dev", "air0")
    yield laptop, office
    laptop.end()
    office.end()


@pytest.fixture
def system_bus(tmp_path):
    bus = Bus(tmp_path / "system-bus")
    yield bus
    bus.end()


@pytest.fixture
def logind(tmp_path, system_bus):
    logind = Logind(tmp_path, system_bus.address)
    yield logind
    logind.end()


@pytest.fixture
def world(namespaces, make_muster, make_kamailio, system_bus, tmp_path):
    laptop, office = namespaces
    kamailio = make_kamailio({"alice": PASSWORD}, address=REGISTRAR, wrapper=office.wrapper)
    muster = make_muster(environment={"DBUS_SYSTEM_BUS_ADDRESS": system_bus.address}, start=False)
    muster.program = enter(muster.program, laptop, tmp_path)
    muster.start()
    return World(laptop, muster, kamailio)


def test_the_link_goes_and_comes(world):
    """Without a link the account waits for one, is not taken back, and is registered at once when there is one."""
    world.add(expires=600)
    world.laptop.ip("link", "set", "wlan0", "down")
    row = world.muster.wait_state(ALICE, "waiting-network", 5)
    assert row["reason"] == "no-network" and row["next-attempt-at"] is None
    assert world.hosts() == [HOME]
    n_before = len(world.kamailio.exchanges())
    world.laptop.ip("link", "set", "wlan0", "up")
    world.muster.wait_state(ALICE, "registered", AT_ONCE_S)
    assert len(world.kamailio.exchanges()) > n_before
    assert world.hosts() == [HOME]
    world.never_unregistered()


def test_another_address(world):
    """The laptop gets another address: registered from there at once, and the old binding does not rot."""
    world.add(expires=600)
    world.laptop.ip("address", "del", f"{HOME}/24", "dev", "wlan0")
    world.laptop.ip("address", "add", f"{ELSEWHERE}/24", "dev", "wlan0")
    wait_until(lambda: ELSEWHERE in world.hosts(), AT_ONCE_S, "registered from the new address",
               lambda: f"{world.hosts()}\n{world.muster.log()}")
    row = world.muster.wait_state(ALICE, "registered", 2)
    wait_until(lambda: world.hosts() == [ELSEWHERE], 2, "one binding", lambda: f"{world.hosts()}")
    assert len(row["bindings"]) == 1 and ELSEWHERE in row["bindings"][0]
    world.never_unregistered()


def test_another_address_over_tcp(world):
    """The connection from the old address is dead and does not know it: another one is made at once, instead of
    waiting for an answer on it."""
    world.add(expires=600, transport="tcp")
    world.laptop.ip("address", "del", f"{HOME}/24", "dev", "wlan0")
    world.laptop.ip("address", "add", f"{ELSEWHERE}/24", "dev", "wlan0")
    wait_until(lambda: world.hosts() == [ELSEWHERE], AT_ONCE_S, "one binding, at the new address",
               lambda: f"{world.hosts()}\n{world.muster.log()}")
    row = world.muster.wait_state(ALICE, "registered", 2)
    assert len(row["bindings"]) == 1 and ELSEWHERE in row["bindings"][0]
    world.never_unregistered()


def test_another_address_after_a_gap(world):
    """Off the train, into the office: no address for a while, then another one."""
    world.add(expires=600)
    world.laptop.ip("address", "del", f"{HOME}/24", "dev", "wlan0")
    world.muster.wait_state(ALICE, "waiting-network", 5)
    world.laptop.ip("address", "add", f"{ELSEWHERE}/24", "dev", "wlan0")
    wait_until(lambda: world.hosts() == [ELSEWHERE], AT_ONCE_S, "one binding, at the new address",
               lambda: f"{world.hosts()}\n{world.muster.log()}")
    assert world.muster.wait_state(ALICE, "registered", 2)["bindings"][0].find(ELSEWHERE) >= 0


def test_asleep_for_longer_than_the_lease(logind, world):
    """The laptop sleeps until the registrar has forgotten it: registered afresh at once when it wakes up."""
    world.add(expires=LEASE_S)
    wait_until(lambda: len(logind.inhibitors()) == 1, 5, "sleep can be announced")
    logind.prepare_for_sleep(True)
    asleep = world.muster.wait_state(ALICE, "waiting-network", 5)
    assert asleep["reason"] == "suspended"
    world.muster.signal(signal.SIGSTOP)
    try:
        wait_until(lambda: world.hosts() == [], LEASE_S + 5, "the registrar forgets")
        n_before = len(world.kamailio.exchanges())
    finally:
        world.muster.signal(signal.SIGCONT)
    began_s = time.monotonic()
    logind.prepare_for_sleep(False)
    row = world.muster.wait_state(ALICE, LEASED, 2)
    wait_until(lambda: world.hosts() == [HOME], 2, "registered again")
    assert time.monotonic() - began_s < 2
    assert [each.code for each in world.kamailio.exchanges()[n_before:]] in ([200], [401, 200])
    assert row["attempt"] == 0 and row["error"] is None
    world.never_unregistered()


def test_the_lease_runs_out_unannounced(world):
    """A virtual machine is paused, and nobody announces it: what ran out meanwhile is made afresh at once."""
    world.add(expires=LEASE_S)
    world.muster.signal(signal.SIGSTOP)
    try:
        wait_until(lambda: world.hosts() == [], LEASE_S + 5, "the registrar forgets")
    finally:
        world.muster.signal(signal.SIGCONT)
    wait_until(lambda: world.hosts() == [HOME], 2, "registered again", world.muster.log)
    world.muster.wait_state(ALICE, LEASED, 2)
    world.never_unregistered()
