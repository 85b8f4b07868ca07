/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-login.h"
#include "cli-table.h"
#include "cli-text.h"
#include "cli-trial.h"
#include "cli-wait.h"
#include "commands.h"
#include "muster-names.h"

/* muster add: words and secrets become one call of Manager.AddAccount, after one of Manager.Test if that
 * is asked for. */

typedef struct {
  char *identity;
  char *name;
  char *wait;
  gboolean disabled;
  gboolean test;
  CliLoginOptions login;
} Options;

static void
options_clear (Options *self)
{
  g_free (self->identity);
  g_free (self->name);
  g_free (self->wait);
  cli_login_options_clear (&self->login);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static GVariant *
make_options (Cli *cli, const Options *options, GError **error)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  if (options->identity != NULL) {
    g_autofree char *path = cli_bus_find (cli, "identity", options->identity, error);

    if (path == NULL) {
      g_variant_dict_clear (&dict);
      return NULL;
    }
    g_variant_dict_insert (&dict, "identity", "o", path);
  }
  if (options->name != NULL)
    g_variant_dict_insert (&dict, "name", "s", options->name);
  if (options->disabled)
    g_variant_dict_insert (&dict, "enabled", "b", FALSE);

  return g_variant_dict_end (&dict);
}

/* Tries it with copies of the secrets; what went wrong is an error. */
static gboolean
test (Cli *cli, CliLogin *login, GError **error)
{
  g_autoptr (GUnixFDList) fds = cli_login_copy_secrets (login, error);
  g_autoptr (GVariant) report = fds != NULL ? cli_trial_run (cli, login, fds, error) : NULL;

  if (report == NULL)
    return FALSE;
  if (!cli->json || !cli_trial_check (login, report, NULL))
    cli_trial_print (cli, login, report);

  return cli_trial_check (login, report, error);
}

/* Returns: the new account's path */
static char *
add (Cli *cli, const Options *options, char **words, GError **error)
{
  g_autoptr (CliLogin) login = NULL;
  g_autoptr (GVariant) dict = NULL;
  g_autoptr (GVariant) reply = NULL;
  char *path = NULL;

  dict = make_options (cli, options, error);
  if (dict == NULL)
    return NULL;
  g_variant_ref_sink (dict);

  login = cli_login_new (cli, words, &options->login, error);
  if (login == NULL || (options->test && !test (cli, login, error)))
    return NULL;

  reply = cli_bus_call_with_fds (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "AddAccount",
                                 g_variant_new ("(ss@a{sv}@a{sh}@a{sv})", login->protocol,
                                                login->address, login->parameters, login->secrets,
                                                dict),
                                 login->fds, "(o)", error);
  if (reply == NULL) {
    cli_error_prefix (error, "cannot add %s", login->address);
    return NULL;
  }
  g_variant_get (reply, "(o)", &path);

  return path;
}

static CliExit
report (Cli *cli, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) row = cli_account_load (cli, path, &error);

  if (row == NULL)
    return cli_error_report (error);
  cli_table_print_one (cli, cli_account_fields, row);

  return CLI_OK;
}

CliExit
cmd_add (Cli *cli, char **argv)
{
  g_auto (Options) options = { NULL };
  const GOptionEntry entries[] = {
    { "identity", 'i', 0, G_OPTION_ARG_FILENAME, &options.identity,
      "Whose account it is (default: the only identity)", "IDENTITY" },
    { "name", 'n', 0, G_OPTION_ARG_FILENAME, &options.name, "A name for people", "NAME" },
    { "disabled", 0, 0, G_OPTION_ARG_NONE, &options.disabled, "Do not register it yet", NULL },
    { "test", 't', 0, G_OPTION_ARG_NONE, &options.test,
      "Register once before, and add it only if that works", NULL },
    CLI_LOGIN_ENTRIES (options.login),
    { "wait", 'w', 0, G_OPTION_ARG_FILENAME, &options.wait,
      "Wait until it is registered (default: 30 s)", "SECONDS" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) rest = NULL;
  CliExit status, shown;
  guint wait_s = 0;
  char *path;

  if (!cli_command_complete_wait (argv, &status) ||
      !cli_command_parse (cli, argv, entries, 1, 2, &rest, &status))
    return status;
  if (options.wait != NULL && !cli_text_parse_seconds (options.wait, &wait_s, &error))
    return cli_error_report (error);
  if (options.wait != NULL && options.disabled)
    return cli_usage ("an account that is added with --disabled cannot become registered");

  path = add (cli, &options, rest, &error);
  if (path == NULL)
    return cli_error_report (error);

  g_ptr_array_add (paths, path);
  if (wait_s > 0)
    status = cli_wait_all (cli, paths, CLI_WAIT_REGISTERED, wait_s);
  shown = status == CLI_NO_DAEMON ? status : report (cli, path);

  return status != CLI_OK ? status : shown;
}
