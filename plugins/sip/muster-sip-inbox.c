/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-inbox.h"

#include "muster-sip-message.h"
#include "muster-sip-server.h"
#include "muster-sip-text.h"

#include <muster/muster-hub.h>

#include <string.h>

/*
 * Calls and messages of one account:
 *
 *    INVITE -> 180, waiting -+-> answer: 302, 486 or 603 -> taken
 *                            +-> CANCEL                  -> cancelled, elsewhere
 *                            +-> a minute, or a close: 480, or the transport goes -> stale
 *    MESSAGE -> 200 and it is told, or why not
 *
 * One Call-ID may come more than once: a proxy that tries us again, many a sender's messages. So what we
 * call it has a number before it, and it is told apart from what is over, in an inbox of the same account
 * before this one, too.
 */

#define RING_MS           60000 /* Timer C of the proxies on the way is longer (RFC 3261 section 16.6) */
#define MAX_CALLS         8
#define MAX_ID_BYTES      256
#define MAX_NAME_BYTES    256
#define MAX_SUBJECT_BYTES 1024

#define CALL_MARK    'c'
#define MESSAGE_MARK 'm'

struct _MusterSipInbox {
  MusterSipReceiver receiver;
  MusterSipOfferFunc func;
  gpointer user_data;
  MusterSipNotifyFunc notify; /* nullable */
  gpointer notify_data;
  MusterSipOptionsFunc options; /* nullable */
  gpointer options_data;
  gboolean takes_documents;

  GQueue calls; /* of Call: those that wait */
};

typedef struct {
  GList link; /* in calls */
  MusterSipInbox *inbox;
  MusterSipServerTransaction *transaction; /* NULL: it has its reply */
  MusterOffer *offer;
  MusterTimer timer;
} Call;

/* Takes @call, with its last reply given. */
static void
call_end (Call *call, MusterOfferState state)
{
  MusterSipInbox *self = call->inbox;

  g_queue_unlink (&self->calls, &call->link);
  muster_timer_cancel (&call->timer);
  call->offer->state = state;
  self->func (call->offer, self->user_data);
  muster_offer_free (call->offer);
  g_free (call);
}

static void
call_reply (Call *call, guint status, const char *headers, MusterOfferState state)
{
  muster_sip_server_transaction_reply (g_steal_pointer (&call->transaction), status, headers);
  call_end (call, state);
}

static void
on_undecided (MusterTimer *timer, gpointer user_data)
{
  call_reply (user_data, 480, NULL, MUSTER_OFFER_STALE);
}

static void
on_over (MusterSipOver why, gpointer user_data)
{
  switch (why) {
  case MUSTER_SIP_OVER_CANCELLED:
    call_end (user_data, MUSTER_OFFER_CANCELLED);
    return;
  case MUSTER_SIP_OVER_ELSEWHERE:
    call_end (user_data, MUSTER_OFFER_ELSEWHERE);
    return;
  case MUSTER_SIP_OVER_LOST:
    call_end (user_data, MUSTER_OFFER_STALE);
    return;
  }
}

/* what comes in */

static MusterOffer *
make_offer (MusterOfferKind kind, const MusterSipInbound *inbound)
{
  static guint64 n_offers; /* of all inboxes */
  g_autofree char *call_id = muster_sip_text_dup_printable (inbound->call_id, MAX_ID_BYTES);
  char mark = kind == MUSTER_OFFER_CALL ? CALL_MARK : MESSAGE_MARK;
  g_autofree char *id = g_strdup_printf ("%c%" G_GUINT64_FORMAT "-%s", mark, ++n_offers, call_id);
  g_autofree char *from = muster_sip_text_dup_printable (inbound->from,
                                                         MUSTER_SIP_MAX_ADDRESS_BYTES);
  MusterOffer *offer = muster_offer_new (id, kind, from, muster_clock_wall_us ());

  if (inbound->from_name != NULL)
    offer->from_name = muster_sip_text_dup_printable (inbound->from_name, MAX_NAME_BYTES);
  return offer;
}

