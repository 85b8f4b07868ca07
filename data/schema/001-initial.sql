-- SPDX-FileCopyrightText: 2026 The Muster authors
-- SPDX-License-Identifier: LGPL-2.1-or-later

-- All times are microseconds UTC. Maps are GVariant text with type annotations, an a{sv}.

PRAGMA application_id = 0x4d737472; -- "Mstr"

CREATE TABLE identity (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  modified_us INTEGER NOT NULL
) STRICT;

-- Deferred, so that the order inside one change does not matter.
CREATE TABLE account (
  id TEXT NOT NULL PRIMARY KEY,
  identity TEXT NOT NULL REFERENCES identity (id) DEFERRABLE INITIALLY DEFERRED,
  protocol TEXT NOT NULL,
  address TEXT NOT NULL,
  name TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  params TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  modified_us INTEGER NOT NULL
) STRICT;
CREATE INDEX account_identity ON account (identity);

-- What a restarted daemon goes on with. It and the sealed values do not refer to the account by a
-- foreign key: they outlive one that is in the quarantine, so that it can be brought back.
CREATE TABLE runtime (
  account TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  registered_at_us INTEGER NOT NULL,
  expires_at_us INTEGER NOT NULL,
  refresh_at_us INTEGER NOT NULL,
  attempt INTEGER NOT NULL
) STRICT;

-- Secrets, sealed by the vault. Account '' is the daemon itself.
CREATE TABLE sealed (
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

-- The journal. AUTOINCREMENT, so that a number is never given twice.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  time_us INTEGER NOT NULL,
  type TEXT NOT NULL,
  account TEXT NOT NULL,
  payload TEXT NOT NULL
) STRICT;

-- Ids that were deleted and are never to be given again.
CREATE TABLE retired (
  id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER identity_retired BEFORE INSERT ON identity
WHEN EXISTS (SELECT 1 FROM retired WHERE id = NEW.id)
BEGIN
  SELECT RAISE (ABORT, 'the identity was removed and its id is never used again');
END;

CREATE TRIGGER account_retired BEFORE INSERT ON account
WHEN EXISTS (SELECT 1 FROM retired WHERE id = NEW.id)
BEGIN
  SELECT RAISE (ABORT, 'the account was removed and its id is never used again');
END;

-- FAIL, not ABORT: with that each row that is written would have a journal of its own. The transaction
-- is taken back all the same.
CREATE TRIGGER sealed_retired BEFORE INSERT ON sealed
WHEN EXISTS (SELECT 1 FROM retired WHERE id = NEW.account)
BEGIN
  SELECT RAISE (FAIL, 'the account was removed');
END;

-- Rows that could not be read. The dump is for people and holds no sealed value.
CREATE TABLE quarantine (
  source TEXT NOT NULL, -- the table
  id TEXT NOT NULL,
  reason TEXT NOT NULL,
  time_us INTEGER NOT NULL,
  dump TEXT NOT NULL
) STRICT;
