/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterIncoming"

#include "config.h"

#include "muster-incoming-handler.h"

#include "muster-broker-error.h"

#include <string.h>

/* Which handler takes what: pure functions. */

void
muster_incoming_handler_free (MusterIncomingHandler *self)
{
  g_free (self->owner);
  g_free (self->address);
  g_strfreev (self->kinds);
  g_strfreev (self->accounts);
  g_free (self->identity);
  g_free (self->protocol);
  g_free (self);
}

gboolean
muster_incoming_check_target (const char *what, const char *target, GError **error)
{
  g_autofree char *quoted = muster_broker_quote (target);
  const char *problem = NULL;

  if (*target == '\0')
    problem = "is empty; it is the address to hand over to";
  else if (strlen (target) > MUSTER_TARGET_MAX_BYTES)
    problem = "is too long";

  for (const char *p = target; problem == NULL && *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (!g_unichar_isgraph (c) || c == '<' || c == '>' || c == '"')
      problem = "is not an address";
  }
  if (problem == NULL)
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, "%s: %s %s", what,
               quoted, problem);
  return FALSE;
}

gboolean
muster_incoming_handler_check (const MusterIncomingHandler *self, GError **error)
{
  g_autofree char *quoted = NULL;
  MusterOfferKind kind;

  if (!muster_incoming_check_target ("address", self->address, error))
    return FALSE;
  if (g_uri_peek_scheme (self->address) == NULL) {
    quoted = muster_broker_quote (self->address);
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "address: %s does not begin with a scheme, such as sip:", quoted);
    return FALSE;
  }
  if (self->kinds[0] == NULL || g_strv_length (self->kinds) > 2) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "kinds: one or both of call and message are needed");
    return FALSE;
  }
  for (guint i = 0; self->kinds[i] != NULL; i++) {
    if (muster_incoming_kind_from_string (self->kinds[i], &kind))
      continue;
    quoted = muster_broker_quote (self->kinds[i]);
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "kinds: %s is neither call nor message", quoted);
    return FALSE;
  }

  return TRUE;
}

static gboolean
allows (const char *const *allowed, const char *id)
{
  return allowed == NULL || g_strv_contains (allowed, id);
}

static gboolean
has_scheme (const MusterProtocol *protocol, const char *address)
{
  const char *scheme = g_uri_peek_scheme (address); /* in lower case */

  for (guint i = 0; protocol->uri_schemes != NULL && protocol->uri_schemes[i] != NULL; i++) {
    if (g_strcmp0 (protocol->uri_schemes[i], scheme) == 0)
      return TRUE;
  }

  return FALSE;
}

gboolean
muster_incoming_handler_takes (const MusterIncomingHandler *self,
                               MusterOfferKind kind,
                               const MusterAccountRecord *record,
                               const MusterProtocol *protocol)
{
  return g_strv_contains ((const char *const *) self->kinds,
                          muster_incoming_kind_to_string (kind)) &&
         allows ((const char *const *) self->accounts, record->id) &&
         (self->identity == NULL || g_str_equal (self->identity, record->identity)) &&
         (self->protocol == NULL || g_str_equal (self->protocol, record->protocol)) &&
         has_scheme (protocol, self->address);
}
