/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-watchlist.h"

#include "muster-sip-config.h"
#include "muster-sip-message.h"

#include <string.h>

/*
 * A contact is here because it is watched (its state says how far), because it asks, or both. What is kept is one
 * record of at most MUSTER_RECORD_MAX_BYTES, which is what the limits are made for.
 */

#define FORMAT          "a(ssu)" /* address, name or "", state */
#define PACKED_OVERHEAD 24       /* bytes of one, beside its texts */

struct _MusterSipWatchlist {
  GHashTable *contacts; /* address -> MusterContact; NULL before the first */
  guint n_watched;
  guint n_askers; /* who are not watched */
  gsize packed_bytes;
  MusterContact *gone; /* the last who asked and does no more; nullable */
};

MusterSipWatchlist *
muster_sip_watchlist_new (void)
{
  return g_new0 (MusterSipWatchlist, 1);
}

void
muster_sip_watchlist_free (MusterSipWatchlist *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->contacts, g_hash_table_unref);
  g_clear_pointer (&self->gone, muster_contact_free);
  g_free (self);
}

char *
muster_sip_watchlist_dup_address (const char *text)
{
  const char *at = strrchr (text, '@');
  g_autofree char *bare = NULL;
  g_autofree char *host = NULL;

  if (g_ascii_strncasecmp (text, "sip:", 4) == 0)
    text += 4;
  else if (g_ascii_strncasecmp (text, "sips:", 5) == 0)
    text += 5;
  if (at == NULL || at < text)
    return NULL;

  host = g_ascii_strdown (at + 1, (gssize) strcspn (at + 1, ";?"));
  bare = g_strdup_printf ("%.*s@%s", (int) (at - text), text, host);
  if (strlen (bare) > MUSTER_SIP_WATCHLIST_ADDRESS_MAX || !muster_sip_config_is_address (bare))
    return NULL;
  return g_steal_pointer (&bare);
}

MusterContact *
muster_sip_watchlist_find (MusterSipWatchlist *self, const char *address)
{
  return self->contacts != NULL ? g_hash_table_lookup (self->contacts, address) : NULL;
}

static gsize
packed_bytes_of (const MusterContact *contact)
{
  return strlen (contact->address) + (contact->name != NULL ? strlen (contact->name) : 0) +
         PACKED_OVERHEAD;
}

static gboolean
is_watched (const MusterContact *contact)
{
  return contact->state != MUSTER_CONTACT_NONE;
}

static MusterContact *
add (MusterSipWatchlist *self, const char *address)
{
  MusterContact *contact = muster_contact_new (address);

  if (self->contacts == NULL)
    self->contacts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                            (GDestroyNotify) muster_contact_free);
  g_hash_table_insert (self->contacts, contact->address, contact);
  return contact;
}

static void
set_name (MusterContact *contact, const char *name)
{
  g_free (contact->name);
  contact->name = name != NULL && *name != '\0'
                    ? muster_sip_text_dup_printable (name, MUSTER_SIP_WATCHLIST_NAME_MAX)
                    : NULL;
}

MusterContact *
muster_sip_watchlist_watch (MusterSipWatchlist *self,
                            const char *address,
                            const char *name,
                            GError **error)
{
  MusterContact *contact = muster_sip_watchlist_find (self, address);
  gboolean is_new = contact == NULL || !is_watched (contact);

  if (is_new &&
      (self->n_watched >= MUSTER_SIP_WATCHLIST_MAX ||
       self->packed_bytes + strlen (address) + MUSTER_SIP_WATCHLIST_NAME_MAX + PACKED_OVERHEAD >
         MUSTER_RECORD_MAX_BYTES)) {
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE,
                                                "%u contacts are watched, and there is no room "
                                                "for one more",
                                                self->n_watched));
    return NULL;
  }

  if (contact == NULL)
    contact = add (self, address);
  else if (is_new)
    self->n_askers--;
  else
    self->packed_bytes -= packed_bytes_of (contact);
  if (is_new) {
    contact->state = MUSTER_CONTACT_PENDING;
    self->n_watched++;
  }
  if (name != NULL)
    set_name (contact, name);
  self->packed_bytes += packed_bytes_of (contact);
  return contact;
}

