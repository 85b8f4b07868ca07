/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-subscription.h"

#include "muster-sip-challenge.h"
#include "muster-sip-grant.h"

#include <string.h>

/*
 * A dialog is begun by the first request, and made by whichever comes first of its 2xx and a NOTIFY:
 *
 *   nothing -> begun -> made -> extended ... -+-> terminated by a NOTIFY -> nothing
 *                                             +-> forgotten by the server (481) -> nothing
 *                                             '-> left by us
 *
 * A request that forked makes one dialog here: NOTIFYs of the others get 481, which ends them (RFC 6665
 * section 4.1.4). One that cannot be kept whole, for a route that is too long, is made anew instead of being
 * extended.
 */

#define AGAIN_MIN_S 60   /* between two that were ended by the other side */
#define AGAIN_MAX_S 3600 /* likewise, when it keeps doing so */

/* RFC 6665 section 4.1.2.4, Timer N: a NOTIFY comes at once */
#define MUTE_US    (32 * G_USEC_PER_SEC)
#define SHORTER_US (5 * G_USEC_PER_SEC) /* less than this is the way of the message */

struct _MusterSipSubscription {
  const MusterSipPackage *package;
  char *target;
  guint min_expires_s;   /* the server's, once it said so */
  gboolean asked_longer; /* met a 423 */

  /* The dialog */
  char *call_id; /* NULL: there is none */
  char *local_tag;
  guint32 cseq;
  char *contact;       /* of the last request */
  char *remote_tag;    /* NULL: not made yet */
  char *remote_target; /* NULL: not known */
  GStrv route;         /* nullable */
  gboolean is_whole;   /* route is */
  gboolean was_notified;
  guint32 notify_cseq; /* of the last one */
  gint64 until_us;     /* boot clock; 0: not granted */
  gboolean extends;    /* the last request went in it */
  gboolean leaving;

  gint64 mute_us;  /* awake since when it is granted, and was not notified once; 0: it was */
  guint n_ends;    /* by the other side, in a row */
  gint64 ended_us; /* the last of them; 0: none */
};

MusterSipSubscription *
muster_sip_subscription_new (const MusterSipPackage *package, const char *target)
{
  MusterSipSubscription *self = g_new0 (MusterSipSubscription, 1);

  self->package = package;
  self->target = g_strdup (target);
  return self;
}

/* the dialog */

static void
forget_dialog (MusterSipSubscription *self)
{
  g_clear_pointer (&self->call_id, g_free);
  g_clear_pointer (&self->local_tag, g_free);
  g_clear_pointer (&self->remote_tag, g_free);
  g_clear_pointer (&self->remote_target, g_free);
  g_clear_pointer (&self->route, g_strfreev);
  self->cseq = 0;
  self->is_whole = FALSE;
  self->was_notified = FALSE;
  self->until_us = 0;
  self->extends = FALSE;
}

void
muster_sip_subscription_free (MusterSipSubscription *self)
{
  if (self == NULL)
    return;
  forget_dialog (self);
  g_free (self->contact);
  g_free (self->target);
  g_free (self);
}

const char *
muster_sip_subscription_get_target (MusterSipSubscription *self)
{
  return self->target;
}

static void
begin_dialog (MusterSipSubscription *self)
{
  forget_dialog (self);
  self->call_id = muster_sip_random_hex (32);
  self->local_tag = muster_sip_random_hex (16);
}

static gboolean
can_extend (MusterSipSubscription *self)
{
  return self->remote_tag != NULL && self->remote_target != NULL && self->is_whole &&
         self->until_us > muster_clock_now_us ();
}

gboolean
muster_sip_subscription_is_there (MusterSipSubscription *self)
{
  return self->until_us > muster_clock_now_us ();
}

guint
muster_sip_subscription_get_left_s (MusterSipSubscription *self)
{
  gint64 left_us = self->until_us - muster_clock_now_us ();

  return left_us > 0 ? (guint) (left_us / G_USEC_PER_SEC) : 0;
}

