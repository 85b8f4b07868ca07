/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-own-events.h"

#include "muster-sip-mailbox.h"
#include "muster-sip-reginfo.h"
#include "muster-sip-registration-private.h"
#include "muster-sip-subscriptions.h"
#include "muster-sip-summary.h"
#include "muster-sip-watcher.h"
#include "muster-sip-winfo.h"

#include <muster/muster-incoming.h>

/*
 * Subscriptions to our own address: presence.winfo (RFC 3857), message-summary (RFC 3842) and reg (RFC 3680).
 * A server that does not have one of them is asked once in the life of the registration. They begin a moment
 * after it, and those of many accounts not all at once.
 */

#define BEGIN_S 2

typedef enum {
  OWN_WINFO,
  OWN_SUMMARY,
  OWN_REG,
  N_OWN,
} Own;

struct _MusterSipOwnEvents {
  gboolean is_refused[N_OWN];
  MusterSipMailbox *mailbox;
  MusterSipWinfo *winfo;     /* NULL before the first */
  MusterSipReginfo *reginfo; /* likewise */
  gboolean was_there;        /* our binding, by that */
  gboolean has_begun;        /* since it was closed */
};

static void
on_mailbox (guint n_new, guint n_old, gpointer user_data)
{
  if (MUSTER_IS_INCOMING (user_data))
    muster_incoming_report_waiting (MUSTER_INCOMING (user_data), n_new, n_old);
}

MusterSipOwnEvents *
muster_sip_own_events_new (MusterSipRegistration *registration)
{
  MusterSipOwnEvents *self = g_new0 (MusterSipOwnEvents, 1);

  self->mailbox = muster_sip_mailbox_new (on_mailbox, registration);
  return self;
}

void
muster_sip_own_events_free (MusterSipOwnEvents *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->mailbox, muster_sip_mailbox_free);
  g_clear_pointer (&self->winfo, muster_sip_winfo_free);
  g_clear_pointer (&self->reginfo, muster_sip_reginfo_free);
  g_free (self);
}

/* (nullable): the body of a notification, if it is of @type */
static const char *
get_body (const MusterSipInbound *inbound, const char *type, gsize *n_bytes)
{
  if (inbound->body == NULL || g_strcmp0 (inbound->content_type, type) != 0)
    return NULL;
  return g_bytes_get_data (inbound->body, n_bytes);
}

static void
note_nonsense (const MusterSipInbound *inbound, const GError *error)
{
  g_info ("what the server notifies of %s cannot be read, ignoring: %s", inbound->event,
          error->message);
}

/* presence.winfo */

static gboolean
on_winfo (MusterSipRegistration *registration,
          const char *address,
          const MusterSipNotice *notice,
          const MusterSipInbound *inbound)
{
  MusterSipOwnEvents *self = registration->own_events;
  g_autoptr (GPtrArray) changed = NULL;
  g_autoptr (GError) error = NULL;
  MusterSipEdition edition;
  gsize n_bytes;
  const char *bytes = get_body (inbound, MUSTER_SIP_WINFO_TYPE, &n_bytes);

  if (self->winfo == NULL)
    self->winfo = muster_sip_winfo_new ();
  if (notice->is_first)
    muster_sip_winfo_begin (self->winfo);
  if (bytes == NULL)
    return FALSE;
  changed = muster_sip_winfo_take (self->winfo, bytes, n_bytes, &edition, &error);
  if (changed == NULL) {
    note_nonsense (inbound, error);
    return FALSE;
  }

  for (guint i = 0; i < changed->len; i++) {
    const MusterSipWatcher *watcher = changed->pdata[i];

    muster_sip_watcher_set_asks (registration, watcher->uri, watcher->name, watcher->asks);
  }
  return edition == MUSTER_SIP_EDITION_GAP;
}

/* message-summary */

static gboolean
on_summary (MusterSipRegistration *registration,
            const char *address,
            const MusterSipNotice *notice,
            const MusterSipInbound *inbound)
{
  g_autoptr (GError) error = NULL;
  gsize n_bytes;
  const char *bytes = get_body (inbound, MUSTER_SIP_SUMMARY_TYPE, &n_bytes);

  if (bytes != NULL &&
      !muster_sip_mailbox_take_notified (registration->own_events->mailbox, bytes, n_bytes, &error))
    note_nonsense (inbound, error);
  return FALSE;
}

/* reg */

