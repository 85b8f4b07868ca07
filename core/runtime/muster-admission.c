/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterAdmission"

#include "config.h"

#include "muster-admission.h"

#include <muster/muster-error.h>

/*
 * Each step costs the same, however many attempts, hosts and accounts there are:
 *
 *    request -> queue of the host -> [the host has a token and a place] -> turns of the hosts
 *            -> [there is a token and a place for all] -> granted -> release
 *
 * A host whose attempts wait is in exactly one place: in the turns, if it may send one now; on its
 * timer, if it lacks a token; on nothing, if it lacks a place, since a release brings it back. The
 * turns are a ring, so a host with thousands of attempts holds up another host's by one only.
 *
 * A service that is overloaded says so to everybody who is under way: hundreds of failures are one
 * piece of news. So a host is slowed down once for all that had been granted before.
 */

typedef struct {
  double rate_per_s; /* of a host */
  guint max_in_flight;
} Limits;

static const Limits desktop = { 20, 100 };
static const Limits fleet = { 1000, 1000 };

#define FLEET_ACCOUNTS   1000
#define RATE_FOR_ALL     2000.0
#define MIN_RATE         1.0
#define BURST            20.0 /* so many may start at once */
#define BURST_S          0.1  /* ... or what comes in this time: timers are up to 50 ms late */
#define GROWTH_PER_S     0.1
#define FORGET_AFTER_MS  (10 * 60 * 1000)
#define MIN_MAX_HOSTS    64
#define NEARLY_ONE_TOKEN (1.0 - 1e-6)

typedef struct {
  double n_tokens;
  gint64 filled_us;
} Bucket;

typedef enum {
  PLACE_NONE,
  PLACE_TURNS,
  PLACE_IDLE,
} HostPlace;

struct _MusterAdmissionHost {
  MusterAdmission *admission;
  char *name;
  GQueue waiting; /* of MusterTicket, the oldest first */
  guint n_in_flight;
  Bucket bucket;
  double share;       /* of the default rate, which it has after overload */
  gint64 share_at_us; /* when it last changed */
  guint halvings;
  HostPlace place;
  GList link;        /* in the list that `place` says */
  MusterTimer timer; /* to the next token, or until it is forgotten */
};

struct _MusterAdmission {
  const Limits *limits;
  guint max_hosts;
  GHashTable *hosts; /* name -> MusterAdmissionHost */
  GQueue turns;      /* hosts that may send one */
  GQueue idle;       /* hosts without anything waiting or under way, the longest first */
  Bucket bucket;
  guint n_waiting;
  guint n_in_flight;
  gboolean is_serving;
  MusterTimer timer; /* to the next token for all */
};

enum {
  TICKET_IDLE,
  TICKET_WAITING,
  TICKET_GRANTED,
};

static void muster_admission_serve (MusterAdmission *self);

/* buckets */

static double
capacity (double rate_per_s)
{
  return MAX (1.0, MIN (rate_per_s, MAX (BURST, rate_per_s * BURST_S)));
}

static void
bucket_init (Bucket *bucket, double rate_per_s)
{
  bucket->n_tokens = capacity (rate_per_s);
  bucket->filled_us = muster_clock_now_us ();
}

static gboolean
bucket_has_token (Bucket *bucket, double rate_per_s)
{
  gint64 now_us = muster_clock_now_us ();
  double gained = rate_per_s * (double) (now_us - bucket->filled_us) / G_USEC_PER_SEC;

  bucket->n_tokens = MIN (bucket->n_tokens + gained, capacity (rate_per_s));
  bucket->filled_us = now_us;

  return bucket->n_tokens >= NEARLY_ONE_TOKEN;
}

/* When the next token is there; the bucket was just looked into. */
static gint64
bucket_next_us (const Bucket *bucket, double rate_per_s)
{
  double missing = MAX (1.0 - bucket->n_tokens, 0);

  return bucket->filled_us + (gint64) (missing / rate_per_s * G_USEC_PER_SEC) + 1;
}

/* hosts */

static double
muster_admission_host_rate (MusterAdmissionHost *host)
{
  return MAX (host->share * host->admission->limits->rate_per_s, MIN_RATE);
}

static void
muster_admission_host_leave (MusterAdmissionHost *host)
{
  switch (host->place) {
  case PLACE_NONE:
    break;
  case PLACE_TURNS:
    g_queue_unlink (&host->admission->turns, &host->link);
    break;
  case PLACE_IDLE:
    g_queue_unlink (&host->admission->idle, &host->link);
    break;
  }
  host->place = PLACE_NONE;
  muster_timer_cancel (&host->timer);
}

static void
muster_admission_host_free (gpointer data)
{
  MusterAdmissionHost *host = data;

  muster_admission_host_leave (host);
  g_free (host->name);
  g_free (host);
}

