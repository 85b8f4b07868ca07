/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTest"

#include "config.h"

#include "muster-test-call.h"

#include "muster-hub-private.h"
#include "muster-test-bench.h"

/* Calls a registration as the broker does, and waits for the answer, but not for ever. */

static void
call_free (MusterTestCall *self)
{
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->lease, muster_lease_free);
  g_clear_error (&self->error);
  g_free (self);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterTestCall *self = user_data;
  MusterRegistration *registration = MUSTER_REGISTRATION (source);

  self->n_answers++;
  if (self->closing)
    self->closed = muster_registration_close_finish (registration, result, &self->error);
  else
    self->lease = muster_registration_open_finish (registration, result, &self->error);

  if (self->abandoned)
    call_free (self);
}

MusterTestCall *
muster_test_call_new (MusterTestBench *bench, gboolean closing, GCancellable *cancellable)
{
  MusterTestCall *self = g_new0 (MusterTestCall, 1);

  self->bench = bench;
  self->registration = bench->registration;
  self->closing = closing;
  self->cancellable = cancellable != NULL ? g_object_ref (cancellable) : g_cancellable_new ();
  self->began_us = muster_clock_now_us ();

  if (closing)
    muster_registration_close_async (bench->registration, self->cancellable, on_answered, self);
  else
    muster_registration_open_async (bench->registration, self->cancellable, on_answered, self);

  /* The base class has the plugin's answer already; ours it holds back until the next turn. */
  self->at_once = !muster_registration_is_busy (bench->registration);

  return self;
}

void
muster_test_call_free (MusterTestCall *self)
{
  if (self == NULL)
    return;

  if (self->n_answers == 0)
    self->abandoned = TRUE;
  else
    call_free (self);
}

MusterTestWait
muster_test_call_wait (MusterTestCall *self, gint64 max_ms, guint max_turns)
{
  gint64 until_us = muster_clock_now_us () + max_ms * 1000;

  for (guint n = 0; self->n_answers == 0; n++) {
    if (n >= max_turns)
      return MUSTER_TEST_RESTLESS;
    if (!muster_test_bench_turn (self->bench, until_us))
      return muster_clock_next_due_us () == G_MAXINT64 ? MUSTER_TEST_IDLE : MUSTER_TEST_TOO_LATE;
    self->n_turns++;
  }

  return MUSTER_TEST_ANSWERED;
}

const char *
muster_test_wait_to_string (MusterTestWait wait, gboolean real_io)
{
  switch (wait) {
  case MUSTER_TEST_ANSWERED:
    return "it answered";
  case MUSTER_TEST_IDLE:
    return real_io ? "it did not answer, and nothing is left that could make it"
                   : "it did not answer, and nothing is left that could make it (if it waits for a "
                     "descriptor or a thread, run it with --real-io)";
  case MUSTER_TEST_TOO_LATE:
    return "it did not answer in time";
  case MUSTER_TEST_RESTLESS:
    return "it did not answer, though the loop turned and turned";
  }

  g_return_val_if_reached ("it did not answer");
}
