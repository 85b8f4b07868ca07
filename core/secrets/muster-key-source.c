/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterKeySource"

#include "config.h"

#include "muster-key-source.h"

#include "muster-key-file.h"
#include "muster-names.h"

#include <muster/muster-error.h>
#include <muster/muster-hub.h>
#include <muster/muster-secret.h>

#include <string.h>

/*
 * Decides where the key is kept, and when to look for it.
 *
 *    file, credential:  read -> record -> ready
 *    keyring:           find -+- held ----------------------------------> record -> ready
 *                        ^    +- empty, and none expected -> keep -.
 *                        |    '- locked, and a user asked -> unlock -+
 *                        '------------------------------------------'
 *
 * Whatever else comes of it is a state to wait in: until the keyring says that something changed, a
 * user asks, or a timer that doubles from 1 s to 5 min. The record (which key, kept where) is durable
 * before the vault is given to anybody, so nothing is ever sealed under a key that would not be
 * missed.
 */

#define ANSWER_MS    5000            /* for a keyring to answer */
#define PERSON_MS    (5 * 60 * 1000) /* for a person to */
#define RETRY_MS     1000            /* the first time; also the least time between two looks */
#define RETRY_MAX_MS (5 * 60 * 1000)

typedef enum {
  STEP_IDLE,
  STEP_FIND,
  STEP_KEEP,
  STEP_UNLOCK,
  STEP_FILE, /* in a thread of its own */
} Step;

struct _MusterKeySource {
  char *credential; /* its path, if there is one; NULL: there are none */
  char *key_path;
  char *record_path;
  gboolean sealed; /* the store holds sealed values: a key is expected, and none is made */
  const MusterKeyringOps *ops;
  gpointer keyring;
  void (*changed) (gpointer data);
  gpointer data;

  MusterProtection protection;
  MusterProtectionRecord *record; /* NULL: none */
  MusterKeyState state;
  char *problem; /* NULL: none */
  MusterVault *vault;

  Step step;
  GCancellable *operation; /* of the step */
  GThread *thread;         /* of STEP_FILE */
  MusterTimer deadline;
  MusterTimer due;
  guint n_waits;        /* looks in a row that led to nothing */
  gint64 looked_at_us;  /* when the last one began */
  gboolean look_again;  /* news came meanwhile */
  gboolean kept;        /* a new key was given to the keyring */
  gboolean asked;       /* the keyring asked the user, for the calls that wait */
  GPtrArray *unlocking; /* GTask */
  guint n_reads;
  gboolean closed; /* freed, but a call is under way */
};

static void muster_key_source_look (MusterKeySource *self);

/* words */

const char *
muster_key_state_to_string (MusterKeyState state)
{
  switch (state) {
  case MUSTER_KEY_OPENING:
    return "opening";
  case MUSTER_KEY_READY:
    return "ready";
  case MUSTER_KEY_LOCKED:
    return "locked";
  case MUSTER_KEY_UNAVAILABLE:
    return "unavailable";
  case MUSTER_KEY_TIMED_OUT:
    return "timed-out";
  case MUSTER_KEY_MISSING:
    return "missing";
  }

  g_return_val_if_reached ("");
}

const char *
muster_key_state_get_reason (MusterKeyState state)
{
  switch (state) {
  case MUSTER_KEY_OPENING:
    return "keyring-opening";
  case MUSTER_KEY_READY:
    return "";
  case MUSTER_KEY_LOCKED:
    return "keyring-locked";
  case MUSTER_KEY_UNAVAILABLE:
    return "keyring-unavailable";
  case MUSTER_KEY_TIMED_OUT:
    return "keyring-timeout";
  case MUSTER_KEY_MISSING:
    return "key-missing";
  }

  g_return_val_if_reached ("");
}

/* settling: the only place that writes the state */

static void
muster_key_source_answer (MusterKeySource *self)
{
  g_autoptr (GPtrArray) tasks = g_steal_pointer (&self->unlocking);

  self->unlocking = g_ptr_array_new_with_free_func (g_object_unref);
  self->asked = FALSE;
  for (guint i = 0; i < tasks->len; i++) {
    if (self->state == MUSTER_KEY_READY)
      g_task_return_boolean (tasks->pdata[i], TRUE);
    else
      g_task_return_new_error (tasks->pdata[i], G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "%s",
                               self->problem);
  }
}