/* While the machine sleeps nobody can notify us. */
static gint64
awake_us (void)
{
  return muster_clock_now_us () - muster_clock_suspended_us ();
}

/* requests */

static guint
requested_expires_s (MusterSipSubscription *self)
{
  return MAX (self->package->expires_s, self->min_expires_s);
}

static MusterSipRequest *
build (MusterSipSubscription *self, const MusterSipSubscriber *who)
{
  MusterSipRequest *request;

  request = muster_sip_request_new ("SUBSCRIBE",
                                    self->extends ? self->remote_target : self->target);
  request->route = self->extends ? g_strdupv (self->route) : g_strdupv ((GStrv) who->service_route);
  request->from = g_strconcat (who->config->from_prefix, self->local_tag, NULL);
  request->to = self->extends ? g_strdup_printf ("<%s>;tag=%s", self->target, self->remote_tag)
                              : g_strdup_printf ("<%s>", self->target);
  request->call_id = g_strdup (self->call_id);
  request->cseq = ++self->cseq;
  request->contact = g_strdup_printf ("<%s>", who->contact);
  request->event = self->package->event;
  request->accept = self->package->accept;
  request->expires_s = self->leaving ? 0 : requested_expires_s (self);

  g_free (self->contact);
  self->contact = g_strdup (who->contact);
  return request;
}

MusterSipRequest *
muster_sip_subscription_build (MusterSipSubscription *self, const MusterSipSubscriber *who)
{
  self->extends = can_extend (self);
  if (self->until_us != 0 && !muster_sip_subscription_is_there (self))
    self->mute_us = 0; /* nobody says anything on what has run out */
  if (!self->extends && (self->call_id == NULL || self->until_us != 0))
    begin_dialog (self);
  return build (self, who);
}

MusterSipRequest *
muster_sip_subscription_build_end (MusterSipSubscription *self, const MusterSipSubscriber *who)
{
  self->leaving = TRUE;
  self->extends = self->remote_tag != NULL && self->remote_target != NULL && self->is_whole;
  if (self->call_id == NULL)
    begin_dialog (self);
  return build (self, who);
}

gboolean
muster_sip_subscription_has_moved (MusterSipSubscription *self, const char *contact)
{
  return self->contact != NULL && !g_str_equal (self->contact, contact);
}

/* making the dialog */

static gboolean
is_uri (const char *text)
{
  return text != NULL && muster_sip_address_is_fit (text) &&
         g_ascii_strncasecmp (text, "sip", 3) == 0 && strpbrk (text, " <>\"") == NULL;
}

/* (nullable) (transfer full): from the last one to the first, if @reverse; %NULL with @is_whole %FALSE if it may not
 * be kept. */
static GStrv
dup_route (GStrv values, gboolean reverse, gboolean *is_whole)
{
  guint n = values != NULL ? g_strv_length (values) : 0;
  GStrv route;

  *is_whole = n <= MUSTER_SIP_MAX_ADDRESSES;
  for (guint i = 0; i < n && *is_whole; i++)
    *is_whole = muster_sip_address_is_fit (values[i]);
  if (n == 0 || !*is_whole)
    return NULL;

  route = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    route[i] = g_strdup (values[reverse ? n - 1 - i : i]);
  return route;
}

static void
make_dialog (MusterSipSubscription *self,
             const char *remote_tag,
             GStrv routes,
             gboolean lost_route,
             gboolean reverse)
{
  if (self->remote_tag != NULL || remote_tag == NULL || !muster_sip_address_is_fit (remote_tag))
    return;

  self->remote_tag = g_strdup (remote_tag);
  self->route = dup_route (routes, reverse, &self->is_whole);
  self->is_whole = self->is_whole && !lost_route;
}

static void
take_target (MusterSipSubscription *self, const char *contact)
{
  if (!is_uri (contact))
    return;
  g_free (self->remote_target);
  self->remote_target = g_strdup (contact);
}

/* answers */

