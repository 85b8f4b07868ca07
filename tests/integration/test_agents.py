# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests, and the agents that answer them."""

import os
import pty
import select
import signal
import subprocess
import time

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from harness import secrets  # noqa: E402
from harness.muster import BUS_NAME, ROOT_PATH  # noqa: E402
from harness.process import wait_until  # noqa: E402

REFUSED = "mallory@echo.test"
PATH = "/test/Agent"
AGENT = Gio.DBusNodeInfo.new_for_xml(f"""<node><interface name="{BUS_NAME}.Agent">
  <method name="Handle"><arg type="o" direction="in"/><arg type="a{{sv}}" direction="in"/></method>
  <method name="Cancel"><arg type="o" direction="in"/></method>
</interface></node>""").interfaces[0]


class Agent:
    """A prompter with a connection of its own, that does what it is told."""

    def __init__(self, bus, declines=False):
        self.declines = declines
        self.asked = []
        self.cancelled = []
        self.waiting = []
        self.connection = Gio.DBusConnection.new_for_address_sync(
            bus.address,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)
        self.connection.register_object(PATH, AGENT, self._on_call, None, None)

    def _on_call(self, _connection, _sender, _path, _interface, method, parameters, invocation):
        request, *rest = parameters.unpack()
        if method == "Cancel":
            self.cancelled.append(request)
            invocation.return_value(None)
            return
        self.asked.append((request, rest[0]))
        if self.declines:
            invocation.return_dbus_error(f"{BUS_NAME}.Error.Declined", "not now")
        else:
            self.waiting.append(invocation)

    def register(self, **options):
        return self.connection.call_sync(
            BUS_NAME, ROOT_PATH, f"{BUS_NAME}.AgentManager", "Register",
            GLib.Variant("(oa{sv})", (PATH, options)), None, 0, 5000, None)

    def answer(self, path, secret):
                self.connection.call_with_unix_fd_list_sync(
            BUS_NAME, path, f"{BUS_NAME}.Request", "Answer",
            GLib.Variant("(a{sv}a{sh}a{sv})", ({}, {"password": 0}, {})), None, 0, 5000,
            secrets.secret_pipe(secret), None)

    def close(self):
        self.connection.close_sync(None)


def turning(condition):
    """A condition to wait for while the agents' own loop turns."""
    def turned():
        while GLib.MainContext.default().iteration(False):
            pass
        return condition()
    return turned


def requests(muster):
    return muster.json("agent", "list")


@pytest.fixture
def refused(muster):
    """A daemon with an account whose secret the service refuses."""
    muster.add("echo", REFUSED, wait=False)
    muster.wait_state(REFUSED, "waiting-secret")
    return muster


def test_a_request_is_there_as_long_as_the_account_waits(refused):
    """It says what is asked and why, and goes when the account is switched off."""
    (request,) = requests(refused)
    assert request["kind"] == "secret" and request["reason"] == "refused"
    assert request["secrets"] == ["password"] and REFUSED in request["message"]
    assert (request["account"], request["address"]) == (refused.show(REFUSED)["id"], REFUSED)
    refused.do("disable", REFUSED, "--wait")
    assert requests(refused) == []


def test_an_agent_is_asked_and_answers(refused, bus):
    """Its answer is stored and tried; the next refusal is another request."""
    agent = Agent(bus)
    agent.register()
    wait_until(turning(lambda: agent.asked), 5, "the agent is asked")
    path, properties = agent.asked[0]
    assert properties["Kind"] == "secret" and properties["Secrets"] == ["password"]
    agent.answer(path, b"an:other")
    assert refused.show(REFUSED)["secrets"] == ["password"]
    wait_until(turning(lambda: path in agent.cancelled or len(agent.asked) > 1), 5, "the old question is void")
    wait_until(turning(lambda: len({asked for asked, _ in agent.asked}) == 2), 5, "the echo refuses mallory again")
    agent.close()


