/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"

#include <string.h>

/*
 * Calls and messages that came in. Each is told once, by the id that its plugin gave it, until some time
 * after its end; it is answered in muster-broker-answer.c. Whoever sends many finds no more room than
 * there is: what is over makes room first, then the oldest messages; what rings never does.
 *
 *   report -> waiting -+-> answering -+-> an end -> (60 s) -> gone
 *               ^      +--------------+
 *               +---- the answer failed
 */

#define CALL_MS      (180 * G_GINT64_CONSTANT (1000))
#define MESSAGE_MS   (24 * 3600 * G_GINT64_CONSTANT (1000))
#define ENDED_MS     (60 * G_GINT64_CONSTANT (1000))
#define ACCOUNT_MAX  100
#define ALL_MAX      1000
#define ID_MAX_BYTES 4096

static int
compare_offers (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (((const MusterIncomingOffer *) a)->id, ((const MusterIncomingOffer *) b)->id);
}

static GHashTable *
offers_of (MusterBroker *self, MusterAccount *account)
{
  return g_hash_table_lookup (self->offers_by_account, account);
}

/* what is told */

/* Never the text: what people write to each other does not belong into a journal. */
static void
tell_begin (MusterBroker *self, MusterIncomingOffer *offer)
{
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "id", "s", offer->id);
  g_variant_dict_insert (&payload, "from", "s", offer->offer->from);
  if (offer->offer->from_name != NULL)
    g_variant_dict_insert (&payload, "name", "s", offer->offer->from_name);
  muster_event_bus_emit (self->events,
                         offer->offer->kind == MUSTER_OFFER_CALL ? "incoming.call"
                                                                 : "incoming.message",
                         muster_account_get_id (offer->account), g_variant_dict_end (&payload),
                         TRUE);
}

static void
tell_end (MusterBroker *self, MusterIncomingOffer *offer)
{
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "id", "s", offer->id);
  g_variant_dict_insert (&payload, "kind", "s",
                         muster_incoming_kind_to_string (offer->offer->kind));
  g_variant_dict_insert (&payload, "state", "s", muster_incoming_state_to_string (offer->state));
  if (offer->is_answered)
    g_variant_dict_insert (&payload, "answer", "s",
                           muster_incoming_answer_to_string (offer->answer));
  muster_event_bus_emit (self->events, "incoming.ended", muster_account_get_id (offer->account),
                         g_variant_dict_end (&payload), TRUE);
}

static void
tell_changed (MusterBroker *self, MusterIncomingOffer *offer)
{
  if (self->observer != NULL)
    self->observer->offer_changed (self->observer_data, offer);
}

/* one offer */

static void
muster_broker_drop_offer (MusterBroker *self, MusterIncomingOffer *offer)
{
  GHashTable *offers = offers_of (self, offer->account);

  g_hash_table_remove (offers, offer->offer->id);
  if (g_hash_table_size (offers) == 0)
    g_hash_table_remove (self->offers_by_account, offer->account);
  if (self->observer != NULL)
    self->observer->offer_removed (self->observer_data, offer);
  g_sequence_remove (g_sequence_lookup (self->offers, offer, compare_offers, NULL)); /* frees it */
}

static void
on_due (MusterTimer *timer, gpointer user_data)
{
  MusterIncomingOffer *offer = user_data;
  MusterBroker *self = offer->host;

  switch (offer->state) {
  case MUSTER_INCOMING_WAITING:
    muster_broker_post_offer (self, offer, MUSTER_INCOMING_TIMED_OUT);
    break;
  case MUSTER_INCOMING_ANSWERING: /* not armed: the answer has its own time */
    break;
  case MUSTER_INCOMING_TAKEN:
  case MUSTER_INCOMING_ELSEWHERE:
  case MUSTER_INCOMING_CANCELLED:
  case MUSTER_INCOMING_STALE:
    muster_broker_drop_offer (self, offer);
    break;
  case MUSTER_INCOMING_N_STATES:
    g_assert_not_reached ();
  }
}

