/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-response.h"

/*
 * One pure table from a status to the broker's reaction. A status that is not in it counts as the
 * general one of its class (RFC 3261 section 8.1.3.2). 401, 407 and 423 come here only when the state
 * machine has no answer to them.
 */
typedef struct {
  guint status;
  MusterError error;            /* without credentials, and in general */
  MusterError with_credentials; /* the request carried them */
  gboolean heeds_retry_after;   /* BUSY if the answer says when to come back (section 20.33) */
  const char *phrase;           /* makes a sentence: "the server ..." */
  const char *other_phrase;     /* the same of other requests than REGISTER; NULL: the same */
} Row;

#define SAME(error) MUSTER_ERROR_##error, MUSTER_ERROR_##error

static const Row table[] = {
  { 300, SAME (UNSUPPORTED), FALSE, "sends us elsewhere" },
  { 400, SAME (PROTOCOL), FALSE, "cannot read our request" },
  { 401, SAME (REFUSED), FALSE, "does not accept the user name or password" },
  { 402, SAME (FORBIDDEN), FALSE, "wants to be paid" },
  { 403, MUSTER_ERROR_FORBIDDEN, MUSTER_ERROR_REFUSED, FALSE, "forbids the registration",
    "forbids it" },
  { 404, SAME (FORBIDDEN), FALSE, "does not know this address" },
  { 405, SAME (UNSUPPORTED), FALSE, "takes no registrations", "takes no such requests" },
  { 406, SAME (UNSUPPORTED), FALSE, "has no answer that we can read" },
  { 407, SAME (REFUSED), FALSE, "does not accept the user name or password" },
  { 408, SAME (UNREACHABLE), FALSE, "gave up waiting" },
  { 410, SAME (FORBIDDEN), FALSE, "says that this address is gone" },
  { 413, SAME (PROTOCOL), TRUE, "finds our request too large" },
  { 415, SAME (UNSUPPORTED), FALSE, "does not read what we send" },
  { 416, SAME (UNSUPPORTED), FALSE, "does not know addresses of this scheme" },
  { 420, SAME (UNSUPPORTED), FALSE, "does not know an extension that is needed" },
  { 421, SAME (UNSUPPORTED), FALSE, "needs an extension that we do not have" },
  { 423, SAME (PROTOCOL), FALSE, "finds the registration too short and does not say what is enough",
    "finds the time too short and does not say what is enough" },
  { 430, SAME (UNREACHABLE), FALSE, "lost the way to us" },
  { 439, SAME (UNSUPPORTED), FALSE, "says that the first hop lacks outbound support" },
  { 480, SAME (UNREACHABLE), TRUE, "is not available now" },
  { 484, SAME (FORBIDDEN), FALSE, "finds the address incomplete" },
  { 486, SAME (BUSY), TRUE, "is busy" },
  { 488, SAME (UNSUPPORTED), FALSE, "does not accept this kind of registration",
    "does not accept this kind of request" },
  { 489, SAME (UNSUPPORTED), FALSE, "does not know this event" },
  { 491, SAME (BUSY), TRUE, "still works on an earlier request" },
  { 494, SAME (UNSUPPORTED), FALSE, "needs a security agreement" },
  { 500, SAME (UNREACHABLE), TRUE, "failed" },
  { 501, SAME (UNSUPPORTED), FALSE, "does not know registrations", "does not know such requests" },
  { 502, SAME (UNREACHABLE), FALSE, "got a bad answer from the next one" },
  { 503, SAME (BUSY), TRUE, "is overloaded or being maintained" },
  { 504, SAME (UNREACHABLE), FALSE, "got no answer from the next one" },
  { 505, SAME (UNSUPPORTED), FALSE, "speaks another version of SIP" },
  { 513, SAME (PROTOCOL), FALSE, "finds our request too large" },
  { 555, SAME (UNSUPPORTED), FALSE, "does not know this push service" },
  { 600, SAME (BUSY), TRUE, "is busy everywhere" },
  { 603, MUSTER_ERROR_FORBIDDEN, MUSTER_ERROR_FORBIDDEN, TRUE, "declines" },
  { 604, SAME (FORBIDDEN), FALSE, "says that this address exists nowhere" },
  { 606, SAME (UNSUPPORTED), FALSE, "does not accept this kind of registration",
    "does not accept this kind of request" },
  { 607, SAME (FORBIDDEN), FALSE, "does not want us" },
  { 608, SAME (FORBIDDEN), FALSE, "rejects us" },
};

static const Row *
find_row (guint status)
{
  static const Row nonsense = { 0, SAME (PROTOCOL), FALSE, "gave an answer that makes no sense" };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    if (table[i].status == status)
      return &table[i];
  }
  if (status >= 300 && status <= 699 && status % 100 != 0)
    return find_row (status / 100 * 100);
  return &nonsense;
}

MusterError
muster_sip_status_to_error (guint status, gboolean with_credentials, gboolean with_retry_after)
{
  const Row *row = find_row (status);

  if (row->heeds_retry_after && with_retry_after)
    return MUSTER_ERROR_BUSY;
  return with_credentials ? row->with_credentials : row->error;
}

GError *
muster_sip_response_to_error (const MusterSipResponse *response,
                              MusterStep step,
                              gboolean registers,
                              gboolean with_credentials)
{
  const Row *row = find_row (response->status);
  const char *phrase = registers || row->other_phrase == NULL ? row->phrase : row->other_phrase;
  gboolean with_retry_after = response->retry_after_s > 0;
  MusterError code;
  GError *error;

  /* Of the credentials it speaks only to a REGISTER. */
  code = muster_sip_status_to_error (response->status, registers && with_credentials,
                                     with_retry_after);
  if (code == MUSTER_ERROR_REFUSED)
    step = MUSTER_STEP_AUTHENTICATE;

  error = muster_error_new (code, step, "the server %s", phrase);
  muster_error_set_server (error, response->status, response->reason,
                           with_retry_after ? (guint) response->retry_after_s : 0);
  return error;
}

gboolean
muster_sip_error_is_of_server (const GError *error)
{
  switch (muster_error_get_protocol_code (error)) {
  case 0:
    return g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  case 408:
  case 430:
  case 500:
  case 502:
  case 503:
  case 504:
    return TRUE;
  default:
    return FALSE;
  }
}
