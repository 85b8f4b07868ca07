# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The core alone: many accounts of the echo plugin, whose service costs next to nothing."""

import statistics
import time

from bench_site import cpu_s, idle_percent, resident_kb, turns, wait_registered

LEASE = "{'lease': <uint32 3600>}"


def _start(site, add):
    """From starting the program to its bus name; the median, since others use the machine, too."""
    muster = site.muster("few")
    site.seed(muster, 10, "echo", LEASE)
    times = [site.client(muster, "start", site.daemon)["ms"] for _ in range(2 if site.smoke else 9)]
    add("start to bus name, 10 accounts", "ms", statistics.median(times), 100)
    add("  worst of them", "ms", max(times))


def run(site, add):
    n = site.n_accounts
    _start(site, add)
    empty_kb, _ = site.empty()

    muster = site.muster("many")
    site.seed(muster, n, "echo", LEASE)
    began_s = time.monotonic()
    muster.start()
    add("start to bus name", "s", time.monotonic() - began_s)
    wait_registered(muster, n, 120)
    add("start to all registered", "s", time.monotonic() - began_s, 5)
    time.sleep(3)
    add("CPU per account until then", "us", cpu_s(muster.pid) / n * 1e6)
    seen = {"registering": turns(muster)}
    add("resident per account, before GetManagedObjects", "kB", (resident_kb(muster.pid) - empty_kb) / n, 8)
    add("idle CPU", "%", idle_percent(muster.pid, 1 if site.smoke else 20), 0.1)
    turns(muster)

    managed = site.client(muster, "managed")
    assert managed["n"] >= n, managed
    add("GetManagedObjects", "s", managed["ms"] / 1000, 2)
    seen["GetManagedObjects"] = turns(muster)
    began_s = time.monotonic()
    listed = muster.do("list")
    add("muster list", "s", time.monotonic() - began_s, 1)
    assert listed.count("@bench.test") >= n, listed[:500]
    seen["muster list"] = turns(muster)
    time.sleep(1)
    add("resident per account, after", "kB", (resident_kb(muster.pid) - empty_kb) / n, 12)

    n_more = n // 10
    turns(muster)
    added = site.client(muster, "add", n_more)
    add(f"AddAccount, {n_more} pipelined", "us each", added["ms"] * 1000 / n_more)
    seen["adding"] = turns(muster)
    for phase, each in seen.items():
        add(f"worst turn of the loop, {phase}", "ms CPU", each["worst_ms"], 10)
    muster.stop()
