/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* @key, if any, is the value's name in its dictionary: it tells times from other numbers. */
JsonNode *cli_json_from_variant (GVariant *value, const char *key);
JsonNode *cli_json_time (guint64 time_us);
JsonNode *cli_json_string (const char *text);

/* One document, for people to read; or one line of many, written at once. Both take @node. */
void cli_json_print (JsonNode *node);
void cli_json_print_line (JsonNode *node);
char *cli_json_to_text (JsonNode *node, gboolean pretty);

G_END_DECLS
