/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-contacts.h"

#include "muster-schedule.h"

#include <muster/muster-hub.h>

/*
 * The roster as the accounts' services know it: asked for when a registration begins to serve, kept up
 * by what the plugins report, and not counted on while nobody can be asked.
 *
 *    serves -> load -+-> taken in, piece by piece -> what it did not bring goes
 *                    +-> failed: once more, later
 *
 * What people ask of contacts is in muster-broker-contact-calls.c.
 */

#define LOAD_DEADLINE_MS (60 * 1000)
#define PIECE            200 /* contacts in one turn of the loop */

/* How often the peers of one account get into the journal: who asks, takes it back, and asks again must
 * not push out what else is there. */
#define KEPT_MAX      100
#define KEPT_EVERY_US (G_TIME_SPAN_HOUR)

/* One account that can watch contacts. */
typedef struct {
  MusterBrokerContacts *contacts;
  MusterAccount *account;           /* lent: it is forgotten before it goes */
  MusterRegistration *registration; /* while it serves */
  GCancellable *loading;            /* while it is being loaded */
  MusterTimer timer;                /* then its deadline; else the next try */
  guint n_failures;
  GPtrArray *loaded; /* MusterContact: being taken in */
  guint n_taken;
  gboolean has_loaded; /* since it was there: the roster may hold some of it */
  gboolean is_full;    /* it has been said */
  guint n_kept;        /* events of its peers in the journal ... */
  gint64 kept_us;      /* ... since then, boot clock */
  GList in_work;
} Watch;

/* A load that is under way, which may outlive its watch. */
typedef struct {
  Watch *watch;
  GCancellable *cancellable;
} Load;

static void watch_load (Watch *watch);

static const char *
trim (MusterAccount *account, const char *address)
{
  const MusterProtocol *protocol = muster_account_get_protocol (account);

  return protocol != NULL ? muster_broker_trim_address (protocol, address) : address;
}

/* telling */

void
muster_broker_tell_contact (MusterBroker *self,
                            MusterAccount *account,
                            const char *type,
                            const char *address,
                            const MusterContact *contact,
                            gboolean keep)
{
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "contact", "s", address);
  if (contact != NULL && contact->name != NULL)
    g_variant_dict_insert (&payload, "name", "s", contact->name);
  muster_event_bus_emit (self->events, type, muster_account_get_id (account),
                         g_variant_dict_end (&payload), keep);
}

static gboolean
watch_may_keep (Watch *watch)
{
  gint64 now_us = muster_clock_now_us ();

  if (watch->n_kept == 0 || now_us - watch->kept_us >= KEPT_EVERY_US) {
    watch->kept_us = now_us;
    watch->n_kept = 0;
  }

  return watch->n_kept++ < KEPT_MAX;
}

static void
watch_tell_news (Watch *watch,
                 const char *address,
                 const MusterContact *contact,
                 MusterRosterNews news)
{
  static const struct {
    MusterRosterNews news;
    const char *type;
  } events[] = { { MUSTER_ROSTER_ASKS, "contact.asks" },
                 { MUSTER_ROSTER_ACCEPTED, "contact.accepted" },
                 { MUSTER_ROSTER_REFUSED, "contact.refused" } };

  for (guint i = 0; i < G_N_ELEMENTS (events); i++) {
    if ((news & events[i].news) != 0)
      muster_broker_tell_contact (watch->contacts->broker, watch->account, events[i].type, address,
                                  contact, watch_may_keep (watch));
  }
  if ((news & MUSTER_ROSTER_FULL) != 0 && !watch->is_full) {
    watch->is_full = TRUE;
    g_warning ("%s: there are more than %d contacts, or %d in all accounts, ignoring the others",
               muster_account_get_id (watch->account), MUSTER_ROSTER_ACCOUNT_MAX,
               MUSTER_ROSTER_MAX);
  }
}

static void
watch_tell_failure (Watch *watch, const GError *error)
{
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "error", "s",
                         muster_error_code_to_string ((MusterError) error->code));
  g_variant_dict_insert (&payload, "message", "s", error->message);
  muster_event_bus_emit (watch->contacts->broker->events, "contacts.failed",
                         muster_account_get_id (watch->account), g_variant_dict_end (&payload),
                         watch->n_failures == 1);
}

static void
on_roster_changed (MusterRosterPerson *person, gboolean is_gone, gpointer user_data)
{
  MusterBroker *self = user_data;

  if (self->observer != NULL && self->observer->contact_changed != NULL)
    self->observer->contact_changed (self->observer_data, person);
}

/* taking in, piece by piece */

/* Returns how many of @max it took up. */
static guint
watch_take (Watch *watch, guint max)
{
  MusterBrokerContacts *contacts = watch->contacts;
  const char *id = muster_account_get_id (watch->account);
  gint64 now_us = muster_clock_wall_us ();
  guint n = 0;

  for (; n < max && watch->n_taken < watch->loaded->len; n++) {
    const MusterContact *contact = watch->loaded->pdata[watch->n_taken++];
    const char *address = trim (watch->account, contact->address);
    MusterRosterNews news = muster_roster_load (contacts->roster, id, address, contact, now_us);

    watch_tell_news (watch, address, contact, news);
  }

  return n;
}

