# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the demo shows: a live table under scrolling lines on a terminal, plain lines elsewhere."""

import os
import shutil
import sys
import time

COLOURS = {
    "registered": "\033[32m",
    "refreshing": "\033[32m",
    "registering": "\033[33m",
    "unregistering": "\033[33m",
    "waiting-retry": "\033[33m",
    "waiting-network": "\033[33m",
    "failed": "\033[31m",
    "disabled": "\033[2m",
}
RESET, BOLD, DIM = "\033[0m", "\033[1m", "\033[2m"
BAR_CELLS = 10


class Screen:
    """Lines go up, the table stays at the bottom."""

    REDRAW_S = 0.1

    def __init__(self, stream=sys.stdout):
        self._stream = stream
        self._live = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._colours = self._live and "NO_COLOR" not in os.environ
        self._began = time.monotonic()
        self._n_drawn = 0
        self._drawn_at = 0.0

    def headline(self, text):
        self._write(f"\n{self._paint(BOLD, text)}")

    def line(self, text, colour=None):
        stamp = self._paint(DIM, f"{time.monotonic() - self._began:6.2f} s")
        self._write(f"{stamp}  {self._paint(colour, text)}")

    def last_line(self, text):
        self._erase()
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def state(self, address, state, detail):
        self.line(f"{address:<24} {state:<16} {detail}".rstrip(), COLOURS.get(state))

    def table(self, rows, now):
        """Each row an object with address, transport, state, refreshes, binding, since_s, expires_s."""
        if not self._live or time.monotonic() - self._drawn_at < self.REDRAW_S:
            return
        self._erase()
        width = shutil.get_terminal_size().columns - 1
        head = f"{'account':<24} {'over':<4} {'state':<16} {'lease':<{BAR_CELLS + 6}} {'refreshed':>9}  binding"
        lines = ["", head[:max(0, width)]]  # a line that wraps would not be erased whole
        for row in rows:
            start = f"{row.address:<24} {row.transport:<4} "
            state = f"{row.state:<16}"
            rest = f" {self._bar(row, now)} {row.n_refreshed:>9}  {row.binding}"
            rest = rest[:max(0, width - len(start) - len(state))]
            lines.append(start + self._paint(COLOURS.get(row.state), state) + rest)
        self._stream.write("".join(f"{line}\n" for line in lines))
        self._stream.flush()
        self._n_drawn = len(lines)
        self._drawn_at = time.monotonic()

    @staticmethod
    def _bar(row, now):
        if not row.expires_s or row.expires_s <= now or not row.lease_s:
            return " " * (BAR_CELLS + 6)
        left_s = row.expires_s - now
        n_full = min(BAR_CELLS, round(BAR_CELLS * left_s / row.lease_s))
        return "#" * n_full + "." * (BAR_CELLS - n_full) + f" {left_s:3.0f} s"

    def _write(self, text):
        self._erase()
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def _erase(self):
        if self._n_drawn:
            self._stream.write(f"\033[{self._n_drawn}A\033[J")
            self._n_drawn = 0
            self._drawn_at = 0.0

    def _paint(self, colour, text):
        return f"{colour}{text}{RESET}" if colour and self._colours else text
