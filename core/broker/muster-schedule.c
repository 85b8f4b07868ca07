/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSchedule"

#include "config.h"

#include "muster-schedule.h"

/*
 * The broker's sense of time, as pure functions.
 *
 * A refresh is drawn at 88 to 100 % of its latest moment and never clamped to it: what was granted
 * to thousands in the same second must not come due in the same second again. The latest moment
 * leaves room for one unanswered UDP request (32 s) and another try.
 */

#define SHORT_LEASE_S     120
#define MEDIUM_LEASE_S    240
#define REFRESH_MARGIN_S  90
#define REFRESH_EARLIEST  0.88
#define RETRY_FIRST_MS    2000
#define RETRY_MAX_MS      (5 * 60 * 1000)
#define RETRY_MIN_MS      100
#define FLOOR_SPREAD      0.25
#define BUSY_MIN_S        1
#define BUSY_MAX_S        3600
#define CONFLICT_MS       (5 * 60 * 1000)
#define FORBIDDEN_MS      (60 * 60 * 1000)
#define OPEN_DEADLINE_MS  (40 * 1000) /* an unanswered SIP request over UDP fails after 32 s */
#define CLOSE_DEADLINE_MS (5 * 1000)
#define REFRESH_MIN_MS    500
#define DEADLINE_MIN_MS   1000

gint64
muster_schedule_refresh_ms (guint lease_s, guint refresh_after_s, double chance)
{
  gint64 latest_ms;

  g_return_val_if_fail (lease_s > 0 || refresh_after_s > 0, 0);

  if (lease_s == 0)
    latest_ms = G_MAXINT64;
  else if (lease_s < SHORT_LEASE_S)
    latest_ms = (gint64) lease_s * 500;
  else if (lease_s < MEDIUM_LEASE_S)
    latest_ms = (gint64) lease_s * 600;
  else
    latest_ms = MIN ((gint64) lease_s * 900, ((gint64) lease_s - REFRESH_MARGIN_S) * 1000);

  if (refresh_after_s > 0)
    latest_ms = MIN (latest_ms, (gint64) refresh_after_s * 1000);

  return (gint64) ((double) latest_ms * (REFRESH_EARLIEST + (1 - REFRESH_EARLIEST) * chance));
}

/* A floor is where a whole fleet would meet: it is drawn upwards. */
static gint64
raise_to_floor_ms (gint64 delay_ms, guint floor_s, double chance)
{
  gint64 floor_ms = (gint64) floor_s * 1000;

  return MAX (delay_ms, floor_ms + (gint64) ((double) floor_ms * FLOOR_SPREAD * chance));
}

gint64
muster_schedule_retry_ms (guint n_failures, guint floor_s, double chance)
{
  guint doublings = MIN (MAX (n_failures, 1) - 1, 16);
  gint64 ceiling_ms = MIN ((gint64) RETRY_FIRST_MS << doublings, RETRY_MAX_MS);
  gint64 delay_ms = RETRY_MIN_MS + (gint64) ((double) (ceiling_ms - RETRY_MIN_MS) * chance);

  return raise_to_floor_ms (delay_ms, floor_s, chance);
}

static gint64
busy_ms (guint retry_after_s, double chance)
{
  gint64 asked_ms = (gint64) CLAMP (retry_after_s, BUSY_MIN_S, BUSY_MAX_S) * 1000;

  return asked_ms + (gint64) ((double) asked_ms * 0.1 * chance); /* all were told the same */
}

gint64
muster_schedule_after_error_ms (MusterError code,
                                guint n_failures,
                                guint retry_after_s,
                                guint floor_s,
                                double chance)
{
  switch (code) {
  case MUSTER_ERROR_UNREACHABLE:
  case MUSTER_ERROR_PROTOCOL:
    return muster_schedule_retry_ms (n_failures, floor_s, chance);
  case MUSTER_ERROR_BUSY:
    if (retry_after_s > 0)
      return raise_to_floor_ms (busy_ms (retry_after_s, chance), floor_s, chance);
    return muster_schedule_retry_ms (n_failures, floor_s, chance);
  case MUSTER_ERROR_CONFLICT:
    return CONFLICT_MS;
  case MUSTER_ERROR_FORBIDDEN:
    return FORBIDDEN_MS;
  case MUSTER_ERROR_EXPIRED: /* opened afresh at once: no wait */
    return 0;
  case MUSTER_ERROR_REFUSED:
  case MUSTER_ERROR_UNTRUSTED:
  case MUSTER_ERROR_NEEDS_USER:
  case MUSTER_ERROR_INVALID:
  case MUSTER_ERROR_UNSUPPORTED:
    return G_MAXINT64;
  case MUSTER_ERROR_LAST:
    break;
  }

  g_return_val_if_reached (G_MAXINT64);
}

gint64
muster_schedule_republish_ms (MusterError code,
                              guint n_failures,
                              guint retry_after_s,
                              double chance)
{
  if (code == MUSTER_ERROR_FORBIDDEN)
    return G_MAXINT64;
  if (code == MUSTER_ERROR_EXPIRED) /* afresh, but it may expire each time */
    return muster_schedule_retry_ms (n_failures, 0, chance);

  return muster_schedule_after_error_ms (code, n_failures, retry_after_s, 0, chance);
}

gint64
muster_schedule_refresh_retry_ms (gint64 left_ms, gint64 after_error_ms, gboolean is_told)
{
  gint64 delay_ms = MIN (after_error_ms, left_ms / 3);

  if (left_ms < REFRESH_MIN_MS)
    return G_MAXINT64;
  if (is_told && after_error_ms <= left_ms - DEADLINE_MIN_MS) /* leaves time for the attempt */
    return after_error_ms;

  return MAX (delay_ms, MIN (REFRESH_MIN_MS, left_ms / 3));
}

gint64
muster_schedule_open_deadline_ms (gint64 left_ms)
{
  if (left_ms <= 0)
    return OPEN_DEADLINE_MS;

  return CLAMP (left_ms / 3, DEADLINE_MIN_MS, OPEN_DEADLINE_MS);
}

gint64
muster_schedule_close_deadline_ms (void)
{
  return CLOSE_DEADLINE_MS;
}
