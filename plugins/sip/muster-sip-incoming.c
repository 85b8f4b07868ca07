/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-incoming.h"

#include "muster-sip-registration-private.h"

/* From the broker's calls to the inbox, and back. What is done with them is in muster-sip-inbox.c. */

static void
muster_sip_incoming_answer_async (MusterIncoming *incoming,
                                  const char *id,
                                  MusterAnswer answer,
                                  const char *target,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (incoming, cancellable, callback, user_data);
  MusterSipInbox *inbox = MUSTER_SIP_REGISTRATION (incoming)->inbox;
  GError *error = NULL;

  g_task_set_source_tag (task, muster_sip_incoming_answer_async);
  g_task_set_check_cancellable (task, FALSE); /* what was said is said */
  if (muster_sip_inbox_answer (inbox, id, answer, target, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static gboolean
muster_sip_incoming_answer_finish (MusterIncoming *incoming, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
muster_sip_incoming_init (MusterIncomingInterface *iface)
{
  iface->answer_async = muster_sip_incoming_answer_async;
  iface->answer_finish = muster_sip_incoming_answer_finish;
}

void
muster_sip_incoming_report (const MusterOffer *offer, gpointer registration)
{
  muster_incoming_report (MUSTER_INCOMING (registration), offer);
}
