# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs one checker of Debian over all files it is for: check_tool.py NAME [BUILD-DIRECTORY].

A checker that finds none of its files fails, so that a wrong pattern cannot pass for a clean tree.
"""

import os
import subprocess
import sys
import tempfile

import tree


# Macros that it does not know and need not.
CPPCHECK_BLANK = ("-DG_DEFINE_QUARK(a,b)=", "-DG_DEFINE_EXTENDED_ERROR(a,b)=", "-DMUSTER_API=",
                  "-DG_GNUC_PRINTF(a,b)=")
# NULL is a pointer on every system that has GLib; leaks are the sanitizers' part, which see ownership
# where this one guesses it.
CPPCHECK_SUPPRESSED = ("--suppress=varFuncNullUB", "--suppress=memleak")


def run(*command):
    return subprocess.run(command, cwd=tree.ROOT, check=False).returncode


def clang_format(paths, _build):
    return run("clang-format", "--dry-run", "-Werror", "--style=file", *paths)


def shellcheck(paths, _build):
    return run("shellcheck", *paths)


def xmllint(paths, _build):
    return run("xmllint", "--noout", "--nonet", *paths)


def compile_python(paths, _build):
    """Compiled in memory: nothing is left in the tree."""
    status = 0
    for path in paths:
        try:
            compile(tree.read(path), path, "exec", dont_inherit=True)
        except SyntaxError as error:
            print(f"{path}:{error.lineno}: {error.msg}")
            status = 1
    return status


def mandoc(paths, _build):
    return run("mandoc", "-T", "lint", "-W", "warning", *paths)


def cppcheck(paths, build):
    cache = os.path.join(build or tempfile.gettempdir(), "cppcheck")
    os.makedirs(cache, exist_ok=True)
    return run("cppcheck", "--quiet", "-j2", "--error-exitcode=1", "--std=c11", "--enable=warning,portability",
               "--library=gtk", *CPPCHECK_BLANK, *CPPCHECK_SUPPRESSED, "--inline-suppr", f"--cppcheck-build-dir={cache}",
               "-I", "include", "-I", "core", "-I", "core/sdk", *[path for path in paths if path.endswith(".c")])


def systemd_unit(paths, _build):
    """The unit stands for an installed program, so it is tried with one that is here."""
    with tempfile.TemporaryDirectory() as directory:
        copies = []
        for path in paths:
            name = os.path.basename(path).removesuffix(".in")
            copies.append(os.path.join(directory, name))
            with open(copies[-1], "w", encoding="utf-8") as copy:
                copy.write(tree.read(path).replace("@libexecdir@/musterd", "/bin/true"))
        environment = {**os.environ, "XDG_RUNTIME_DIR": directory}
        verified = subprocess.run(["systemd-analyze", "--user", "--man=no", "verify", *copies], check=False,
                                  env=environment).returncode
        # Of 10 (exposed) to 0, times 10. What is left needs privileges that a user's manager has not.
        exposed = subprocess.run(["systemd-analyze", "--offline=true", "--threshold=65", "security", *copies],
                                 check=False, env=environment, stdout=subprocess.PIPE, text=True)
        print(exposed.stdout.splitlines()[-1] if exposed.stdout else "")
        return verified or exposed.returncode


def in_folder(folder, *endings):
    return lambda: [path for path in tree.files() if path.startswith(folder) and path.endswith(endings)]


CHECKS = {
    "clang-format": (clang_format, tree.c_files),
    "shellcheck": (shellcheck, tree.shell_files),
    "xmllint": (xmllint, in_folder("data/", ".xml")),
    "python": (compile_python, tree.python_files),
    "mandoc": (mandoc, in_folder("doc/man/", ".1", ".5", ".8")),
    "cppcheck": (cppcheck, tree.c_files),
    "systemd": (systemd_unit, in_folder("data/systemd/", ".service.in")),
}


def main(name, build=None):
    check, find = CHECKS[name]
    paths = find()
    if not paths:
        print(f"{name}: no files to check")
        return 1
    status = check(paths, build)
    print(f"{name}: {len(paths)} files, {'faults' if status else 'clean'}")
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
