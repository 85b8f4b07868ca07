/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-sofia.h"

#include <errno.h>
#include <linux/filter.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_plugins.h>
#include <sofia-sip/tport_tag.h>
#include <sys/socket.h>

/*
 * Sofia's process-wide state, and everything that depends on its version (1.12.11 with the security
 * patches of Debian): how its loop joins ours, how it is kept quiet, how an agent is made so that it
 * neither resolves names nor keeps answers for half a minute.
 */

#define SOCKET_BUFFER_BYTES (4 << 20) /* what 1,000 answers at once need */
#define UDP_HEADER_BYTES    8
#define MAX_DATAGRAM_BYTES  (16 << 10)
#define CALM_US             1000
#define DRAIN_US            500 /* for what more has come, in one turn of the loop */
#define DRAIN_POLLS         8   /* sockets and whatever else su_glib waits for */

/* Exported, but declared in no header. The default leaks every socket into child processes. */
extern int su_socket_close_on_exec;

/* Sofia's loop cannot be taken down in one piece: destroying its root before its source aborts,
 * after it warns. So there is one per process and it stays; only the agents on it come and go. */
static su_root_t *root;

static GSourceFuncs original_funcs;
static GSourceFuncs calm_funcs;

/* Log lines of Sofia hold addresses and URIs, at some levels whole messages; the format alone says
 * what happened. */
static void
on_log (void *stream, char const *format, va_list arguments)
{
  g_autofree char *line = g_strstrip (g_strdup (format));

  if (*line != '\0')
    g_debug ("sofia: %s", line);
}

/* su_glib rounds a timer down to whole milliseconds and then calls itself ready until it is due: let
 * it be ready at most once in a millisecond. */
static gboolean
calm_prepare (GSource *source, gint *timeout_ms)
{
  static gint64 last_us;
  gint64 now_us = g_get_monotonic_time ();

  if (!original_funcs.prepare (source, timeout_ms))
    return FALSE;
  if (now_us - last_us < CALM_US) {
    *timeout_ms = 1;
    return FALSE;
  }
  last_us = now_us;
  return TRUE;
}

/* Polls what the source waits for, as the loop would in its next turn. */
static gboolean
has_more (GSource *source)
{
  GPollFD *polls[DRAIN_POLLS];
  GPollFD fds[DRAIN_POLLS];
  guint n_fds = 0;
  gint n_ready;

  for (GSList *link = source->poll_fds; link != NULL && n_fds < DRAIN_POLLS; link = link->next) {
    polls[n_fds] = link->data;
    fds[n_fds] = *polls[n_fds];
    fds[n_fds++].revents = 0;
  }
  n_ready = g_poll (fds, n_fds, 0);
  for (guint i = 0; i < n_fds; i++)
    polls[i]->revents = fds[i].revents;
  return n_ready > 0;
}

/* Sofia takes one datagram for each turn of the loop, and a turn costs a third of what the datagram does. Where
 * more have come, it takes more, for a moment. */
static gboolean
draining_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  gint64 until_us = g_get_monotonic_time () + DRAIN_US;
  gboolean keep;

  do
    keep = original_funcs.dispatch (source, callback, user_data);
  while (keep && has_more (source) && g_get_monotonic_time () < until_us);
  return keep;
}

/* Sofia answers STUN on each of its sockets, and prints on stderr who asks. Whoever takes its place is
 * shown the sockets, and keeps still. */

static tport_stun_server_t *
stun_create (su_root_t *for_root, tagi_t const *tags)
{
  static int nobody;

  return (tport_stun_server_t *) &nobody;
}

static void
stun_destroy (tport_stun_server_t *server)
{
}

/* What Sofia does with a message grows with the square of its headers: 64 kB of them take it half a second.
 * So the kernel drops what is larger than any message that is meant well (RFC 3261 section 18.1.1 sends
 * what is larger than 1300 bytes over TCP). */
static int
stun_add_socket (tport_stun_server_t *server, su_socket_t socket)
{
  struct sock_filter steps[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_LEN, 0),
    BPF_JUMP (BPF_JMP | BPF_JGT | BPF_K, UDP_HEADER_BYTES + MAX_DATAGRAM_BYTES, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, 0),
    BPF_STMT (BPF_RET | BPF_K, G_MAXUINT32),
  };
  struct sock_fprog filter = { G_N_ELEMENTS (steps), steps };

  if (setsockopt (socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0)
    g_info ("large datagrams cannot be kept away: %s", g_strerror (errno));
  return 0;
}

static int
stun_remove_socket (tport_stun_server_t *server, su_socket_t socket)
{
  return 0;
}

static void
stun_request (tport_stun_server_t *server,
              su_socket_t socket,
              void *bytes,
              ssize_t n_bytes,
              void *from,
              socklen_t from_size)
{
}

static const tport_stun_server_vtable_t stun_vtable = {
  .vst_size = sizeof (tport_stun_server_vtable_t) + 1, /* it must be larger */
  .vst_create = stun_create,
  .vst_destroy = stun_destroy,
  .vst_add_socket = stun_add_socket,
  .vst_remove_socket = stun_remove_socket,
  .vst_request = stun_request,
};

