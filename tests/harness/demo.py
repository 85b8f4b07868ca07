# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tools/demo runs: SIP accounts kept registered with a real kamailio, through kill -9 and back.

The story, in the order of the functions of Demo: registering, refreshing, killed, switched off. What
is claimed is checked twice: in what the daemon says on the bus, and in what kamailio saw.
"""

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.bus import Bus  # noqa: E402
from harness.kamailio import DOMAIN, Kamailio  # noqa: E402
from harness.muster import BUS_NAME, LEASED, ROOT_PATH, Muster  # noqa: E402
from harness.process import Process, Timeout, wait_until  # noqa: E402
from harness.screen import Screen  # noqa: E402

PASSWORD = "se:cret"
REGISTRATION = f"{BUS_NAME}.Registration"
IDENTITY = "Alice Example"
ASKED_LEASE_S = 15
REFRESHES_WANTED = 2
DEFAULT_TRANSPORTS = ["udp"]


class Account:
    """What is known of one account, from the bus."""

    def __init__(self, transport):
        self.transport = transport
        self.user = f"alice-{transport}"
        self.address = f"{self.user}@{DOMAIN}"
        self.path = None
        self.state = ""
        self.binding = ""
        self.expires_s = 0.0
        self.lease_s = 0.0
        self.n_refreshed = 0
        self.n_lost = 0
        self.n_created = 0
        self.was_registered = False
        self.asked_to_end = False

    def take(self, changed):
        """What changed, of the properties of org.muster.Muster1.Registration. Returns a new state or None."""
        if "Bindings" in changed:
            self.binding = " ".join(changed["Bindings"])
        if "ExpiresAt" in changed:
            self.expires_s = changed["ExpiresAt"] / 1e6
            self.lease_s = max(0.0, self.expires_s - time.time())
        if changed.get("State", self.state) == self.state:
            return None
        before, self.state = self.state, changed["State"]
        self.was_registered |= self.state in LEASED
        if before in LEASED and self.state not in LEASED and not self.asked_to_end:
            self.n_lost += 1
        return self.state


class Failure(Exception):
    """The demo did not show what it is there to show."""


class Demo:
    def __init__(self, directory, screen):
        self.directory = directory
        self.screen = screen
        self.bus = self.kamailio = self.muster = None
        self.accounts = []
        self._by_path = {}
        self._most_bindings = 0

    # The story

    def run(self):
        self.start()
        self.register()
        self.refresh()
        self.kill_and_carry_on()
        self.switch_one_off()

    def start(self):
        self.screen.headline("A private session bus, a real kamailio, and musterd with a throw-away home")
        self.bus = Bus(os.path.join(self.directory, "bus"))
        transports = self._start_muster()
        self.accounts = [Account(each) for each in transports]
        self.kamailio = Kamailio(os.path.join(self.directory, "kamailio"),
                                 {each.user: PASSWORD for each in self.accounts}, min_expires=10)
        version = self.kamailio.rpc("core.version").split(" (")[0]
        self.screen.line(f"{version}, pid {self.kamailio.pid}: UDP and TCP on {self.kamailio.server}, "
                         f"TLS on {self.kamailio.tls_server}")
        self.screen.line(f"musterd {self.muster.get('Manager', 'Version')}, pid {self.muster.pid}")

    def _start_muster(self):
        self.muster = Muster(os.path.join(self.directory, "home"), self.bus.address, start=False)
        for member in ("InterfacesAdded", "PropertiesChanged", "Events"):
            self.muster.connection.signal_subscribe(
                BUS_NAME, None, member, None, None, Gio.DBusSignalFlags.NONE, self._on_signal)
        self.muster.start()
        protocol = self.muster.json("protocols", "sip")
        return next((each.get("choices") or DEFAULT_TRANSPORTS for each in protocol["parameters"]
                     if each["name"] == "transport"), DEFAULT_TRANSPORTS)

    def register(self):
        n_accounts = len(self.accounts)
        self.screen.headline(f"One identity, {n_accounts} SIP account{'s' if n_accounts > 1 else ''}")
        self.muster.do("identity", "add", IDENTITY)
        for account in self.accounts:
            parameters = {"server": self.kamailio.server, "transport": account.transport, "expires": ASKED_LEASE_S}
            if account.transport == "tls":
                parameters.update(server=self.kamailio.tls_server, tls_ca=self.kamailio.ca)
            self.muster.add("sip", account.address, secret=PASSWORD, wait=False, **parameters)
            self._wait(lambda each=account: each.was_registered, 15, f"{account.address} is registered")
        self._ask_kamailio()

    def refresh(self):
        self.screen.headline(f"{REFRESHES_WANTED} refreshes of each, in leases of {ASKED_LEASE_S} s")
        for account in self.accounts:
            self._wait(lambda each=account: each.n_refreshed >= REFRESHES_WANTED, 2 * ASKED_LEASE_S,
                       f"{account.address} is refreshed {REFRESHES_WANTED} times")
        self._ask_kamailio()
        for account in self.accounts:
            answers = [each.code for each in self._exchanges(account)]
            if answers.count(401) != 1:
                raise Failure(f"{account.address}: a refresh was challenged: {answers}")
            self.screen.line(f"kamailio answered {account.address}: {' '.join(map(str, answers))}")

    def kill_and_carry_on(self):
        self.screen.headline("kill -9, and on again: the leases go on")
        seen = {each: len(self._exchanges(each)) for each in self.accounts}
        created = {each: each.n_created for each in self.accounts}
        self.muster.kill()
        self.screen.line("musterd is dead; kamailio still routes to it")
        self._ask_kamailio()
        self.muster.start()
        self.screen.line(f"musterd, pid {self.muster.pid}")
        for path in self._by_path:
            self._take(path, self.muster.get_all("Registration", path))
        for account in self.accounts:
            self._wait(lambda each=account: len(self._exchanges(each)) > seen[each], ASKED_LEASE_S,
                       f"{account.address} is carried on")
            self._wait(lambda each=account: each.state in LEASED, 5, f"{account.address} is registered")
            self._judge_carried_on(account, seen[account], account.n_created - created[account])
        self._ask_kamailio()
        if self._most_bindings > 1:
            raise Failure("an account had two bindings at one time")

    def _judge_carried_on(self, account, n_before, n_created):
        last, after = self._exchanges(account)[n_before - 1], self._exchanges(account)[n_before:]
        if n_created:
            account.n_lost += 1
            raise Failure(f"{account.address}: registered as if it had never been")
        if [each.code for each in after] != [200]:
            raise Failure(f"{account.address}: kamailio answered {[each.code for each in after]} after the kill")
        request = after[0].request
        if account.transport == "udp" and (request.call_id, request.contact) != (
                last.request.call_id, last.request.contact):
            raise Failure(f"{account.address}: the REGISTER after the kill is no refresh")
        how = "a refresh" if account.transport == "udp" else "one REGISTER that swaps the contact"
        self.screen.line(f"kamailio saw of {account.address}: {how}, CSeq {last.request.cseq} -> {request.cseq}")

    def switch_one_off(self):
        account = self.accounts[0]
        self.screen.headline(f"{account.address} is switched off")
        account.asked_to_end = True
        self.muster.do("disable", account.address, "--wait")
        self._wait(lambda: not self.kamailio.bindings(account.user), 5, f"kamailio forgot {account.address}")
        self._pump()
        self._ask_kamailio()

    # What the bus and kamailio say

    def _on_signal(self, _connection, _sender, path, _interface, member, parameters):
        if member == "Events":
            for _, kind, path, details in parameters.unpack()[0]:
                account = self._account_at(path)
                if account and kind == "registration.refreshed":
                    account.n_refreshed += 1
                    account.take({"ExpiresAt": details["expires-at"]})
                elif account and kind == "registration.created":
                    account.n_created += 1
                    account.take({"ExpiresAt": details["expires-at"]})
            return
        if member == "InterfacesAdded":
            path, interfaces = parameters.unpack()
            self._take(path, interfaces.get(REGISTRATION, {}))
        else:
            interface, changed, _ = parameters.unpack()
            self._take(path, changed if interface == REGISTRATION else {})

    def _take(self, path, changed):
        account = self._account_at(path) if changed else None
        state = account.take(changed) if account else None
        if state:
            detail = account.binding if state in LEASED else changed.get("Reason", "")
            self.screen.state(account.address, state, detail)

    def _account_at(self, path):
        if not path.startswith(f"{ROOT_PATH}/Account/"):
            return None
        if path not in self._by_path:
            try:
                address = self.muster.get("Account", "Address", path)
            except GLib.Error:
                return None
            self._by_path[path] = next((each for each in self.accounts if each.address == address), None)
        return self._by_path[path]

    def _exchanges(self, account):
        return [each for each in self.kamailio.exchanges() if each.request.user == account.user and each.code]

    def _ask_kamailio(self):
        """Kamailio's own word: each account's bindings."""
        for account in self.accounts:
            bindings = self.kamailio.bindings(account.user)
            words = ", ".join(f"{each['Address']} for {each['Expires']} s" for each in bindings) or "nothing"
            self.screen.line(f"kamailio routes {account.address} to {words}")
            if len(bindings) != (0 if account.asked_to_end else 1):
                raise Failure(f"{account.address} has {len(bindings)} bindings")

    def _pump(self):
        context = GLib.MainContext.default()
        while context.iteration(False):
            pass
        self.screen.table(self.accounts, time.time())
        if self.kamailio:
            self._most_bindings = max([self._most_bindings, *map(len, self.kamailio.all_bindings().values())])

    def _wait(self, condition, timeout_s, what):
        def met():
            self._pump()
            return condition()

        try:
            wait_until(met, timeout_s, what)
        except Timeout as error:
            raise Failure(f"{error}\n{self.muster.log()}") from None

    # The end

    def verdict(self):
        """The last line, and whether all went well."""
        n_registered = sum(each.was_registered for each in self.accounts)
        n_refreshed = sum(each.n_refreshed for each in self.accounts)
        n_lost = sum(each.n_lost for each in self.accounts)
        good = (len(self.accounts) > 0 and n_registered == len(self.accounts) and n_lost == 0
                and all(each.n_refreshed >= REFRESHES_WANTED for each in self.accounts))
        line = (f"demo: {len(self.accounts)} accounts, {n_registered} registered, {n_refreshed} refreshed, "
                f"{n_lost} lost")
        return line, good

    def end(self):
        """Each by its own pid, the daemon first so that it can unregister."""
        for each in self.accounts:
            each.asked_to_end = True
        with contextlib.ExitStack() as ends:  # the last one first, and each whatever becomes of the others
            if self.bus:
                ends.callback(self.bus.end)
            if self.kamailio:
                ends.callback(self.kamailio.stop)
            if self.muster:
                ends.callback(self.muster.stop)

    def how_to_talk_to_it(self):
        environment = self.muster.environment
        yield "All of it is left running. To talk to it:"
        for key in ("DBUS_SESSION_BUS_ADDRESS", "XDG_DATA_HOME"):
            yield f"  export {key}='{environment[key]}'"
        yield f"  {self.muster.command} list"
        yield f"  {self.muster.command} monitor"
        yield f"kamailio: log and configuration in {self.kamailio.directory}, JSON-RPC on its socket 'rpc'"
        yield "To end it:"
        yield f"  kill {self.muster.pid} {self.kamailio.pid} {self.bus.pid}; rm -r '{self.directory}'"


def on_signal(number, _frame):
    raise SystemExit(128 + number)


def main():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--keep", action="store_true", help="leave everything running, and say how to talk to it")
    keep = parser.parse_args().keep
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)

    Process.keep = keep
    screen = Screen()
    directory = tempfile.mkdtemp(prefix="muster-demo-")
    demo = Demo(directory, screen)
    finished = False
    try:
        demo.run()
        finished = True
    except (Failure, AssertionError, GLib.Error) as failure:
        screen.line(f"failed: {failure}")
    finally:
        kept = keep and demo.kamailio is not None and demo.muster is not None and demo.muster.pid is not None
        if kept:
            screen.headline("")
            for line in demo.how_to_talk_to_it():
                screen.line(line)
        else:
            demo.end()
            shutil.rmtree(directory, ignore_errors=True)
    line, good = demo.verdict()
    screen.last_line(line)
    return 0 if finished and good else 1


if __name__ == "__main__":
    sys.exit(main())