def test_who_declines_passes_it_on(refused, bus):
    """The newest agent is asked first; the next gets what it declines, and what it leaves behind."""
    older, newer = Agent(bus), Agent(bus, declines=True)
    older.register()
    wait_until(turning(lambda: older.asked), 5, "the first agent is asked")
    older.close()
    older = Agent(bus)
    older.register()
    wait_until(turning(lambda: older.asked), 5, "the next one is asked when the first is gone")
    newer.register()
    refused.add("echo", "mallory@other.test", wait=False)
    wait_until(turning(lambda: newer.asked), 5, "the newest agent is asked")
    wait_until(turning(lambda: len(older.asked) == 2), 5, "the older one gets what was declined")
    assert refused.get("AgentManager", "Agents") == 2
    older.close()
    newer.close()
    wait_until(lambda: refused.get("AgentManager", "Agents") == 0, 5, "agents go with their connections")


def test_agents_say_what_they_can(refused, bus):
    """One that handles certificates only is not asked for secrets; unknown options are refused."""
    agent = Agent(bus)
    with pytest.raises(GLib.Error, match="\"colour\" is not known here"):
        agent.register(colour=GLib.Variant("s", "red"))
    with pytest.raises(GLib.Error, match="kinds"):
        agent.register(kinds=GLib.Variant("as", ["certificate"] * 17))
    agent.register(kinds=GLib.Variant("as", ["certificate"]))
    with pytest.raises(GLib.Error, match="registered already"):
        agent.register()
    assert requests(refused)
    for _ in range(3):
        turning(lambda: True)()
        refused.get("Manager", "Version")
    assert agent.asked == []
    agent.close()


def test_answers_are_checked(refused, bus):
    """What was not asked for, and a request that is gone, are refused by name."""
    (request,) = requests(refused)
    agent = Agent(bus)
    path = f"{ROOT_PATH}/Request/{request['id']}"
    with pytest.raises(GLib.Error, match="password is asked for"):
        agent.connection.call_sync(
            BUS_NAME, path, f"{BUS_NAME}.Request", "Answer",
            GLib.Variant("(a{sv}a{sh}a{sv})", ({}, {}, {})), None, 0, 5000, None)
    with pytest.raises(GLib.Error, match="answer: \"maybe\" is not known here"):
        agent.connection.call_sync(
            BUS_NAME, path, f"{BUS_NAME}.Request", "Answer",
            GLib.Variant("(a{sv}a{sh}a{sv})", ({"maybe": GLib.Variant("b", True)}, {}, {})), None, 0, 5000, None)
    outcome = refused.run("agent", "answer", "rnosuchrequest", "--fd", "3", secret="an:other")
    assert outcome.returncode == 5 and "rnosuchrequest" in outcome.stderr
    agent.close()


def test_one_request_from_a_script(refused):
    """`muster agent answer` reads the secret from a descriptor, never from its arguments."""
    (request,) = requests(refused)
    refused.do("agent", "answer", request["id"], "--fd", "3", secret="an:other")
    assert refused.show(REFUSED)["secrets"] == ["password"]
    outcome = refused.run("agent", "answer", request["id"], "another")
    assert outcome.returncode == 2 and "can be read by everybody" in outcome.stderr


def test_the_command_line_as_agent(refused):
    """On a terminal it asks with the echo off, and what is typed gets there."""
    main, terminal = pty.openpty()
    process = subprocess.Popen([refused.command, "agent", "--for", "20"], env=refused.environment,
                               stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
    os.close(terminal)
    screen = b""
    try:
        deadline = time.monotonic() + 10
        while b"password" not in screen.split(b"\n")[-1]:
            assert time.monotonic() < deadline, screen
            if select.select([main], [], [], 0.2)[0]:
                screen += os.read(main, 4096)
        secrets.note("typed-secret")
        os.write(main, b"typed-secret\n")
        refused.wait_for(REFUSED, 5, "the secret is stored", lambda row: row["secrets"] == ["password"])
        assert b"typed-secret" not in screen
    finally:
        process.terminate()
        assert process.wait(5) in (0, -signal.SIGTERM)  # it may be asking again
        os.close(main)