static void
take_call (MusterSipInbox *self,
           const MusterSipInbound *inbound,
           MusterSipServerTransaction *transaction)
{
  Call *call;

  if (self->calls.length >= MAX_CALLS) {
    muster_sip_server_transaction_reply (transaction, 486, NULL);
    return;
  }

  call = g_new0 (Call, 1);
  call->link.data = call;
  call->inbox = self;
  call->transaction = transaction;
  call->offer = make_offer (MUSTER_OFFER_CALL, inbound);
  if (inbound->subject != NULL)
    call->offer->text = muster_sip_text_dup_printable (inbound->subject, MAX_SUBJECT_BYTES);
  muster_timer_init (&call->timer, on_undecided, call);
  muster_timer_arm_in_ms (&call->timer, RING_MS);
  g_queue_push_tail_link (&self->calls, &call->link);
  muster_sip_server_transaction_watch (transaction, on_over, call);
  muster_sip_server_transaction_reply (transaction, 180, NULL);
  self->func (call->offer, self->user_data); /* it may have its answer then */
}

#define ACCEPT_TEXT     "Accept: text/plain\r\n"
#define ACCEPT_DOCUMENT "Accept: text/plain, " MUSTER_SIP_DOCUMENT_TYPE "\r\n"
#define ACCEPT_ENCODING "Accept-Encoding: identity\r\n"

static const char *
accept_headers (MusterSipInbox *self)
{
  return self->takes_documents ? ACCEPT_DOCUMENT ACCEPT_ENCODING : ACCEPT_TEXT ACCEPT_ENCODING;
}

static void
take_message (MusterSipInbox *self,
              const MusterSipInbound *inbound,
              MusterSipServerTransaction *transaction)
{
  guint status;
  g_autofree char *text = muster_sip_text_decode (inbound, self->takes_documents, &status);
  g_autoptr (MusterOffer) offer = NULL;

  muster_sip_server_transaction_reply (transaction, status,
                                       status == 415 ? accept_headers (self) : NULL);
  if (text == NULL)
    return;

  offer = make_offer (MUSTER_OFFER_MESSAGE, inbound);
  offer->text = g_steal_pointer (&text);
  self->func (offer, self->user_data);
}

static void
on_request (gpointer user_data,
            const MusterSipInbound *inbound,
            MusterSipServerTransaction *transaction)
{
  MusterSipInbox *self = user_data;

  if (g_str_equal (inbound->method, "INVITE"))
    take_call (self, inbound, transaction);
  else if (g_str_equal (inbound->method, "MESSAGE"))
    take_message (self, inbound, transaction);
  else if (self->notify == NULL || !self->notify (self->notify_data, inbound, transaction))
    muster_sip_server_transaction_reply (transaction, 481, NULL);
}

static void
on_options_seen (gpointer user_data, const MusterSipInbound *inbound)
{
  MusterSipInbox *self = user_data;

  if (self->options != NULL)
    self->options (self->options_data, inbound);
}

static const MusterSipReceiverFuncs receiver_funcs = {
  .request = on_request,
  .options_seen = on_options_seen,
};

/* answers */

static Call *
find_call (MusterSipInbox *self, const char *id)
{
  for (GList *link = self->calls.head; link != NULL; link = link->next) {
    Call *call = link->data;

    if (g_str_equal (call->offer->id, id))
      return call;
  }
  return NULL;
}

/* A URI and nothing else: it goes in angle brackets, and what follows in a header would be believed. */
static gboolean
is_target (const char *uri)
{
  static const char *const schemes[] = { "sip:", "sips:", "tel:" };

  if (uri == NULL || !muster_sip_address_is_fit (uri))
    return FALSE;
  for (const char *c = uri; *c != '\0'; c++) {
    if (*c <= ' ' || *c > '~' || strchr ("<>\"\\^`{|}", *c) != NULL)
      return FALSE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++) {
    gsize n = strlen (schemes[i]);

    if (g_ascii_strncasecmp (uri, schemes[i], n) == 0)
      return uri[n] != '\0';
  }
  return FALSE;
}

