# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine goes to sleep and wakes up: logind's mock on a system bus of the test's own."""

import pytest

from harness.bus import Bus
from harness.logind import Logind
from harness.process import wait_until

ECHO = "ann@echo.test"


@pytest.fixture
def system_bus(tmp_path):
    bus = Bus(tmp_path / "system-bus")
    yield bus
    bus.end()


@pytest.fixture
def logind(tmp_path, system_bus):
    logind = Logind(tmp_path, system_bus.address)
    yield logind
    logind.end()


@pytest.fixture
def sleeper(make_muster, system_bus):
    """A daemon on that system bus."""
    return make_muster(environment={"DBUS_SYSTEM_BUS_ADDRESS": system_bus.address})


def wait_inhibitors(logind, count, timeout_s=5):
    wait_until(lambda: len(logind.inhibitors()) == count, timeout_s, f"{count} inhibitors",
               lambda: f"there are {logind.inhibitors()}")


def wait_offline(muster, reasons, timeout_s=5):
    wait_until(lambda: muster.get("Manager", "Offline") == reasons, timeout_s, f"off-line for {reasons}",
               lambda: f"{muster.get('Manager', 'Offline')}\n{muster.log()}")


def types(muster):
    """The kinds of the events so far, the oldest first."""
    events, _ = muster.call("Manager", "ListEvents", "(a{sv}sua{sv})", ({}, "", 100, {}))
    return [event[2] for event in reversed(events)]


def test_sleep_and_wake_up(logind, sleeper):
    """A laptop is closed and opened: it waits without unregistering, holds sleep up only for a moment, and
    is registered again at once."""
    wait_inhibitors(logind, 1)
    assert logind.inhibitors()[0][:2] == ("sleep", "Muster") and logind.inhibitors()[0][3] == "delay"
    sleeper.add("echo", ECHO, lease=3600)

    logind.prepare_for_sleep(True)
    wait_inhibitors(logind, 0, timeout_s=1)
    asleep = sleeper.wait_state(ECHO, "waiting-network")
    assert asleep["reason"] == "suspended"
    assert sleeper.get("Manager", "Offline") == ["suspended"]
    assert "sleep" in sleeper.do("explain", ECHO)
    assert "registration.ended" not in types(sleeper), "a sleeping machine takes nothing back"

    logind.prepare_for_sleep(False)
    sleeper.wait_state(ECHO, "registered", timeout_s=2)
    assert sleeper.get("Manager", "Offline") == []
    wait_inhibitors(logind, 1)

    logind.prepare_for_sleep(True)
    wait_inhibitors(logind, 0, timeout_s=1)
    sleeper.wait_state(ECHO, "waiting-network")
    logind.prepare_for_sleep(False)
    sleeper.wait_state(ECHO, "registered", timeout_s=2)


def test_each_account_registers_once_on_waking(logind, sleeper):
    """On waking every account is registered again, once, and none of it fails."""
    wait_inhibitors(logind, 1)
    for number in range(5):
        sleeper.add("echo", f"ann{number}@echo.test", lease=3600)
    before = sleeper.get("Manager", "Counters")
    logind.prepare_for_sleep(True)
    wait_offline(sleeper, ["suspended"])
    logind.prepare_for_sleep(False)
    for number in range(5):
        sleeper.wait_state(f"ann{number}@echo.test", "registered", timeout_s=2)
    after = sleeper.get("Manager", "Counters")
    done = after["opened"] + after["refreshed"] - before["opened"] - before["refreshed"]
    assert (done, after["failed"]) == (5, before["failed"])


def test_logind_restarts(logind, sleeper):
    """A restarted logind is asked for an inhibitor again, and heard."""
    sleeper.add("echo", ECHO, lease=3600)
    wait_inhibitors(logind, 1)
    logind.end()
    logind.start()
    wait_inhibitors(logind, 1)
    logind.prepare_for_sleep(True)
    wait_offline(sleeper, ["suspended"])
    wait_inhibitors(logind, 0, timeout_s=1)


def test_logind_goes_while_it_sleeps(logind, sleeper):
    """Whoever announced a sleep and is gone cannot say that it is over: nobody waits for that."""
    sleeper.add("echo", ECHO, lease=3600)
    wait_inhibitors(logind, 1)
    logind.prepare_for_sleep(True)
    wait_offline(sleeper, ["suspended"])
    logind.end()
    sleeper.wait_state(ECHO, "registered")
    logind.start()
    wait_inhibitors(logind, 1)


def test_a_daemon_that_starts_late(logind, make_muster, system_bus):
    """It starts when sleep was announced already: it learns of it, and does not hold it up."""
    logind.about_to_sleep(True)
    muster = make_muster(environment={"DBUS_SYSTEM_BUS_ADDRESS": system_bus.address})
    wait_offline(muster, ["suspended"])
    wait_inhibitors(logind, 0, timeout_s=1)
    logind.about_to_sleep(False)
    logind.prepare_for_sleep(False)
    wait_offline(muster, [])
    wait_inhibitors(logind, 1)


def test_the_inhibitor_ends_with_the_daemon(logind, sleeper):
    """Neither an end nor a kill leaves an inhibitor behind."""
    wait_inhibitors(logind, 1)
    sleeper.stop()
    wait_inhibitors(logind, 0)
    sleeper.start()
    wait_inhibitors(logind, 1)
    sleeper.kill()
    wait_inhibitors(logind, 0)


def test_without_a_system_bus(make_muster, tmp_path):
    """In a container there is no system bus: nothing else misses it."""
    muster = make_muster(environment={"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/nothing"})
    muster.add("echo", ECHO)
    assert muster.show(ECHO)["state"] == "registered"


def test_the_system_bus_goes(logind, sleeper, system_bus):
    """The system bus dies under the daemon, even in the middle of a sleep: it runs on."""
    sleeper.add("echo", ECHO, lease=3600)
    wait_inhibitors(logind, 1)
    logind.prepare_for_sleep(True)
    wait_offline(sleeper, ["suspended"])
    system_bus.end()
    sleeper.wait_state(ECHO, "registered")
