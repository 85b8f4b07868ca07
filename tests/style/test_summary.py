# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The judge is judged: what tools/check says of passed, failed, skipped, timed out and missing tests."""

import json
import os
import sys
import tempfile
import unittest

import summary


class SummaryTest(unittest.TestCase):
    def outcome(self, results, wanted):
        with tempfile.TemporaryDirectory() as build:
            os.mkdir(os.path.join(build, "meson-logs"))
            with open(os.path.join(build, "meson-logs", "testlog.json"), "w", encoding="utf-8") as log:
                for suite, name, result in results:
                    row = {"name": f"muster:{suite} / {name}", "suite": [f"muster:{suite}"], "result": result,
                           "duration": 0.5}
                    log.write(json.dumps(row) + "\n")
            return summary.summarise([(build, suite) for suite in wanted])

    def test_passed(self):
        lines, n_passed, n_failed = self.outcome([("unit", "a", "OK"), ("style", "b", "OK")], ["unit", "style"])
        self.assertEqual((n_passed, n_failed, len(lines)), (2, 0, 2))

    def test_everything_else_fails_and_is_named(self):
        for result in ("FAIL", "SKIP", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS"):
            lines, n_passed, n_failed = self.outcome([("unit", "a", "OK"), ("unit", "bad", result)], ["unit"])
            self.assertEqual((n_passed, n_failed), (1, 1), result)
            self.assertTrue(any("bad" in line and result.lower() in line for line in lines), lines)

    def test_a_suite_without_results_fails(self):
        lines, n_passed, n_failed = self.outcome([("unit", "a", "OK")], ["unit", "interop"])
        self.assertEqual((n_passed, n_failed), (1, 1))
        self.assertTrue(any("interop" in line and "no test ran" in line for line in lines), lines)

    def test_no_log_at_all_fails(self):
        self.assertEqual(summary.summarise([("/nonexistent", "unit")])[1:], (0, 1))


if __name__ == "__main__":
    sys.exit(unittest.main())
