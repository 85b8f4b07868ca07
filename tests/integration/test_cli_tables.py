# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tables for people on terminals of all widths: they fit, say what matters most, and show nothing that moves a cursor."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import unicodedata

import pytest

from echo_all import EchoAll

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PATIENCE_S = 20
TABLES = ("list", "contacts", "incoming", "incoming handlers", "identity", "bindings ann@all.test", "presence", "protocols", "plugin")


def on_terminal(muster, n_columns, *arguments):
    """The lines that a terminal of this width gets."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, n_columns, 0, 0))
        os.execve(muster.command, [muster.command, *arguments], {**muster.environment, "TERM": "xterm"})
    output = b""
    while True:
        assert select.select([fd], [], [], PATIENCE_S)[0], f"nothing more came after {output!r}"
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        output += data
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, output
    return output.decode().replace("\r\n", "\n").splitlines()


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


@pytest.fixture
def ann(muster, tmp_path):
    """Accounts, people and calls whose names are long, wide, or meant to harm."""
    ann = EchoAll(muster, tmp_path, "ann@all.test", lease=3600,
                  contacts="bob@all.test=available,somebody.with.a.name.of.many.words@far.away.example=away")
    muster.add("echo-all", "an.address.of.some.length@corporation.example", wait=False, open_error="refused")
    muster.wait_state("an.address.of.some.length@corporation.example", "waiting-secret")
    muster.do("identity", "add", "e\u0301lodie \u202eevil\u202c 北京市海淀区中关村大街")
    ann.send("call 1 李雷@all.test 李雷李雷李雷李雷李雷李雷", "call 2 bob@all.test Bob", "ask mallory@evil.test",
             f"message 3 bob@all.test lunch?\n{'very long words ' * 20}", "contact bob@all.test dnd 会議中です、後でかけ直してください",
             "device sip:phone@192.168.1.20:5060;transport=tcp;ob The desk phone of 王小明 in the room behind the stairs")
    muster.call("HandlerManager", "RegisterHandler", "(sasa{sv})",
                ("echo-all:a.dialer.with.a.long.name@192.168.178.20:5060", ["call", "message"], {}))
    return ann


@pytest.mark.parametrize("n_columns", [20, 40, 80, 200])
def test_every_table_fits(muster, ann, n_columns):
    """No line is wider than the terminal, whatever others call themselves."""
    for words in TABLES:
        for line in on_terminal(muster, n_columns, *words.split()):
            bare = COLOUR.sub("", line)
            if words == "presence" and not bare.startswith("  "):
                continue  # a sentence, which the terminal wraps
            assert width(bare) <= n_columns, (words, line)
            assert not [c for c in bare if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")], (words, line)


def test_what_matters_stays(muster, ann):
    """Where there is little room, whom and how stays; where there is enough all is there, as in a pipe."""

    def headings(n_columns, *words):
        return re.split(r"  +", COLOUR.sub("", on_terminal(muster, n_columns, *words)[0]))

    assert headings(40, "list") == ["ADDRESS", "STATE"]
    assert headings(80, "list")[:3] == ["ID", "ADDRESS", "STATE"]
    assert headings(40, "contacts") == ["ADDRESS", "PRESENCE"]
    assert headings(40, "incoming") == ["ID", "KIND", "FROM"]
    for words in TABLES:
        wide = [COLOUR.sub("", line) for line in on_terminal(muster, 500, *words.split())]
        piped = muster.do(*words.split()).splitlines()
        assert [line.split()[:1] for line in wide] == [line.split()[:1] for line in piped]
        assert "…" not in "".join(piped)


def test_our_sentences_go_on_in_further_lines(muster, ann):
    """What a parameter is for, and why nothing is published, is read whole on any terminal."""
    for words, heading, sentence in (
            (["presence"], "NOTE", "it is not registered, so nothing is published"),
            (["protocols", "echo-all"], "HELP", "A list with commas of the presences that the service can say")):
        for n_columns in (40, 80):
            lines = [COLOUR.sub("", line) for line in on_terminal(muster, n_columns, *words)]
            at = next(line.index(heading) for line in lines if heading in line)
            assert sentence in " ".join(line[at:].strip() for line in lines)
            assert sentence not in "\n".join(lines)
