# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A NAT between the daemon and its registrar. Needs root."""

import subprocess
import time

import pytest

from harness.kamailio import DOMAIN
from harness.namespace import Namespace, enter
from harness.process import wait_until

PASSWORD = "se:cret"
ALICE = f"alice@{DOMAIN}"
HOME = "10.77.0.7"
INSIDE = "10.77.0.1"
OUTSIDE = "192.0.2.9"
REGISTRAR = "192.0.2.1"
NAT = """
flush ruleset
table ip nat {
    chain out {
        type nat hook postrouting priority srcnat
        oifname "wan0" meta l4proto { tcp, udp } masquerade to :%s
    }
}
"""


class World:
    """A laptop with musterd on it, a router that hides it, and kamailio behind that."""

    def __init__(self, muster, kamailio, router):
        self.muster = muster
        self.kamailio = kamailio
        self._router = router
        self.hide_behind("30000-30999")

    def hide_behind(self, ports):
        """From now on the router shows those instead, and has forgotten whom it hid behind others: with its interface goes
        what it remembers of it."""
        subprocess.run([*self._router.wrapper, "nft", "-f", "-"], input=NAT % ports, text=True, check=True)
        self._router.ip("link", "set", "wan0", "down")
        self._router.ip("link", "set", "wan0", "up")

    def binding(self):
        """The only one, without its user part."""
        (binding,) = self.kamailio.bindings("alice")
        return binding["Address"].split("@")[-1]

    def wait_event(self, type, timeout_s):
        wait_until(lambda: any(each["type"] == type for each in self.muster.json("log", ALICE)), timeout_s, type,
                   lambda: self.muster.log()[-4000:])

    def seen(self):
        """Where the last request came from."""
        return self.kamailio.exchanges()[-1].request.source


@pytest.fixture
def world(make_muster, make_kamailio, tmp_path):
    laptop, router, office = (Namespace(tmp_path, name) for name in ("laptop", "router", "office"))
    laptop.connect("wlan0", router, "lan0")
    router.connect("wan0", office, "eth0")
    laptop.ip("address", "add", f"{HOME}/24", "dev", "wlan0")
    router.ip("address", "add", f"{INSIDE}/24", "dev", "lan0")
    router.ip("address", "add", f"{OUTSIDE}/24", "dev", "wan0")
    office.ip("address", "add", f"{REGISTRAR}/24", "dev", "eth0")
    laptop.ip("route", "add", "default", "via", INSIDE)
    subprocess.run([*router.wrapper, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], check=True)

    kamailio = make_kamailio({"alice": PASSWORD}, address=REGISTRAR, wrapper=office.wrapper)
    muster = make_muster(start=False)
    muster.program = enter(muster.program, laptop, tmp_path)
    muster.start()
    world = World(muster, kamailio, router)
    muster.add("sip", ALICE, secret=PASSWORD, server=kamailio.server, expires=600)
    yield world
    for namespace in (laptop, router, office):
        namespace.end()


def test_registered_where_the_registrar_sees_us(world):
    """Behind a NAT the account is registered with the address that leads back to it: the registrar has that binding
    and no other, and it is what the user is shown."""
    row = world.muster.show(ALICE)
    assert world.binding().startswith(f"{OUTSIDE}:30")
    assert world.binding() == world.seen()
    assert len(row["bindings"]) == 1 and row["bindings"][0].endswith("@" + world.binding())
    assert [each.code for each in world.kamailio.exchanges()] == [401, 200, 200]

    world.muster.do("refresh", ALICE)
    exchanges = world.kamailio.wait_for_exchanges(4, 10)
    assert [each.code for each in exchanges] == [401, 200, 200, 200]
    assert world.binding() == world.seen()


def test_known_after_a_restart(world):
    """A daemon that goes takes the binding back; it comes back from the same port, knows where the registrar sees it, and
    asks once."""
    before = world.binding()
    world.muster.stop()
    assert world.kamailio.bindings("alice") == []
    world.muster.start()
    world.muster.wait_state(ALICE, "registered")
    assert [(each.code, each.request.expires) for each in world.kamailio.exchanges()[3:]] == [(200, "0"), (200, "600")]
    assert world.binding() == world.seen() == before


def test_forgotten_by_the_nat(world):
    """The router forgets the way back: keep-alives go out, the registration stands, and calls would not arrive. It is found
    and mended within two minutes, and said, and nobody had to ask."""
    muster = world.muster
    muster.wait_for(ALICE, 15, "proven", lambda row: row["verification"] == "proven")
    before, registered = world.binding(), len(world.kamailio.requests("REGISTER"))
    world.hide_behind("31000-31999")
    began_s = time.monotonic()
    world.wait_event("registration.mended", 120)
    assert time.monotonic() - began_s < 120
    assert world.binding() == world.seen() != before
    assert world.binding().startswith(f"{OUTSIDE}:31")
    assert len(world.kamailio.requests("REGISTER")) - registered <= 4  # another place each, and a challenge at most
    row = muster.show(ALICE)
    assert (row["state"], row["verification"]) == ("registered", "proven")
    assert "came back after" in row["verification-evidence"]
    assert muster.do("verify", ALICE).startswith(f"others reach {ALICE}")
