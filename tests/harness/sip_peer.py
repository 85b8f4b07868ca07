# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The SIP registrar of tests/peers/sip, as a program."""

import os

from harness.process import Process, wait_until

TRANSCRIPTS = os.path.join(os.path.dirname(__file__), "..", "transcripts", "sip")


class SipPeer:
    """It does what a scenario says, or what a transcript has for the account `user`, until it is ended."""

    def __init__(self, log_path, *, scenario="ok", transcript=None, user="alice", port=0):
        words = [os.path.join(os.environ["MUSTER_BUILD"], "tests", "peers", "sip", "muster-sip-peer"),
                 "--scenario", scenario, "--user", user, "--port", port]
        if transcript is not None:
            words += ["--transcript", os.path.join(TRANSCRIPTS, f"{transcript}.txt")]
        self._process = Process("muster-sip-peer", words, log_path)
        self.port = int(wait_until(lambda: self.lines()[:1], 5, "the peer's port")[0])
        self.server = f"127.0.0.1:{self.port}"

    def lines(self):
        """What it printed: its port, then the first lines of requests."""
        return self._process.log().split("\n")[:-1]

    def end(self):
        self._process.end(5)
