# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Secrets that tests give away, and the search for those that can be read where they must not."""

import base64
import os

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio  # noqa: E402

NEEDLE = "ne:edle-in-a-haystack"  # secrets that begin like this are found without knowing their ends

_given = set()


def note(secret):
    """Remember what was given to a program under test."""
    secret = secret if isinstance(secret, bytes) else secret.encode()
    _given.add(NEEDLE.encode() if secret.startswith(NEEDLE.encode()) else secret)


def forget():
    """A new test begins."""
    _given.clear()


def given():
    """All that was noted since then."""
    return frozenset(_given)


def secret_pipe(secret):
    """A list with one descriptor, from which the secret can be read."""
    note(secret)
    reading, writing = os.pipe()
    os.write(writing, secret if isinstance(secret, bytes) else secret.encode())
    os.close(writing)
    return Gio.UnixFDList.new_from_array([reading])


def disguises(secret):
    """The secret as it is, in hex, and in base64 wherever in a longer text it stands."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + secret)
        head = (0, 2, 3)[shift]  # what also depends on the bytes before
        tail = (-(shift + len(secret)) % 3 and 4)  # and after
        yield encoded[head:len(encoded) - tail]


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, OSError):
        return b""  # a socket, or gone


def files_with_secrets(folder, secrets=(NEEDLE.encode(),), only=None):
    """(path, disguise) of each file below the folder in which one of the secrets can be read."""
    patterns = {pattern for secret in secrets if len(secret) > 2 for pattern in disguises(secret)}
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            if only and not name.endswith(only):
                continue
            path = os.path.join(parent, name)
            content = _read(path) if os.path.isfile(path) else b""
            found += [(path, pattern) for pattern in patterns if pattern in content]
    return found
