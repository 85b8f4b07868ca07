# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon can do beside keeping accounts: test, discover, export, import, off for a session, its log and numbers."""

import json
import select
import shutil
import subprocess

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from harness.certificates import Authority  # noqa: E402
from harness.muster import BUS_NAME, ROOT_PATH  # noqa: E402
from harness.process import wait_until  # noqa: E402

ECHO = "ann@echo.test"
ERROR = f"{BUS_NAME}.Error."


def bus_error(call, *arguments, **named):
    """The name and the words of the error that a call must end with."""
    with pytest.raises(GLib.Error) as caught:
        call(*arguments, **named)
    name = Gio.DBusError.get_remote_error(caught.value)
    Gio.DBusError.strip_remote_error(caught.value)
    return name, caught.value.message


def path_of(muster, address=ECHO):
    (path,) = muster.call("Manager", "Find", "(ssa{sv})", ("account", address, {}))
    return path


def try_account(muster, address=ECHO, parameters=None, protocol="echo"):
    """Manager.Test without secrets."""
    return muster.call("Manager", "Test", "(ssa{sv}a{sh}a{sv})", (protocol, address, parameters or {}, {}, {}))




def types_of_events(muster):
    events, _ = muster.call("Manager", "ListEvents", "(a{sv}sua{sv})", ({}, "", 100, {}))
    return [event[2] for event in events]


# Unknown options


@pytest.mark.parametrize("interface, method, signature, arguments", [
    ("Manager", "Test", "(ssa{sv}a{sh}a{sv})", ("echo", ECHO, {}, {})),
    ("Manager", "Discover", "(sa{sv})", (ECHO,)),
    ("Manager", "Export", "(a{sv})", ()),
    ("Manager", "Import", "(sa{sv})", ("{}",)),
    ("Registration", "Connect", "(a{sv})", ()),
    ("Registration", "Disconnect", "(a{sv})", ()),
    ("Debug", "SetLogging", "(sa{sv})", ("all",)),
    ("Debug", "GetMessages", "(sua{sv})", ("", 10)),
    ("Metrics", "Get", "(a{sv})", ()),
], ids=lambda value: str(value))
def test_unknown_option_keys(muster, interface, method, signature, arguments):
    """An option that a method does not know is refused by its name, and nothing is done."""
    muster.add("echo", ECHO)
    path = path_of(muster) if interface == "Registration" else ROOT_PATH
    options = {"no-such-option": GLib.Variant("b", True)}
    name, words = bus_error(muster.call, interface, method, signature, (*arguments, options), path=path)
    assert (name, "no-such-option" in words) == (ERROR + "InvalidArgument", True)
    assert muster.show(ECHO)["state"] == "registered"


# A test before saving


def test_a_test_that_works(muster):
    """Each step is told, the service is left again, and nothing remains of it."""
    steps, ok, details = try_account(muster)
    assert ok and all(worked and sentence for _, worked, sentence in steps)
    assert [name for name, _, _ in steps] == ["configure", "secret", "authenticate", "register", "unregister"]
    assert steps[1][2] == "no password was given, and the service asked for none"
    assert (details["lease"], details["bindings"]) == (60, [ECHO])
    assert muster.list() == [] and types_of_events(muster) == []
    assert muster.call("Metrics", "Get", "(a{sv})", ({},))[0]["tests"] == 0


def test_a_test_that_fails(muster):
    """The last step is the one that failed, with what the service said."""
    steps, ok, details = try_account(muster, "mallory@echo.test")
    assert not ok and steps[-1][:2] == ("authenticate", False) and "nobody here trusts" in steps[-1][2]
    assert all(worked for _, worked, _ in steps[:-1])
    assert (details["error"], details["step"]) == (ERROR + "Refused", "authenticate")
    assert muster.list() == []


def test_a_test_of_a_service_that_is_not_there(muster):
    """A registrar that answers nothing is found out within the time of a test, and named."""
    parameters = {"server": GLib.Variant("s", "127.0.0.1:9"), "transport": GLib.Variant("s", "tcp")}
    steps, ok, details = try_account(muster, "ann@sip.test", parameters, "sip")
    assert not ok and steps[-1][:2] == ("connect", False)
    assert [name for name, _, _ in steps][:3] == ["configure", "secret", "resolve"]
    assert steps[1][1:] == (True, "no password was given; the service may ask for one")
    assert details["error"] == ERROR + "Unreachable"


