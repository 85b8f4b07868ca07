/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-presence.h"
#include "muster-broker-private.h"
#include "muster-presence-degrade.h"
#include "muster-schedule.h"

#include <muster/muster-publisher.h>

/*
 * Tells the services of accounts what their owner shows, or what the account says instead:
 *
 *    it serves, what is wanted changed -> look: is it told that? -> queue -> a few a turn -> admission
 *      -> publish -+-> published -> look again
 *                  +-> failed -> wait, as muster-schedule says -> queue
 *
 * One publication of an account is under way at a time, and what is said is chosen when it goes out:
 * the last wish wins. Ten thousand accounts that change at once are looked at in batches, and go out at
 * the pace of a mass registration; but on admission of their own, so that neither waits for the other.
 */

#define LOOK_BATCH  100
#define SEND_BATCH  25
#define DEADLINE_MS (40 * 1000)

typedef struct _Publication Publication;

/* One call of a plugin, from admission to its answer. */
typedef struct {
  Publication *publication; /* NULL: nobody waits for the answer any more */
  MusterTicket ticket;
  MusterPresence said;
  char *text;                /* GRefString */
  GCancellable *cancellable; /* NULL: it waits for admission */
  MusterTimer deadline;
} Sending;

/* Why it is not told. */
typedef struct {
  GError *error;
  guint n_failures;
  MusterPresence said;
  char *text;        /* GRefString */
  MusterTimer retry; /* not armed: not tried again until something changes */
  gint64 retry_at_us;
} Trouble;

/* One account's; there is none until its registration served, or an override was stored. */
struct _Publication {
  MusterBroker *broker;
  MusterAccount *account; /* lent: it forgets us */
  char *override_text;    /* GRefString */
  char *published_text;   /* GRefString */
  Sending *sending;
  Trouble *trouble;
  guint supported;
  MusterPresence override;
  MusterPresence published;
  MusterPresence noted; /* what was wanted when others were last told */
  gboolean is_overridden : 1;
  gboolean is_published : 1;
  gboolean is_queued : 1;
  GList link; /* in the queue */
};

struct _MusterBrokerPublications {
  GHashTable *by_account; /* MusterAccount -> Publication */
  MusterAdmission *admission;
  GQueue queue; /* Publication: those that have something to say */
  MusterTimer pump;
  MusterTimer sweep;
  char *swept;   /* the id of the last account that was looked at */
  guint n_sweep; /* so many more are */
};

static void
tell (Publication *self)
{
  if (self->broker->observer != NULL)
    self->broker->observer->publication_changed (self->broker->observer_data, self->account);
}

/* what is wanted */

/* Returns (transfer full): the text, a GRefString */
static char *
ref_wish (Publication *self, MusterPresence *wanted)
{
  const char *identity = muster_account_get_record (self->account)->identity;
  MusterPresenceView view;

  if (self->is_overridden) {
    *wanted = self->override;
    return g_ref_string_acquire (self->override_text);
  }

  muster_broker_get_presence (self->broker, identity, &view);
  *wanted = view.presence;
  return muster_broker_ref_presence_text (self->broker, identity);
}

/* Whether the service is to be told something that it was not told. @text: (transfer full) */
static gboolean
find_words (Publication *self, MusterPresence *said, char **text)
{
  MusterRegistration *registration = muster_account_get_serving (self->account);
  MusterPresence wanted;

  *text = NULL;
  if (registration == NULL)
    return FALSE;

  self->supported = muster_publisher_get_supported (MUSTER_PUBLISHER (registration));
  *text = ref_wish (self, &wanted);
  if (muster_presence_degrade (wanted, self->supported, said) &&
      !(self->is_published && self->published == *said &&
        g_str_equal (self->published_text, *text)))
    return TRUE;

  g_clear_pointer (text, g_ref_string_release);
  return FALSE;
}

/* trouble */

static void
clear_trouble (Publication *self)
{
  Trouble *trouble = g_steal_pointer (&self->trouble);

  if (trouble == NULL)
    return;
  muster_timer_cancel (&trouble->retry);
  g_error_free (trouble->error);
  g_clear_pointer (&trouble->text, g_ref_string_release);
  g_free (trouble);
}

