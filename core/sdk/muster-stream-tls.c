/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStream"

#include "config.h"

#include "muster-stream-tls.h"

#include <muster/muster-error.h>

#include <string.h>

/*
 * GnuTLS as a stream needs it: no step blocks, every failure is an error of our own domain, and a
 * session is as good as anonymous until muster_stream_tls_verify() has spoken.
 *
 * Sessions are never resumed: a resumed one shows no certificate that could be verified anew. Where we
 * have a certificate of our own the server is verified in the middle of the handshake as well: it must not
 * learn who we are before we know who it is.
 */

#define MAX_RECORD_BYTES 16384
#define MAX_ALPN         8

/* errors */

static gboolean
is_about_our_certificate (gnutls_alert_description_t alert)
{
  return alert == GNUTLS_A_BAD_CERTIFICATE || alert == GNUTLS_A_UNSUPPORTED_CERTIFICATE ||
         alert == GNUTLS_A_CERTIFICATE_REVOKED || alert == GNUTLS_A_CERTIFICATE_EXPIRED ||
         alert == GNUTLS_A_CERTIFICATE_UNKNOWN || alert == GNUTLS_A_UNKNOWN_CA ||
         alert == GNUTLS_A_ACCESS_DENIED;
}

static GError *
new_alert_error (gnutls_session_t session, MusterStep step, const char *name)
{
  gnutls_alert_description_t alert = gnutls_alert_get (session);
  const char *text = gnutls_alert_get_name (alert);
  MusterError code = MUSTER_ERROR_PROTOCOL;
  GError *error;

  /* The server wants what we do not have; trying again changes nothing. */
  if (alert == GNUTLS_A_PROTOCOL_VERSION || alert == GNUTLS_A_INSUFFICIENT_SECURITY ||
      alert == GNUTLS_A_HANDSHAKE_FAILURE || alert == GNUTLS_A_NO_APPLICATION_PROTOCOL ||
      alert == GNUTLS_A_CERTIFICATE_REQUIRED)
    code = MUSTER_ERROR_UNSUPPORTED;
  if (is_about_our_certificate (alert)) {
    error = muster_error_new (MUSTER_ERROR_FORBIDDEN, step,
                              "%s does not accept our certificate: %s", name,
                              text != NULL ? text : "no reason given");
    muster_error_set_server (error, (guint) alert, text, 0);
    return error;
  }

  error = muster_error_new (code, step, "%s refused the TLS connection: %s", name,
                            text != NULL ? text : "no reason given");
  muster_error_set_server (error, (guint) alert, text, 0);

  return error;
}

static GError *
new_error (gnutls_session_t session, int why, MusterStep step, const char *name)
{
  switch (why) {
  case GNUTLS_E_FATAL_ALERT_RECEIVED:
    return new_alert_error (session, step, name);
  case GNUTLS_E_PREMATURE_TERMINATION:
  case GNUTLS_E_PUSH_ERROR:
  case GNUTLS_E_PULL_ERROR:
    return muster_error_new (MUSTER_ERROR_UNREACHABLE, step, "%s cut the TLS connection", name);
  case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
  case GNUTLS_E_NO_CIPHER_SUITES:
  case GNUTLS_E_DH_PRIME_UNACCEPTABLE:
    return muster_error_new (MUSTER_ERROR_UNSUPPORTED, step,
                             "%s and this machine have no secure TLS version in common", name);
  default:
    return muster_error_new (MUSTER_ERROR_PROTOCOL, step, "%s does not speak TLS properly: %s",
                             name, gnutls_strerror (why));
  }
}

static MusterIo
io_from_gnutls (gnutls_session_t session,
                int why,
                MusterStep step,
                const char *name,
                GError **error)
{
  if (why == GNUTLS_E_AGAIN)
    return MUSTER_IO_AGAIN;
  if (!gnutls_error_is_fatal (why)) /* an interrupt, a warning, a wish to start over: ignoring */
    return MUSTER_IO_MORE;

  g_propagate_error (error, new_error (session, why, step, name));
  return MUSTER_IO_FAILED;
}

/* a session */

static void
session_set_alpn (gnutls_session_t session, const char *const *alpn)
{
  gnutls_datum_t protocols[MAX_ALPN];
  guint n = 0;

  for (; alpn != NULL && alpn[n] != NULL && n < MAX_ALPN; n++) {
    protocols[n].data = (unsigned char *) alpn[n];
    protocols[n].size = (unsigned) strlen (alpn[n]);
  }
  if (n > 0)
    gnutls_alpn_set_protocols (session, protocols, n, 0);
}

static const MusterStreamTlsEnds *
session_get_ends (gnutls_session_t session)
{
  return gnutls_session_get_ptr (session);
}

static int
on_server_certificate (gnutls_session_t session)
{
  return muster_stream_tls_verify (session, NULL) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static void
session_set_credentials (gnutls_session_t session, const MusterStreamTlsEnds *ends)
{
  if (ends->key_pair == NULL) {
    gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE,
                            muster_tls_trust_get_credentials (ends->trust));
    return;
  }

  gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE,
                          muster_tls_key_pair_get_credentials (ends->key_pair));
  gnutls_session_set_verify_function (session, on_server_certificate);
}