/* Takes @problem. */
static void
muster_key_source_settle (MusterKeySource *self, MusterKeyState state, char *problem)
{
  gboolean news = state != self->state || g_strcmp0 (problem, self->problem) != 0;
  gint64 delay_ms = MIN ((gint64) RETRY_MS << MIN (self->n_waits, 16), RETRY_MAX_MS);

  self->step = STEP_IDLE;
  if (news && problem != NULL)
    g_message ("the key of the secrets is %s: %s", muster_key_state_to_string (state), problem);
  else if (news)
    g_info ("the key of the secrets is %s", muster_key_state_to_string (state));
  self->state = state;
  g_free (self->problem);
  self->problem = problem;

  if (state == MUSTER_KEY_READY) {
    muster_timer_cancel (&self->due);
    self->ops->watch (self->keyring, NULL, NULL);
  } else {
    self->n_waits++;
    muster_timer_arm_in_ms (&self->due, self->look_again ? RETRY_MS : delay_ms);
    self->look_again = FALSE;
  }
  if (state == MUSTER_KEY_TIMED_OUT)
    self->ops->await (self->keyring);

  muster_key_source_answer (self);
  if (news && self->changed != NULL)
    self->changed (self->data);
}

/* Takes @vault. */
static void
muster_key_source_take_vault (MusterKeySource *self, MusterVault *vault)
{
  self->vault = vault;
  muster_key_source_settle (self, MUSTER_KEY_READY, NULL);
}

/* recording, and files: these run in a thread, too, and touch nothing that changes */

static gboolean
is_recorded (MusterKeySource *self, const char *fingerprint)
{
  return self->record != NULL && self->record->protection == self->protection &&
         g_str_equal (self->record->fingerprint, fingerprint);
}

/* Whether the store's values, if there are any, can be under this key. */
static gboolean
is_expected (MusterKeySource *self, const char *fingerprint)
{
  return !self->sealed || self->record == NULL || is_recorded (self, fingerprint);
}

static gboolean
record_key (MusterKeySource *self, MusterVault *vault, GError **error)
{
  g_autofree char *fingerprint = muster_vault_dup_fingerprint (vault);

  if (is_recorded (self, fingerprint))
    return TRUE;

  if (!muster_protection_write (self->record_path, self->protection, fingerprint, error)) {
    g_prefix_error (error, "where the key is kept cannot be noted: ");
    return FALSE;
  }

  return TRUE;
}

static MusterVault *
open_file (MusterKeySource *self, GError **error)
{
  g_autoptr (MusterVault) vault = NULL;
  g_autofree char *fingerprint = NULL;
  guint8 key[MUSTER_VAULT_KEY_BYTES];
  gboolean ok = FALSE;

  if (self->protection == MUSTER_PROTECTION_KEY_FILE)
    ok = muster_key_file_load (self->key_path, !self->sealed, key, error);
  else if (self->credential != NULL && g_file_test (self->credential, G_FILE_TEST_EXISTS))
    ok = muster_key_file_load_credential (self->credential, key, error);
  else
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                 "the systemd credential \"" MUSTER_CREDENTIAL_KEY "\" is not given");
  if (ok)
    vault = muster_vault_new (key);
  muster_wipe (key, sizeof key);
  if (vault == NULL)
    return NULL;

  fingerprint = muster_vault_dup_fingerprint (vault);
  if (!is_expected (self, fingerprint)) {
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_SECRET,
                                                "the key in %s is another one than the stored"
                                                " secrets were sealed with",
                                                self->protection == MUSTER_PROTECTION_KEY_FILE
                                                  ? self->key_path
                                                  : self->credential));
    return NULL;
  }

  return record_key (self, vault, error) ? g_steal_pointer (&vault) : NULL;
}

static void
muster_key_source_opened (MusterKeySource *self, MusterVault *vault, const GError *error)
{
  if (vault != NULL)
    muster_key_source_take_vault (self, vault);
  else if (error->domain == MUSTER_ERROR ||
           g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    muster_key_source_settle (self, MUSTER_KEY_MISSING,
                              g_strdup_printf ("the key is gone: %s", error->message));
  else
    muster_key_source_settle (self, MUSTER_KEY_UNAVAILABLE, g_strdup (error->message));
}

/* What reads and writes files while the loop runs has a thread of its own: it happens hardly ever,
 * and GIO's pool may be full of those who wait for silent servers. */

static void muster_key_source_release (MusterKeySource *self);

static gpointer
thread_open_file (gpointer data)
{
  g_autoptr (GTask) task = data;
  GError *error = NULL;
  MusterVault *vault = open_file (g_task_get_task_data (task), &error);

  if (vault != NULL)
    g_task_return_pointer (task, vault, (GDestroyNotify) muster_vault_free);
  else
    g_task_return_error (task, error);

  return NULL;
}

static gpointer
thread_record_key (gpointer data)
{
  g_autoptr (GTask) task = data;
  MusterVault *vault = g_object_get_data (G_OBJECT (task), "vault");
  GError *error = NULL;

  if (record_key (g_task_get_task_data (task), vault, &error))
    g_task_return_pointer (task, g_object_steal_data (G_OBJECT (task), "vault"),
                           (GDestroyNotify) muster_vault_free);
  else
    g_task_return_error (task, error);

  return NULL;
}

static void
on_thread_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterKeySource *self = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  MusterVault *vault = g_task_propagate_pointer (G_TASK (result), &error);

  g_clear_pointer (&self->thread, g_thread_join);
  if (!self->closed)
    muster_key_source_opened (self, vault, error);
  else if (vault != NULL)
    muster_vault_free (vault);
}

