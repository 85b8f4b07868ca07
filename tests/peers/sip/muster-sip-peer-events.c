/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-peer-events.h"

#include "muster-sip-text.h"

#include <string.h>

typedef struct {
  char *status;
  char *headers;
  char *last; /* SUBSCRIBE; NULL: none came */
  guint n_requests;
} Event;

struct _SipPeerEvents {
  SipPeer *peer;
  GHashTable *events; /* name -> Event */
  guint n_notified;
};

static void
event_free (Event *event)
{
  g_free (event->status);
  g_free (event->headers);
  g_free (event->last);
  g_free (event);
}

static Event *
get_event (SipPeerEvents *self, const char *name)
{
  Event *event = g_hash_table_lookup (self->events, name);

  if (event == NULL) {
    event = g_new0 (Event, 1);
    event->status = g_strdup ("200 OK");
    event->headers = g_strdup ("Expires: 3600\r\n");
    g_hash_table_insert (self->events, g_strdup (name), event);
  }
  return event;
}

static void
on_other (SipPeer *peer, const char *text, GSocketAddress *from, gpointer user_data)
{
  SipPeerEvents *self = user_data;
  g_autofree char *name = sip_text_dup_header (text, "Event", ", ");
  g_autofree char *headers = NULL;
  Event *event;

  if (!g_str_has_prefix (text, "SUBSCRIBE "))
    return;
  g_assert (name != NULL);
  event = get_event (self, name);
  event->n_requests++;
  g_free (event->last);
  event->last = g_strdup (text);
  headers = g_strdup_printf ("Contact: <sip:events@127.0.0.1:%u>\r\n%s", sip_peer_get_port (peer),
                             event->headers);
  sip_peer_answer (peer, text, from, event->status, headers);
}

SipPeerEvents *
sip_peer_events_new (SipPeer *peer)
{
  SipPeerEvents *self = g_new0 (SipPeerEvents, 1);

  self->peer = peer;
  self->events = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) event_free);
  sip_peer_set_other (peer, on_other, self);
  return self;
}

void
sip_peer_events_free (SipPeerEvents *self)
{
  sip_peer_set_other (self->peer, NULL, NULL);
  g_hash_table_unref (self->events);
  g_free (self);
}

void
sip_peer_events_answer (SipPeerEvents *self,
                        const char *name,
                        const char *status,
                        const char *headers)
{
  Event *event = get_event (self, name);

  g_free (event->status);
  g_free (event->headers);
  event->status = g_strdup (status);
  event->headers = g_strdup (headers != NULL ? headers : "");
}

guint
sip_peer_events_count (SipPeerEvents *self, const char *name)
{
  return get_event (self, name)->n_requests;
}

const char *
sip_peer_events_last (SipPeerEvents *self, const char *name)
{
  return get_event (self, name)->last;
}

void
sip_peer_events_notify (SipPeerEvents *self,
                        const char *name,
                        const char *state,
                        const char *type,
                        const char *body)
{
  const char *last = get_event (self, name)->last;
  g_autofree char *from = sip_text_dup_header (last, "From", ", ");
  g_autofree char *to = sip_text_dup_header (last, "To", ", ");
  g_autofree char *call_id = sip_text_dup_header (last, "Call-ID", ", ");
  g_autofree char *contact = sip_text_dup_header (last, "Contact", ", ");
  g_autofree char *uri = g_strndup (contact + 1, strcspn (contact, ">") - 1);
  g_autofree char *type_header = NULL;
  g_autofree char *text = NULL;

  type_header = type != NULL ? g_strdup_printf ("Content-Type: %s\r\n", type) : g_strdup ("");
  self->n_notified++;
  text = g_strdup_printf ("NOTIFY %s SIP/2.0\r\n"
                          "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKevent%u;rport\r\n"
                          "Max-Forwards: 70\r\n"
                          "From: %s%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u NOTIFY\r\n"
                          "Contact: <sip:events@127.0.0.1:%u>\r\n"
                          "Event: %s\r\nSubscription-State: %s\r\n%s"
                          "Content-Length: %zu\r\n\r\n%s",
                          uri, sip_peer_get_port (self->peer), self->n_notified, to,
                          strstr (to, ";tag=") != NULL ? "" : ";tag=peer", from, call_id,
                          self->n_notified, sip_peer_get_port (self->peer), name, state,
                          type_header, body != NULL ? strlen (body) : 0, body != NULL ? body : "");
  sip_peer_send_text (self->peer, text);
}
