# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The SIP plugin's contract, tried without the daemon against a real kamailio."""

import json
import os
import subprocess

PASSWORD = "se:cret"
PLUGIN = os.path.join(os.environ["MUSTER_PLUGIN_PATH"], "muster-sip.so")


def test_the_contract_over_udp(make_kamailio, tmp_path):
    """Registered, refreshed, cancelled at every step, restarted, refused: and no binding is left."""
    kamailio = make_kamailio({"alice": PASSWORD})
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD, encoding="utf-8")
    with open(secret, "rb") as file:
        outcome = subprocess.run(
            [os.environ["MUSTER"], "plugin", "try", PLUGIN, "--address", "alice@example.test",
             "--set", f"server={kamailio.server}", "--secret-fd", f"password={file.fileno()}",
             "--checks", "password", "--real-io", "150", "--json"],
            pass_fds=(file.fileno(),), capture_output=True, text=True, timeout=170, check=False)
    report = json.loads(outcome.stdout)
    broken = [step for step in report["steps"] if not step["kept"]]
    assert not broken and outcome.returncode == 0, outcome.stderr
    assert len(report["steps"]) == 14
    refreshed = [each for each in kamailio.exchanges() if each.code == 200 and each.request.authorized]
    assert len(refreshed) > 20
    assert kamailio.bindings("alice") == []