/* Whether what failed is to be left alone, although something else may be wanted by now. */
static gboolean
trouble_holds (Trouble *trouble, MusterPresence said, const char *text)
{
  if (muster_timer_is_armed (&trouble->retry))
    return TRUE;
  if (trouble->retry_at_us > 0) /* it was, and this is the retry */
    return FALSE;

  return trouble->error->code == MUSTER_ERROR_UNSUPPORTED ||
         (trouble->said == said && g_str_equal (trouble->text, text));
}

static void publication_look (Publication *self);

static void
on_retry (MusterTimer *timer, gpointer user_data)
{
  publication_look (user_data);
}

static void
tell_failed (Publication *self, gboolean is_new)
{
  const Trouble *trouble = self->trouble;
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "presence", "s", muster_presence_to_string (trouble->said));
  g_variant_dict_insert (&payload, "error", "s",
                         muster_error_code_to_string ((MusterError) trouble->error->code));
  g_variant_dict_insert (&payload, "message", "s", trouble->error->message);
  if (trouble->retry_at_us > 0)
    g_variant_dict_insert (&payload, "next-attempt-at", "t", (guint64) trouble->retry_at_us);
  muster_event_bus_emit (self->broker->events, "presence.failed",
                         muster_account_get_id (self->account), g_variant_dict_end (&payload),
                         is_new);
}

/* The service was not told @said; @error is one of ours, or a cancellation. */
static void
publication_failed (Publication *self, MusterPresence said, const char *text, const GError *error)
{
  gboolean is_known = error->domain == MUSTER_ERROR;
  gboolean is_new = self->trouble == NULL || self->trouble->error->code != error->code;
  Trouble *trouble = self->trouble;
  gint64 delay_ms;

  if (trouble == NULL) {
    trouble = g_new0 (Trouble, 1);
    muster_timer_init (&trouble->retry, on_retry, self);
    self->trouble = trouble;
  }
  g_clear_error (&trouble->error);
  trouble->error = is_known ? g_error_copy (error)
                            : muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_NONE,
                                                "it was broken off: %s", error->message);
  trouble->n_failures++;
  trouble->said = said;
  g_clear_pointer (&trouble->text, g_ref_string_release);
  trouble->text = g_ref_string_new (text);
  trouble->retry_at_us = 0;

  delay_ms = muster_schedule_republish_ms ((MusterError) trouble->error->code, trouble->n_failures,
                                           is_known ? muster_error_get_retry_after_s (error) : 0,
                                           g_random_double ());
  if (delay_ms < G_MAXINT64) {
    trouble->retry_at_us = muster_clock_wall_us () + delay_ms * 1000;
    muster_timer_arm_in_ms (&trouble->retry, delay_ms);
  }

  g_info ("%s: \"%s\" was not published: %s", muster_account_get_id (self->account),
          muster_presence_to_string (said), trouble->error->message);
  if (trouble->error->code != MUSTER_ERROR_UNSUPPORTED) /* that is no failure: see the note */
    tell_failed (self, is_new);
  tell (self);
}

static void
set_published (Publication *self, gboolean is_published, MusterPresence said, const char *text)
{
  char *held = is_published ? g_ref_string_acquire ((char *) text) : g_ref_string_new_intern ("");

  g_ref_string_release (self->published_text);
  self->published_text = held;
  self->is_published = is_published;
  self->published = said;
}

static void
publication_succeeded (Publication *self, MusterPresence said, const char *text)
{
  GVariantDict payload;
  MusterPresence wanted;
  g_autofree char *note = NULL;

  set_published (self, TRUE, said, text);
  clear_trouble (self);

  g_ref_string_release (ref_wish (self, &wanted));
  note = muster_presence_dup_note (wanted, self->supported);
  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "presence", "s", muster_presence_to_string (said));
  if (*text != '\0')
    g_variant_dict_insert (&payload, "text", "s", text);
  if (note != NULL)
    g_variant_dict_insert (&payload, "note", "s", note);
  muster_event_bus_emit (self->broker->events, "presence.published",
                         muster_account_get_id (self->account), g_variant_dict_end (&payload),
                         FALSE);
  tell (self);
}

/* sending */

static void
sending_free (Sending *sending)
{
  muster_timer_cancel (&sending->deadline);
  g_clear_object (&sending->cancellable);
  g_clear_pointer (&sending->text, g_ref_string_release);
  g_free (sending);
}