/* Takes @vault, which may be NULL. */
static void
muster_key_source_run (MusterKeySource *self, GThreadFunc func, MusterVault *vault)
{
  GTask *task = g_task_new (NULL, NULL, on_thread_done, NULL);

  self->step = STEP_FILE;
  g_task_set_task_data (task, g_rc_box_acquire (self), (GDestroyNotify) muster_key_source_release);
  g_object_set_data_full (G_OBJECT (task), "vault", vault, (GDestroyNotify) muster_vault_free);
  self->thread = g_thread_new ("muster-key", func, task);
}

/* the keyring */

static void
muster_key_source_begin (MusterKeySource *self, Step step, gint64 limit_ms)
{
  self->step = step;
  self->operation = g_cancellable_new ();
  muster_timer_arm_in_ms (&self->deadline, limit_ms);
}

/* %FALSE: nobody is there to hear of it any more. */
static gboolean
muster_key_source_end (MusterKeySource *self)
{
  muster_timer_cancel (&self->deadline);
  g_clear_object (&self->operation);

  return !self->closed;
}

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  MusterKeySource *self = user_data;

  g_cancellable_cancel (self->operation);
}

static void
muster_key_source_failed (MusterKeySource *self, const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    muster_key_source_settle (self, MUSTER_KEY_TIMED_OUT, g_strdup ("the keyring does not answer"));
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    muster_key_source_settle (self, MUSTER_KEY_LOCKED, g_strdup (error->message));
  else
    muster_key_source_settle (self, MUSTER_KEY_UNAVAILABLE,
                              g_strdup_printf ("there is no keyring to ask: %s", error->message));
}

static void
on_unlocked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterKeySource *self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean ok = self->ops->unlock_finish (self->keyring, result, &error);

  if (!muster_key_source_end (self))
    ;
  else if (ok)
    muster_key_source_look (self);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    muster_key_source_settle (self, MUSTER_KEY_LOCKED,
                              g_strdup ("the keyring is locked, and nobody answered its question"));
  else
    muster_key_source_failed (self, error);
  muster_key_source_release (self);
}

static void
muster_key_source_locked (MusterKeySource *self, const char *problem)
{
  if (self->unlocking->len == 0 || self->asked) {
    muster_key_source_settle (self, MUSTER_KEY_LOCKED, g_strdup (problem));
    return;
  }

  self->asked = TRUE;
  muster_key_source_begin (self, STEP_UNLOCK, PERSON_MS);
  self->ops->unlock (self->keyring, self->operation, on_unlocked, g_rc_box_acquire (self));
}

static void
on_kept (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterKeySource *self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean ok = self->ops->keep_finish (self->keyring, result, &error);

  if (!muster_key_source_end (self))
    ;
  else if (ok)
    muster_key_source_look (self); /* what counts is what it gives back */
  else
    muster_key_source_failed (self, error);
  muster_key_source_release (self);
}

static void
muster_key_source_keep (MusterKeySource *self)
{
  guint8 key[MUSTER_VAULT_KEY_BYTES];
  g_autoptr (GError) error = NULL;

  if (self->kept) {
    muster_key_source_settle (self, MUSTER_KEY_UNAVAILABLE,
                              g_strdup ("the keyring does not keep what it is given"));
    return;
  }
  if (!muster_key_make (key, &error)) {
    muster_key_source_settle (self, MUSTER_KEY_UNAVAILABLE, g_strdup (error->message));
    return;
  }

  self->kept = TRUE;
  muster_key_source_begin (self, STEP_KEEP, ANSWER_MS);
  self->ops->keep (self->keyring, key, self->operation, on_kept, g_rc_box_acquire (self));
  muster_wipe (key, sizeof key);
}

