/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-table.h"
#include "commands.h"
#include "muster-names.h"

/* muster plugin */

static CliExit
list_all (Cli *cli)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray)
    rows = cli_bus_list (cli, "plugin", NULL, cli_plugin_fields, !cli->json, &error);

  if (rows == NULL)
    return cli_error_report (error);
  cli_table_print_or (cli, cli_plugin_fields, rows, "no plugin was found");

  return CLI_OK;
}

static CliExit
show_one (Cli *cli, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable)
    row = cli_bus_list_one (cli, "plugin", cli_plugin_fields, "Plugin.Name", name, &error);

  if (row == NULL)
    return cli_error_report (error);
  cli_table_print_one (cli, cli_plugin_fields, row);

  return CLI_OK;
}

static CliExit
resume (Cli *cli, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GHashTable)
    row = cli_bus_list_one (cli, "plugin", cli_plugin_fields, "Plugin.Name", name, &error);

  if (row == NULL)
    return cli_error_report (error);

  reply = cli_bus_call (cli, cli_row_get_string (row, "Path"), MUSTER_INTERFACE_PLUGIN, "Resume",
                        g_variant_new ("(a{sv})", NULL), "()", &error);
  if (reply == NULL) {
    cli_error_prefix (&error, "cannot resume %s", name);
    return cli_error_report (error);
  }

  return show_one (cli, name);
}

static void
options_clear (CliPluginOptions *self)
{
  g_free (self->dir);
  g_free (self->protocol);
  g_free (self->address);
  g_free (self->checks);
  g_strfreev (self->set);
  g_strfreev (self->secret_fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliPluginOptions, options_clear)

static gboolean
is_for_new (const CliPluginOptions *options)
{
  return options->dir != NULL;
}

static gboolean
is_for_try (const CliPluginOptions *options)
{
  return options->protocol != NULL || options->address != NULL || options->checks != NULL ||
         options->set != NULL || options->secret_fd != NULL || options->real_io_ms != 0 ||
         options->tap;
}

CliExit
cmd_plugin (Cli *cli, char **argv)
{
  g_auto (CliPluginOptions) options = { NULL };
  const GOptionEntry entries[] = {
    { "dir", 0, 0, G_OPTION_ARG_FILENAME, &options.dir, "new: The folder to make", "DIR" },
    { "protocol", 0, 0, G_OPTION_ARG_STRING, &options.protocol,
      "try: Which of the plugin's protocols", "PROTOCOL" },
    { "address", 0, 0, G_OPTION_ARG_STRING, &options.address, "try: The account's address",
      "ADDRESS" },
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.set, "try: Set a parameter", "NAME=VALUE" },
    { "secret-fd", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.secret_fd,
      "try: Read a secret from a descriptor", "NAME=FD" },
    { "checks", 0, 0, G_OPTION_ARG_STRING, &options.checks,
      "try: The service refuses a wrong one of this secret", "NAME" },
    { "real-io", 0, 0, G_OPTION_ARG_INT, &options.real_io_ms,
      "try: Wait so long for a real service before time moves on", "MILLISECONDS" },
    { "tap", 0, 0, G_OPTION_ARG_NONE, &options.tap, "try: Print TAP", NULL },
    { NULL },
  };
  static const char *const words[] = { "list", "show", "resume", "new", "try", NULL };
  g_auto (GStrv) rest = NULL;
  const char *word;
  guint n_words;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 0, 2, &rest, &status))
    return status;

  n_words = g_strv_length (rest);
  word = n_words > 0 ? rest[0] : "list";
  if (!g_str_equal (word, "new") && is_for_new (&options))
    return cli_usage ("--dir is for 'muster plugin new'");
  if (!g_str_equal (word, "try") && is_for_try (&options))
    return cli_usage ("these options are for 'muster plugin try'; see 'muster help plugin'");

  if (n_words <= 1 && g_str_equal (word, "list"))
    return list_all (cli);
  if (n_words == 2 && g_str_equal (word, "show"))
    return show_one (cli, rest[1]);
  if (n_words == 2 && g_str_equal (word, "resume"))
    return resume (cli, rest[1]);
  if (n_words == 2 && g_str_equal (word, "new"))
    return cmd_plugin_new (&options, rest[1]);
  if (n_words == 2 && g_str_equal (word, "try"))
    return cmd_plugin_try (cli, &options, rest[1]);

  return cli_command_misused ("plugin", rest[0], words);
}
