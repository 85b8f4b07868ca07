-- SPDX-FileCopyrightText: 2026 The Muster authors
-- SPDX-License-Identifier: LGPL-2.1-or-later

-- Whose a record of a plugin is, so that it goes with its account; '': nobody's.
ALTER TABLE record ADD COLUMN account TEXT NOT NULL DEFAULT '';
CREATE INDEX record_account ON record (account) WHERE account <> '';

-- Those that were kept under the id of an account: theirs, or of one that was removed since.
DELETE FROM record WHERE key IN (SELECT id FROM retired);
UPDATE record SET account = key WHERE key IN (SELECT id FROM account);

-- The trigger took the last row that it saw for the one written last.
UPDATE record_count SET last_written = coalesce (
  (SELECT max (written) FROM record WHERE record.plugin = record_count.plugin), last_written);
