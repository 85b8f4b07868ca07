# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What identities show, what the services of accounts are told of it, and what people hear of both."""

import json
import os
import time

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from echo_all import EchoAll  # noqa: E402
from harness.listener import Listener  # noqa: E402
from harness.muster import BUS_NAME, ROOT_PATH  # noqa: E402
from harness.process import wait_until  # noqa: E402

ECHO, ANN, BOB = "eve@echo.test", "ann@all.test", "bob@all.test"
PUBLICATION = f"{BUS_NAME}.Publication"


@pytest.fixture
def ann(muster, tmp_path):
    """An account that can say everything."""
    service = EchoAll(muster, tmp_path)
    service.wait_log("publish available")
    return service


def identity_path(muster):
    return f"{ROOT_PATH}/Identity/{muster.json('identity', 'list')[0]['id']}"


def account_path(muster, address=ANN):
    return f"{ROOT_PATH}/Account/{muster.show(address)['id']}"


def shown(muster):
    """What the only identity shows: presence and text."""
    (row,) = muster.json("presence")
    return row["presence"], row["text"]


def publication(muster, address=ANN):
    return muster.json("presence", "--account", address)


def wait_published(muster, presence, address=ANN, timeout_s=10):
    return wait_until(lambda: (row := publication(muster, address))["published"] == presence and row, timeout_s,
                      f"{address} published {presence}", lambda: f"{publication(muster, address)}\n{muster.log()}")


def set_layer(connection, path, name, layer, keep=False):
    connection.call_sync(BUS_NAME, path, f"{BUS_NAME}.Presence", "SetLayer",
                         GLib.Variant("(sa{sv}a{sv})", (name, layer, {"keep": GLib.Variant("b", keep)})), None, 0, 5000, None)


def words(presence, **more):
    return {"presence": GLib.Variant("s", presence), **more}


