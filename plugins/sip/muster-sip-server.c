/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-server.h"

#include "muster-sip-message.h"

#include <muster/muster-hub.h>

/*
 * Server transactions (RFC 3261 section 17.2), and the replies that need none:
 *
 *    request -+-> known: its last reply again
 *             +-> refused, or OPTIONS: a reply, and nothing is kept
 *             +-> PROCEEDING --- final reply --> COMPLETED --- ACK (INVITE) --> CONFIRMED -> gone
 *                    |                ^               |                            (Timer I)
 *                    +--- CANCEL: 487-+               +-- Timer H or J ----------> gone
 *
 * Nobody answers an INVITE with a 2xx here, so each of them has its ACK in the transaction. On a stream
 * nothing is repeated: what is no INVITE is gone with its reply.
 *
 * Each request that comes in has one reply at most, not much longer than itself, so that nobody can make us
 * shout at others. Who sends too many is put off (INVITE), or has the oldest that are answered forgotten:
 * at worst one of those is handed on twice.
 */

#define T1_MS           500
#define T2_MS           4000
#define TIMER_I_MS      5000
#define TIMER_H_MS      (64 * T1_MS) /* also Timer J */
#define MAX_INVITES     1024
#define MAX_OTHERS      1024
#define MAGIC_COOKIE    "z9hG4bK"
#define ALLOW           "Allow: " MUSTER_SIP_ALLOWED_METHODS "\r\n"
#define ACCEPT          "Accept: application/sdp, text/plain\r\n"
#define TRY_AGAIN_LATER "Retry-After: 10\r\n"

typedef enum {
  PROCEEDING,
  COMPLETED,
  CONFIRMED,
} State;

struct _MusterSipServer {
  const MusterSipServerFuncs *funcs;
  gpointer user_data;

  GHashTable *transactions; /* key -> MusterSipServerTransaction; NULL: there are none */
  GHashTable *merges;       /* merge key -> the same; likewise */
  GQueue others;            /* those that are no INVITE, the oldest first */
  guint n_invites;
};

struct _MusterSipServerTransaction {
  GList link; /* in others */
  MusterSipServer *server;
  char *key;
  char *merge_key; /* nullable */
  gboolean is_invite;
  State state;
  char *reply_head; /* NULL once it is answered */
  GBytes *reply;    /* the last; nullable */
  MusterTimer timer;
  guint wait_ms;  /* until the final reply to an INVITE is sent again */
  gint64 ends_us; /* when nobody waits for its ACK any more */
  MusterSipOverFunc over;
  gpointer over_data;
};

/* matching */

/* RFC 3261 section 17.2.3. @method is INVITE for its ACK and its CANCEL. */
static char *
make_key (const MusterSipInbound *inbound, const char *method)
{
  if (inbound->branch != NULL && g_str_has_prefix (inbound->branch, MAGIC_COOKIE))
    return g_strjoin ("\n", inbound->branch, inbound->sent_by, method, NULL);

  return g_strdup_printf ("%s\n%s\n%s\n%s\n%s\n%u\n%s", inbound->sent_by, method,
                          inbound->branch != NULL ? inbound->branch : "",
                          inbound->token != NULL ? inbound->token : "", inbound->call_id,
                          inbound->cseq, inbound->from_tag != NULL ? inbound->from_tag : "");
}

/* RFC 3261 section 8.2.2.2; each account is a user agent of its own. %NULL: it cannot be merged. */
static char *
make_merge_key (const MusterSipInbound *inbound)
{
  if (inbound->to_tag != NULL)
    return NULL;
  return g_strdup_printf ("%s\n%s\n%s\n%u\n%s", inbound->method, inbound->token, inbound->call_id,
                          inbound->cseq, inbound->from_tag != NULL ? inbound->from_tag : "");
}

static MusterSipServerTransaction *
muster_sip_server_find (MusterSipServer *self, const char *key)
{
  return self->transactions != NULL ? g_hash_table_lookup (self->transactions, key) : NULL;
}

