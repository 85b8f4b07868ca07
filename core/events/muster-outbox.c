/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterEvents"

#include "config.h"

#include "muster-outbox.h"

#include <muster/muster-hub.h>

/*
 *    bus: who is to have it? -> store: journal and outbox, in one transaction
 *     '-> [a moment] -> read a page, oldest first -> lanes, one for each account
 *                                                               |
 *        row forgotten <- taken <- sink <- the first of a lane <'
 *                         failed: the lane waits, longer each time; other lanes go on
 *
 * Few rows are held in memory, whatever the number that waits: a lane keeps no more than LANE_MAX of
 * them, and one only while it fails. What it leaves out it reads again by itself when it has caught up.
 * No more pages are read while HELD_MAX rows are held: so a sink that fails for that many accounts,
 * but not for others, delays the others by a wait.
 */

#define GATHER_MS     100 /* events come in bursts, and are written behind in batches */
#define PAGE_EVENTS   200
#define HELD_MAX      2000
#define LANE_MAX      50
#define IN_FLIGHT_MAX 16
#define RETRY_MIN_MS  1000
#define RETRY_MAX_MS  (5 * 60 * 1000)
#define RETRY_MAX_S   3600
#define CONSUME_MS    (60 * 1000)

typedef struct {
  MusterOutbox *outbox;
  MusterSink *sink;
  const char *name;
  GHashTable *lanes; /* account -> Lane: those that have or had something to do */
  GQueue ready;      /* of Lane: may deliver now */
  gint64 cursor;     /* everything up to this event was read, or left to its lane */
  guint n_waiting;   /* in the store */
  guint n_held;      /* in memory */
  guint n_in_flight;
  gboolean reading;
  gboolean more; /* there may be something behind the cursor */
  MusterTimer gather;
} Delivery;

typedef struct {
  Delivery *delivery;
  char *account;
  GQueue events;       /* of MusterEvent, oldest first */
  gint64 last_seq;     /* the newest that was in events */
  gint64 left_out_seq; /* rows up to this one were left in the store; 0: none */
  guint n_failures;
  MusterTimer retry;
  gboolean queued; /* in ready */
  gboolean busy;   /* delivering, or reading */
} Lane;

struct _MusterOutbox {
  MusterStore *store;
  MusterEventBus *bus;
  guint max_events;
  GPtrArray *deliveries;     /* Delivery */
  GCancellable *cancellable; /* of the reads: fired at the end */
  GHashTable *attempts;      /* Attempt: those under way, told at the end */
};

static void delivery_pump (Delivery *self);
static void delivery_read (Delivery *self);

/* lanes */

static void
lane_free (gpointer data)
{
  Lane *lane = data;

  muster_timer_cancel (&lane->retry);
  g_queue_clear_full (&lane->events, (GDestroyNotify) muster_event_unref);
  g_free (lane->account);
  g_free (lane);
}

static void
lane_make_ready (Lane *lane)
{
  if (lane->queued || lane->busy || muster_timer_is_armed (&lane->retry))
    return;

  lane->queued = TRUE;
  g_queue_push_tail (&lane->delivery->ready, lane);
}

static void
on_retry (MusterTimer *timer, gpointer user_data)
{
  Lane *lane = user_data;

  lane_make_ready (lane);
  delivery_pump (lane->delivery);
}

static Lane *
delivery_ensure_lane (Delivery *self, const char *account)
{
  Lane *lane = g_hash_table_lookup (self->lanes, account);

  if (lane != NULL)
    return lane;

  lane = g_new0 (Lane, 1);
  lane->delivery = self;
  lane->account = g_strdup (account);
  g_queue_init (&lane->events);
  muster_timer_init (&lane->retry, on_retry, lane);
  g_hash_table_insert (self->lanes, lane->account, lane);

  return lane;
}

static MusterEvent *
event_from_record (const MusterEventRecord *record)
{
  return muster_event_new ((guint64) record->seq, record->time_us, record->type, record->account,
                           record->payload);
}

static void
lane_push (Lane *lane, const MusterEventRecord *record)
{
  g_queue_push_tail (&lane->events, event_from_record (record));
  lane->last_seq = record->seq;
  lane->delivery->n_held++;
}

/* A lane that fails keeps the event that it will try again. */
static void
lane_shed (Lane *lane)
{
  while (g_queue_get_length (&lane->events) > 1) {
    MusterEvent *event = g_queue_pop_tail (&lane->events);

    lane->left_out_seq = MAX (lane->left_out_seq, (gint64) muster_event_get_id (event));
    lane->delivery->n_held--;
    muster_event_unref (event);
  }
  lane->last_seq = (gint64) muster_event_get_id (g_queue_peek_head (&lane->events));
}

