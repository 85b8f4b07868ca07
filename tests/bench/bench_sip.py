# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIP over UDP against a registrar that costs little, beside two rivals in the same run: a client of bare nta, and
kamailio's uac. They do nothing but register, so the accounts do nothing else, either."""

import json
import subprocess
import time

import bench_uac
from bench_site import Registrar, cpu_s, resident_kb, turns, wait_registered

PASSWORD = "secret"
EXPIRES_S = 60  # for 600: windows of 1 s instead of 10 s
BINS_PER_S = 10
PACE = 1000  # registrations a second: what admission lets go to one host
IDLE_S = 3
RIVAL, UAC = "bare nta", "kamailio uac"
ONLY_REGISTERS = "'presence': <false>, 'message-waiting': <false>, 'reg-event': <false>"


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


def _uac(site):
    registrar = Registrar(site, "registrar-of-uac", site.n_accounts, 3600, PASSWORD)
    try:
        return bench_uac.cpu_us_each(site, registrar, PACE, PASSWORD)
    finally:
        registrar.end()


def _refreshed(muster, registrar, until_s):
    """From now on: CPU time and requests for each refresh."""
    before, cpu_before_s = registrar.counts(), cpu_s(muster.pid)
    time.sleep(max(0, until_s - time.monotonic()))
    after, spent_s = registrar.counts(), cpu_s(muster.pid) - cpu_before_s
    n = max(1, after["granted"] - before["granted"])
    return {"n": n, "cpu_us": spent_s / n * 1e6, "requests": (after["registers"] - before["registers"]) / n}


def _idle(site, muster):
    """Wake-ups a second with nothing due."""
    window_s = 1 if site.smoke else IDLE_S
    turns(muster)
    time.sleep(window_s)
    return max(0, turns(muster)["turns"] - 1) / window_s  # one is that of asking


def run(site, add):
    n = site.n_accounts
    empty_kb, empty_cpu_s = site.empty()

    before = _bare(site, PACE, "before")
    uac_us = _uac(site)
    registrar = Registrar(site, "registrar", n, EXPIRES_S, PASSWORD)
    muster = site.muster("many", proofs=False)
    site.seed(muster, n, "sip",
              f"{{'server': <'127.0.0.1:{registrar.port}'>, 'expires': <uint32 {EXPIRES_S}>, {ONLY_REGISTERS}}}", PASSWORD)
    began_s = time.monotonic()
    muster.start()
    wait_registered(muster, n, 120, every_s=0.5)
    took_s = time.monotonic() - began_s
    time.sleep(2)
    cpu_us = (cpu_s(muster.pid) - empty_cpu_s) / n * 1e6
    resident = (resident_kb(muster.pid) - empty_kb) / n
    seen = turns(muster)
    wake_ups = _idle(site, muster)

    refreshed, worst = None, 0
    if not site.smoke:
        refreshed = _refreshed(muster, registrar, began_s + EXPIRES_S + took_s + 3)
        worst = turns(muster)["worst_ms"]
        resident_last = (resident_kb(muster.pid) - empty_kb) / n
        assert site.client(muster, "managed")["n"] >= n
        time.sleep(1)
    counters = muster.get("Manager", "Counters")
    resident_after = (resident_kb(muster.pid) - empty_kb) / n
    muster.stop()
    saw = registrar.end()
    # Before and after: a shared machine is not as fast at all times.
    after = _bare(site, PACE, "after")

    first = [i for i, count in enumerate(saw["cycle0"]) if count]
    rate = n / max((first[-1] - first[0] + 1) / BINS_PER_S, 0.1)
    bare_us = (before["cpu_us"] + after["cpu_us"]) / 2 / n
    bare_refresh_us = (before["refresh_us"] + after["refresh_us"]) / 2 / n
    bare_kb = (before["rss_kb"] - before["rss_before_kb"]) / n

    add("start to all registered", "s", took_s)
    add("CPU per registration with challenge", "us", cpu_us, 2.2 * bare_us, RIVAL, bare_us)
    add("  of the rival's", "times", cpu_us / bare_us, 2.2)
    add("  the same, beside the other rival", "us", cpu_us, 2 * uac_us, UAC, uac_us)
    add("  of the rival's", "times", cpu_us / uac_us, 2)
    add("resident per account, registered", "kB", resident, 10, RIVAL, bare_kb)
    add("worst turn of the loop, registering", "ms CPU", seen["worst_ms"], 10)
    add("wake-ups with nothing due", "1/s", wake_ups, 1)
    add("admission: attempts a second, busiest 5 s", "1/s", _busiest(saw["attempts"], 5), 1050 if n >= 1000 else None)
    add("  busiest second", "1/s", _busiest(saw["attempts"], 1))
    add("registrations per second", "1/s", rate)
    add("refused by the registrar", "", saw["refused"], 0)
    add("requests other than REGISTER", "", saw["others"], 0)
    add("failed or lost", "", counters["failed"] + counters["lost"], 0)
    if not site.smoke:
        add("CPU per refresh", "us", refreshed["cpu_us"], 2 * bare_refresh_us, RIVAL, bare_refresh_us)
        add("  of the rival's", "times", refreshed["cpu_us"] / bare_refresh_us, 2)
        add("  refreshes counted", "", refreshed["n"])
        add("requests per refresh", "", refreshed["requests"], 1)
        add("resident per account, after two refreshes", "kB", resident_last, 10)
        add("resident per account, after GetManagedObjects, too", "kB", resident_after, 14)
        add("worst turn of the loop, refreshing", "ms CPU", worst, 10)
        add("second cycle: accounts refreshed twice", "", sum(saw["cycle2"]))
        add("second cycle: fullest window over the mean", "times", _crowding(saw["cycle2"]), 3)
    add("removed from the registrar at the end", "", saw["unbound"])
