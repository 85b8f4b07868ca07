# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Green, but calls do not arrive: accounts prove that others reach them, and what that comes to is said."""

import sqlite3
import time

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from echo_all import EchoAll  # noqa: E402
from harness.muster import BUS_NAME, ROOT_PATH  # noqa: E402
from harness.process import wait_until  # noqa: E402

ERROR = f"{BUS_NAME}.Error."
FAILED, REFUSED = 1, 8
MINUTE_S = 60
PROVEN, UNPROVEN = 1, 2  # as they are stored


@pytest.fixture
def make_service(muster, tmp_path):
    return lambda **parameters: EchoAll(muster, tmp_path, **parameters)


def path_of(service):
    return f"{ROOT_PATH}/Account/{service.id}"


def properties(service):
    return service.muster.get_all("Registration", path=path_of(service))


def condition(service, name="reachable"):
    """Whether it holds, and its sentence."""
    (conditions,) = service.muster.call("Registration", "Explain", "(a{sv})", ({},), path=path_of(service))
    return {each[0]: each[1:] for each in conditions}.get(name)


def verify(service):
    """The verdict and the evidence, or the name and the words of the error."""
    try:
        return service.muster.call("Registration", "Verify", "(a{sv})", ({},), path=path_of(service))
    except GLib.Error as error:
        name = Gio.DBusError.get_remote_error(error)
        return name, error.message.removeprefix(f"GDBus.Error:{name}: ")


def hear(found, what):
    """Read what the bus sends until something is found; returns that."""

    def heard():
        while GLib.MainContext.default().iteration(False):
            pass
        return found()

    return wait_until(heard, 15, what)


def kept(service):
    """The account's events about proofs in the journal."""
    events = service.muster.json("log", service.address)
    return [event for event in events if event["type"] in ("registration.proven", "registration.unproven")]


def test_nothing_is_claimed_before(make_service):
    """As long as nothing could be sent, nothing is claimed, and when it is tried is said."""
    service = make_service(verdicts="error")
    before = properties(service)
    assert (before["Verification"], before["VerifiedAt"]) == ("", 0)
    assert 0 < before["NextVerificationAt"] - time.time() * 1e6 < MINUTE_S * 1e6
    holds, sentence = condition(service)
    assert not holds and sentence.startswith("not proven")


def test_it_proves_itself(muster, make_service):
    """Nobody asks, and some seconds after it registered it is known that others reach it; and then it is quiet."""
    changes = []
    subscription = muster.connection.signal_subscribe(
        BUS_NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged", None, None, 0,
        lambda *args: changes.append(args[5].unpack()[1]))
    service = make_service()
    (told,) = hear(lambda: [each for each in changes if each.get("Verification")], "its proof is told")
    muster.connection.signal_unsubscribe(subscription)
    assert set(told) == {"Verification", "VerifiedAt", "VerificationEvidence"}
    assert (told["Verification"], told["VerificationEvidence"]) == ("proven", "the script says proven")
    assert abs(told["VerifiedAt"] - time.time() * 1e6) < 5e6
    assert 13 * MINUTE_S * 1e6 < properties(service)["NextVerificationAt"] - told["VerifiedAt"] < 15.1 * MINUTE_S * 1e6
    assert service.log("verify") == ["verify"]
    assert condition(service)[0] and "the script says proven" in condition(service)[1]
    assert service.muster.get("Manager", "Counters")["proven"] == 1
    assert " proven " in service.muster.do("list")
    assert [each["payload"] for each in kept(service)] == [{"evidence": "the script says proven"}]


def test_it_breaks_and_is_mended(make_service):
    """It was reached, and is no longer: registered again once, then it is said; and said when it is over."""
    service = make_service(verdicts="proven,missed")
    assert verify(service) == ("proven", "the script says proven")
    service.log()
    assert verify(service)[0] == "missed"
    assert properties(service)["Verification"] == "proven"  # one alone may be chance
    assert verify(service)[0] == "missed"
    service.wait_log("refresh")
    row = service.muster.wait_for(service.address, 15, "failed", lambda row: row["verification"] == "failed")
    assert row["state"] == "registered" and row["verification-evidence"] == "the script says missed"
    assert verify(service)[0] == "missed"
    assert service.log("refresh") == []
    holds, sentence = condition(service)
    assert not holds and "others may not reach it" in sentence and f"muster verify {service.id}" in sentence
    assert service.muster.get("Manager", "Counters")["unproven"] == 1
    assert " failed " in service.muster.do("list")
    outcome = service.muster.run("verify", service.address)
    assert outcome.returncode == FAILED and "others may not reach" in outcome.stderr and not outcome.stdout

    service.set(verdicts="proven")
    assert service.muster.do("verify", service.address) == f"others reach {service.address}: the script says proven\n"
    assert condition(service)[0]
    assert [each["type"] for each in kept(service)] == [
        "registration.proven", "registration.unproven", "registration.proven"]


