# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Accounts on the command line, against a daemon of straw: added, shown, changed, removed.

Each test has a bus and a stub of its own (stub_world.py).
"""

import json
import re
import signal

import pytest

from stub_world import AMBIGUOUS, BECAME_FAILURE, FAILED, NOT_FOUND, OK, REFUSED, TIMED_OUT, USAGE, pipe_with
from stub_world import empty, world  # noqa: F401  (fixtures, asked for by name)


# Add, list, show, explain


def test_add_with_typed_parameters(world):
    account = world.add("alice@example.org", "--set", "server=sip=1.example.org", "--set", "port=5070",
                        "--set", "verify=no", "--name", "Work")
    assert account["parameters"] == {"server": "sip=1.example.org", "port": 5070, "verify": False}
    assert account["state"] == "registered" and account["enabled"] is True
    assert account["name"] == "Work" and account["identity-name"] == "Me"
    assert account["identity"] == "aidentity0001" and account["id"] == "aaccount00002"


def test_json_has_true_types(world):
    account = world.add("alice@example.org")
    assert account["registered-at"] == "2025-07-05T07:20:00.123456Z"
    assert account["next-attempt-at"] is None and account["error"] is None and account["reason"] is None
    assert account["attempt"] == 0 and account["refreshes"] == 0 and account["bindings"] == []
    world.add("refused@example.org", status=BECAME_FAILURE)
    refused = world.json("show", "refused")
    assert refused["error"] == "refused"
    assert refused["error-details"] == {"message": "the password is wrong", "protocol-code": 403,
                                        "time": "2025-07-05T07:20:00.123456Z"}
    assert world.json("list") == [world.json("show", "alice"), refused]


@pytest.mark.parametrize("arguments, status, hint", [
    (["ecko", "a@b"], NOT_FOUND, "did you mean 'echo'"),
    (["echo", "nonsense"], REFUSED, "cannot add nonsense: an address is name@domain"),
    (["echo", "a@b", "--set", "prot=1"], USAGE, "echo has no parameter 'prot'; did you mean 'port'?"),
    (["echo", "a@b", "--set", "frobnication=1"], USAGE, "'muster protocols echo'"),
    (["echo", "a@b", "--set", "port=many"], USAGE, "'port' is a whole number from 1 to 65535, which 'many' is not"),
    (["echo", "a@b", "--set", "port=-1"], USAGE, "'port' is a whole number"),
    (["echo", "a@b", "--set", "port=4294967296"], USAGE, "'port' is a whole number"),
    (["echo", "a@b", "--set", "port=70000"], REFUSED, "at most 65535"),
    (["echo", "a@b", "--set", "verify=perhaps"], USAGE, "true or false"),
    (["echo", "a@b", "--set", "port"], USAGE, "NAME=VALUE"),
    (["echo", "a@b", "--set", "port=1", "--set", "port=2"], USAGE, "given twice"),
    (["echo", "a@b", "--set", "password=hunter2"], USAGE, "is a secret"),
    (["echo", "a@b", "--secret", "password=hunter2"], USAGE, "read by everybody"),
    (["echo", "a@b", "--secret", "port=-"], USAGE, "'port' is no secret"),
    (["echo", "a@b", "--secret", "pasword=-"], USAGE, "did you mean 'password'"),
    (["echo", "a@b", "--secret", "password=-"], USAGE, "is empty"),
    (["plain", "a@b", "--password-fd", "0"], USAGE, "plain has no secret 'password'"),
    (["echo", "a@b", "--identity", "Nobody"], NOT_FOUND, "no identity matches 'Nobody'"),
])
def test_add_refuses(world, arguments, status, hint):
    message = world.err(status, "add", *arguments)
    assert hint in message and "hunter2" not in message
    assert world.json("list") == []


def test_add_twice_is_refused(world):
    world.add("alice@example.org")
    assert "there is a echo account" in world.err(REFUSED, "add", "echo", "alice@example.org")


def test_add_names_an_identity(world):
    world.out("identity", "add", "Alice")
    world.out("identity", "add", "Bob")
    assert world.add("x@example.org", "--identity", "Bob")["identity-name"] == "Bob"


def test_secrets_arrive_as_they_were_but_for_one_newline(world):
    world.add("a@b", "--secret", "password=-", stdin="pass word\n")
    assert world.secret("a@b", "password") == b"pass word"
    world.add("c@d", "--secret", "password=-", stdin="two\n\n")
    assert world.secret("c@d", "password") == b"two\n"
    fd, other = pipe_with(b"\0binary\xff"), pipe_with(b"t")
    account = world.add("e@f", "--password-fd", str(fd), "--secret-fd", f"token={other}", fds=(fd, other))
    assert account["secrets"] == ["password", "token"]
    assert world.secret("e@f", "password") == b"\0binary\xff" and world.secret("e@f", "token") == b"t"


def test_a_secret_has_at_most_64_kb(world):
    world.add("a@b", "--secret", "password=-", stdin="x" * 65536 + "\n")
    assert len(world.secret("a@b", "password")) == 65536
    assert "longer than 64 kB" in world.err(USAGE, "add", "echo", "c@d", "--secret", "password=-", stdin="x" * 65537)


def test_secrets_given_twice(world):
    fd = pipe_with(b"x")
    assert "twice" in world.err(USAGE, "add", "echo", "a@b", "--secret", "password=-", "--password-fd", str(fd),
                                stdin="y", fds=(fd,))
    assert "standard input" in world.err(USAGE, "add", "echo", "a@b", "--secret", "password=-", "--secret",
                                         "token=-", stdin="y")


def test_the_password_is_asked_for_without_echo(world):
    terminal = world.terminal("add", "echo", "alice@example.org", "--wait")
    terminal.expect("Password of alice@example.org: ")
    terminal.type("wrong\x15hunx\x7fter2\n")
    assert terminal.end() == OK
    assert world.secret("alice@example.org", "password") == b"hunter2"
    assert b"hun" not in terminal.output and b"wrong" not in terminal.output


def test_no_answer_is_no_password(world):
    terminal = world.terminal("add", "echo", "alice@example.org")
    terminal.expect("Password of alice@example.org: ")
    terminal.type("\n")
    assert terminal.end() == OK
    assert world.json("show", "alice")["secrets"] == []


def test_a_required_secret_is_asked_for_and_must_be_given(world):
    for answer, status in (("\n", USAGE), ("1234\n", OK)):
        terminal = world.terminal("add", "strict", "alice@example.org")
        terminal.expect("PIN\\x1b[1m of alice@example.org: ")
        terminal.type(answer)
        assert terminal.end() == status
    assert world.secret("alice@example.org", "pin") == b"1234"


def test_interrupting_the_question_adds_nothing(world):
    terminal = world.terminal("add", "echo", "alice@example.org")
    terminal.expect("Password of alice@example.org: ")
    terminal.type("\x03")
    assert terminal.end() == -signal.SIGINT
    assert world.json("list") == []


def test_no_ask_does_not_ask(world):
    terminal = world.terminal("add", "--no-ask", "echo", "alice@example.org")
    assert terminal.end() == OK
    assert b"Password of" not in terminal.output


def test_wait_tells_by_its_exit_code(world):
    done = world.run("add", "echo", "refused@example.org", "--wait", status=BECAME_FAILURE)
    assert done.stderr == ("muster: refused@example.org is waiting-secret (refused: the password is wrong)\n")
    done = world.run("add", "echo", "slow@example.org", "--wait=1", status=TIMED_OUT)
    assert "slow@example.org is still registering" in done.stderr
    world.err(BECAME_FAILURE, "add", "echo", "failed@example.org", "--wait")
    world.run("add", "echo", "alice@example.org", "--wait")
    world.run("add", "echo", "off@example.org", "--disabled")
    assert world.json("show", "off")["state"] == "disabled"


def test_list_pages_through_all_and_filters(world):
    for i in (3, 1, 5, 2, 4):
        world.add(f"user{i}@example.org", protocol="plain" if i == 3 else "echo")
    assert [a["address"] for a in world.json("list")] == [f"user{i}@example.org" for i in range(1, 6)]
    assert [a["address"] for a in world.json("list", "--protocol", "plain")] == ["user3@example.org"]
    assert world.json("list", "--state", "failed") == []
    assert len(world.json("list", "--state", "registered", "--identity", "Me")) == 5
    world.err(NOT_FOUND, "list", "--identity", "Nobody")
    world.err(NOT_FOUND, "list", "--protocol", "pigeon")


def test_list_for_people(world):
    assert world.out("list") == ""
    world.add("alice@example.org")
    lines = world.out("list").splitlines()
    assert re.split(r"  +", lines[0]) == ["ID", "ADDRESS", "PROTOCOL", "STATE", "LEASE ENDS"]
    assert lines[1].startswith("aaccount00002  alice@example.org  echo") and "registered" in lines[1]
    assert "\033" not in lines[1]


def test_colours_only_on_a_terminal_that_wants_them(world):
    world.add("alice@example.org")
    terminal = world.terminal("list")
    assert terminal.end() == OK and b"\033[32mregistered\033[0m" in terminal.output
    terminal = world.terminal("list", NO_COLOR="1")
    assert terminal.end() == OK and b"\033" not in terminal.output


def test_show_for_people(world):
    world.add("alice@example.org", "--set", "port=5070")
    page = dict(re.split(r"  +", line, maxsplit=1) for line in world.out("show", "alice").splitlines())
    assert page["address"] == "alice@example.org" and page["parameters"] == "port=5070"
    assert page["registered"].startswith("2025-07-05 07:20:00 (") and page["enabled"] == "yes"
    assert "error" not in page


def test_selectors(world):
    world.add("alice@example.org")
    world.add("alina@example.org")
    for selector in ("alice@example.org", "alic", "aaccount00002"):
        assert world.json("show", selector)["address"] == "alice@example.org"
    assert "more than one account" in world.err(AMBIGUOUS, "show", "ali")
    assert "'muster list'" in world.err(NOT_FOUND, "show", "bob")
    assert "'\\x1b[31mbob'" in world.err(NOT_FOUND, "show", "\033[31mbob")


def test_explain(world):
    world.add("alice@example.org")
    assert world.out("explain", "alice").splitlines() == [
        "yes  enabled      it is switched on", "yes  secret       the service took the \\x1b[31mpassword"]
    world.run("add", "echo", "refused@example.org", "--wait", status=BECAME_FAILURE)
    explained = world.json("explain", "refused")
    assert explained["state"] == "waiting-secret"
    assert [c["holds"] for c in explained["conditions"]] == [True, False]
    world.err(NOT_FOUND, "explain", "bob")


def test_verify(world):
    for name in ("alice", "deaf", "proxied"):
        world.add(f"{name}@example.org")
        world.run("set", name, "--name", name)
    assert world.out("verify", "alice") == "others reach alice@example.org: it came back \\x1b[31mat once\n"
    assert world.err(FAILED, "verify", "deaf") == (
        "muster: others may not reach deaf@example.org: nothing came within 8 s; 'muster explain' says what follows\n")
    assert world.err(REFUSED, "verify", "proxied") == (
        "muster: whether others reach proxied@example.org cannot be proven at its service: the service answered for us\n")
    rows = {line.split()[1]: line.split() for line in world.out("list").splitlines()}
    assert rows["ADDRESS"][4] == "REACHABLE"
    assert [rows[f"{name}@example.org"][4] for name in ("alice", "deaf", "proxied")] == ["proven", "failed", "unsupported"]
    assert world.json("show", "alice")["verified-at"] == "2025-07-05T07:20:00.123456Z"
    assert world.json("show", "deaf")["verification"] == "failed"
    assert world.json("verify", "alice") == [
        {"id": world.json("show", "alice")["id"], "address": "alice@example.org", "state": "registered", "verdict": "proven",
         "evidence": "it came back \x1b[31mat once"}]
    world.run("disable", "alice")
    assert "cannot verify alice@example.org: it is not registered (disabled)" in world.err(REFUSED, "verify", "alice")
    world.err(NOT_FOUND, "verify", "bob")


def test_bindings(world):
    world.add("alice@example.org")
    lines = world.out("bindings", "alice").splitlines()
    assert lines[0].split() == ["URI", "EXPIRES", "OURS", "DEVICE"]
    assert lines[1].split()[0] == "sip:here" and lines[2].endswith("a \\x1b[31mphone")
    assert world.json("bindings", "alice") == [
        {"uri": "sip:here", "expires-at": "2025-07-05T07:20:00.123456Z", "ours": True, "device": None},
        {"uri": "sip:there", "expires-at": None, "ours": False, "device": "a \x1b[31mphone"}]
    assert "cannot remove a binding of alice@example.org" in world.err(NOT_FOUND, "bindings", "alice", "--remove", "sip:x")
    assert world.out("bindings", "alice", "--remove", "sip:there") == "removed sip:there of alice@example.org\n"
    assert world.out("bindings", "alice", "--remove", "sip:here") == \
        "removed sip:here of alice@example.org, which registers again\n"
    removed = world.json("bindings", "alice", "--remove-all")
    assert (removed["address"], removed["uri"], removed["removed"], removed["ours"]) == ("alice@example.org", None, True, True)
    assert world.out("bindings", "alice") == ""
    world.err(USAGE, "bindings", "alice", "--remove", "sip:x", "--remove-all")
    world.err(NOT_FOUND, "bindings", "bob")


def test_remove_all_bindings_asks(world):
    """On a terminal, what other devices need is removed only after a yes."""
    world.add("alice@example.org")
    for answer, status, left in (("n", FAILED, 2), ("y", 0, 0)):
        terminal = world.terminal("bindings", "alice", "--remove-all")
        terminal.expect("those of other devices, too? [y/N]")
        terminal.type(f"{answer}\n")
        assert terminal.end() == status
        assert len(world.json("bindings", "alice")) == left
    world.add("carol@example.org")
    assert world.terminal("bindings", "carol", "--remove-all", "--yes").end() == 0


# Change


def test_set(world):
    world.add("alice@example.org", "--set", "port=5070", "--secret", "password=-", stdin="x")
    done = world.json("set", "alice", "verify=off", "--unset", "port", "--name", "Work")
    assert done["effect"] == "reregister" and done["detached"] == []
    account = world.json("show", "alice")
    assert account["parameters"] == {"verify": False} and account["name"] == "Work"
    assert world.json("set", "alice", "server=evil.example.org")["detached"] == ["password"]
    assert world.json("set", "alice", "--name", "Home")["effect"] == "none"
    assert world.out("set", "alice", "port=1") == "changed alice@example.org (it is registered again if it is enabled)\n"
    assert world.out("set", "alice", "--name", "Work") == "changed alice@example.org\n"


@pytest.mark.parametrize("arguments, status, hint", [
    (["alice", "prot=1"], USAGE, "did you mean 'port'"),
    (["alice", "--unset", "prot"], USAGE, "did you mean 'port'"),
    (["alice", "port=x"], USAGE, "whole number"),
    (["alice", "password=x"], USAGE, "is a secret"),
    (["alice", "port=70000"], REFUSED, "cannot change alice@example.org: 'port' is at most 65535"),
    (["bob", "port=1"], NOT_FOUND, "no account matches 'bob'"),
])
def test_set_refuses(world, arguments, status, hint):
    world.add("alice@example.org")
    assert hint in world.err(status, "set", *arguments)
    assert world.json("show", "alice")["parameters"] == {}


def test_secret(world):
    world.add("alice@example.org")
    assert world.out("secret", "alice", "password", "-", stdin="hunter2\n") == \
        "stored 'password' of alice@example.org\n"
    assert world.secret("alice@example.org", "password") == b"hunter2"
    fd = pipe_with(b"other")
    assert world.json("secret", "alice", "password", "--fd", str(fd), fds=(fd,))["stored"] is True
    assert world.secret("alice@example.org", "password") == b"other"
    assert world.json("secret", "alice", "password", "--clear")["stored"] is False
    assert world.json("show", "alice")["secrets"] == []
    assert "no secret 'password'" in world.err(NOT_FOUND, "secret", "alice", "password", "--clear")
    assert "did you mean 'token'" in world.err(USAGE, "secret", "alice", "tokn", "-", stdin="x")
    assert "'port' is no secret" in world.err(USAGE, "secret", "alice", "port", "-", stdin="x")
    terminal = world.terminal("secret", "alice", "token")
    terminal.expect("token of alice@example.org: ")
    terminal.type("asked\n")
    assert terminal.end() == OK and world.secret("alice@example.org", "token") == b"asked"


def test_enable_and_disable(world):
    for address in ("alice@example.org", "bob@example.org"):
        world.add(address)
    off = world.json("disable", "--wait", "alice", "bob")
    assert [(a["address"], a["state"], a["enabled"]) for a in off] == [
        ("alice@example.org", "disabled", False), ("bob@example.org", "disabled", False)]
    assert [a["state"] for a in world.json("enable", "bob", "--wait=5")] == ["registered"]
    for words in (["-w"], ["-w", "5"]):
        world.out("disable", "bob", "--wait")
        assert [a["state"] for a in world.json("enable", "bob", *words)] == ["registered"]
    world.out("disable", "--wait", "bob")
    assert "registered" in world.out("enable", "-w", "bob")
    assert [a["state"] for a in world.json("list")] == ["disabled", "registered"]


def test_many_selectors_go_on_after_an_error(world):
    world.add("alice@example.org")
    done = world.run("--json", "disable", "--wait", "nobody", "alice", status=NOT_FOUND)
    assert "'nobody'" in done.stderr
    assert [a["state"] for a in json.loads(done.stdout)] == ["disabled"]


def test_enable_waits_for_what_becomes_of_it(world):
    world.run("add", "echo", "refused@example.org", "--disabled")
    world.run("add", "echo", "slow@example.org", "--disabled")
    assert "waiting-secret" in world.err(BECAME_FAILURE, "enable", "--wait", "refused")
    world.err(TIMED_OUT, "enable", "--wait=1", "slow")
    world.run("enable", "slow")


def test_refresh(world):
    world.add("alice@example.org")
    assert world.json("refresh", "--wait", "alice")[0]["refreshes"] == 1
    world.run("set", "alice", "--name", "stuck")
    assert "is still registered" in world.err(TIMED_OUT, "refresh", "--wait=1", "alice")
    world.run("set", "alice", "--name", "turned down")
    world.err(BECAME_FAILURE, "refresh", "--wait", "alice")
    assert "cannot refresh alice@example.org: it is waiting-secret" in world.err(REFUSED, "refresh", "alice")
    world.err(NOT_FOUND, "refresh", "bob")


def test_retry(world):
    world.run("add", "echo", "failed@example.org", "--wait", status=BECAME_FAILURE)
    assert world.json("retry", "failed")[0]["state"] == "registering"
    world.run("add", "echo", "invalid@example.org", "--wait", status=BECAME_FAILURE)
    assert "is failed (invalid: the server has no name); nothing more" in world.err(BECAME_FAILURE, "retry", "invalid")
    world.add("alice@example.org")
    assert "nothing to retry" in world.err(REFUSED, "retry", "alice")


def test_remove(world):
    for address in ("alice@example.org", "bob@example.org", "carol@example.org"):
        world.add(address)
    assert world.out("remove", "alice") == "removed alice@example.org\n"
    removed = world.json("remove", "--yes", "bob")
    assert [(r["address"], r["removed"]) for r in removed] == [("bob@example.org", True)]
    world.err(NOT_FOUND, "remove", "bob")
    for answer, status, left in (("n\n", FAILED, 1), ("y\n", OK, 0)):
        terminal = world.terminal("remove", "carol")
        terminal.expect("Remove the echo account carol@example.org and its secrets? [y/N] ")
        terminal.type(answer)
        assert terminal.end() == status
        assert len(world.json("list")) == left
