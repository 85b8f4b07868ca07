/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-lane.h"

#include "muster-execution.h"
#include "muster-registration-private.h"
#include "muster-text.h"

/*
 *    run -> [waits in its lane] -> start: the plugin -> its answer -> finish -> the next
 *                                        close: cancelled -^
 */

/* More is a caller that does not wait for answers. */
#define CALLS_MAX 1000

typedef struct {
  GTask *task;
  MusterLaneStart start;
  MusterLaneFinish finish;
  GCancellable *cancellable; /* the plugin's own: fired by the caller's, and by close */
  gulong cancelled_id;       /* on the caller's */
  gboolean started;
} Call;

typedef struct {
  MusterLanes *lanes;
  char *name;
  GQueue calls;    /* of Call; the first is under way */
  guint answering; /* depth */
  gboolean forgotten;
} Lane;

struct _MusterLanes {
  MusterRegistration *registration; /* lent: it owns us */
  MusterLanesEmptyFunc empty;
  GPtrArray *lanes; /* of Lane: a handful */
  guint n_under_way;
  gboolean closed;
};

static void lane_next (Lane *lane);

/* Any function of the plugin's will do. */
static guint64
muster_lanes_mark (MusterLanes *self)
{
  return muster_execution_mark (
    (gconstpointer) MUSTER_REGISTRATION_GET_CLASS (self->registration)->open_async);
}

static void
on_outer_cancelled (GCancellable *outer, gpointer user_data)
{
  g_cancellable_cancel (((Call *) user_data)->cancellable);
}

static void
call_free (Call *call)
{
  /* Not g_cancellable_disconnect(): a plugin may answer while the caller cancels, and that would
   * wait for itself. All of this is on one thread. */
  if (call->cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (call->task), call->cancelled_id);
  g_object_unref (call->cancellable);
  g_object_unref (call->task);
  g_free (call);
}

static void
lane_free (gpointer data)
{
  Lane *lane = data;

  g_warn_if_fail (g_queue_is_empty (&lane->calls));
  g_free (lane->name);
  g_free (lane);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  /* The task's answer may drop the caller's reference, and we go on after it. */
  g_autoptr (GObject) held = g_object_ref (source);
  Lane *lane = user_data;
  MusterLanes *self = lane->lanes;
  Call *call = g_queue_peek_head (&lane->calls);
  guint64 outer;

  if (call == NULL || !call->started) {
    g_critical ("%s: answered a call of lane %s twice", G_OBJECT_TYPE_NAME (source), lane->name);
    return;
  }

  g_queue_pop_head (&lane->calls);
  self->n_under_way--;
  lane->answering++; /* who hears the answer may forget the lane */
  outer = muster_lanes_mark (self);
  call->finish (self->registration, result, call->task);
  muster_execution_unmark (outer);
  call_free (call);

  if (self->closed && self->n_under_way == 0)
    self->empty (self->registration);
  else
    lane_next (lane);
  if (--lane->answering == 0 && lane->forgotten && g_queue_is_empty (&lane->calls))
    g_ptr_array_remove_fast (self->lanes, lane);
}

static void
return_cancelled (Call *call)
{
  g_task_return_new_error (call->task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "it was cancelled");
  call_free (call);
}

static void
lane_next (Lane *lane)
{
  MusterLanes *self = lane->lanes;
  guint64 outer;
  Call *call;

  while ((call = g_queue_peek_head (&lane->calls)) != NULL && !call->started) {
    if (self->closed || g_cancellable_is_cancelled (call->cancellable)) {
      g_queue_pop_head (&lane->calls);
      return_cancelled (call);
      continue;
    }
    call->started = TRUE;
    self->n_under_way++;
    outer = muster_lanes_mark (self);
    call->start (self->registration, call->task, call->cancellable, on_answered, lane);
    muster_execution_unmark (outer);
  }
}

static Lane *
muster_lanes_ensure (MusterLanes *self, const char *name)
{
  Lane *lane;

  for (guint i = 0; i < self->lanes->len; i++) {
    lane = self->lanes->pdata[i];
    if (g_str_equal (lane->name, name) && !lane->forgotten)
      return lane;
  }

  lane = g_new0 (Lane, 1);
  lane->lanes = self;
  lane->name = g_strdup (name);
  g_queue_init (&lane->calls);
  g_ptr_array_add (self->lanes, lane);

  return lane;
}

