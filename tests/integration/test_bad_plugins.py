# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins that bring the daemon down: it comes back, and the second time without them."""

import os
import signal
import stat

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from harness.muster import BUS_NAME, ROOT_PATH  # noqa: E402
from harness.process import wait_until  # noqa: E402

ECHO = "ann@echo.test"
BAD = "mal@bad.test"


@pytest.fixture
def make_bad(make_muster, tmp_path):
    """Starts a daemon that finds one of the bad plugins beside the good ones."""

    def make(plugin, **environment):
        folders = [os.path.join(os.environ["MUSTER_TEST_PLUGINS"], plugin), os.environ["MUSTER_PLUGIN_PATH"]]
        muster = make_muster(environment={"MUSTER_PLUGIN_PATH": ":".join(folders), **environment})
        muster.trigger = str(tmp_path / "trigger")
        muster.record = os.path.join(muster.environment["XDG_STATE_HOME"], "muster", "crash-record")
        muster.add("echo", ECHO)
        return muster

    return make


def pull(muster):
    """Have the plugin misbehave now; returns how the daemon ended."""
    with open(muster.trigger, "w", encoding="ascii"):
        pass
    status = muster.wait_end()
    os.unlink(muster.trigger)
    return status


def state_of(muster, plugin):
    row = muster.json("plugin", "show", plugin)
    return row["state"], row["reason"]


def events_of(muster):
    """Types and payloads of what the journal says about plugins, oldest first."""
    events, _ = muster.call("Manager", "ListEvents", "(a{sv}sua{sv})",
                            ({"type": GLib.Variant("s", "plugin.")}, "", 100, {}))
    return [(event[2], event[4]) for event in reversed(events)]


def check_suspended(muster, plugin, word):
    """It is listed with its reason, its account waits for it, and the others run on."""
    muster.wait_state(ECHO, "registered")
    state, reason = state_of(muster, plugin)
    assert state == "suspended"
    assert word in reason and f"muster plugin resume {plugin}" in reason
    row = muster.show(BAD)
    assert (row["state"], row["reason"]) == ("waiting-plugin", "plugin-suspended")
    assert plugin in muster.do("explain", BAD)
    assert "resume" in muster.run("retry", BAD).stderr


def test_capabilities_come_with_the_plugin(make_bad):
    """While it is suspended its account has no mailbox; resumed, the account is told with it."""
    muster = make_bad("crash-in-open")
    muster.add("crash", BAD, wait=False, how="timer", trigger=muster.trigger)
    account = f"{ROOT_PATH}/Account/{muster.show(BAD)['id']}"
    for _ in range(2):
        muster.wait_state(ECHO, "registered")
        assert muster.show(BAD)["mailbox-new"] == 0
        pull(muster)
        muster.start()
    assert muster.show(BAD)["mailbox-new"] is None

    added = []
    muster.connection.signal_subscribe(
        BUS_NAME, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", ROOT_PATH, None, 0,
        lambda *arguments: added.append(arguments[5].unpack()))
    muster.do("plugin", "resume", "crash-in-open")
    assert muster.show(BAD)["mailbox-new"] == 0

    def told():
        while GLib.MainContext.default().iteration(False):
            pass
        return [path for path, interfaces in added if f"{BUS_NAME}.Mailbox" in interfaces] == [account]

    wait_until(told, 5, "the account is told with its mailbox")


def test_a_crash(make_bad):
    """The second crash suspends the plugin; resumed, it registers at once, and crashes again."""
    muster = make_bad("crash-in-open")
    muster.add("crash", BAD, wait=False, how="timer", trigger=muster.trigger)
    for n_crashes in range(2):
        muster.wait_state(ECHO, "registered")
        assert state_of(muster, "crash-in-open") == ("ready", None)
        assert [kind for kind, _ in events_of(muster)] == ["plugin.crashed"] * n_crashes
        assert pull(muster) == -signal.SIGSEGV
        muster.start()

    check_suspended(muster, "crash-in-open", "SIGSEGV")
    assert stat.S_IMODE(os.stat(muster.record).st_mode) == 0o600
    assert [kind for kind, _ in events_of(muster)] == ["plugin.crashed", "plugin.crashed", "plugin.suspended"]
    assert events_of(muster)[0][1]["plugin"] == "crash-in-open"
    assert events_of(muster)[0][1]["signal"] == "SIGSEGV"

    muster.stop()
    muster.start()
    check_suspended(muster, "crash-in-open", "SIGSEGV")

    muster.do("plugin", "resume", "crash-in-open")
    assert state_of(muster, "crash-in-open") == ("ready", None)
    assert muster.show(BAD)["state"] == "registering"
    assert events_of(muster)[-1][0] == "plugin.resumed"
    assert pull(muster) == -signal.SIGSEGV
    muster.start()
    assert state_of(muster, "crash-in-open") == ("ready", None), "what was forgiven does not count"
    assert pull(muster) == -signal.SIGSEGV
    muster.start()
    check_suspended(muster, "crash-in-open", "SIGSEGV")


