# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""House rules that no general checker knows. Each rule is a function that yields its faults."""

import os
import re
import sys

import tree

MAX_LINES = 1200

# Only these may read or set a clock of the system: everything else waits on the hub, so that tests
# can tell the time.
CLOCK_OWNERS = {
    "core/sdk/muster-clock.c": "is the clock",
    "core/runtime/muster-crash-record.c": "ends a process that is crashing already, outside of the main loop",
    "core/store/muster-store-writer.c": "is a thread that waits on a GCond, which counts on that clock",
    "plugins/sip/muster-sip-sofia.c": "repairs a source of Sofia's that GLib itself times",
}
CLOCK = re.compile(
    r"\b(?:sleep|usleep|nanosleep|clock_nanosleep|time|alarm|gettimeofday|clock_gettime|g_usleep|"
    r"g_get_monotonic_time|g_get_real_time|g_date_time_new_now\w*|g_timeout_add\w*|g_timeout_source_new\w*)\s*\(")

BLOCKING = re.compile(r"\b(?:g_main_loop_run|g_main_context_iteration|su_root_run|su_root_step)\s*\(")
LOOP_OWNERS = {
    "core/main.c": "is the main loop",
}

# Written so that the patterns do not match themselves.
FOREIGN_PATH = re.compile(r"(?<![\w.@}])/(?:home|root|work)/[A-Za-z0-9_.]")
MARK = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b")

FOLDERS_WITHOUT_README = {
    ".": "README.md is the project's own",
    ".ci": "one file that calls tools/check",
}
SOURCE_ENDINGS = (".c", ".h", ".py", ".sql", ".xml", ".json", ".in", ".sh")


def strip_comments(text):
    """C without comments and string contents, line by line as before."""

    def blank(match):
        return "\n" * match.group(0).count("\n") if match.group(0).startswith("/") else '""'

    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.DOTALL)


def matches(paths, pattern, owners, words):
    for path in paths:
        if path in owners:
            continue
        for number, line in enumerate(strip_comments(tree.read(path)).split("\n"), 1):
            found = pattern.search(line)
            if found:
                yield f"{path}:{number}: {found.group(0).rstrip('(').strip()}: {words}"


def shipped_c():
    return [path for path in tree.c_files() if path.startswith(("core/", "plugins/", "include/"))
            and "/tests/" not in path]


def clock_has_one_owner():
    yield from matches(shipped_c(), CLOCK, CLOCK_OWNERS, "only the hub and its clock know the time")


def no_nested_loops():
    yield from matches(shipped_c(), BLOCKING, LOOP_OWNERS, "nothing may run a main loop inside the main loop")


def allow_lists_are_alive():
    for pattern, owners in ((CLOCK, CLOCK_OWNERS), (BLOCKING, LOOP_OWNERS)):
        for path in owners:
            if path not in tree.files() or not pattern.search(strip_comments(tree.read(path))):
                yield f"tests/style/check_tree.py: allows {path}, which does not need it"


def files_have_one_noun():
    for path in tree.files():
        if path.endswith((*SOURCE_ENDINGS, ".md")) or tree.shebang(path):
            n_lines = tree.read(path).count("\n")
            if n_lines > MAX_LINES:
                yield f"{path}: {n_lines} lines, more than {MAX_LINES}: look for the second noun"


def folders_say_what_they_are():
    folders = {os.path.dirname(path) or "." for path in tree.files()
               if path.endswith(SOURCE_ENDINGS) or tree.shebang(path)}
    for folder in sorted(folders - set(FOLDERS_WITHOUT_README)):
        if os.path.basename(folder) == "tests" and folder != "tests":
            continue  # a part's own tests, which its README speaks for
        if not os.path.exists(os.path.join(tree.ROOT, folder, "README.md")):
            yield f"{folder}: no README.md that says what lives here and what it may depend on"


def nothing_of_one_machine():
    for path in tree.files():
        try:
            lines = tree.read(path).split("\n")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            if FOREIGN_PATH.search(line):
                yield f"{path}:{number}: a path of one machine"


def nothing_is_put_off():
    for path in tree.files():
        if path.endswith(SOURCE_ENDINGS) or tree.shebang(path):
            for number, line in enumerate(tree.read(path).split("\n"), 1):
                if MARK.search(line):
                    yield f"{path}:{number}: finish it or open an issue"


def public_headers_are_installed():
    folder = "include/muster"
    build = tree.read(f"{folder}/meson.build")
    umbrella = tree.read(f"{folder}/muster.h")
    for path in tree.files():
        name = os.path.basename(path)
        if os.path.dirname(path) != folder or not name.endswith(".h"):
            continue
        if f"'{name}'" not in build:
            yield f"{path}: not installed by {folder}/meson.build"
        if name != "muster.h" and f"<muster/{name}>" not in umbrella:
            yield f"{path}: not included by muster.h"


def scripts_can_be_run():
    for path in tree.files():
        if tree.shebang(path) and not os.access(os.path.join(tree.ROOT, path), os.X_OK):
            yield f"{path}: begins with #! and has no run bit"


RULES = (
    clock_has_one_owner,
    no_nested_loops,
    allow_lists_are_alive,
    files_have_one_noun,
    folders_say_what_they_are,
    nothing_of_one_machine,
    nothing_is_put_off,
    public_headers_are_installed,
    scripts_can_be_run,
)


def main():
    faults = [fault for rule in RULES for fault in rule()]
    print(*faults, f"{len(RULES)} rules, {len(faults)} faults", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
