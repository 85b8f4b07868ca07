/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-trial.h"

#include "cli-json.h"
#include "cli-text.h"
#include "muster-names.h"

#include <stdio.h>

/* What Manager.Test says, step by step. */

GVariant *
cli_trial_run (Cli *cli, CliLogin *login, GUnixFDList *fds, GError **error)
{
  GVariant *report;

  cli->patient = TRUE; /* the daemon ends it in time */
  report = cli_bus_call_with_fds (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "Test",
                                  g_variant_new ("(ss@a{sv}@a{sh}a{sv})", login->protocol,
                                                 login->address, login->parameters, login->secrets,
                                                 NULL),
                                  fds, "(a(sbs)ba{sv})", error);
  cli->patient = FALSE;
  if (report == NULL)
    cli_error_prefix (error, "cannot test %s", login->address);

  return report;
}

static JsonNode *
to_json (CliLogin *login, GVariant *report)
{
  JsonObject *object = json_object_new ();
  JsonArray *array = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (GVariantIter) iter = NULL;
  g_autoptr (GVariant) details = NULL;
  const char *name, *sentence;
  gboolean worked, ok;

  g_variant_get (report, "(a(sbs)b@a{sv})", &iter, &ok, &details);
  while (g_variant_iter_next (iter, "(&sb&s)", &name, &worked, &sentence)) {
    JsonObject *step = json_object_new ();

    json_object_set_string_member (step, "step", name);
    json_object_set_boolean_member (step, "ok", worked);
    json_object_set_string_member (step, "sentence", sentence);
    json_array_add_object_element (array, step);
  }
  json_object_set_string_member (object, "protocol", login->protocol);
  json_object_set_string_member (object, "address", login->address);
  json_object_set_boolean_member (object, "ok", ok);
  json_object_set_array_member (object, "steps", array);
  json_object_set_member (object, "details", cli_json_from_variant (details, NULL));
  json_node_take_object (node, object);

  return node;
}

void
cli_trial_print (Cli *cli, CliLogin *login, GVariant *report)
{
  g_autoptr (GVariantIter) iter = NULL;
  const char *name, *sentence;
  gboolean worked;

  if (cli->json) {
    cli_json_print (to_json (login, report));
    return;
  }

  g_variant_get (report, "(a(sbs)b@a{sv})", &iter, NULL, NULL);
  while (g_variant_iter_next (iter, "(&sb&s)", &name, &worked, &sentence)) {
    g_autofree char *safe_name = cli_text_escape (name);
    g_autofree char *safe_sentence = cli_text_escape (sentence);
    const char *colour = worked ? "\033[32m" : "\033[31m";

    if (!cli_text_colours ())
      colour = NULL;
    printf ("%s%-3s%s  %-12s %s\n", colour != NULL ? colour : "", worked ? "yes" : "no",
            colour != NULL ? "\033[0m" : "", safe_name, safe_sentence);
  }
  fflush (stdout);
}

gboolean
cli_trial_check (CliLogin *login, GVariant *report, GError **error)
{
  g_autoptr (GVariantIter) iter = NULL;
  const char *name, *sentence;
  const char *failed = "?";
  gboolean worked, ok;

  g_variant_get (report, "(a(sbs)b@a{sv})", &iter, &ok, NULL);
  if (ok)
    return TRUE;

  while (g_variant_iter_next (iter, "(&sb&s)", &name, &worked, &sentence)) {
    if (!worked)
      failed = name;
  }
  if (error != NULL) {
    g_autofree char *safe = cli_text_escape (failed);

    g_set_error (error, CLI_ERROR, CLI_FAILED, "%s does not work as it is: %s failed",
                 login->address, safe);
  }

  return FALSE;
}
