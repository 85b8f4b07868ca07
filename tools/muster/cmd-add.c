/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-parameter.h"
#include "cli-secret.h"
#include "cli-table.h"
#include "cli-text.h"
#include "cli-wait.h"
#include "commands.h"
#include "muster-names.h"

#include <unistd.h>

/* muster add: words and secrets become one call of Manager.AddAccount. */

/* The secrets of one account: names, and pipes that hold them. */
typedef struct {
  GVariantBuilder builder; /* a{sh} */
  GUnixFDList *fds;
  GPtrArray *names;
  gboolean stdin_used;
} Secrets;

typedef struct {
  char *identity;
  char *name;
  char *password_fd;
  char *wait;
  GStrv set;
  GStrv secret;
  GStrv secret_fd;
  gboolean disabled;
  gboolean no_ask;
} Options;

static void
secrets_init (Secrets *self)
{
  g_variant_builder_init (&self->builder, G_VARIANT_TYPE ("a{sh}"));
  self->fds = g_unix_fd_list_new ();
  self->names = g_ptr_array_new_with_free_func (g_free);
  self->stdin_used = FALSE;
}

static void
secrets_clear (Secrets *self)
{
  g_variant_builder_clear (&self->builder);
  g_clear_object (&self->fds);
  g_clear_pointer (&self->names, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Secrets, secrets_clear)

static void
options_clear (Options *self)
{
  g_free (self->identity);
  g_free (self->name);
  g_free (self->password_fd);
  g_free (self->wait);
  g_strfreev (self->set);
  g_strfreev (self->secret);
  g_strfreev (self->secret_fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
secrets_have (Secrets *self, const char *name)
{
  return g_ptr_array_find_with_equal_func (self->names, name, g_str_equal, NULL);
}

/* Takes @pipe, which is -1 where reading failed. */
static gboolean
secrets_take (Secrets *self, const char *name, int pipe, GError **error)
{
  int index;

  if (pipe < 0)
    return FALSE;

  index = g_unix_fd_list_append (self->fds, pipe, error);
  close (pipe);
  if (index < 0)
    return FALSE;
  g_variant_builder_add (&self->builder, "{sh}", name, index);
  g_ptr_array_add (self->names, g_strdup (name));

  return TRUE;
}

static gboolean
secrets_read (Secrets *self,
              GPtrArray *parameters,
              const char *protocol,
              const char *name,
              const char *fd_text,
              GError **error)
{
  int fd;

  if (!cli_parameters_check_name (parameters, protocol, name, TRUE, error) ||
      !cli_secret_parse_fd (fd_text, &fd, error))
    return FALSE;

  if (secrets_have (self, name) || (fd == STDIN_FILENO && self->stdin_used)) {
    g_set_error (error, CLI_ERROR, CLI_USAGE,
                 secrets_have (self, name) ? "the secret '%s' is given twice"
                                           : "standard input cannot hold '%s', too",
                 name);
    return FALSE;
  }
  self->stdin_used |= fd == STDIN_FILENO;

  return secrets_take (self, name, cli_secret_from_fd (fd, name, error), error);
}

/* What the options say about secrets. */
static gboolean
secrets_from_options (Secrets *self,
                      const Options *options,
                      GPtrArray *parameters,
                      const char *protocol,
                      GError **error)
{
  for (char **word = options->secret; word != NULL && *word != NULL; word++) {
    g_autofree char *name = NULL;
    g_autofree char *value = NULL;

    if (!cli_parameter_split (*word, &name, &value, error))
      return FALSE;
    if (!g_str_equal (value, "-")) {
      g_set_error (error, CLI_ERROR, CLI_USAGE,
                   "a secret on the command line can be read by everybody; write --secret %s=- and "
                   "give it on standard input",
                   name);
      return FALSE;
    }
    if (!secrets_read (self, parameters, protocol, name, "0", error))
      return FALSE;
  }

  for (char **word = options->secret_fd; word != NULL && *word != NULL; word++) {
    g_autofree char *name = NULL;
    g_autofree char *value = NULL;

    if (!cli_parameter_split (*word, &name, &value, error) ||
        !secrets_read (self, parameters, protocol, name, value, error))
      return FALSE;
  }

  return options->password_fd == NULL ||
         secrets_read (self, parameters, protocol, "password", options->password_fd, error);
}

/* What is still missing is asked for: every secret that is required, and the password. */
static gboolean
secrets_from_terminal (Secrets *self, GPtrArray *parameters, const char *address, GError **error)
{
  for (guint i = 0; i < parameters->len; i++) {
    CliRow *parameter = g_ptr_array_index (parameters, i);
    const char *name = cli_row_get_string (parameter, "name");
    const char *label = cli_row_get_string (parameter, "label");
    gboolean required = cli_row_get_boolean (parameter, "required");
    g_autofree char *prompt = NULL;
    g_autoptr (GError) local = NULL;
    int pipe;

    if (!cli_row_get_boolean (parameter, "secret") || secrets_have (self, name) ||
        !(required || g_str_equal (name, "password")))
      continue;

    prompt = g_strdup_printf ("%s of %s", label[0] != '\0' ? label : name, address);
    pipe = cli_secret_from_terminal (prompt, name, !required, &local);
    if (pipe < 0 && local == NULL)
      continue;
    if (local != NULL) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    if (!secrets_take (self, name, pipe, error))
      return FALSE;
  }

  return TRUE;
}

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

/* Returns: the new account's path */
static char *
add (Cli *cli, const Options *options, const char *protocol, const char *address, GError **error)
{
  g_autoptr (GPtrArray) known = cli_account_load_parameters (cli, protocol, error);
  g_autoptr (GVariant) parameters = NULL;
  g_autoptr (GVariant) dict = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_auto (Secrets) secrets;
  char *path = NULL;

  secrets_init (&secrets);
  if (known == NULL)
    return NULL;

  parameters = cli_parameters_parse (known, protocol, (const char *const *) options->set, error);
  if (parameters == NULL)
    return NULL;
  g_variant_ref_sink (parameters);

  dict = make_options (cli, options, error);
  if (dict == NULL)
    return NULL;
  g_variant_ref_sink (dict);

  if (!secrets_from_options (&secrets, options, known, protocol, error))
    return NULL;
  if (!options->no_ask && !secrets.stdin_used && cli_secret_can_ask () &&
      !secrets_from_terminal (&secrets, known, address, error))
    return NULL;

  reply = cli_bus_call_with_fds (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "AddAccount",
                                 g_variant_new ("(ss@a{sv}@a{sh}@a{sv})", protocol, address,
                                                parameters,
                                                g_variant_builder_end (&secrets.builder), dict),
                                 secrets.fds, "(o)", error);
  if (reply == NULL) {
    cli_error_prefix (error, "cannot add %s", address);
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
    { "set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.set, "Set a parameter", "NAME=VALUE" },
    { "password-fd", 0, 0, G_OPTION_ARG_FILENAME, &options.password_fd,
      "Read the secret 'password' from a descriptor", "FD" },
    { "secret-fd", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.secret_fd,
      "Read a secret from a descriptor", "NAME=FD" },
    { "secret", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.secret,
      "Read a secret from standard input", "NAME=-" },
    { "no-ask", 0, 0, G_OPTION_ARG_NONE, &options.no_ask, "Never ask on the terminal", NULL },
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

  cli_command_complete_wait (argv);
  if (!cli_command_parse (cli, argv, entries, 2, 2, &rest, &status))
    return status;
  if (options.wait != NULL && !cli_text_parse_seconds (options.wait, &wait_s, &error))
    return cli_error_report (error);
  if (options.wait != NULL && options.disabled)
    return cli_usage ("an account that is added with --disabled cannot become registered");

  path = add (cli, &options, rest[0], rest[1], &error);
  if (path == NULL)
    return cli_error_report (error);

  g_ptr_array_add (paths, path);
  if (wait_s > 0)
    status = cli_wait_all (cli, paths, CLI_WAIT_REGISTERED, wait_s);
  shown = status == CLI_NO_DAEMON ? status : report (cli, path);

  return status != CLI_OK ? status : shown;
}
