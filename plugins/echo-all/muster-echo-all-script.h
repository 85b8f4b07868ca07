/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The commands that come to the control socket, taken apart. */

#pragma once

#include <muster/muster.h>

G_BEGIN_DECLS

#define MUSTER_ECHO_ALL_COMMAND_MAX_BYTES 4096

typedef enum {
  MUSTER_ECHO_ALL_CALL,
  MUSTER_ECHO_ALL_MESSAGE,
  MUSTER_ECHO_ALL_CANCEL,
  MUSTER_ECHO_ALL_ELSEWHERE,
  MUSTER_ECHO_ALL_STALE,
  MUSTER_ECHO_ALL_CONTACT,
  MUSTER_ECHO_ALL_ASK,
  MUSTER_ECHO_ALL_DENIED,
  MUSTER_ECHO_ALL_GONE,
  MUSTER_ECHO_ALL_WAITING,
  MUSTER_ECHO_ALL_LOSE,
  MUSTER_ECHO_ALL_LOG,
  MUSTER_ECHO_ALL_DEVICE,
} MusterEchoAllVerb;

/* What a verb does not take is NULL or 0. */
typedef struct {
  MusterEchoAllVerb verb;
  char *id;
  char *address;
  char *text; /* the rest of the line */
  MusterPresence presence;
  MusterError error;
  guint n_new;
  guint n_old;
} MusterEchoAllCommand;

/* (transfer full): NULL with an error that says how it is written. */
MusterEchoAllCommand *muster_echo_all_command_parse (const char *line, GError **error);
void muster_echo_all_command_free (MusterEchoAllCommand *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterEchoAllCommand, muster_echo_all_command_free)

/* The words of the SDK, read backwards. FALSE: it is none of them. */
gboolean muster_echo_all_presence_from_string (const char *word, MusterPresence *presence);
gboolean muster_echo_all_error_from_string (const char *word, MusterError *code);

G_END_DECLS
