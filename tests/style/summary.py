# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The end of tools/check: reads Meson's logs and says what passed, in a table and in one last line.

Arguments: BUILD-DIRECTORY:SUITE for each suite that was asked for. A suite without a single result
failed: it was not run, or it lost its tests. So did each test that was skipped.
"""

import collections
import json
import os
import sys

PASSED = ("OK", "EXPECTEDFAIL")


def read_results(directory):
    """Each test of the directory's last run, as (suite, name, result, seconds)."""
    path = os.path.join(directory, "meson-logs", "testlog.json")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as log:
        rows = [json.loads(line) for line in log if line.strip()]
    return [(suite.split(":")[-1], row["name"].split(" / ")[-1], row["result"], row["duration"])
            for row in rows for suite in row.get("suite", [row["name"].split(" / ")[0]])]


def summarise(wanted):
    """Lines to print, and how many tests passed and failed."""
    results = {directory: read_results(directory) for directory, _ in wanted}
    lines, failures = [], []
    n_passed = n_failed = 0
    for directory, suite in wanted:
        rows = [row for row in results[directory] if row[0] == suite]
        label = suite if directory == "build" else f"{suite} ({directory})"
        count = collections.Counter("passed" if row[2] in PASSED else "failed" for row in rows)
        if not rows:
            count["failed"] = 1
            failures.append(f"{label}: no test ran")
        failures += [f"{label}: {name}: {result.lower()}" for _, name, result, _ in rows if result not in PASSED]
        seconds = sum(row[3] for row in rows)
        lines.append(f"{label:<20} {count['passed']:4} passed {count['failed']:4} failed {seconds:8.1f} s")
        n_passed += count["passed"]
        n_failed += count["failed"]
    return [*lines, *failures], n_passed, n_failed


def main(arguments):
    wanted = [tuple(each.rsplit(":", 1)) for each in arguments]
    lines, n_passed, n_failed = summarise(wanted)
    print("", *lines, "", f"{n_passed} passed, {n_failed} failed", sep="\n")
    return 0 if n_failed == 0 and n_passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