/* delivering */

/* Outlives the outbox: the sink may answer late. */
typedef struct {
  Lane *lane; /* NULL: the outbox is gone */
  MusterEvent *event;
  GCancellable *cancellable;
  MusterTimer deadline;
} Attempt;

/* Nothing is left: a change that was not committed after all is not waited for. */
static void
delivery_settle (Delivery *self)
{
  if (g_hash_table_size (self->lanes) == 0 && !self->more && !self->reading)
    self->n_waiting = 0;
}

static void
lane_done (Lane *lane)
{
  Delivery *self = lane->delivery;

  lane->busy = FALSE;
  if (!g_queue_is_empty (&lane->events) || lane->left_out_seq != 0)
    lane_make_ready (lane);
  else
    g_hash_table_remove (self->lanes, lane->account);
  delivery_settle (self);

  if (self->more)
    delivery_read (self);
  delivery_pump (self);
}

static gint64
retry_ms (guint n_failures, const GError *error)
{
  guint asked_s = 0;
  gint64 delay_ms;

  if (error->domain == MUSTER_ERROR)
    asked_s = muster_error_get_retry_after_s (error);
  if (asked_s > 0)
    return (gint64) MIN (asked_s, RETRY_MAX_S) * 1000;

  delay_ms = MIN ((gint64) RETRY_MIN_MS << MIN (n_failures - 1, 16), RETRY_MAX_MS);
  return delay_ms / 2 + (gint64) ((double) (delay_ms / 2) * g_random_double ());
}

static void
attempt_free (Attempt *attempt)
{
  muster_timer_cancel (&attempt->deadline);
  muster_event_unref (attempt->event);
  g_object_unref (attempt->cancellable);
  g_free (attempt);
}

static void
on_consumed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attempt *attempt = user_data;
  Lane *lane = attempt->lane;
  Delivery *self;
  g_autoptr (GError) error = NULL;
  gboolean ok = muster_sink_consume_finish (MUSTER_SINK (source), result, &error);

  if (lane == NULL) {
    attempt_free (attempt);
    return;
  }

  self = lane->delivery;
  g_hash_table_remove (self->outbox->attempts, attempt);
  self->n_in_flight--;

  if (ok) {
    muster_store_ack_outbox (self->outbox->store, self->name,
                             (gint64) muster_event_get_id (attempt->event));
    muster_event_unref (g_queue_pop_head (&lane->events));
    self->n_held--;
    self->n_waiting -= MIN (self->n_waiting, 1);
    lane->n_failures = 0;
  } else {
    gint64 delay_ms = retry_ms (++lane->n_failures, error);

    g_info ("%s did not take %s of %s (%u times), again in %" G_GINT64_FORMAT " ms: %s", self->name,
            muster_event_get_type_name (attempt->event), lane->account, lane->n_failures, delay_ms,
            error->message);
    lane_shed (lane);
    muster_timer_arm_in_ms (&lane->retry, delay_ms);
  }

  attempt_free (attempt);
  lane_done (lane);
}

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  g_cancellable_cancel (((Attempt *) user_data)->cancellable);
}

static void
lane_deliver (Lane *lane)
{
  Delivery *self = lane->delivery;
  Attempt *attempt = g_new0 (Attempt, 1);

  lane->busy = TRUE;
  self->n_in_flight++;
  attempt->lane = lane;
  attempt->event = muster_event_ref (g_queue_peek_head (&lane->events));
  attempt->cancellable = g_cancellable_new ();
  muster_timer_init (&attempt->deadline, on_deadline, attempt);
  muster_timer_arm_in_ms (&attempt->deadline, CONSUME_MS);
  g_hash_table_add (self->outbox->attempts, attempt);
  muster_sink_consume_async (self->sink, attempt->event, attempt->cancellable, on_consumed,
                             attempt);
}

/* reading what a lane left out */

typedef struct {
  Delivery *delivery;
  Lane *lane; /* NULL: the next page of all */
  gint64 until_seq;
  GCancellable *cancellable;
} Page;

static Page *
page_new (Delivery *delivery, Lane *lane, gint64 until_seq)
{
  Page *page = g_new (Page, 1);

  page->delivery = delivery;
  page->lane = lane;
  page->until_seq = until_seq;
  page->cancellable = g_object_ref (delivery->outbox->cancellable);

  return page;
}

