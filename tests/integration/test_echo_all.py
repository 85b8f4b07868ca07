# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service of plugins/echo-all, which the tests of presence, contacts, incoming and proofs play with."""

import os
import socket
import stat

import pytest

from echo_all import EchoAll, Unwilling
from harness.process import wait_until

BOB = "bob@all.test"


@pytest.fixture
def service(muster, tmp_path):
    return EchoAll(muster, tmp_path, contacts=f"{BOB}=available")


def test_it_follows_the_script_and_keeps_a_log(service):
    """Commands are done or refused with a reason; what the daemon asked can be read once."""
    assert service.log()[0] == "open"
    service.muster.do("refresh", service.address, "--wait")
    assert service.log("refresh", "open") == ["refresh"]
    assert service.log("refresh") == []
    service.send("call 1 bob@all.test Bob Builder", "message 2 carol@all.test hello\nthere", "waiting 1 2",
                 "contact bob@all.test dnd in a meeting", "ask dave@all.test", "cancel 1", "elsewhere 2")
    with pytest.raises(Unwilling, match="nothing waits with the id 1"):
        service.send("stale 1")
    with pytest.raises(Unwilling, match=r"it is written: call ID FROM \[NAME\]"):
        service.send("call 1")


def test_it_loses_the_registration(service):
    """The daemon reacts as the error says, and the socket stays."""
    service.log()
    service.send("lose unreachable")
    service.wait_log("open")
    service.muster.wait_state(service.address, "registered")
    service.set(open_error="forbidden")
    service.send("lose expired")
    service.muster.wait_state(service.address, "failed")
    assert service.log("open") == ["open"]
    service.set(open_error="")
    service.muster.wait_state(service.address, "registered")


def test_each_account_goes_by_its_own_script(service, muster, tmp_path):
    """What one account is told to do is not read by another, whichever was asked last."""
    other = EchoAll(muster, tmp_path, "carol@all.test", wait=False)
    wait_until(lambda: os.path.exists(other.path), 10, "the other account has its own socket")
    muster.wait_state(other.address, "registered")
    assert other.log()[0] == service.log()[0] == "open"


def test_the_socket_is_there_from_open_to_close(service):
    """Only its owner can write to it, and it goes with the registration."""
    assert stat.S_IMODE(os.stat(service.path).st_mode) == 0o600
    service.muster.do("disable", service.address, "--wait")
    assert not service.is_listening()
    service.muster.do("enable", service.address, "--wait")
    assert service.log("open", "close") == ["open", "close", "open"]
    service.muster.stop()
    assert not service.is_listening()


def test_a_changed_list_of_contacts_is_a_new_one(service):
    """The account starts from nothing, as with a service that it has not seen before."""
    service.send(f"denied {BOB}")
    service.muster.do("disable", service.address, "--wait")
    service.set(contacts="carol@all.test=away")
    service.muster.do("enable", service.address, "--wait")
    assert service.log("open", "close") == ["open"]
    service.send("denied carol@all.test")
    with pytest.raises(Unwilling, match="there is no such contact"):
        service.send(f"denied {BOB}")


def test_a_killed_daemon_leaves_a_socket_that_the_next_replaces(service):
    service.muster.kill()
    assert service.is_listening()
    service.muster.start()
    service.muster.wait_state(service.address, "registered")
    service.send("waiting 0 0")


def test_it_takes_no_path_from_anybody(muster, tmp_path):
    """A file stays what it is, and a socket that somebody reads from stays theirs."""
    file, taken = tmp_path / "file", tmp_path / "taken"
    file.write_text("precious")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(taken))
        for number, path in enumerate((file, taken, tmp_path / ("x" * 100), tmp_path / "no" / "folder")):
            address = f"ann{number}@all.test"
            muster.add("echo-all", address, wait=False, control=str(path))
            row = muster.wait_state(address, "failed")
            assert str(path) in row["error-details"]["message"], row
        assert stat.S_ISSOCK(os.stat(taken).st_mode)
    assert file.read_text() == "precious"


def test_two_accounts_do_not_share_a_socket(service):
    service.muster.add("echo-all", BOB, wait=False, control=service.path)
    service.muster.wait_state(BOB, "failed")
    service.send("waiting 0 0")


@pytest.mark.parametrize("name, value", [
    ("supported", "available,busy"), ("contacts", "bob=away"), ("contacts", "bob@all.test=asleep"),
    ("verdicts", "proven;missed"), ("publish-error", "sometimes"), ("control", "relative"),
])
def test_wrong_parameters(service, name, value):
    """They are refused with a sentence that says what is meant."""
    outcome = service.muster.run("set", service.address, f"{name}={value}")
    assert outcome.returncode != 0 and f'{name} cannot be "{value}"; it is ' in outcome.stderr


def test_commands_have_a_limit(service):
    assert service.ask("message 1 bob@all.test " + "x" * 4080) == "a command has at most 4096 bytes"
    assert service.ask("log\0") == "a command is text"
    assert service.ask("\x1b[2J") == "a command is printable UTF-8"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nobody:
        nobody.sendto(b"waiting 0 0", service.path)
    wait_until(lambda: service.ask("waiting 0 0") == "ok", 5, "it goes on after a sender without a name")
