-- SPDX-FileCopyrightText: 2026 The Muster authors
-- SPDX-License-Identifier: LGPL-2.1-or-later

-- What is said of an identity, in layers: those that are kept. number: the later set, the greater.
CREATE TABLE presence_layer (
  identity TEXT NOT NULL,
  name TEXT NOT NULL,
  presence TEXT NOT NULL,
  text TEXT NOT NULL,
  priority INTEGER NOT NULL,
  until_us INTEGER NOT NULL, -- 0: for good
  number INTEGER NOT NULL,
  PRIMARY KEY (identity, name)
) STRICT;

-- What an account says whatever its identity does. Accounts without a row say what the identity does.
CREATE TABLE presence_override (
  account TEXT NOT NULL PRIMARY KEY,
  presence TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
