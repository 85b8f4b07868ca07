/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTimer"

#include "config.h"

#include "muster-execution.h"
#include "muster-hub-private.h"
#include "muster-wheel.h"

/*
 * All timers of the process, in one wheel:
 *
 *   far ──every 2048 s──> coarse, 4096 slots of 1 s ──1 s ahead──> fine, 256 slots of 50 ms
 *    │                       │                                       │
 *    └───────────────────────┴────────────── when due ───────────────┴──> due ──sorted──> running
 *
 * One cursor says how far the wheel has turned: fine slots up to it are empty, and so are the
 * coarse slots up to the second after its own. Where a timer goes is decided against the cursor,
 * not against the clock, so that a wheel that has not turned for hours is still right; turning
 * moves the cursor first and places the opened timers after, so that none lands in a slot that was
 * just emptied. A timer's time is rounded up to its fine slot: never early.
 *
 * Turning runs no callback. The timers it finds due, and those that are armed in the past, gather
 * in one list; a run takes that list whole, in the order of their times and then of their arming,
 * and what its callbacks arm in the past waits for the run after. Every timer is unlinked before
 * its callback, so callbacks may arm, cancel and free whatever they like.
 *
 * This file decides which timers are due at a given time; what the time is and when the wheel is
 * turned is for muster-clock.c and muster-hub.c.
 */

#define TICK_US         G_GINT64_CONSTANT (50000)
#define SECOND_US       G_GINT64_CONSTANT (1000000)
#define TICKS_PER_S     (SECOND_US / TICK_US)
#define N_FINE          256
#define N_COARSE        4096
#define FAR_LOOK_S      (N_COARSE / 2)
#define NEVER           G_MAXINT64
#define N_SORT_BINS     32 /* 2^32 timers */
#define BITS_PER_WORD   64
#define WORDS_FOR(bits) ((bits) / BITS_PER_WORD)

/* A ring of slots. A set bit may belong to an empty slot (cancelling does not look), never the
 * other way round. */
typedef struct {
  guint n_slots;
  guint64 *bits;
  MusterTimer **slots;
} Ring;

static guint64 fine_bits[WORDS_FOR (N_FINE)];
static guint64 coarse_bits[WORDS_FOR (N_COARSE)];
static MusterTimer *fine_slots[N_FINE];
static MusterTimer *coarse_slots[N_COARSE];
static const Ring fine = { N_FINE, fine_bits, fine_slots };
static const Ring coarse = { N_COARSE, coarse_bits, coarse_slots };

static struct {
  gint64 tick;        /* the cursor, in ticks */
  gint64 wake_us;     /* turn the wheel then, or earlier; NEVER while nothing is on it */
  gint64 far_look_us; /* when the far list is looked through next; valid if far is not empty */
  guint64 last_seq;
  gsize n_armed;
  MusterTimer *far;
  MusterTimer *due;     /* wait for the next run, unordered */
  MusterTimer *running; /* what is left of the present run, in order */
  MusterTimer *opened;  /* what is left to place of a slot; empty but while turning */
} wheel = { .wake_us = NEVER };

/* lists */

static void
list_push (MusterTimer **list, MusterTimer *timer)
{
  timer->next = *list;
  timer->pprev = list;
  if (timer->next != NULL)
    timer->next->pprev = &timer->next;
  *list = timer;
}

static void
list_unlink (MusterTimer *timer)
{
  g_assert (timer->pprev != NULL);

  *timer->pprev = timer->next;
  if (timer->next != NULL)
    timer->next->pprev = timer->pprev;
  timer->next = NULL;
  timer->pprev = NULL;
}

static MusterTimer *
list_pop (MusterTimer **list)
{
  MusterTimer *timer = *list;

  if (timer != NULL)
    list_unlink (timer);

  return timer;
}

static void
list_move (MusterTimer **to, MusterTimer **from)
{
  *to = g_steal_pointer (from);
  if (*to != NULL)
    (*to)->pprev = to;
}

