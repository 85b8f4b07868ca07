/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-answer.h"

typedef struct {
  GTask *task;
  MusterEchoAllAnswerFunc func;
  MusterTimer timer;
  gulong cancelled_id;
} Answer;

static void
on_timer (MusterTimer *timer, gpointer user_data)
{
  Answer *self = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  MusterEchoAllAnswerFunc func = self->func;

  g_cancellable_disconnect (g_task_get_cancellable (task), self->cancelled_id);
  g_free (self);

  if (!g_task_return_error_if_cancelled (task))
    func (g_task_get_source_object (task), task);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  Answer *self = user_data;

  muster_timer_arm_in_ms (&self->timer, 0);
}

void
muster_echo_all_answer_later (GTask *task, guint delay_ms, MusterEchoAllAnswerFunc func)
{
  Answer *self = g_new0 (Answer, 1);
  GCancellable *cancellable = g_task_get_cancellable (task);

  self->task = task;
  self->func = func;
  muster_timer_init (&self->timer, on_timer, self);
  muster_timer_arm_in_ms (&self->timer, delay_ms);
  if (cancellable != NULL)
    self->cancelled_id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
}
