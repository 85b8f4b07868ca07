/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-offers.h"

#include "muster-sip-target.h"

/* Over which transports a service is to be asked, and where: the order is the service's (RFC 3263 section 4.1),
 * but for who took the registration before. */

static void
offer_free (gpointer data)
{
  MusterSipOffer *self = data;

  g_ptr_array_unref (self->targets);
  g_free (self);
}

static MusterSipOffer *
offer_new (MusterTransport transport)
{
  MusterSipOffer *self = g_new0 (MusterSipOffer, 1);

  self->transport = transport;
  self->targets = g_ptr_array_new_with_free_func (g_object_unref);
  return self;
}

static gboolean
find_offer (GPtrArray *self, MusterTransport transport, guint *index)
{
  for (guint i = 0; i < self->len; i++) {
    if (((MusterSipOffer *) self->pdata[i])->transport != transport)
      continue;
    *index = i;
    return TRUE;
  }
  return FALSE;
}

static void
add_target (GPtrArray *self, MusterTransport transport, GSocketAddress *target)
{
  guint index = self->len;

  if (!find_offer (self, transport, &index))
    g_ptr_array_add (self, offer_new (transport));
  g_ptr_array_add (((MusterSipOffer *) self->pdata[index])->targets, g_object_ref (target));
}

GPtrArray *
muster_sip_offers_new (GPtrArray *found)
{
  GPtrArray *self = g_ptr_array_new_with_free_func (offer_free);

  for (guint i = 0; i < found->len; i++) {
    const MusterTarget *target = found->pdata[i];

    add_target (self, target->transport, target->address);
  }
  return self;
}

GPtrArray *
muster_sip_offers_new_single (MusterTransport transport, GSocketAddress *target)
{
  GPtrArray *self = g_ptr_array_new_with_free_func (offer_free);

  add_target (self, transport, target);
  return self;
}

void
muster_sip_offers_prefer (GPtrArray *self,
                          MusterTransport transport,
                          GSocketAddress *target,
                          gboolean must_stay)
{
  guint index = self->len;

  if (!find_offer (self, transport, &index)) {
    guint tls;

    if (!must_stay || find_offer (self, MUSTER_TRANSPORT_TLS, &tls))
      return;
    add_target (self, transport, target);
  }
  g_ptr_array_insert (self, 0, g_ptr_array_steal_index (self, index));
  muster_sip_target_prefer (((MusterSipOffer *) self->pdata[0])->targets, target);
}

void
muster_sip_offers_strike (GPtrArray *self, MusterTransport transport, GSocketAddress *target)
{
  MusterSipOffer *offer;
  guint index;

  if (!find_offer (self, transport, &index))
    return;
  offer = self->pdata[index];
  muster_sip_target_strike (offer->targets, target);
  if (offer->targets->len == 0)
    g_ptr_array_remove_index (self, index);
}

gboolean
muster_sip_offers_has_clear (GPtrArray *self, guint first)
{
  for (guint i = first; i < self->len; i++) {
    if (((MusterSipOffer *) self->pdata[i])->transport != MUSTER_TRANSPORT_TLS)
      return TRUE;
  }
  return FALSE;
}
