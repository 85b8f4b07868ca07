# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""White space and licence lines of every text file in the tree."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "style"))

import tree  # noqa: E402

SPDX = ("SPDX-FileCopyrightText: 2026 The Muster authors", "SPDX-License-Identifier: LGPL-2.1-or-later")
SOURCE_ENDINGS = (".c", ".h", ".py", ".sh", ".sql", ".xml", ".in", ".service", ".1", ".5", ".8", ".build", ".options")
NO_SPDX = {
    "COPYING": "the licence itself",
}
FOREIGN_WHITE_SPACE = ("tests/transcripts/", "COPYING")  # recorded bytes; the FSF's page breaks
LINES_LOOKED_AT = 6


def is_source(path):
    return path.endswith(SOURCE_ENDINGS) or bool(tree.shebang(path))


def faults_of(path):
    try:
        text = tree.read(path)
    except UnicodeDecodeError:
        return []  # not text
    found = []
    lines = text.split("\n")
    if not path.startswith(FOREIGN_WHITE_SPACE):
        found += [f"{path}:{number}: white space at the end of the line"
                  for number, line in enumerate(lines, 1) if line != line.rstrip()]
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            found.append(f"{path}: must end in exactly one newline")
    if "\r\n" in text and not path.startswith(FOREIGN_WHITE_SPACE):
        found.append(f"{path}: carriage returns")
    if is_source(path) and path not in NO_SPDX:
        head = "\n".join(lines[:LINES_LOOKED_AT])
        found += [f"{path}: no line '{line}' at its head" for line in SPDX if line not in head]
    return found


def main():
    paths = tree.files()
    faults = [fault for path in paths for fault in faults_of(path)]
    print(*faults, f"{len(paths)} files, {len(faults)} faults", sep="\n")
    return 1 if faults or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
