# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was measured: rows of bench, metric, unit, value, limit, rival, rival_value, ok."""

COLUMNS = ("bench", "metric", "unit", "value", "limit", "rival", "rival_value", "ok")


def _text(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)


class Rows:
    def __init__(self):
        self.all = []

    def of(self, bench):
        """A function that adds a row: (metric, unit, value, limit=, rival=, rival_value=).

        Every limit is an upper one. A row without one is for information and is always ok."""

        def add(metric, unit, value, limit=None, rival=None, rival_value=None):
            ok = limit is None or value <= limit
            self.all.append(dict(zip(COLUMNS, (bench, metric, unit, value, limit, rival, rival_value, ok))))

        return add

    def ok(self):
        return all(row["ok"] for row in self.all)

    def print(self):
        table = [COLUMNS] + [tuple(_text(row[column]) for column in COLUMNS) for row in self.all]
        widths = [max(map(len, column)) for column in zip(*table)]
        for line in table:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