def test_nothing_is_proven(make_service):
    """A service that answers for us, one that never sends, and one to which nothing can be sent: not green, not red."""
    service = make_service(verdicts="unsupported")
    assert verify(service) == ("unsupported", "the script says unsupported")
    row = service.muster.show(service.address)
    assert row["verification"] == "unsupported" and row["verified-at"] is None and row["state"] == "registered"
    assert "not known" in condition(service)[1]
    assert properties(service)["NextVerificationAt"] > time.time() * 1e6 + 20 * 3600e6
    assert service.muster.run("verify", service.address).returncode == REFUSED
    service.set(verdicts="missed")
    assert verify(service)[0] == "missed"
    assert properties(service)["Verification"] == "unsupported"
    assert service.log("refresh") == []
    service.set(verdicts="error")
    assert verify(service) == (f"{ERROR}Unreachable", "the parameter verdicts says so")
    outcome = service.muster.run("verify", service.address)
    assert outcome.returncode == FAILED and "the parameter verdicts says so" in outcome.stderr
    assert kept(service) == []


def test_a_proof_ends_with_its_registration(make_service):
    """What is lost is not reached; and what is back has to be proven anew."""
    service = make_service()
    assert verify(service)[0] == "proven"
    service.muster.do("disable", service.address, "--wait")
    after = properties(service)
    assert after["Verification"] == "" and after["VerifiedAt"] > 0 and after["NextVerificationAt"] == 0
    holds, sentence = condition(service)
    assert not holds and "last proven" in sentence
    name, words = verify(service)
    assert name == f"{ERROR}WrongState" and "not registered (disabled)" in words
    service.set(verdicts="error")
    service.muster.do("enable", service.address, "--wait")
    assert properties(service)["Verification"] == ""
    service.set(verdicts="proven")
    wait_until(lambda: verify(service)[0] == "proven", 10, "its proof")
    assert verify(service)[0] == "proven"
    assert len(kept(service)) == 1


def wait_written(service, proof):
    """Wait until what is known of the account would outlive the daemon."""

    def written():
        with sqlite3.connect(f"file:{service.muster.database}?mode=ro", uri=True) as database:
            return database.execute("SELECT proof FROM runtime WHERE account = ?", (service.id,)).fetchone() == (proof,)

    wait_until(written, 5, f"{proof} is written")


def restart(service, proof):
    wait_written(service, proof)
    service.muster.kill()
    service.muster.start()
    service.muster.wait_state(service.address, "registered")


def test_what_was_proven_outlives_the_daemon(make_service):
    """After a restart a miss is a miss, not what a service does that never answered; nobody is told twice."""
    service = make_service()
    assert verify(service)[0] == "proven"
    service.set(verdicts="missed")
    for proof in (PROVEN, UNPROVEN):
        restart(service, proof)
        assert verify(service)[0] == "missed" and properties(service)["Verification"] == ""
        assert verify(service)[0] == "missed"
        service.wait_log("refresh")
        wait_until(lambda: verify(service)[0] == "missed" and properties(service)["Verification"] == "failed", 15,
                   "it failed")
        assert [each["type"] for each in kept(service)] == ["registration.proven", "registration.unproven"]
    service.set(verdicts="proven")
    restart(service, UNPROVEN)
    assert verify(service)[0] == "proven"
    restart(service, PROVEN)
    assert verify(service)[0] == "proven"
    assert [each["type"] for each in kept(service)] == [
        "registration.proven", "registration.unproven", "registration.proven"]


@pytest.mark.parametrize("restarted", ["before", "after"])
def test_what_was_proven_is_of_the_old_place(make_service, restarted):
    """An account that goes elsewhere was never proven there, in this run or the next."""
    service = make_service()
    assert verify(service)[0] == "proven"
    wait_written(service, PROVEN)
    service.muster.do("disable", service.address, "--wait")
    if restarted == "before":
        service.muster.kill()
        service.muster.start()
    service.set(contacts="bob@all.test=available", verdicts="missed")  # the first has it made anew
    if restarted == "after":
        service.muster.kill()
        service.muster.start()
    service.muster.do("enable", service.address, "--wait")
    assert verify(service)[0] == "missed"
    assert properties(service)["Verification"] == "unsupported"


def test_a_protocol_that_cannot(muster):
    """It says so, and claims nothing."""
    muster.add("echo", "ann@echo.test")
    outcome = muster.run("verify", "ann@echo.test")
    assert outcome.returncode == REFUSED
    assert outcome.stderr == "muster: cannot verify ann@echo.test: Echo has no way to prove that others reach an account\n"
    row = muster.show("ann@echo.test")
    assert row["verification"] is None and row["next-verification-at"] is None
    assert "reachable" not in muster.do("explain", "ann@echo.test") and "REACHABLE" not in muster.do("list")


def test_it_is_removed_meanwhile(make_service):
    """Who asks about an account that goes is told so."""
    service = make_service(delay=3000)
    answers = []
    service.muster.connection.call(
        BUS_NAME, path_of(service), f"{BUS_NAME}.Registration", "Verify", GLib.Variant("(a{sv})", ({},)), None, 0, 20000,
        None, lambda connection, result: answers.append(result))
    service.muster.connection.flush_sync(None)
    service.muster.do("remove", service.address, "--yes")
    (answer,) = hear(lambda: answers, "an answer")
    with pytest.raises(GLib.Error, match="it is not registered any more"):
        service.muster.connection.call_finish(answer)
