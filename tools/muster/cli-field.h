/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-row.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* How a value is shown. In JSON all but the marked ones keep the type that they have on the bus. */
typedef enum {
  CLI_SHOW_TEXT,
  CLI_SHOW_WORD,   /* empty means none: null in JSON */
  CLI_SHOW_STATE,  /* coloured */
  CLI_SHOW_PROOF,  /* the same, of Registration.Verification; empty means none: null in JSON */
  CLI_SHOW_ERROR,  /* an error's D-Bus name; in JSON and for people its last word, kebab-case */
  CLI_SHOW_OBJECT, /* an object path; its id, null for "/" */
  CLI_SHOW_NUMBER,
  CLI_SHOW_BOOLEAN,
  CLI_SHOW_TIME,   /* microseconds UTC; RFC 3339 or null in JSON */
  CLI_SHOW_LIST,   /* as */
  CLI_SHOW_VALUES, /* a dictionary */
  CLI_SHOW_TYPE,   /* a parameter's D-Bus type; in JSON and for people a word */
  CLI_SHOW_VALUE,  /* anything */
} CliShow;

/* @column: 0: tables for people do not have it; 1: a row is nothing without it; the higher, the sooner it
 * gives way where the terminal is too narrow for all.
 * @wraps: sentences of ours, which go on in further lines there and never give way. */
typedef struct {
  const char *key;   /* in JSON */
  const char *label; /* for people */
  const char *field; /* in a CliRow */
  const char *type;  /* on the bus */
  CliShow show;
  guint column;
  gboolean wraps;
} CliField;

/* One kind of thing each, ended by a key of NULL: what feeds tables, pages and JSON alike. */
extern const CliField cli_account_fields[];
extern const CliField cli_identity_fields[];
extern const CliField cli_presence_fields[];
extern const CliField cli_layer_fields[];
extern const CliField cli_publication_fields[];
extern const CliField cli_protocol_fields[];
extern const CliField cli_parameter_fields[];
extern const CliField cli_plugin_fields[];
extern const CliField cli_request_fields[];
extern const CliField cli_incoming_fields[];
extern const CliField cli_handler_fields[];
extern const CliField cli_manager_fields[];
extern const CliField cli_contact_fields[];

JsonNode *cli_field_to_json (const CliField *field, CliRow *row);
JsonObject *cli_fields_to_json (const CliField *fields, CliRow *row);
JsonArray *cli_fields_to_json_array (const CliField *fields, GPtrArray *rows);

/* For people, safe to print: @brief in a table's cell (times become distances), otherwise on a line
 * of its own. Empty where there is nothing to show. */
char *cli_field_to_text (const CliField *field, CliRow *row, gint64 now_us, gboolean brief);

/* Whether the beginning of one says something; others are shown whole or not at all. */
gboolean cli_field_may_be_cut (const CliField *field);

/* (nullable): the escape sequence that begins the colour of a state */
const char *cli_state_colour (const char *state);
extern const char *const cli_states[];
/* (nullable): that of a field of @row; an account that others may not reach is not green */
const char *cli_field_colour (const CliField *field, CliRow *row);

G_END_DECLS
