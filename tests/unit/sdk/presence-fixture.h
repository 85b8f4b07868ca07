/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "broker-fixture.h"
#include "broker/muster-broker-presence.h"
#include "full-fixture.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

/* What identities show and what services are told of it: a broker, its store, virtual time, and the
 * plugin that can do everything. */

#define MINUTE_US (60 * (gint64) G_USEC_PER_SEC)
#define BIT(word) (1u << MUSTER_PRESENCE_##word)

/* What the registration was asked that counts here: others use other capabilities of it. */
static char *
take_words (void)
{
  g_autofree char *log = take_log ();
  g_auto (GStrv) words = g_strsplit (log, " ", -1);
  GString *kept = g_string_new (NULL);

  for (char **word = words; *word != NULL; word++) {
    if (g_str_equal (*word, "open") || g_str_equal (*word, "close") ||
        g_str_has_prefix (*word, "publish:"))
      g_string_append_printf (kept, "%s%s", kept->len > 0 ? " " : "", *word);
  }

  return g_string_free (kept, FALSE);
}

#define assert_asked(expected)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *asked = take_words ();                                                        \
    g_assert_cmpstr (asked, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

static guint n_told; /* how often others were told of a publication */

static void
on_nothing (gpointer observer, MusterAccount *account)
{
}

static void
on_no_identity (gpointer observer, MusterIdentity *identity)
{
}

static void
on_no_request (gpointer observer, MusterRequest *request)
{
}

static void
on_publication (gpointer observer, MusterAccount *account)
{
  n_told++;
}

static const MusterBrokerObserver observer = {
  .account_added = on_nothing,
  .account_removed = on_nothing,
  .account_changed = on_nothing,
  .standing_changed = on_nothing,
  .identity_added = on_no_identity,
  .identity_removed = on_no_identity,
  .identity_changed = on_no_identity,
  .presence_changed = on_no_identity,
  .publication_changed = on_publication,
  .capabilities_changed = on_nothing,
  .request_added = on_no_request,
  .request_removed = on_no_request,
};

static void
set_up (Daemon *daemon, gconstpointer data)
{
  static const char *const aside[] = { "load", "verify", NULL };
  const char *path = g_getenv ("MUSTER_FULL_PLUGIN");

  full_find (path);
  full_reset ();
  full->aside = aside;
  daemon_set_up (daemon, NULL);
  muster_broker_set_observer (daemon->broker, &observer, NULL);
}

static void
restart (Daemon *daemon)
{
  daemon_kill (daemon);
  g_string_truncate (full->log, 0);
  daemon_start (daemon);
  muster_broker_set_observer (daemon->broker, &observer, NULL);
  pass_ms (100);
}

static void
tear_down (Daemon *daemon, gconstpointer data)
{
  daemon_tear_down (daemon, NULL);
  settle ();
  while (!g_queue_is_empty (&full->held))
    release ();
  settle ();
}

static MusterAccount *
add_full (Daemon *daemon, const char *address)
{
  g_autoptr (GVariant) none = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  g_autoptr (GHashTable) secrets = secrets_new (NULL);
  GAsyncResult *result = NULL;

  muster_broker_add_account_async (daemon->broker, "full", address, none, secrets, NULL, NULL, TRUE,
                                   on_result, &result);
  return end_add (daemon, &result);
}

/* One that is registered, and has said so. */
static MusterAccount *
add_ann (Daemon *daemon)
{
  MusterAccount *account = add_full (daemon, "ann@full");

  pass_ms (100);
  g_assert_cmpuint (view (account)->state, ==, MUSTER_ACCOUNT_REGISTERED);
  return account;
}

static void
begin_layer (Daemon *daemon,
             const char *name,
             MusterPresence presence,
             const char *text,
             gint64 until_us,
             gboolean kept,
             GAsyncResult **result)
{
  const MusterPresenceLayer layer = {
    .name = (char *) name,
    .presence = presence,
    .text = (char *) text,
    .priority = g_str_equal (name, "user") ? 50 : 80,
    .until_us = until_us,
    .kept = kept,
  };

  muster_broker_set_layer_async (daemon->broker, only_identity (daemon), &layer, on_result, result);
}

static guint64
end_layer (Daemon *daemon, GAsyncResult **result, GError **error)
{
  g_autoptr (GAsyncResult) held = wait_for_result (result);
  guint64 number;

  muster_broker_set_layer_finish (daemon->broker, held, &number, error);
  return number;
}

static guint64
set_layer (Daemon *daemon,
           const char *name,
           MusterPresence presence,
           const char *text,
           gint64 until_us,
           gboolean kept)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  guint64 number;

  begin_layer (daemon, name, presence, text, until_us, kept, &result);
  number = end_layer (daemon, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (number, >, 0);
  pass_ms (1);

  return number;
}

static void
user_is (Daemon *daemon, MusterPresence presence, const char *text)
{
  set_layer (daemon, "user", presence, text, 0, TRUE);
}

static void
override (Daemon *daemon, MusterAccount *account, const char *word, const char *text)
{
  GAsyncResult *result = NULL;

  muster_broker_set_override_async (daemon->broker, account, word, text, on_result, &result);
  finish_change (daemon, &result);
  pass_ms (1);
}

/* "dnd", "dnd: text", or "-" for nothing; then "!error" and "(note)". */
static char *
describe (Daemon *daemon, MusterAccount *account)
{
  g_autofree char *note = muster_broker_dup_publication_note (daemon->broker, account);
  GString *words = g_string_new (NULL);
  MusterPublicationView publication;

  muster_broker_get_publication (daemon->broker, account, &publication);
  g_string_append (words, publication.is_published
                            ? muster_presence_to_string (publication.published)
                            : "-");
  if (*publication.published_text != '\0')
    g_string_append_printf (words, ": %s", publication.published_text);
  if (publication.error != NULL)
    g_string_append_printf (words, " !%s",
                            muster_error_code_to_string ((MusterError) publication.error->code));
  if (*note != '\0')
    g_string_append_printf (words, " (%s)", note);

  return g_string_free (words, FALSE);
}

#define assert_published(daemon, account, expected)                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *words = describe (daemon, account);                                           \
    g_assert_cmpstr (words, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

#define assert_shows(daemon, expected, expected_text)                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    MusterPresenceView shown;                                                                      \
    muster_broker_get_presence ((daemon)->broker, only_identity (daemon)->record->id, &shown);     \
    g_assert_cmpstr (muster_presence_to_string (shown.presence), ==, expected);                    \
    g_assert_cmpstr (shown.text, ==, expected_text);                                               \
  }                                                                                                \
  G_STMT_END

#pragma GCC diagnostic pop
