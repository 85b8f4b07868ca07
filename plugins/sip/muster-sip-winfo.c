/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-winfo.h"

#include "muster-sip-message.h"

#include <string.h>

/*
 * Who watches us (RFC 3857, RFC 3858). The server tells of subscriptions, each with an id; what matters
 * are the addresses behind them, of which each may have several. So there are two tables: the
 * subscriptions, to which a document is applied, and the watchers, made from them anew each time. What has
 * changed is what differs between the watchers before and after.
 */

#define NS             "urn:ietf:params:xml:ns:watcherinfo"
#define MAX_ID_BYTES   128
#define MAX_NAME_BYTES 256

typedef enum {
  STATUS_UNKNOWN,
  STATUS_PENDING,
  STATUS_WAITING, /* it ended before we had answered */
  STATUS_ACTIVE,
  STATUS_TERMINATED,
} Status;

static const char *const status_words[] = {
  [STATUS_PENDING] = "pending",
  [STATUS_WAITING] = "waiting",
  [STATUS_ACTIVE] = "active",
  [STATUS_TERMINATED] = "terminated",
};

static const char *const event_words[] = {
  "subscribe", "approved", "deactivated", "probation",
  "rejected",  "timeout",  "giveup",      "noresource",
};

typedef struct {
  char *uri;
  char *name; /* nullable */
  Status status;
  const char *event; /* nullable; static */
} Subscription;

struct _MusterSipWinfo {
  MusterSipSeries series;
  GHashTable *subscriptions; /* id: (element-type Subscription) */
  GHashTable *watchers;      /* lent uri: (element-type MusterSipWatcher) */
  guint n_left_out;
};

static void
subscription_free (Subscription *self)
{
  g_free (self->uri);
  g_free (self->name);
  g_free (self);
}

static void
watcher_free (MusterSipWatcher *self)
{
  g_free (self->uri);
  g_free (self->name);
  g_free (self);
}

static MusterSipWatcher *
watcher_new (const char *uri)
{
  MusterSipWatcher *self = g_new0 (MusterSipWatcher, 1);

  self->uri = g_strdup (uri);
  return self;
}

static MusterSipWatcher *
watcher_copy (const MusterSipWatcher *other)
{
  MusterSipWatcher *self = watcher_new (other->uri);

  self->name = g_strdup (other->name);
  self->asks = other->asks;
  self->watches = other->watches;
  self->event = other->event;
  return self;
}

static GHashTable *
watchers_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) watcher_free);
}

MusterSipWinfo *
muster_sip_winfo_new (void)
{
  MusterSipWinfo *self = g_new0 (MusterSipWinfo, 1);

  self->subscriptions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                               (GDestroyNotify) subscription_free);
  self->watchers = watchers_new ();
  return self;
}

void
muster_sip_winfo_free (MusterSipWinfo *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->subscriptions);
  g_hash_table_unref (self->watchers);
  g_free (self);
}

void
muster_sip_winfo_begin (MusterSipWinfo *self)
{
  memset (&self->series, 0, sizeof (self->series));
}

static Status
parse_status (const char *text)
{
  for (Status status = STATUS_PENDING; text != NULL && status <= STATUS_TERMINATED; status++) {
    if (g_ascii_strcasecmp (text, status_words[status]) == 0)
      return status;
  }
  return STATUS_UNKNOWN;
}

static const char *
parse_event (const char *text)
{
  for (gsize i = 0; text != NULL && i < G_N_ELEMENTS (event_words); i++) {
    if (g_ascii_strcasecmp (text, event_words[i]) == 0)
      return event_words[i];
  }
  return NULL;
}

/* One subscription, if it is understood: others are passed by. */
static void
apply_watcher (MusterSipWinfo *self, const MusterSipElement *element)
{
  const char *id = muster_sip_element_attribute (element, "id");
  const char *name = muster_sip_element_attribute (element, "display-name");
  Status status = parse_status (muster_sip_element_attribute (element, "status"));
  g_autofree char *uri = muster_sip_xml_dup_address (element->text);
  Subscription *subscription;

  if (id == NULL || strlen (id) > MAX_ID_BYTES || status == STATUS_UNKNOWN || uri == NULL)
    return;
  if (status != STATUS_TERMINATED &&
      g_hash_table_size (self->subscriptions) >= MUSTER_SIP_WINFO_MAX_WATCHERS &&
      !g_hash_table_contains (self->subscriptions, id)) {
    self->n_left_out++;
    return;
  }

  subscription = g_new0 (Subscription, 1);
  subscription->uri = g_steal_pointer (&uri);
  subscription->name = name != NULL ? muster_sip_xml_dup_printable (name, MAX_NAME_BYTES) : NULL;
  subscription->status = status;
  subscription->event = parse_event (muster_sip_element_attribute (element, "event"));
  g_hash_table_replace (self->subscriptions, g_strdup (id), subscription);
}

