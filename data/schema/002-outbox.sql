-- SPDX-FileCopyrightText: 2026 The Muster authors
-- SPDX-License-Identifier: LGPL-2.1-or-later

-- Events that a sink does not have yet. A copy, and not a reference: the journal forgets sooner.
-- seq is the event's number in the journal.
CREATE TABLE outbox (
  sink TEXT NOT NULL,
  seq INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  type TEXT NOT NULL,
  account TEXT NOT NULL,
  payload TEXT NOT NULL,
  PRIMARY KEY (sink, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_account ON outbox (sink, account, seq);

-- What plugins keep. A sealed blob was sealed by the vault. expires_us 0: never.
CREATE TABLE record (
  plugin TEXT NOT NULL,
  name_space TEXT NOT NULL,
  key TEXT NOT NULL,
  blob BLOB NOT NULL,
  expires_us INTEGER NOT NULL,
  sealed INTEGER NOT NULL,
  written INTEGER NOT NULL, -- counts the writes: the smallest is the one written longest ago
  PRIMARY KEY (plugin, name_space, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_written ON record (plugin, written);
CREATE INDEX record_expires ON record (expires_us) WHERE expires_us > 0;

-- How many records a plugin has, so that its limit costs nothing.
CREATE TABLE record_count (
  plugin TEXT NOT NULL PRIMARY KEY,
  n INTEGER NOT NULL,
  last_written INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER record_added AFTER INSERT ON record
BEGIN
  INSERT INTO record_count (plugin, n, last_written) VALUES (NEW.plugin, 1, NEW.written)
    ON CONFLICT (plugin) DO UPDATE SET n = n + 1, last_written = NEW.written;
END;

CREATE TRIGGER record_replaced AFTER UPDATE ON record
BEGIN
  UPDATE record_count SET last_written = NEW.written WHERE plugin = NEW.plugin;
END;

CREATE TRIGGER record_deleted AFTER DELETE ON record
BEGIN
  UPDATE record_count SET n = n - 1 WHERE plugin = OLD.plugin;
END;
