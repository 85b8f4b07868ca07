/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-json.h"
#include "cli-parameter.h"
#include "cli-secret.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>
#include <unistd.h>

/* muster secret: to the daemon through a pipe, or forgotten. */

typedef struct {
  const char *name;
  int fd; /* -1: ask */
  gboolean clear;
} Request;

static GVariant *
store_secret (Cli *cli, const char *path, CliRow *row, const Request *request, GError **error)
{
  g_autofree char *prompt = NULL;
  g_autoptr (GUnixFDList) fds = NULL;
  int pipe;

  prompt = g_strdup_printf ("%s of %s", request->name, cli_row_get_string (row, "Account.Address"));
  pipe = request->fd >= 0 ? cli_secret_from_fd (request->fd, request->name, error)
                          : cli_secret_from_terminal (prompt, request->name, FALSE, error);
  if (pipe < 0)
    return NULL;

  fds = g_unix_fd_list_new_from_array (&pipe, 1);

  return cli_bus_call_with_fds (cli, path, MUSTER_INTERFACE_ACCOUNT, "SetSecret",
                                g_variant_new ("(sha{sv})", request->name, 0, NULL), fds, "()",
                                error);
}

static void
print_outcome (Cli *cli, CliRow *row, const Request *request)
{
  g_autofree char *address = cli_text_escape (cli_row_get_string (row, "Account.Address"));
  JsonObject *object;
  JsonNode *node;

  if (!cli->json) {
    printf ("%s '%s' of %s\n", request->clear ? "forgot" : "stored", request->name, address);
    return;
  }
  object = json_object_new ();
  node = json_node_new (JSON_NODE_OBJECT);
  json_object_set_string_member (object, "id", cli_row_get_string (row, "Account.Id"));
  json_object_set_string_member (object, "address", cli_row_get_string (row, "Account.Address"));
  json_object_set_string_member (object, "secret", request->name);
  json_object_set_boolean_member (object, "stored", !request->clear);
  json_node_take_object (node, object);
  cli_json_print (node);
}

static gboolean
change_secret (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  const Request *request = user_data;
  const char *protocol = cli_row_get_string (row, "Account.Protocol");
  g_autoptr (GPtrArray) known = NULL;
  g_autoptr (GVariant) reply = NULL;

  /* What is stored can be forgotten, whatever the plugin says today. */
  if (!request->clear) {
    known = cli_account_load_parameters (cli, protocol, error);
    if (known == NULL || !cli_parameters_check_name (known, protocol, request->name, TRUE, error))
      return FALSE;
    reply = store_secret (cli, path, row, request, error);
  } else {
    reply = cli_bus_call (cli, path, MUSTER_INTERFACE_ACCOUNT, "ClearSecret",
                          g_variant_new ("(sa{sv})", request->name, NULL), "()", error);
  }
  if (reply == NULL) {
    cli_error_prefix (error, "cannot change a secret of %s",
                      cli_row_get_string (row, "Account.Address"));
    return FALSE;
  }
  print_outcome (cli, row, request);

  return TRUE;
}

CliExit
cmd_secret (Cli *cli, char **argv)
{
  g_autofree char *fd_text = NULL;
  gboolean no_ask = FALSE;
  Request request = { .fd = -1 };
  const GOptionEntry entries[] = {
    { "fd", 0, 0, G_OPTION_ARG_FILENAME, &fd_text, "Read it from a descriptor", "FD" },
    { "clear", 0, 0, G_OPTION_ARG_NONE, &request.clear, "Forget it", NULL },
    { "no-ask", 0, 0, G_OPTION_ARG_NONE, &no_ask, "Never ask on the terminal", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  char *selector[] = { NULL, NULL };
  g_auto (GStrv) rest = NULL;
  gboolean from_stdin;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 2, 3, &rest, &status))
    return status;

  from_stdin = rest[2] != NULL;
  if (from_stdin && !g_str_equal (rest[2], "-"))
    return cli_usage (
      "a secret on the command line can be read by everybody; write '-' and give it "
      "on standard input");
  if (from_stdin + (fd_text != NULL) + request.clear > 1)
    return cli_usage ("'-', --fd and --clear exclude each other");
  if (fd_text != NULL && !cli_secret_parse_fd (fd_text, &request.fd, &error))
    return cli_error_report (error);
  if (from_stdin)
    request.fd = STDIN_FILENO;
  if (request.fd < 0 && !request.clear && (no_ask || !cli_secret_can_ask ()))
    return cli_usage ("there is no terminal to ask on: write '-' and give the secret on standard "
                      "input, or use --fd");

  request.name = rest[1];
  selector[0] = rest[0];

  return cli_account_each (cli, selector, change_secret, &request, NULL);
}