@pytest.mark.parametrize("how, number", [
    ("call", signal.SIGSEGV),
    ("idle", signal.SIGSEGV),
    ("idle-abort", signal.SIGABRT),
], ids=["in a call", "in a library, from a callback of GLib's", "abort in a callback of GLib's"])
def test_other_crashes(make_bad, how, number):
    """Who was executing is found where the daemon made the call, and where it did not."""
    muster = make_bad("crash-in-open")
    muster.run("add", "crash", BAD, "--set", f"how={how}")  # it may not live to answer
    assert muster.wait_end() == -number
    process = muster.spawn()
    assert process.wait(15) == -number
    muster.start()
    check_suspended(muster, "crash-in-open", number.name)


def test_a_loop(make_bad):
    """A plugin that does not come back is ended by the daemon's own watchdog, and suspended likewise."""
    muster = make_bad("loop-for-ever", MUSTER_WATCHDOG_S="1")
    muster.add("loop", BAD, wait=False, trigger=muster.trigger)
    for _ in range(2):
        muster.wait_state(ECHO, "registered")
        assert pull(muster) == -signal.SIGABRT
        muster.start()
    check_suspended(muster, "loop-for-ever", "did not come back")
    assert "the main loop stands still" in muster.log()
    assert events_of(muster)[0][1]["hung"] is True

    muster.do("plugin", "resume", "loop-for-ever")
    muster.wait_state(BAD, "registering")
    assert pull(muster) == -signal.SIGABRT
    muster.start()
    muster.wait_state(ECHO, "registered")


def is_stuck(pid):
    """It sleeps in the plugin's pause ()."""
    with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
        return file.read().split()[0] == "34"


def test_kills_do_not_count(make_bad):
    """Killed five times in a row while a plugin is executing, the daemon blames nobody."""
    muster = make_bad("loop-for-ever", MUSTER_WATCHDOG_S="0")
    muster.add("loop", BAD, wait=False, trigger=muster.trigger)
    for _ in range(5):
        muster.wait_state(ECHO, "registered")
        with open(muster.trigger, "w", encoding="ascii"):
            pass
        pid = muster.pid
        wait_until(lambda: is_stuck(pid), 10, "the plugin holds the daemon up")
        muster.kill()
        os.unlink(muster.trigger)
        muster.start()
    assert state_of(muster, "loop-for-ever") == ("ready", None)
    assert events_of(muster) == []


def test_the_watchdog_of_the_service_manager(make_bad):
    """SIGABRT from outside, as systemd sends it, is laid at the door of who holds the loop up."""
    muster = make_bad("loop-for-ever", MUSTER_WATCHDOG_S="0")
    muster.add("loop", BAD, wait=False, trigger=muster.trigger)
    for _ in range(2):
        with open(muster.trigger, "w", encoding="ascii"):
            pass
        pid = muster.pid
        wait_until(lambda: is_stuck(pid), 10, "the plugin holds the daemon up")
        os.kill(pid, signal.SIGABRT)
        assert muster.wait_end() == -signal.SIGABRT
        os.unlink(muster.trigger)
        muster.start()
    check_suspended(muster, "loop-for-ever", "did not come back")


def test_a_crash_of_nobodys(make_bad):
    """A crash outside of any plugin is logged, and no plugin is blamed for it."""
    muster = make_bad("crash-in-open")
    for _ in range(2):
        muster.wait_state(ECHO, "registered")
        os.kill(muster.pid, signal.SIGSEGV)
        assert muster.wait_end() == -signal.SIGSEGV
        muster.start()
    assert muster.log().count("the last run crashed (SIGSEGV)") == 2
    assert events_of(muster) == []
    assert {row["state"] for row in muster.json("plugin")} == {"ready"}


def test_a_damaged_record(make_bad):
    """A record that is not one is said so and begun anew."""
    muster = make_bad("crash-in-open")
    muster.stop()
    with open(muster.record, "wb") as file:
        file.write(os.urandom(100000))
    muster.start()
    muster.wait_state(ECHO, "registered")
    assert "crash-record is not one of ours" in muster.log()
    assert {row["state"] for row in muster.json("plugin")} == {"ready"}


def test_resume_is_refused(make_bad):
    """A plugin that works cannot be resumed, nor one that is not there, nor with options unknown."""
    muster = make_bad("crash-in-open")
    outcome = muster.run("plugin", "resume", "echo")
    assert outcome.returncode != 0 and "not suspended" in outcome.stderr
    assert muster.run("plugin", "resume", "no-such-plugin").returncode != 0
    with pytest.raises(GLib.Error) as caught:
        muster.call("Plugin", "Resume", "(a{sv})", ({"no-such-option": GLib.Variant("b", True)},),
                    path="/org/muster/Muster1/Plugin/echo")
    assert Gio.DBusError.get_remote_error(caught.value) == f"{BUS_NAME}.Error.InvalidArgument"


def test_no_core_file(make_bad):
    """Secrets are in memory, so none is written, however the daemon ends."""
    muster = make_bad("crash-in-open")
    with open(f"/proc/{muster.pid}/limits", encoding="ascii") as file:
        (line,) = [line for line in file if line.startswith("Max core file size")]
    assert line.split()[4:6] == ["0", "0"]