void
muster_broker_post_offer (MusterBroker *self, MusterIncomingOffer *offer, MusterIncomingFact fact)
{
  MusterIncomingState before = offer->state;

  offer->state = muster_incoming_state_after (before, fact);
  if (offer->state == before)
    return;

  g_debug ("%s: %s -> %s", offer->id, muster_incoming_state_to_string (before),
           muster_incoming_state_to_string (offer->state));
  offer->is_answered = offer->state == MUSTER_INCOMING_ANSWERING ||
                       (before == MUSTER_INCOMING_ANSWERING &&
                        offer->state == MUSTER_INCOMING_TAKEN);
  if (!offer->is_answered)
    g_clear_pointer (&offer->target, g_free);

  switch (offer->state) {
  case MUSTER_INCOMING_WAITING:
    muster_timer_arm_at (&offer->timer, offer->deadline_us);
    break;
  case MUSTER_INCOMING_ANSWERING:
    g_clear_error (&offer->error);
    muster_timer_cancel (&offer->timer);
    break;
  case MUSTER_INCOMING_TAKEN:
  case MUSTER_INCOMING_ELSEWHERE:
  case MUSTER_INCOMING_CANCELLED:
  case MUSTER_INCOMING_STALE:
    muster_timer_arm_in_ms (&offer->timer, ENDED_MS);
    tell_end (self, offer);
    break;
  case MUSTER_INCOMING_N_STATES:
    g_assert_not_reached ();
  }
  tell_changed (self, offer);
}

/* room */

/* What is over goes before what is not. */
static gboolean
goes_before (const MusterIncomingOffer *a, const MusterIncomingOffer *b)
{
  gboolean a_over = muster_incoming_state_is_end (a->state);

  return a_over != muster_incoming_state_is_end (b->state) ? a_over : a->number < b->number;
}

static gboolean
may_go (const MusterIncomingOffer *offer)
{
  return muster_incoming_state_is_end (offer->state) ||
         (offer->state == MUSTER_INCOMING_WAITING && offer->offer->kind == MUSTER_OFFER_MESSAGE);
}

/* @account NULL: of all. Returns: (nullable) */
static MusterIncomingOffer *
find_next_to_go (MusterBroker *self, MusterAccount *account)
{
  MusterIncomingOffer *found = NULL;

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->offers);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterIncomingOffer *offer = g_sequence_get (iter);

    if ((account == NULL || offer->account == account) && may_go (offer) &&
        (found == NULL || goes_before (offer, found)))
      found = offer;
  }

  return found;
}

static gboolean
muster_broker_make_room (MusterBroker *self, MusterAccount *account)
{
  GHashTable *offers = offers_of (self, account);
  gboolean account_is_full = offers != NULL && g_hash_table_size (offers) >= ACCOUNT_MAX;
  MusterIncomingOffer *offer;

  if (!account_is_full && g_sequence_get_length (self->offers) < ALL_MAX)
    return TRUE;

  offer = find_next_to_go (self, account_is_full ? account : NULL);
  if (offer == NULL)
    return FALSE;

  muster_broker_post_offer (self, offer, MUSTER_INCOMING_TIMED_OUT);
  muster_broker_drop_offer (self, offer);
  return TRUE;
}

/* what plugins report */

/* Others can say any time; what lies ahead is now. */
static gint64
since_when (gint64 at_us)
{
  gint64 now_us = muster_clock_wall_us ();

  return at_us > 0 && at_us < now_us ? at_us : now_us;
}

static void
muster_broker_add_offer (MusterBroker *self, MusterAccount *account, const MusterOffer *reported)
{
  MusterIncomingOffer *offer;
  GHashTable *offers;

  if (!muster_broker_make_room (self, account)) {
    muster_broker_refuse_offer (self, account, reported->id);
    return;
  }

  offer = muster_incoming_offer_new (self, muster_broker_new_id (self, 'i'), account, reported,
                                     on_due);
  offer->number = ++self->last_offer;
  offer->since_us = since_when (reported->at_us);
  offer->deadline_us = muster_clock_now_us () +
                       (reported->kind == MUSTER_OFFER_CALL ? CALL_MS : MESSAGE_MS) *
                         G_TIME_SPAN_MILLISECOND;

  offers = offers_of (self, account);
  if (offers == NULL) {
    offers = g_hash_table_new (g_str_hash, g_str_equal);
    g_hash_table_insert (self->offers_by_account, account, offers);
  }
  g_hash_table_insert (offers, offer->offer->id, offer);
  g_sequence_insert_sorted (self->offers, offer, compare_offers, NULL);
  muster_timer_arm_at (&offer->timer, offer->deadline_us);

  if (self->observer != NULL)
    self->observer->offer_added (self->observer_data, offer);
  tell_begin (self, offer);
}

