/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-change.h"

#include "muster-store-journal.h"
#include "muster-store-presence.h"
#include "muster-store-records.h"
#include "muster-store-rows.h"

/*
 * A change: a list of steps, collected on the main thread and applied in that order on the
 * writer's.
 */

typedef enum {
  STEP_PUT_IDENTITY,
  STEP_DELETE_IDENTITY,
  STEP_PUT_ACCOUNT,
  STEP_DELETE_ACCOUNT,
  STEP_DELETE_RUNTIME,
  STEP_PUT_SEALED,
  STEP_DELETE_SEALED,
  STEP_PUT_EVENT,
  STEP_PRESENCE,
} StepKind;

typedef struct {
  StepKind kind;
  union {
    MusterIdentityRecord *identity;
    MusterAccountRecord *account;
    MusterEventRecord *event;
    MusterStorePresence *presence;
    struct {
      char *id; /* of the account, or what is deleted */
      char *name;
      GBytes *bytes;
    } sealed;
  };
} Step;

struct _MusterStoreChange {
  GArray *steps;
  guint n_events;
};

static void
step_clear (gpointer data)
{
  Step *step = data;

  switch (step->kind) {
  case STEP_PUT_IDENTITY:
    muster_identity_record_free (step->identity);
    break;
  case STEP_PUT_ACCOUNT:
    muster_account_record_free (step->account);
    break;
  case STEP_PUT_EVENT:
    muster_event_record_free (step->event);
    break;
  case STEP_PRESENCE:
    muster_store_presence_free (step->presence);
    break;
  case STEP_DELETE_IDENTITY:
  case STEP_DELETE_ACCOUNT:
  case STEP_DELETE_RUNTIME:
  case STEP_PUT_SEALED:
  case STEP_DELETE_SEALED:
    g_free (step->sealed.id);
    g_free (step->sealed.name);
    g_clear_pointer (&step->sealed.bytes, g_bytes_unref);
    break;
  }
}

MusterStoreChange *
muster_store_change_new (void)
{
  MusterStoreChange *self = g_new0 (MusterStoreChange, 1);

  self->steps = g_array_new (FALSE, FALSE, sizeof (Step));
  g_array_set_clear_func (self->steps, step_clear);

  return self;
}

void
muster_store_change_free (MusterStoreChange *self)
{
  g_array_unref (self->steps);
  g_free (self);
}

/* collecting */

void
muster_store_change_put_identity (MusterStoreChange *self, const MusterIdentityRecord *record)
{
  Step step = { STEP_PUT_IDENTITY };

  g_return_if_fail (record->id != NULL && *record->id != '\0');
  g_return_if_fail (record->name != NULL);

  step.identity = muster_identity_record_copy (record);
  g_array_append_val (self->steps, step);
}

void
muster_store_change_put_account (MusterStoreChange *self, const MusterAccountRecord *record)
{
  Step step = { STEP_PUT_ACCOUNT };

  g_return_if_fail (record->id != NULL && *record->id != '\0');
  g_return_if_fail (record->identity != NULL && record->protocol != NULL);
  g_return_if_fail (record->address != NULL && record->name != NULL);
  g_return_if_fail (record->params != NULL &&
                    g_variant_is_of_type (record->params, G_VARIANT_TYPE_VARDICT));

  step.account = muster_account_record_copy (record);
  g_array_append_val (self->steps, step);
}

void
muster_store_change_put_event (MusterStoreChange *self, const MusterEventRecord *record)
{
  Step step = { STEP_PUT_EVENT };

  g_return_if_fail (muster_store_journal_accepts (record));

  step.event = muster_event_record_copy (record);
  g_array_append_val (self->steps, step);
  self->n_events++;
}

static void
add_sealed_step (MusterStoreChange *self,
                 StepKind kind,
                 const char *id,
                 const char *name,
                 GBytes *bytes)
{
  Step step = { kind };

  step.sealed.id = g_strdup (id);
  step.sealed.name = g_strdup (name);
  step.sealed.bytes = bytes != NULL ? g_bytes_ref (bytes) : NULL;
  g_array_append_val (self->steps, step);
}

void
muster_store_change_delete_identity (MusterStoreChange *self, const char *id)
{
  g_return_if_fail (id != NULL && *id != '\0');

  add_sealed_step (self, STEP_DELETE_IDENTITY, id, NULL, NULL);
}

void
muster_store_change_delete_account (MusterStoreChange *self, const char *id)
{
  g_return_if_fail (id != NULL && *id != '\0');

  add_sealed_step (self, STEP_DELETE_ACCOUNT, id, NULL, NULL);
}

void
muster_store_change_delete_runtime (MusterStoreChange *self, const char *account)
{
  g_return_if_fail (account != NULL && *account != '\0');

  add_sealed_step (self, STEP_DELETE_RUNTIME, account, NULL, NULL);
}

void
muster_store_change_put_sealed (MusterStoreChange *self,
                                const char *account,
                                const char *name,
                                GBytes *sealed)
{
  g_return_if_fail (account != NULL && name != NULL && sealed != NULL);

  add_sealed_step (self, STEP_PUT_SEALED, account, name, sealed);
}

