# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The project's own files: what git tracks or would track, or everything where there is no git."""

import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOT_SOURCES = (".git", "__pycache__", ".pytest_cache")


def files():
    """Relative paths, sorted."""
    git = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, text=True, check=False) if _has_git() else None
    if git is not None and git.returncode == 0 and git.stdout:
        paths = git.stdout.split("\0")
    else:
        paths = _walk()
    return sorted({path for path in paths if path and os.path.isfile(os.path.join(ROOT, path))})


def _has_git():
    return os.path.exists(os.path.join(ROOT, ".git")) and any(
        os.access(os.path.join(directory, "git"), os.X_OK) for directory in os.get_exec_path())


def _walk():
    found = []
    for folder, folders, names in os.walk(ROOT):
        inside = os.path.relpath(folder, ROOT)
        folders[:] = [each for each in folders
                      if each not in NOT_SOURCES and not (inside == "." and each.startswith("build"))]
        found += [os.path.normpath(os.path.join(inside, name)) for name in names if not name.endswith(".pyc")]
    return found


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def shebang(path):
    """The interpreter's name of a script without an ending, or nothing."""
    with open(os.path.join(ROOT, path), "rb") as file:
        first = file.readline(200)
    return os.path.basename(first[2:].split()[-1]).decode() if first.startswith(b"#!") and first[2:].split() else ""


def c_files():
    return [path for path in files() if path.endswith((".c", ".h"))]


def python_files():
    return [path for path in files() if path.endswith(".py") or shebang(path).startswith("python")]


def shell_files():
    return [path for path in files() if path.endswith(".sh") or shebang(path) in ("sh", "bash")]