static const char *
reg_event_to_string (MusterSipRegEvent event)
{
  switch (event) {
  case MUSTER_SIP_REG_EVENT_REGISTERED:
    return "registered";
  case MUSTER_SIP_REG_EVENT_CREATED:
    return "created";
  case MUSTER_SIP_REG_EVENT_REFRESHED:
    return "refreshed";
  case MUSTER_SIP_REG_EVENT_SHORTENED:
    return "shortened";
  case MUSTER_SIP_REG_EVENT_EXPIRED:
    return "expired";
  case MUSTER_SIP_REG_EVENT_DEACTIVATED:
    return "deactivated";
  case MUSTER_SIP_REG_EVENT_PROBATION:
    return "probation";
  case MUSTER_SIP_REG_EVENT_UNREGISTERED:
    return "unregistered";
  case MUSTER_SIP_REG_EVENT_REJECTED:
    return "rejected";
  case MUSTER_SIP_REG_EVENT_NONE:
    return "it is not listed any more";
  }
  g_assert_not_reached ();
}

/* What a binding that has gone means for the account (RFC 3680 section 4.7). */
static GError *
make_loss (const MusterSipBindingNews *news)
{
  MusterError code = MUSTER_ERROR_EXPIRED;
  guint retry_after_s = 0;
  GError *error;

  if (news->event == MUSTER_SIP_REG_EVENT_REJECTED)
    code = MUSTER_ERROR_FORBIDDEN;
  if (news->event == MUSTER_SIP_REG_EVENT_PROBATION) {
    code = MUSTER_ERROR_BUSY;
    retry_after_s = (guint) CLAMP (news->retry_after_s, 0, G_MAXINT32);
  }
  error = muster_error_new (code, MUSTER_STEP_REGISTER, "the server has ended the registration: %s",
                            reg_event_to_string (news->event));
  muster_error_set_server (error, 0, NULL, retry_after_s);
  return error;
}

static void
look_for_binding (MusterSipRegistration *registration)
{
  MusterSipOwnEvents *self = registration->own_events;
  MusterSipOwnBinding own;
  MusterSipBindingNews news;
  g_autoptr (GError) error = NULL;

  if (registration->operation != NULL ||
      !muster_sip_refresher_get_binding (registration->refresher, &own))
    return; /* what comes of that says more */

  news = muster_sip_reginfo_find (self->reginfo, &own);
  if (news.state == MUSTER_SIP_BINDING_THERE)
    self->was_there = TRUE;
  /* A list that lags behind our REGISTER may not have it yet. */
  if (news.state != MUSTER_SIP_BINDING_GONE ||
      (news.event == MUSTER_SIP_REG_EVENT_NONE && !self->was_there))
    return;

  self->was_there = FALSE;
  muster_sip_refresher_doubt_bindings (registration->refresher);
  error = make_loss (&news);
  muster_registration_lost (MUSTER_REGISTRATION (registration), error);
}

static gboolean
on_reg (MusterSipRegistration *registration,
        const char *address,
        const MusterSipNotice *notice,
        const MusterSipInbound *inbound)
{
  MusterSipOwnEvents *self = registration->own_events;
  g_autoptr (GError) error = NULL;
  MusterSipEdition edition;
  gsize n_bytes;
  const char *bytes = get_body (inbound, MUSTER_SIP_REGINFO_TYPE, &n_bytes);

  if (self->reginfo == NULL)
    self->reginfo = muster_sip_reginfo_new ();
  if (notice->is_first)
    muster_sip_reginfo_begin (self->reginfo);
  if (bytes == NULL)
    return FALSE;
  if (!muster_sip_reginfo_take (self->reginfo, bytes, n_bytes, &edition, &error)) {
    note_nonsense (inbound, error);
    return FALSE;
  }
  if (edition == MUSTER_SIP_EDITION_OLD)
    return FALSE;
  if (edition == MUSTER_SIP_EDITION_GAP)
    return TRUE;
  look_for_binding (registration);
  return FALSE;
}

/* all of them */

static void on_ended (MusterSipRegistration *registration,
                      const MusterSipTopic *topic,
                      const char *address,
                      const GError *error,
                      gboolean rejected);

