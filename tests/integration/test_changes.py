# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is told of registrations as they go: what lasts, and not each step of each refresh."""

import json
import subprocess
import time

from gi.repository import GLib

from harness.listener import Listener
from harness.muster import BUS_NAME
from harness.process import wait_until

ADDRESS = "me@echo"
REGISTRATION = f"{BUS_NAME}.Registration"
LEASE_S = 3  # refreshed after 1.5 to 2.4 s


def add(muster, **parameters):
    muster.add("echo", ADDRESS, secret="x", **parameters)
    return f"/org/muster/Muster1/Account/{muster.show(ADDRESS)['id']}"


def changes(listener, path):
    """All that was told of the registration."""
    return [body[1] for where, name, body in listener.listen()
            if where == path and name == "PropertiesChanged" and body[0] == REGISTRATION]


def events(listener, path, kind):
    return [each for _, name, body in listener.listen() if name == "Events"
            for each in body[0] if (each[1], each[2]) == (kind, path)]


def test_a_refresh_is_an_event(muster):
    """Nothing of it is news but that it happened, so nothing wakes up whoever shows states."""
    path = add(muster, lease=LEASE_S)
    before = muster.get_all("Registration", path)
    listener = Listener(muster)
    wait_until(lambda: len(events(listener, path, "registration.refreshed")) >= 2, 3 * LEASE_S, "refreshed twice")
    assert changes(listener, path) == []
    after = muster.get_all("Registration", path)
    assert after["Refreshes"] >= before["Refreshes"] + 2 and after["ExpiresAt"] > before["ExpiresAt"]
    last = events(listener, path, "registration.refreshed")[-1]
    assert last[3]["expires-at"] == after["ExpiresAt"] and last[3]["state"] == "registered"


def test_what_moves_is_never_told(muster):
    """It is annotated so: whoever shows it reads it."""
    path = add(muster, lease=60)
    listener = Listener(muster)
    muster.call("Registration", "Disconnect", "(a{sv})", ({},), path)
    told = listener.wait("it is off", lambda where, name, body: where == path and name == "PropertiesChanged" and
                         body[1].get("State") == "disabled")[2][1]
    assert told["Bindings"] == [] and told["RegisteredAt"] == 0
    assert not told.keys() & {"Since", "ExpiresAt", "RefreshAt", "Refreshes", "NextVerificationAt"}


def test_one_that_was_asked_for_is_waited_for(muster):
    """However soon it is over: whoever waits has looked, and hears of it."""
    add(muster, lease=60)
    began = time.monotonic()
    for _ in range(10):  # after a few, changes are gathered for a moment
        muster.do("refresh", ADDRESS, "--wait")
    assert time.monotonic() - began < 10
    assert muster.show(ADDRESS)["refreshes"] == 10


def test_one_that_lasts_is_told(muster):
    path = add(muster, lease=LEASE_S, delay=600)
    listener = Listener(muster)
    listener.wait("refreshing", lambda where, name, body: where == path and body[1].get("State") == "refreshing")
    listener.wait("registered again", lambda where, name, body: where == path and body[1].get("State") == "registered")
    assert [each["State"] for each in changes(listener, path)][:2] == ["refreshing", "registered"]


def test_what_was_read_is_not_left_to_stand(muster):
    """Who has read a state that is not told hears that it is over."""
    path = add(muster, lease=LEASE_S, delay=100)
    listener = Listener(muster)
    wait_until(lambda: muster.get("Registration", "Reason", path) == "refresh-due", 5 * LEASE_S, "refreshing", every_s=0.02)
    began = time.monotonic()
    listener.wait("registered again", lambda where, name, body: where == path and body[1].get("Reason") == "" and
                  body[1].get("State") == "registered")
    assert time.monotonic() - began < 2
    assert "refreshing" not in [each["State"] for each in changes(listener, path)]


def test_registering_in_one_signal(muster):
    """An account that is there comes with its state; how it got there is nothing that anybody saw."""
    path = add(muster, lease=60)
    muster.do("disable", ADDRESS, "--wait")
    listener = Listener(muster)
    muster.do("enable", ADDRESS)
    listener.wait("registered", lambda where, name, body: where == path and name == "PropertiesChanged" and
                  body[1].get("State") == "registered")


def test_whoever_looks_at_a_new_one_hears_of_it(muster):
    """The answer to AddAccount comes before the signal that there is one: who looks then, and waits for changes, gets them."""
    for i in range(10):  # after a few, changes are gathered for a moment
        arguments = ("echo", f"me{i}@echo", {"delay": GLib.Variant("u", 20)}, {}, {})
        listener = Listener(muster)
        path = muster.call("Manager", "AddAccount", "(ssa{sv}a{sh}a{sv})", arguments)[0]
        if muster.get("Registration", "State", path) != "registered":
            listener.wait("registered", lambda where, name, body, path=path: where == path and name == "PropertiesChanged" and
                          body[1].get("State") == "registered")


def test_lines_of_json_hold_one_moment(muster):
    """Also where what changed is not the registration."""
    add(muster, lease=LEASE_S)
    with subprocess.Popen([muster.command, "monitor", "--json"], env=muster.environment, stdout=subprocess.PIPE, text=True) as monitor:
        first = json.loads(monitor.stdout.readline())
        wait_until(lambda: muster.show(ADDRESS)["refreshes"] >= 2, 3 * LEASE_S, "refreshed twice")
        muster.do("set", ADDRESS, "--name", "Me myself")
        line = next(line for line in map(json.loads, monitor.stdout) if line["name"] == "Me myself")
        monitor.terminate()
    assert line["refreshes"] >= 2 > first["refreshes"]
    assert line["refresh-at"] > first["refresh-at"] and line["expires-at"] > first["expires-at"]