/* Takes @page's reference. FALSE: the outbox is gone. @rows NULL: it could not be read. */
static gboolean
page_finish (Page *page, GObject *source, GAsyncResult *result, GPtrArray **rows)
{
  g_autoptr (GCancellable) cancellable = g_steal_pointer (&page->cancellable);
  g_autoptr (GError) error = NULL;

  *rows = muster_store_read_outbox_finish (MUSTER_STORE (source), result, &error);
  if (g_cancellable_is_cancelled (cancellable))
    return FALSE;
  if (*rows == NULL)
    g_warning ("the outbox cannot be read, trying again: %s", error->message);

  return TRUE;
}

static void
on_lane_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Page *page = user_data;
  Lane *lane = page->lane;
  g_autoptr (GPtrArray) rows = NULL;

  if (!page_finish (page, source, result, &rows))
    return;

  lane->delivery->n_in_flight--;
  if (rows == NULL) {
    muster_timer_arm_in_ms (&lane->retry, RETRY_MIN_MS);
  } else {
    for (guint i = 0; i < rows->len; i++)
      lane_push (lane, rows->pdata[i]);
    if (rows->len < LANE_MAX && page->until_seq >= lane->left_out_seq)
      lane->left_out_seq = 0;
  }
  lane_done (lane);
}

static void
lane_read (Lane *lane)
{
  Delivery *self = lane->delivery;

  lane->busy = TRUE;
  self->n_in_flight++;
  muster_store_read_outbox_async (self->outbox->store, self->name, lane->account, lane->last_seq,
                                  self->cursor, LANE_MAX, self->outbox->cancellable, on_lane_read,
                                  page_new (self, lane, self->cursor));
}

static void
delivery_pump (Delivery *self)
{
  while (self->n_in_flight < IN_FLIGHT_MAX && !g_queue_is_empty (&self->ready)) {
    Lane *lane = g_queue_pop_head (&self->ready);

    lane->queued = FALSE;
    if (!g_queue_is_empty (&lane->events))
      lane_deliver (lane);
    else
      lane_read (lane);
  }
}

/* reading pages */

/* An event of an account that has enough is left in the store. */
static void
delivery_take (Delivery *self, const MusterEventRecord *record)
{
  Lane *lane = delivery_ensure_lane (self, record->account);
  guint max = lane->n_failures > 0 ? 1 : LANE_MAX;

  self->cursor = record->seq;
  if (record->seq <= lane->last_seq)
    return;

  if (lane->left_out_seq != 0 || g_queue_get_length (&lane->events) >= max)
    lane->left_out_seq = record->seq;
  else
    lane_push (lane, record);
  lane_make_ready (lane);
}

static void
on_page_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Page *page = user_data;
  Delivery *self = page->delivery;
  g_autoptr (GPtrArray) rows = NULL;

  if (!page_finish (page, source, result, &rows))
    return;

  self->reading = FALSE;
  if (rows == NULL) {
    self->more = TRUE;
    muster_timer_arm_in_ms (&self->gather, RETRY_MIN_MS);
    return;
  }

  for (guint i = 0; i < rows->len; i++)
    delivery_take (self, rows->pdata[i]);
  if (rows->len == PAGE_EVENTS)
    self->more = TRUE;
  delivery_settle (self);
  if (self->more)
    delivery_read (self);
  delivery_pump (self);
}

static void
delivery_read (Delivery *self)
{
  if (self->reading || self->n_held >= HELD_MAX || muster_timer_is_armed (&self->gather))
    return; /* the next that is delivered asks again */

  self->reading = TRUE;
  self->more = FALSE;
  muster_store_read_outbox_async (self->outbox->store, self->name, NULL, self->cursor, G_MAXINT64,
                                  PAGE_EVENTS, self->outbox->cancellable, on_page_read,
                                  page_new (self, NULL, G_MAXINT64));
}

/* Some more than needed, so that one who is behind is not told of each. */
static void
delivery_drop (Delivery *self)
{
  guint max_events = self->outbox->max_events;
  guint n_events = self->n_waiting - max_events + max_events / 100;
  GVariantDict payload;

  self->n_waiting -= n_events;
  muster_store_drop_outbox (self->outbox->store, self->name, n_events);
  g_warning ("more than %u events wait for %s, the %u oldest were dropped", max_events, self->name,
             n_events);

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "sink", "s", self->name);
  g_variant_dict_insert (&payload, "dropped", "u", n_events);
  muster_event_bus_emit (self->outbox->bus, "outbox.dropped", "", g_variant_dict_end (&payload),
                         TRUE);
}

static void
on_gather (MusterTimer *timer, gpointer user_data)
{
  Delivery *self = user_data;

  if (self->n_waiting > self->outbox->max_events)
    delivery_drop (self);
  delivery_read (self);
}

