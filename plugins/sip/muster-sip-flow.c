/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-flow.h"

#include "muster-sip-framer.h"
#include "muster-sip-server.h"
#include "muster-sip-target.h"
#include "muster-sip-wire.h"

#include <muster/muster-hub.h>
#include <muster/muster-stream.h>

/*
 * A transaction on a reliable transport is a request and an answer (RFC 3261 section 17.1.2.2: nothing
 * is retransmitted), found by the branch of the topmost Via, and ended by Timer F.
 *
 *    send -> stream ... stream -> framer -+-> answer of a branch   -> func
 *                                         +-> request              -> server
 *                                         +-> ping                 -> pong
 *                                         +-> pong                 -> the connection lives
 *
 * Thousands may have their answers in one read, or lose the connection together: a bounded number is
 * served in a dispatch, and nothing more is read meanwhile.
 *
 * A server whose machine is alive acknowledges bytes that nobody reads. So a connection on which a request
 * was given up, and nothing at all came in since it was sent, is ended: the next attempt makes
 * another one.
 *
 * What is silent for long, a NAT forgets. So when nothing was sent for the keep-alive interval, a ping is
 * (RFC 5626 sections 3.5.1 and 4.4.1). Many servers do not know it, so only one that has answered a ping
 * before, or has given a Flow-Timer, must answer: where it does not, the connection is dead and is ended.
 */

#define TIMER_F_MS            32000
#define SILENCE_US            (10 * G_USEC_PER_SEC) /* RFC 5626 section 4.4.1 gives a pong as long */
#define BRANCH_DIGITS         24
#define MAX_OUT_BYTES         (4 * 1024 * 1024)
#define MESSAGES_PER_DISPATCH 32
#define FAILURES_PER_DISPATCH 64

#define ALIVE_S       120 /* RFC 5626 section 4.4.1 */
#define ALIVE_MIN_S   10
#define ALIVE_MAX_S   3600
#define LATE_US       G_USEC_PER_SEC /* a timer that is as late tells of the machine, not of the server */
#define PONG_SPACE_US G_USEC_PER_SEC /* a server's pings are answered no more often */

struct _MusterSipFlow {
  MusterSipTransport transport; /* first */
  const MusterSipFlowFuncs *funcs;
  gpointer user_data;

  MusterStream *stream;
  MusterSipFramer framer;
  char *local_address; /* NULL before it is open */
  char *sent_by;       /* `SIP/2.0/TCP host:port`: what our Vias begin with */
  MusterSipServer *server;
  GHashTable *transactions; /* branch -> MusterSipTransaction; NULL: there are none */
  GQueue answered;          /* of MusterSipTransaction: cut off, waiting for their turn */
  guint dispatch_source;
  guint drain_source;      /* while the stream is paused: there are messages left in the framer */
  gint64 heard_us;         /* when something came in last */
  MusterTimer alive;       /* the next ping; or the end, while a pong is waited for */
  guint alive_s;           /* the keep-alive interval */
  gint64 pinged_us;        /* when the last ping was sent; 0: it has its pong, or there was none */
  gint64 ponged_us;        /* when the server's ping was answered last */
  gboolean knows_pings;    /* the server answers pings */
  gboolean waits_for_pong; /* or for anything else that it says */
  gboolean is_silent;      /* to be ended in the next dispatch */
  gboolean open;
  gboolean ended;
};

struct _MusterSipTransaction {
  GList link; /* in answered */
  MusterSipFlow *flow;
  char *branch;
  MusterTimer timer_f;
  gint64 sent_us;
  MusterSipAnswerFunc func;
  gpointer user_data;
  GError *failure; /* set once it is in answered */
};

static void muster_sip_flow_give_up (MusterSipFlow *self, GError *error);

static void
transaction_free (MusterSipTransaction *transaction)
{
  muster_timer_cancel (&transaction->timer_f);
  g_clear_error (&transaction->failure);
  g_free (transaction->branch);
  g_free (transaction);
}

/* The table. A connection is idle nearly all of its life, and an empty one takes a quarter of a
 * kilobyte. */

static void
muster_sip_flow_put (MusterSipFlow *self, MusterSipTransaction *transaction)
{
  if (self->transactions == NULL)
    self->transactions = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (self->transactions, transaction->branch, transaction);
}

/* Returns the transaction of @branch, if there is one, and no longer finds it. */
static MusterSipTransaction *
muster_sip_flow_steal (MusterSipFlow *self, const char *branch)
{
  gpointer transaction = NULL;

  if (self->transactions == NULL)
    return NULL;

  g_hash_table_steal_extended (self->transactions, branch, NULL, &transaction);
  if (g_hash_table_size (self->transactions) == 0)
    g_clear_pointer (&self->transactions, g_hash_table_unref);

  return transaction;
}