/* The list of our own package: a document may hold others'. */
static void
apply (MusterSipWinfo *self, const MusterSipElement *root)
{
  const MusterSipElement *list = muster_sip_element_child (root, NS, "watcher-list");

  for (; list != NULL; list = muster_sip_element_again (list)) {
    const char *package = muster_sip_element_attribute (list, "package");
    const MusterSipElement *watcher = muster_sip_element_child (list, NS, "watcher");

    if (package != NULL && g_ascii_strcasecmp (package, "presence") != 0)
      continue;
    for (; watcher != NULL; watcher = muster_sip_element_again (watcher))
      apply_watcher (self, watcher);
  }
}

/* Those that have ended are counted once, for their event, and forgotten. */
static GHashTable *
count_watchers (MusterSipWinfo *self)
{
  GHashTable *watchers = watchers_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->subscriptions);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const Subscription *each = value;
    MusterSipWatcher *watcher = g_hash_table_lookup (watchers, each->uri);

    if (watcher == NULL) {
      watcher = watcher_new (each->uri);
      g_hash_table_insert (watchers, watcher->uri, watcher);
    }
    watcher->asks |= each->status == STATUS_PENDING || each->status == STATUS_WAITING;
    watcher->watches |= each->status == STATUS_ACTIVE;
    if (each->name != NULL && (watcher->name == NULL || strcmp (each->name, watcher->name) < 0)) {
      g_free (watcher->name);
      watcher->name = g_strdup (each->name);
    }
    if (watcher->event == NULL || each->status != STATUS_TERMINATED)
      watcher->event = each->event;
    if (each->status == STATUS_TERMINATED)
      g_hash_table_iter_remove (&iter);
  }
  return watchers;
}

static gboolean
differ (const MusterSipWatcher *one, const MusterSipWatcher *other)
{
  return one->asks != other->asks || one->watches != other->watches ||
         g_strcmp0 (one->name, other->name) != 0;
}

/* Everybody who is not as in the old table, which is used up; who is not in the new one neither asks nor watches. */
static GPtrArray *
compare (GHashTable *old, GHashTable *now)
{
  GPtrArray *changes = g_ptr_array_new_with_free_func ((GDestroyNotify) watcher_free);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, now);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const MusterSipWatcher *watcher = value;
    const MusterSipWatcher *before = g_hash_table_lookup (old, watcher->uri);
    gboolean is_gone = !watcher->asks && !watcher->watches;

    if (before != NULL ? differ (watcher, before) : !is_gone)
      g_ptr_array_add (changes, watcher_copy (watcher));
    if (before != NULL)
      g_hash_table_remove (old, watcher->uri);
    if (is_gone)
      g_hash_table_iter_remove (&iter);
  }

  g_hash_table_iter_init (&iter, old);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    MusterSipWatcher *gone = watcher_copy (value);

    gone->asks = FALSE;
    gone->watches = FALSE;
    gone->event = NULL;
    g_ptr_array_add (changes, gone);
  }
  return changes;
}

static GPtrArray *
update_watchers (MusterSipWinfo *self)
{
  g_autoptr (GHashTable) old = g_steal_pointer (&self->watchers);

  self->watchers = count_watchers (self);
  return compare (old, self->watchers);
}

GPtrArray *
muster_sip_winfo_take (MusterSipWinfo *self,
                       const char *bytes,
                       gsize n_bytes,
                       MusterSipEdition *edition,
                       GError **error)
{
  g_autoptr (MusterSipXml) xml = muster_sip_xml_parse (bytes, n_bytes, error);
  const MusterSipElement *root;

  if (xml == NULL)
    return NULL;
  root = muster_sip_xml_get_root (xml);
  if (!muster_sip_element_is (root, NS, "watcherinfo")) {
    g_set_error_literal (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL,
                         "the document is no list of watchers");
    return NULL;
  }
  if (!muster_sip_series_read (&self->series, root, edition, error))
    return NULL;

  switch (*edition) {
  case MUSTER_SIP_EDITION_OLD:
    return g_ptr_array_new_with_free_func ((GDestroyNotify) watcher_free);
  case MUSTER_SIP_EDITION_WHOLE:
    g_hash_table_remove_all (self->subscriptions);
    self->n_left_out = 0;
    break;
  case MUSTER_SIP_EDITION_CHANGES:
  case MUSTER_SIP_EDITION_GAP:
    break;
  }
  apply (self, root);
  return update_watchers (self);
}

const MusterSipWatcher *
muster_sip_winfo_find (MusterSipWinfo *self, const char *uri)
{
  return g_hash_table_lookup (self->watchers, uri);
}

guint
muster_sip_winfo_get_n_watchers (MusterSipWinfo *self)
{
  return g_hash_table_size (self->watchers);
}

guint
muster_sip_winfo_get_n_left_out (MusterSipWinfo *self)
{
  return self->n_left_out;
}
