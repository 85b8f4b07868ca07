# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line tool against a daemon of straw: what it prints, and how it ends.

Each test has a bus and a stub of its own (stub_world.py). What is done with accounts is in test_cli_accounts.py.
"""

import json
import os
import re
import subprocess
import time

import dbus
import pytest

from stub_world import AMBIGUOUS, FAILED, HERE, MUSTER, NO_DAEMON, NOT_FOUND, OK, PATIENCE, REFUSED, USAGE
from stub_world import empty, world  # noqa: F401  (fixtures, asked for by name)

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


# No daemon, no bus, no sense


def test_version_and_help_need_no_daemon(empty):
    assert re.fullmatch(r"muster \d+\.\d+\.\d+\n", empty.out("--version"))
    overview = empty.out("help")
    assert overview == empty.out("--help")
    for command in empty.out("complete", "commands").split():
        assert f"  {command} " in overview
        assert empty.out("help", command).startswith(f"Usage:\n  muster {command} ")
        for words in ([command, "--help"], ["--help", command], ["-h", command], ["--json", "--help", command]):
            assert empty.out(*words) == empty.out("help", command)
    for command in ("add", "enable", "disable", "connect", "disconnect", "refresh"):
        assert "  -w, --wait[=SECONDS]  " in empty.out("help", command)


def test_no_daemon(empty):
    said = empty.err(NO_DAEMON, "list")
    assert "musterd is not running" in said and "if you started it just now, try again in a moment" in said
    for arguments in (["show", "a"], ["add", "echo", "a@b"], ["monitor"], ["events"], ["log"], ["status"],
                      ["protocols"], ["plugin"], ["identity"], ["enable", "a", "b"]):
        empty.err(NO_DAEMON, *arguments)


def test_the_bus_starts_the_daemon(empty):
    empty.install_stub()
    assert empty.json("status")["version"] == "9.9.9" and empty.is_running()


def test_no_bus(empty):
    assert "session bus" in empty.err(NO_DAEMON, "list", env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"})


@pytest.mark.parametrize("arguments, hint", [
    ([], "which command"),
    (["lsit"], "did you mean 'list'"),
    (["xyzzy"], "'muster help'"),
    (["--jsn", "list"], "--jsn"),
    (["list", "--nonsense"], "--nonsense"),
    (["list", "extra"], "usage"),
    (["list", "--state", "registerd"], "did you mean 'registered'"),
    (["list", "--state", "zzzzzzz"], "only disabled, "),
    (["show"], "usage: muster show ACCOUNT"),
    (["add"], "usage: muster add [PROTOCOL] ADDRESS"),
    (["test", "echo", "a@b", "c"], "usage: muster test [PROTOCOL] ADDRESS"),
    (["connect"], "usage"),
    (["disconnect", "--wait=x", "a"], "1 to 86400"),
    (["import"], "usage: muster import FILE"),
    (["debug", "--past", "--for", "3"], "exclude"),
    (["debug", "--for", "0"], "1 to 86400"),
    (["add", "echo", "a@b", "--wait=0"], "1 to 86400"),
    (["add", "echo", "a@b", "--wait", "--disabled"], "--disabled"),
    (["set", "a"], "nothing to change"),
    (["secret", "a", "password"], "no terminal"),
    (["secret", "a", "password", "hunter2"], "read by everybody"),
    (["secret", "a", "password", "-", "--clear"], "exclude"),
    (["secret", "a", "password", "--fd", "777"], "not open"),
    (["secret", "a", "password", "--fd", "1"], "not a descriptor"),
    (["enable"], "usage"),
    (["enable", "--wait=x", "a"], "1 to 86400"),
    (["enable", "a", "--wait", "5"], "write --wait=5"),
    (["disconnect", "--wait", "5", "a"], "write --wait=5"),
    (["refresh", "a", "--wait", "5"], "write --wait=5"),
    (["add", "echo", "a@b", "--wait", "5"], "write --wait=5"),
    (["remove"], "usage"),
    (["log", "--limit", "many"], "not a number"),
    (["monitor", "--for", "-1"], "1 to 86400"),
    (["plugin", "frobnicate"], "usage: muster plugin"),
    (["plugin", "try", "."], "'.' is a folder; name the plugin's file"),
    (["plugin", "try", "/nowhere"], "there is no file '/nowhere'"),
    (["identity", "rename", "x"], "usage: muster identity"),
    (["identity", "renam", "x", "y"], "there is no 'muster identity renam'; did you mean 'rename'?"),
    (["incoming", "accpt", "i1"], "did you mean 'accept'?"),
    (["incoming", "accept"], "usage: muster incoming [list | show ID | "),
    (["agent", "lst"], "did you mean 'list'?"),
    (["presence", "busy"], "there is no presence 'busy'; did you mean 'dnd'?"),
    (["contacts", "--presence", "Online"], "did you mean 'available'?"),
    (["watch", ""], "the address is empty"),
    (["deny", ""], "the address is empty"),
    (["help", "lsit"], "did you mean 'list'"),
    (["--help", "lsit"], "did you mean 'list'"),
])
def test_wrong_usage_is_told_before_the_daemon_is_asked(empty, arguments, hint):
    message = empty.err(USAGE, *arguments)
    assert hint in message and "hunter2" not in message


def test_arguments_must_be_utf8(empty):
    done = subprocess.run([MUSTER.encode(), b"show", b"\xff"], env=empty.env, capture_output=True)
    assert done.returncode == USAGE and b"UTF-8" in done.stderr


# Watching


def test_monitor_json(world):
    world.add("alice@example.org")
    follower = world.follow("monitor", "--json")
    first = follower.object()
    assert first["change"] == "initial" and first["address"] == "alice@example.org"
    assert RFC3339.fullmatch(first["time"]) and first["expires-at"] == "2025-07-05T07:30:00.123456Z"
    world.change("alice@example.org", {"State": "waiting-retry", "Reason": "unreachable",
                                       "Attempt": dbus.UInt32(1)})
    second = follower.object()
    assert (second["change"], second["state"], second["attempt"]) == ("changed", "waiting-retry", 1)
    world.change("alice@example.org", {"Reason": "unreachable"})  # no change, no line
    world.run("add", "echo", "slow@example.org")
    added = follower.object()
    assert (added["change"], added["identity-name"]) == ("added", "Me")
    world.run("remove", "slow")
    assert follower.object()["change"] == "removed"
    assert follower.interrupt() == OK


def test_monitor_of_some(world):
    world.add("alice@example.org")
    world.add("bob@example.org")
    follower = world.follow("monitor", "bob")
    assert "  bob@example.org  registered, lease ends " in follower.line()
    world.change("alice@example.org", {"State": "failed"})
    world.change("bob@example.org", {"State": "waiting-retry", "Reason": "busy\033[2J"})
    assert "  bob@example.org  waiting-retry (busy\\x1b[2J)" in follower.line()
    world.stop_stub()
    assert follower.line().endswith("  musterd is not running")
    world.start_stub()
    assert follower.line().endswith("  musterd is running again")
    assert follower.interrupt() == OK
    world.err(NOT_FOUND, "monitor", "nobody")


def test_monitor_lives_through_a_restart(world):
    world.add("alice@example.org")
    follower = world.follow("monitor", "--json")
    assert follower.object()["change"] == "initial"
    world.stop_stub()
    assert follower.object()["change"] == "daemon-stopped"
    world.start_stub()
    assert follower.object()["change"] == "daemon-started"
    assert follower.object()["change"] == "removed"  # the stub forgets
    world.run("add", "echo", "slow@example.org")
    assert follower.object()["change"] == "added"
    assert follower.interrupt() == OK


def test_monitor_ends_with_its_time_and_with_its_bus(world):
    assert world.out("monitor", "--for", "1") == ""
    follower = world.follow("monitor", "--json")
    world.add("alice@example.org")
    follower.line()
    world.bus_process.terminate()
    assert follower.process.wait(PATIENCE) == NO_DAEMON


def test_monitor_on_a_terminal_redraws_in_place(world):
    world.add("alice@example.org")
    terminal = world.terminal("monitor")
    terminal.expect("1 of 1 registered")
    world.change("alice@example.org", {"State": "failed"})
    terminal.expect("\033[3A\r")
    terminal.expect("\033[31mfailed\033[0m")
    terminal.type("\x03")
    assert terminal.end() == OK
    assert terminal.output.rstrip().endswith(b"\033[?25h")  # the cursor is back


def test_monitor_shows_the_lease_after_a_refresh(world):
    """Which is told by an event, and by no change."""
    world.add("alice@example.org")
    terminal = world.terminal("monitor")
    terminal.expect("1 of 1 registered")
    world.emit(0, "registration.refreshed", "alice@example.org",
               {"state": "registered", "expires-at": dbus.UInt64((time.time() + 7200.5) * 1e6)})
    terminal.expect("in 2 h")
    terminal.type("\x03")
    assert terminal.end() == OK


def emit_three(world):
    """Two share a signal, one has its own."""
    events = [(1_751_700_000_000_000 + i, type, "alice@example.org" if i < 2 else "",
               {"n": dbus.UInt32(i), "text": "a\033[1mb"})
              for i, type in enumerate(("registration.created", "registration.lost", "incoming.call"))]
    world.emit_together(events[:2])
    world.emit(*events[2])


def test_log(world):
    assert world.out("log") == "" and world.json("log") == []
    world.add("alice@example.org")
    emit_three(world)
    lines = world.out("log").splitlines()
    assert lines[0] == "2025-07-05 07:20:00  registration.created  alice@example.org  n=0, text=a\\x1b[1mb"
    assert [line.split("  ")[1] for line in lines] == ["registration.created", "registration.lost", "incoming.call"]
    events = world.json("log")
    assert [event["number"] for event in events] == [1, 2, 3]
    assert events[0]["address"] == "alice@example.org" and events[2]["account"] is None
    assert events[1]["time"] == "2025-07-05T07:20:00.000001Z" and events[1]["payload"]["n"] == 1
    assert [event["number"] for event in world.json("log", "--limit", "1")] == [3]
    assert [event["number"] for event in world.json("log", "alice", "--limit", "0")] == [1, 2]
    assert [event["number"] for event in world.json("log", "--type", "registration.")] == [1, 2]
    assert world.out("log", "--type", "plugin.") == "" and world.json("log", "--type", "incoming.") != []
    for words in ([], ["--json"]):
        assert "there is no event type 'bogus', only account.added, " in world.err(USAGE, *words, "log", "--type", "bogus")
    assert "did you mean 'account.added'" in world.err(USAGE, "log", "--type", "account.aded")
    world.err(NOT_FOUND, "log", "bob")


def test_events(world):
    world.add("alice@example.org")
    follower = world.follow("events", "--json", "--type", "registration.")
    heard = None
    while heard is None:  # until its subscription stands
        world.emit(1, "registration.probe")
        if follower.has_line(0.05):
            heard = follower.object()
    emit_three(world)
    event = follower.object()
    while event["type"] == "registration.probe":
        event = follower.object()
    assert event["type"] == "registration.created" and event["address"] == "alice@example.org"
    assert event["time"] == "2025-07-05T07:20:00.000000Z" and "number" not in event
    assert follower.object()["type"] == "registration.lost"
    world.emit(1, "registration.end")
    assert follower.object()["type"] == "registration.end"  # not incoming.call
    world.stop_stub()
    assert follower.object()["change"] == "daemon-stopped"
    world.start_stub()
    assert follower.object()["change"] == "daemon-started"
    world.emit(1, "registration.again")
    assert follower.object()["type"] == "registration.again"
    assert follower.interrupt() == OK
    assert world.out("events", "--type", "incoming.", "--for", "1") == ""  # only the daemon knows it
    for words in ([], ["--json"]):
        assert "there is no event type 'bogus', only account.added, " in world.err(USAGE, *words, "events", "--type", "bogus")


# What there is


def test_protocols(world):
    assert [p["id"] for p in world.json("protocols")] == ["echo", "plain", "strict"]
    assert world.out("protocols").splitlines()[0].split() == ["ID", "NAME", "PLUGIN", "SCHEMES", "ADDRESS"]
    echo = world.json("protocols", "echo")
    assert echo["parameters"][1] == {"name": "port", "type": "u", "label": "Port", "default": 5060, "min": 1,
                                     "max": 65535}
    page = world.out("protocols", "echo")
    assert re.search(r"^port +number .* 5060 +1 to 65535", page, re.M) and "password" in page
    assert "did you mean 'echo'" in world.err(NOT_FOUND, "protocols", "eco")


def test_plugins(world):
    assert [(p["name"], p["state"], p["reason"]) for p in world.json("plugin", "list")] == [
        ("echo", "ready", None), ("broken", "failed", "its ABI is 99")]
    assert world.out("plugin") == world.out("plugin", "list")
    assert world.json("plugin", "show", "broken")["file"] == "/lib/muster-broken.so"
    world.err(NOT_FOUND, "plugin", "show", "nothing")


def test_identities(world):
    assert world.json("identity") == []
    assert world.json("identity", "add", "Alice")["name"] == "Alice"
    assert "there is an identity 'Alice'" in world.err(REFUSED, "identity", "add", "Alice")
    world.err(REFUSED, "identity", "add", "")
    assert world.json("identity", "rename", "Ali", "Alicia")["name"] == "Alicia"
    world.err(NOT_FOUND, "identity", "rename", "Bob", "Rob")
    world.add("alice@example.org")
    assert "it has accounts" in world.err(REFUSED, "identity", "remove", "Alicia")
    world.run("remove", "alice")
    world.json("identity", "add", "Ann\u202e")
    assert world.out("identity", "remove", "Ann") == "removed the identity 'Ann\\u{202e}'\n"
    assert world.json("identity", "remove", "Alicia")["name"] == "Alicia"
    assert world.json("identity", "list") == []


def test_status(world):
    assert world.json("status") == {"version": "9.9.9", "protection": "key-file", "key": "ready", "offline": [], "notice": None,
                                    "counters": {"accounts": 3, "opened": 7}, "incoming": [], "mailboxes": []}
    assert world.out("status").splitlines()[-1] == "counters    accounts=3, opened=7"


@pytest.mark.parametrize("words, sentence", [
    (["list"], "there is no account yet; 'muster add ADDRESS' adds one"),
    (["list", "--state", "failed"], "no account is like that"),
    (["identity"], "there is no identity yet; one comes with the first account"),
    (["agent", "list"], "no account waits for an answer"),
    (["incoming"], "no call or message waits for an answer"),
    (["incoming", "--all"], "no call or message has come in of late"),
    (["log", "--type", "plugin."], "the journal has no such event"),
])
def test_nothing_is_a_sentence_for_people_only(world, words, sentence):
    terminal = world.terminal(*words)
    assert terminal.end() == OK and terminal.output.decode() == f"{sentence}\r\n"
    assert world.out(*words) == "" and world.json(*words) == []


def test_output_that_cannot_be_written_is_an_error(world):
    with open("/dev/full", "w") as full:
        done = subprocess.run([MUSTER, "status"], env=world.env, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == FAILED and "cannot write" in done.stderr


# The shell


def complete(world, line):
    script = f"""
      PATH={os.path.dirname(MUSTER)}:$PATH
      source {os.path.join(HERE, '..', '..', 'data', 'completions', 'muster')}
      COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=($COMP_LINE); COMP_TYPE=9
      [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
      _muster muster "${{COMP_WORDS[COMP_CWORD]}}" ''
      printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", script], env=world.env, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout.split()


def test_completion(world):
    world.add("alice@example.org")
    assert "protocols" in complete(world, "muster pro")
    # Bash breaks words at "@" and replaces only what stands behind it.
    assert complete(world, "muster show ali") == ["alice@example.org"]
    assert complete(world, "muster show alice@ex") == ["example.org"]
    assert complete(world, "muster add ec") == ["echo"]
    assert complete(world, "muster set alice@example.org po") == ["port="]
    assert complete(world, "muster secret alice@example.org pass") == ["password"]
    assert "--wait" in complete(world, "muster enable --w")
    assert complete(world, "muster list --state regis") == ["registering", "registered"]
    assert complete(world, "muster plugin show br") == ["broken"]
    assert complete(world, "muster plugin t") == ["try"]
    assert complete(world, "muster presence a") == ["available", "away"]
    assert complete(world, "muster presence --text away d") == ["dnd"]
    assert complete(world, "muster presence --for d") == complete(world, "muster presence away d") == []
    assert complete(world, "muster presence --account ali") == ["alice@example.org"]
    assert complete(world, "muster presence --account alice@example.org i") == ["invisible", "inherit"]


def test_completion_starts_no_daemon_and_says_nothing(empty):
    empty.install_stub()
    assert complete(empty, "muster show ali") == [] and complete(empty, "muster add ec") == []
    assert not empty.is_running()


# What else the daemon can do


def test_test_prints_the_steps(world):
    out = world.out("test", "echo", "alice@example.org", "--secret", "password=-", stdin="hunter2\n")
    assert out.splitlines()[0] == "yes  configure    its parameters are complete" and "\x1b" not in out
    assert bytes(world.stub.TestedSecret("password")) == b"hunter2" and world.json("list") == []
    report = world.json("test", "echo", "alice@example.org")
    assert report["ok"] is True and report["details"] == {"lease": 600}
    assert report["steps"][1]["step"] == "authenticate" and report["steps"][1]["ok"] is True


def test_a_test_that_fails_says_where(world):
    done = world.run("test", "echo", "refused@example.org", status=FAILED)
    assert "no   authenticate" in done.stdout and "authenticate failed" in done.stderr
    report = json.loads(world.run("--json", "test", "echo", "refused@example.org", status=FAILED).stdout)
    assert report["details"]["protocol-code"] == 403
    assert "'port' is at most" in world.err(REFUSED, "test", "echo", "a@b", "--set", "port=70000")
    assert "is a secret" in world.err(USAGE, "test", "echo", "a@b", "--set", "password=hunter2")


def test_add_tests_with_the_same_secrets(world):
    world.add("alice@example.org", "--test", "--secret", "password=-", stdin="hunter2\n")
    assert bytes(world.stub.TestedSecret("password")) == world.secret("alice@example.org", "password") == b"hunter2"
    done = world.run("add", "echo", "refused@example.org", "--test", status=FAILED)
    assert "no   authenticate" in done.stdout and len(world.json("list")) == 1


def test_add_finds_the_protocol(world):
    assert world.json("add", "echo:x@example.org")["protocol"] == "echo"
    assert "write which in front of it: echo, plain" in world.err(AMBIGUOUS, "add", "y@example.org")
    assert "no protocol has addresses like 'none'" in world.err(NOT_FOUND, "add", "none")
    assert len(world.json("list")) == 1


def test_disconnect_and_connect(world):
    world.add("alice@example.org")
    assert "disconnected" in world.out("disconnect", "--wait", "alice")
    assert world.json("show", "alice")["reason"] == "disconnected"
    assert "registered" in world.out("connect", "--wait", "alice")
    world.out("disable", "--wait", "alice")
    assert "cannot connect alice@example.org" in world.err(REFUSED, "connect", "alice")
    assert "cannot disconnect alice@example.org" in world.err(REFUSED, "disconnect", "alice")
    assert "no account matches 'bob'" in world.err(NOT_FOUND, "disconnect", "bob")


def test_export_is_the_document(world):
    world.add("alice@example.org")
    world.add("bob@example.org")
    assert world.out("export") == "EXPORT\nalice@example.org\nbob@example.org\n"
    assert world.out("export", "bob") == "EXPORT\nbob@example.org\n"
    assert "no account matches 'carol'" in world.err(NOT_FOUND, "export", "bob", "carol")


def test_import(world, tmp_path):
    file = tmp_path / "document"
    file.write_text("a@b c@d")
    assert world.out("import", str(file)).splitlines()[0].startswith("yes  a@b  it was ")
    assert "would be" in world.out("import", "--dry-run", "-", stdin="a@b")
    done = world.run("import", "-", stdin="a@b bad@x", status=REFUSED)
    assert "no   bad@x" in done.stdout and "1 of 2 accounts" in done.stderr and "\x1b" not in done.stdout
    assert world.json("import", str(file))[1] == {"address": "c@d", "done": True, "sentence": "it was \x1b[1madded"}
    assert "cannot import '-'" in world.err(REFUSED, "import", "-", stdin="nonsense")
    assert "cannot read" in world.err(FAILED, "import", str(tmp_path / "missing"))
    file.write_bytes(b"\xff")
    assert "UTF-8" in world.err(USAGE, "import", str(file))
    file.write_bytes(b" " * (4 * 1024 * 1024 + 1))
    assert "longer" in world.err(USAGE, "import", str(file))


def test_debug(world):
    past = world.out("debug", "--past").splitlines()
    assert [line.split(": ")[1] for line in past] == ["line 1", "line 2", "line 3"]
    assert "GLib" in world.err(REFUSED, "debug", "--domains", "GLib")
    follower = world.follow("--json", "debug")
    line = follower.object()
    assert (line["number"], line["domain"], line["level"], line["text"]) == (7, "all", "info", "now\x1b[2J")
    assert follower.interrupt() == OK
    follower = world.follow("debug", "--domains", "MusterSip")
    assert "info      MusterSip: now" in follower.line()
    world.stop_stub()
    assert follower.process.wait(PATIENCE) == NO_DAEMON
    follower.process.stdout.close()


def test_status_with_all_numbers(world):
    out = world.out("status", "--all")
    assert "registered 3" in out and "uptime" in out and "\x1b" not in out
    assert {line[26] != " " and line[25] == " " for line in out.partition("metrics\n")[2].splitlines()} == {True}
    assert world.json("status", "--all")["metrics"]["accounts"] == {"registered": 3}
    assert "metrics" not in world.json("status")


def test_log_names_accounts_that_are_gone(world):
    """The events before their end are named, too."""
    world.add("alice@example.org")
    world.emit(1, "account.enabled", "alice@example.org")
    world.emit(2, "account.removed", "alice@example.org", {"address": "alice@example.org", "protocol": "echo"})
    world.out("remove", "--yes", "alice")
    assert all("alice@example.org" in line for line in world.out("log").splitlines())


def test_log_tells_times_as_they_were(world):
    """When a lease would end is said from the event's time on, however long ago that is."""
    world.add("alice@example.org")
    world.emit(1_000_000, "registration.created", "alice@example.org", {"expires-at": dbus.UInt64(301_000_000)})
    assert world.out("log").endswith("expires-at=in 5 min 00 s\n")
