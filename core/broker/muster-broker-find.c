/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"

#include <string.h>

/* Finds what people name, and pages through what there is. */

/* A selector is an exact id or name, else a beginning that only one has. */
typedef struct {
  const char *selector;
  gpointer exact;
  guint n_exact;
  gpointer prefixed;
  guint n_prefixed;
} Match;

static void
match_names (Match *match, gpointer object, const char *id, const char *first, const char *second)
{
  if (g_str_equal (id, match->selector) || g_strcmp0 (first, match->selector) == 0 ||
      g_strcmp0 (second, match->selector) == 0) {
    match->exact = object;
    match->n_exact++;
  } else if (g_str_has_prefix (id, match->selector) || g_str_has_prefix (first, match->selector) ||
             (second != NULL && g_str_has_prefix (second, match->selector))) {
    match->prefixed = object;
    match->n_prefixed++;
  }
}

static gpointer
match_result (const Match *match, const char *kind, GError **error)
{
  g_autofree char *quoted = NULL;

  if (match->n_exact == 1)
    return match->exact;
  if (match->n_exact == 0 && match->n_prefixed == 1 && *match->selector != '\0')
    return match->prefixed;

  quoted = muster_broker_quote (match->selector);
  if (match->n_exact + match->n_prefixed > 0 && *match->selector != '\0')
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_AMBIGUOUS,
                 "%s can mean %u of the %s: say more of it, or give an id", quoted,
                 match->n_exact > 0 ? match->n_exact : match->n_prefixed, kind);
  else
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                 "there is no %s among the %s", quoted, kind);

  return NULL;
}

MusterAccount *
muster_broker_find_account (MusterBroker *self, const char *selector, GError **error)
{
  Match match = { .selector = selector };
  MusterAccount *account = muster_broker_get_account (self, selector);

  if (account != NULL)
    return account;

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->accounts);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    const MusterAccountRecord *record;

    account = g_sequence_get (iter);
    record = muster_account_get_record (account);
    match_names (&match, account, record->id, record->address,
                 g_str_equal (record->name, record->address) ? NULL : record->name);
  }

  return match_result (&match, "accounts", error);
}

static void
match_identities (MusterBroker *self, Match *match, gboolean any_case)
{
  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->identities);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterIdentity *identity = g_sequence_get (iter);
    g_autofree char *folded = any_case ? g_utf8_casefold (identity->record->name, -1) : NULL;

    match_names (match, identity, identity->record->id, any_case ? folded : identity->record->name,
                 NULL);
  }
}

/* Whoever calls an identity wrongly may have its capitals wrong only. */
MusterIdentity *
muster_broker_find_identity (MusterBroker *self, const char *selector, GError **error)
{
  g_autofree char *folded = g_utf8_casefold (selector, -1);
  Match match = { .selector = selector };

  match_identities (self, &match, FALSE);
  if (match.n_exact + match.n_prefixed == 0) {
    match.selector = folded;
    match_identities (self, &match, TRUE);
    match.selector = selector;
  }

  return match_result (&match, "identities", error);
}

static int
compare_account_to_id (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const char *left = a == NULL ? user_data : muster_account_get_id ((MusterAccount *) a);
  const char *right = b == NULL ? user_data : muster_account_get_id ((MusterAccount *) b);
  int order = strcmp (left, right);

  /* The searched one stands behind its equal. */
  return order != 0 ? order : (a == NULL ? 1 : -1);
}

GSequenceIter *
muster_broker_seek_account (MusterBroker *self, const char *after_id)
{
  return g_sequence_search (self->accounts, NULL, compare_account_to_id, (gpointer) after_id);
}

static int
compare_identity_to_id (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const char *left = a == NULL ? user_data : ((const MusterIdentity *) a)->record->id;
  const char *right = b == NULL ? user_data : ((const MusterIdentity *) b)->record->id;
  int order = strcmp (left, right);

  return order != 0 ? order : (a == NULL ? 1 : -1);
}

GSequenceIter *
muster_broker_seek_identity (MusterBroker *self, const char *after_id)
{
  return g_sequence_search (self->identities, NULL, compare_identity_to_id, (gpointer) after_id);
}