/* failing transactions: from the loop, since whoever hears of it sends the next request */

static gboolean
on_dispatch (gpointer user_data)
{
  MusterSipFlow *self = user_data;

  if (self->is_silent)
    muster_sip_flow_give_up (self,
                             muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM,
                                               "the server takes what is sent and says nothing"));

  for (guint i = 0; i < FAILURES_PER_DISPATCH && self->answered.head != NULL; i++) {
    MusterSipTransaction *transaction = g_queue_pop_head_link (&self->answered)->data;

    transaction->func (NULL, transaction->failure, transaction->user_data);
    transaction_free (transaction);
  }

  if (self->answered.head != NULL)
    return G_SOURCE_CONTINUE;
  self->dispatch_source = 0;
  return G_SOURCE_REMOVE;
}

static void
muster_sip_flow_dispatch (MusterSipFlow *self)
{
  if (self->dispatch_source == 0)
    self->dispatch_source = g_idle_add_full (G_PRIORITY_DEFAULT, on_dispatch, self, NULL);
}

/* Takes @failure. The transaction is out of the table. */
static void
transaction_fail (MusterSipTransaction *transaction, GError *failure)
{
  MusterSipFlow *self = transaction->flow;

  muster_timer_cancel (&transaction->timer_f);
  transaction->failure = failure;
  g_queue_push_tail_link (&self->answered, &transaction->link);
  muster_sip_flow_dispatch (self);
}

/* Its answer is not waited for any longer. */
static void
transaction_give_up (MusterSipTransaction *transaction)
{
  MusterSipFlow *self = transaction->flow;

  muster_sip_flow_steal (self, transaction->branch);
  if (self->heard_us >= transaction->sent_us ||
      muster_clock_now_us () - transaction->sent_us < SILENCE_US)
    return;

  self->is_silent = TRUE;
  muster_sip_flow_dispatch (self);
}

static void
on_timer_f (MusterTimer *timer, gpointer user_data)
{
  MusterSipTransaction *transaction = user_data;

  transaction_give_up (transaction);
  transaction_fail (transaction, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_REGISTER,
                                                   "the server does not answer"));
}

static void
fail_all (MusterSipFlow *self, const GError *error)
{
  g_autoptr (GHashTable) transactions = g_steal_pointer (&self->transactions);
  GHashTableIter iter;
  gpointer transaction;

  if (transactions == NULL)
    return;

  g_hash_table_iter_init (&iter, transactions);
  while (g_hash_table_iter_next (&iter, NULL, &transaction))
    transaction_fail (transaction, g_error_copy (error));
}

/* the end: takes @error */

static void
muster_sip_flow_end (MusterSipFlow *self, GError *error)
{
  g_autoptr (GError) why = error;

  if (!self->ended) {
    self->ended = TRUE;
    self->open = FALSE;
    self->is_silent = FALSE;
    muster_timer_cancel (&self->alive);
    g_clear_handle_id (&self->drain_source, g_source_remove);
    fail_all (self, why);
    muster_sip_server_lose_all (self->server);
    self->funcs->ended (self, why, self->user_data);
  }
}

static void
muster_sip_flow_give_up (MusterSipFlow *self, GError *error)
{
  muster_stream_close (self->stream);
  muster_sip_flow_end (self, error);
}

/* keeping it alive */

static void
muster_sip_flow_arm_alive (MusterSipFlow *self)
{
  gint64 fifth_ms = self->alive_s * 1000 / 5;

  muster_timer_arm_in_ms (&self->alive,
                          4 * fifth_ms + (gint64) ((double) fifth_ms * g_random_double ()));
}

/* All that is sent goes through here: it keeps the connection alive as well as a ping. */
static gboolean
muster_sip_flow_write (MusterSipFlow *self, gconstpointer data, gsize n_bytes)
{
  if (!muster_stream_send (self->stream, data, n_bytes))
    return FALSE;
  if (!self->waits_for_pong)
    muster_sip_flow_arm_alive (self);
  return TRUE;
}