/* Nobody waits for it any more. What is with the plugin ends in on_published(). */
static void
publication_let_go (Publication *self, const GError *outcome)
{
  MusterAdmission *admission = self->broker->publications->admission;
  Sending *sending = g_steal_pointer (&self->sending);

  if (sending == NULL)
    return;

  sending->publication = NULL;
  if (sending->cancellable == NULL) {
    muster_admission_withdraw (admission, &sending->ticket);
    sending_free (sending);
    return;
  }

  muster_timer_cancel (&sending->deadline);
  muster_admission_release (admission, &sending->ticket, outcome);
  g_cancellable_cancel (sending->cancellable);
}

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  Sending *sending = user_data;
  Publication *self = sending->publication;
  MusterPresence said = sending->said;
  g_autoptr (GError) error = NULL;
  char *text = g_ref_string_acquire (sending->text);

  error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_NONE,
                            "the service did not answer within %d s", DEADLINE_MS / 1000);
  publication_let_go (self, error);
  publication_failed (self, said, text, error);
  g_ref_string_release (text);
}

static void
on_published (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Sending *sending = user_data;
  Publication *self = sending->publication;
  g_autoptr (GError) error = NULL;

  muster_publisher_publish_finish (MUSTER_PUBLISHER (source), result, &error);
  if (self == NULL) {
    sending_free (sending);
    return;
  }

  self->sending = NULL;
  muster_timer_cancel (&sending->deadline);
  muster_admission_release (self->broker->publications->admission, &sending->ticket, error);
  if (error != NULL)
    publication_failed (self, sending->said, sending->text, error);
  else
    publication_succeeded (self, sending->said, sending->text);
  sending_free (sending);
  publication_look (self); /* something else may be wanted by now */
}

static void
on_admitted (MusterTicket *ticket, gpointer user_data)
{
  Sending *sending = user_data;
  Publication *self = sending->publication;

  if (!find_words (self, &sending->said, &sending->text)) { /* it was taken back meanwhile */
    self->sending = NULL;
    muster_admission_release (self->broker->publications->admission, ticket, NULL);
    sending_free (sending);
    clear_trouble (self);
    tell (self);
    return;
  }

  sending->cancellable = g_cancellable_new ();
  muster_timer_arm_in_ms (&sending->deadline, DEADLINE_MS);
  muster_publisher_publish_async (MUSTER_PUBLISHER (muster_account_get_serving (self->account)),
                                  sending->said, *sending->text != '\0' ? sending->text : NULL,
                                  sending->cancellable, on_published, sending);
}

static void
publication_send (Publication *self)
{
  Sending *sending = g_new0 (Sending, 1);

  sending->publication = self;
  muster_timer_init (&sending->deadline, on_deadline, sending);
  self->sending = sending;
  muster_admission_request (self->broker->publications->admission,
                            muster_account_get_remote_host (self->account), &sending->ticket,
                            on_admitted, sending);
}

static void
on_pump (MusterTimer *timer, gpointer user_data)
{
  MusterBroker *self = user_data;
  MusterBrokerPublications *all = self->publications;

  for (guint i = 0; i < SEND_BATCH && all->queue.head != NULL; i++) {
    Publication *publication = all->queue.head->data;

    g_queue_unlink (&all->queue, &publication->link);
    publication->is_queued = FALSE;
    publication_send (publication);
  }
  if (all->queue.head != NULL)
    muster_timer_arm_in_ms (&all->pump, 0);
}

static void
publication_dequeue (Publication *self)
{
  if (self->is_queued)
    g_queue_unlink (&self->broker->publications->queue, &self->link);
  self->is_queued = FALSE;
}

/* Queues it if it has something to say. */
static void
publication_look (Publication *self)
{
  MusterBrokerPublications *all = self->broker->publications;
  MusterPresence wanted, said;
  char *text = NULL;

  g_ref_string_release (ref_wish (self, &wanted));
  if (wanted != self->noted) { /* what is to be noted of it is something else */
    self->noted = wanted;
    if (self->supported != 0)
      tell (self);
  }
  if (self->sending != NULL || self->is_queued)
    return;

  if (find_words (self, &said, &text)) {
    if (self->trouble == NULL || !trouble_holds (self->trouble, said, text)) {
      self->is_queued = TRUE;
      g_queue_push_tail_link (&all->queue, &self->link);
      if (!muster_timer_is_armed (&all->pump))
        muster_timer_arm_in_ms (&all->pump, 0);
    }
    g_ref_string_release (text);
  } else if (self->trouble != NULL && self->trouble->error->code != MUSTER_ERROR_UNSUPPORTED) {
    clear_trouble (self); /* what failed is not wanted any more */
    tell (self);
  }
}