def another_client(muster):
    """Somebody else on the bus."""
    connection = Gio.DBusConnection.new_for_address_sync(
        muster.environment["DBUS_SESSION_BUS_ADDRESS"],
        Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
    connection.set_exit_on_close(False)
    return connection


# The command line


def test_out_to_lunch(muster, ann):
    """What somebody says is shown, told to the service, kept over a crash of the daemon, and taken back."""
    said = muster.json("presence", "away", "--text", "Lunch", "--for", "30m")
    assert (said["presence"], said["text"]) == ("away", "Lunch") and said["until"]
    ann.wait_log('publish away "Lunch"')
    wait_published(muster, "away")
    assert "away" in muster.do("presence") and "Lunch" in muster.do("presence")

    muster.kill()
    muster.start()
    ann.wait_log('publish away "Lunch"')
    assert shown(muster) == ("away", "Lunch")
    row = wait_published(muster, "away") and muster.show(ANN)
    assert (row["presence"], row["presence-text"], row["presence-note"]) == ("away", "Lunch", None)
    muster.do("presence", "--clear")
    ann.wait_log("publish available")
    assert shown(muster) == ("available", None)
    assert muster.json("presence")[0]["layers"] == []


def test_what_a_service_cannot_say(muster, tmp_path):
    """It is told the nearest, and people are told that."""
    service = EchoAll(muster, tmp_path, supported="available,offline")
    muster.do("presence", "dnd", "--text", "Thesis")
    service.wait_log('publish available "Thesis"')
    row = wait_published(muster, "available")
    assert row["supported"] == ["offline", "available"]
    assert "cannot say \"dnd\"" in row["note"] and row["error"] is None
    assert row["note"] in muster.do("presence")
    muster.do("presence", "invisible")
    service.wait_log("publish offline")


def test_an_account_of_its_own_mind(muster, tmp_path, ann):
    """One account says something else, whatever the identity shows, also after a restart, until it is to inherit again."""
    bob = EchoAll(muster, tmp_path, BOB)
    bob.wait_log("publish available")
    row = muster.json("presence", "offline", "--account", BOB)
    assert row["override"] == "offline"
    bob.wait_log("publish offline")
    muster.do("presence", "dnd")
    ann.wait_log("publish dnd")
    muster.stop()
    muster.start()
    bob.wait_log("publish offline")
    ann.wait_log("publish dnd")
    assert publication(muster, BOB)["override"] == "offline"
    muster.do("presence", "inherit", "--account", BOB)
    bob.wait_log("publish dnd")
    assert not ann.log("publish")


def test_several_identities(muster, ann):
    """Where there are several, one is to be named; each has its own presence."""
    muster.do("identity", "add", "Work")
    outcome = muster.run("presence", "away")
    assert outcome.returncode == 6 and "Work" in outcome.stderr and "--identity" in outcome.stderr
    muster.do("presence", "away", "--identity", "Work")
    assert {row["name"]: row["presence"] for row in muster.json("presence")}["Work"] == "away"
    assert not ann.log("publish")
    (row,) = muster.json("presence", "--identity", "Work")
    assert (row["presence"], row["accounts"]) == ("away", [])


def test_no_identity_yet(muster):
    """Before the first account there is nobody to show."""
    assert muster.json("presence") == [] and muster.do("presence") == ""
    outcome = muster.run("presence", "away")
    assert outcome.returncode == 5 and "first account" in outcome.stderr


# Layers


def test_a_layer_goes_with_its_client(muster, ann):
    """An application's layer that is not kept ends with the application, even if it crashes."""
    path = identity_path(muster)
    muster.do("presence", "available", "--text", "Here")
    ann.wait_log('publish available "Here"')
    phone = another_client(muster)
    set_layer(phone, path, "call", words("dnd", priority=GLib.Variant("u", 80)))
    ann.wait_log("publish dnd")
    assert [layer["name"] for layer in muster.json("presence")[0]["layers"]] == ["call", "user"]
    phone.close_sync(None)
    ann.wait_log('publish available "Here"')
    assert muster.json("presence")[0]["layers"] == [
        {"name": "user", "presence": "available", "priority": 50, "keep": True, "until": None, "text": "Here"}]
    assert json.loads(muster.do("presence", "away", "--json"))["layers"][0]["text"] is None


def test_layers_of_one_client_are_bounded(muster, ann):
    """Who sets very many layers that go with it is told so, and what it had set goes with it all the same."""
    for i in range(17):
        muster.do("identity", "add", f"Somebody {i}")
    paths = [f"{ROOT_PATH}/Identity/{row['id']}" for row in muster.json("identity", "list")]
    client = another_client(muster)
    for i in range(256):
        set_layer(client, paths[i // 16], f"n{i % 16}", words("away"))
    set_layer(client, paths[0], "n0", words("dnd"))  # in its place
    with pytest.raises(GLib.Error, match="TooMany: you have set 256 layers that go with you already; remove one, or"):
        set_layer(client, paths[16], "one-more", words("away"))
    set_layer(client, paths[16], "kept", words("away"), keep=True)
    set_layer(muster.connection, paths[16], "another", words("away"))

    client.call_sync(BUS_NAME, paths[3], f"{BUS_NAME}.Presence", "RemoveLayer", GLib.Variant("(sa{sv})", ("n3", {})), None, 0,
                     5000, None)
    set_layer(client, paths[16], "one-more", words("away"))
    with pytest.raises(GLib.Error, match="TooMany"):
        set_layer(client, paths[3], "n3", words("away"))

    def left():
        return sorted(layer["name"] for path in paths for layer in muster.get("Presence", "Layers", path=path))

    assert len(left()) == 258
    client.close_sync(None)
    wait_until(lambda: left() == ["another", "kept"], 10, "its layers went", left)


def test_another_clients_layer_stays(muster, ann):
    """Who set it first and goes does not take along what somebody else has set in its place since."""
    path = identity_path(muster)
    first, second = another_client(muster), another_client(muster)
    set_layer(first, path, "call", words("dnd"))
    set_layer(second, path, "call", words("away"))
    ann.wait_log("publish away")
    first.close_sync(None)
    set_layer(second, path, "other", words("available"))  # whatever the bus said is handled by now
    assert [layer["name"] for layer in muster.get("Presence", "Layers", path)] == ["call", "other"]
    second.close_sync(None)
    wait_until(lambda: muster.get("Presence", "Layers", path) == [], 5, "the layers went with the client")


def test_until(muster, ann):
    """A layer ends at its time, and what is below shows again."""
    path = identity_path(muster)
    until_us = int((time.time() + 1.5) * 1e6)
    set_layer(muster.connection, path, "meeting", words("dnd", until=GLib.Variant("t", until_us)), keep=True)
    assert muster.get("Presence", "Until", path) == until_us
    ann.wait_log("publish dnd")
    ann.wait_log("publish available")
    assert time.time() * 1e6 >= until_us
    assert muster.get("Presence", "Layers", path) == []


# What goes wrong


def test_a_service_that_is_busy(muster, ann):
    """That it could not be told is shown and kept in the journal once; it is tried again."""
    ann.set(publish_error="busy")
    muster.do("presence", "dnd")
    row = wait_until(lambda: (row := publication(muster))["error"] and row, 10, "an error is shown")
    assert row["error"] == "busy" and row["error-message"] and row["retry-at"]
    assert row["published"] == "available"
    ann.wait_log("publish dnd")
    ann.wait_log("publish dnd", timeout_s=20)  # it is tried again
    ann.set(publish_error="")
    row = wait_published(muster, "dnd", timeout_s=30)
    assert row["error"] is None and row["retry-at"] is None
    kept = [event["type"] for event in muster.json("log", "--type", "presence.")]
    assert kept == ["presence.failed"]
    assert muster.show(ANN)["state"] == "registered"


def test_a_service_without_presence(muster, tmp_path):
    """That is nobody's fault: a note, no error, and it is not asked again and again."""
    service = EchoAll(muster, tmp_path, publish_error="unsupported")
    service.wait_log("publish available")
    row = wait_until(lambda: (row := publication(muster))["note"] and row, 5, "a note is there")
    assert "takes no presence" in row["note"] and row["error"] is None and row["published"] is None
    muster.do("presence", "dnd")
    assert not service.log("publish")
    assert muster.json("log", "--type", "presence.") == []
    assert muster.show(ANN)["error"] is None


def test_lost_and_found(muster, ann):
    """A registration that is lost takes the publication along; the next one begins with it."""
    muster.do("presence", "dnd", "--text", "Still")
    ann.wait_log('publish dnd "Still"')
    ann.send("lose unreachable")
    ann.wait_log('publish dnd "Still"', timeout_s=30)
    muster.do("disable", ANN, "--wait")
    row = publication(muster)
    assert row["published"] is None and "not registered" in row["note"]


# The faces on the bus


def interfaces(muster, path):
    xml = muster.connection.call_sync(BUS_NAME, path, "org.freedesktop.DBus.Introspectable", "Introspect", None, None, 0, 5000,
                                      None).unpack()[0]
    return {line.split('"')[1].rpartition(".")[2] for line in xml.splitlines()
            if f'<interface name="{BUS_NAME}' in line}


def test_the_interface_is_there_exactly_when_the_capability_is(muster, ann):
    """Introspection, Get, GetAll, GetManagedObjects and List agree about who can say a presence."""
    muster.add("echo", ECHO)
    can, cannot = account_path(muster), account_path(muster, ECHO)
    assert "Publication" in interfaces(muster, can) and "Publication" not in interfaces(muster, cannot)
    assert muster.get_all("Publication", can)["Override"] == "inherit"
    with pytest.raises(GLib.Error):
        muster.get_all("Publication", cannot)
    with pytest.raises(GLib.Error):
        muster.get("Publication", "Override", cannot)
    with pytest.raises(GLib.Error):
        muster.call("Publication", "SetOverride", "(sa{sv})", ("dnd", {}), path=cannot)

    objects = muster.connection.call_sync(BUS_NAME, ROOT_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", None,
                                          None, 0, 5000, None).unpack()[0]
    assert PUBLICATION in objects[can] and PUBLICATION not in objects[cannot]
    assert objects[can][PUBLICATION]["Published"] == "available"
    assert f"{BUS_NAME}.Presence" in objects[identity_path(muster)]

    for fields in ([], ["Account.Id", "Publication.Override", "Publication.Supported"]):
        rows, _ = muster.call("Manager", "List", "(sa{sv}assua{sv})", ("account", {}, fields, "", 10, {}))
        has = {row["Path"]: "Publication.Override" in row for row in rows}
        assert has == {can: True, cannot: False}


def test_changes_are_told(muster, tmp_path):
    """An account comes with its interface, and each change of it and of the identity is a signal."""
    listener = Listener(muster)
    service = EchoAll(muster, tmp_path)
    service.wait_log("publish available")
    path = account_path(muster)
    listener.wait("the account came with it",
                  lambda _, name, body: name == "InterfacesAdded" and body[0] == path and PUBLICATION in body[1])
    muster.do("presence", "dnd", "--text", "Psst")
    listener.wait("the identity shows it",
                  lambda _, name, body: name == "PropertiesChanged" and body[0] == f"{BUS_NAME}.Presence" and
                  body[1]["Presence"] == "dnd" and body[1]["Text"] == "Psst" and len(body[1]["Layers"]) == 1)
    listener.wait("the account published it",
                  lambda where, name, body: name == "PropertiesChanged" and where == path and body[0] == PUBLICATION and
                  body[1]["Published"] == "dnd" and body[1]["PublishedText"] == "Psst")
    listener.wait("an event says so", lambda _, name, body: name == "Events" and
                  any(event[1] == "presence.published" and event[3]["presence"] == "dnd" for event in body[0]))
    muster.do("remove", ANN, "--yes")
    listener.wait("it goes with the account",
                  lambda _, name, body: name == "InterfacesRemoved" and body[0] == path and PUBLICATION in body[1])


def test_the_interface_comes_with_the_plugin(make_muster, tmp_path):
    """Without its plugin an account has none; it comes, and is told, when the plugin comes back."""
    folders = [os.path.join(os.environ["MUSTER_TEST_PLUGINS"], "crash-in-open"), os.environ["MUSTER_PLUGIN_PATH"]]
    muster = make_muster(environment={"MUSTER_PLUGIN_PATH": ":".join(folders)})
    trigger = tmp_path / "trigger"
    muster.add("crash", "mal@bad.test", wait=False, how="timer", trigger=str(trigger))
    path = account_path(muster, "mal@bad.test")
    assert "Publication" in interfaces(muster, path)
    for _ in range(2):
        trigger.touch()
        muster.wait_end()
        trigger.unlink()
        muster.start()
    muster.wait_state("mal@bad.test", "waiting-plugin")
    assert "Publication" not in interfaces(muster, path)

    listener = Listener(muster)
    muster.do("plugin", "resume", "crash-in-open")
    _, _, (_, added) = listener.wait("it came", lambda _, name, body: name == "InterfacesAdded" and body[0] == path)
    assert added[PUBLICATION]["Override"] == "inherit" and f"{BUS_NAME}.Account" not in added
    assert "Publication" in interfaces(muster, path)