void
muster_store_change_delete_sealed (MusterStoreChange *self, const char *account, const char *name)
{
  g_return_if_fail (account != NULL);

  add_sealed_step (self, STEP_DELETE_SEALED, account, name, NULL);
}

/* Takes @presence. */
static void
add_presence_step (MusterStoreChange *self, MusterStorePresence *presence)
{
  Step step = { STEP_PRESENCE };

  step.presence = presence;
  g_array_append_val (self->steps, step);
}

void
muster_store_change_put_layer (MusterStoreChange *self, const MusterLayerRecord *record)
{
  g_return_if_fail (record->identity != NULL && record->name != NULL);
  g_return_if_fail (record->presence != NULL && record->text != NULL);

  add_presence_step (self, muster_store_presence_new_layer (record, FALSE));
}

void
muster_store_change_delete_layer (MusterStoreChange *self,
                                  const char *identity,
                                  const char *name,
                                  gint64 number)
{
  const MusterLayerRecord record = {
    .identity = (char *) identity,
    .name = (char *) name,
    .number = number,
  };

  g_return_if_fail (identity != NULL && name != NULL);

  add_presence_step (self, muster_store_presence_new_layer (&record, TRUE));
}

void
muster_store_change_put_override (MusterStoreChange *self, const MusterOverrideRecord *record)
{
  g_return_if_fail (record->account != NULL);
  g_return_if_fail (record->presence != NULL && record->text != NULL);

  add_presence_step (self, muster_store_presence_new_override (record, FALSE));
}

void
muster_store_change_delete_override (MusterStoreChange *self, const char *account)
{
  const MusterOverrideRecord record = { .account = (char *) account };

  g_return_if_fail (account != NULL);

  add_presence_step (self, muster_store_presence_new_override (&record, TRUE));
}

/* applying */

static gboolean
step_apply (const Step *step, MusterStoreDatabase *database, GError **error)
{
  switch (step->kind) {
  case STEP_PUT_IDENTITY:
    return muster_store_rows_put_identity (database, step->identity, error);
  case STEP_DELETE_IDENTITY:
    return muster_store_rows_delete_identity (database, step->sealed.id, error);
  case STEP_PUT_ACCOUNT:
    return muster_store_rows_put_account (database, step->account, error);
  case STEP_DELETE_ACCOUNT:
    return muster_store_rows_delete_account (database, step->sealed.id, error);
  case STEP_DELETE_RUNTIME:
    return muster_store_rows_delete_runtime (database, step->sealed.id, error);
  case STEP_PUT_SEALED:
    return muster_store_rows_put_sealed (database, step->sealed.id, step->sealed.name,
                                         step->sealed.bytes, error);
  case STEP_DELETE_SEALED:
    return muster_store_rows_delete_sealed (database, step->sealed.id, step->sealed.name, error);
  case STEP_PUT_EVENT:
    return muster_store_journal_add (database, step->event, error);
  case STEP_PRESENCE:
    return muster_store_presence_apply (step->presence, database, error);
  }

  g_assert_not_reached ();
}

gboolean
muster_store_change_apply (MusterStoreChange *self, MusterStoreDatabase *database, GError **error)
{
  for (guint i = 0; i < self->steps->len; i++) {
    if (!step_apply (&g_array_index (self->steps, Step, i), database, error))
      return FALSE;
  }

  return TRUE;
}

gboolean
muster_store_change_has_events (MusterStoreChange *self)
{
  return self->n_events > 0;
}

void
muster_store_change_forget_kept (MusterStoreChange *self, MusterStoreKept *kept)
{
  for (guint i = 0; i < self->steps->len; i++) {
    const Step *step = &g_array_index (self->steps, Step, i);

    switch (step->kind) {
    case STEP_DELETE_ACCOUNT:
      muster_store_kept_forget (kept, step->sealed.id, NULL);
      break;
    case STEP_PUT_SEALED:
    case STEP_DELETE_SEALED:
      muster_store_kept_forget (kept, step->sealed.id, step->sealed.name);
      break;
    case STEP_PUT_IDENTITY:
    case STEP_DELETE_IDENTITY:
    case STEP_PUT_ACCOUNT:
    case STEP_DELETE_RUNTIME:
    case STEP_PUT_EVENT:
    case STEP_PRESENCE:
      break;
    }
  }
}

void
muster_store_change_drop_superseded (MusterStoreChange *self,
                                     MusterStoreWaiting *waiting,
                                     guint64 stamp)
{
  for (guint i = 0; i < self->steps->len; i++) {
    const Step *step = &g_array_index (self->steps, Step, i);

    switch (step->kind) {
    case STEP_DELETE_ACCOUNT:
      muster_store_waiting_drop_account (waiting, step->sealed.id, stamp);
      break;
    case STEP_DELETE_RUNTIME:
      muster_store_waiting_drop_runtime (waiting, step->sealed.id, stamp);
      break;
    case STEP_PUT_SEALED:
    case STEP_DELETE_SEALED:
      muster_store_waiting_drop_sealed (waiting, step->sealed.id, step->sealed.name, stamp);
      break;
    case STEP_PUT_IDENTITY:
    case STEP_DELETE_IDENTITY:
    case STEP_PUT_ACCOUNT:
    case STEP_PUT_EVENT:
    case STEP_PRESENCE:
      break;
    }
  }
}