void
muster_lanes_run (MusterLanes *self,
                  const char *name,
                  GTask *task,
                  MusterLaneStart start,
                  MusterLaneFinish finish)
{
  Lane *lane = muster_lanes_ensure (self, name);
  GCancellable *outer = g_task_get_cancellable (task);
  Call *call = g_new0 (Call, 1);

  /* The plugin decides between its answer and "cancelled". */
  g_task_set_check_cancellable (task, FALSE);
  call->task = task;
  call->start = start;
  call->finish = finish;
  call->cancellable = g_cancellable_new ();

  if (self->closed || g_cancellable_is_cancelled (outer)) {
    return_cancelled (call);
    return;
  }
  if (g_queue_get_length (&lane->calls) >= CALLS_MAX) {
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_PENDING, "too many calls wait in lane %s",
                             name);
    call_free (call);
    return;
  }

  if (outer != NULL)
    call->cancelled_id = g_signal_connect (outer, "cancelled", G_CALLBACK (on_outer_cancelled),
                                           call);
  g_queue_push_tail (&lane->calls, call);
  lane_next (lane);
}

gboolean
muster_lanes_close (MusterLanes *self)
{
  self->closed = TRUE;

  /* An answer may come inside the cancelling, so the call is not touched after it. */
  for (guint i = 0; i < self->lanes->len; i++) {
    Lane *lane = self->lanes->pdata[i];
    Call *call;

    while ((call = g_queue_peek_tail (&lane->calls)) != NULL && !call->started) {
      g_queue_pop_tail (&lane->calls);
      return_cancelled (call);
    }
  }
  for (guint i = 0; i < self->lanes->len && self->n_under_way > 0; i++) {
    Call *call = g_queue_peek_head (&((Lane *) self->lanes->pdata[i])->calls);

    if (call != NULL) {
      g_autoptr (GCancellable) cancellable = g_object_ref (call->cancellable);

      g_cancellable_cancel (cancellable);
    }
  }

  return self->n_under_way == 0;
}

void
muster_lanes_open (MusterLanes *self)
{
  self->closed = FALSE;
}

void
muster_lanes_forget (MusterLanes *self, const char *name)
{
  Lane *lane = muster_lanes_ensure (self, name);

  lane->forgotten = TRUE;
  if (lane->answering == 0 && g_queue_is_empty (&lane->calls))
    g_ptr_array_remove_fast (self->lanes, lane);
}

gboolean
muster_lanes_is_busy (MusterLanes *self)
{
  return self->n_under_way > 0;
}

MusterLanes *
muster_lanes_new (MusterRegistration *registration, MusterLanesEmptyFunc empty)
{
  MusterLanes *self = g_new0 (MusterLanes, 1);

  self->registration = registration;
  self->empty = empty;
  self->lanes = g_ptr_array_new_with_free_func (lane_free);

  return self;
}

void
muster_lanes_free (MusterLanes *self)
{
  if (self == NULL)
    return;

  g_ptr_array_unref (self->lanes);
  g_free (self);
}

/* what plugins answer */

/* A plugin that was built against later headers may know codes that we do not. */
gboolean
muster_error_is_known (const GError *error)
{
  return error->domain == MUSTER_ERROR && error->code >= 0 && error->code < (int) MUSTER_ERROR_LAST;
}

/* A plugin that fails without saying why, or with an error of no meaning to the broker, is wrong,
 * but its account still needs a reaction. */
GError *
muster_sane_error (gpointer object, GError *error)
{
  g_autoptr (GError) original = error;

  if (original == NULL)
    return muster_error_new (MUSTER_ERROR_PROTOCOL, MUSTER_STEP_NONE,
                             "%s failed without saying why", G_OBJECT_TYPE_NAME (object));
  if (muster_error_is_known (original) ||
      g_error_matches (original, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    muster_text_tame_error (original);
    return g_steal_pointer (&original);
  }
  if (original->domain == MUSTER_ERROR)
    return muster_error_new (MUSTER_ERROR_PROTOCOL, muster_error_get_step (original), "%s",
                             original->message);

  g_warning ("%s: an error of domain %s is not of the SDK's, taking it as unreachable: %s",
             G_OBJECT_TYPE_NAME (object), g_quark_to_string (original->domain), original->message);
  return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_NONE, "%s", original->message);
}

/* for the capabilities */

void
muster_registration_run (MusterRegistration *self,
                         const char *lane,
                         gpointer tag,
                         gpointer data,
                         GDestroyNotify free_data,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data,
                         MusterLaneStart start,
                         MusterLaneFinish finish)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);
  g_task_set_task_data (task, data, free_data);
  muster_lanes_run (muster_registration_get_lanes (self), lane, task, start, finish);
}
