/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

G_BEGIN_DECLS

/* What an account is made of, as words say it: a protocol, an address, parameters and secrets. */

typedef struct {
  char *password_fd;
  GStrv set;
  GStrv secret;
  GStrv secret_fd;
  gboolean no_ask;
} CliLoginOptions;

void cli_login_options_clear (CliLoginOptions *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliLoginOptions, cli_login_options_clear)

/* For the table of a command's options. */
#define CLI_LOGIN_ENTRIES(options)                                                                 \
  { "set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &(options).set, "Set a parameter", "NAME=VALUE" }, \
    { "password-fd",                                                                               \
      0,                                                                                           \
      0,                                                                                           \
      G_OPTION_ARG_FILENAME,                                                                       \
      &(options).password_fd,                                                                      \
      "Read the secret 'password' from a descriptor",                                              \
      "FD" },                                                                                      \
    { "secret-fd",                                                                                 \
      0,                                                                                           \
      0,                                                                                           \
      G_OPTION_ARG_FILENAME_ARRAY,                                                                 \
      &(options).secret_fd,                                                                        \
      "Read a secret from a descriptor",                                                           \
      "NAME=FD" },                                                                                 \
    { "secret",                                                                                    \
      0,                                                                                           \
      0,                                                                                           \
      G_OPTION_ARG_FILENAME_ARRAY,                                                                 \
      &(options).secret,                                                                           \
      "Read a secret from standard input",                                                         \
      "NAME=-" },                                                                                  \
  {                                                                                                \
    "no-ask", 0, 0, G_OPTION_ARG_NONE, &(options).no_ask, "Never ask on the terminal", NULL        \
  }

typedef struct {
  char *protocol;
  char *address;
  GVariant *parameters; /* a{sv} */
  GVariant *secrets;    /* a{sh}: places in @fds */
  GUnixFDList *fds;     /* each a pipe that holds one */
} CliLogin;

/* @words: "[PROTOCOL] ADDRESS"; without a protocol the daemon is asked whose address it is. Asks for
 * secrets on a terminal. */
CliLogin *cli_login_new (Cli *cli, char **words, const CliLoginOptions *options, GError **error);
void cli_login_free (CliLogin *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliLogin, cli_login_free)

/* Whoever gets the secrets empties the pipes: this makes others with the same in them. */
GUnixFDList *cli_login_copy_secrets (CliLogin *self, GError **error);

G_END_DECLS