static void
watch_stop_taking (Watch *watch)
{
  if (watch->loaded == NULL)
    return;

  g_clear_pointer (&watch->loaded, g_ptr_array_unref);
  g_queue_unlink (&watch->contacts->work, &watch->in_work);
}

/* Does at most @max, for one account. Returns how many. */
static guint
muster_broker_contacts_work (MusterBrokerContacts *self, guint max)
{
  Watch *watch;
  guint n;

  if (self->gone.head != NULL) {
    g_autofree char *id = g_queue_pop_head (&self->gone);

    if (muster_roster_trim (self->roster, id, max))
      g_queue_push_head (&self->gone, g_steal_pointer (&id));
    return max;
  }

  watch = self->work.head->data;
  n = watch_take (watch, max);
  if (n == max)
    return n;

  if (muster_roster_trim (self->roster, muster_account_get_id (watch->account), max - n))
    return max; /* there are more */
  watch_stop_taking (watch);
  return n > 0 ? n : 1;
}

static gboolean
on_work (gpointer user_data)
{
  MusterBrokerContacts *self = user_data;
  guint n_done = 0;

  while (n_done < PIECE && (self->gone.head != NULL || self->work.head != NULL))
    n_done += muster_broker_contacts_work (self, PIECE - n_done);
  if (self->gone.head != NULL || self->work.head != NULL)
    return G_SOURCE_CONTINUE;

  self->work_id = 0;
  return G_SOURCE_REMOVE;
}

static void
muster_broker_contacts_wake (MusterBrokerContacts *self)
{
  if (self->work_id == 0)
    self->work_id = g_idle_add_full (G_PRIORITY_DEFAULT, on_work, self, NULL);
}

/* loading */

static void
watch_stop_loading (Watch *watch)
{
  g_autoptr (GCancellable) loading = g_steal_pointer (&watch->loading);

  muster_timer_cancel (&watch->timer);
  if (loading != NULL)
    g_cancellable_cancel (loading);
}

static void
watch_failed (Watch *watch, const GError *error)
{
  const MusterProtocol *protocol = muster_account_get_protocol (watch->account);
  guint floor_s = protocol != NULL ? protocol->retry_floor_s : 0;
  double chance = g_random_double ();
  gint64 delay_ms;

  watch->n_failures++;
  g_info ("%s: the contacts were not loaded: %s", muster_account_get_id (watch->account),
          error->message);
  watch_tell_failure (watch, error);

  delay_ms = muster_schedule_after_error_ms ((MusterError) error->code, watch->n_failures,
                                             muster_error_get_retry_after_s (error), floor_s,
                                             chance);
  if (delay_ms <= 0) /* the registration is told itself that it is no longer good */
    delay_ms = muster_schedule_retry_ms (watch->n_failures, floor_s, chance);
  if (delay_ms != G_MAXINT64)
    muster_timer_arm_in_ms (&watch->timer, delay_ms);
}

/* @loaded: (transfer full) (element-type MusterContact): all that there are */
static void
watch_loaded (Watch *watch, GPtrArray *loaded)
{
  watch->n_failures = 0;
  watch->has_loaded = TRUE;
  watch->loaded = loaded;
  watch->n_taken = 0;
  muster_roster_begin_load (watch->contacts->roster, muster_account_get_id (watch->account));
  g_queue_push_tail_link (&watch->contacts->work, &watch->in_work);
  muster_broker_contacts_wake (watch->contacts);
}

static void
on_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Load *load = user_data;
  g_autoptr (GCancellable) cancellable = load->cancellable;
  g_autoptr (GPtrArray) loaded = NULL;
  g_autoptr (GError) error = NULL;
  Watch *watch;

  loaded = muster_watcher_load_finish (MUSTER_WATCHER (source), result, &error);
  if (g_cancellable_is_cancelled (cancellable))
    return; /* the watch may be gone */

  watch = load->watch;
  g_clear_object (&watch->loading);
  muster_timer_cancel (&watch->timer);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* it closes: that it serves no more is on its way */
  if (error != NULL && error->domain != MUSTER_ERROR) {
    g_autoptr (GError)
      failure = muster_error_new (MUSTER_ERROR_BUSY, MUSTER_STEP_STREAM, "%s", error->message);

    watch_failed (watch, failure);
    return;
  }
  if (error != NULL) {
    watch_failed (watch, error);
    return;
  }

  watch_loaded (watch, g_steal_pointer (&loaded));
}

static void
watch_load (Watch *watch)
{
  Load *load = g_new0 (Load, 1);

  watch_stop_taking (watch);
  watch->loading = g_cancellable_new ();
  load->watch = watch;
  load->cancellable = g_object_ref (watch->loading);
  muster_timer_arm_in_ms (&watch->timer, LOAD_DEADLINE_MS);
  muster_watcher_load_async (MUSTER_WATCHER (watch->registration), load->cancellable, on_loaded,
                             load);
}

