/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-login.h"

#include "cli-account.h"
#include "cli-parameter.h"
#include "cli-secret.h"
#include "cli-text.h"
#include "muster-names.h"

#include <glib-unix.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Words become what Manager.AddAccount and Manager.Test take. */

#define SECRET_MAX_BYTES (64 * 1024)

/* The secrets of one account: names, and pipes that hold them. */
typedef struct {
  GVariantBuilder builder; /* a{sh} */
  GUnixFDList *fds;
  GPtrArray *names;
  gboolean stdin_used;
} Secrets;

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
                      const CliLoginOptions *options,
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

/* whose address it is */

/* Returns: the only protocol that @address can be of */
static char *
discover (Cli *cli, const char *address, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_auto (GStrv) protocols = NULL;
  g_autofree char *names = NULL;
  g_autofree char *safe = cli_text_escape (address);

  reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "Discover",
                        g_variant_new ("(sa{sv})", address, NULL), "(as)", error);
  if (reply == NULL)
    return NULL;

  g_variant_get (reply, "(^as)", &protocols);
  if (g_strv_length (protocols) == 1)
    return g_strdup (protocols[0]);

  names = g_strjoinv (", ", protocols);
  if (protocols[0] == NULL)
    g_set_error (
      error, CLI_ERROR, CLI_NOT_FOUND,
      "no protocol has addresses like '%s'; 'muster protocols' shows what they look like", safe);
  else
    g_set_error (error, CLI_ERROR, CLI_AMBIGUOUS,
                 "'%s' can be an address of several protocols; write which in front of it: %s",
                 safe, names);

  return NULL;
}

/* the whole */

void
cli_login_options_clear (CliLoginOptions *self)
{
  g_free (self->password_fd);
  g_strfreev (self->set);
  g_strfreev (self->secret);
  g_strfreev (self->secret_fd);
}

static gboolean
cli_login_read (CliLogin *self, Cli *cli, const CliLoginOptions *options, GError **error)
{
  g_autoptr (GPtrArray) known = cli_account_load_parameters (cli, self->protocol, error);
  g_auto (Secrets) secrets;

  secrets_init (&secrets);
  if (known == NULL)
    return FALSE;

  self->parameters = cli_parameters_parse (known, self->protocol,
                                           (const char *const *) options->set, error);
  if (self->parameters == NULL)
    return FALSE;
  g_variant_ref_sink (self->parameters);

  if (!secrets_from_options (&secrets, options, known, self->protocol, error))
    return FALSE;
  if (!options->no_ask && !secrets.stdin_used && cli_secret_can_ask () &&
      !secrets_from_terminal (&secrets, known, self->address, error))
    return FALSE;

  self->secrets = g_variant_ref_sink (g_variant_builder_end (&secrets.builder));
  self->fds = g_steal_pointer (&secrets.fds);

  return TRUE;
}

CliLogin *
cli_login_new (Cli *cli, char **words, const CliLoginOptions *options, GError **error)
{
  g_autoptr (CliLogin) self = g_new0 (CliLogin, 1);

  self->address = g_strdup (words[1] != NULL ? words[1] : words[0]);
  self->protocol = words[1] != NULL ? g_strdup (words[0]) : discover (cli, self->address, error);
  if (self->protocol == NULL || !cli_login_read (self, cli, options, error))
    return NULL;

  return g_steal_pointer (&self);
}

void
cli_login_free (CliLogin *self)
{
  g_free (self->protocol);
  g_free (self->address);
  g_clear_pointer (&self->parameters, g_variant_unref);
  g_clear_pointer (&self->secrets, g_variant_unref);
  g_clear_object (&self->fds);
  g_free (self);
}

/* The kernel copies it: the secret does not pass through our memory again. */
static int
copy_pipe (int fd, GError **error)
{
  int ends[2];
  ssize_t n;

  if (!g_unix_open_pipe (ends, FD_CLOEXEC, error))
    return -1;

  n = tee (fd, ends[1], SECRET_MAX_BYTES, SPLICE_F_NONBLOCK);
  close (ends[1]);
  if (n > 0)
    return ends[0];

  close (ends[0]);
  g_set_error (error, CLI_ERROR, CLI_FAILED, "cannot copy a secret: %s",
               n < 0 ? g_strerror (errno) : "it is empty");

  return -1;
}

GUnixFDList *
cli_login_copy_secrets (CliLogin *self, GError **error)
{
  g_autoptr (GUnixFDList) copies = g_unix_fd_list_new ();
  const int *fds;
  int n_fds;

  fds = g_unix_fd_list_peek_fds (self->fds, &n_fds);
  for (int i = 0; i < n_fds; i++) {
    int copy = copy_pipe (fds[i], error);
    int index;

    if (copy < 0)
      return NULL;
    index = g_unix_fd_list_append (copies, copy, error);
    close (copy);
    if (index < 0)
      return NULL;
  }

  return g_steal_pointer (&copies);
}