static void
on_alive (MusterTimer *timer, gpointer user_data)
{
  MusterSipFlow *self = user_data;
  gint64 now_us = muster_clock_now_us ();

  /* After a sleep the pong may be there and not read yet: it is asked for once more. */
  if (self->waits_for_pong && now_us - self->pinged_us < SILENCE_US + LATE_US) {
    muster_sip_flow_give_up (self,
                             muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM,
                                               "the server does not answer keep-alives any more"));
    return;
  }

  self->waits_for_pong = FALSE;
  muster_sip_framer_take_pong (&self->framer); /* a late one, which is not half a ping */
  if (!muster_sip_flow_write (self, "\r\n\r\n", 4)) {
    muster_sip_flow_arm_alive (self); /* what waits to be sent does the same */
    return;
  }
  self->pinged_us = now_us;
  if (self->knows_pings) {
    self->waits_for_pong = TRUE;
    muster_timer_arm_in_ms (&self->alive, SILENCE_US / 1000);
  }
}

static gboolean
muster_sip_flow_has_pong_due (MusterSipFlow *self)
{
  return self->pinged_us != 0 && muster_clock_now_us () - self->pinged_us <= SILENCE_US;
}

static void
take_pong (MusterSipFlow *self)
{
  if (muster_sip_flow_has_pong_due (self))
    self->knows_pings = TRUE;
  self->pinged_us = 0;
}

static void
take_ping (MusterSipFlow *self)
{
  gint64 now_us = muster_clock_now_us ();

  if (now_us - self->ponged_us < PONG_SPACE_US)
    return;
  self->ponged_us = now_us;
  muster_sip_flow_write (self, "\r\n", 2);
}

/* the transport */

static MusterSipTransaction *
muster_sip_flow_send (MusterSipTransport *transport,
                      const char *route,
                      const MusterSipRequest *request,
                      MusterSipAnswerFunc func,
                      gpointer user_data)
{
  MusterSipFlow *self = (MusterSipFlow *) transport;
  MusterSipTransaction *transaction = g_new0 (MusterSipTransaction, 1);
  g_autofree char *digits = muster_sip_random_hex (BRANCH_DIGITS);
  g_autofree char *via = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize n_bytes;
  gconstpointer data;

  transaction->link.data = transaction;
  transaction->flow = self;
  transaction->branch = g_strconcat ("z9hG4bK", digits, NULL);
  transaction->func = func;
  transaction->user_data = user_data;
  muster_timer_init (&transaction->timer_f, on_timer_f, transaction);

  if (!self->open) {
    transaction_fail (transaction, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM,
                                                     "the connection to the server is gone"));
    return transaction;
  }

  via = g_strdup_printf ("%s;branch=%s;rport", self->sent_by, transaction->branch);
  bytes = muster_sip_wire_build_request (request, via);
  data = bytes != NULL ? g_bytes_get_data (bytes, &n_bytes) : NULL;
  if (data == NULL) {
    transaction_fail (transaction, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE,
                                                     "no request can be made of the parameters"));
    return transaction;
  }
  if (!muster_sip_flow_write (self, data, n_bytes)) {
    transaction_fail (transaction, muster_error_new (MUSTER_ERROR_BUSY, MUSTER_STEP_STREAM,
                                                     "the server does not take what is sent"));
    return transaction;
  }

  transaction->sent_us = muster_clock_now_us ();
  muster_sip_flow_put (self, transaction);
  muster_timer_arm_in_ms (&transaction->timer_f, TIMER_F_MS);
  return transaction;
}

static void
muster_sip_flow_drop (MusterSipTransport *transport, MusterSipTransaction *transaction)
{
  MusterSipFlow *self = (MusterSipFlow *) transport;

  if (transaction->failure != NULL)
    g_queue_unlink (&self->answered, &transaction->link);
  else
    transaction_give_up (transaction);
  transaction_free (transaction);
}

static const MusterSipTransportVtable transport_vtable = {
  .send = muster_sip_flow_send,
  .drop = muster_sip_flow_drop,
};

/* what comes in */

static void
on_reply (gpointer user_data, GBytes *reply)
{
  MusterSipFlow *self = user_data;

  if (self->open)
    muster_sip_flow_write (self, g_bytes_get_data (reply, NULL), g_bytes_get_size (reply));
}

static const MusterSipReceiver *
on_find (const char *token, gpointer user_data)
{
  MusterSipFlow *self = user_data;

  return self->funcs->find (token, self->user_data);
}

static const MusterSipServerFuncs server_funcs = {
  .send = on_reply,
  .find = on_find,
  .is_reliable = TRUE,
};

static void
take_message (MusterSipFlow *self, const char *bytes, gsize n_bytes, gsize body_bytes)
{
  MusterSipTransaction *transaction;
  g_autoptr (MusterSipResponse) response = NULL;
  g_autoptr (MusterSipInbound) inbound = NULL;
  g_autofree char *branch = NULL;

  response = muster_sip_wire_parse_message (bytes, n_bytes, body_bytes, &branch, &inbound);
  if (inbound != NULL)
    muster_sip_server_take (self->server, inbound);
  if (response == NULL || branch == NULL)
    return;

  transaction = muster_sip_flow_steal (self, branch);
  if (transaction == NULL)
    return;
  muster_timer_cancel (&transaction->timer_f);
  if (response->status / 100 == 2 && response->flow_timer_s > 0)
    muster_sip_flow_set_flow_timer (self, (guint) response->flow_timer_s);
  transaction->func (response, NULL, transaction->user_data);
  transaction_free (transaction);
}

