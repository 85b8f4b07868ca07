/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterEvents"

#include "config.h"

#include "muster-gate.h"

#include <muster/muster-hub.h>

/*
 *                 .-> sink -> yes, no, nothing in time -.
 *    question ----+-> sink ----------------------------+--> all yes: yes; the first no: no
 *                 '-> sink ----------------------------'
 *
 * The first no ends the question; whoever has not answered by then is cancelled.
 */

/* When a sink does not say when to ask again. */
#define RETRY_AFTER_S 60

struct _MusterGate {
  GPtrArray *sinks;
};

typedef struct {
  GTask *task;      /* NULL once answered */
  GPtrArray *asked; /* of Asked that have not answered */
  gulong cancelled_id;
  guint refs;
} Question;

typedef struct {
  Question *question;
  MusterSink *sink;
  GCancellable *cancellable;
  MusterTimer timer;
  gboolean late; /* its time was up */
} Asked;

static void
question_unref (Question *question)
{
  if (--question->refs > 0)
    return;

  g_ptr_array_unref (question->asked);
  g_free (question);
}

/* Answers once; takes @error. */
static void
question_answer (Question *question, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&question->task);
  g_autoptr (GPtrArray) asked = NULL;

  if (task == NULL) {
    g_clear_error (&error);
    return;
  }

  if (question->cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (task), question->cancelled_id);
  question->cancelled_id = 0;

  /* Nobody else is waited for; their answers may come inside this. */
  question->refs++;
  asked = g_ptr_array_copy (question->asked, NULL, NULL);
  for (guint i = 0; i < asked->len; i++) {
    Asked *one = asked->pdata[i];

    if (g_ptr_array_find (question->asked, one, NULL)) {
      g_autoptr (GCancellable) cancellable = g_object_ref (one->cancellable);

      muster_timer_cancel (&one->timer);
      g_cancellable_cancel (cancellable);
    }
  }
  question_unref (question);

  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

static GError *
denial (MusterSink *sink, const GError *error)
{
  const char *server_text = NULL;
  guint protocol_code = 0;
  guint retry_after_s = 0;
  GError *busy;

  if (error != NULL && error->domain == MUSTER_ERROR) {
    server_text = muster_error_get_server_text (error);
    protocol_code = muster_error_get_protocol_code (error);
    retry_after_s = muster_error_get_retry_after_s (error);
  }

  busy = muster_error_new (MUSTER_ERROR_BUSY, MUSTER_STEP_REGISTER, "%s does not allow it: %s",
                           muster_sink_get_name (sink),
                           error != NULL ? error->message : "it did not answer in time");
  muster_error_set_server (busy, protocol_code, server_text,
                           retry_after_s > 0 ? retry_after_s : RETRY_AFTER_S);

  return busy;
}

/* @error (nullable): why there is no answer. */
static void
question_unanswered (Question *question, MusterSink *sink, const GError *error)
{
  if (muster_sink_get_gate_policy (sink) == MUSTER_GATE_DENY) {
    question_answer (question, denial (sink, error));
    return;
  }

  g_message ("%s was asked and did not answer, going on: %s", muster_sink_get_name (sink),
             error != NULL ? error->message : "its time was up");
}

static void
on_gated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Asked *asked = user_data;
  Question *question = asked->question;
  g_autoptr (GError) error = NULL;
  gboolean ok = muster_sink_gate_finish (MUSTER_SINK (source), result, &error);

  muster_timer_cancel (&asked->timer);
  g_ptr_array_remove (question->asked, asked);

  if (!ok && !asked->late && question->task != NULL) {
    if (error->domain == MUSTER_ERROR && error->code != MUSTER_ERROR_UNREACHABLE)
      question_answer (question, denial (asked->sink, error));
    else
      question_unanswered (question, asked->sink, error);
  }
  if (question->asked->len == 0)
    question_answer (question, NULL);

  g_object_unref (asked->cancellable);
  g_free (asked);
  question_unref (question);
}

/* It counts as its answer; what comes later is not heard. */
static void
on_timeout (MusterTimer *timer, gpointer user_data)
{
  Asked *asked = user_data;
  Question *question = asked->question;
  g_autoptr (GCancellable) cancellable = g_object_ref (asked->cancellable);

  question->refs++;
  asked->late = TRUE;
  g_ptr_array_remove (question->asked, asked);
  question_unanswered (question, asked->sink, NULL);
  g_cancellable_cancel (cancellable);
  if (question->asked->len == 0)
    question_answer (question, NULL);
  question_unref (question);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  question_answer (user_data, g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "it was cancelled"));
}

/* Takes @task. */
static void
on_gate (gpointer host, MusterEvent *event, GTask *task)
{
  MusterGate *self = host;
  const char *type = muster_event_get_type_name (event);
  GCancellable *cancellable = g_task_get_cancellable (task);
  Question *question;

  if (g_cancellable_is_cancelled (cancellable) || !muster_gate_has (self, type)) {
    if (!g_task_return_error_if_cancelled (task))
      g_task_return_boolean (task, TRUE);
    g_object_unref (task);
    return;
  }

  question = g_new0 (Question, 1);
  question->task = task;
  question->asked = g_ptr_array_new ();
  question->refs = 1;
  if (cancellable != NULL)
    question->cancelled_id = g_signal_connect (cancellable, "cancelled", G_CALLBACK (on_cancelled),
                                               question);

  for (guint i = 0; i < self->sinks->len; i++) {
    MusterSink *sink = self->sinks->pdata[i];
    Asked *asked;

    if (!muster_sink_gates (sink, type))
      continue;
    asked = g_new0 (Asked, 1);
    asked->question = question;
    asked->sink = sink;
    asked->cancellable = g_cancellable_new ();
    muster_timer_init (&asked->timer, on_timeout, asked);
    muster_timer_arm_in_ms (&asked->timer, muster_sink_get_gate_timeout_ms (sink));
    g_ptr_array_add (question->asked, asked);
    question->refs++;
  }
  for (guint i = question->asked->len; i > 0; i--) {
    Asked *asked = question->asked->pdata[i - 1];

    muster_sink_gate_async (asked->sink, event, asked->cancellable, on_gated, asked);
  }
  question_unref (question);
}

gboolean
muster_gate_has (MusterGate *self, const char *type)
{
  for (guint i = 0; i < self->sinks->len; i++) {
    if (muster_sink_gates (self->sinks->pdata[i], type))
      return TRUE;
  }

  return FALSE;
}

MusterGate *
muster_gate_new (GPtrArray *sinks)
{
  MusterGate *self = g_new0 (MusterGate, 1);

  self->sinks = g_ptr_array_ref (sinks);
  muster_event_set_gate (on_gate, self);

  return self;
}

void
muster_gate_free (MusterGate *self)
{
  if (self == NULL)
    return;

  muster_event_set_gate (NULL, NULL);
  g_ptr_array_unref (self->sinks);
  g_free (self);
}
