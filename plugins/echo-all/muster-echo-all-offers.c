/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-offers.h"

MusterEchoAllOffers *
muster_echo_all_offers_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) muster_offer_free);
}

gboolean
muster_echo_all_offers_add (MusterEchoAllOffers *self, const MusterOffer *offer)
{
  MusterOffer *copy;

  if (g_hash_table_contains (self, offer->id) ||
      g_hash_table_size (self) >= MUSTER_ECHO_ALL_OFFERS_MAX)
    return FALSE;

  copy = muster_offer_copy (offer);
  g_hash_table_insert (self, copy->id, copy);

  return TRUE;
}

MusterOffer *
muster_echo_all_offers_end (MusterEchoAllOffers *self, const char *id, MusterOfferState state)
{
  MusterOffer *offer = NULL;

  if (!g_hash_table_steal_extended (self, id, NULL, (gpointer *) &offer))
    return NULL;

  offer->state = state;

  return offer;
}
