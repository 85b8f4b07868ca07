# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where a benchmark takes place: a private bus, daemons with homes of their own, and their costs."""

import json
import os
import subprocess
import time

from harness.bus import Bus
from harness.muster import Muster
from harness.process import Process, wait_until

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Site:
    def __init__(self, directory, build, n_accounts, smoke):
        self.directory = directory
        self.n_accounts = n_accounts
        self.smoke = smoke
        self._programs = os.path.join(os.path.abspath(build), "tests", "bench")
        self.daemon = os.path.join(os.path.abspath(build), "core", "musterd")
        os.environ["MUSTERD"] = os.path.join(self._programs, "musterd-bench")
        os.environ["MUSTER"] = os.path.join(os.path.abspath(build), "tools", "muster", "muster")
        os.environ["MUSTER_PLUGIN_PATH"] = os.path.join(os.path.abspath(build), "plugins")
        self.bus = Bus(os.path.join(directory, "bus"))
        self._running = []

    def program(self, name):
        return os.path.join(self._programs, name)

    def muster(self, name, proofs=True):
        """A daemon, not yet started, with a home of its own."""
        environment = {"G_SLICE": "always-malloc", "G_MESSAGES_DEBUG": ""}  # as the systemd unit has it
        if not proofs:
            environment["BENCH_WITHOUT_PROOFS"] = "1"
        muster = Muster(os.path.join(self.directory, name), self.bus.address, start=False, environment=environment)
        self._running.append(muster)
        return muster

    def empty(self):
        """What a daemon without accounts takes: kB, and CPU seconds until it is there."""
        muster = self.muster("empty")
        muster.start()
        time.sleep(1)
        found = resident_kb(muster.pid), cpu_s(muster.pid)
        muster.stop()
        return found

    def seed(self, muster, n_accounts, protocol, parameters, *password):
        subprocess.run(
            [self.program("bench-seed"), os.path.dirname(muster.database), str(n_accounts), protocol, parameters,
             *password], env=muster.environment, check=True)

    def client(self, muster, *arguments):
        """What bench-client printed: ms and n."""
        outcome = subprocess.run([self.program("bench-client"), *map(str, arguments)], env=muster.environment,
                                 stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(outcome.stdout)

    def end(self):
        for muster in self._running:
            if muster.pid:
                muster.kill()
        self.bus.end()


def wait_registered(muster, n_accounts, timeout_s, every_s=0.02):
    """Asking costs the daemon, too: where its CPU time counts, ask seldom."""
    wait_until(lambda: muster.get("Manager", "Counters")["registered"] >= n_accounts, timeout_s,
               f"{n_accounts} accounts are registered", every_s=every_s)


def turns(muster):
    """What the probe in the main loop saw since it was asked last."""
    before = muster.log().count('{"turns"')
    os.kill(muster.pid, 10)  # SIGUSR1
    wait_until(lambda: muster.log().count('{"turns"') > before, 5, "the probe answered")
    return json.loads([line for line in muster.log().split("\n") if line.startswith('{"turns"')][-1])


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS:")).split()[1])


def cpu_s(pid):
    """Of all its threads, ended ones too; in clock ticks."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def _threads_ns(pid):
    found = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            found[thread] = int(file.read().split()[0])
    return found


def idle_percent(pid, window_s):
    """CPU of threads that run all the time, finer than ticks."""
    before = _threads_ns(pid)
    time.sleep(window_s)
    after = _threads_ns(pid)
    return sum(spent - before.get(thread, 0) for thread, spent in after.items()) / 1e9 / window_s * 100


class Registrar:
    """The counting peer of the SIP benchmarks, over UDP or, with a certificate and its key, over TLS."""

    def __init__(self, site, name, n_accounts, expires_s, password, address="127.0.0.1", certificate=(), wrapper=()):
        self._process = Process(
            name, [*wrapper, site.program("bench-registrar"), n_accounts, expires_s, password, address, *certificate],
            os.path.join(site.directory, f"{name}.log"))
        self.port = self._process.wait_ready(self._process.log, 5).strip()

    def counts(self):
        """What it has counted so far."""
        before = self._lines()
        os.kill(self._process.pid, 10)  # SIGUSR1
        wait_until(lambda: len(self._lines()) > len(before), 5, "the registrar answered")
        return json.loads(self._lines()[-1])

    def _lines(self):
        return self._process.log().split("\n")[1:-1]

    def end(self):
        """Returns what it saw."""
        self._process.end()
        return json.loads(self._lines()[-1])
