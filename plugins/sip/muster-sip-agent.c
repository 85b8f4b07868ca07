/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-agent.h"

#include "muster-sip-server.h"
#include "muster-sip-sofia.h"
#include "muster-sip-wire.h"

#include <muster/muster-hub.h>

/*
 * Transactions over UDP by Sofia's nta, and the requests that come in on the same socket.
 *
 * Answers are handed on from the main loop and never from within Sofia's own calls, so whoever gets one
 * may send the next request, drop transactions and have agents destroyed. A bounded number goes into
 * one dispatch.
 *
 * Sofia goes on retransmitting a dropped request until its Timer F (32 s) or an answer; nobody hears of
 * it. Its CSeq is older than that of the request that follows, so registrars ignore it.
 *
 * Many a NAT forgets a way over UDP after 30 s of silence. The ways that matter are kept open by a datagram
 * each, in rounds, a bounded number at once; in between, and without any, nothing is awake. RFC 5626 section
 * 3.5.2 has STUN for it, which needs a server that speaks it; two line ends need nothing but a NAT.
 */

#define ANSWERS_PER_DISPATCH 64
#define CLOCK_STEP_US        2000000

#define ROUND_MS      25000 /* the longest; the shortest is four fifths of it */
#define PINGS_AT_ONCE 32
#define PING_PAUSE_MS 50

struct _MusterSipAgent {
  MusterSipTransport transport; /* first */
  char *address;
  MusterSipFindReceiverFunc find;
  gpointer user_data;
  MusterSipServer *server;

  nta_agent_t *nta; /* NULL: could not be made anew; every send fails until it can */
  nta_leg_t *leg;   /* destroyed with nta */
  gint64 wall_offset_us;
  gint64 suspended_us; /* the machine, when nta was made */

  GQueue pending;   /* of MusterSipTransaction *: with Sofia */
  GQueue answered;  /* of MusterSipTransaction *: waiting for their turn */
  GSource *answers; /* an AnswersSource */

  GHashTable *ways;  /* route -> Way */
  GQueue ways_queue; /* of Way: those that had their ping in this round are behind the others */
  guint round;
  gint64 round_ends_us;
  MusterTimer alive; /* the next pings; armed while there are ways */
};

/* to be kept open */
typedef struct {
  GList link; /* in ways_queue */
  char *route;
  guint n_users;
  guint round; /* in which it had its last ping */
} Way;

/* Ready while answers wait. One that stays costs less than an idle source for each answer. */
typedef struct {
  GSource source; /* first */
  MusterSipAgent *agent;
} AnswersSource;

struct _MusterSipTransaction {
  GList link; /* in pending or answered */
  MusterSipAgent *agent;
  nta_outgoing_t *outgoing; /* NULL once answered */
  MusterSipAnswerFunc func;
  gpointer user_data;
  MusterSipResponse *response; /* one of these once answered */
  GError *failure;
};

static void
transaction_free (MusterSipTransaction *transaction)
{
  g_clear_pointer (&transaction->response, muster_sip_response_unref);
  g_clear_error (&transaction->failure);
  g_free (transaction);
}

/* answers */

static gboolean
answers_prepare (GSource *source, gint *timeout_ms)
{
  *timeout_ms = -1;
  return ((AnswersSource *) source)->agent->answered.head != NULL;
}

static gboolean
answers_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  MusterSipAgent *self = ((AnswersSource *) source)->agent;

  for (guint i = 0; i < ANSWERS_PER_DISPATCH && self->answered.head != NULL; i++) {
    MusterSipTransaction *transaction = g_queue_pop_head_link (&self->answered)->data;

    transaction->func (transaction->response, transaction->failure, transaction->user_data);
    transaction_free (transaction);
  }
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs answers_funcs = { answers_prepare, NULL, answers_dispatch, NULL, NULL, NULL };

static GSource *
answers_source_new (MusterSipAgent *agent)
{
  GSource *source = g_source_new (&answers_funcs, sizeof (AnswersSource));

  ((AnswersSource *) source)->agent = agent;
  g_source_set_static_name (source, "SIP answers");
  g_source_attach (source, NULL);
  return source;
}

/* Takes what was set in @transaction to the loop. */
static void
transaction_answered (MusterSipTransaction *transaction)
{
  MusterSipAgent *self = transaction->agent;

  g_queue_unlink (&self->pending, &transaction->link);
  g_queue_push_tail_link (&self->answered, &transaction->link);
}

static GError *
no_answer_error (guint internal_status)
{
  if (internal_status == 408)
    return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                             "the server does not answer");
  return muster_error_new (
    MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
    "the server cannot be reached: nobody listens there, or no way leads there");
}

static int
on_response (MusterSipTransaction *transaction, nta_outgoing_t *outgoing, sip_t const *sip)
{
  guint status = (guint) nta_outgoing_status (outgoing);

  if (sip != NULL && sip->sip_status != NULL)
    status = (guint) sip->sip_status->st_status;
  if (status < 200)
    return 0;

  if (sip == NULL || sip->sip_status == NULL || nta_sip_is_internal (sip))
    transaction->failure = no_answer_error (status);
  else
    transaction->response = muster_sip_wire_read_response (sip);

  transaction->outgoing = NULL;
  nta_outgoing_destroy (outgoing);
  transaction_answered (transaction);
  return 0;
}