/* The recorded one; where none is, any. */
static MusterVault *
choose_key (MusterKeySource *self, GPtrArray *keys)
{
  for (guint pass = 0; pass < 2; pass++) {
    for (guint i = 0; i < keys->len; i++) {
      const char *key = muster_secret_peek (keys->pdata[i], NULL);
      g_autoptr (MusterVault) vault = muster_vault_new ((const guint8 *) key);
      g_autofree char *fingerprint = muster_vault_dup_fingerprint (vault);

      if (is_recorded (self, fingerprint) || (pass == 1 && is_expected (self, fingerprint)))
        return g_steal_pointer (&vault);
    }
  }

  return NULL;
}

static void
muster_key_source_found (MusterKeySource *self, MusterKeyringFinding finding, GPtrArray *keys)
{
  MusterVault *vault;

  switch (finding) {
  case MUSTER_KEYRING_HELD:
    vault = choose_key (self, keys);
    if (vault != NULL)
      muster_key_source_run (self, thread_record_key, vault);
    else
      muster_key_source_settle (self, MUSTER_KEY_MISSING,
                                g_strdup ("the key is gone: the keyring holds another one than the"
                                          " stored secrets were sealed with"));
    return;
  case MUSTER_KEYRING_LOCKED:
    muster_key_source_locked (self, "the keyring is locked");
    return;
  case MUSTER_KEYRING_PARTLY:
    if (self->sealed)
      muster_key_source_locked (self, "the keyring is locked in part, and the key is not in the"
                                      " rest");
    else
      muster_key_source_keep (self);
    return;
  case MUSTER_KEYRING_EMPTY:
    if (!self->sealed) {
      muster_key_source_keep (self);
      return;
    }
    break;
  case MUSTER_KEYRING_BARE:
    if (!self->sealed) {
      muster_key_source_locked (self, "the keyring was never set up, so nothing can be kept in it");
      return;
    }
    break;
  }

  muster_key_source_settle (self, MUSTER_KEY_MISSING,
                            g_strdup ("the key is gone: the stored secrets were sealed with a key"
                                      " that is no longer in the keyring"));
}

static void
on_found (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterKeySource *self = user_data;
  g_autoptr (GPtrArray)
    keys = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_secret_unref);
  g_autoptr (GError) error = NULL;
  MusterKeyringFinding finding;
  gboolean ok = self->ops->find_finish (self->keyring, result, &finding, keys, &error);

  if (!muster_key_source_end (self))
    ;
  else if (ok)
    muster_key_source_found (self, finding, keys);
  else
    muster_key_source_failed (self, error);
  muster_key_source_release (self);
}

/* looking */

static void
muster_key_source_look (MusterKeySource *self)
{
  muster_timer_cancel (&self->due);
  self->looked_at_us = muster_clock_now_us ();
  self->look_again = FALSE;

  if (self->protection != MUSTER_PROTECTION_SECRET_SERVICE) {
    muster_key_source_run (self, thread_open_file, NULL);
    return;
  }

  self->n_reads++;
  muster_key_source_begin (self, STEP_FIND, ANSWER_MS);
  self->ops->find (self->keyring, self->operation, on_found, g_rc_box_acquire (self));
}

static void
on_due (MusterTimer *timer, gpointer user_data)
{
  MusterKeySource *self = user_data;

  self->kept = FALSE;
  muster_key_source_look (self);
}

static void
on_news (MusterKeyringNews news, gpointer user_data)
{
  MusterKeySource *self = user_data;

  if (news == MUSTER_KEYRING_VANISHED) {
    if (self->step == STEP_IDLE) /* else its call fails by itself */
      muster_key_source_settle (self, MUSTER_KEY_UNAVAILABLE,
                                g_strdup ("there is no keyring to ask: it has left the session"));
    return;
  }

  self->n_waits = 0;
  if (self->step == STEP_IDLE)
    muster_timer_arm_at (&self->due,
                         MAX (self->looked_at_us + RETRY_MS * 1000, muster_clock_now_us ()));
  else
    self->look_again = TRUE;
}

/* deciding */

static MusterProtection
choose_protection (MusterKeySource *self)
{
  if (self->sealed && self->record != NULL)
    return self->record->protection;
  if (self->credential != NULL && g_file_test (self->credential, G_FILE_TEST_EXISTS))
    return MUSTER_PROTECTION_SYSTEMD_CREDENTIAL;
  if (!g_file_test (self->key_path, G_FILE_TEST_EXISTS) && self->ops->is_offered (self->keyring))
    return MUSTER_PROTECTION_SECRET_SERVICE;

  return MUSTER_PROTECTION_KEY_FILE;
}