static gboolean
call_redirect (Call *call, const char *target, GError **error)
{
  g_autofree char *contact = NULL;

  if (!is_target (target)) {
    g_propagate_error (error,
                       muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_NONE,
                                         "a call can be handed to a sip:, sips: or tel: address, "
                                         "complete and without blanks"));
    return FALSE;
  }
  contact = g_strdup_printf ("Contact: <%s>\r\n", target);
  call_reply (call, 302, contact, MUSTER_OFFER_TAKEN);
  return TRUE;
}

static gboolean
call_answer (Call *call, MusterAnswer answer, const char *target, GError **error)
{
  switch (answer) {
  case MUSTER_ANSWER_ACCEPT:
  case MUSTER_ANSWER_REDIRECT:
    return call_redirect (call, target, error);
  case MUSTER_ANSWER_DECLINE:
    call_reply (call, 603, NULL, MUSTER_OFFER_TAKEN);
    return TRUE;
  case MUSTER_ANSWER_BUSY:
    call_reply (call, 486, NULL, MUSTER_OFFER_TAKEN);
    return TRUE;
  }
  g_return_val_if_reached (FALSE);
}

/* It has had its 200: whoever sent it hears no more of it. */
static gboolean
answer_message (MusterAnswer answer, GError **error)
{
  if (answer != MUSTER_ANSWER_REDIRECT && answer != MUSTER_ANSWER_BUSY)
    return TRUE;
  g_propagate_error (error, muster_error_new (MUSTER_ERROR_UNSUPPORTED, MUSTER_STEP_NONE,
                                              "the message has arrived: SIP cannot send it on"));
  return FALSE;
}

gboolean
muster_sip_inbox_answer (MusterSipInbox *self,
                         const char *id,
                         MusterAnswer answer,
                         const char *target,
                         GError **error)
{
  Call *call;

  if (*id == MESSAGE_MARK)
    return answer_message (answer, error);

  call = find_call (self, id);
  if (call == NULL) {
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_EXPIRED, MUSTER_STEP_NONE,
                                                "the call is over: whoever called has heard so"));
    return FALSE;
  }
  return call_answer (call, answer, target, error);
}

/* the inbox's life */

MusterSipInbox *
muster_sip_inbox_new (MusterSipOfferFunc func, gpointer user_data)
{
  MusterSipInbox *self = g_new0 (MusterSipInbox, 1);

  self->receiver.funcs = &receiver_funcs;
  self->receiver.user_data = self;
  self->func = func;
  self->user_data = user_data;
  g_queue_init (&self->calls);
  return self;
}

void
muster_sip_inbox_close (MusterSipInbox *self)
{
  while (self->calls.head != NULL)
    call_reply (self->calls.head->data, 480, NULL, MUSTER_OFFER_STALE);
}

void
muster_sip_inbox_free (MusterSipInbox *self)
{
  if (self == NULL)
    return;
  muster_sip_inbox_close (self);
  g_free (self);
}

const MusterSipReceiver *
muster_sip_inbox_get_receiver (MusterSipInbox *self)
{
  return &self->receiver;
}

void
muster_sip_inbox_set_takes_documents (MusterSipInbox *self, gboolean takes_documents)
{
  self->takes_documents = takes_documents;
}

void
muster_sip_inbox_set_notify_func (MusterSipInbox *self,
                                  MusterSipNotifyFunc func,
                                  gpointer user_data)
{
  self->notify = func;
  self->notify_data = user_data;
}

void
muster_sip_inbox_set_options_func (MusterSipInbox *self,
                                   MusterSipOptionsFunc func,
                                   gpointer user_data)
{
  self->options = func;
  self->options_data = user_data;
}