/* a transaction's life */

static void
transaction_remove (MusterSipServerTransaction *transaction)
{
  MusterSipServer *self = transaction->server;

  g_hash_table_remove (self->transactions, transaction->key);
  if (transaction->merge_key != NULL)
    g_hash_table_remove (self->merges, transaction->merge_key);
  if (transaction->is_invite)
    self->n_invites--;
  else
    g_queue_unlink (&self->others, &transaction->link);

  if (g_hash_table_size (self->transactions) == 0) {
    g_clear_pointer (&self->transactions, g_hash_table_unref);
    g_clear_pointer (&self->merges, g_hash_table_unref);
  }

  muster_timer_cancel (&transaction->timer);
  g_clear_pointer (&transaction->reply, g_bytes_unref);
  g_free (transaction->reply_head);
  g_free (transaction->merge_key);
  g_free (transaction->key);
  g_free (transaction);
}

static void
transaction_tell_over (MusterSipServerTransaction *transaction, MusterSipOver why)
{
  MusterSipOverFunc over = g_steal_pointer (&transaction->over);

  if (over != NULL)
    over (why, transaction->over_data);
}

static void
transaction_resend (MusterSipServerTransaction *transaction)
{
  MusterSipServer *self = transaction->server;

  if (transaction->reply != NULL && transaction->state != CONFIRMED)
    self->funcs->send (self->user_data, transaction->reply);
}

/* Timers G and H: until the ACK. */
static void
transaction_arm_resend (MusterSipServerTransaction *transaction)
{
  gint64 at_us = muster_clock_now_us () + (gint64) transaction->wait_ms * 1000;

  if (transaction->server->funcs->is_reliable)
    at_us = transaction->ends_us;
  muster_timer_arm_at (&transaction->timer, MIN (at_us, transaction->ends_us));
}

static void
on_timer (MusterTimer *timer, gpointer user_data)
{
  MusterSipServerTransaction *transaction = user_data;

  if (transaction->state == COMPLETED && transaction->is_invite &&
      muster_clock_now_us () < transaction->ends_us) {
    transaction_resend (transaction);
    transaction->wait_ms = MIN (2 * transaction->wait_ms, T2_MS);
    transaction_arm_resend (transaction);
    return;
  }

  if (transaction->state == PROCEEDING)
    transaction_tell_over (transaction, MUSTER_SIP_OVER_LOST);
  transaction_remove (transaction);
}

/* @transaction got its final reply. */
static void
transaction_complete (MusterSipServerTransaction *transaction)
{
  transaction->state = COMPLETED;
  transaction->over = NULL;
  g_clear_pointer (&transaction->reply_head, g_free);

  if (transaction->is_invite) {
    transaction->wait_ms = T1_MS;
    transaction->ends_us = muster_clock_now_us () + TIMER_H_MS * 1000;
    transaction_arm_resend (transaction);
  } else if (transaction->server->funcs->is_reliable) {
    transaction_remove (transaction);
  } else {
    muster_timer_arm_in_ms (&transaction->timer, TIMER_H_MS);
  }
}

void
muster_sip_server_transaction_reply (MusterSipServerTransaction *transaction,
                                     guint status,
                                     const char *headers)
{
  MusterSipServer *self = transaction->server;

  g_return_if_fail (transaction->state == PROCEEDING);
  g_return_if_fail (!transaction->is_invite || status / 100 != 2);

  g_clear_pointer (&transaction->reply, g_bytes_unref);
  transaction->reply = muster_sip_reply_build (transaction->reply_head, status, headers);
  self->funcs->send (self->user_data, transaction->reply);
  if (status >= 200)
    transaction_complete (transaction);
}

void
muster_sip_server_transaction_watch (MusterSipServerTransaction *transaction,
                                     MusterSipOverFunc func,
                                     gpointer user_data)
{
  transaction->over = func;
  transaction->over_data = user_data;
}

