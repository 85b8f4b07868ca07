/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-loop.h"
#include "cli-secret.h"
#include "cli-table.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * muster agent: asks on the terminal what the daemon needs to know, for as long as it runs; or shows
 * and answers single requests. One question is asked at a time: others wait in a queue.
 */

#define AGENT_PATH "/org/muster/Muster1/CommandLineAgent"

typedef struct {
  Cli *cli;
  CliLoop loop;
  GQueue questions; /* GDBusMethodInvocation */
  guint ask_id;
  gboolean bus_lost;
} Agent;

/* answering */

static gboolean
answer (Cli *cli, CliRow *row, gboolean accept, const char *secret, int fd, GError **error)
{
  g_autofree char *path = g_strconcat (MUSTER_PATH_REQUESTS, "/",
                                       cli_row_get_string (row, "Request.Id"), NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GVariant) reply = NULL;
  GVariantBuilder answers, secrets;

  g_variant_builder_init (&answers, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_init (&secrets, G_VARIANT_TYPE ("a{sh}"));
  if (accept)
    g_variant_builder_add (&answers, "{sv}", "accept", g_variant_new_boolean (TRUE));
  if (secret != NULL) {
    g_variant_builder_add (&secrets, "{sh}", secret, 0);
    g_clear_object (&fds);
    fds = g_unix_fd_list_new_from_array (&fd, 1);
  }

  reply = cli_bus_call_with_fds (cli, path, MUSTER_INTERFACE_REQUEST, "Answer",
                                 g_variant_new ("(a{sv}a{sh}a{sv})", &answers, &secrets, NULL), fds,
                                 "()", error);
  return reply != NULL;
}

static gboolean
ask_yes (const char *question)
{
  char line[16];

  fprintf (stderr, "%s [y/N] ", question);
  return fgets (line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

/* Asks on the terminal and answers. FALSE without an error: the person will not. */
static gboolean
ask (Cli *cli, CliRow *row, GError **error)
{
  g_autofree char *message = cli_text_escape (cli_row_get_string (row, "Request.Message"));
  const char *kind = cli_row_get_string (row, "Request.Kind");
  GVariant *names = cli_row_get (row, "Request.Secrets");
  g_autofree const char **secrets = NULL;
  int fd;

  fprintf (stderr, "%s\n", message);
  if (g_str_equal (kind, "certificate"))
    return ask_yes ("Trust this certificate from now on?") &&
           answer (cli, row, TRUE, NULL, -1, error);
  if (!g_str_equal (kind, "secret"))
    return ask_yes ("Try again now?") && answer (cli, row, FALSE, NULL, -1, error);

  if (names != NULL && g_variant_is_of_type (names, G_VARIANT_TYPE_STRING_ARRAY))
    secrets = g_variant_get_strv (names, NULL);
  if (secrets == NULL || secrets[0] == NULL)
    return FALSE;
  fd = cli_secret_from_terminal (secrets[0], secrets[0], TRUE, error);

  return fd >= 0 && answer (cli, row, FALSE, secrets[0], fd, error);
}

/* being an agent */

static gboolean
on_ask (gpointer user_data)
{
  Agent *self = user_data;
  GDBusMethodInvocation *invocation = g_queue_pop_head (&self->questions);
  GVariant *parameters = g_dbus_method_invocation_get_parameters (invocation);
  g_autoptr (GHashTable) row = cli_row_new ();
  g_autoptr (GVariant) properties = g_variant_get_child_value (parameters, 1);
  g_autoptr (GError) error = NULL;

  cli_row_merge (row, "Request", properties);
  if (ask (self->cli, row, &error)) {
    g_dbus_method_invocation_return_value (invocation, NULL);
  } else {
    if (error != NULL)
      cli_error_report (error);
    g_dbus_method_invocation_return_dbus_error (invocation, MUSTER_BUS_ERROR_DECLINED,
                                                error != NULL ? error->message
                                                              : "the person does not answer");
  }

  if (!g_queue_is_empty (&self->questions))
    return G_SOURCE_CONTINUE;
  self->ask_id = 0;
  return G_SOURCE_REMOVE;
}

/* Takes a question away that nobody has been asked yet. */
static void
forget_question (Agent *self, const char *path)
{
  for (GList *link = self->questions.head; link != NULL; link = link->next) {
    GDBusMethodInvocation *invocation = link->data;
    g_autoptr (GVariant) other = NULL;

    other = g_variant_get_child_value (g_dbus_method_invocation_get_parameters (invocation), 0);
    if (!g_str_equal (g_variant_get_string (other, NULL), path))
      continue;
    g_queue_delete_link (&self->questions, link);
    g_dbus_method_invocation_return_dbus_error (invocation, MUSTER_BUS_ERROR_DECLINED,
                                                "it was answered otherwise");
    if (g_queue_is_empty (&self->questions))
      g_clear_handle_id (&self->ask_id, g_source_remove);
    return;
  }
}

static void
on_call (GDBusConnection *connection,
         const char *sender,
         const char *path,
         const char *interface,
         const char *method,
         GVariant *parameters,
         GDBusMethodInvocation *invocation,
         gpointer user_data)
{
  Agent *self = user_data;

  if (g_str_equal (method, "Cancel")) {
    const char *request;

    g_variant_get (parameters, "(&o)", &request);
    forget_question (self, request);
    g_dbus_method_invocation_return_value (invocation, NULL);
    return;
  }

  g_queue_push_tail (&self->questions, invocation);
  if (self->ask_id == 0)
    self->ask_id = g_idle_add (on_ask, self);
}

static const GDBusInterfaceVTable agent_vtable = { on_call, NULL, NULL, { NULL } };

static const char agent_xml[] = "<node><interface name='" MUSTER_INTERFACE_AGENT "'>"
                                "<method name='Handle'><arg type='o' direction='in'/>"
                                "<arg type='a{sv}' direction='in'/></method>"
                                "<method name='Cancel'><arg type='o' direction='in'/></method>"
                                "</interface></node>";

static void
on_daemon_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Agent *self = user_data;

  self->bus_lost = TRUE;
  cli_loop_quit (&self->loop);
}

static CliExit
serve (Cli *cli, guint max_s)
{
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (agent_xml, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  Agent self = { .cli = cli, .questions = G_QUEUE_INIT };
  guint object_id, watch_id;

  if (!cli_secret_can_ask ())
    return cli_usage ("there is no terminal to ask on; to answer one request, use: muster agent "
                      "answer REQUEST -");
  if (cli_bus_get (cli, &error) == NULL)
    return cli_error_report (error);

  cli_loop_init (&self.loop);
  object_id = g_dbus_connection_register_object (cli->connection, AGENT_PATH, node->interfaces[0],
                                                 &agent_vtable, &self, NULL, NULL);
  reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_AGENT_MANAGER, "Register",
                        g_variant_new ("(oa{sv})", AGENT_PATH, NULL), "()", &error);
  if (reply != NULL) {
    watch_id = g_bus_watch_name_on_connection (cli->connection, MUSTER_BUS_NAME,
                                               G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                               on_daemon_vanished, &self, NULL);
    cli_loop_run (&self.loop, max_s);
    g_bus_unwatch_name (watch_id);
    if (self.bus_lost)
      g_set_error (&error, CLI_ERROR, CLI_NO_DAEMON, "musterd is gone");
  }

  g_clear_handle_id (&self.ask_id, g_source_remove);
  g_queue_clear_full (&self.questions, g_object_unref);
  g_dbus_connection_unregister_object (cli->connection, object_id);
  cli_loop_clear (&self.loop);

  return error != NULL ? cli_error_report (error) : CLI_OK;
}

/* single requests */

static void
add_addresses (Cli *cli, GPtrArray *rows)
{
  for (guint i = 0; i < rows->len; i++) {
    CliRow *row = g_ptr_array_index (rows, i);
    const char *account = cli_row_get_string (row, "Request.Account");

    /* Without an answer the account is gone, and soon the request, too. */
    if (g_variant_is_object_path (account))
      cli_bus_load (cli, account, MUSTER_INTERFACE_ACCOUNT, row, NULL);
  }
}

static CliExit
list_requests (Cli *cli)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray)
    rows = cli_bus_list (cli, "request", NULL, cli_request_fields, !cli->json, &error);

  if (rows == NULL)
    return cli_error_report (error);
  if (cli->json)
    add_addresses (cli, rows);
  cli_table_print_or (cli, cli_request_fields, rows, "no account waits for an answer");

  return CLI_OK;
}

