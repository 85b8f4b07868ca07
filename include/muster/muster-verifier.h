/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-registration.h>

G_BEGIN_DECLS

/**
 * MusterVerdict:
 * @MUSTER_VERDICT_PROVEN: what was sent to ourselves from outside has arrived
 * @MUSTER_VERDICT_MISSED: it has not, within 8 s
 * @MUSTER_VERDICT_UNSUPPORTED: the service answers for us, or cannot send to us: it proves nothing
 *
 * What a proof of reachability came to. What follows from it is the broker's business.
 */
typedef enum {
  MUSTER_VERDICT_PROVEN,
  MUSTER_VERDICT_MISSED,
  MUSTER_VERDICT_UNSUPPORTED,
} MusterVerdict;

#define MUSTER_TYPE_VERIFIER (muster_verifier_get_type ())
MUSTER_API GType muster_verifier_get_type (void);
G_DECLARE_INTERFACE (MusterVerifier, muster_verifier, MUSTER, VERIFIER, MusterRegistration)

/**
 * MusterVerifierInterface:
 * @verify_async: sends something to our own address through the service, and waits for it to come in
 * @verify_finish: %TRUE with @verdict and @evidence, what was seen, in words (transfer full); %FALSE
 *   with %MUSTER_ERROR set if nothing could be sent
 * @get_interval_s: how long a proof holds before the next is wanted, in seconds, as things are now: a
 *   binding behind a NAT over UDP may vanish within a minute; 0: the broker's rule, which is 15
 *   minutes. May be left out: 0. What it returns is taken as at least 30 s and at most a day
 *
 * A registration that can prove that others reach it: SIP OPTIONS to its own AOR (RFC 3261, section
 * 11), XMPP ping to its own full JID (XEP-0199), a session that is listed, a stream that answers.
 *
 * The evidence is the request arriving at our own token, not an answer to it: another device, or the
 * service itself, may have given that. The broker says when to verify.
 */
struct _MusterVerifierInterface {
  GTypeInterface parent;

  void (*verify_async) (MusterVerifier *self,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
  gboolean (*verify_finish) (MusterVerifier *self,
                             GAsyncResult *result,
                             MusterVerdict *verdict,
                             char **evidence,
                             GError **error);
  guint (*get_interval_s) (MusterVerifier *self); /* in the place of a reserved slot */

  /*< private >*/
  gpointer padding[7];
};

MUSTER_API void muster_verifier_verify_async (MusterVerifier *self,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);
MUSTER_API gboolean muster_verifier_verify_finish (MusterVerifier *self,
                                                   GAsyncResult *result,
                                                   MusterVerdict *verdict,
                                                   char **evidence,
                                                   GError **error);
MUSTER_API guint muster_verifier_get_interval_s (MusterVerifier *self);

G_END_DECLS
