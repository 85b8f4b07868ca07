/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-heartbeat.h"

#include "muster-sip-errand.h"
#include "muster-sip-registration-private.h"

#include <muster/muster-hub.h>

/*
 *   begin -> wait -> beat --+-- 2xx --------------------------> wait
 *             ^             +-- another answer: said once ----> wait
 *             |             +-- none, 408, 503: one missed ---> wait, and at the third in a row
 *             |             |                                   the registration is lost
 *             +-------------+
 *
 * The wait goes on while an answer is due. A machine that has slept heard no answers and sent nothing: the
 * broker makes sure of the registration then, and what was missed meanwhile does not count.
 */

#define MAX_MISSED 3
#define MAX_UNHEARD_S                                                                              \
  40 /* longer than any transaction; one may hang where the clock was set back */
#define SLEPT_US G_USEC_PER_SEC

struct _MusterSipHeartbeat {
  MusterSipRegistration *self;
  MusterTimer timer;         /* armed: it beats */
  gint64 suspended_us;       /* the machine, when it was armed */
  GCancellable *cancellable; /* of the beat whose answer is due; NULL: none */
  gint64 sent_us;
  gint64 sent_suspended_us;
  char *call_id; /* of the last beat */
  char *from_tag;
  guint32 cseq;
  guint number;
  guint n_missed; /* in a row */
  gboolean complained;
};

static void
forget_beat (MusterSipHeartbeat *heartbeat)
{
  g_autoptr (GCancellable) cancellable = g_steal_pointer (&heartbeat->cancellable);

  if (cancellable != NULL)
    g_cancellable_cancel (cancellable);
}

static gboolean
has_slept_since (gint64 suspended_us)
{
  return muster_clock_suspended_us () - suspended_us >= SLEPT_US;
}

static void
await_next (MusterSipHeartbeat *heartbeat)
{
  const MusterSipConfig *config = muster_sip_registration_get_config (heartbeat->self);
  gint64 tenth_ms = (gint64) config->heartbeat_s * 100;

  heartbeat->suspended_us = muster_clock_suspended_us ();
  muster_timer_arm_in_ms (&heartbeat->timer,
                          9 * tenth_ms + (gint64) ((double) tenth_ms * g_random_double ()));
}

/* the answer */

MusterSipBeat
muster_sip_heartbeat_judge (const GError *error)
{
  if (error == NULL)
    return MUSTER_SIP_BEAT_HEARD;

  switch (muster_error_get_protocol_code (error)) {
  case 0:
    return g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE)
             ? MUSTER_SIP_BEAT_MISSED
             : MUSTER_SIP_BEAT_NOT_SENT;
  case 408:
  case 503:
    return MUSTER_SIP_BEAT_MISSED;
  default:
    return MUSTER_SIP_BEAT_COMPLAINT;
  }
}

static void
complain (MusterSipHeartbeat *heartbeat, const GError *error)
{
  heartbeat->n_missed = 0; /* it hears us */
  if (!heartbeat->complained)
    g_message ("the server answers %u to heartbeats, ignoring",
               muster_error_get_protocol_code (error));
  heartbeat->complained = TRUE;
}

static void
miss (MusterSipHeartbeat *heartbeat)
{
  g_autoptr (GError) error = NULL;

  if (has_slept_since (heartbeat->sent_suspended_us) || ++heartbeat->n_missed < MAX_MISSED)
    return;

  error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM,
                            "the server has left %d heartbeats in a row unanswered", MAX_MISSED);
  muster_sip_heartbeat_stop (heartbeat);
  muster_registration_lost (MUSTER_REGISTRATION (heartbeat->self), error);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterSipHeartbeat *heartbeat = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MusterSipResponse) response = muster_sip_errand_send_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) /* another may be under way */
    return;

  g_clear_object (&heartbeat->cancellable);
  switch (muster_sip_heartbeat_judge (error)) {
  case MUSTER_SIP_BEAT_HEARD:
    heartbeat->n_missed = 0;
    break;
  case MUSTER_SIP_BEAT_COMPLAINT:
    complain (heartbeat, error);
    break;
  case MUSTER_SIP_BEAT_MISSED:
    miss (heartbeat);
    break;
  case MUSTER_SIP_BEAT_NOT_SENT:
    break;
  }
}

/* the request */

char *
muster_sip_heartbeat_dup_body (const char *device, guint number)
{
  return g_markup_printf_escaped ("<?xml version=\"1.0\"?>\r\n"
                                  "<Notify>\r\n"
                                  "<CmdType>Keepalive</CmdType>\r\n"
                                  "<SN>%u</SN>\r\n"
                                  "<DeviceID>%s</DeviceID>\r\n"
                                  "<Status>OK</Status>\r\n"
                                  "</Notify>\r\n",
                                  number, device);
}