static gboolean
timer_is_before (const MusterTimer *a, const MusterTimer *b)
{
  return a->at_us < b->at_us || (a->at_us == b->at_us && a->seq < b->seq);
}

/* Merges by next alone. */
static MusterTimer *
list_merge (MusterTimer *a, MusterTimer *b)
{
  MusterTimer *merged = NULL;
  MusterTimer **tail = &merged;

  while (a != NULL && b != NULL) {
    MusterTimer **first = timer_is_before (a, b) ? &a : &b;

    *tail = *first;
    tail = &(*tail)->next;
    *first = *tail;
  }
  *tail = a != NULL ? a : b;

  return merged;
}

static void
list_sort (MusterTimer **list)
{
  MusterTimer *bins[N_SORT_BINS] = { NULL }; /* bin i: empty, or 2^i sorted timers */
  MusterTimer *sorted = NULL;
  MusterTimer *timer;

  while ((timer = list_pop (list)) != NULL) {
    guint bin = 0;

    for (; bins[bin] != NULL; bin++)
      timer = list_merge (g_steal_pointer (&bins[bin]), timer);
    bins[bin] = timer;
  }

  for (guint bin = 0; bin < N_SORT_BINS; bin++)
    sorted = list_merge (bins[bin], sorted);

  *list = sorted;
  for (MusterTimer **link = list; *link != NULL; link = &(*link)->next)
    (*link)->pprev = link;
}

/* rings */

static void
ring_push (const Ring *ring, gint64 number, MusterTimer *timer)
{
  guint slot = (guint) (number % ring->n_slots);

  ring->bits[slot / BITS_PER_WORD] |= G_GUINT64_CONSTANT (1) << (slot % BITS_PER_WORD);
  list_push (&ring->slots[slot], timer);
}

/* The distance from slot @from to the first one whose bit is set, around the ring; -1: none is. */
static gint
ring_distance (const Ring *ring, guint from)
{
  guint n_words = WORDS_FOR (ring->n_slots);
  guint64 mask = ~G_GUINT64_CONSTANT (0) << (from % BITS_PER_WORD);

  for (guint i = 0; i <= n_words; i++) { /* the first word twice: for its upper, its lower bits */
    guint word = (from / BITS_PER_WORD + i) % n_words;
    guint64 bits = ring->bits[word] & mask;

    if (bits != 0) {
      guint slot = word * BITS_PER_WORD + (guint) __builtin_ctzll (bits);

      return (gint) ((slot + ring->n_slots - from) % ring->n_slots);
    }
    mask = ~G_GUINT64_CONSTANT (0);
  }

  return -1;
}

/* The number of the first slot after @after that holds a timer, or NEVER; forgets stale bits. */
static gint64
ring_next (const Ring *ring, gint64 after)
{
  guint from = (guint) ((after + 1) % ring->n_slots);
  gint distance;

  while ((distance = ring_distance (ring, from)) >= 0) {
    guint slot = (from + (guint) distance) % ring->n_slots;

    if (ring->slots[slot] != NULL)
      return after + 1 + distance;

    ring->bits[slot / BITS_PER_WORD] &= ~(G_GUINT64_CONSTANT (1) << (slot % BITS_PER_WORD));
  }

  return NEVER;
}

/* the wheel */

static gint64
tick_for (gint64 at_us)
{
  return at_us / TICK_US + (at_us % TICK_US > 0);
}

static gint64
us_for_tick (gint64 tick)
{
  return tick <= NEVER / TICK_US ? tick * TICK_US : NEVER;
}

/* The last coarse slot that has been opened when the cursor stands at @tick. */
static gint64
opened_at (gint64 tick)
{
  return tick / TICKS_PER_S + 1;
}

