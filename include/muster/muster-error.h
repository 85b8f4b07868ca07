/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-certificate.h>

G_BEGIN_DECLS

/**
 * MusterError:
 * @MUSTER_ERROR_UNREACHABLE: DNS, route, refused, timed out, reset. Retried with backoff, and at
 *   once when connectivity changes
 * @MUSTER_ERROR_BUSY: overloaded, throttled or shutting down. Retried after what the service said
 *   (clamped to 1 s .. 1 h), else with backoff
 * @MUSTER_ERROR_REFUSED: these credentials were rejected. Never retried with the same secret
 * @MUSTER_ERROR_FORBIDDEN: the account may not do this, or is suspended. Retried hourly
 * @MUSTER_ERROR_CONFLICT: replaced or kicked by another session. Held off for 5 min
 * @MUSTER_ERROR_EXPIRED: our token, nonce or session is gone. Opened afresh at once; a second time
 *   within 60 s counts as %MUSTER_ERROR_CONFLICT
 * @MUSTER_ERROR_UNTRUSTED: a certificate or downgrade problem. Waits for the user
 * @MUSTER_ERROR_NEEDS_USER: a code, captcha, consent or form is needed. Waits for the user
 * @MUSTER_ERROR_INVALID: the parameters are wrong. Fails until they are edited
 * @MUSTER_ERROR_UNSUPPORTED: the service cannot do what is needed. Fails until edited
 * @MUSTER_ERROR_PROTOCOL: the peer talks nonsense. Retried with backoff
 *
 * The only error domain that a plugin returns, beside %G_IO_ERROR_CANCELLED. The code chooses the
 * broker's reaction; the message is for people, makes a sentence when prefixed, and never holds a
 * secret.
 *
 * It is an extended error: see muster_error_new() for what travels with it.
 */
typedef enum {
  MUSTER_ERROR_UNREACHABLE,
  MUSTER_ERROR_BUSY,
  MUSTER_ERROR_REFUSED,
  MUSTER_ERROR_FORBIDDEN,
  MUSTER_ERROR_CONFLICT,
  MUSTER_ERROR_EXPIRED,
  MUSTER_ERROR_UNTRUSTED,
  MUSTER_ERROR_NEEDS_USER,
  MUSTER_ERROR_INVALID,
  MUSTER_ERROR_UNSUPPORTED,
  MUSTER_ERROR_PROTOCOL,
  /*< private >*/
  MUSTER_ERROR_LAST
} MusterError;

#define MUSTER_ERROR (muster_error_quark ())
MUSTER_API GQuark muster_error_quark (void);

/**
 * MusterStep:
 * @MUSTER_STEP_NONE: not said
 * @MUSTER_STEP_CONFIGURE: reading the account's parameters
 * @MUSTER_STEP_SECRET: fetching a secret
 * @MUSTER_STEP_RESOLVE: looking up the service's addresses
 * @MUSTER_STEP_CONNECT: reaching an address
 * @MUSTER_STEP_TLS: the TLS handshake and the certificate
 * @MUSTER_STEP_AUTHENTICATE: proving who we are
 * @MUSTER_STEP_REGISTER: the registration proper
 * @MUSTER_STEP_STREAM: the connection afterwards
 * @MUSTER_STEP_UNREGISTER: taking the registration back
 *
 * Where on the way an operation failed.
 */
typedef enum {
  MUSTER_STEP_NONE,
  MUSTER_STEP_CONFIGURE,
  MUSTER_STEP_SECRET,
  MUSTER_STEP_RESOLVE,
  MUSTER_STEP_CONNECT,
  MUSTER_STEP_TLS,
  MUSTER_STEP_AUTHENTICATE,
  MUSTER_STEP_REGISTER,
  MUSTER_STEP_STREAM,
  MUSTER_STEP_UNREGISTER,
  /*< private >*/
  MUSTER_STEP_LAST
} MusterStep;

/* What travels with the message. `protocol_code` is the protocol's own number (a SIP status, an
 * HTTP status), 0 if none; `server_text` is what the server said, at most 256 bytes, made printable;
 * `retry_after_s` is how long the server asked us to wait, 0 if it did not. */
MUSTER_API GError *
muster_error_new (MusterError code, MusterStep step, const char *format, ...) G_GNUC_PRINTF (3, 4);
MUSTER_API void muster_error_set_server (GError *error,
                                         guint protocol_code,
                                         const char *server_text,
                                         guint retry_after_s);
MUSTER_API MusterStep muster_error_get_step (const GError *error);
MUSTER_API guint muster_error_get_protocol_code (const GError *error);
MUSTER_API const char *muster_error_get_server_text (const GError *error);
MUSTER_API guint muster_error_get_retry_after_s (const GError *error);

/* The certificate that was refused, for %MUSTER_ERROR_UNTRUSTED. */
MUSTER_API void muster_error_set_certificate (GError *error, MusterCertificate *certificate);
MUSTER_API MusterCertificate *muster_error_get_certificate (const GError *error);

/* Stable, lower-case, kebab-case: D-Bus API and log vocabulary. */
MUSTER_API const char *muster_error_code_to_string (MusterError code);
MUSTER_API const char *muster_step_to_string (MusterStep step);

G_END_DECLS
