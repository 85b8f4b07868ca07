# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs benchmarks by name and tells what they found: a table for people, rows for programs."""

import argparse
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import bench_core  # noqa: E402
import bench_events  # noqa: E402
import bench_link  # noqa: E402
import bench_sip  # noqa: E402
import bench_streams  # noqa: E402
from bench_rows import Rows  # noqa: E402
from bench_site import Site  # noqa: E402

BENCHES = {"core": bench_core.run, "sip": bench_sip.run, "sip-streams": bench_streams.run, "sip-link": bench_link.run,
           "sip-events": bench_events.run}


def parse():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)}; all by default")
    parser.add_argument("--json", metavar="FILE", help="write the rows there, too")
    parser.add_argument("--accounts", type=int, default=10000, metavar="N", help="how many (10000)")
    parser.add_argument("--smoke", action="store_true", help="only that it runs: few accounts, no limits")
    parser.add_argument("--build", required=True, metavar="DIRECTORY", help="with the built programs")
    options = parser.parse_args()
    for name in options.names:
        if name not in BENCHES:
            parser.error(f"there is no benchmark {name}, but {', '.join(BENCHES)}")
    return options


def main():
    options = parse()
    rows = Rows()
    for name in options.names or BENCHES:
        with tempfile.TemporaryDirectory(prefix="muster-bench-") as directory:
            site = Site(directory, options.build, 40 if options.smoke else options.accounts, options.smoke)
            try:
                BENCHES[name](site, rows.of(name))
            finally:
                site.end()
    rows.print()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows.all, file, indent=1)
            file.write("\n")
    return 0 if options.smoke or rows.ok() else 1


if __name__ == "__main__":
    sys.exit(main())
