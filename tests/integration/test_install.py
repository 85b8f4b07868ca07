# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An installed Muster is started by the first command that needs it. MUSTER_BUILD is what is installed."""

import glob
import os
import re
import subprocess

import pytest

from harness.bus import Bus
from harness.process import private_environment, wait_until

BUILD = os.environ["MUSTER_BUILD"]


class Installation:
    """As a distribution stages it: under a folder of the test, made for another."""

    def __init__(self, folder):
        self.stage = os.path.join(folder, "stage")
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", self.stage],
                       env={**os.environ, "PATH": "/usr/bin:/bin"}, check=True)
        self.command = self.find("bin/muster")
        self.library_path = os.path.dirname(self.find("libmuster-1.so.1"))

    def find(self, name):
        (path,) = glob.glob(f"{self.stage}/**/{name}", recursive=True)
        return path

    def program(self, service, key):
        """The one that an installed file starts, and the file's text."""
        with open(self.find(service), encoding="utf-8") as file:
            text = file.read()
        return re.search(rf"^{key}=.*?(/\S*/musterd)$", text, re.M)[1], text


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    return Installation(str(tmp_path_factory.mktemp("install")))


@pytest.mark.parametrize("service, key", [("dbus-1/services/org.muster.Muster1.service", "Exec"),
                                          ("systemd/user/musterd.service", "ExecStart")])
def test_what_services_start_is_there(installation, service, key):
    path, _ = installation.program(service, key)
    assert os.access(installation.stage + path, os.X_OK)


def test_the_bus_starts_the_daemon(installation, tmp_path):
    """Muster was just installed; nobody has started anything."""
    path, text = installation.program("dbus-1/services/org.muster.Muster1.service", "Exec")
    environment = private_environment(tmp_path / "home")
    environment["LD_LIBRARY_PATH"] = installation.library_path
    here = " ".join(f"{key}={value}" for key, value in environment.items() if key not in ("TERM", "COLUMNS"))
    services = tmp_path / "services"
    services.mkdir()
    text = text.replace("SystemdService=musterd.service\n", "").replace(path, f"{here} {installation.stage}{path}")
    (services / "org.muster.Muster1.service").write_text(text)
    bus = Bus(str(tmp_path / "bus"), service_dir=services)
    try:
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus.address
        outcome = subprocess.run([installation.command, "status"], env=environment, text=True, capture_output=True,
                                 check=False, timeout=30)
        assert outcome.returncode == 0, outcome.stderr
        assert "accounts=0" in outcome.stdout
        daemon = subprocess.run(
            ["dbus-send", f"--bus={bus.address}", "--print-reply=literal", "--dest=org.freedesktop.DBus",
             "/org/freedesktop/DBus", "org.freedesktop.DBus.GetConnectionUnixProcessID", "string:org.muster.Muster1"],
            text=True, capture_output=True, check=True).stdout.split()[-1]
    finally:
        bus.end()
    wait_until(lambda: not os.path.exists(f"/proc/{daemon}/exe"), 15, "the daemon ended with its bus")
