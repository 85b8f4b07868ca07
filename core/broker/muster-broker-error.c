/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-error.h"

#include "muster-names.h"

#include <muster/muster-error.h>

#define QUOTED_MAX 64

static const GDBusErrorEntry entries[] = {
  { MUSTER_BROKER_ERROR_FAILED, MUSTER_BUS_ERROR_FAILED },
  { MUSTER_BROKER_ERROR_INVALID_ARGUMENT, MUSTER_BUS_ERROR_INVALID_ARGUMENT },
  { MUSTER_BROKER_ERROR_NOT_FOUND, MUSTER_BUS_ERROR_NOT_FOUND },
  { MUSTER_BROKER_ERROR_AMBIGUOUS, MUSTER_BUS_ERROR_AMBIGUOUS },
  { MUSTER_BROKER_ERROR_EXISTS, MUSTER_BUS_ERROR_EXISTS },
  { MUSTER_BROKER_ERROR_IN_USE, MUSTER_BUS_ERROR_IN_USE },
  { MUSTER_BROKER_ERROR_TOO_MANY, MUSTER_BUS_ERROR_TOO_MANY },
  { MUSTER_BROKER_ERROR_WRONG_STATE, MUSTER_BUS_ERROR_WRONG_STATE },
  { MUSTER_BROKER_ERROR_STORE, MUSTER_BUS_ERROR_STORE },
  { MUSTER_BROKER_ERROR_LOCKED, MUSTER_BUS_ERROR_LOCKED },
  { MUSTER_BROKER_ERROR_UNSUPPORTED, MUSTER_BUS_ERROR_UNSUPPORTED },
};

GQuark
muster_broker_error_quark (void)
{
  static gsize quark;

  g_dbus_error_register_error_domain ("muster-broker-error-quark", &quark, entries,
                                      G_N_ELEMENTS (entries));
  return (GQuark) quark;
}

/* "needs-user" -> "NeedsUser" */
char *
muster_broker_error_dup_name (int muster_error_code)
{
  const char *kebab = muster_error_code_to_string ((MusterError) muster_error_code);
  GString *name = g_string_new (MUSTER_BUS_ERROR_PREFIX);
  gboolean upper = TRUE;

  for (; *kebab != '\0'; kebab++) {
    if (*kebab == '-') {
      upper = TRUE;
      continue;
    }
    g_string_append_c (name, upper ? g_ascii_toupper (*kebab) : *kebab);
    upper = FALSE;
  }

  return g_string_free (name, FALSE);
}

char *
muster_broker_quote (const char *text)
{
  GString *quoted = g_string_new ("\"");
  guint n = 0;

  for (; *text != '\0' && n < QUOTED_MAX; text = g_utf8_next_char (text), n++) {
    gunichar c = g_utf8_get_char (text);

    g_string_append_unichar (quoted, g_unichar_isprint (c) ? c : '?');
  }
  g_string_append (quoted, *text != '\0' ? "...\"" : "\"");

  return g_string_free (quoted, FALSE);
}