/* what changes */

static Publication *
muster_broker_ensure_publication (MusterBroker *self, MusterAccount *account)
{
  Publication *publication = g_hash_table_lookup (self->publications->by_account, account);

  if (publication == NULL) {
    publication = g_new0 (Publication, 1);
    publication->broker = self;
    publication->account = account;
    publication->override_text = g_ref_string_new_intern ("");
    publication->published_text = g_ref_string_new_intern ("");
    publication->noted = MUSTER_PRESENCE_AVAILABLE;
    publication->link.data = publication;
    g_hash_table_insert (self->publications->by_account, account, publication);
  }

  return publication;
}

/* What was told ends with the registration. */
static void
publication_end (Publication *self)
{
  publication_dequeue (self);
  publication_let_go (self, NULL);
  clear_trouble (self);
  set_published (self, FALSE, MUSTER_PRESENCE_OFFLINE, NULL);
}

static void
on_serving_changed (MusterBroker *self, MusterAccount *account, MusterRegistration *registration)
{
  Publication *publication;
  gboolean said_something;
  guint supported;

  if (muster_account_is_leaving (account))
    return;

  publication = muster_broker_ensure_publication (self, account);
  said_something = publication->is_published || publication->trouble != NULL;
  supported = publication->supported;
  publication_end (publication);
  if (registration != NULL)
    publication_look (publication);
  if (said_something || publication->supported != supported)
    tell (publication);
}

static void
on_forget (MusterBroker *self, MusterAccount *account)
{
  g_hash_table_remove (self->publications->by_account, account);
}

const MusterCapabilityUser muster_broker_publication_user = {
  .get_capability = muster_publisher_get_type,
  .serving_changed = on_serving_changed,
  .forget = on_forget,
};

/* Its service let go of what was published: it is said again. */
void
muster_broker_publication_lost (MusterBroker *self, MusterAccount *account)
{
  Publication *publication = g_hash_table_lookup (self->publications->by_account, account);
  g_autoptr (GError) error = NULL;
  char *text;

  if (publication == NULL || !publication->is_published || publication->sending != NULL)
    return;

  text = g_ref_string_acquire (publication->published_text);
  error = muster_error_new (MUSTER_ERROR_EXPIRED, MUSTER_STEP_NONE,
                            "the service let go of what was published");
  set_published (publication, FALSE, publication->published, NULL);
  publication_failed (publication, publication->published, text, error);
  g_ref_string_release (text);
}

static void
on_sweep (MusterTimer *timer, gpointer user_data)
{
  MusterBroker *self = user_data;
  MusterBrokerPublications *all = self->publications;
  GSequenceIter *iter = muster_broker_seek_account (self, all->swept);

  for (guint i = 0; i < LOOK_BATCH && all->n_sweep > 0; i++, all->n_sweep--) {
    Publication *publication;

    if (g_sequence_iter_is_end (iter)) /* accounts come and go: it may be one twice */
      iter = g_sequence_get_begin_iter (self->accounts);
    if (g_sequence_iter_is_end (iter)) {
      all->n_sweep = 0;
      return;
    }

    publication = g_hash_table_lookup (all->by_account, g_sequence_get (iter));
    if (publication != NULL)
      publication_look (publication);
    if (i + 1 == LOOK_BATCH) {
      g_free (all->swept);
      all->swept = g_strdup (muster_account_get_id (g_sequence_get (iter)));
    }
    iter = g_sequence_iter_next (iter);
  }

  if (all->n_sweep > 0)
    muster_timer_arm_in_ms (&all->sweep, 0);
}

/* What identities show is something else: looks at all accounts soon, in batches. One under way goes
 * on in the ring until it has come round. */
void
muster_broker_sweep_publications (MusterBroker *self)
{
  MusterBrokerPublications *all = self->publications;

  all->n_sweep = (guint) g_sequence_get_length (self->accounts);
  if (!muster_timer_is_armed (&all->sweep))
    muster_timer_arm_in_ms (&all->sweep, 0);
}