/* Puts the host where it belongs now. */
static void
muster_admission_host_settle (MusterAdmissionHost *host)
{
  MusterAdmission *self = host->admission;
  double rate_per_s = muster_admission_host_rate (host);

  muster_admission_host_leave (host);

  if (g_queue_is_empty (&host->waiting)) {
    if (host->n_in_flight > 0)
      return;
    host->place = PLACE_IDLE;
    g_queue_push_tail_link (&self->idle, &host->link);
    muster_timer_arm_in_ms (&host->timer, FORGET_AFTER_MS);
    return;
  }

  if (host->n_in_flight >= self->limits->max_in_flight)
    return;

  if (bucket_has_token (&host->bucket, rate_per_s)) {
    host->place = PLACE_TURNS;
    g_queue_push_tail_link (&self->turns, &host->link);
  } else {
    muster_timer_arm_at (&host->timer, bucket_next_us (&host->bucket, rate_per_s));
  }
}

static void
on_host_timer (MusterTimer *timer, gpointer user_data)
{
  MusterAdmissionHost *host = user_data;
  MusterAdmission *self = host->admission;

  if (host->place == PLACE_IDLE) {
    g_hash_table_remove (self->hosts, host->name);
    return;
  }

  muster_admission_host_settle (host);
  muster_admission_serve (self);
}

static MusterAdmissionHost *
muster_admission_take_host (MusterAdmission *self, const char *name)
{
  MusterAdmissionHost *host = g_hash_table_lookup (self->hosts, name);

  if (host != NULL)
    return host;

  /* Those that are not idle are as many as accounts at most. */
  while (g_hash_table_size (self->hosts) >= self->max_hosts && !g_queue_is_empty (&self->idle)) {
    MusterAdmissionHost *oldest = g_queue_peek_head (&self->idle);

    g_hash_table_remove (self->hosts, oldest->name);
  }

  host = g_new0 (MusterAdmissionHost, 1);
  host->admission = self;
  host->name = g_strdup (name);
  host->share = 1.0;
  host->link.data = host;
  g_queue_init (&host->waiting);
  bucket_init (&host->bucket, self->limits->rate_per_s);
  muster_timer_init (&host->timer, on_host_timer, host);
  g_hash_table_insert (self->hosts, host->name, host);

  return host;
}

/* serving */

/* The caller looks at nothing of the host afterwards: the function may do anything. */
static void
muster_admission_grant (MusterAdmission *self, MusterAdmissionHost *host)
{
  MusterTicket *ticket = g_queue_peek_head (&host->waiting);

  g_queue_unlink (&host->waiting, &ticket->link);
  self->n_waiting--;
  self->n_in_flight++;
  self->bucket.n_tokens -= 1.0;
  host->n_in_flight++;
  host->bucket.n_tokens -= 1.0;
  ticket->state = TICKET_GRANTED;
  ticket->halvings = host->halvings;
  muster_admission_host_settle (host);

  ticket->func (ticket, ticket->user_data);
}

static void
muster_admission_serve (MusterAdmission *self)
{
  if (self->is_serving) /* a granted one asks for more: whoever serves goes on */
    return;

  self->is_serving = TRUE;
  while (!g_queue_is_empty (&self->turns) && self->n_in_flight < self->limits->max_in_flight) {
    if (!bucket_has_token (&self->bucket, RATE_FOR_ALL)) {
      muster_timer_arm_at (&self->timer, bucket_next_us (&self->bucket, RATE_FOR_ALL));
      break;
    }
    muster_admission_grant (self, g_queue_peek_head (&self->turns));
  }
  self->is_serving = FALSE;
}

static void
on_timer (MusterTimer *timer, gpointer user_data)
{
  muster_admission_serve (user_data);
}

/* what services answer */

/* Whether it says that the service, not the account, is in trouble. */
static gboolean
is_overload (const GError *outcome)
{
  MusterStep step;

  if (outcome == NULL || outcome->domain != MUSTER_ERROR)
    return FALSE;

  step = muster_error_get_step (outcome);
  if (step == MUSTER_STEP_CONFIGURE || step == MUSTER_STEP_SECRET) /* it never got there */
    return FALSE;

  return outcome->code == MUSTER_ERROR_BUSY || outcome->code == MUSTER_ERROR_UNREACHABLE;
}

static void
muster_admission_host_learn (MusterAdmissionHost *host,
                             const MusterTicket *ticket,
                             const GError *outcome)
{
  gint64 now_us = muster_clock_now_us ();

  if (ticket->halvings != host->halvings)
    return; /* it went out before the host was slowed down: that is known */

  if (is_overload (outcome)) {
    host->share = MAX (host->share / 2, MIN_RATE / host->admission->limits->rate_per_s);
    host->share_at_us = now_us;
    host->halvings++;
    bucket_has_token (&host->bucket, muster_admission_host_rate (host)); /* of the smaller size */
  } else if (outcome == NULL && host->share < 1.0) {
    double s = MIN ((double) (now_us - host->share_at_us) / G_USEC_PER_SEC, 1.0);

    host->share = MIN (host->share * (1.0 + GROWTH_PER_S * s), 1.0);
    host->share_at_us = now_us;
  }
}

/* what accounts ask */