gboolean
muster_sip_watchlist_unwatch (MusterSipWatchlist *self, const char *address)
{
  MusterContact *contact = muster_sip_watchlist_find (self, address);

  if (contact == NULL || !is_watched (contact))
    return FALSE;

  self->n_watched--;
  self->packed_bytes -= packed_bytes_of (contact);
  if (!contact->asks) {
    g_hash_table_remove (self->contacts, address);
    return TRUE;
  }
  self->n_askers++;
  contact->state = MUSTER_CONTACT_NONE;
  contact->presence = MUSTER_PRESENCE_OFFLINE;
  contact->changed_at_us = 0;
  g_clear_pointer (&contact->text, g_free);
  return TRUE;
}

const MusterContact *
muster_sip_watchlist_set_asks (MusterSipWatchlist *self,
                               const char *address,
                               const char *name,
                               gboolean asks)
{
  MusterContact *contact = muster_sip_watchlist_find (self, address);

  if (contact == NULL && asks && self->n_askers < MUSTER_SIP_WATCHLIST_MAX_ASKERS) {
    contact = add (self, address);
    set_name (contact, name);
    self->n_askers++;
  }
  if (contact == NULL || contact->asks == asks)
    return NULL;

  contact->asks = asks;
  if (!asks && !is_watched (contact)) { /* still lent out */
    g_clear_pointer (&self->gone, muster_contact_free);
    g_hash_table_steal (self->contacts, address);
    self->gone = contact;
    self->n_askers--;
  }
  return contact;
}

static int
compare (gconstpointer left, gconstpointer right)
{
  return strcmp ((*(const MusterContact *const *) left)->address,
                 (*(const MusterContact *const *) right)->address);
}

GPtrArray *
muster_sip_watchlist_dup_all (MusterSipWatchlist *self)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_contact_free);
  GHashTableIter iter;
  gpointer contact;

  if (self->contacts == NULL)
    return all;
  g_hash_table_iter_init (&iter, self->contacts);
  while (g_hash_table_iter_next (&iter, NULL, &contact))
    g_ptr_array_add (all, muster_contact_copy (contact));
  g_ptr_array_sort (all, compare);
  return all;
}

guint
muster_sip_watchlist_count_watched (MusterSipWatchlist *self)
{
  return self->n_watched;
}

GBytes *
muster_sip_watchlist_pack (MusterSipWatchlist *self)
{
  g_autoptr (GPtrArray) all = muster_sip_watchlist_dup_all (self);
  g_autoptr (GVariant) packed = NULL;
  GVariantBuilder builder;

  if (self->n_watched == 0)
    return NULL;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (FORMAT));
  for (guint i = 0; i < all->len; i++) {
    const MusterContact *contact = all->pdata[i];

    if (is_watched (contact))
      g_variant_builder_add (&builder, "(ssu)", contact->address,
                             contact->name != NULL ? contact->name : "", contact->state);
  }
  packed = g_variant_ref_sink (g_variant_builder_end (&builder));
  return g_variant_get_data_as_bytes (packed);
}

gboolean
muster_sip_watchlist_unpack (MusterSipWatchlist *self, GBytes *blob)
{
  g_autoptr (GVariant)
    packed = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (FORMAT), blob, FALSE));
  GVariantIter iter;
  const char *address;
  const char *name;
  guint32 state;

  if (!g_variant_is_normal_form (packed))
    return FALSE;

  g_variant_iter_init (&iter, packed);
  while (g_variant_iter_next (&iter, "(&s&su)", &address, &name, &state)) {
    g_autofree char *checked = muster_sip_watchlist_dup_address (address);
    MusterContact *contact;

    if (checked == NULL || state == MUSTER_CONTACT_NONE || state > MUSTER_CONTACT_DENIED)
      continue;
    contact = muster_sip_watchlist_watch (self, checked, name, NULL);
    if (contact != NULL)
      contact->state = (MusterContactState) state;
  }
  return TRUE;
}