/* Who it is may be known later than that somebody calls. */
static void
muster_broker_complete_offer (MusterBroker *self,
                              MusterIncomingOffer *offer,
                              const MusterOffer *reported)
{
  MusterOffer *known = offer->offer;

  if (muster_incoming_state_is_end (offer->state) ||
      (g_strcmp0 (known->from_name, reported->from_name) == 0 &&
       g_strcmp0 (known->text, reported->text) == 0))
    return;

  g_free (known->from_name);
  known->from_name = g_strdup (reported->from_name);
  g_free (known->text);
  known->text = g_strdup (reported->text);
  tell_changed (self, offer);
}

void
muster_broker_offer_changed (gpointer host, MusterAccount *account, const MusterOffer *reported)
{
  MusterBroker *self = host;
  GHashTable *offers = offers_of (self, account);
  MusterIncomingOffer *offer = offers != NULL ? g_hash_table_lookup (offers, reported->id) : NULL;
  MusterIncomingFact fact;

  if (muster_incoming_kind_to_string (reported->kind) == NULL ||
      strnlen (reported->id, ID_MAX_BYTES + 1) > ID_MAX_BYTES) {
    g_warning ("%s: its plugin tells of something that is no call and no message, ignoring it",
               muster_account_get_id (account));
    return;
  }

  if (muster_incoming_fact_of (reported->state, &fact)) {
    if (offer != NULL)
      muster_broker_post_offer (self, offer, fact);
  } else if (offer != NULL) {
    muster_broker_complete_offer (self, offer, reported);
  } else {
    muster_broker_add_offer (self, account, reported);
  }
}

/* their accounts */

/* Calls reach us through the registration. Messages are here already. */
static void
on_serving_changed (MusterBroker *self, MusterAccount *account, MusterRegistration *registration)
{
  GHashTable *offers = offers_of (self, account);
  g_autoptr (GList) list = NULL;

  if (registration != NULL || offers == NULL)
    return;

  list = g_hash_table_get_values (offers);
  for (GList *link = list; link != NULL; link = link->next) {
    MusterIncomingOffer *offer = link->data;

    if (offer->offer->kind == MUSTER_OFFER_CALL)
      muster_broker_post_offer (self, offer, MUSTER_INCOMING_UNSERVED);
  }
}

static void
on_forget (MusterBroker *self, MusterAccount *account)
{
  GHashTable *offers = offers_of (self, account);
  g_autoptr (GList) list = offers != NULL ? g_hash_table_get_values (offers) : NULL;

  for (GList *link = list; link != NULL; link = link->next) {
    muster_broker_post_offer (self, link->data, MUSTER_INCOMING_UNSERVED);
    muster_broker_drop_offer (self, link->data);
  }
  g_hash_table_remove (self->mailboxes, account);
}

const MusterCapabilityUser muster_broker_incoming = {
  .get_capability = muster_incoming_get_type,
  .serving_changed = on_serving_changed,
  .forget = on_forget,
};

/* looking up */

MusterIncomingOffer *
muster_broker_get_offer (MusterBroker *self, const char *id)
{
  MusterIncomingOffer key = { .id = (char *) id };
  GSequenceIter *iter = g_sequence_lookup (self->offers, &key, compare_offers, NULL);

  return iter != NULL ? g_sequence_get (iter) : NULL;
}

GSequence *
muster_broker_get_offers (MusterBroker *self)
{
  return self->offers;
}

static int
compare_offer_to_id (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const char *left = a == NULL ? user_data : ((const MusterIncomingOffer *) a)->id;
  const char *right = b == NULL ? user_data : ((const MusterIncomingOffer *) b)->id;
  int order = strcmp (left, right);

  return order != 0 ? order : (a == NULL ? 1 : -1);
}

GSequenceIter *
muster_broker_seek_offer (MusterBroker *self, const char *after_id)
{
  return g_sequence_search (self->offers, NULL, compare_offer_to_id, (gpointer) after_id);
}

/* life */

void
muster_broker_init_incoming (MusterBroker *self)
{
  self->offers = g_sequence_new ((GDestroyNotify) muster_incoming_offer_free);
  self->offers_by_account = g_hash_table_new_full (NULL, NULL, NULL,
                                                   (GDestroyNotify) g_hash_table_unref);
  self->handlers = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_incoming_handler_free);
  self->mailboxes = g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

void
muster_broker_clear_incoming (MusterBroker *self)
{
  g_hash_table_unref (self->offers_by_account);
  g_sequence_free (self->offers);
  g_ptr_array_unref (self->handlers);
  g_hash_table_unref (self->mailboxes);
}