@pytest.mark.parametrize("protocol, address, parameters, word", [
    ("carrier-pigeon", ECHO, {}, "carrier-pigeon"),
    ("echo", "", {}, "address"),
    ("echo", "ann\r\n@echo.test", {}, "address"),
    ("echo", ECHO, {"no-such": GLib.Variant("s", "x")}, "no-such"),
    ("echo", ECHO, {"lease": GLib.Variant("s", "x")}, "lease"),
    ("echo", ECHO, {"password": GLib.Variant("s", "hunter2")}, "password"),
])
def test_a_test_with_wrong_arguments(muster, protocol, address, parameters, word):
    """They are refused by name, as when an account is added."""
    name, words = bus_error(try_account, muster, address, parameters, protocol)
    assert name == ERROR + "InvalidArgument" and word in words and "hunter2" not in words


def test_an_account_at_its_service_is_not_disturbed(muster):
    """An address that is registered is not tested; one that is switched off is."""
    muster.add("echo", ECHO)
    assert bus_error(try_account, muster)[0] == ERROR + "Exists"
    muster.do("disable", ECHO, "--wait")
    assert try_account(muster)[1]


def slow_test(muster, connection, number):
    """Begins one that takes a minute to be answered."""
    parameters = {"delay": GLib.Variant("u", 60000)}
    connection.call(BUS_NAME, ROOT_PATH, f"{BUS_NAME}.Manager", "Test",
                    GLib.Variant("(ssa{sv}a{sh}a{sv})", ("echo", f"ann{number}@echo.test", parameters, {}, {})),
                    None, 0, 60000, None, None)


