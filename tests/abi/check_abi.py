# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds the SDK's ABI against what was written down: check_abi.py [--write] LIBRARY.

Two descriptions by abidw, compared by abidiff: of the functions that the installed headers declare,
as the library exports them, and of all types in these headers. The library alone would not do: what
plugins hand to the daemon (classes, tables) is an argument of no function. What the library exports
for the daemon only stands in no installed header, and is left out. doc/abi-policy.md says what may
change, and when the descriptions may be written anew.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
INCLUDE = os.path.join(ROOT, "include")
NO_SDK = ("muster-test.h",)  # promises no ABI
FUNCTIONS = os.path.join(HERE, "libmuster-1.abi")
TYPES = os.path.join(HERE, "libmuster-1-types.abi")

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
FUNCTION = re.compile(r"MUSTER_API\s+[^;(]*?\b(muster_\w+)\s*\(")
TYPE = re.compile(r"^(?:struct _|\}\s*)(Muster\w+)\s*(?:\{|;)", re.MULTILINE)


class Fault(Exception):
    """What is wrong, in words."""


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def must(*command):
    outcome = run(*command)
    if outcome.returncode != 0:
        raise Fault(f"{' '.join(command)}: status {outcome.returncode}\n{outcome.stdout}{outcome.stderr}")
    return outcome.stdout


def headers(include):
    text = ""
    for path in sorted(glob.glob(os.path.join(include, "muster", "*.h"))):
        if os.path.basename(path) not in NO_SDK:
            with open(path, encoding="utf-8") as file:
                text += COMMENT.sub("", file.read())
    return text


def functions_of(include):
    return sorted(set(FUNCTION.findall(headers(include))))


def types_of(include):
    return sorted(set(TYPE.findall(headers(include))))


def exported_by(library):
    return {line.split()[-1].split("@")[0] for line in must("nm", "-D", "--defined-only", library).splitlines()}


def abidw(library, out, *options):
    must("abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed",
         "--drop-undefined-syms", "--type-id-style", "hash", *options, "--out-file", out, library)


def describe_functions(library, include, out):
    names = functions_of(include)
    missing = sorted(set(names) - exported_by(library))
    if missing:
        raise Fault(f"declared and not exported: {', '.join(missing)}")
    with tempfile.NamedTemporaryFile("w", suffix=".list") as wanted:
        wanted.write("[abi_whitelist]\n" + "".join(f"  {name}\n" for name in names))
        wanted.flush()
        abidw(library, out, "--kmi-whitelist", wanted.name)


def describe_types(include, out):
    """By a library that does nothing but to have a variable of each."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = os.path.join(folder, "types.c"), os.path.join(folder, "types.so")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <muster/muster.h>\n")
            file.writelines(f"{name} *abi_of_{name};\n" for name in types_of(include))
        flags = must("pkg-config", "--cflags", "gio-2.0", "gmodule-2.0").split()
        must("cc", "-g", "-shared", "-fPIC", "-o", library, f"-I{include}", *flags, source)
        abidw(library, out)


def describe(library, include, folder):
    functions, types = os.path.join(folder, "functions.abi"), os.path.join(folder, "types.abi")
    describe_functions(library, include, functions)
    describe_types(include, types)
    return functions, types


def differences(library, include=INCLUDE):
    """What abidiff says, in its words; empty if all is as it was, or something was only added."""
    with tempfile.TemporaryDirectory() as folder:
        said = ""
        for old, new in zip((FUNCTIONS, TYPES), describe(library, include, folder)):
            outcome = run("abidiff", "--no-added-syms", "--no-architecture", old, new)
            if outcome.returncode != 0:
                said += outcome.stdout + outcome.stderr
        return said


def write(library):
    with tempfile.TemporaryDirectory() as folder:
        for path, new in zip((FUNCTIONS, TYPES), describe(library, INCLUDE, folder)):
            with open(new, encoding="utf-8") as file, open(path, "w", encoding="utf-8") as out:
                out.write(re.sub(r"(?<= path=')[^']*/", "", file.read()).rstrip() + "\n")  # wherever it was built
            print(f"written: {os.path.relpath(path, ROOT)}")


def main(arguments):
    library = arguments[-1]
    if arguments[0] == "--write":
        write(library)
        return 0
    said = differences(library)
    if said:
        print(said, "The ABI of the SDK is not what it was. If doc/abi-policy.md allows this change:",
              "tools/abi-dump BUILD, and say why in the commit.", sep="\n")
    else:
        print(f"{len(functions_of(INCLUDE))} functions and {len(types_of(INCLUDE))} types are as they were")
    return 1 if said else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Fault as fault:
        print(fault)
        sys.exit(1)