/* what the bus asks */

/* Called for each event that is about to be put into the store. */
static GStrv
on_route (const char *type, gpointer user_data)
{
  MusterOutbox *self = user_data;
  g_autoptr (GStrvBuilder) names = NULL;

  for (guint i = 0; i < self->deliveries->len; i++) {
    Delivery *delivery = self->deliveries->pdata[i];

    if (!muster_sink_wants (delivery->sink, type))
      continue;
    if (names == NULL)
      names = g_strv_builder_new ();
    g_strv_builder_add (names, delivery->name);
    delivery->n_waiting++;
    delivery->more = TRUE;
    if (!muster_timer_is_armed (&delivery->gather))
      muster_timer_arm_in_ms (&delivery->gather, GATHER_MS);
  }

  return names != NULL ? g_strv_builder_end (names) : NULL;
}

/* life */

static void
delivery_free (gpointer data)
{
  Delivery *self = data;

  muster_timer_cancel (&self->gather);
  g_queue_clear (&self->ready);
  g_hash_table_unref (self->lanes);
  g_free (self);
}

static void
muster_outbox_add (MusterOutbox *self, MusterSink *sink)
{
  Delivery *delivery = g_new0 (Delivery, 1);

  delivery->outbox = self;
  delivery->sink = sink;
  delivery->name = muster_sink_get_name (sink);
  delivery->lanes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, lane_free);
  g_queue_init (&delivery->ready);
  muster_timer_init (&delivery->gather, on_gather, delivery);
  g_ptr_array_add (self->deliveries, delivery);
}

static Delivery *
muster_outbox_find (MusterOutbox *self, const char *sink)
{
  for (guint i = 0; i < self->deliveries->len; i++) {
    Delivery *delivery = self->deliveries->pdata[i];

    if (g_str_equal (delivery->name, sink))
      return delivery;
  }

  return NULL;
}

MusterOutbox *
muster_outbox_new (MusterStore *store,
                   MusterEventBus *bus,
                   GPtrArray *sinks,
                   guint max_events,
                   GError **error)
{
  g_autoptr (GPtrArray) counts = muster_store_load_outbox_counts (store, error);
  MusterOutbox *self;

  if (counts == NULL)
    return NULL;

  self = g_new0 (MusterOutbox, 1);
  self->store = g_object_ref (store);
  self->bus = bus;
  self->max_events = max_events;
  self->deliveries = g_ptr_array_new_with_free_func (delivery_free);
  self->cancellable = g_cancellable_new ();
  self->attempts = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < sinks->len; i++)
    muster_outbox_add (self, sinks->pdata[i]);

  for (guint i = 0; i < counts->len; i++) {
    const MusterOutboxCount *count = counts->pdata[i];
    Delivery *delivery = muster_outbox_find (self, count->sink);

    if (delivery == NULL) {
      g_message ("%" G_GINT64_FORMAT " events wait for %s, which no plugin has now",
                 count->n_events, count->sink);
      continue;
    }
    delivery->n_waiting = (guint) count->n_events;
    delivery->more = TRUE;
    muster_timer_arm_in_ms (&delivery->gather, GATHER_MS);
  }

  muster_event_bus_set_route (bus, on_route, self);

  return self;
}

void
muster_outbox_free (MusterOutbox *self)
{
  g_autoptr (GPtrArray) attempts = NULL;
  GHashTableIter iter;
  gpointer attempt;

  if (self == NULL)
    return;

  muster_event_bus_set_route (self->bus, NULL, NULL);

  /* A read that was cancelled answers without touching us; so does an attempt that has no lane. */
  g_cancellable_cancel (self->cancellable);
  attempts = g_ptr_array_new ();
  g_hash_table_iter_init (&iter, self->attempts);
  while (g_hash_table_iter_next (&iter, &attempt, NULL)) {
    ((Attempt *) attempt)->lane = NULL;
    muster_timer_cancel (&((Attempt *) attempt)->deadline);
    g_ptr_array_add (attempts, g_object_ref (((Attempt *) attempt)->cancellable));
  }
  g_ptr_array_unref (self->deliveries);
  g_hash_table_unref (self->attempts);
  g_ptr_array_set_free_func (attempts, g_object_unref);
  for (guint i = 0; i < attempts->len; i++)
    g_cancellable_cancel (attempts->pdata[i]);

  g_object_unref (self->cancellable);
  g_object_unref (self->store);
  g_free (self);
}

guint
muster_outbox_count (MusterOutbox *self, const char *sink)
{
  Delivery *delivery = muster_outbox_find (self, sink);

  return delivery != NULL ? delivery->n_waiting : 0;
}
