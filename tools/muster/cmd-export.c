/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-bus.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster export: the daemon's document as it is, which is JSON anyway. */

static GVariant *
make_options (Cli *cli, char **selectors, GError **error)
{
  GVariantBuilder paths;
  GVariantDict options;

  g_variant_dict_init (&options, NULL);
  if (selectors[0] == NULL)
    return g_variant_dict_end (&options);

  g_variant_builder_init (&paths, G_VARIANT_TYPE_OBJECT_PATH_ARRAY);
  for (; *selectors != NULL; selectors++) {
    g_autofree char *path = cli_bus_find (cli, "account", *selectors, error);

    if (path == NULL) {
      g_variant_builder_clear (&paths);
      g_variant_dict_clear (&options);
      return NULL;
    }
    g_variant_builder_add (&paths, "o", path);
  }
  g_variant_dict_insert_value (&options, "accounts", g_variant_builder_end (&paths));

  return g_variant_dict_end (&options);
}

CliExit
cmd_export (Cli *cli, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_auto (GStrv) rest = NULL;
  const char *document;
  GVariant *options;
  CliExit status;

  if (!cli_command_parse (cli, argv, NULL, 0, CLI_ANY_NUMBER, &rest, &status))
    return status;

  options = make_options (cli, rest, &error);
  if (options == NULL)
    return cli_error_report (error);
  cli->patient = TRUE;
  reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "Export",
                        g_variant_new ("(@a{sv})", options), "(s)", &error);
  if (reply == NULL)
    return cli_error_report (error);

  g_variant_get (reply, "(&s)", &document);
  fputs (document, stdout);

  return CLI_OK;
}