/* Links the timer where it belongs; returns when the wheel must be turned for it. */
static gint64
wheel_place (MusterTimer *timer)
{
  gint64 tick = tick_for (timer->at_us);
  gint64 second = tick / TICKS_PER_S;

  if (tick <= wheel.tick) {
    list_push (&wheel.due, timer);
    return NEVER; /* pending is said by the list itself */
  }

  if (tick - wheel.tick < N_FINE) {
    ring_push (&fine, tick, timer);
    return us_for_tick (tick);
  }

  if (second - opened_at (wheel.tick) < N_COARSE) {
    ring_push (&coarse, second, timer);
    return (second - 1) * SECOND_US;
  }

  if (wheel.far == NULL)
    wheel.far_look_us = us_for_tick (wheel.tick) + FAR_LOOK_S * SECOND_US;
  list_push (&wheel.far, timer);
  return wheel.far_look_us;
}

static void
wheel_place_all (MusterTimer **list)
{
  MusterTimer *timer;

  list_move (&wheel.opened, list); /* detached: it may go back into the same list */
  while ((timer = list_pop (&wheel.opened)) != NULL)
    wheel_place (timer);
}

static gint64
wheel_compute_wake_us (void)
{
  gint64 tick = ring_next (&fine, wheel.tick);
  gint64 second = ring_next (&coarse, opened_at (wheel.tick));
  gint64 wake_us = us_for_tick (tick);

  if (second != NEVER)
    wake_us = MIN (wake_us, (second - 1) * SECOND_US);
  if (wheel.far != NULL)
    wake_us = MIN (wake_us, wheel.far_look_us);

  return wake_us;
}

static void
wheel_turn (gint64 now_us)
{
  gint64 old_tick = wheel.tick;
  gint64 number;

  wheel.tick = now_us / TICK_US; /* first: whatever is placed from here on goes after it */

  while ((number = ring_next (&fine, old_tick)) <= wheel.tick)
    wheel_place_all (&fine_slots[number % N_FINE]);

  while ((number = ring_next (&coarse, opened_at (old_tick))) <= opened_at (wheel.tick))
    wheel_place_all (&coarse_slots[number % N_COARSE]);

  if (wheel.far != NULL && now_us >= wheel.far_look_us)
    wheel_place_all (&wheel.far);

  wheel.wake_us = wheel_compute_wake_us ();
}

/* Whether timers wait for the next run, whatever the clock says. */
gboolean
muster_wheel_is_pending (void)
{
  return wheel.due != NULL || wheel.running != NULL;
}

gboolean
muster_wheel_is_empty (void)
{
  return wheel.n_armed == 0;
}

/* When to call muster_wheel_run() at the latest; it may then find that nothing is due. */
gint64
muster_wheel_wake_us (void)
{
  return wheel.wake_us;
}

/* Exactly when the next timer on the wheel is due. Walks at most one slot, and the far list only if
 * nothing is due before it is looked through anyway. */
gint64
muster_wheel_next_due_us (void)
{
  gint64 second = ring_next (&coarse, opened_at (wheel.tick));
  gint64 due_us = us_for_tick (ring_next (&fine, wheel.tick));

  if (second != NEVER) {
    for (MusterTimer *timer = coarse_slots[second % N_COARSE]; timer != NULL; timer = timer->next)
      due_us = MIN (due_us, us_for_tick (tick_for (timer->at_us)));
  }

  if (due_us >= wheel.far_look_us) {
    for (MusterTimer *timer = wheel.far; timer != NULL; timer = timer->next)
      due_us = MIN (due_us, us_for_tick (tick_for (timer->at_us)));
  }

  return due_us;
}

/* Runs what is due at @now_us, until muster_clock_turn_us() reaches @stop_us. Returns %FALSE if it
 * stopped for that; the rest stays pending. */
