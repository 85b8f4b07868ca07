# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the key of the secrets is kept: a real keyring that is locked, absent, restarted or hung; a file; systemd."""

import base64
import contextlib
import os
import sqlite3
import time

from harness.process import wait_until

ANN = "ann@echo.test"  # has a password
BEN = "ben@echo.test"  # has none
PASSWORD = "correct horse battery staple"
REFUSED = 8  # an exit status of muster


def files_with(secret, *directories):
    """The files in which the secret can be read, as it is or in one of the usual disguises."""
    secret = secret if isinstance(secret, bytes) else secret.encode()
    # Base64 depends on where in the text the secret begins; what does not is in the middle.
    forms = [secret, secret.hex().encode(), secret.hex().upper().encode()]
    forms += [base64.b64encode(b"\0" * shift + secret)[4:-4] for shift in range(3)]
    found = []
    for directory in directories:
        for folder, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    content = file.read()
                found += [path for form in forms if form in content]
    return found


def waits(muster, account, reason, timeout_s=15):
    return muster.wait_for(account, timeout_s, f"waiting-secret, {reason}",
                           lambda row: (row["state"], row["reason"]) == ("waiting-secret", reason))


def status(muster):
    return muster.json("status")


def wait_key(muster, state, timeout_s=15):
    wait_until(lambda: status(muster)["key"] == state, timeout_s, f"the key is {state}", muster.log)


def refuses_secrets(muster):
    """Nothing can be sealed now: the user is told so, and nothing is changed."""
    before = {row["address"] for row in muster.list()}
    outcome = muster.run("add", "echo", "new@echo.test", "--password-fd", "3", secret="other-passphrase-7")
    assert outcome.returncode == REFUSED and "secrets cannot be stored now" in outcome.stderr, outcome
    assert outcome.stderr.endswith("with: muster unlock\n"), outcome
    outcome = muster.run("secret", BEN, "password", "--fd", "3", secret="other-passphrase-7")
    assert outcome.returncode == REFUSED and "secrets cannot be stored now" in outcome.stderr, outcome
    assert {row["address"] for row in muster.list()} == before
    assert muster.wait_state(BEN, "registered")["secrets"] == []


def stored_state(muster):
    """What a restarted daemon would go on with; it is written behind."""
    with contextlib.closing(sqlite3.connect(f"file:{muster.database}?mode=ro", uri=True)) as database:
        row = database.execute("SELECT state FROM runtime").fetchone()
    return row[0] if row else None


def with_accounts(make_muster, **options):
    muster = make_muster(**options)
    muster.add("echo", ANN, secret=PASSWORD)
    muster.add("echo", BEN)
    return muster


def doubling(elapsed_s):
    """How many looks a wait of that long may cost: at 0, 1, 3, 7, ... seconds, and one for news."""
    return 3 + int(elapsed_s + 1).bit_length()


# The keyring


def test_the_key_is_in_the_keyring(keyring, make_muster, tmp_path):
    """A user with a keyring: the key is one item there, the password is in no file, nor is the key."""
    keyring.start()
    muster = with_accounts(make_muster)
    assert status(muster)["protection"] == "secret-service"
    assert status(muster)["key"] == "ready" and not status(muster)["notice"]
    assert not os.path.exists(muster.key_file)
    (item,) = keyring.items()
    assert keyring.label(item) == "Muster: key of stored secrets"
    key = base64.b64decode(keyring.secret(item), validate=True)
    assert len(key) == 32
    muster.stop()
    assert files_with(PASSWORD, tmp_path) == []
    assert files_with(key, tmp_path) == []


def test_what_is_searched_for_would_be_found(tmp_path):
    """The search for secrets in files sees them through the disguises that it claims to see through."""
    for number, text in enumerate([PASSWORD, PASSWORD.encode().hex(),
                                   base64.b64encode(b"ab" + PASSWORD.encode() + b"c").decode()]):
        (tmp_path / str(number)).write_text(text)
    assert len(set(files_with(PASSWORD, tmp_path))) == 3


def test_it_reads_the_key_once(keyring, listener, make_muster):
    """A daemon's life costs one look into the keyring, whatever its accounts do, and also if it is killed then."""
    keyring.start()
    muster = with_accounts(make_muster)
    assert listener.count("SearchItems") == 2, "before and after the key was made"
    muster.stop()
    muster.start()
    for address in (ANN, BEN):
        muster.wait_state(address, "registered")
    assert listener.count("SearchItems") == 3
    keyring.kill()
    muster.do("disable", ANN, "--wait")
    muster.do("enable", ANN, "--wait")
    muster.add("echo", "new@echo.test", secret="other-passphrase-7")
    assert status(muster)["key"] == "ready"
    assert listener.count("SearchItems") == 3


