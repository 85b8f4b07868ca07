# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIP over UDP against a registrar that costs little, beside a client of bare nta in the same run."""

import json
import subprocess
import time

from bench_site import Registrar, cpu_s, resident_kb, turns, wait_registered

PASSWORD = "secret"
EXPIRES_S = 60  # for 600: windows of 1 s instead of 10 s
BINS_PER_S = 10
PACE = 1000  # registrations a second: what admission lets go to one host
RIVAL = "bare nta"


def _per_second(bins):
    return [sum(bins[i:i + BINS_PER_S]) for i in range(0, len(bins), BINS_PER_S)]


def _busiest(bins, window_s):
    """Per second, in any window, wherever it begins."""
    size = window_s * BINS_PER_S
    return max(sum(bins[i:i + size]) for i in range(max(1, len(bins) - size + 1))) / window_s


def _crowding(bins):
    """The fullest window over the mean of those from the first refresh to the last."""
    windows = _per_second(bins)
    due = [i for i, count in enumerate(windows) if count]
    if not due:
        return float("inf")
    windows = windows[due[0]:due[-1] + 1]
    return max(windows) * len(windows) / sum(windows)


def _bare(site, per_second, name):
    registrar = Registrar(site, f"registrar-of-nta-{name}", site.n_accounts, 3600, PASSWORD)
    outcome = subprocess.run(
        [site.program("bench-nta"), str(site.n_accounts), registrar.port, str(per_second), PASSWORD],
        stdout=subprocess.PIPE, text=True, check=True)
    registrar.end()
    return json.loads(outcome.stdout)


def run(site, add):
    n = site.n_accounts
    empty = site.muster("empty")
    empty.start()
    time.sleep(1)
    empty_kb, empty_cpu_s = resident_kb(empty.pid), cpu_s(empty.pid)
    empty.stop()

    before = _bare(site, PACE, "before")
    registrar = Registrar(site, "registrar", n, EXPIRES_S, PASSWORD)
    muster = site.muster("many")
    site.seed(muster, n, "sip", f"{{'server': <'127.0.0.1:{registrar.port}'>, 'expires': <uint32 {EXPIRES_S}>}}",
              PASSWORD)
    began_s = time.monotonic()
    muster.start()
    wait_registered(muster, n, 120, every_s=0.5)
    took_s = time.monotonic() - began_s
    time.sleep(2)
    cpu_us = (cpu_s(muster.pid) - empty_cpu_s) / n * 1e6
    resident = (resident_kb(muster.pid) - empty_kb) / n
    seen = turns(muster)
    # Before and after: a shared machine is not as fast at all times.
    after = _bare(site, PACE, "after")

    refreshed = 0
    if not site.smoke:
        time.sleep(max(0, EXPIRES_S + took_s + 3 - (time.monotonic() - began_s)))
        refreshed = turns(muster)
        assert site.client(muster, "managed")["n"] >= n
        time.sleep(1)
    counters = muster.get("Manager", "Counters")
    resident_after = (resident_kb(muster.pid) - empty_kb) / n
    muster.stop()
    saw = registrar.end()

    first = [i for i, count in enumerate(saw["cycle0"]) if count]
    rate = n / max((first[-1] - first[0] + 1) / BINS_PER_S, 0.1)
    bare_us = (before["cpu_us"] + after["cpu_us"]) / 2 / n
    bare_kb = (before["rss_kb"] - before["rss_before_kb"]) / n

    add("start to all registered", "s", took_s)
    add("CPU per registration with challenge", "us", cpu_us, 2.5 * bare_us, RIVAL, bare_us)
    add("  of the rival's", "times", cpu_us / bare_us, 2.5)
    add("resident per account, registered", "kB", resident, 14, RIVAL, bare_kb)
    add("worst turn of the loop, registering", "ms CPU", seen["worst_ms"], 10)
    add("admission: attempts a second, busiest 5 s", "1/s", _busiest(saw["attempts"], 5), 1050 if n >= 1000 else None)
    add("  busiest second", "1/s", _busiest(saw["attempts"], 1))
    add("registrations per second", "1/s", rate)
    add("refused by the registrar", "", saw["refused"], 0)
    add("publications and subscriptions, refused", "", saw["others"])
    add("failed or lost", "", counters["failed"] + counters["lost"], 0)
    if not site.smoke:
        add("resident per account, after two refreshes and GetManagedObjects", "kB", resident_after, 14)
        add("worst turn of the loop, refreshing", "ms CPU", refreshed["worst_ms"], 10)
        add("second cycle: accounts refreshed twice", "", sum(saw["cycle2"]))
        add("second cycle: fullest window over the mean", "times", _crowding(saw["cycle2"]), 3)
    add("removed from the registrar at the end", "", saw["unbound"])
