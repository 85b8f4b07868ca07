/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-change.h"
#include "muster-document.h"

/*
 * Manager.Import: a document becomes the calls that a person would make.
 *
 *    parse (on a thread of its own) -> identities, one after the other -> accounts, some at a time
 *
 * A document that is not understood as a whole changes nothing. After that each account is added or
 * not, for a reason of its own, by all the rules of adding one.
 */

#define AT_ONCE 50  /* accounts that are being stored */
#define PART    100 /* accounts that are looked at in a turn */

typedef struct {
  char *sentence; /* NULL: not decided yet */
  gboolean done;
} Outcome;

typedef struct {
  MusterBroker *broker;
  GCancellable *life; /* of the broker */
  char *text;
  gboolean dry_run;

  MusterDocument *document;
  Outcome *outcomes;  /* one an account */
  GHashTable *ids;    /* name -> id of its identity */
  GHashTable *faults; /* name -> why there is no such identity */
  GHashTable *seen;   /* addresses of the document */
  guint next_identity;
  guint next_account;
  guint n_waiting; /* accounts that are being stored */
  GHashTable *no_secrets;
} Import;

typedef struct {
  GTask *task;
  guint index;
} Adding;

static void import_turn (GTask *task);

static void
import_free (gpointer data)
{
  Import *self = data;

  for (guint i = 0; self->outcomes != NULL && i < self->document->accounts->len; i++)
    g_free (self->outcomes[i].sentence);
  g_free (self->outcomes);
  g_clear_pointer (&self->document, muster_document_free);
  g_hash_table_unref (self->ids);
  g_hash_table_unref (self->faults);
  g_hash_table_unref (self->seen);
  g_hash_table_unref (self->no_secrets);
  g_object_unref (self->life);
  g_free (self->text);
  g_free (self);
}

/* Returns whether the broker is gone; then the task is answered. */
static gboolean
import_is_over (GTask *task)
{
  Import *self = g_task_get_task_data (task);

  if (!g_cancellable_is_cancelled (self->life))
    return FALSE;

  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the broker is gone");
  return TRUE;
}

/* accounts */

static void
import_decide (Import *self, guint i, gboolean done, const char *sentence)
{
  self->outcomes[i].done = done;
  self->outcomes[i].sentence = g_strdup (sentence);
}

static void
on_account_added (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Adding *adding = user_data;
  g_autoptr (GTask) task = adding->task;
  Import *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  MusterAccount *account;

  if (import_is_over (task))
    return;

  account = muster_broker_add_account_finish (self->broker, result, &error);
  self->n_waiting--;
  import_decide (self, adding->index, account != NULL,
                 account != NULL ? "it was added" : error->message);
  import_turn (task);
}

/* Whether it is there already, or comes a second time. */
static gboolean
is_known (Import *self, const MusterNewAccount *found)
{
  g_autofree char *key = muster_broker_address_key (found->kind->protocol->id, found->address);

  if (!g_hash_table_add (self->seen, g_strdup (key)))
    return TRUE;

  return g_hash_table_contains (self->broker->by_address, key);
}

/* Decides on it, or begins to add it. */
static void
import_account (GTask *task, guint i)
{
  Import *self = g_task_get_task_data (task);
  const MusterAccountRecord *record = self->document->accounts->pdata[i];
  const char *name = record->name != NULL ? record->name : record->address;
  const char *fault = g_hash_table_lookup (self->faults, record->identity);
  g_autoptr (GError) error = NULL;
  MusterNewAccount found;
  Adding *adding;

  if (fault != NULL) {
    import_decide (self, i, FALSE, fault);
    return;
  }
  if (!muster_broker_check_new_account (self->broker, record->protocol, record->address,
                                        record->params, self->no_secrets, &found, &error) ||
      !muster_change_check_name (name, &error)) {
    import_decide (self, i, FALSE, error->message);
    return;
  }
  if (is_known (self, &found)) {
    import_decide (self, i, TRUE, "it is there already, and stays as it is");
    return;
  }
  if (self->dry_run) {
    import_decide (self, i, TRUE, "it would be added");
    return;
  }

  adding = g_new0 (Adding, 1);
  adding->task = g_object_ref (task);
  adding->index = i;
  self->n_waiting++;
  muster_broker_add_account_async (self->broker, record->protocol, record->address, record->params,
                                   self->no_secrets,
                                   g_hash_table_lookup (self->ids, record->identity), record->name,
                                   record->enabled, on_account_added, adding);
}

/* Returns (transfer floating) */
static GVariant *
import_report (Import *self)
{
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(sbs)"));
  for (guint i = 0; i < self->document->accounts->len; i++) {
    const MusterAccountRecord *record = self->document->accounts->pdata[i];

    g_variant_builder_add (&rows, "(sbs)", record->address, self->outcomes[i].done,
                           self->outcomes[i].sentence);
  }

  return g_variant_builder_end (&rows);
}

