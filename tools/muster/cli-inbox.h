/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

G_BEGIN_DECLS

/* What waits for the person: calls and messages that nobody answered, and mailboxes with something new
 * in them. Both are arrays of CliRow. */
typedef struct {
  GPtrArray *offers;    /* the oldest first */
  GPtrArray *mailboxes; /* by address */
} CliInbox;

gboolean cli_inbox_load (CliInbox *self, Cli *cli, GError **error);
void cli_inbox_clear (CliInbox *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliInbox, cli_inbox_clear)

/* For people, safe to print; none if nothing waits.
 * Returns: (element-type utf8) */
GPtrArray *cli_inbox_lines (const CliInbox *self);

/* Adds "incoming" and "mailboxes" to @object. */
void cli_inbox_add_to_json (const CliInbox *self, JsonObject *object);

G_END_DECLS