gnutls_session_t
muster_stream_tls_new (int fd, const MusterStreamTlsEnds *ends, const char *const *alpn)
{
  gnutls_session_t session;

  /* A server that does not know who signed our certificate is to say so. */
  if (gnutls_init (&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
                               GNUTLS_NO_TICKETS | GNUTLS_FORCE_CLIENT_CERT) < 0)
    g_error ("cannot make a TLS session");

  gnutls_session_set_ptr (session, (gpointer) ends);
  gnutls_priority_set (session, muster_tls_get_priority ());
  session_set_credentials (session, ends);
  if (!g_hostname_is_ip_address (ends->name)) /* RFC 6066 section 3 */
    gnutls_server_name_set (session, GNUTLS_NAME_DNS, ends->name, strlen (ends->name));
  session_set_alpn (session, alpn);
  gnutls_handshake_set_timeout (session, GNUTLS_INDEFINITE_TIMEOUT); /* the deadline is ours */
  gnutls_transport_set_int (session, fd);

  return session;
}

MusterIo
muster_stream_tls_handshake (gnutls_session_t session, GError **error)
{
  const MusterStreamTlsEnds *ends = session_get_ends (session);
  int why = gnutls_handshake (session);

  if (why == GNUTLS_E_SUCCESS)
    return MUSTER_IO_DONE;
  if (why == GNUTLS_E_CERTIFICATE_ERROR && !muster_stream_tls_verify (session, error))
    return MUSTER_IO_FAILED;

  return io_from_gnutls (session, why, MUSTER_STEP_TLS, ends->name, error);
}

gboolean
muster_stream_tls_verify (gnutls_session_t session, GError **error)
{
  const MusterStreamTlsEnds *ends = session_get_ends (session);
  const gnutls_datum_t *chain = NULL;
  guint n_chain = 0;

  if (gnutls_certificate_type_get2 (session, GNUTLS_CTYPE_SERVER) == GNUTLS_CRT_X509)
    chain = gnutls_certificate_get_peers (session, &n_chain);

  if (muster_tls_trust_verify (ends->trust, chain, chain != NULL ? n_chain : 0, ends->name,
                               GNUTLS_KP_TLS_WWW_SERVER, NULL, error))
    return TRUE;

  if (error != NULL)
    gnutls_alert_send (session, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE);
  return FALSE;
}

MusterIo
muster_stream_tls_send (gnutls_session_t session,
                        const void *data,
                        gsize n_bytes,
                        gsize *n_sent,
                        GError **error)
{
  gssize n = gnutls_record_send (session, data, MIN (n_bytes, MAX_RECORD_BYTES));

  *n_sent = n > 0 ? (gsize) n : 0;
  if (n >= 0)
    return MUSTER_IO_DONE;

  return io_from_gnutls (session, (int) n, MUSTER_STEP_STREAM, "the service", error);
}

MusterIo
muster_stream_tls_recv (gnutls_session_t session,
                        void *data,
                        gsize n_bytes,
                        gsize *n_received,
                        GError **error)
{
  gssize n = gnutls_record_recv (session, data, n_bytes);

  *n_received = n > 0 ? (gsize) n : 0;
  if (n > 0)
    return MUSTER_IO_DONE;
  if (n == 0)
    return MUSTER_IO_END;

  return io_from_gnutls (session, (int) n, MUSTER_STEP_STREAM, "the service", error);
}

MusterIo
muster_stream_tls_bye (gnutls_session_t session)
{
  int why = gnutls_bye (session, GNUTLS_SHUT_WR);

  return why == GNUTLS_E_AGAIN || why == GNUTLS_E_INTERRUPTED ? MUSTER_IO_AGAIN : MUSTER_IO_DONE;
}

gboolean
muster_stream_tls_wants_out (gnutls_session_t session)
{
  return gnutls_record_get_direction (session) == 1;
}

/* RFC 9266 section 4.2: below TLS 1.3 the exporter binds only with the extended master secret. */
static gboolean
session_has_exporter (gnutls_session_t session)
{
  return gnutls_protocol_get_version (session) >= GNUTLS_TLS1_3 ||
         (gnutls_session_get_flags (session) & GNUTLS_SFLAGS_EXT_MASTER_SECRET) != 0;
}

GBytes *
muster_stream_tls_dup_binding (gnutls_session_t session, MusterChannelBinding type)
{
  gboolean is_exporter = type == MUSTER_CHANNEL_BINDING_EXPORTER;
  gnutls_datum_t data = { 0 };
  GBytes *bytes;

  if (is_exporter && !session_has_exporter (session))
    return NULL;
  if (gnutls_session_channel_binding (
        session, is_exporter ? GNUTLS_CB_TLS_EXPORTER : GNUTLS_CB_TLS_SERVER_END_POINT, &data) < 0)
    return NULL;

  bytes = g_bytes_new (data.data, data.size);
  gnutls_free (data.data);

  return bytes;
}