void
muster_key_source_start (MusterKeySource *self)
{
  g_autoptr (GError) error = NULL;

  g_return_if_fail (self->state == MUSTER_KEY_OPENING && self->step == STEP_IDLE);

  self->record = muster_protection_read (self->record_path, &error);
  if (error != NULL)
    g_warning ("where the key is kept is not known: %s, ignoring", error->message);
  g_clear_error (&error);

  self->protection = choose_protection (self);
  if (self->protection == MUSTER_PROTECTION_SECRET_SERVICE) {
    self->ops->watch (self->keyring, on_news, self);
    muster_key_source_look (self);
  } else {
    MusterVault *vault = open_file (self, &error);

    muster_key_source_opened (self, vault, error);
  }
}

/* asked by a user */

void
muster_key_source_unlock_async (MusterKeySource *self, GAsyncReadyCallback callback, gpointer data)
{
  GTask *task = g_task_new (NULL, NULL, callback, data);

  if (self->state == MUSTER_KEY_READY) {
    g_task_return_boolean (task, TRUE);
    g_object_unref (task);
    return;
  }

  g_ptr_array_add (self->unlocking, task);
  if (self->step == STEP_IDLE) {
    self->kept = FALSE;
    self->n_waits = 0;
    muster_key_source_look (self);
  }
}

gboolean
muster_key_source_unlock_finish (MusterKeySource *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* the rest */

MusterKeyState
muster_key_source_get_state (MusterKeySource *self)
{
  return self->state;
}

MusterProtection
muster_key_source_get_protection (MusterKeySource *self)
{
  return self->protection;
}

const char *
muster_key_source_get_problem (MusterKeySource *self)
{
  if (self->state == MUSTER_KEY_OPENING)
    return "the keyring has not answered yet";

  return self->problem != NULL ? self->problem : "";
}

MusterVault *
muster_key_source_get_vault (MusterKeySource *self)
{
  return self->vault;
}

guint
muster_key_source_get_n_reads (MusterKeySource *self)
{
  return self->n_reads;
}

MusterKeySource *
muster_key_source_new (const char *folder,
                       const char *credentials,
                       gboolean sealed,
                       const MusterKeyringOps *ops,
                       gpointer keyring,
                       void (*changed) (gpointer data),
                       gpointer data)
{
  MusterKeySource *self = g_rc_box_new0 (MusterKeySource);

  if (credentials != NULL)
    self->credential = g_build_filename (credentials, MUSTER_CREDENTIAL_KEY, NULL);
  self->key_path = g_build_filename (folder, "key", NULL);
  self->record_path = g_build_filename (folder, "protection", NULL);
  self->sealed = sealed;
  self->ops = ops;
  self->keyring = keyring;
  self->changed = changed;
  self->data = data;
  self->protection = MUSTER_PROTECTION_KEY_FILE;
  self->unlocking = g_ptr_array_new_with_free_func (g_object_unref);
  muster_timer_init (&self->deadline, on_deadline, self);
  muster_timer_init (&self->due, on_due, self);

  return self;
}

static void
muster_key_source_clear (gpointer data)
{
  MusterKeySource *self = data;

  g_clear_pointer (&self->record, muster_protection_record_free);
  g_free (self->credential);
  g_free (self->key_path);
  g_free (self->record_path);
}

static void
muster_key_source_release (MusterKeySource *self)
{
  g_rc_box_release_full (self, muster_key_source_clear);
}

void
muster_key_source_free (MusterKeySource *self)
{
  if (self == NULL)
    return;

  self->closed = TRUE;
  self->changed = NULL;
  self->ops->watch (self->keyring, NULL, NULL);
  muster_timer_cancel (&self->due);
  muster_timer_cancel (&self->deadline);
  g_cancellable_cancel (self->operation);
  g_clear_pointer (&self->thread, g_thread_join); /* what it writes is whole */
  g_clear_pointer (&self->vault, muster_vault_free);
  g_free (g_steal_pointer (&self->problem));
  self->problem = g_strdup ("the daemon is leaving");
  self->state = MUSTER_KEY_UNAVAILABLE;
  muster_key_source_answer (self);
  g_clear_pointer (&self->unlocking, g_ptr_array_unref);
  g_clear_pointer (&self->problem, g_free);
  muster_key_source_release (self);
}