gboolean
muster_wheel_run (gint64 now_us, gint64 stop_us)
{
  MusterTimer *timer;

  if (wheel.wake_us <= now_us)
    wheel_turn (now_us);

  if (wheel.running == NULL) {
    list_sort (&wheel.due);
    list_move (&wheel.running, &wheel.due);
  }

  while ((timer = list_pop (&wheel.running)) != NULL) {
    guint64 outer = muster_execution_mark ((gconstpointer) timer->func);

    wheel.n_armed--;
    timer->func (timer, timer->user_data); /* may have freed it */
    muster_execution_unmark (outer);

    if (stop_us != G_MAXINT64 && muster_clock_turn_us () >= stop_us)
      return FALSE;
  }

  return TRUE;
}

/* Only while the wheel is empty: its cursor may go back. */
void
muster_wheel_reset (gint64 now_us)
{
  g_assert (wheel.n_armed == 0);

  wheel.tick = now_us / TICK_US;
  wheel.wake_us = NEVER;
}

/* timers */

/**
 * muster_timer_init:
 * @timer: (out caller-allocates): a timer that is not armed
 * @func: (scope forever): called on the main context each time the timer is due
 * @user_data: for @func
 *
 * Makes a timer ready to be armed. There is nothing to clear: a timer that is not armed may simply
 * be forgotten, one that is must be cancelled before its memory goes.
 */
void
muster_timer_init (MusterTimer *timer, MusterTimerFunc func, gpointer user_data)
{
  g_return_if_fail (timer != NULL);
  g_return_if_fail (func != NULL);

  *timer = (MusterTimer){ .func = func, .user_data = user_data };
}

/**
 * muster_timer_arm_at:
 * @timer: a timer, armed or not
 * @at_us: when, as muster_clock_now_us() counts
 *
 * Arms the timer, in place of what it was armed for before. A time that has passed already makes it
 * due in the next turn of the main loop, never inside this call.
 */
void
muster_timer_arm_at (MusterTimer *timer, gint64 at_us)
{
  gint64 now_us;
  gint64 turn_at_us;

  g_return_if_fail (timer != NULL && timer->func != NULL);
  muster_hub_init ();
  g_return_if_fail (muster_hub_is_owner ());

  muster_timer_cancel (timer);
  timer->at_us = at_us;
  timer->seq = ++wheel.last_seq;
  wheel.n_armed++;

  now_us = muster_clock_now_us ();
  if (at_us <= now_us) {
    list_push (&wheel.due, timer);
    return;
  }

  if (wheel.wake_us > now_us) /* nothing to pick up on the way: let an idle wheel catch up */
    wheel.tick = now_us / TICK_US;

  turn_at_us = wheel_place (timer);
  wheel.wake_us = MIN (wheel.wake_us, turn_at_us);
}

/**
 * muster_timer_arm_in_ms:
 * @timer: a timer, armed or not
 * @delay_ms: how long from now; 0 or less: in the next turn of the main loop
 *
 * Arms the timer like muster_timer_arm_at().
 */
void
muster_timer_arm_in_ms (MusterTimer *timer, gint64 delay_ms)
{
  gint64 now_us = muster_clock_now_us ();

  delay_ms = CLAMP (delay_ms, 0, (G_MAXINT64 - now_us) / 1000);
  muster_timer_arm_at (timer, now_us + delay_ms * 1000);
}

/**
 * muster_timer_cancel:
 * @timer: a timer, armed or not
 *
 * Disarms the timer. After this its function is not called, not even if it was due already.
 */
void
muster_timer_cancel (MusterTimer *timer)
{
  g_return_if_fail (timer != NULL);

  if (timer->pprev == NULL)
    return;

  g_return_if_fail (muster_hub_is_owner ());
  list_unlink (timer);
  wheel.n_armed--;
}

/**
 * muster_timer_is_armed:
 * @timer: a timer
 *
 * Returns: whether the timer's function will be called
 */
gboolean
muster_timer_is_armed (const MusterTimer *timer)
{
  g_return_val_if_fail (timer != NULL, FALSE);

  return timer->pprev != NULL;
}
