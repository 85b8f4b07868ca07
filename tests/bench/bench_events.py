# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIP accounts as they are by default: they publish, subscribe and prove that they can be reached, at a registrar that
knows nothing of that. For information: what it comes to beside registering."""

import time

from bench_site import Registrar, cpu_s, resident_kb, turns, wait_registered

PASSWORD = "secret"
N_MAX = 2000
SUBSCRIPTIONS_PER_S = 500  # that the plugin makes at this number of accounts


def _observe(site, name, parameters, proofs, more_s):
    n = min(site.n_accounts, N_MAX)
    registrar = Registrar(site, f"registrar-{name}", n, 3600, PASSWORD)
    muster = site.muster(name, proofs=proofs)
    site.seed(muster, n, "sip", f"{{'server': <'127.0.0.1:{registrar.port}'>{parameters}}}", PASSWORD)
    muster.start()
    muster.do("presence", "available")
    wait_registered(muster, n, 120, every_s=0.5)
    time.sleep(more_s)
    counts = registrar.counts()
    found = {"cpu_s": cpu_s(muster.pid), "kb": resident_kb(muster.pid), "worst_ms": turns(muster)["worst_ms"],
             "requests": (counts["registers"] + counts["others"]) / n}
    muster.stop()
    registrar.end()
    return found


def run(site, add):
    n = min(site.n_accounts, N_MAX)
    empty_kb, empty_cpu_s = site.empty()
    more_s = 2 if site.smoke else 5 + 3 * n / SUBSCRIPTIONS_PER_S
    only = _observe(site, "only", ", 'presence': <false>, 'message-waiting': <false>, 'reg-event': <false>", False, more_s)
    full = _observe(site, "all", "", True, more_s)
    for what, found in (("only registering", only), ("with everything on", full)):
        add(f"{what}: requests per account", "", found["requests"])
        add("  resident per account", "kB", (found["kb"] - empty_kb) / n)
        add("  CPU per account", "us", (found["cpu_s"] - empty_cpu_s) / n * 1e6)
        add("  worst turn of the loop", "ms CPU", found["worst_ms"])