static MusterSipServerTransaction *
muster_sip_server_add (MusterSipServer *self,
                       const MusterSipInbound *inbound,
                       const char *key,
                       const char *merge_key)
{
  MusterSipServerTransaction *transaction = g_new0 (MusterSipServerTransaction, 1);

  transaction->link.data = transaction;
  transaction->server = self;
  transaction->key = g_strdup (key);
  transaction->merge_key = g_strdup (merge_key);
  transaction->is_invite = g_str_equal (inbound->method, "INVITE");
  transaction->reply_head = g_strdup (inbound->reply_head);
  muster_timer_init (&transaction->timer, on_timer, transaction);

  if (self->transactions == NULL) {
    self->transactions = g_hash_table_new (g_str_hash, g_str_equal);
    self->merges = g_hash_table_new (g_str_hash, g_str_equal);
  }
  g_hash_table_insert (self->transactions, transaction->key, transaction);
  if (merge_key != NULL)
    g_hash_table_insert (self->merges, transaction->merge_key, transaction);

  if (transaction->is_invite) {
    self->n_invites++;
  } else {
    g_queue_push_tail_link (&self->others, &transaction->link);
    muster_timer_arm_in_ms (&transaction->timer, TIMER_H_MS); /* whoever asks has given up then */
  }
  return transaction;
}

static gboolean
muster_sip_server_make_room (MusterSipServer *self, const MusterSipInbound *inbound)
{
  MusterSipServerTransaction *oldest;

  if (g_str_equal (inbound->method, "INVITE"))
    return self->n_invites < MAX_INVITES;
  if (self->others.length < MAX_OTHERS)
    return TRUE;

  oldest = self->others.head->data;
  if (oldest->state == PROCEEDING)
    return FALSE;
  transaction_remove (oldest);
  return TRUE;
}

/* what comes in */

static void
reply_statelessly (MusterSipServer *self,
                   const MusterSipInbound *inbound,
                   guint status,
                   const char *headers)
{
  g_autoptr (GBytes) reply = muster_sip_reply_build (inbound->reply_head, status, headers);

  self->funcs->send (self->user_data, reply);
}

static void
take_ack (MusterSipServer *self, const MusterSipInbound *inbound)
{
  g_autofree char *key = make_key (inbound, "INVITE");
  MusterSipServerTransaction *transaction = muster_sip_server_find (self, key);

  if (transaction == NULL || transaction->state != COMPLETED)
    return;
  if (self->funcs->is_reliable) {
    transaction_remove (transaction);
    return;
  }
  transaction->state = CONFIRMED;
  muster_timer_arm_in_ms (&transaction->timer, TIMER_I_MS);
}

/* RFC 3326; 26 is what ISDN says of a call that another one got. */
static MusterSipOver
read_cancel (const MusterSipInbound *cancel)
{
  switch (cancel->sip_cause) {
  case 200:
  case 600:
  case 603:
    return MUSTER_SIP_OVER_ELSEWHERE;
  default:
    return cancel->q850_cause == 26 ? MUSTER_SIP_OVER_ELSEWHERE : MUSTER_SIP_OVER_CANCELLED;
  }
}

static void
take_cancel (MusterSipServer *self, const MusterSipInbound *inbound)
{
  g_autofree char *key = make_key (inbound, "INVITE");
  MusterSipServerTransaction *transaction = muster_sip_server_find (self, key);
  MusterSipOverFunc over;

  reply_statelessly (self, inbound, transaction != NULL ? 200 : 481, NULL);
  if (transaction == NULL || transaction->state != PROCEEDING)
    return;

  over = g_steal_pointer (&transaction->over);
  muster_sip_server_transaction_reply (transaction, 487, NULL);
  if (over != NULL)
    over (read_cancel (inbound), transaction->over_data);
}

static gboolean
is_known_method (const char *method)
{
  static const char *const methods[] = { "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", NULL };

  return g_strv_contains (methods, method);
}

/* In the order of RFC 3261 section 8.2. A NOTIFY is in a dialog, and requires what was subscribed with; its
 * receiver knows. */