def test_tests_are_few_and_end_with_their_caller(muster):
    """A ninth at once is refused; when the caller leaves the bus, its tests are over."""
    caller = Gio.DBusConnection.new_for_address_sync(
        muster.environment["DBUS_SESSION_BUS_ADDRESS"],
        Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
    for number in range(8):
        slow_test(muster, caller, number)
    caller.flush_sync(None)

    def tests():
        return muster.call("Metrics", "Get", "(a{sv})", ({},))[0]["tests"]

    wait_until(lambda: tests() == 8, 5, "eight tests are under way")
    name, words = bus_error(try_account, muster)
    assert name == ERROR + "TooMany" and "8" in words
    caller.close_sync(None)
    wait_until(lambda: tests() == 0, 20, "they ended with their caller, and took their leave")  # 5 s at most
    assert try_account(muster)[1]


def test_the_daemon_ends_while_a_test_is_under_way(muster):
    """It takes back what was begun, and does not wait for long."""
    slow_test(muster, muster.connection, 1)
    wait_until(lambda: muster.call("Metrics", "Get", "(a{sv})", ({},))[0]["tests"] == 1, 5, "it is under way")
    assert muster.stop() == 0


def test_the_test_command(muster):
    """`muster test` prints the steps, and its status says whether it worked."""
    printed = muster.do("test", "echo", ECHO)
    assert printed.startswith("yes  configure") and "unregister" in printed
    assert muster.json("test", "echo", ECHO)["ok"] is True
    printed = muster.do("test", "echo", ECHO, "--password-fd", "3", secret="hush")
    assert "secret       everything secret that it needs was given" in printed
    outcome = muster.run("test", "echo", "mallory@echo.test")
    assert outcome.returncode == 1 and "authenticate failed" in outcome.stderr and "no   authenticate" in outcome.stdout


def test_add_with_a_test(muster):
    """`muster add --test` adds what works, with its secret, and nothing else."""
    muster.do("add", "echo", ECHO, "--test", "--wait", "--password-fd", "3", secret="hush")
    assert (muster.show(ECHO)["state"], muster.show(ECHO)["secrets"]) == ("registered", ["password"])
    outcome = muster.run("add", "echo", "mallory@echo.test", "--test")
    assert outcome.returncode == 1 and len(muster.list()) == 1


# Whose address it is


@pytest.mark.parametrize("address, protocols", [
    ("ann@echo.test", ["sip", "echo", "echo-all"]),
    ("sip:ann@example.org", ["sip"]),
    ("SIP:ann@example.org", ["sip"]),
    ("echo:ann@echo.test", ["echo"]),
    ("echo-all:ann@echo.test", ["echo-all"]),
    ("ann smith", []),
])
def test_discover(muster, address, protocols):
    """A scheme decides; without one those whose addresses look like it, other machines' services first."""
    assert muster.call("Manager", "Discover", "(sa{sv})", (address, {})) == (protocols,)


@pytest.mark.parametrize("address", ["", "x" * 400, "ann\r\n@x"])
def test_discover_refuses_what_is_no_address(muster, address):
    name, words = bus_error(muster.call, "Manager", "Discover", "(sa{sv})", (address, {}))
    assert name == ERROR + "InvalidArgument" and "address" in words


def test_add_without_a_protocol(muster):
    """`muster add ADDRESS` takes the only protocol that fits, else says which there are."""
    muster.do("add", "echo:ann@echo.test", "--wait")
    assert [(row["protocol"], row["address"], row["name"]) for row in muster.list()] == [("echo", ECHO, ECHO)]
    outcome = muster.run("add", "bob@echo.test")
    assert outcome.returncode == 6 and "sip, echo" in outcome.stderr
    outcome = muster.run("add", "bob smith")
    assert outcome.returncode == 5 and "no protocol" in outcome.stderr
    assert len(muster.list()) == 1


# Export and import


def export(muster, **options):
    (document,) = muster.call("Manager", "Export", "(a{sv})", (options,))
    return document


def import_(muster, document, **options):
    text = document if isinstance(document, str) else json.dumps(document)
    (report,) = muster.call("Manager", "Import", "(sa{sv})", (text, options))
    return report


def make_document(*accounts):
    return {"format": "muster-accounts", "version": 1, "identities": [{"name": "Ann"}],
            "accounts": [{"identity": "Ann", "protocol": "echo", **account} for account in accounts]}


def test_export_and_import(muster, make_muster, tmp_path):
    """What one daemon exports another imports: the same accounts, but no secrets."""
    muster.add("echo", ECHO, secret="hush-hush", lease=77, options=("--name", 'Work "1" \u2603'))
    muster.add("echo", "bob@echo.test", options=("--disabled",), wait=False)
    text = export(muster)
    document = json.loads(text)
    assert "hush-hush" not in text and document["version"] == 1
    accounts = {row["address"]: row for row in document["accounts"]}
    assert accounts[ECHO]["parameters"] == {"lease": 77} and accounts["bob@echo.test"]["enabled"] is False
    before = {row["address"]: muster.show(row["id"]) for row in muster.list()}
    for address in before:
        muster.do("remove", "--yes", address)

    assert {row[0]: row[1] for row in import_(muster, text)} == {ECHO: True, "bob@echo.test": True}
    for address, old in before.items():
        new = muster.show(address)
        for key in ("protocol", "name", "enabled", "parameters", "identity-name"):
            assert new[key] == old[key], key
        assert new["id"] != old["id"] and new["secrets"] == []
    assert all(done and "already" in words for _, done, words in import_(muster, text))
    assert len(muster.list()) == 2


def test_export_of_some(muster):
    """Only those that are named, and their identities."""
    muster.add("echo", ECHO)
    muster.do("identity", "add", "Bob")
    muster.do("add", "echo", "bob@echo.test", "--identity", "Bob")
    document = json.loads(export(muster, accounts=GLib.Variant("ao", [path_of(muster, "bob@echo.test")])))
    assert [row["address"] for row in document["accounts"]] == ["bob@echo.test"]
    assert document["identities"] == [{"name": "Bob"}]
    gone = GLib.Variant("ao", [f"{ROOT_PATH}/Account/aaaaaaaaaaaaa"])
    assert bus_error(export, muster, accounts=gone)[0] == ERROR + "NotFound"


def test_import_of_one_bad_account_among_good_ones(muster):
    """Each row stands for itself, by the rules of adding an account."""
    report = import_(muster, make_document(
        {"address": ECHO}, {"address": "no address"}, {"address": "bob@echo.test", "parameters": {"lease": 99999}},
        {"address": "eve@echo.test", "parameters": {"password": "hunter2"}},
        {"address": "eve@echo.test", "parameters": {"speed": 1}}, {"address": "x@y", "protocol": "carrier-pigeon"},
        {"address": ECHO.upper()}))
    assert [row[1] for row in report] == [True, False, False, False, False, False, True]
    for row, word in zip(report, ["added", "no address", "lease", "secret", "speed", "carrier-pigeon", "already"]):
        assert word in row[2] and "hunter2" not in row[2]
    assert [row["address"] for row in muster.list()] == [ECHO]


def test_a_dry_run_changes_nothing(muster):
    """It says what would be done, the bad ones included."""
    report = import_(muster, make_document({"address": ECHO}, {"address": "bad"}), **{"dry-run": GLib.Variant("b", True)})
    assert [(row[0], row[1]) for row in report] == [(ECHO, True), ("bad", False)] and "would" in report[0][2]
    assert muster.list() == [] and muster.json("identity", "list") == []


def changed(**members):
    return {**make_document({"address": ECHO}), **members}


@pytest.mark.parametrize("document, word", [
    ("", "JSON"),
    ("{", "JSON"),
    ("[]", "object"),
    ("not json", "JSON"),
    ('{"a": 1} /* " */', "JSON"),
    ("[" * 100000, "nested"),
    ('{"a":' * 100000, "nested"),
    ('{"format": "a\\u0000b"}', "zero byte"),
    ({}, "format"),
    (changed(format="other"), "other"),
    (changed(version=2), "2"),
    (changed(version="1"), "version"),
    (changed(secrets=[]), "secrets"),
    (changed(identities={}), "identities"),
    (changed(identities=[{"name": "Ann"}, {"name": "Ann"}]), "twice"),
    (changed(identities=[]), "Ann"),
    (changed(accounts=None), "accounts"),
    (changed(accounts=[1]), "accounts[0]"),
    (make_document({"address": ECHO, "colour": "red"}), "colour"),
    (make_document({"address": 1}), "address"),
    (make_document({}), "address"),
    (make_document({"address": ECHO, "enabled": "yes"}), "enabled"),
    (make_document({"address": ECHO, "parameters": []}), "parameters"),
    (make_document({"address": ECHO, "parameters": {"lease": 1.5}}), "lease"),
    (make_document({"address": ECHO, "parameters": {"lease": -1}}), "lease"),
    (make_document({"address": ECHO, "parameters": {"lease": None}}), "lease"),
    (make_document({"address": ECHO, "parameters": {"lease": [1]}}), "lease"),
], ids=lambda value: str(value)[:60])
def test_a_document_that_is_not_understood(muster, document, word):
    """It is refused as a whole, by the name of what is wrong, and nothing is done."""
    name, words = bus_error(import_, muster, document)
    assert name == ERROR + "InvalidArgument" and word in words
    assert muster.list() == [] and muster.json("identity", "list") == []


def test_a_document_that_is_too_long(muster):
    name, words = bus_error(import_, muster, " " * (4 * 1024 * 1024 + 1))
    assert name == ERROR + "InvalidArgument" and "longer" in words
    many = [{"address": f"a{number}@b"} for number in range(20001)]
    name, words = bus_error(import_, muster, make_document(*many))
    assert name == ERROR + "InvalidArgument" and "20000" in words


def test_the_commands_of_export_and_import(muster, tmp_path):
    """`muster export > FILE`, `muster import FILE`, with and without --dry-run."""
    muster.add("echo", ECHO)
    file = tmp_path / "accounts.json"
    file.write_text(muster.do("export", ECHO), encoding="utf-8")
    muster.do("remove", "--yes", ECHO)
    assert "would be added" in muster.do("import", str(file), "--dry-run") and muster.list() == []
    assert muster.json("import", str(file)) == [{"address": ECHO, "done": True, "sentence": "it was added"}]
    muster.wait_state(ECHO, "registered")
    file.write_text(json.dumps(make_document({"address": "bad"})), encoding="utf-8")
    outcome = muster.run("import", str(file))
    assert outcome.returncode == 8 and "1 of 1" in outcome.stderr and outcome.stdout.startswith("no ")
    assert muster.run("import", str(tmp_path / "none")).returncode == 1
    assert muster.run("export", "nobody").returncode == 5


def test_many_accounts_go_out_and_in(muster):
    """More than what is written in a turn, or stored at once."""
    accounts = [{"address": f"a{number:03}@echo.test", "enabled": False} for number in range(450)]
    report = import_(muster, make_document(*accounts))
    assert [row[0] for row in report] == [row["address"] for row in accounts] and all(row[1] for row in report)
    assert {row["address"] for row in json.loads(export(muster))["accounts"]} == {row["address"] for row in accounts}


# Off for now


def test_disconnect_and_connect(muster):
    """Off for this session, though it is enabled; and on again."""
    muster.add("echo", ECHO)
    assert "disconnected" in muster.do("disconnect", ECHO, "--wait")
    row = muster.show(ECHO)
    assert (row["state"], row["reason"], row["enabled"]) == ("disabled", "disconnected", True)
    assert types_of_events(muster)[0] == "registration.ended"
    muster.call("Registration", "Disconnect", "(a{sv})", ({},), path=path_of(muster))  # once more is no error
    outcome = muster.run("explain", ECHO)
    assert outcome.stdout.startswith("no   enabled") and "muster connect" in outcome.stdout
    muster.do("connect", ECHO, "--wait")
    row = muster.show(ECHO)
    assert (row["state"], row["reason"]) == ("registered", None)


def test_a_restart_forgets_a_disconnect(muster):
    muster.add("echo", ECHO)
    muster.do("disconnect", ECHO, "--wait")
    muster.stop()
    muster.start()
    muster.wait_state(ECHO, "registered")


def test_the_switch_ends_a_disconnect(muster):
    """Whoever switches an account off or on says something newer."""
    muster.add("echo", ECHO)
    muster.do("disconnect", ECHO, "--wait")
    muster.do("disable", ECHO)
    muster.wait_for(ECHO, 5, "disabled for good", lambda row: (row["state"], row["reason"]) == ("disabled", None))
    name, words = bus_error(muster.call, "Registration", "Connect", "(a{sv})", ({},), path=path_of(muster))
    assert name == ERROR + "WrongState" and "disabled" in words
    assert muster.run("disconnect", ECHO).returncode == 8
    muster.do("enable", ECHO, "--wait")
    muster.do("disconnect", ECHO, "--wait")
    muster.do("enable", ECHO, "--wait")
    assert muster.show(ECHO)["state"] == "registered"


# Retry


def test_retry_of_what_is_not_valid(muster, tmp_path):
    """A file that cannot be read is named again; once it is mended, a retry goes on."""
    file = tmp_path / "ca.pem"
    muster.add("sip", "ann@sip.test", wait=False, server="127.0.0.1:9", transport="tls", tls_ca=str(file))
    row = muster.wait_state("ann@sip.test", "failed")
    assert row["reason"] == "invalid"
    outcome = muster.run("retry", "ann@sip.test")
    assert outcome.returncode == 4 and not outcome.stdout
    assert str(file) in outcome.stderr and "configuration is changed with 'muster set'" in outcome.stderr
    assert muster.show("ann@sip.test")["attempt"] == 2, "it was tried"
    shutil.copy(Authority(tmp_path / "authority").certificate, file)
    muster.do("retry", "ann@sip.test")
    muster.wait_for("ann@sip.test", 5, "beyond its file", lambda row: row["reason"] == "unreachable")


# The log and numbers


def messages(muster, cursor="", limit=1000):
    return muster.call("Debug", "GetMessages", "(sua{sv})", (cursor, limit, {}))


def test_messages_are_kept_and_paged(muster):
    """What was logged can be read, oldest first, page by page."""
    muster.call("Debug", "SetLogging", "(sa{sv})", ("all", {}))
    muster.add("echo", ECHO)
    every, end = messages(muster)
    assert end == "" and len(every) > 2
    assert [line[1] for line in every] == list(range(1, len(every) + 1))
    assert any(line[2] == "MusterStanding" and line[3] == "info" and "registered" in line[4] for line in every)
    first, cursor = messages(muster, limit=1)
    second, _ = messages(muster, cursor, 1)
    assert first + second == every[:2]


def test_more_is_logged_only_for_as_long_as_somebody_asks(make_muster):
    """Without it, and after the caller has left the bus, info is not logged."""
    muster = make_muster(environment={"G_MESSAGES_DEBUG": ""})
    muster.add("echo", ECHO)
    assert not [line for line in messages(muster)[0] if line[3] in ("info", "debug")]
    follower = subprocess.Popen([muster.command, "--json", "debug", "--domains", "MusterStanding"],
                                env=muster.environment, stdout=subprocess.PIPE, bufsize=0)
    try:
        def is_followed():
            muster.do("refresh", ECHO, "--wait")
            return select.select([follower.stdout], [], [], 0)[0]

        wait_until(is_followed, 10, "a line came")
        line = json.loads(follower.stdout.readline())
        assert line["domain"] == "MusterStanding" and line["level"] == "info" and line["text"]
    finally:
        follower.terminate()
        assert follower.wait(5) == 0
        follower.stdout.close()
    muster.do("refresh", ECHO, "--wait")
    before = messages(muster)[0][-1][1]
    muster.do("refresh", ECHO, "--wait")
    assert messages(muster)[0][-1][1] == before


@pytest.mark.parametrize("domains", ["GLib", "Muster$", "all GLib-GIO", "Muster" + "x" * 100, "MusterA " * 40])
def test_wrong_domains(muster, domains):
    name, words = bus_error(muster.call, "Debug", "SetLogging", "(sa{sv})", (domains, {}))
    assert name == ERROR + "InvalidArgument" and "domains" in words


@pytest.mark.parametrize("cursor, limit, word", [("x", 1, "cursor"), ("-1", 1, "cursor"), ("", 0, "limit"),
                                                 ("", 1001, "limit"), ("9" * 30, 1, "cursor")])
def test_wrong_pages(muster, cursor, limit, word):
    name, words = bus_error(messages, muster, cursor, limit)
    assert name == ERROR + "InvalidArgument" and word in words


def test_no_secret_is_in_the_log(muster):
    """Whatever is logged of an account, its password is not."""
    muster.call("Debug", "SetLogging", "(sa{sv})", ("all", {}))
    muster.add("echo", ECHO, secret="correct-horse-battery")
    muster.do("test", "echo", "bob@echo.test", "--password-fd", "3", secret="staple-of-nine")
    text = json.dumps(messages(muster)) + muster.log()
    assert "correct-horse" not in text and "staple-of" not in text and "MusterStanding" in text


def test_metrics(muster):
    """Numbers of the daemon, by name and type."""
    muster.add("echo", ECHO)
    muster.add("echo", "bob@echo.test", options=("--disabled",), wait=False)
    (metrics,) = muster.call("Metrics", "Get", "(a{sv})", ({},))
    assert (metrics["accounts"]["registered"], metrics["accounts"]["disabled"]) == (1, 1)
    assert metrics["counters"]["opened"] == 1 and metrics["resident-bytes"] > 1 << 20
    assert metrics["hub-turns"] > 0 and metrics["hub-worst-us"] >= 0 and metrics["admission-hosts"] == []
    wait_until(lambda: muster.call("Metrics", "Get", "(a{sv})", ({},))[0]["store-batches"] > 0, 5, "a batch was written")
    printed = muster.do("status", "--all")
    assert "hub-worst-us" in printed and "registered 1" in printed
    assert muster.json("status", "--all")["metrics"]["accounts"]["registered"] == 1
    assert "metrics" not in muster.json("status")


# Who is gone


def test_the_journal_names_accounts_that_are_gone(muster):
    """The events of an account's beginning and end carry its address, in the journal and as they happen."""
    muster.add("echo", ECHO)
    muster.do("remove", "--yes", ECHO)
    wait_until(lambda: types_of_events(muster)[0] == "registration.ended", 5, "it took its leave")
    events, _ = muster.call("Manager", "ListEvents", "(a{sv}sua{sv})", ({"type": GLib.Variant("s", "account.")}, "", 9, {}))
    assert [(event[2], event[4]) for event in events] == [
        (kind, {"address": ECHO, "protocol": "echo"}) for kind in ("account.removed", "account.added")]
    assert all(ECHO in line for line in muster.do("log").splitlines())
    assert ECHO in muster.do("log", "--limit", "2")