/* the transport */

static MusterSipTransaction *
muster_sip_agent_send (MusterSipTransport *transport,
                       const char *route,
                       const MusterSipRequest *request,
                       MusterSipAnswerFunc func,
                       gpointer user_data)
{
  MusterSipAgent *self = (MusterSipAgent *) transport;
  MusterSipTransaction *transaction = g_new0 (MusterSipTransaction, 1);
  MusterSipHeaderText text;

  muster_sip_header_text_init (&text, request);
  transaction->link.data = transaction;
  transaction->agent = self;
  transaction->func = func;
  transaction->user_data = user_data;
  g_queue_push_tail_link (&self->pending, &transaction->link);

  if (self->nta != NULL)
    transaction->outgoing = nta_outgoing_tcreate (
      self->leg, on_response, transaction, URL_STRING_MAKE (route),
      sip_method_code (request->method), request->method, URL_STRING_MAKE (request->request_uri),
      MUSTER_SIP_HEADER_TAGS (request, &text), TAG_END ());
  muster_sip_header_text_clear (&text);

  if (transaction->outgoing == NULL) {
    transaction->failure = no_answer_error (503);
    transaction_answered (transaction);
  }
  return transaction;
}

static void
muster_sip_agent_drop (MusterSipTransport *transport, MusterSipTransaction *transaction)
{
  MusterSipAgent *self = (MusterSipAgent *) transport;

  if (transaction->outgoing != NULL) {
    g_queue_unlink (&self->pending, &transaction->link);
    nta_outgoing_destroy (transaction->outgoing);
  } else {
    g_queue_unlink (&self->answered, &transaction->link);
  }
  transaction_free (transaction);
}

static const MusterSipTransportVtable transport_vtable = {
  .send = muster_sip_agent_send,
  .drop = muster_sip_agent_drop,
};

/* keeping ways open */

static void
way_free (Way *way)
{
  g_free (way->route);
  g_free (way);
}

static void
muster_sip_agent_begin_round (MusterSipAgent *self)
{
  const gint64 fifth_ms = ROUND_MS / 5;
  gint64 ms = 4 * fifth_ms + (gint64) ((double) fifth_ms * g_random_double ());

  self->round++;
  self->round_ends_us = muster_clock_now_us () + ms * 1000;
}

/* The way that waits for its ping in this round; %NULL: none does. */
static Way *
muster_sip_agent_get_next_way (MusterSipAgent *self)
{
  Way *way = self->ways_queue.head->data;

  return way->round != self->round ? way : NULL;
}

static void
on_alive (MusterTimer *timer, gpointer user_data)
{
  MusterSipAgent *self = user_data;
  Way *way;

  if (muster_clock_now_us () >= self->round_ends_us)
    muster_sip_agent_begin_round (self);

  for (guint i = 0; i < PINGS_AT_ONCE && (way = muster_sip_agent_get_next_way (self)) != NULL;
       i++) {
    way->round = self->round;
    g_queue_unlink (&self->ways_queue, &way->link);
    g_queue_push_tail_link (&self->ways_queue, &way->link);
    if (self->nta != NULL)
      muster_sip_sofia_agent_ping (self->nta, way->route);
  }

  if (muster_sip_agent_get_next_way (self) != NULL)
    muster_timer_arm_in_ms (&self->alive, PING_PAUSE_MS);
  else
    muster_timer_arm_at (&self->alive, self->round_ends_us);
}

static void
muster_sip_agent_add_way (MusterSipAgent *self, const char *route)
{
  Way *way = g_hash_table_lookup (self->ways, route);

  if (!muster_timer_is_armed (&self->alive)) {
    muster_sip_agent_begin_round (self);
    muster_timer_arm_at (&self->alive, self->round_ends_us);
  }

  if (way == NULL) {
    way = g_new0 (Way, 1);
    way->link.data = way;
    way->route = g_strdup (route);
    way->round = self->round; /* something was just sent to it */
    g_hash_table_insert (self->ways, way->route, way);
    g_queue_push_tail_link (&self->ways_queue, &way->link);
  }
  way->n_users++;
}

static void
muster_sip_agent_remove_way (MusterSipAgent *self, const char *route)
{
  Way *way = g_hash_table_lookup (self->ways, route);

  g_return_if_fail (way != NULL);

  if (--way->n_users > 0)
    return;
  g_queue_unlink (&self->ways_queue, &way->link);
  g_hash_table_remove (self->ways, route);
  if (self->ways_queue.head == NULL)
    muster_timer_cancel (&self->alive);
}

/* requests that come in */