static gboolean
on_turn (gpointer user_data)
{
  GTask *task = user_data;

  if (!import_is_over (task))
    import_turn (task);

  return G_SOURCE_REMOVE;
}

/* Goes on with the accounts as far as it may. */
static void
import_turn (GTask *task)
{
  Import *self = g_task_get_task_data (task);
  guint n_looked_at = 0;

  while (self->next_account < self->document->accounts->len && self->n_waiting < AT_ONCE) {
    if (n_looked_at++ == PART) {
      if (self->n_waiting == 0) /* else what is stored next goes on */
        g_idle_add_full (G_PRIORITY_DEFAULT, on_turn, g_object_ref (task), g_object_unref);
      return;
    }
    import_account (task, self->next_account++);
  }

  if (self->n_waiting == 0) {
    self->broker->importing = FALSE;
    g_task_return_pointer (task, g_variant_ref_sink (import_report (self)),
                           (GDestroyNotify) g_variant_unref);
  }
}

/* identities */

static MusterIdentity *
find_identity (MusterBroker *broker, const char *name)
{
  for (GSequenceIter *iter = g_sequence_get_begin_iter (broker->identities);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterIdentity *identity = g_sequence_get (iter);

    if (!identity->leaving && g_str_equal (identity->record->name, name))
      return identity;
  }

  return NULL;
}

static void import_next_identity (GTask *task);

static void
on_identity_added (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Import *self = g_task_get_task_data (task);
  const char *name;
  g_autoptr (GError) error = NULL;
  MusterIdentity *identity;

  if (import_is_over (task))
    return;

  name = self->document->identities->pdata[self->next_identity++];
  identity = muster_broker_add_identity_finish (self->broker, result, &error);
  if (identity != NULL)
    g_hash_table_insert (self->ids, (gpointer) name, g_strdup (identity->record->id));
  else
    g_hash_table_insert (self->faults, (gpointer) name,
                         g_strdup_printf ("its identity could not be added: %s", error->message));
  import_next_identity (task);
}

static void
import_next_identity (GTask *task)
{
  Import *self = g_task_get_task_data (task);

  for (; self->next_identity < self->document->identities->len; self->next_identity++) {
    const char *name = self->document->identities->pdata[self->next_identity];
    MusterIdentity *identity = find_identity (self->broker, name);
    g_autoptr (GError) error = NULL;

    if (identity != NULL) {
      g_hash_table_insert (self->ids, (gpointer) name, g_strdup (identity->record->id));
    } else if (!muster_change_check_name (name, &error)) {
      g_hash_table_insert (self->faults, (gpointer) name,
                           g_strdup_printf ("its identity: %s", error->message));
    } else if (!self->dry_run) {
      muster_broker_add_identity_async (self->broker, name, on_identity_added, g_object_ref (task));
      return;
    }
  }

  import_turn (task);
}

/* the document */

static void
on_parsed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Import *self = g_task_get_task_data (task);
  GError *error = NULL;

  self->document = g_task_propagate_pointer (G_TASK (result), &error);
  if (import_is_over (task)) {
    g_clear_error (&error);
    return;
  }
  if (self->document == NULL) {
    self->broker->importing = FALSE;
    g_task_return_error (task, error);
    return;
  }

  self->outcomes = g_new0 (Outcome, self->document->accounts->len + 1);
  import_next_identity (task);
}

/* Not in GIO's pool, where something else may stand still. */
static gpointer
parse_thread (gpointer data)
{
  g_autoptr (GTask) parsing = data;
  GError *error = NULL;
  MusterDocument *document = muster_document_parse (g_task_get_task_data (parsing), &error);

  if (document != NULL)
    g_task_return_pointer (parsing, document, (GDestroyNotify) muster_document_free);
  else
    g_task_return_error (parsing, error);

  return NULL;
}

void
muster_broker_import_async (MusterBroker *self,
                            const char *document,
                            gboolean dry_run,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  Import *import;
  GTask *parsing;

  if (self->importing) {
    g_task_return_new_error (task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
                             "another import is under way");
    return;
  }

  import = g_new0 (Import, 1);
  import->broker = self;
  import->life = g_object_ref (self->life);
  import->text = g_strdup (document);
  import->dry_run = dry_run;
  import->ids = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  import->faults = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  import->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  import->no_secrets = g_hash_table_new (g_str_hash, g_str_equal);
  g_task_set_task_data (task, import, import_free);
  self->importing = TRUE;

  parsing = g_task_new (NULL, NULL, on_parsed, g_object_ref (task));
  g_task_set_task_data (parsing, import->text, NULL);
  g_thread_unref (g_thread_new ("muster-import", parse_thread, parsing));
}

GVariant *
muster_broker_import_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
