/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-text.h"

#include <muster/muster-error.h>

/*
 * The one error domain of plugins. What the server said travels with the GError, so that no layer
 * between the plugin and the user has to parse a message.
 */

#define SERVER_TEXT_MAX_BYTES 256

typedef struct {
  MusterStep step;
  guint protocol_code;
  guint retry_after_s;
  char *server_text;
  MusterCertificate *certificate;
} MusterErrorPrivate;

static void
muster_error_private_init (MusterErrorPrivate *priv)
{
}

static void
muster_error_private_copy (const MusterErrorPrivate *src, MusterErrorPrivate *dest)
{
  *dest = *src;
  dest->server_text = g_strdup (src->server_text);
  if (src->certificate != NULL)
    dest->certificate = muster_certificate_ref (src->certificate);
}

static void
muster_error_private_clear (MusterErrorPrivate *priv)
{
  g_clear_pointer (&priv->server_text, g_free);
  g_clear_pointer (&priv->certificate, muster_certificate_unref);
}

/* clang-format off */
G_DEFINE_EXTENDED_ERROR (MusterError, muster_error)
/* clang-format on */

/* %NULL for errors of other domains, so that every getter below answers for any GError. */
static const MusterErrorPrivate *
peek_private (const GError *error)
{
  if (error == NULL || error->domain != MUSTER_ERROR)
    return NULL;

  return muster_error_get_private (error);
}

/**
 * muster_error_new:
 * @code: what the broker should make of it
 * @step: where it happened
 * @format: a message for people: a sentence when prefixed, no secrets, no trailing stop
 * @...: its arguments
 *
 * Makes an error. What of the message cannot be printed becomes blanks, and it ends after 1 kB.
 *
 * Returns: (transfer full): an error in the %MUSTER_ERROR domain
 */
GError *
muster_error_new (MusterError code, MusterStep step, const char *format, ...)
{
  GError *error;
  va_list args;

  va_start (args, format);
  error = g_error_new_valist (MUSTER_ERROR, (int) code, format, args);
  va_end (args);
  muster_text_tame_error (error);
  muster_error_get_private (error)->step = step;

  return error;
}

/**
 * muster_error_set_server:
 * @error: an error in the %MUSTER_ERROR domain
 * @protocol_code: the protocol's own number, 0 for none
 * @server_text: (nullable): what the server said; shortened to 256 bytes and made printable
 * @retry_after_s: how long the server asked us to wait, in seconds, 0 if it did not
 *
 * Adds what the server said.
 */
void
muster_error_set_server (GError *error,
                         guint protocol_code,
                         const char *server_text,
                         guint retry_after_s)
{
  MusterErrorPrivate *priv;

  g_return_if_fail (error != NULL && error->domain == MUSTER_ERROR);

  priv = muster_error_get_private (error);
  priv->protocol_code = protocol_code;
  priv->retry_after_s = retry_after_s;
  g_clear_pointer (&priv->server_text, g_free);
  if (server_text != NULL && *server_text != '\0')
    priv->server_text = g_strstrip (muster_text_tame (server_text, SERVER_TEXT_MAX_BYTES));
}

/**
 * muster_error_get_step:
 * @error: (nullable): any error
 *
 * Returns: where it happened; %MUSTER_STEP_NONE for errors of other domains
 */
MusterStep
muster_error_get_step (const GError *error)
{
  const MusterErrorPrivate *priv = peek_private (error);

  return priv != NULL ? priv->step : MUSTER_STEP_NONE;
}

/**
 * muster_error_get_protocol_code:
 * @error: (nullable): any error
 *
 * Returns: the protocol's own number, 0 for none
 */
guint
muster_error_get_protocol_code (const GError *error)
{
  const MusterErrorPrivate *priv = peek_private (error);

  return priv != NULL ? priv->protocol_code : 0;
}

/**
 * muster_error_get_server_text:
 * @error: (nullable): any error
 *
 * Returns: (nullable) (transfer none): what the server said
 */
const char *
muster_error_get_server_text (const GError *error)
{
  const MusterErrorPrivate *priv = peek_private (error);

  return priv != NULL ? priv->server_text : NULL;
}

/**
 * muster_error_get_retry_after_s:
 * @error: (nullable): any error
 *
 * Returns: how long the server asked us to wait, in seconds, 0 if it did not
 */
guint
muster_error_get_retry_after_s (const GError *error)
{
  const MusterErrorPrivate *priv = peek_private (error);

  return priv != NULL ? priv->retry_after_s : 0;
}

/**
 * muster_error_set_certificate:
 * @error: an error in the %MUSTER_ERROR domain
 * @certificate: (nullable): the certificate that was refused
 *
 * Adds the certificate, so that a user can be asked about it.
 */
void
muster_error_set_certificate (GError *error, MusterCertificate *certificate)
{
  MusterErrorPrivate *priv;

  g_return_if_fail (error != NULL && error->domain == MUSTER_ERROR);

  priv = muster_error_get_private (error);
  g_clear_pointer (&priv->certificate, muster_certificate_unref);
  if (certificate != NULL)
    priv->certificate = muster_certificate_ref (certificate);
}

/**
 * muster_error_get_certificate:
 * @error: (nullable): any error
 *
 * Returns: (nullable) (transfer none): the certificate that was refused
 */
MusterCertificate *
muster_error_get_certificate (const GError *error)
{
  const MusterErrorPrivate *priv = peek_private (error);

  return priv != NULL ? priv->certificate : NULL;
}

/**
 * muster_error_code_to_string:
 * @code: a code
 *
 * Returns: (transfer none): its stable name, such as `unreachable`
 */
const char *
muster_error_code_to_string (MusterError code)
{
  switch (code) {
  case MUSTER_ERROR_UNREACHABLE:
    return "unreachable";
  case MUSTER_ERROR_BUSY:
    return "busy";
  case MUSTER_ERROR_REFUSED:
    return "refused";
  case MUSTER_ERROR_FORBIDDEN:
    return "forbidden";
  case MUSTER_ERROR_CONFLICT:
    return "conflict";
  case MUSTER_ERROR_EXPIRED:
    return "expired";
  case MUSTER_ERROR_UNTRUSTED:
    return "untrusted";
  case MUSTER_ERROR_NEEDS_USER:
    return "needs-user";
  case MUSTER_ERROR_INVALID:
    return "invalid";
  case MUSTER_ERROR_UNSUPPORTED:
    return "unsupported";
  case MUSTER_ERROR_PROTOCOL:
    return "protocol";
  case MUSTER_ERROR_LAST:
    break;
  }

  g_return_val_if_reached ("invalid");
}

/**
 * muster_step_to_string:
 * @step: a step
 *
 * Returns: (transfer none): its stable name, such as `authenticate`; empty for %MUSTER_STEP_NONE
 */
const char *
muster_step_to_string (MusterStep step)
{
  switch (step) {
  case MUSTER_STEP_NONE:
    return "";
  case MUSTER_STEP_CONFIGURE:
    return "configure";
  case MUSTER_STEP_SECRET:
    return "secret";
  case MUSTER_STEP_RESOLVE:
    return "resolve";
  case MUSTER_STEP_CONNECT:
    return "connect";
  case MUSTER_STEP_TLS:
    return "tls";
  case MUSTER_STEP_AUTHENTICATE:
    return "authenticate";
  case MUSTER_STEP_REGISTER:
    return "register";
  case MUSTER_STEP_STREAM:
    return "stream";
  case MUSTER_STEP_UNREGISTER:
    return "unregister";
  case MUSTER_STEP_LAST:
    break;
  }

  g_return_val_if_reached ("");
}
