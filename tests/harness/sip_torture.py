# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The messages of tests/transcripts/torture, whose README has the notation."""

import glob
import os
import re

FOLDER = os.path.join(os.path.dirname(__file__), "..", "transcripts", "torture")
LENGTH_MARK = b"\\{length}"
TOKEN = re.compile(rb"\\(?:\\|\n|x([0-9a-f]{2})|\{(\d+):([^}]*)\})|\n")


class Torture:
    """One message: its name, its bytes, and whether it may be answered when it is sent as it is."""

    def __init__(self, block):
        title, text = block.split(b"\n", 1)
        self.name, as_is, aimed = title.decode().split(" ")
        self.as_is, self.aimed = as_is.split(","), aimed.split(",")
        while text.startswith(b"#"):
            text = text.split(b"\n", 1)[1]
        text = text[:-1] if text.endswith(b"\n\n") else text
        self.bytes = _expand(text)
        if b"\n\n" not in text and not text.endswith(b"\\\n"):
            self.bytes += b"\r\n"
        body = self.bytes.partition(b"\r\n\r\n")[2]
        self.bytes = self.bytes.replace(LENGTH_MARK, b"%d" % len(body))

    def aim(self, uri):
        """The same request to another Request-URI; None if it is no request."""
        line, end, rest = self.bytes.partition(b"\r\n")
        method, version = line.split(b" ")[0], line.rfind(b" SIP/")
        return method + b" " + uri.encode() + line[version:] + end + rest if version >= 0 else None


def _expand(text):
    def replace(match):
        token = match.group()
        if token == b"\n":
            return b"\r\n"
        if match.group(1):
            return bytes.fromhex(match.group(1).decode())
        if match.group(2):
            return _expand(match.group(3)) * int(match.group(2))
        return b"\\" if token == b"\\\\" else b""
    return TOKEN.sub(replace, text)


def load():
    blocks = []
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.txt"))):
        with open(path, "rb") as file:
            first, *rest = file.read().split(b"\n@ ")
            blocks += [block + b"\n" for block in rest[:-1]] + rest[-1:]
    return [Torture(block) for block in blocks]
