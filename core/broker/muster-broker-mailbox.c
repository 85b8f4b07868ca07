/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"

/* What services say of the mailboxes that they keep (RFC 3842). What one said last is shown until it says
 * something else. */

const MusterMailbox *
muster_broker_get_mailbox (MusterBroker *self, MusterAccount *account)
{
  static const MusterMailbox unknown;
  const MusterMailbox *mailbox = g_hash_table_lookup (self->mailboxes, account);

  return mailbox != NULL ? mailbox : &unknown;
}

void
muster_broker_messages_waiting (gpointer host, MusterAccount *account, guint n_new, guint n_old)
{
  MusterBroker *self = host;
  const MusterMailbox *before = muster_broker_get_mailbox (self, account);
  gboolean is_news = n_new != before->n_new || n_old != before->n_old; /* at first: not empty */
  MusterMailbox *mailbox;
  GVariantDict payload;

  if (!is_news && before->since_us != 0)
    return;

  mailbox = g_new0 (MusterMailbox, 1);
  mailbox->n_new = n_new;
  mailbox->n_old = n_old;
  mailbox->since_us = muster_clock_wall_us ();
  g_hash_table_insert (self->mailboxes, account, mailbox);
  if (self->observer != NULL)
    self->observer->mailbox_changed (self->observer_data, account);

  if (!is_news)
    return;
  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "new", "u", n_new);
  g_variant_dict_insert (&payload, "old", "u", n_old);
  muster_event_bus_emit (self->events, "mailbox.changed", muster_account_get_id (account),
                         g_variant_dict_end (&payload), TRUE);
}
