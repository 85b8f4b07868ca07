/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-bus.h"
#include "cli-json.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <errno.h>
#include <stdio.h>

/* muster import: a file, read up to what the daemon takes, and what became of each account. */

#define MAX_BYTES (4 * 1024 * 1024)

/* Returns: the whole of @file as text */
static char *
read_document (const char *name, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean is_stdin = g_str_equal (name, "-");
  FILE *file = is_stdin ? stdin : fopen (name, "re");
  int saved_errno = errno;
  char buffer[16384];
  size_t n;

  if (file != NULL) {
    errno = 0;
    while (text->len <= MAX_BYTES && (n = fread (buffer, 1, sizeof buffer, file)) > 0)
      g_string_append_len (text, buffer, (gssize) n);
    saved_errno = ferror (file) ? errno : 0;
    if (!is_stdin)
      fclose (file);
  }
  if (file == NULL || saved_errno != 0) {
    g_set_error (error, CLI_ERROR, CLI_FAILED, "cannot read '%s': %s", name,
                 g_strerror (saved_errno));
    return NULL;
  }
  if (text->len > MAX_BYTES) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "'%s' is longer than %d bytes", name, MAX_BYTES);
    return NULL;
  }
  if (!g_utf8_validate (text->str, (gssize) text->len, NULL)) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "'%s' is not a text in UTF-8", name);
    return NULL;
  }

  return g_string_free (g_steal_pointer (&text), FALSE);
}

static JsonNode *
to_json (GVariant *rows)
{
  JsonArray *array = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);
  GVariantIter iter;
  const char *address, *sentence;
  gboolean done;

  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_next (&iter, "(&sb&s)", &address, &done, &sentence)) {
    JsonObject *row = json_object_new ();

    json_object_set_string_member (row, "address", address);
    json_object_set_boolean_member (row, "done", done);
    json_object_set_string_member (row, "sentence", sentence);
    json_array_add_object_element (array, row);
  }
  json_node_take_array (node, array);

  return node;
}

/* Returns: how many accounts were turned down */
static guint
print (Cli *cli, GVariant *rows)
{
  GVariantIter iter;
  const char *address, *sentence;
  gboolean done;
  guint n_refused = 0;

  if (cli->json)
    cli_json_print (to_json (rows));

  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_next (&iter, "(&sb&s)", &address, &done, &sentence)) {
    g_autofree char *safe_address = cli_text_escape (address);
    g_autofree char *safe_sentence = cli_text_escape (sentence);

    n_refused += done ? 0 : 1;
    if (!cli->json)
      printf ("%-3s  %s  %s\n", done ? "yes" : "no", safe_address, safe_sentence);
  }

  return n_refused;
}

CliExit
cmd_import (Cli *cli, char **argv)
{
  gboolean dry_run = FALSE;
  const GOptionEntry entries[] = {
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "Only say what would be done", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) rows = NULL;
  g_autofree char *document = NULL;
  g_auto (GStrv) rest = NULL;
  GVariantDict options;
  CliExit status;
  guint n_refused;

  if (!cli_command_parse (cli, argv, entries, 1, 1, &rest, &status))
    return status;
  document = read_document (rest[0], &error);
  if (document == NULL)
    return cli_error_report (error);

  g_variant_dict_init (&options, NULL);
  if (dry_run)
    g_variant_dict_insert (&options, "dry-run", "b", TRUE);
  cli->patient = TRUE; /* thousands take their time */
  reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "Import",
                        g_variant_new ("(s@a{sv})", document, g_variant_dict_end (&options)),
                        "(a(sbs))", &error);
  if (reply == NULL) {
    cli_error_prefix (&error, "cannot import '%s'", rest[0]);
    return cli_error_report (error);
  }

  rows = g_variant_get_child_value (reply, 0);
  n_refused = print (cli, rows);
  if (n_refused > 0) {
    g_set_error (&error, CLI_ERROR, CLI_REFUSED, "%u of %u accounts were refused", n_refused,
                 (guint) g_variant_n_children (rows));
    return cli_error_report (error);
  }

  return CLI_OK;
}
