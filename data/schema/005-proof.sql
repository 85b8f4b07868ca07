-- SPDX-FileCopyrightText: 2026 The Muster authors
-- SPDX-License-Identifier: LGPL-2.1-or-later

-- What is known of an account's reachability. 0: it was never proven; 1: it was; 2: and people were told
-- that it is no longer.
ALTER TABLE runtime ADD COLUMN proof INTEGER NOT NULL DEFAULT 0;