def test_locked(keyring, listener, make_muster):
    """The keyring is locked at the start of the session: who needs it waits and says so; unlocked, all goes on."""
    keyring.start()
    muster = with_accounts(make_muster)
    muster.stop()
    keyring.lock()

    began, looks = time.monotonic(), listener.count("SearchItems")
    muster.start()
    waits(muster, ANN, "keyring-locked")
    muster.wait_state(BEN, "registered")
    assert (status(muster)["key"], status(muster)["protection"]) == ("locked", "secret-service")
    assert "locked" in status(muster)["notice"]
    assert "locked" in muster.do("explain", ANN)
    refuses_secrets(muster)
    assert listener.count("Unlock") == 0, "nobody is asked unless a user asked for it"

    outcome = muster.run("unlock")
    assert outcome.returncode == REFUSED and "unlock" in outcome.stderr, "there is nothing here that could ask"
    assert listener.count("Unlock") == 1
    waits(muster, ANN, "keyring-locked")

    keyring.unlock()
    muster.wait_state(ANN, "registered", 5)
    assert not status(muster)["notice"]
    muster.do("unlock")
    # The user's own look is one more, and so is each piece of news.
    assert listener.count("SearchItems") - looks <= doubling(time.monotonic() - began) + 3


def test_locked_before_there_is_a_key(keyring, make_muster):
    """A new user whose keyring is locked: no key is made elsewhere; it is made when it can be."""
    keyring.start()
    keyring.lock()
    muster = make_muster()
    muster.add("echo", BEN)
    wait_key(muster, "locked")
    refuses_secrets(muster)
    assert keyring.items() == [] and not os.path.exists(muster.key_file)
    keyring.unlock()
    wait_key(muster, "ready", 5)
    muster.add("echo", ANN, secret=PASSWORD)
    assert len(keyring.items()) == 1


def test_absent(keyring, listener, make_muster):
    """The keyring of the last session is not there: the accounts wait for it, and go on when it comes."""
    keyring.start()
    muster = with_accounts(make_muster)
    muster.stop()
    keyring.kill()

    muster.start()
    waits(muster, ANN, "keyring-unavailable")
    muster.wait_state(BEN, "registered")
    assert status(muster)["protection"] == "secret-service" and not os.path.exists(muster.key_file)
    refuses_secrets(muster)
    assert muster.run("unlock").returncode == REFUSED

    keyring.start()
    muster.wait_state(ANN, "registered", 5)
    assert listener.count("Unlock") == 0


def test_restarted_while_locked(keyring, listener, make_muster):
    """It is killed while it is waited for, comes back locked, is killed again, and comes back open."""
    keyring.start()
    muster = with_accounts(make_muster)
    muster.stop()
    keyring.kill()

    began, looks = time.monotonic(), listener.count("SearchItems")
    keyring.start(unlocked=False)
    muster.start()
    waits(muster, ANN, "keyring-locked")
    keyring.kill()
    waits(muster, ANN, "keyring-unavailable")
    keyring.start(unlocked=False)
    waits(muster, ANN, "keyring-locked")
    keyring.kill()
    keyring.start()
    muster.wait_state(ANN, "registered", 5)
    assert listener.count("SearchItems") - looks <= time.monotonic() - began + 3, "at most one look a second"


def test_hung(keyring, listener, make_muster):
    """The keyring hangs: the daemon does not; it says so, and goes on when the keyring does."""
    keyring.start()
    muster = with_accounts(make_muster)
    muster.stop()

    keyring.hang()
    muster.start()
    waits(muster, ANN, "keyring-opening", 4)
    muster.wait_state(BEN, "registered", 4)
    refuses_secrets(muster)
    began = time.monotonic()
    muster.get("Manager", "Version")
    assert time.monotonic() - began < 1
    waits(muster, ANN, "keyring-timeout", 10)
    assert "does not answer" in status(muster)["notice"]
    keyring.go_on()
    muster.wait_state(ANN, "registered", 5)


