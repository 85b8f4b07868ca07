/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-inbound.h"

#include "muster-sip-message.h"

#include <string.h>

/*
 * Requests that come in as data, and the replies to them as text. What a reply repeats of its request was
 * made by the parser (muster-sip-wire-inbound.c), so nothing here looks into a header.
 */

#define TAG_DIGITS 16

void
muster_sip_inbound_free (MusterSipInbound *self)
{
  if (self == NULL)
    return;
  g_free (self->method);
  g_free (self->token);
  g_free (self->from);
  g_free (self->from_name);
  g_free (self->from_tag);
  g_free (self->to_tag);
  g_free (self->call_id);
  g_free (self->branch);
  g_free (self->sent_by);
  g_free (self->contact);
  g_free (self->event);
  g_free (self->event_id);
  g_free (self->subscription);
  g_free (self->subscription_reason);
  g_free (self->content_type);
  g_free (self->charset);
  g_free (self->content_encoding);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_free (self->subject);
  g_strfreev (self->record_routes);
  g_free (self->unsupported);
  g_free (self->reply_head);
  g_free (self);
}

char *
muster_sip_inbound_make_tag (const char *call_id, const char *from_tag, guint32 cseq)
{
  static char *salt; /* of this process: nobody else can tell our tags */
  g_autofree char *text = NULL;
  g_autofree char *digest = NULL;

  if (salt == NULL)
    salt = muster_sip_random_hex (32);
  text = g_strdup_printf ("%s\n%s\n%s\n%u", salt, call_id, from_tag != NULL ? from_tag : "", cseq);
  digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  return g_strndup (digest, TAG_DIGITS);
}

/* RFC 3261 section 21, as far as we say it. */
static const char *
phrase_of (guint status)
{
  switch (status) {
  case 180:
    return "Ringing";
  case 200:
    return "OK";
  case 302:
    return "Moved Temporarily";
  case 400:
    return "Bad Request";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 413:
    return "Request Entity Too Large";
  case 415:
    return "Unsupported Media Type";
  case 420:
    return "Bad Extension";
  case 480:
    return "Temporarily Unavailable";
  case 481:
    return "Call/Transaction Does Not Exist";
  case 482:
    return "Loop Detected";
  case 486:
    return "Busy Here";
  case 487:
    return "Request Terminated";
  case 489:
    return "Bad Event";
  case 500:
    return "Server Internal Error";
  case 503:
    return "Service Unavailable";
  case 603:
    return "Decline";
  default:
    return "Answer";
  }
}

GBytes *
muster_sip_reply_build (const char *head, guint status, const char *headers)
{
  char *text = g_strdup_printf ("SIP/2.0 %u %s\r\n%s%sContent-Length: 0\r\n\r\n", status,
                                phrase_of (status), head, headers != NULL ? headers : "");

  return g_bytes_new_take (text, strlen (text));
}