static const struct {
  MusterSipWishes wish;
  MusterSipTopic topic;
} table[N_OWN] = {
  [OWN_WINFO] = { MUSTER_SIP_WISH_PRESENCE,
                  { .package = { "presence.winfo", MUSTER_SIP_WINFO_TYPE, 3600 },
                    .notified = on_winfo,
                    .ended = on_ended } },
  [OWN_SUMMARY] = { MUSTER_SIP_WISH_MESSAGE_WAITING,
                    { .package = { "message-summary", MUSTER_SIP_SUMMARY_TYPE, 3600 },
                      .notified = on_summary,
                      .ended = on_ended } },
  [OWN_REG] = { MUSTER_SIP_WISH_REG_EVENT,
                { .package = { "reg", MUSTER_SIP_REGINFO_TYPE, 3600 },
                  .notified = on_reg,
                  .ended = on_ended } },
};

static void
on_ended (MusterSipRegistration *registration,
          const MusterSipTopic *topic,
          const char *address,
          const GError *error,
          gboolean rejected)
{
  g_info ("%s: the server has no %s for us, not asking again: %s",
          muster_registration_get_id (MUSTER_REGISTRATION (registration)), topic->package.event,
          error->message);
  for (guint i = 0; i < N_OWN; i++) {
    if (&table[i].topic == topic)
      registration->own_events->is_refused[i] = TRUE;
  }
}

static char *
dup_own_address (MusterSipRegistration *self)
{
  const MusterSipConfig *config = muster_sip_registration_get_config (self);

  return g_strconcat (config->user, "@", config->domain, NULL);
}

static guint
choose_delay_s (MusterSipRegistration *self)
{
  MusterSipContext *context = MUSTER_SIP_CONTEXT (
    muster_registration_get_context (MUSTER_REGISTRATION (self)));
  guint spread_s = muster_sip_subscriptions_spread_s (muster_sip_context_count_receivers (context),
                                                      N_OWN);

  return BEGIN_S + (guint) g_random_int_range (0, (gint32) spread_s + 1);
}

static void
begin (MusterSipRegistration *self, gboolean fresh)
{
  const MusterSipConfig *config = muster_sip_registration_get_config (self);
  g_autofree char *address = NULL;

  if (config->wishes == 0 && muster_sip_subscriptions_count (self->subscriptions) == 0)
    return;

  address = dup_own_address (self);
  for (guint i = 0; i < N_OWN; i++) {
    const MusterSipTopic *topic = &table[i].topic;

    if (!muster_sip_registration_wishes (self, table[i].wish))
      muster_sip_subscriptions_remove (self->subscriptions, topic, address);
    else if (!self->own_events->is_refused[i] &&
             (fresh || !muster_sip_subscriptions_has (self->subscriptions, topic, address)))
      muster_sip_subscriptions_add (self->subscriptions, topic, address, choose_delay_s (self));
  }
}

void
muster_sip_own_events_opened (MusterSipRegistration *registration, gboolean refreshed)
{
  MusterSipOwnEvents *self = registration->own_events;

  begin (registration, !refreshed || !self->has_begun);
  self->has_begun = TRUE;
  muster_sip_mailbox_open (self->mailbox);
}

void
muster_sip_own_events_closed (MusterSipRegistration *registration)
{
  registration->own_events->has_begun = FALSE;
  registration->own_events->was_there = FALSE;
  muster_sip_mailbox_close (registration->own_events->mailbox);
}

gboolean
muster_sip_own_events_take_unsolicited (MusterSipRegistration *registration,
                                        const MusterSipInbound *inbound,
                                        MusterSipServerTransaction *transaction)
{
  MusterSipOwnEvents *self = registration->own_events;
  g_autofree char *address = NULL;
  g_autofree char *headers = NULL;
  gboolean is_subscribed;
  guint status;

  if (registration->is_leaving || !muster_sip_mailbox_is_unsolicited (inbound) ||
      !muster_sip_registration_wishes (registration, table[OWN_SUMMARY].wish))
    return FALSE;

  address = dup_own_address (registration);
  is_subscribed = muster_sip_subscriptions_is_there (registration->subscriptions,
                                                     &table[OWN_SUMMARY].topic, address);
  status = muster_sip_mailbox_take_unsolicited (self->mailbox, inbound, is_subscribed);
  if (status == 415)
    headers = g_strdup ("Accept: " MUSTER_SIP_SUMMARY_TYPE "\r\nAccept-Encoding: identity\r\n");
  else if (status == 420)
    headers = g_strdup_printf ("Unsupported: %s\r\n", inbound->unsupported);
  muster_sip_server_transaction_reply (transaction, status, headers);
  return TRUE;
}
