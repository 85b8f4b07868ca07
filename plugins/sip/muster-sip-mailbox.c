/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-mailbox.h"

#include "muster-sip-summary.h"

#include <muster/muster-hub.h>

/*
 * Asterisk and many an office's exchange notify whoever is registered of its voice mail, without having been
 * asked: a NOTIFY in no dialog. RFC 6665 section 4.1.3 would have it answered with 481. What it says ends up in a
 * journal, and on the way over UDP anybody can have written it, so there is little of it in a second.
 */

#define PAUSE_MS 1000

struct _MusterSipMailbox {
  MusterSipMailboxFunc func;
  gpointer user_data;

  gboolean is_open;      /* else what comes waits until it is */
  gboolean was_notified; /* in a subscription */
  MusterTimer pause;     /* armed: what comes unasked has to wait */
  gboolean is_held;      /* these do */
  guint n_new;
  guint n_old;
};

static void
drop_held (MusterSipMailbox *self)
{
  muster_timer_cancel (&self->pause);
  self->is_held = FALSE;
}

static void
tell_held (MusterSipMailbox *self)
{
  self->is_held = FALSE;
  muster_timer_arm_in_ms (&self->pause, PAUSE_MS);
  self->func (self->n_new, self->n_old, self->user_data);
}

static void
on_paused (MusterTimer *timer, gpointer user_data)
{
  MusterSipMailbox *self = user_data;

  if (self->is_held)
    tell_held (self);
}

MusterSipMailbox *
muster_sip_mailbox_new (MusterSipMailboxFunc func, gpointer user_data)
{
  MusterSipMailbox *self = g_new0 (MusterSipMailbox, 1);

  self->func = func;
  self->user_data = user_data;
  muster_timer_init (&self->pause, on_paused, self);
  return self;
}

void
muster_sip_mailbox_free (MusterSipMailbox *self)
{
  if (self == NULL)
    return;
  drop_held (self);
  g_free (self);
}

gboolean
muster_sip_mailbox_take_notified (MusterSipMailbox *self,
                                  const char *bytes,
                                  gsize n_bytes,
                                  GError **error)
{
  MusterSipSummary summary = { 0 };
  guint n_new, n_old;

  if (!muster_sip_summary_read (bytes, n_bytes, &summary, error))
    return FALSE;

  n_new = summary.n_new;
  n_old = summary.n_old;
  muster_sip_summary_clear (&summary);
  self->was_notified = TRUE;
  drop_held (self);
  self->func (n_new, n_old, self->user_data);
  return TRUE;
}

gboolean
muster_sip_mailbox_is_unsolicited (const MusterSipInbound *inbound)
{
  return g_strcmp0 (inbound->event, "message-summary") == 0 && inbound->event_id == NULL &&
         inbound->to_tag == NULL && inbound->body != NULL;
}

guint
muster_sip_mailbox_take_unsolicited (MusterSipMailbox *self,
                                     const MusterSipInbound *inbound,
                                     gboolean is_subscribed)
{
  g_autoptr (GError) error = NULL;
  MusterSipSummary summary = { 0 };
  gconstpointer bytes;
  gsize n_bytes;

  if (inbound->unsupported != NULL)
    return 420;
  if (g_strcmp0 (inbound->content_type, MUSTER_SIP_SUMMARY_TYPE) != 0 ||
      (inbound->content_encoding != NULL && !g_str_equal (inbound->content_encoding, "identity")))
    return 415;
  bytes = g_bytes_get_data (inbound->body, &n_bytes);
  if (!muster_sip_summary_read (bytes, n_bytes, &summary, &error)) {
    g_debug ("a message summary that came unasked is answered with 400: %s", error->message);
    return 400;
  }
  if (is_subscribed && self->was_notified) {
    muster_sip_summary_clear (&summary);
    return 200;
  }

  self->n_new = summary.n_new;
  self->n_old = summary.n_old;
  self->is_held = TRUE;
  muster_sip_summary_clear (&summary);
  if (self->is_open && !muster_timer_is_armed (&self->pause))
    tell_held (self);
  return 200;
}

void
muster_sip_mailbox_open (MusterSipMailbox *self)
{
  self->is_open = TRUE;
  if (self->is_held && !muster_timer_is_armed (&self->pause))
    tell_held (self);
}

void
muster_sip_mailbox_close (MusterSipMailbox *self)
{
  drop_held (self);
  self->is_open = FALSE;
  self->was_notified = FALSE;
}