static CliExit
answer_one (Cli *cli, const char *id, gboolean accept, int fd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable)
    row = cli_bus_list_one (cli, "request", cli_request_fields, "Request.Id", id, &error);
  g_autofree const char **secrets = NULL;
  GVariant *names;
  gboolean done;
  int pipe = -1;

  if (row == NULL)
    return cli_error_report (error);

  names = cli_row_get (row, "Request.Secrets");
  if (names != NULL)
    secrets = g_variant_get_strv (names, NULL);
  if (secrets == NULL || secrets[0] == NULL) {
    done = answer (cli, row, accept, NULL, -1, &error);
  } else if (fd < 0) {
    done = ask (cli, row, &error);
  } else {
    pipe = cli_secret_from_fd (fd, secrets[0], &error);
    done = pipe >= 0 && answer (cli, row, accept, secrets[0], pipe, &error);
  }

  if (error != NULL) {
    cli_error_prefix (&error, "cannot answer request %s", id);
    return cli_error_report (error);
  }
  return done ? CLI_OK : CLI_FAILED;
}

CliExit
cmd_agent (Cli *cli, char **argv)
{
  g_autofree char *fd_text = NULL;
  g_autofree char *max_text = NULL;
  gboolean accept = FALSE;
  const GOptionEntry entries[] = {
    { "accept", 0, 0, G_OPTION_ARG_NONE, &accept, "Trust the certificate", NULL },
    { "fd", 0, 0, G_OPTION_ARG_FILENAME, &fd_text, "Read the secret from a descriptor", "FD" },
    { "for", 0, 0, G_OPTION_ARG_FILENAME, &max_text, "End after this time", "SECONDS" },
    { NULL },
  };
  static const char *const words[] = { "list", "answer", NULL };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) rest = NULL;
  guint n_words, max_s = 0;
  CliExit status;
  int fd = -1;

  if (!cli_command_parse (cli, argv, entries, 0, 3, &rest, &status))
    return status;
  if (max_text != NULL && !cli_text_parse_seconds (max_text, &max_s, &error))
    return cli_error_report (error);
  if (fd_text != NULL && !cli_secret_parse_fd (fd_text, &fd, &error))
    return cli_error_report (error);

  n_words = g_strv_length (rest);
  if (n_words == 3 && g_str_equal (rest[2], "-") && fd_text == NULL)
    fd = STDIN_FILENO;
  else if (n_words == 3)
    return cli_usage (
      "a secret on the command line can be read by everybody; write '-' and give it "
      "on standard input");

  if (n_words == 0)
    return serve (cli, max_s);
  if (n_words == 1 && g_str_equal (rest[0], "list"))
    return list_requests (cli);
  if (n_words >= 2 && g_str_equal (rest[0], "answer")) {
    if (fd < 0 && !accept && !cli_secret_can_ask ())
      return cli_usage ("there is no terminal to ask on: write '-' and give the secret on standard "
                        "input, or use --fd");
    return answer_one (cli, rest[1], accept, fd);
  }

  return cli_command_misused ("agent", rest[0], words);
}
