/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"
#include "muster-method.h"
#include "muster-registration-private.h"
#include "muster-text.h"

#include <muster/muster-incoming.h>

#define LANE "incoming"

#define FROM_MAX_BYTES 512
#define NAME_MAX_BYTES 256
#define TEXT_MAX_BYTES 8192

G_DEFINE_INTERFACE (MusterIncoming, muster_incoming, MUSTER_TYPE_REGISTRATION)

G_DEFINE_BOXED_TYPE (MusterOffer, muster_offer, muster_offer_copy, muster_offer_free)

static void
muster_incoming_default_init (MusterIncomingInterface *iface)
{
}

/**
 * muster_offer_new:
 * @id: its id
 * @kind: a call or a message
 * @from: who, as an address of the protocol
 * @at_us: since when, in microseconds UTC
 *
 * Returns: (transfer full): an offer that waits; set the other fields by hand
 */
MusterOffer *
muster_offer_new (const char *id, MusterOfferKind kind, const char *from, gint64 at_us)
{
  MusterOffer *self;

  g_return_val_if_fail (id != NULL && from != NULL, NULL);

  self = g_new0 (MusterOffer, 1);
  self->id = g_strdup (id);
  self->kind = kind;
  self->from = g_strdup (from);
  self->at_us = at_us;

  return self;
}

/**
 * muster_offer_copy:
 * @self: an offer
 *
 * Returns: (transfer full): a copy
 */
MusterOffer *
muster_offer_copy (const MusterOffer *self)
{
  MusterOffer *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_memdup2 (self, sizeof *self);
  copy->id = g_strdup (self->id);
  copy->from = g_strdup (self->from);
  copy->from_name = g_strdup (self->from_name);
  copy->text = g_strdup (self->text);

  return copy;
}

/**
 * muster_offer_free:
 * @self: (transfer full) (nullable): an offer
 */
void
muster_offer_free (MusterOffer *self)
{
  if (self == NULL)
    return;

  g_free (self->id);
  g_free (self->from);
  g_free (self->from_name);
  g_free (self->text);
  g_free (self);
}

typedef struct {
  char *id;
  MusterAnswer answer;
  char *target;
} AnswerCall;

static void
answer_call_free (gpointer data)
{
  AnswerCall *call = data;

  g_free (call->id);
  g_free (call->target);
  g_free (call);
}

static void
start_answer (MusterRegistration *self,
              GTask *task,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  const AnswerCall *call = g_task_get_task_data (task);

  MUSTER_INCOMING_GET_IFACE (self)->answer_async (MUSTER_INCOMING (self), call->id, call->answer,
                                                  call->target, cancellable, callback, user_data);
}

static const MusterMethod answer_method = {
  .lane = LANE,
  .get_interface = muster_incoming_get_type,
  .start_with = start_answer,
  .finish = G_STRUCT_OFFSET (MusterIncomingInterface, answer_finish),
};

/**
 * muster_incoming_answer_async:
 * @self: a registration
 * @id: which offer
 * @answer: what to do with it
 * @target: (nullable): the address that @answer asks for
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Answers an offer.
 */
void
muster_incoming_answer_async (MusterIncoming *self,
                              const char *id,
                              MusterAnswer answer,
                              const char *target,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  AnswerCall *call;

  g_return_if_fail (MUSTER_IS_INCOMING (self));
  g_return_if_fail (id != NULL);

  call = g_new0 (AnswerCall, 1);
  call->id = g_strdup (id);
  call->answer = answer;
  call->target = g_strdup (target);
  muster_method_run (&answer_method, self, call, answer_call_free, cancellable, callback,
                     user_data);
}

/**
 * muster_incoming_answer_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: %TRUE: the service has the answer
 */
gboolean
muster_incoming_answer_finish (MusterIncoming *self, GAsyncResult *result, GError **error)
{
  return muster_method_end (&answer_method, self, result, error);
}

/* (transfer full): fit to be shown to people and put on a bus, whatever the plugin did about it */
static MusterOffer *
tame_offer (const MusterOffer *offer)
{
  MusterOffer *tame = g_memdup2 (offer, sizeof *offer);

  tame->id = g_strdup (offer->id);
  tame->from = muster_text_tame (offer->from, FROM_MAX_BYTES);
  if (offer->from_name != NULL)
    tame->from_name = muster_text_tame (offer->from_name, NAME_MAX_BYTES);
  if (offer->text != NULL)
    tame->text = muster_text_tame_lines (offer->text, TEXT_MAX_BYTES);

  return tame;
}

/**
 * muster_incoming_report:
 * @self: a registration
 * @offer: the offer as it is now; copied where it is kept
 *
 * For plugins: tells the broker that an offer came in, or changed. Of the address 512 bytes are kept, of
 * the name 256 and of the text 8 kB; what of them cannot be printed becomes blanks.
 */
void
muster_incoming_report (MusterIncoming *self, const MusterOffer *offer)
{
  const MusterRegistrationHost *host;
  gpointer host_data;

  g_return_if_fail (MUSTER_IS_INCOMING (self));
  g_return_if_fail (offer != NULL && offer->id != NULL && offer->from != NULL);

  host = muster_registration_get_host (MUSTER_REGISTRATION (self), &host_data);
  if (host != NULL && host->offer_changed != NULL) {
    g_autoptr (MusterOffer) tame = tame_offer (offer);
    guint64 outer = muster_execution_mark (NULL);

    host->offer_changed (host_data, tame);
    muster_execution_unmark (outer);
  }
}

/**
 * muster_incoming_report_waiting:
 * @self: a registration
 * @n_new: messages that nobody has heard or read yet
 * @n_old: the others
 *
 * For plugins: tells the broker what waits in the account's mailbox at the service (RFC 3842).
 */
void
muster_incoming_report_waiting (MusterIncoming *self, guint n_new, guint n_old)
{
  const MusterRegistrationHost *host;
  gpointer host_data;

  g_return_if_fail (MUSTER_IS_INCOMING (self));

  host = muster_registration_get_host (MUSTER_REGISTRATION (self), &host_data);
  if (host != NULL && host->messages_waiting != NULL) {
    guint64 outer = muster_execution_mark (NULL);

    host->messages_waiting (host_data, n_new, n_old);
    muster_execution_unmark (outer);
  }
}