static void muster_sip_flow_drain (MusterSipFlow *self);

static gboolean
on_drain (gpointer user_data)
{
  MusterSipFlow *self = user_data;

  self->drain_source = 0;
  muster_sip_flow_drain (self);
  if (self->drain_source == 0 && self->open)
    muster_stream_set_paused (self->stream, FALSE);
  return G_SOURCE_REMOVE;
}

static void
muster_sip_flow_drain (MusterSipFlow *self)
{
  const char *bytes = NULL;
  const char *problem = NULL;
  gsize n, n_body;

  for (guint i = 0; i < MESSAGES_PER_DISPATCH; i++) {
    switch (muster_sip_framer_next (&self->framer, &bytes, &n, &n_body, &problem)) {
    case MUSTER_SIP_FRAME_NONE:
      if (muster_sip_flow_has_pong_due (self) && muster_sip_framer_take_pong (&self->framer))
        take_pong (self);
      return;
    case MUSTER_SIP_FRAME_MESSAGE:
      take_message (self, bytes, n, n_body);
      break;
    case MUSTER_SIP_FRAME_PING:
      take_ping (self);
      break;
    case MUSTER_SIP_FRAME_PONG:
      take_pong (self);
      break;
    case MUSTER_SIP_FRAME_BROKEN:
      muster_sip_flow_give_up (self,
                               muster_error_new (MUSTER_ERROR_PROTOCOL, MUSTER_STEP_STREAM,
                                                 "the server does not speak SIP: %s", problem));
      return;
    }
  }

  muster_stream_set_paused (self->stream, TRUE);
  self->drain_source = g_idle_add_full (G_PRIORITY_DEFAULT, on_drain, self, NULL);
}

static void
on_readable (MusterStream *stream, const guint8 *data, gsize n_bytes, gpointer user_data)
{
  MusterSipFlow *self = user_data;

  self->heard_us = muster_clock_now_us ();
  if (self->waits_for_pong) {
    self->waits_for_pong = FALSE;
    muster_sip_flow_arm_alive (self);
  }
  muster_sip_framer_feed (&self->framer, data, n_bytes);
  muster_sip_flow_drain (self);
}

/* the connection */

static void
on_opened (MusterStream *stream, gpointer user_data)
{
  MusterSipFlow *self = user_data;
  g_autoptr (GSocketAddress) local = muster_stream_dup_local_address (stream);
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (local);
  GInetAddress *address = g_inet_socket_address_get_address (inet);
  g_autofree char *literal = g_inet_address_to_string (address);
  gboolean tls = muster_stream_is_tls (stream);

  self->local_address = g_inet_address_to_string (address);
  self->transport.contact_host = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
                                   ? g_strdup_printf ("[%s]", literal)
                                   : g_steal_pointer (&literal);
  self->transport.contact_port = g_inet_socket_address_get_port (inet);
  self->transport.contact_params = tls ? ";transport=tls" : ";transport=tcp";
  self->sent_by = g_strdup_printf ("SIP/2.0/%s %s:%u", tls ? "TLS" : "TCP",
                                   self->transport.contact_host, self->transport.contact_port);
  self->open = TRUE;
  muster_sip_flow_arm_alive (self);
  self->funcs->opened (self, self->user_data);
}

static void
on_closed (MusterStream *stream, const GError *error, gpointer user_data)
{
  MusterSipFlow *self = user_data;

  if (error != NULL)
    muster_sip_flow_end (self, g_error_copy (error));
}

static const MusterStreamFuncs stream_funcs = {
  .opened = on_opened,
  .readable = on_readable,
  .closed = on_closed,
};

char *
muster_sip_flow_key_to_purpose (const MusterSipFlowKey *key)
{
  return g_strdup_printf (
    "%s %s %u %s %p %s", key->transport == MUSTER_TRANSPORT_TLS ? "tls" : "tcp", key->host,
    key->port, key->tls_name != NULL ? key->tls_name : "", (gpointer) key->trust,
    key->key_pair != NULL ? muster_tls_key_pair_get_fingerprint (key->key_pair) : "");
}

