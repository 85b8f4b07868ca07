# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where a service reaches an account's devices: seen, removed, and the own one made anew."""

import time

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from echo_all import EchoAll
from harness.muster import BUS_NAME, ROOT_PATH
from harness.process import wait_until

REFUSED = 8
NOT_FOUND = 5


@pytest.fixture
def service(muster, tmp_path):
    return EchoAll(muster, tmp_path, lease=600)


def fails(muster, status, words, *arguments):
    outcome = muster.run("bindings", *arguments)
    assert outcome.returncode == status and words in outcome.stderr, outcome


def test_another_device_is_seen_and_removed(service, muster):
    """What a lost phone left behind goes, and nothing else does."""
    service.send("device phone:1 Bob's phone", "device phone:2")
    listed = muster.json("bindings", service.address)
    assert [(each["uri"], each["ours"], each["device"]) for each in listed] == [
        (service.address, True, None), ("phone:1", False, "Bob's phone"), ("phone:2", False, None)]
    assert listed[0]["expires-at"] < listed[1]["expires-at"]

    service.log()
    assert muster.do("bindings", service.address, "--remove", "phone:1") == f"removed phone:1 of {service.address}\n"
    assert service.log("bindings", "unbind", "open", "refresh") == ["bindings", "unbind phone:1"]
    assert [each["uri"] for each in muster.json("bindings", service.address)] == [service.address, "phone:2"]
    fails(muster, NOT_FOUND, "its service has no such binding", service.address, "--remove", "phone:1")
    (event,) = muster.json("log", "--type", "binding.removed")
    assert event["address"] == service.address and event["payload"] == {"uri": "phone:1", "ours": False}


def test_the_own_one_comes_back(service, muster):
    """Whoever removes the own binding, or all, does not leave the account dark."""
    service.send("device phone:1")
    for removal, asked in ((("--remove", service.address), ["bindings", f"unbind {service.address}"]),
                           (("--remove-all", "--yes"), ["unbind-all"])):
        service.log()
        before = len(muster.json("log", "--type", "registration.created"))
        assert "which registers again" in muster.do("bindings", service.address, *removal)
        wait_until(lambda: len(muster.json("log", "--type", "registration.created")) > before, 10, "it is back")
        muster.wait_state(service.address, "registered")
        assert service.log("bindings", "unbind", "unbind-all", "open", "refresh") == [*asked, "open"]
    assert [each["uri"] for each in muster.json("bindings", service.address)] == [service.address]
    assert muster.json("log", "--type", "binding.removed")[-1]["payload"] == {"ours": True}
    assert muster.show(service.address)["error"] is None


def test_what_the_service_says_is_said(service, muster):
    """A refusal of the service, in its words; one that is not registered is not asked."""
    service.set(bind_error="forbidden")
    fails(muster, 1, "the parameter bind-error says so", service.address)
    for method, signature, arguments in (("ListBindings", "(a{sv})", ({},)),
                                         ("RemoveBinding", "(sa{sv})", ("phone:1", {})),
                                         ("RemoveAllBindings", "(a{sv})", ({},))):
        with pytest.raises(GLib.Error) as caught:
            muster.call("Registration", method, signature, arguments, path=f"{ROOT_PATH}/Account/{service.id}")
        assert Gio.DBusError.get_remote_error(caught.value) == f"{BUS_NAME}.Error.Forbidden"
    service.set(bind_error="unreachable", delay=0)
    service.log()
    muster.run("bindings", service.address, "--remove-all", "--yes")
    service.wait_log("refresh")  # nobody knows whether it has us still
    muster.do("disable", service.address, "--wait")
    fails(muster, REFUSED, "it is not registered (disabled), so its service cannot be asked", service.address)
    muster.add("echo", "ann@echo.test", secret="se:cret")
    fails(muster, REFUSED, "Echo does not say where it reaches an account", "ann@echo.test")


def test_a_service_that_is_slow(service, muster):
    """It is waited for, not for ever, and meanwhile nothing else waits."""
    service.set(delay=1500)
    began_s = time.monotonic()
    assert len(muster.json("bindings", service.address)) == 1
    assert 1 < time.monotonic() - began_s < 10
