# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other rival: kamailio's module uac, which registers users of a table at a registrar."""

import os
import shutil
import time

from harness.process import Process, free_ports, wait_until

TABLES = "/usr/share/kamailio/dbtext/kamailio"
SETTLE_S = 6  # until its transactions are gone

CONFIGURATION = """#!KAMAILIO
debug=-1
log_stderror=yes
fork=yes
children=1
socket_workers=1
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:{port}

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "db_text.so"
loadmodule "uac.so"

modparam("uac", "restore_mode", "none")
modparam("uac", "reg_db_url", "text://{directory}")
modparam("uac", "reg_contact_addr", "127.0.0.1:{port}")
modparam("uac", "reg_timer_interval", 1)
modparam("uac", "reg_retry_interval", 30)
modparam("uac", "reg_keep_callid", 1)

request_route {{
    exit;
}}
"""


class Uac:
    """kamailio, registering so many users; its table says in which second each begins."""

    def __init__(self, directory, n_users, registrar_port, per_second, password, expires_s):
        os.makedirs(directory)
        self._make_tables(directory, n_users, registrar_port, per_second, password, expires_s)
        configuration = os.path.join(directory, "kamailio.cfg")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(directory=directory, port=free_ports()[0]))
        self._process = Process(
            "kamailio", ["kamailio", "-DD", "-E", "-m", "512", "-M", "64", "-f", configuration, "-Y", directory, "-w", directory],
            os.path.join(directory, "kamailio.log"), env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})

    @staticmethod
    def _make_tables(directory, n_users, port, per_second, password, expires_s):
        shutil.copy(os.path.join(TABLES, "version"), directory)
        with open(os.path.join(TABLES, "uacreg"), encoding="ascii") as file:
            columns = file.readline().replace("(string)", "(string,null)")
        with open(os.path.join(directory, "uacreg"), "w", encoding="ascii") as file:
            file.write(columns)
            for i in range(n_users):
                file.write(f"{i + 1}:u{i}:u{i}:bench.test:u{i}:bench.test:bench.test:u{i}:{password}::"
                           f"sip\\:127.0.0.1\\:{port}:{expires_s}:0:{i // per_second}::\n")

    def cpu_s(self):
        """Of all its processes, each of one thread."""
        total_ns = 0
        for pid in [self._process.pid, *self._process.children()]:
            with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
                total_ns += int(file.read().split()[0])
        return total_ns / 1e9

    def log(self):
        return self._process.log()

    def end(self):
        self._process.end(15)


def cpu_us_each(site, registrar, per_second, password):
    """CPU time of one registration with challenge, less what kamailio takes with no user."""
    n = site.n_accounts
    empty = Uac(os.path.join(site.directory, "uac-empty"), 0, registrar.port, per_second, password, 3600)
    time.sleep(2)
    began_s, start_s = time.monotonic(), empty.cpu_s()
    time.sleep(2)
    idle_share = (empty.cpu_s() - start_s) / (time.monotonic() - began_s)
    empty.end()

    began_s = time.monotonic()
    uac = Uac(os.path.join(site.directory, "uac"), n, registrar.port, per_second, password, 3600)
    wait_until(lambda: registrar.counts()["granted"] >= n, 30 + 2 * n / per_second, f"uac registered {n} users", uac.log,
               every_s=0.5)
    time.sleep(SETTLE_S)
    spent_s = uac.cpu_s() - start_s - idle_share * (time.monotonic() - began_s - 2)
    uac.end()
    return spent_s / n * 1e6