static void
on_timer (MusterTimer *timer, gpointer user_data)
{
  Watch *watch = user_data;
  g_autoptr (GError) error = NULL;

  if (watch->loading == NULL) {
    watch_load (watch);
    return;
  }

  watch_stop_loading (watch);
  error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM,
                            "the contacts did not come within %d s", LOAD_DEADLINE_MS / 1000);
  watch_failed (watch, error);
}

/* what accounts tell */

static Watch *
muster_broker_contacts_get (MusterBrokerContacts *self, MusterAccount *account)
{
  Watch *watch = g_hash_table_lookup (self->watches, account);

  if (watch != NULL)
    return watch;

  watch = g_new0 (Watch, 1);
  watch->contacts = self;
  watch->account = account;
  watch->in_work.data = watch;
  muster_timer_init (&watch->timer, on_timer, watch);
  g_hash_table_insert (self->watches, account, watch);

  return watch;
}

static void
watch_stop (Watch *watch)
{
  watch_stop_loading (watch);
  watch_stop_taking (watch);
  g_clear_object (&watch->registration);
}

static void
watch_free (gpointer data)
{
  Watch *watch = data;

  watch_stop (watch);
  g_free (watch);
}

static void
on_serving_changed (MusterBroker *self, MusterAccount *account, MusterRegistration *registration)
{
  Watch *watch = muster_broker_contacts_get (self->contacts, account);

  watch_stop (watch);
  muster_roster_set_current (self->contacts->roster, muster_account_get_id (account),
                             registration != NULL, muster_clock_wall_us ());
  if (registration == NULL)
    return;

  watch->registration = g_object_ref (registration);
  watch->n_failures = 0;
  if (muster_watcher_follows (MUSTER_WATCHER (registration)))
    watch_load (watch);
  else if (watch->has_loaded)
    watch_loaded (watch, g_ptr_array_new ());
}

static void
on_forget (MusterBroker *self, MusterAccount *account)
{
  MusterBrokerContacts *contacts = self->contacts;
  const char *id = muster_account_get_id (account);

  if (!g_hash_table_remove (contacts->watches, account))
    return;

  muster_roster_forget (contacts->roster, id);
  g_queue_push_tail (&contacts->gone, g_strdup (id));
  muster_broker_contacts_wake (contacts);
}

gboolean
muster_broker_is_no_contact (const MusterContact *contact)
{
  return contact->state == MUSTER_CONTACT_NONE && !contact->asks && contact->name == NULL &&
         contact->presence == MUSTER_PRESENCE_OFFLINE;
}

void
muster_broker_contact_gone (gpointer host, MusterAccount *account, const char *address)
{
  MusterBroker *self = host;

  muster_roster_remove (self->contacts->roster, muster_account_get_id (account),
                        trim (account, address));
}

void
muster_broker_contact_changed (gpointer host, MusterAccount *account, const MusterContact *contact)
{
  MusterBroker *self = host;
  Watch *watch = muster_broker_contacts_get (self->contacts, account);
  const char *address = trim (account, contact->address);
  MusterRosterNews news;

  if (muster_broker_is_no_contact (contact)) {
    muster_broker_contact_gone (host, account, contact->address);
    return;
  }

  news = muster_roster_put (self->contacts->roster, muster_account_get_id (account), address,
                            contact, muster_clock_wall_us ());
  watch_tell_news (watch, address, contact, news);
}

const MusterCapabilityUser muster_broker_contacts_user = {
  .get_capability = muster_watcher_get_type,
  .serving_changed = on_serving_changed,
  .forget = on_forget,
};

/* Whether an address that is not in the roster is none of the account's contacts. */
gboolean
muster_broker_knows_contacts (MusterBroker *self, MusterAccount *account)
{
  Watch *watch = g_hash_table_lookup (self->contacts->watches, account);

  return watch != NULL && watch->registration != NULL && watch->loading == NULL &&
         watch->loaded == NULL && watch->n_failures == 0 && !watch->is_full;
}

/* life */

MusterRoster *
muster_broker_get_roster (MusterBroker *self)
{
  return self->contacts->roster;
}

void
muster_broker_init_contacts (MusterBroker *self)
{
  MusterBrokerContacts *contacts = g_new0 (MusterBrokerContacts, 1);

  contacts->broker = self;
  contacts->roster = muster_roster_new (on_roster_changed, self);
  contacts->watches = g_hash_table_new_full (NULL, NULL, NULL, watch_free);
  g_queue_init (&contacts->work);
  g_queue_init (&contacts->gone);
  self->contacts = contacts;
}

void
muster_broker_clear_contacts (MusterBroker *self)
{
  MusterBrokerContacts *contacts = self->contacts;

  g_hash_table_unref (contacts->watches);
  g_queue_clear_full (&contacts->gone, g_free);
  g_clear_handle_id (&contacts->work_id, g_source_remove);
  muster_roster_free (contacts->roster);
  g_clear_pointer (&self->contacts, g_free);
}