guint
muster_sip_server_judge (const MusterSipInbound *inbound, gboolean is_ours)
{
  if (!is_known_method (inbound->method))
    return 405;
  if (!is_ours)
    return 404;
  if (g_str_equal (inbound->method, "NOTIFY"))
    return 0;
  if (inbound->to_tag != NULL)
    return 481;
  if (inbound->unsupported != NULL)
    return 420;
  return 0;
}

static void
refuse (MusterSipServer *self, const MusterSipInbound *inbound, guint status)
{
  g_autofree char *headers = NULL;

  if (status == 405)
    headers = g_strdup (ALLOW);
  else if (status == 420)
    headers = g_strdup_printf ("Unsupported: %s\r\n", inbound->unsupported);
  reply_statelessly (self, inbound, status, headers);
}

static void
take_options (MusterSipServer *self,
              const MusterSipInbound *inbound,
              const MusterSipReceiver *receiver)
{
  if (receiver->funcs->options_seen != NULL)
    receiver->funcs->options_seen (receiver->user_data, inbound);
  reply_statelessly (self, inbound, 200, ALLOW ACCEPT);
}

/* It is nothing that we have seen before. */
static void
take_new (MusterSipServer *self, const MusterSipInbound *inbound, const char *key)
{
  const MusterSipReceiver *receiver = inbound->token != NULL
                                        ? self->funcs->find (inbound->token, self->user_data)
                                        : NULL;
  guint status = muster_sip_server_judge (inbound, receiver != NULL);
  g_autofree char *merge_key = NULL;

  if (status != 0) {
    refuse (self, inbound, status);
    return;
  }
  if (g_str_equal (inbound->method, "OPTIONS")) {
    take_options (self, inbound, receiver);
    return;
  }

  merge_key = make_merge_key (inbound);
  if (merge_key != NULL && self->merges != NULL &&
      g_hash_table_contains (self->merges, merge_key)) {
    reply_statelessly (self, inbound, 482, NULL);
    return;
  }
  if (!muster_sip_server_make_room (self, inbound)) {
    reply_statelessly (self, inbound, 503, TRY_AGAIN_LATER);
    return;
  }
  receiver->funcs->request (receiver->user_data, inbound,
                            muster_sip_server_add (self, inbound, key, merge_key));
}

void
muster_sip_server_take (MusterSipServer *self, const MusterSipInbound *inbound)
{
  MusterSipServerTransaction *transaction;
  g_autofree char *key = NULL;

  if (g_str_equal (inbound->method, "ACK")) {
    take_ack (self, inbound);
    return;
  }
  if (g_str_equal (inbound->method, "CANCEL")) {
    take_cancel (self, inbound);
    return;
  }

  key = make_key (inbound, inbound->method);
  transaction = muster_sip_server_find (self, key);
  if (transaction != NULL)
    transaction_resend (transaction);
  else
    take_new (self, inbound, key);
}

/* the server's life */

MusterSipServer *
muster_sip_server_new (const MusterSipServerFuncs *funcs, gpointer user_data)
{
  MusterSipServer *self = g_new0 (MusterSipServer, 1);

  self->funcs = funcs;
  self->user_data = user_data;
  return self;
}

/* Whoever is told may have others go. */
void
muster_sip_server_lose_all (MusterSipServer *self)
{
  while (self->transactions != NULL) {
    MusterSipServerTransaction *transaction = NULL;
    GHashTableIter iter;

    g_hash_table_iter_init (&iter, self->transactions);
    g_hash_table_iter_next (&iter, NULL, (gpointer *) &transaction);
    transaction->state = COMPLETED;
    transaction_tell_over (transaction, MUSTER_SIP_OVER_LOST);
    transaction_remove (transaction);
  }
}

void
muster_sip_server_free (MusterSipServer *self)
{
  if (self == NULL)
    return;
  muster_sip_server_lose_all (self);
  g_free (self);
}
