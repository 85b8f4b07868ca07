# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A damaged row, a damaged file, a damaged key: said in `muster status` and the log, and the rest runs."""

import contextlib
import os
import random
import sqlite3

import pytest

from harness.process import wait_until

ACCOUNTS = [f"e{number}@echo.test" for number in range(5)]
SECRET = "se:cret"
SEED = int(os.environ.get("DAMAGE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


@pytest.fixture
def stopped(muster):
    """A home with some accounts, and no daemon on it."""
    for address in ACCOUNTS:
        muster.add("echo", address, secret=SECRET, lease=3600)
    muster.stop()
    return muster


@contextlib.contextmanager
def database(muster):
    with contextlib.closing(sqlite3.connect(muster.database)) as connection, connection:
        yield connection


def notice(muster):
    return muster.json("status")["notice"] or ""


ROWS = [
    # what, SQL, what the notice must name
    ("parameters that are none", "UPDATE account SET params = '{''lease'': <uint32 ' WHERE address = ?", "params"),
    ("parameters of another type", "UPDATE account SET params = '(1, 2)' WHERE address = ?", "params"),
    ("parameters of nothing", "UPDATE account SET params = '' WHERE address = ?", "params"),
    ("parameters without end", "UPDATE account SET params = replace (hex (zeroblob (50000)), '0', '[') WHERE address = ?", "params"),
]


@pytest.mark.parametrize("_what, sql, word", ROWS, ids=[row[0] for row in ROWS])
def test_a_damaged_row(stopped, _what, sql, word):
    """The account is moved aside with its reason, kept for whoever can mend it, and all others are registered."""
    with database(stopped) as connection:
        (bad,) = connection.execute("SELECT id FROM account WHERE address = ?", (ACCOUNTS[2],)).fetchone()
        assert connection.execute(sql, (ACCOUNTS[2],)).rowcount == 1
    for _ in range(2):  # said again after another start
        stopped.start()
        assert bad in notice(stopped) and word in notice(stopped)
        assert len(notice(stopped)) < 2000
        assert bad in stopped.do("status")
        assert bad in stopped.log() and word in stopped.log()
        assert sorted(row["address"] for row in stopped.list()) == [each for each in ACCOUNTS if each != ACCOUNTS[2]]
        for address in ACCOUNTS[:2]:
            stopped.wait_state(address, "registered")
        stopped.stop()
    with database(stopped) as connection:
        assert connection.execute("SELECT count (*) FROM quarantine").fetchone() == (1,)


def test_a_damaged_secret(stopped):
    """A sealed row that does not open is like a secret that is not there, and is said; the others open."""
    with database(stopped) as connection:
        (bad,) = connection.execute("SELECT id FROM account WHERE address = ?", (ACCOUNTS[2],)).fetchone()
        (table,) = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
                    if "sealed" in name]
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info ({table})")]
        value = next(name for name in columns if name not in ("account", "name"))
        assert connection.execute(f"UPDATE {table} SET {value} = zeroblob (80) WHERE account = ?", (bad,)).rowcount >= 1
    stopped.start()
    assert len(stopped.list()) == len(ACCOUNTS)
    stopped.do("secret", ACCOUNTS[2], "password", "--fd", "3", secret=SECRET)
    stopped.wait_state(ACCOUNTS[2], "registered")


def flip(path, dice, count):
    """Turn bits all over the file."""
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        for _ in range(count):
            at = dice.randrange(size)
            file.seek(at)
            (byte,) = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ 1 << dice.randrange(8)]))


def test_a_damaged_file(stopped):
    """The file is set aside whole, a new one is begun, and the user is told of both."""
    with open(stopped.database, "r+b") as file:
        file.seek(100)
        file.write(os.urandom(8000))
    stopped.start()
    (aside,) = [name for name in os.listdir(os.path.dirname(stopped.database)) if ".damaged-" in name and
                not name.endswith(("-wal", "-shm"))]
    assert "damaged" in notice(stopped) and aside in notice(stopped)
    assert aside in stopped.do("status") and aside in stopped.log()
    assert stopped.list() == []
    stopped.add("echo", ACCOUNTS[0])
    stopped.stop()
    stopped.start()
    assert notice(stopped) == ""
    assert [row["address"] for row in stopped.list()] == [ACCOUNTS[0]]


def test_flipped_bits(stopped):
    """Whatever bits are flipped: it starts, or says why not; it says so where something is missing; it never crashes."""
    print(f"DAMAGE_SEED={SEED}")
    dice = random.Random(SEED)
    with open(stopped.database, "rb") as file:
        whole = file.read()
    folder = os.path.dirname(stopped.database)
    n_told = 0
    for _ in range(40):
        for name in os.listdir(folder):
            if name != os.path.basename(stopped.key_file):
                os.unlink(os.path.join(folder, name))
        with open(stopped.database, "wb") as file:
            file.write(whole)
        os.chmod(stopped.database, 0o600)
        flip(stopped.database, dice, dice.choice([1, 2, 5, 50, 500]))
        with open(stopped.log_path, "w", encoding="utf-8"):
            pass
        process = stopped.spawn()
        wait_until(lambda process=process: process.status() is not None or stopped.name_owner_pid() == process.pid, 10, "it is up or down")
        if process.status() is None:
            rows = stopped.list()
            told = notice(stopped)
            assert told or len(rows) == len(ACCOUNTS), f"{rows} (DAMAGE_SEED={SEED})"
            n_told += told != ""
            assert process.end(15) == 0, f"{stopped.log()} (DAMAGE_SEED={SEED})"
        else:
            assert process.status() > 0 and "musterd: " in process.log(), f"{process.log()} (DAMAGE_SEED={SEED})"
    assert n_told > 0, "some damage was seen"


def test_a_damaged_key(stopped):
    """Without the key nothing opens: the daemon says which file is damaged, runs, and touches nothing."""
    with open(stopped.key_file, "wb") as file:
        file.write(b"not a key")
    stopped.start()
    wait_until(lambda: stopped.key_file in notice(stopped), 5, "said", lambda: f"{stopped.json('status')}\n{stopped.log()}")
    assert stopped.key_file in stopped.do("status") and stopped.key_file in stopped.log()
    assert sorted(row["address"] for row in stopped.list()) == ACCOUNTS
    stopped.stop()
    with open(stopped.key_file, "rb") as file:
        assert file.read() == b"not a key"