/* What it says instead of its identity; FALSE: nothing, it says what that does. */
void
muster_broker_override_publication (MusterBroker *self,
                                    MusterAccount *account,
                                    gboolean is_overridden,
                                    MusterPresence presence,
                                    const char *text)
{
  Publication *publication = muster_broker_ensure_publication (self, account);

  publication->is_overridden = is_overridden;
  publication->override = presence;
  g_ref_string_release (publication->override_text);
  publication->override_text = *text != '\0' ? g_ref_string_new (text)
                                             : g_ref_string_new_intern ("");
  if (publication->sending == NULL)
    clear_trouble (publication); /* somebody wants it now */
  publication_look (publication);
  tell (publication);
}

/* for people */

void
muster_broker_get_publication (MusterBroker *self,
                               MusterAccount *account,
                               MusterPublicationView *view)
{
  const Publication *publication = g_hash_table_lookup (self->publications->by_account, account);

  *view = (MusterPublicationView){ .override_text = "", .published_text = "" };
  if (publication == NULL)
    return;

  view->is_overridden = publication->is_overridden;
  view->override = publication->override;
  view->override_text = publication->override_text;
  view->is_published = publication->is_published;
  view->published = publication->published;
  view->published_text = publication->published_text;
  view->supported = publication->supported;
  if (publication->trouble != NULL &&
      publication->trouble->error->code != MUSTER_ERROR_UNSUPPORTED) {
    view->error = publication->trouble->error;
    view->retry_at_us = publication->trouble->retry_at_us;
  }
}

char *
muster_broker_dup_publication_note (MusterBroker *self, MusterAccount *account)
{
  Publication *publication = g_hash_table_lookup (self->publications->by_account, account);
  MusterPresence wanted, said;
  g_autofree char *note = NULL;

  if (publication == NULL || muster_account_get_serving (account) == NULL)
    return g_strdup ("it is not registered, so nothing is published");
  if (publication->supported == 0)
    return g_strdup ("its service takes no presence, or a parameter of it switches that off");
  if (publication->trouble != NULL && publication->trouble->error->code == MUSTER_ERROR_UNSUPPORTED)
    return g_strdup_printf ("its service takes no presence: %s",
                            publication->trouble->error->message);

  g_ref_string_release (ref_wish (publication, &wanted));
  note = muster_presence_dup_note (wanted, publication->supported);
  if (note == NULL)
    return g_strdup ("");
  if (!muster_presence_degrade (wanted, publication->supported, &said) && publication->is_published)
    return g_strdup_printf ("%s: it still shows \"%s\"", note,
                            muster_presence_to_string (publication->published));

  return g_steal_pointer (&note);
}

/* life */

void
muster_broker_tell_publications (MusterBroker *self, guint n_accounts)
{
  muster_admission_set_accounts (self->publications->admission, n_accounts);
}

static void
publication_free (gpointer data)
{
  Publication *self = data;

  publication_end (self);
  g_ref_string_release (self->override_text);
  g_ref_string_release (self->published_text);
  g_free (self);
}

void
muster_broker_init_publications (MusterBroker *self)
{
  MusterBrokerPublications *all = g_new0 (MusterBrokerPublications, 1);

  all->by_account = g_hash_table_new_full (NULL, NULL, NULL, publication_free);
  all->admission = muster_admission_new ();
  all->swept = g_strdup ("");
  g_queue_init (&all->queue);
  muster_timer_init (&all->pump, on_pump, self);
  muster_timer_init (&all->sweep, on_sweep, self);
  self->publications = all;
}

void
muster_broker_clear_publications (MusterBroker *self)
{
  MusterBrokerPublications *all = self->publications;
  GHashTableIter iter;
  gpointer publication;

  muster_timer_cancel (&all->pump);
  muster_timer_cancel (&all->sweep);
  /* Those that wait for admission first: the end of one that is under way admits the next. */
  g_hash_table_iter_init (&iter, all->by_account);
  while (g_hash_table_iter_next (&iter, NULL, &publication)) {
    Sending *sending = ((Publication *) publication)->sending;

    if (sending != NULL && sending->cancellable == NULL)
      publication_let_go (publication, NULL);
  }
  g_hash_table_unref (all->by_account);
  muster_admission_free (all->admission);
  g_free (all->swept);
  g_clear_pointer (&self->publications, g_free);
}
