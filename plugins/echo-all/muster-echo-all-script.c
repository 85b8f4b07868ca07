/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-script.h"

#include <string.h>

#define WORD_MAX_BYTES 255

typedef enum {
  TAKES_NOTHING,
  TAKES_ID,
  TAKES_ADDRESS,
  TAKES_PRESENCE,
  TAKES_ERROR,
  TAKES_NEW,
  TAKES_OLD,
  TAKES_TEXT,         /* the rest of the line */
  TAKES_TEXT_PERHAPS, /* the rest of the line, which may be empty */
} Takes;

typedef struct {
  MusterEchoAllVerb verb;
  const char *word;
  Takes takes[4]; /* ends with TAKES_NOTHING */
  const char *usage;
} Form;

/* clang-format off */
static const Form forms[] = {
  { MUSTER_ECHO_ALL_CALL, "call", { TAKES_ID, TAKES_ADDRESS, TAKES_TEXT_PERHAPS }, "call ID FROM [NAME]" },
  { MUSTER_ECHO_ALL_MESSAGE, "message", { TAKES_ID, TAKES_ADDRESS, TAKES_TEXT }, "message ID FROM TEXT" },
  { MUSTER_ECHO_ALL_CANCEL, "cancel", { TAKES_ID }, "cancel ID" },
  { MUSTER_ECHO_ALL_ELSEWHERE, "elsewhere", { TAKES_ID }, "elsewhere ID" },
  { MUSTER_ECHO_ALL_STALE, "stale", { TAKES_ID }, "stale ID" },
  { MUSTER_ECHO_ALL_CONTACT, "contact", { TAKES_ADDRESS, TAKES_PRESENCE, TAKES_TEXT_PERHAPS }, "contact ADDRESS PRESENCE [TEXT]" },
  { MUSTER_ECHO_ALL_ASK, "ask", { TAKES_ADDRESS }, "ask ADDRESS" },
  { MUSTER_ECHO_ALL_DENIED, "denied", { TAKES_ADDRESS }, "denied ADDRESS" },
  { MUSTER_ECHO_ALL_GONE, "gone", { TAKES_ADDRESS }, "gone ADDRESS" },
  { MUSTER_ECHO_ALL_WAITING, "waiting", { TAKES_NEW, TAKES_OLD }, "waiting NEW OLD" },
  { MUSTER_ECHO_ALL_LOSE, "lose", { TAKES_ERROR }, "lose ERROR" },
  { MUSTER_ECHO_ALL_LOG, "log", { TAKES_NOTHING }, "log" },
  { MUSTER_ECHO_ALL_DEVICE, "device", { TAKES_ADDRESS, TAKES_TEXT_PERHAPS }, "device URI [NAME]" },
};
/* clang-format on */

gboolean
muster_echo_all_presence_from_string (const char *word, MusterPresence *presence)
{
  for (guint i = 0; i < MUSTER_PRESENCE_LAST; i++) {
    if (g_str_equal (word, muster_presence_to_string ((MusterPresence) i))) {
      *presence = (MusterPresence) i;
      return TRUE;
    }
  }

  return FALSE;
}

gboolean
muster_echo_all_error_from_string (const char *word, MusterError *code)
{
  for (guint i = 0; i < MUSTER_ERROR_LAST; i++) {
    if (g_str_equal (word, muster_error_code_to_string ((MusterError) i))) {
      *code = (MusterError) i;
      return TRUE;
    }
  }

  return FALSE;
}

/* Only a message has lines. */
static gboolean
is_printable (const char *line)
{
  for (; *line != '\0'; line++) {
    if (g_ascii_iscntrl (*line) && *line != '\n')
      return FALSE;
  }

  return TRUE;
}

/* (transfer full): the next word, which @rest is moved behind; NULL: there is none, or it is too long. */
static char *
take_word (const char **rest)
{
  const char *word = *rest + strspn (*rest, " ");
  gsize n_bytes = strcspn (word, " \n");

  *rest = word + n_bytes + strspn (word + n_bytes, " ");

  return n_bytes == 0 || n_bytes > WORD_MAX_BYTES ? NULL : g_strndup (word, n_bytes);
}

static gboolean
take (MusterEchoAllCommand *self, Takes what, const char **rest)
{
  g_autofree char *word = NULL;

  if (what == TAKES_TEXT || what == TAKES_TEXT_PERHAPS) {
    if (**rest != '\0')
      self->text = g_strdup (*rest);
    *rest = "";
    return self->text != NULL || what == TAKES_TEXT_PERHAPS;
  }

  word = take_word (rest);
  if (word == NULL)
    return FALSE;

  switch (what) {
  case TAKES_ID:
    self->id = g_steal_pointer (&word);
    return TRUE;
  case TAKES_ADDRESS:
    self->address = g_steal_pointer (&word);
    return TRUE;
  case TAKES_PRESENCE:
    return muster_echo_all_presence_from_string (word, &self->presence);
  case TAKES_ERROR:
    return muster_echo_all_error_from_string (word, &self->error);
  case TAKES_NEW:
  case TAKES_OLD: {
    guint64 n;

    if (!g_ascii_string_to_unsigned (word, 10, 0, G_MAXUINT, &n, NULL))
      return FALSE;
    *(what == TAKES_NEW ? &self->n_new : &self->n_old) = (guint) n;
    return TRUE;
  }
  case TAKES_NOTHING:
  case TAKES_TEXT:
  case TAKES_TEXT_PERHAPS:
    break;
  }

  g_return_val_if_reached (FALSE);
}

static MusterEchoAllCommand *
parse_form (const Form *form, const char *rest, GError **error)
{
  g_autoptr (MusterEchoAllCommand) self = g_new0 (MusterEchoAllCommand, 1);
  gboolean fits = TRUE;

  self->verb = form->verb;
  for (const Takes *takes = form->takes; fits && *takes != TAKES_NOTHING; takes++)
    fits = take (self, *takes, &rest);
  if (fits && *rest == '\0' &&
      (form->verb == MUSTER_ECHO_ALL_MESSAGE || self->text == NULL ||
       strchr (self->text, '\n') == NULL))
    return g_steal_pointer (&self);

  g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_NONE,
                                              "it is written: %s", form->usage));
  return NULL;
}

MusterEchoAllCommand *
muster_echo_all_command_parse (const char *line, GError **error)
{
  g_autofree char *chomped = g_strchomp (g_strdup (line));
  const char *rest = chomped;
  g_autofree char *word = NULL;

  if (!g_utf8_validate (chomped, -1, NULL) || !is_printable (chomped)) {
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_NONE,
                                                "a command is printable UTF-8"));
    return NULL;
  }

  word = take_word (&rest);
  for (guint i = 0; word != NULL && i < G_N_ELEMENTS (forms); i++) {
    if (g_str_equal (word, forms[i].word))
      return parse_form (&forms[i], rest, error);
  }

  g_propagate_error (error,
                     muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_NONE,
                                       "there is no command \"%s\"", word != NULL ? word : ""));
  return NULL;
}

void
muster_echo_all_command_free (MusterEchoAllCommand *self)
{
  if (self == NULL)
    return;

  g_free (self->id);
  g_free (self->address);
  g_free (self->text);
  g_free (self);
}
