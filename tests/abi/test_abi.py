# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What check_abi.py must and must not object to: changes planted into copies of library and headers."""

import glob
import os
import re
import shutil
import subprocess

import pytest

import check_abi

LIBRARY = os.environ["LIBMUSTER"]


def relink(path, hidden):
    """The library once more from the build's objects, with one symbol of it hidden."""
    objects = glob.glob(os.path.join(os.path.dirname(LIBRARY), "libmuster-1.so*.p", "*.o"))
    script = f"{path}.map"
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"{{ local: {hidden}; }};\n")
    libraries = subprocess.check_output(
        ["pkg-config", "--libs", "gio-2.0", "gio-unix-2.0", "gmodule-2.0", "gnutls"], text=True).split()
    subprocess.run(["cc", "-shared", "-o", path, "-Wl,-soname,libmuster-1.so.1", f"-Wl,--version-script={script}",
                    *objects, *libraries], check=True)
    return path


@pytest.fixture
def include(tmp_path):
    """A copy of the headers."""
    return shutil.copytree(check_abi.INCLUDE, tmp_path / "include")


def replace(include, name, pattern, replacement):
    path = include / "muster" / name
    text = path.read_text(encoding="utf-8")
    changed = re.sub(pattern, replacement, text, count=1, flags=re.DOTALL)
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def test_a_removed_function(tmp_path, include):
    """It is gone from the headers and from the library: plugins that use it would not load."""
    planted = relink(str(tmp_path / "libmuster-1.so"), "muster_registration_lost")
    replace(include, "muster-registration.h", r"MUSTER_API void muster_registration_lost \([^;]*;", "")
    assert "muster_registration_lost" in check_abi.differences(planted, str(include))


def test_a_function_that_is_only_declared(tmp_path):
    """It is in the headers, and not exported."""
    planted = relink(str(tmp_path / "libmuster-1.so"), "muster_registration_lost")
    with pytest.raises(check_abi.Fault, match="not exported: muster_registration_lost"):
        check_abi.differences(planted)


@pytest.mark.parametrize("name, pattern, replacement, words", [
    ("muster-registration.h", r"gpointer padding\[(\d+)\]", r"gpointer padding[\1 + 1]", "size changed"),
    ("muster-plugin.h", r"(const char \*)version(;\s*const char \*)licence;", r"\1licence\2version;", "licence"),
    ("muster-plugin.h", r"guint32 abi;", "guint64 abi;", "size changed"),
    ("muster-lease.h", r"gboolean refreshed;", "", "refreshed"),
    ("muster-error.h", r"MUSTER_ERROR_UNREACHABLE,\n  MUSTER_ERROR_BUSY,\n",
     "MUSTER_ERROR_BUSY,\n  MUSTER_ERROR_UNREACHABLE,\n", "MUSTER_ERROR_BUSY"),
])
def test_a_changed_type(include, name, pattern, replacement, words):
    """What plugins were compiled with has another shape now."""
    replace(include, name, pattern, replacement)
    assert words in check_abi.differences(LIBRARY, str(include))


def test_an_added_type(include):
    """Plugins that do not know it run on."""
    replace(include, "muster-lease.h", r"G_END_DECLS", "typedef struct {\n  int n;\n} MusterNew;\nG_END_DECLS")
    assert check_abi.differences(LIBRARY, str(include)) == ""