void
muster_admission_request (MusterAdmission *self,
                          const char *host_name,
                          MusterTicket *ticket,
                          MusterTicketFunc func,
                          gpointer user_data)
{
  MusterAdmissionHost *host;

  g_return_if_fail (self != NULL && func != NULL);
  g_return_if_fail (ticket != NULL && ticket->state == TICKET_IDLE);

  ticket->func = func;
  ticket->user_data = user_data;

  if (host_name == NULL) {
    ticket->host = NULL;
    ticket->state = TICKET_GRANTED;
    func (ticket, user_data);
    return;
  }

  host = muster_admission_take_host (self, host_name);
  ticket->host = host;
  ticket->state = TICKET_WAITING;
  ticket->link.data = ticket;
  g_queue_push_tail_link (&host->waiting, &ticket->link);
  self->n_waiting++;

  /* Whoever is behind others changes nothing about when they go. */
  if (g_queue_get_length (&host->waiting) == 1)
    muster_admission_host_settle (host);
  muster_admission_serve (self);
}

void
muster_admission_release (MusterAdmission *self, MusterTicket *ticket, const GError *outcome)
{
  MusterAdmissionHost *host = ticket->host;
  gboolean was_full;

  g_return_if_fail (self != NULL && ticket->state == TICKET_GRANTED);

  ticket->state = TICKET_IDLE;
  ticket->host = NULL;
  if (host == NULL)
    return;

  was_full = host->n_in_flight >= self->limits->max_in_flight;
  self->n_in_flight--;
  host->n_in_flight--;
  muster_admission_host_learn (host, ticket, outcome);
  if (was_full || g_queue_is_empty (&host->waiting))
    muster_admission_host_settle (host);
  muster_admission_serve (self);
}

void
muster_admission_withdraw (MusterAdmission *self, MusterTicket *ticket)
{
  MusterAdmissionHost *host = ticket->host;

  g_return_if_fail (self != NULL && ticket->state == TICKET_WAITING);

  g_queue_unlink (&host->waiting, &ticket->link);
  self->n_waiting--;
  ticket->state = TICKET_IDLE;
  ticket->host = NULL;
  if (g_queue_is_empty (&host->waiting))
    muster_admission_host_settle (host);
}

gboolean
muster_ticket_is_waiting (const MusterTicket *ticket)
{
  return ticket->state == TICKET_WAITING;
}

void
muster_admission_set_accounts (MusterAdmission *self, guint n_accounts)
{
  const Limits *limits = n_accounts >= FLEET_ACCOUNTS ? &fleet : &desktop;
  GHashTableIter iter;
  gpointer host;

  self->max_hosts = MAX (n_accounts, MIN_MAX_HOSTS);
  if (limits == self->limits)
    return;

  g_info ("%u accounts: %g/s to a host, %u under way", n_accounts, limits->rate_per_s,
          limits->max_in_flight);
  self->limits = limits;
  g_hash_table_iter_init (&iter, self->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host)) {
    if (((MusterAdmissionHost *) host)->place != PLACE_IDLE)
      muster_admission_host_settle (host);
  }
  muster_admission_serve (self);
}

/* what is */

guint
muster_admission_count_hosts (MusterAdmission *self)
{
  return g_hash_table_size (self->hosts);
}

guint
muster_admission_count_waiting (MusterAdmission *self)
{
  return self->n_waiting;
}

guint
muster_admission_count_in_flight (MusterAdmission *self)
{
  return self->n_in_flight;
}

void
muster_admission_foreach_busy_host (MusterAdmission *self,
                                    guint max_hosts,
                                    MusterAdmissionHostFunc func,
                                    gpointer user_data)
{
  GHashTableIter iter;
  gpointer value;
  guint n_hosts = 0;

  g_hash_table_iter_init (&iter, self->hosts);
  while (n_hosts < max_hosts && g_hash_table_iter_next (&iter, NULL, &value)) {
    MusterAdmissionHost *host = value;

    if (host->place == PLACE_IDLE)
      continue;
    func (host->name, g_queue_get_length (&host->waiting), host->n_in_flight,
          muster_admission_host_rate (host), user_data);
    n_hosts++;
  }
}

double
muster_admission_get_rate_per_s (MusterAdmission *self, const char *name)
{
  MusterAdmissionHost *host = g_hash_table_lookup (self->hosts, name);

  return host != NULL ? muster_admission_host_rate (host) : self->limits->rate_per_s;
}

/* life */

MusterAdmission *
muster_admission_new (void)
{
  MusterAdmission *self = g_new0 (MusterAdmission, 1);

  self->limits = &desktop;
  self->max_hosts = MIN_MAX_HOSTS;
  self->hosts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, muster_admission_host_free);
  g_queue_init (&self->turns);
  g_queue_init (&self->idle);
  bucket_init (&self->bucket, RATE_FOR_ALL);
  muster_timer_init (&self->timer, on_timer, self);

  return self;
}

void
muster_admission_free (MusterAdmission *self)
{
  if (self == NULL)
    return;

  g_return_if_fail (self->n_waiting == 0);

  muster_timer_cancel (&self->timer);
  g_hash_table_unref (self->hosts);
  g_free (self);
}