static gint
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* After the first one the order is chance: it does not make another connection. */
char *
muster_sip_flow_key_to_string (const MusterSipFlowKey *key)
{
  g_autofree char *purpose = muster_sip_flow_key_to_purpose (key);
  g_autoptr (GPtrArray) texts = NULL;
  g_autofree char *joined = NULL;

  if (key->targets == NULL)
    return g_strconcat (purpose, " ", NULL);

  texts = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < key->targets->len; i++)
    g_ptr_array_add (texts, muster_sip_target_dup_route (key->targets->pdata[i]));
  qsort (texts->pdata + 1, texts->len - 1, sizeof (gpointer), compare_texts);
  g_ptr_array_add (texts, NULL);
  joined = g_strjoinv (" ", (GStrv) texts->pdata);
  return g_strconcat (purpose, " ", joined, NULL);
}

static void
muster_sip_flow_connect (MusterSipFlow *self, const MusterSipFlowKey *key)
{
  const MusterSipService *usual = muster_sip_target_get_service (key->transport);
  g_autoptr (GPtrArray) targets = NULL;

  if (key->targets != NULL) {
    targets = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_target_unref);
    for (guint i = 0; i < key->targets->len; i++)
      g_ptr_array_add (targets,
                       muster_target_new (key->targets->pdata[i], key->host, key->transport, 0));
    muster_stream_connect_targets (self->stream, targets, key->host);
  } else if (key->port != 0) { /* meant for the host itself (RFC 3263 section 4.2) */
    muster_stream_connect (self->stream, NULL, usual->proto, key->host, key->port,
                           MUSTER_RESOLVER_NONE);
  } else {
    muster_stream_connect (self->stream, usual->service, usual->proto, key->host, usual->port,
                           MUSTER_RESOLVER_NONE);
  }
}

MusterSipFlow *
muster_sip_flow_new (const MusterSipFlowKey *key,
                     const MusterSipFlowFuncs *funcs,
                     gpointer user_data)
{
  MusterSipFlow *self = g_new0 (MusterSipFlow, 1);

  self->transport.vtable = &transport_vtable;
  self->funcs = funcs;
  self->user_data = user_data;
  self->server = muster_sip_server_new (&server_funcs, self);
  self->alive_s = ALIVE_S;
  muster_timer_init (&self->alive, on_alive, self);
  self->stream = muster_stream_new (&stream_funcs, self);
  muster_stream_set_max_out_bytes (self->stream, MAX_OUT_BYTES);
  if (key->transport == MUSTER_TRANSPORT_TLS) {
    muster_stream_set_trust (self->stream, key->trust);
    muster_stream_set_key_pair (self->stream, key->key_pair);
    muster_stream_set_tls_name (self->stream, key->tls_name);
  }
  muster_sip_flow_connect (self, key);

  return self;
}

void
muster_sip_flow_free (MusterSipFlow *self)
{
  if (self == NULL)
    return;

  g_return_if_fail (self->transactions == NULL);

  muster_sip_server_free (self->server);
  muster_timer_cancel (&self->alive);
  g_clear_pointer (&self->stream, muster_stream_free);
  muster_sip_framer_clear (&self->framer);
  g_clear_handle_id (&self->dispatch_source, g_source_remove);
  g_clear_handle_id (&self->drain_source, g_source_remove);
  while (self->answered.head != NULL)
    transaction_free (g_queue_pop_head_link (&self->answered)->data);
  g_free (self->transport.contact_host);
  g_free (self->local_address);
  g_free (self->sent_by);
  g_free (self);
}

gboolean
muster_sip_flow_is_open (MusterSipFlow *self)
{
  return self->open;
}

GSocketAddress *
muster_sip_flow_dup_remote_address (MusterSipFlow *self)
{
  return self->open ? muster_stream_dup_remote_address (self->stream) : NULL;
}

GSocketAddress *
muster_sip_flow_get_target (MusterSipFlow *self)
{
  MusterTarget *target = muster_stream_get_target (self->stream);

  return target != NULL ? target->address : NULL;
}

const char *
muster_sip_flow_get_local_address (MusterSipFlow *self)
{
  return self->local_address;
}

MusterSipTransport *
muster_sip_flow_get_transport (MusterSipFlow *self)
{
  return &self->transport;
}

void
muster_sip_flow_set_flow_timer (MusterSipFlow *self, guint seconds)
{
  guint alive_s = CLAMP (seconds, ALIVE_MIN_S, ALIVE_MAX_S);

  self->knows_pings = TRUE;
  if (alive_s == self->alive_s)
    return;

  self->alive_s = alive_s;
  if (self->open && !self->waits_for_pong)
    muster_sip_flow_arm_alive (self);
}