static MusterSipRequest *
on_build (gpointer owner)
{
  MusterSipHeartbeat *heartbeat = owner;
  const MusterSipConfig *config = muster_sip_registration_get_config (heartbeat->self);
  MusterSipRequest *request = muster_sip_request_new ("MESSAGE", config->request_uri);

  request->route = g_strdupv (
    (GStrv) muster_sip_refresher_get_service_route (heartbeat->self->refresher));
  request->from = g_strdup_printf ("<%s>;tag=%s", config->aor, heartbeat->from_tag);
  request->to = g_strdup_printf ("<%s>", config->request_uri);
  request->call_id = g_strdup (heartbeat->call_id);
  request->cseq = ++heartbeat->cseq;
  request->content_type = "Application/MANSCDP+xml";
  request->body = muster_sip_heartbeat_dup_body (config->user, heartbeat->number);
  return request;
}

static const MusterSipErrandFuncs errand_funcs = { .build = on_build };

static void
beat (MusterSipHeartbeat *heartbeat)
{
  g_free (heartbeat->call_id);
  g_free (heartbeat->from_tag);
  heartbeat->call_id = muster_sip_random_hex (32);
  heartbeat->from_tag = muster_sip_random_hex (16);
  heartbeat->cseq = 0;
  heartbeat->number++;
  heartbeat->sent_us = muster_clock_now_us ();
  heartbeat->sent_suspended_us = muster_clock_suspended_us ();
  heartbeat->cancellable = g_cancellable_new ();
  muster_sip_errand_send_async (heartbeat->self, &errand_funcs, heartbeat, heartbeat->cancellable,
                                on_answered, heartbeat);
}

static gboolean
is_overdue (MusterSipHeartbeat *heartbeat)
{
  return muster_clock_now_us () - heartbeat->sent_us >= MAX_UNHEARD_S * (gint64) G_USEC_PER_SEC;
}

static void
on_due (MusterTimer *timer, gpointer user_data)
{
  MusterSipHeartbeat *heartbeat = user_data;
  MusterSipRegistration *self = heartbeat->self;
  const MusterSipConfig *config = muster_sip_registration_get_config (self);
  gboolean slept = has_slept_since (heartbeat->suspended_us);

  if (config == NULL || config->heartbeat_s == 0 ||
      !muster_sip_refresher_is_bound (self->refresher))
    return;

  await_next (heartbeat);
  if (heartbeat->cancellable != NULL && is_overdue (heartbeat)) {
    forget_beat (heartbeat);
    miss (heartbeat);
  }
  if (heartbeat->cancellable == NULL && !slept && muster_timer_is_armed (timer))
    beat (heartbeat);
}

static MusterSipHeartbeat *
heartbeat_new (MusterSipRegistration *self)
{
  MusterSipHeartbeat *heartbeat = g_new0 (MusterSipHeartbeat, 1);

  heartbeat->self = self;
  muster_timer_init (&heartbeat->timer, on_due, heartbeat);
  return heartbeat;
}

/* Most accounts never need one. */
static void
begin (MusterSipRegistration *self)
{
  const MusterSipConfig *config = muster_sip_registration_get_config (self);
  MusterSipHeartbeat *heartbeat;

  if (config == NULL || config->heartbeat_s == 0) {
    muster_sip_heartbeat_stop (self->heartbeat);
    return;
  }
  if (self->heartbeat == NULL)
    self->heartbeat = heartbeat_new (self);
  heartbeat = self->heartbeat;
  if (muster_timer_is_armed (&heartbeat->timer))
    return;

  heartbeat->n_missed = 0;
  heartbeat->complained = FALSE;
  await_next (heartbeat);
}

/* public functions */

void
muster_sip_heartbeat_free (MusterSipHeartbeat *heartbeat)
{
  if (heartbeat == NULL)
    return;
  muster_sip_heartbeat_stop (heartbeat);
  g_free (heartbeat->call_id);
  g_free (heartbeat->from_tag);
  g_free (heartbeat);
}

/* After a failure that the broker waits out, the account is still registered. */
void
muster_sip_heartbeat_follow (MusterSipRegistration *self, const GError *error)
{
  if (error == NULL)
    begin (self);
  else if (!g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE) &&
           !g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_BUSY))
    muster_sip_heartbeat_stop (self->heartbeat);
}

void
muster_sip_heartbeat_stop (MusterSipHeartbeat *heartbeat)
{
  if (heartbeat == NULL)
    return;
  muster_timer_cancel (&heartbeat->timer);
  forget_beat (heartbeat);
}