static su_root_t *
get_root (void)
{
  GSource *source;

  if (root != NULL)
    return root;

  su_init ();
  su_log_redirect (NULL, on_log, NULL);
  su_socket_close_on_exec = 1;
  if (tport_plug_in_stun_server (&stun_vtable) < 0)
    g_warning ("strangers may ask for STUN: %s", g_strerror (su_errno ()));

  root = su_glib_root_create (NULL);
  g_assert (root != NULL);
  su_root_threading (root, 0);

  source = su_glib_root_gsource (root);
  original_funcs = *source->source_funcs;
  calm_funcs = original_funcs;
  calm_funcs.prepare = calm_prepare;
  calm_funcs.dispatch = draining_dispatch;
  g_source_set_funcs (source, &calm_funcs);
  /* Else GLib takes the source's polls out and in again around each dispatch, and wakes itself. */
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, NULL);

  return root;
}

void
muster_sip_header_text_init (MusterSipHeaderText *self, const MusterSipRequest *request)
{
  self->cseq = g_strdup_printf ("%u %s", request->cseq, request->method);
  self->expires = request->expires_s >= 0
                    ? g_strdup_printf ("%" G_GINT64_FORMAT, request->expires_s)
                    : NULL;
  self->route = request->route != NULL ? g_strjoinv (", ", request->route) : NULL;
}

void
muster_sip_header_text_clear (MusterSipHeaderText *self)
{
  g_free (self->cseq);
  g_free (self->expires);
  g_free (self->route);
}

nta_agent_t *
muster_sip_sofia_agent_new (const char *address,
                            guint16 port,
                            nta_message_f *on_request,
                            MusterSipAgent *magic)
{
  const char *brackets = strchr (address, ':') != NULL ? "[]" : "";
  g_autofree char *url = NULL;
  char port_text[8] = "*";
  nta_agent_t *nta;

  if (port != 0)
    g_snprintf (port_text, sizeof (port_text), "%u", port);
  url = g_strdup_printf ("sip:%.1s%s%s:%s;transport=udp", brackets, address,
                         *brackets != '\0' ? brackets + 1 : "", port_text);

  /* -1: no socket yet. Without NTATAG_STATELESS each request that comes in is held for 32 s; with the
   * usual T4 each answer is for 5 s. */
  nta = nta_agent_create (get_root (), (url_string_t *) -1, on_request, magic, NTATAG_UA (1),
                          NTATAG_STATELESS (1), NTATAG_SIP_T4 (500), NTATAG_CLIENT_RPORT (1),
                          NTATAG_UDP_MTU (65535), NTATAG_MAXSIZE (65536), NTATAG_USE_NAPTR (0),
                          NTATAG_USE_SRV (0), TPTAG_STUN_SERVER (1), TAG_END ());
  if (nta == NULL)
    return NULL;

  if (nta_agent_add_tport (nta, URL_STRING_MAKE (url), TPTAG_UDP_RMEM (SOCKET_BUFFER_BYTES),
                           TPTAG_UDP_WMEM (SOCKET_BUFFER_BYTES), TPTAG_STUN_SERVER (1),
                           TAG_END ()) < 0 ||
      muster_sip_sofia_agent_get_port (nta) == 0) {
    nta_agent_destroy (nta);
    return NULL;
  }
  return nta;
}

guint16
muster_sip_sofia_agent_get_port (nta_agent_t *nta)
{
  sip_contact_t *contact = nta_agent_contact (nta);

  if (contact == NULL)
    return 0;
  /* Sofia leaves the default port out. */
  if (contact->m_url->url_port == NULL)
    return 5060;
  return (guint16) g_ascii_strtoull (contact->m_url->url_port, NULL, 10);
}

/* Sofia lends nobody its sockets, and sends nothing but messages. What it sends of a header is its cached
 * text, if it has one: so a message of nothing but a first line, whose text is not one. */
void
muster_sip_sofia_agent_ping (nta_agent_t *nta, const char *route)
{
  static const char ping[] = "\r\n\r\n";
  msg_t *message = nta_msg_create (nta, 0);
  sip_t *sip = sip_object (message);
  tp_name_t to = { NULL };

  sip->sip_request = sip_request_create (msg_home (message), SIP_METHOD_OPTIONS,
                                         URL_STRING_MAKE (route), NULL);
  if (sip->sip_request != NULL &&
      tport_name_by_url (msg_home (message), &to, URL_STRING_MAKE (route)) == 0) {
    sip->sip_request->rq_common->h_data = ping;
    sip->sip_request->rq_common->h_len = sizeof ping - 1;
    to.tpn_proto = "udp";
    if (msg_serialize (message, (msg_pub_t *) sip) == 0)
      tport_tsend (nta_agent_tports (nta), message, &to, TAG_END ());
  }
  msg_destroy (message);
}

/* nta_msg_tsend() does not send what was parsed. */
void
muster_sip_sofia_agent_reply (nta_agent_t *nta, GBytes *reply)
{
  gsize n_bytes;
  gconstpointer bytes = g_bytes_get_data (reply, &n_bytes);
  msg_t *message = msg_make (sip_default_mclass (), 0, bytes, (ssize_t) n_bytes);
  const sip_t *sip = sip_object (message);
  const sip_via_t *via = sip != NULL ? sip->sip_via : NULL;
  tp_name_t to = { .tpn_proto = "udp", .tpn_port = "5060" };

  if (via != NULL) {
    to.tpn_host = via->v_received != NULL ? via->v_received : via->v_host;
    to.tpn_canon = to.tpn_host;
    if (via->v_rport != NULL && *via->v_rport != '\0')
      to.tpn_port = via->v_rport;
    else if (via->v_port != NULL)
      to.tpn_port = via->v_port;
    tport_tsend (nta_agent_tports (nta), message, &to, TAG_END ());
  }
  msg_destroy (message);
}