def test_a_lease_outlives_a_locked_keyring(keyring, make_kamailio, make_muster):
    """Restarted over a locked keyring, a SIP account waits; unlocked, it goes on with the lease that it had."""
    keyring.start()
    kamailio = make_kamailio({"alice": PASSWORD})
    muster = make_muster()
    muster.add("sip", "alice@localhost", secret=PASSWORD, server=kamailio.server)
    before = muster.show("alice")
    wait_until(lambda: stored_state(muster) == "registered", 5, "the lease is stored")
    muster.kill()
    keyring.lock()

    for end in (muster.stop, muster.kill):  # while it waits, too
        muster.start()
        waits(muster, "alice", "keyring-locked")
        end()
    muster.start()
    waits(muster, "alice", "keyring-locked")
    keyring.unlock()
    after = muster.wait_state("alice", "registered", 5)
    assert after["registered-at"] == before["registered-at"]
    assert len(kamailio.bindings("alice")) == 1
    events, _ = muster.call("Manager", "ListEvents", "(a{sv}sua{sv})", ({}, "", 100, {}))
    assert [event[2] for event in events].count("registration.created") == 1
    muster.stop()
    assert files_with(PASSWORD, muster.home) == []


# A key that is gone


def test_the_item_is_gone(keyring, listener, make_muster):
    """Somebody deleted the key: no other is made in its place, the user is told, and it can be put back."""
    keyring.start()
    muster = with_accounts(make_muster)
    muster.stop()
    (item,) = keyring.items()
    put_back = keyring.take_out(item)

    began, looks = time.monotonic(), listener.count("SearchItems")
    muster.start()
    waits(muster, ANN, "key-missing")
    muster.wait_state(BEN, "registered")
    assert status(muster)["key"] == "missing" and "the key is gone" in status(muster)["notice"]
    assert "the key is gone" in muster.do("status")
    refuses_secrets(muster)
    assert muster.run("unlock").returncode == REFUSED
    assert listener.count("SearchItems") - looks <= doubling(time.monotonic() - began)
    assert keyring.items() == [] and not os.path.exists(muster.key_file)

    put_back(base64.b64encode(b"x" * 32))
    wait_until(lambda: "another one" in status(muster)["notice"], 10, "the wrong key was noticed", muster.log)
    waits(muster, ANN, "key-missing")
    put_back()
    muster.wait_state(ANN, "registered", 10)


def test_the_key_file_is_gone(make_muster):
    """The same where the key is in a file."""
    muster = with_accounts(make_muster)
    assert status(muster)["protection"] == "key-file"
    muster.stop()
    os.rename(muster.key_file, muster.key_file + ".away")

    muster.start()
    waits(muster, ANN, "key-missing")
    muster.wait_state(BEN, "registered")
    assert "the key is gone" in status(muster)["notice"] and muster.key_file in status(muster)["notice"]
    refuses_secrets(muster)
    assert not os.path.exists(muster.key_file)

    with open(muster.key_file, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(base64.b64encode(b"x" * 32).decode() + "\n")
    assert muster.run("unlock").returncode == REFUSED
    assert "another one" in status(muster)["notice"]
    os.rename(muster.key_file + ".away", muster.key_file)
    muster.do("unlock")
    muster.wait_state(ANN, "registered", 5)


# Which it is


def test_a_store_keeps_its_protection(keyring, make_muster):
    """Sealed under a key file, then a keyring comes: the file stays the key. And without secrets, it is free."""
    muster = with_accounts(make_muster)
    muster.stop()
    keyring.start()
    muster.start()
    muster.wait_state(ANN, "registered")
    assert status(muster)["protection"] == "key-file" and keyring.items() == []
    muster.stop()

    other = make_muster()
    assert status(other)["protection"] == "secret-service"
    other.stop()
    keyring.kill()
    other.start()
    other.add("echo", ANN, secret=PASSWORD)
    assert status(other)["protection"] == "key-file", "nothing was sealed under the other key"


def test_a_credential_of_systemd(keyring, make_muster, tmp_path):
    """The unit has a credential: it is the key, ahead of the keyring; without it the accounts wait."""
    keyring.start()
    folder = tmp_path / "credentials"
    folder.mkdir()
    credential = folder / "muster-key"
    credential.write_bytes(bytes(range(200, 232)))
    credential.chmod(0o400)
    muster = with_accounts(make_muster, environment={"CREDENTIALS_DIRECTORY": str(folder)})
    assert status(muster)["protection"] == "systemd-credential"
    assert keyring.items() == [] and not os.path.exists(muster.key_file)
    muster.stop()

    credential.rename(tmp_path / "elsewhere")
    muster.start()
    waits(muster, ANN, "key-missing")
    assert "muster-key" in status(muster)["notice"] and status(muster)["protection"] == "systemd-credential"
    refuses_secrets(muster)
    assert keyring.items() == [] and not os.path.exists(muster.key_file)
    muster.stop()

    (tmp_path / "elsewhere").rename(credential)
    muster.start()
    muster.wait_state(ANN, "registered")
    muster.stop()
    assert files_with(PASSWORD, muster.home) == []
