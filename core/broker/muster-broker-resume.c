/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"

/*
 * What registrations go on with in the next run: blobs of their plugins, kept sealed.
 *
 *    save -> unsealed -> [a moment, or as long as there is no key] -> seal -> the store, behind
 *
 * A registration saves before it asks its server and again when it has the answer, which mostly comes at
 * once: only the last one is sealed, and written together with the lease that it belongs to.
 */

#define SEAL_AFTER_MS 5 /* less than the store waits before it writes */

typedef struct {
  MusterBroker *broker;
  GCancellable *life; /* of the broker */
  MusterAccount *account;
} ResumeRead;

static void
on_resume_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree ResumeRead *read = user_data;
  g_autoptr (MusterAccount) account = read->account;
  g_autoptr (GCancellable) life = read->life;
  const char *id = muster_account_get_id (account);
  g_autoptr (GBytes) sealed = NULL;
  g_autoptr (MusterSecret) plain = NULL;
  g_autoptr (GBytes) blob = NULL;
  g_autoptr (GError) error = NULL;

  sealed = muster_store_read_sealed_finish (MUSTER_STORE (source), result, &error);
  if (g_cancellable_is_cancelled (life))
    return;
  if (sealed != NULL && read->broker->vault == NULL)
    g_info ("%s: starting afresh, what was kept is sealed", id);
  else if (sealed != NULL)
    plain = muster_vault_open (read->broker->vault, id, MUSTER_SEALED_RESUME, sealed, &error);
  if (error != NULL)
    g_warning ("%s: starting afresh, what was kept cannot be read: %s", id, error->message);

  if (plain != NULL) {
    gsize length;
    const char *data = muster_secret_peek (plain, &length);

    if (length > 0)
      blob = g_bytes_new (data, length);
  }
  muster_account_resume_loaded (account, blob);
}

/* Asked once in a run, before anything is saved. */
void
muster_broker_load_resume (gpointer host, MusterAccount *account)
{
  MusterBroker *self = host;
  ResumeRead *read;

  if (!muster_account_has_resume (account)) {
    muster_account_resume_loaded (account, NULL);
    return;
  }

  read = g_new (ResumeRead, 1);
  read->broker = self;
  read->life = g_object_ref (self->life);
  read->account = muster_account_ref (account);
  muster_store_read_sealed_async (self->store, muster_account_get_id (account),
                                  MUSTER_SEALED_RESUME, NULL, on_resume_read, read);
}

void
muster_broker_save_resume (gpointer host, MusterAccount *account, GBytes *blob)
{
  MusterBroker *self = host;

  /* An empty one says that there is none. */
  g_hash_table_insert (self->unsealed, g_strdup (muster_account_get_id (account)),
                       blob != NULL ? g_bytes_ref (blob) : g_bytes_new_static ("", 0));
  if (self->vault != NULL && !muster_timer_is_armed (&self->seal_timer))
    muster_timer_arm_in_ms (&self->seal_timer, SEAL_AFTER_MS);
}

static void
seal (MusterBroker *self, const char *id, GBytes *blob)
{
  g_autoptr (GBytes) sealed = NULL;

  sealed = muster_vault_seal (self->vault, id, MUSTER_SEALED_RESUME, g_bytes_get_data (blob, NULL),
                              g_bytes_get_size (blob));
  muster_store_put_sealed_later (self->store, id, MUSTER_SEALED_RESUME, sealed);
}

/* A change that points an account elsewhere takes away what is kept for the old place: what is sealed
 * while that is being written would stay. */
static gboolean
is_changing (MusterBroker *self, const char *id)
{
  MusterAccount *account = muster_broker_get_account (self, id);

  return account != NULL && !g_queue_is_empty (muster_account_get_changes (account));
}

void
muster_broker_seal_resume (MusterBroker *self, MusterAccount *account)
{
  const char *id = muster_account_get_id (account);
  GBytes *blob = g_hash_table_lookup (self->unsealed, id);

  if (blob == NULL || self->vault == NULL || is_changing (self, id))
    return;
  seal (self, id, blob);
  g_hash_table_remove (self->unsealed, id);
}

static void
seal_all (MusterBroker *self, gboolean at_once)
{
  GHashTableIter iter;
  gpointer id, blob;

  muster_timer_cancel (&self->seal_timer);
  if (self->vault == NULL)
    return;

  g_hash_table_iter_init (&iter, self->unsealed);
  while (g_hash_table_iter_next (&iter, &id, &blob)) {
    if (!at_once && is_changing (self, id))
      continue;
    seal (self, id, blob);
    g_hash_table_iter_remove (&iter);
  }
  if (g_hash_table_size (self->unsealed) > 0)
    muster_timer_arm_in_ms (&self->seal_timer, SEAL_AFTER_MS);
}

void
muster_broker_seal_resumes (MusterBroker *self)
{
  seal_all (self, FALSE);
}

static void
on_seal (MusterTimer *timer, gpointer user_data)
{
  muster_broker_seal_resumes (user_data);
}

void
muster_broker_init_resume (MusterBroker *self)
{
  self->unsealed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify) g_bytes_unref);
  muster_timer_init (&self->seal_timer, on_seal, self);
}

void
muster_broker_clear_resume (MusterBroker *self)
{
  seal_all (self, TRUE);
  g_hash_table_unref (self->unsealed);
}
