# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another local address: how long until many SIP accounts are registered from it. Needs root for its networks."""

import os
import time

from bench_site import Registrar, wait_registered
from harness.namespace import Namespace, enter
from harness.process import wait_until

PASSWORD = "secret"
N_MAX = 1000  # from here on the admission rate is that of a fleet
HOME, ELSEWHERE, SERVER = "192.0.2.7", "192.0.2.8", "192.0.2.1"


def _measure(site, add, laptop, office):
    n = min(site.n_accounts, N_MAX)
    laptop.connect("wlan0", office, "air0")
    laptop.ip("address", "add", f"{HOME}/24", "dev", "wlan0")
    office.ip("address", "add", f"{SERVER}/24", "dev", "air0")
    registrar = Registrar(site, "registrar", n, 3600, PASSWORD, address=SERVER, wrapper=office.wrapper)
    muster = site.muster("link")
    muster.program = enter(muster.program, laptop, site.directory)
    site.seed(muster, n, "sip", f"{{'server': <'{SERVER}:{registrar.port}'>}}", PASSWORD)
    muster.start()
    wait_registered(muster, n, 120, every_s=0.1)
    time.sleep(1)

    began_s = time.monotonic()
    laptop.ip("address", "del", f"{HOME}/24", "dev", "wlan0")
    laptop.ip("address", "add", f"{ELSEWHERE}/24", "dev", "wlan0")
    wait_until(lambda: registrar.counts()["moved"] >= n, 60, "all are registered from there", muster.log)
    wait_registered(muster, n, 10)
    took_s = time.monotonic() - began_s
    counters = muster.get("Manager", "Counters")
    muster.stop()
    saw = registrar.end()
    add(f"another address: until {n} accounts are registered from it", "s", took_s, 10)
    add("refused by the registrar", "", saw["refused"], 0)
    add("failed", "", counters["failed"], 0)


def run(site, add):
    if os.geteuid() != 0:
        add("not measured: only root has networks of its own", "", None)
        return
    laptop, office = Namespace(site.directory, "laptop"), Namespace(site.directory, "office")
    try:
        _measure(site, add, laptop, office)
    finally:
        laptop.end()
        office.end()