static int
on_request (MusterSipAgent *self, nta_agent_t *nta, msg_t *message, sip_t *sip)
{
  g_autoptr (MusterSipInbound) inbound = NULL;

  /* Answers that no transaction waits for come here, too. */
  if (sip->sip_request != NULL)
    inbound = muster_sip_wire_read_inbound (sip);
  if (inbound != NULL)
    muster_sip_server_take (self->server, inbound);
  nta_msg_discard (nta, message);
  return 0;
}

static void
on_reply (gpointer user_data, GBytes *reply)
{
  MusterSipAgent *self = user_data;

  if (self->nta != NULL)
    muster_sip_sofia_agent_reply (self->nta, reply);
}

static const MusterSipReceiver *
on_find (const char *token, gpointer user_data)
{
  MusterSipAgent *self = user_data;

  return self->find (token, self->user_data);
}

static const MusterSipServerFuncs server_funcs = {
  .send = on_reply,
  .find = on_find,
};

/* A leg that is in no dialog serves all requests; it gets none itself, the agent being stateless. */
static int
on_leg_request (MusterSipAgent *self, nta_leg_t *leg, nta_incoming_t *incoming, sip_t const *sip)
{
  return 481;
}

/* the socket */

static gint64
wall_offset_us (void)
{
  return muster_clock_wall_us () - muster_clock_now_us ();
}

static gboolean
bring_up (MusterSipAgent *self, guint16 port)
{
  if (port != 0)
    self->nta = muster_sip_sofia_agent_new (self->address, port, on_request, self);
  if (self->nta == NULL)
    self->nta = muster_sip_sofia_agent_new (self->address, 0, on_request, self);
  if (self->nta == NULL)
    return FALSE;

  self->leg = nta_leg_tcreate (self->nta, on_leg_request, self, NTATAG_NO_DIALOG (1), TAG_END ());
  self->transport.contact_port = muster_sip_sofia_agent_get_port (self->nta);
  self->wall_offset_us = wall_offset_us ();
  self->suspended_us = muster_clock_suspended_us ();
  return self->leg != NULL;
}

/* Fails what is under way: nta_agent_destroy() frees transactions without a word. */
static void
take_down (MusterSipAgent *self)
{
  while (self->pending.head != NULL) {
    MusterSipTransaction *transaction = self->pending.head->data;

    transaction->outgoing = NULL;
    transaction->failure = no_answer_error (503);
    transaction_answered (transaction);
  }
  self->leg = NULL;
  g_clear_pointer (&self->nta, nta_agent_destroy);
}

MusterSipAgent *
muster_sip_agent_new (const char *address,
                      guint16 port,
                      MusterSipFindReceiverFunc find,
                      gpointer user_data,
                      GError **error)
{
  g_autoptr (MusterSipAgent) self = g_new0 (MusterSipAgent, 1);

  self->transport.vtable = &transport_vtable;
  self->transport.contact_params = "";
  self->transport.contact_host = strchr (address, ':') != NULL ? g_strdup_printf ("[%s]", address)
                                                               : g_strdup (address);
  self->address = g_strdup (address);
  self->find = find;
  self->user_data = user_data;
  self->server = muster_sip_server_new (&server_funcs, self);
  self->answers = answers_source_new (self);
  self->ways = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) way_free);
  muster_timer_init (&self->alive, on_alive, self);

  if (!bring_up (self, port)) {
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                                                "no UDP socket can be had on %s", address));
    return NULL;
  }
  g_debug ("receiving on UDP port %u", self->transport.contact_port);
  return g_steal_pointer (&self);
}

void
muster_sip_agent_free (MusterSipAgent *self)
{
  if (self == NULL)
    return;
  muster_sip_server_free (self->server);
  take_down (self);
  g_source_destroy (self->answers);
  g_source_unref (self->answers);
  while (self->answered.head != NULL)
    transaction_free (g_queue_pop_head_link (&self->answered)->data);
  muster_timer_cancel (&self->alive);
  g_hash_table_unref (self->ways);
  g_free (self->transport.contact_host);
  g_free (self->address);
  g_free (self);
}

const char *
muster_sip_agent_get_address (MusterSipAgent *self)
{
  return self->address;
}

MusterSipTransport *
muster_sip_agent_get_transport (MusterSipAgent *self)
{
  return &self->transport;
}

void
muster_sip_agent_keep_alive (MusterSipAgent *self, const char *route, gboolean on)
{
  if (on)
    muster_sip_agent_add_way (self, route);
  else
    muster_sip_agent_remove_way (self, route);
}

void
muster_sip_agent_check_clock (MusterSipAgent *self)
{
  gint64 step_us = wall_offset_us () - self->wall_offset_us;
  gint64 slept_us = muster_clock_suspended_us () - self->suspended_us;

  if (self->nta != NULL && ABS (step_us) < CLOCK_STEP_US && slept_us < CLOCK_STEP_US)
    return;

  g_info ("the clock was set by %d s, the machine slept for %d s: making the UDP socket anew",
          (int) (step_us / G_USEC_PER_SEC), (int) (slept_us / G_USEC_PER_SEC));
  take_down (self);
  bring_up (self, self->transport.contact_port);
}
