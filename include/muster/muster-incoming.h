/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-registration.h>

G_BEGIN_DECLS

/**
 * MusterOfferKind:
 * @MUSTER_OFFER_CALL: a call
 * @MUSTER_OFFER_MESSAGE: a message
 *
 * What reached us.
 */
typedef enum {
  MUSTER_OFFER_CALL = 1,
  MUSTER_OFFER_MESSAGE,
} MusterOfferKind;

/**
 * MusterOfferState:
 * @MUSTER_OFFER_WAITING: it waits for an answer
 * @MUSTER_OFFER_TAKEN: it was accepted, declined or redirected by us
 * @MUSTER_OFFER_ELSEWHERE: another device answered it
 * @MUSTER_OFFER_CANCELLED: whoever made it gave up
 * @MUSTER_OFFER_STALE: nobody answered in time
 *
 * Where an offer is in its life. All but the first are ends.
 */
typedef enum {
  MUSTER_OFFER_WAITING,
  MUSTER_OFFER_TAKEN,
  MUSTER_OFFER_ELSEWHERE,
  MUSTER_OFFER_CANCELLED,
  MUSTER_OFFER_STALE,
} MusterOfferState;

/**
 * MusterOffer:
 * @id: its id, unique on this registration while it lives (a SIP Call-ID, a stanza id)
 * @kind: a call or a message
 * @state: where it is in its life
 * @from: who, as an address of the protocol, made printable
 * @from_name: (nullable): what they call themselves; others can say anything here
 * @at_us: since when, in microseconds UTC
 * @text: (nullable): of a message what it says, of a call what it is about; at most 8 kB, made
 *   printable but for line ends
 *
 * A call or message that reached one of our registrations.
 */
typedef struct {
  char *id;
  MusterOfferKind kind;
  MusterOfferState state;
  char *from;
  char *from_name;
  gint64 at_us;
  char *text;
  /*< private >*/
  gpointer padding[3];
} MusterOffer;

#define MUSTER_TYPE_OFFER (muster_offer_get_type ())
MUSTER_API GType muster_offer_get_type (void);
MUSTER_API MusterOffer *
muster_offer_new (const char *id, MusterOfferKind kind, const char *from, gint64 at_us);
MUSTER_API MusterOffer *muster_offer_copy (const MusterOffer *self);
MUSTER_API void muster_offer_free (MusterOffer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterOffer, muster_offer_free)

/**
 * MusterAnswer:
 * @MUSTER_ANSWER_ACCEPT: hand it over to a handler application, whose address is the target
 * @MUSTER_ANSWER_DECLINE: refuse it here and on our other devices; no target
 * @MUSTER_ANSWER_BUSY: refuse it here; others may still take it; no target
 * @MUSTER_ANSWER_REDIRECT: send it to another address of the protocol, the target
 *
 * What to do with an offer.
 */
typedef enum {
  MUSTER_ANSWER_ACCEPT,
  MUSTER_ANSWER_DECLINE,
  MUSTER_ANSWER_BUSY,
  MUSTER_ANSWER_REDIRECT,
} MusterAnswer;

#define MUSTER_TYPE_INCOMING (muster_incoming_get_type ())
MUSTER_API GType muster_incoming_get_type (void);
G_DECLARE_INTERFACE (MusterIncoming, muster_incoming, MUSTER, INCOMING, MusterRegistration)

/**
 * MusterIncomingInterface:
 * @answer_async: answers the offer of an id; @target is the address that the answer asks for, or
 *   %NULL
 * @answer_finish: %TRUE: the service has the answer; %FALSE with %MUSTER_ERROR set,
 *   %MUSTER_ERROR_EXPIRED if the offer is over
 *
 * A registration that takes calls and messages: SIP INVITE and MESSAGE (RFC 3261, RFC 3428), Jingle
 * Message Initiation (XEP-0353), Tinode calls, events of a cloud service.
 *
 * What comes in, and each change of it, is told with muster_incoming_report(). The plugin keeps an
 * offer open at its service (SIP 180) until it is answered or ended; it carries no media.
 */
struct _MusterIncomingInterface {
  GTypeInterface parent;

  void (*answer_async) (MusterIncoming *self,
                        const char *id,
                        MusterAnswer answer,
                        const char *target,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
  gboolean (*answer_finish) (MusterIncoming *self, GAsyncResult *result, GError **error);

  /*< private >*/
  gpointer padding[8];
};

MUSTER_API void muster_incoming_answer_async (MusterIncoming *self,
                                              const char *id,
                                              MusterAnswer answer,
                                              const char *target,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);
MUSTER_API gboolean muster_incoming_answer_finish (MusterIncoming *self,
                                                   GAsyncResult *result,
                                                   GError **error);

MUSTER_API void muster_incoming_report (MusterIncoming *self, const MusterOffer *offer);
MUSTER_API void muster_incoming_report_waiting (MusterIncoming *self, guint n_new, guint n_old);

G_END_DECLS
