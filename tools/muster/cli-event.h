/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Those of doc/events.md; a newer daemon may have more. */
extern const char *const cli_event_types[];

/* Whether a type begins so. */
gboolean cli_event_check_type (const char *type, GError **error);

/* Turns events into JSON and lines, and remembers whose path is which address. */
typedef struct _CliEventPrinter CliEventPrinter;

CliEventPrinter *cli_event_printer_new (Cli *cli);
void cli_event_printer_free (CliEventPrinter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliEventPrinter, cli_event_printer_free)

/* Remembers what @payload says of @account, if it does. */
void cli_event_printer_learn (CliEventPrinter *self, const char *account, GVariant *payload);

/* @number: its place in the journal, 0 for one that happens now. @payload: an a{sv} */
JsonNode *cli_event_to_json (CliEventPrinter *self,
                             gint64 number,
                             guint64 time_us,
                             const char *type,
                             const char *account,
                             GVariant *payload);
char *cli_event_to_line (CliEventPrinter *self,
                         guint64 time_us,
                         const char *type,
                         const char *account,
                         GVariant *payload);

G_END_DECLS