gboolean
muster_sip_subscription_overcome (MusterSipSubscription *self, const MusterSipResponse *response)
{
  if (response->status != 423 || self->asked_longer || self->leaving ||
      response->min_expires_s <= requested_expires_s (self) ||
      response->min_expires_s > MUSTER_SIP_MAX_LEASE_S)
    return FALSE;

  self->asked_longer = TRUE;
  self->min_expires_s = (guint) response->min_expires_s;
  return TRUE;
}

static MusterLease *
fail_to_grant (MusterSipSubscription *self, const char *why, GError **error)
{
  forget_dialog (self);
  g_propagate_error (error, muster_error_new (MUSTER_ERROR_UNSUPPORTED, MUSTER_STEP_REGISTER,
                                              "the server accepted the subscription to %s but %s",
                                              self->package->event, why));
  return NULL;
}

MusterLease *
muster_sip_subscription_take_response (MusterSipSubscription *self,
                                       const MusterSipResponse *response,
                                       GError **error)
{
  gint64 lease_s = response->expires_s;
  gint64 now_us = muster_clock_now_us ();

  self->asked_longer = FALSE;
  if (lease_s < 0)
    lease_s = requested_expires_s (self);
  if (lease_s == 0)
    return fail_to_grant (self, "granted it no time", error);
  if (self->mute_us != 0 && awake_us () - self->mute_us > MUTE_US)
    return fail_to_grant (self, "says nothing on it", error);

  if (!self->extends)
    make_dialog (self, response->to_tag, response->record_route, response->lost_record_route, TRUE);
  /* Another one of a request that forked may have made the dialog. */
  if (response->contacts->len > 0 && g_strcmp0 (response->to_tag, self->remote_tag) == 0)
    take_target (self, ((const MusterSipContact *) response->contacts->pdata[0])->uri);

  lease_s = MIN (lease_s, MUSTER_SIP_MAX_LEASE_S);
  self->until_us = now_us + lease_s * G_USEC_PER_SEC;
  if (!self->was_notified && self->mute_us == 0)
    self->mute_us = awake_us ();
  return muster_lease_new ((guint) lease_s, NULL);
}

/* Statuses that end the dialog of the request (RFC 5057 section 5.1), or that come from a hop of its route that
 * has gone. Asked outside of it, the server may say something else. */
static gboolean
ends_dialog (guint status)
{
  switch (status) {
  case 404:
  case 405:
  case 410:
  case 416:
  case 430:
  case 480:
  case 481:
  case 482:
  case 483:
  case 484:
  case 485:
  case 489:
  case 501:
  case 604:
    return TRUE;
  default:
    return FALSE;
  }
}

GError *
muster_sip_subscription_take_failure (MusterSipSubscription *self, GError *error)
{
  guint status = muster_error_get_protocol_code (error);
  GError *expired;

  self->asked_longer = FALSE;
  if (!self->extends) {
    forget_dialog (self);
    return error;
  }
  if (!ends_dialog (status))
    return error;

  forget_dialog (self);
  expired = muster_error_new (MUSTER_ERROR_EXPIRED, MUSTER_STEP_REGISTER,
                              "the server has forgotten the subscription to %s",
                              self->package->event);
  muster_error_set_server (expired, status, muster_error_get_server_text (error), 0);
  g_error_free (error);
  return expired;
}

/* notifications */

static MusterSipSubscriptionState
parse_state (const char *text)
{
  if (g_strcmp0 (text, "terminated") == 0)
    return MUSTER_SIP_SUBSCRIPTION_TERMINATED;
  if (g_strcmp0 (text, "pending") == 0)
    return MUSTER_SIP_SUBSCRIPTION_PENDING;
  return MUSTER_SIP_SUBSCRIPTION_ACTIVE;
}

