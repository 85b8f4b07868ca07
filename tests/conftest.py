# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures for tests that run real processes. Each begins from nothing and ends what it began."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import secrets  # noqa: E402
from harness.bus import Bus  # noqa: E402
from harness.kamailio import Kamailio  # noqa: E402
from harness.keyring import Keyring, Listener  # noqa: E402
from harness.muster import Muster  # noqa: E402


@pytest.fixture
def bus(tmp_path):
    """A session bus that only this test is on."""
    bus = Bus(tmp_path / "bus")
    yield bus
    bus.end()


@pytest.fixture
def make_kamailio(tmp_path):
    """Starts registrars: make_kamailio ({"alice": "secret"}, nonce_expire=5)."""
    running = []

    def make(users, **options):
        kamailio = Kamailio(tmp_path / f"kamailio-{len(running)}", users, **options)
        running.append(kamailio)
        return kamailio

    yield make
    for each in running:
        each.stop()


@pytest.fixture
def keyring(bus, tmp_path):
    """The Secret Service of the test's bus, once the test has started it."""
    keyring = Keyring(tmp_path / "keyring", bus.address)
    yield keyring
    keyring.kill()


@pytest.fixture
def listener(bus, tmp_path):
    """Hears what the keyring is asked."""
    listener = Listener(tmp_path / "listener", bus.address)
    yield listener
    listener.end()


@pytest.fixture
def make_muster(bus, tmp_path):
    """Starts daemons on the test's bus: make_muster (), each with a home of its own unless told.

    They log all they can, and afterwards no log of the test may show a secret that a program was given.
    """
    running = []
    secrets.forget()

    def make(home=None, **options):
        muster = Muster(home or tmp_path / f"home-{len(running)}", bus.address, **options)
        running.append(muster)
        return muster

    yield make
    for each in running:
        each.stop()
    shown = secrets.files_with_secrets(tmp_path, secrets.given(), only=".log")
    assert not shown, "a log shows a secret"


@pytest.fixture
def muster(make_muster):
    """One daemon and its command line."""
    return make_muster()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """A test that was skipped proved nothing: the run fails."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = 1
