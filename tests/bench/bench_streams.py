# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIP over TLS, each account on a connection of its own, since each has a server of its own on loopback."""

import os
import re
import subprocess
import time

from bench_site import Registrar, cpu_s, idle_percent, resident_kb, turns, wait_registered
from harness.certificates import Authority

PASSWORD = "secret"
N_MAX = 2000
RIVAL = "bare streams"


def _bare_kb(site):
    """Resident memory of a connection with nothing on it."""
    outcome = subprocess.run([site.program("bench-stream")], stdout=subprocess.PIPE, text=True, check=True)
    return float(re.search(r"([0-9.]+) kB of RSS each", outcome.stdout).group(1))


def _start(site, name, n, registrar, authority):
    """A daemon with so many accounts, registered. Returns it, and how long it took."""
    muster = site.muster(name, proofs=False)
    site.seed(muster, n, "sip",
              f"{{'server': <'HOST:{registrar.port}'>, 'transport': <'tls'>, 'tls-ca': <'{authority.certificate}'>, "
              "'expires': <uint32 3600>, 'presence': <false>, 'message-waiting': <false>, 'reg-event': <false>}", PASSWORD)
    began_s = time.monotonic()
    muster.start()
    wait_registered(muster, n, 120, every_s=0.5)
    took_s = time.monotonic() - began_s
    time.sleep(2)
    return muster, took_s


def run(site, add):
    n = min(site.n_accounts, N_MAX)
    empty_kb, empty_cpu_s = site.empty()
    bare_kb = None if site.smoke else _bare_kb(site)
    authority = Authority(os.path.join(site.directory, "authority"))
    registrar = Registrar(site, "registrar", n, 3600, PASSWORD, address="0.0.0.0",
                          certificate=authority.issue("server", ["bench.test"]))
    muster, _ = _start(site, "one", 1, registrar, authority)
    first_kb = resident_kb(muster.pid) - empty_kb
    muster.stop()
    muster, took_s = _start(site, "streams", n, registrar, authority)
    counts = registrar.counts()
    assert counts["connections"] == n, counts
    cpu_us = (cpu_s(muster.pid) - empty_cpu_s) / n * 1e6
    worst = turns(muster)["worst_ms"]
    add("start to all registered, a connection each", "s", took_s)
    add("CPU per registration with handshake and challenge", "us", cpu_us)
    kb = resident_kb(muster.pid) - empty_kb
    add("resident per account", "kB", kb / n, 20, RIVAL, bare_kb)
    add("  of that for the first, once: plugin, GnuTLS", "kB", first_kb)
    add("  of that for each more", "kB", (kb - first_kb) / max(1, n - 1))
    add("worst turn of the loop, registering", "ms CPU", worst)
    add("idle CPU", "%", idle_percent(muster.pid, 1 if site.smoke else 5))
    counters = muster.get("Manager", "Counters")
    add("failed or lost", "", counters["failed"] + counters["lost"], 0)
    muster.stop()
    registrar.end()