/* RFC 6665 section 4.1.3 and, for `invariant`, 7.2. One that is not known, or not said, tells nothing. */
static MusterSipAgain
parse_reason (const char *text)
{
  static const struct {
    const char *reason;
    MusterSipAgain again;
  } table[] = {
    { "deactivated", MUSTER_SIP_AGAIN_NOW }, { "timeout", MUSTER_SIP_AGAIN_NOW },
    { "probation", MUSTER_SIP_AGAIN_LATER }, { "giveup", MUSTER_SIP_AGAIN_LATER },
    { "rejected", MUSTER_SIP_AGAIN_NEVER },  { "noresource", MUSTER_SIP_AGAIN_NEVER },
    { "invariant", MUSTER_SIP_AGAIN_NEVER },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    if (g_strcmp0 (text, table[i].reason) == 0)
      return table[i].again;
  }
  return MUSTER_SIP_AGAIN_LATER;
}

static gint64
pause_s (MusterSipSubscription *self)
{
  return MIN (AGAIN_MIN_S << MIN (self->n_ends, 6), AGAIN_MAX_S);
}

/* A server that ends each one as soon as it is made is asked less and less. */
static gint64
count_end (MusterSipSubscription *self)
{
  gint64 now_us = muster_clock_now_us ();
  gint64 delay_s;

  if (self->ended_us != 0 && now_us - self->ended_us > 2 * pause_s (self) * G_USEC_PER_SEC)
    self->n_ends = 0;
  delay_s = pause_s (self);
  self->ended_us = now_us;
  self->n_ends++;
  return delay_s;
}

static void
take_end (MusterSipSubscription *self, const MusterSipInbound *inbound, MusterSipNotice *notice)
{
  gint64 delay_s = count_end (self);
  gint64 asked_s = inbound->subscription_retry_after_s;

  notice->again = parse_reason (inbound->subscription_reason);
  notice->rejected = g_strcmp0 (inbound->subscription_reason, "rejected") == 0;
  if (notice->again == MUSTER_SIP_AGAIN_NOW && self->n_ends > 1)
    notice->again = MUSTER_SIP_AGAIN_LATER;
  if (notice->again == MUSTER_SIP_AGAIN_LATER)
    notice->after_s = (guint) CLAMP (asked_s, delay_s, AGAIN_MAX_S);
  forget_dialog (self);
}

static guint
shorten (MusterSipSubscription *self, gint64 left_s)
{
  gint64 until_us = muster_clock_now_us () + left_s * G_USEC_PER_SEC;

  if (left_s <= 0 || self->until_us == 0 || until_us + SHORTER_US >= self->until_us)
    return 0;
  self->until_us = until_us;
  return (guint) left_s;
}

static gboolean
is_ours (MusterSipSubscription *self, const MusterSipInbound *inbound)
{
  return self->call_id != NULL && g_str_equal (inbound->call_id, self->call_id) &&
         g_strcmp0 (inbound->to_tag, self->local_tag) == 0 &&
         g_strcmp0 (inbound->event, self->package->event) == 0 && inbound->event_id == NULL &&
         inbound->from_tag != NULL &&
         (self->remote_tag == NULL || g_str_equal (inbound->from_tag, self->remote_tag));
}

guint
muster_sip_subscription_notify (MusterSipSubscription *self,
                                const MusterSipInbound *inbound,
                                MusterSipNotice *notice)
{
  *notice = (MusterSipNotice){ .again = MUSTER_SIP_AGAIN_NEVER };
  if (!is_ours (self, inbound))
    return 481;
  if (self->was_notified && inbound->cseq <= self->notify_cseq)
    return 500; /* RFC 3261 section 12.2.2 */

  make_dialog (self, inbound->from_tag, inbound->record_routes, inbound->lost_record_route, FALSE);
  take_target (self, inbound->contact);
  notice->is_first = !self->was_notified;
  self->was_notified = TRUE;
  self->mute_us = 0;
  self->notify_cseq = inbound->cseq;

  notice->is_news = !self->leaving;
  notice->state = parse_state (inbound->subscription);
  if (notice->state == MUSTER_SIP_SUBSCRIPTION_TERMINATED)
    take_end (self, inbound, notice);
  else
    notice->left_s = shorten (self, inbound->subscription_expires_s);
  return 200;
}
