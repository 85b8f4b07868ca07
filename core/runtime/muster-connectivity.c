/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterConnectivity"

#include "config.h"

#include "muster-connectivity-private.h"
#include "muster-names.h"
#include "muster-netlink.h"

/*
 * What the kernel reports is gathered for a second, then looked at as a whole:
 *
 *    something changed -> 1 s -> look -> the same addresses: nothing
 *                                     -> none:           no-network
 *                                     -> the first ones: no-network is overcome
 *                                     -> others:         the network changed
 */

#define DEBOUNCE_MS 1000

struct _MusterConnectivity {
  const MusterConnectivitySink *sink;
  gpointer sink_data;
  MusterLookFunc look;
  gpointer look_data;
  MusterNetlink *netlink;      /* NULL in tests, and where there is none */
  MusterAddressSet *addresses; /* of the last look; NULL: none worked yet */
  MusterTimer debounce;
};

static void
muster_connectivity_look (MusterConnectivity *self)
{
  g_autoptr (MusterAddressSet) before = NULL;
  g_autoptr (MusterAddressSet) now = NULL;
  g_autoptr (GError) error = NULL;
  guint n_before;
  guint n_now;

  now = self->look (self->look_data, &error);
  if (now == NULL) {
    g_warning (
      "the addresses of this machine are not known, ignoring that they may have changed: %s",
      error->message);
    return;
  }

  before = g_steal_pointer (&self->addresses);
  self->addresses = g_steal_pointer (&now);
  n_now = muster_address_set_get_size (self->addresses);
  n_before = before != NULL ? muster_address_set_get_size (before) : 1;
  if (before != NULL && muster_address_set_equal (before, self->addresses)) {
    g_debug ("%u addresses that others could answer to, as before", n_now);
    return;
  }

  g_info ("%u addresses that others could answer to", n_now);
  if (n_now == 0)
    self->sink->set_offline (self->sink_data, MUSTER_OFFLINE_NO_NETWORK, TRUE);
  else if (n_before == 0)
    self->sink->set_offline (self->sink_data, MUSTER_OFFLINE_NO_NETWORK, FALSE);
  else if (before != NULL)
    self->sink->network_changed (self->sink_data);
}

static void
on_debounced (MusterTimer *timer, gpointer user_data)
{
  muster_connectivity_look (user_data);
}

/* Not put off again and again: what goes on changing is looked at every second. */
void
muster_connectivity_touch (MusterConnectivity *self)
{
  if (!muster_timer_is_armed (&self->debounce))
    muster_timer_arm_in_ms (&self->debounce, DEBOUNCE_MS);
}

static void
on_netlink (gpointer user_data)
{
  muster_connectivity_touch (user_data);
}

static MusterAddressSet *
look_by_netlink (gpointer look_data, GError **error)
{
  return muster_netlink_look (error);
}

static MusterConnectivity *
muster_connectivity_alloc (MusterLookFunc look,
                           gpointer look_data,
                           const MusterConnectivitySink *sink,
                           gpointer sink_data)
{
  MusterConnectivity *self = g_new0 (MusterConnectivity, 1);

  self->sink = sink;
  self->sink_data = sink_data;
  self->look = look;
  self->look_data = look_data;
  muster_timer_init (&self->debounce, on_debounced, self);

  return self;
}

MusterConnectivity *
muster_connectivity_new_looking (MusterLookFunc look,
                                 gpointer look_data,
                                 const MusterConnectivitySink *sink,
                                 gpointer sink_data)
{
  MusterConnectivity *self = muster_connectivity_alloc (look, look_data, sink, sink_data);

  muster_connectivity_look (self);

  return self;
}

MusterConnectivity *
muster_connectivity_new (const MusterConnectivitySink *sink, gpointer sink_data)
{
  MusterConnectivity *self = muster_connectivity_alloc (look_by_netlink, NULL, sink, sink_data);
  g_autoptr (GError) error = NULL;

  self->netlink = muster_netlink_new (on_netlink, self, &error); /* first: nothing falls between */
  if (self->netlink == NULL)
    g_warning ("taking the network to be there, ignoring what becomes of it: %s", error->message);
  else
    muster_connectivity_look (self);

  return self;
}

void
muster_connectivity_free (MusterConnectivity *self)
{
  if (self == NULL)
    return;

  muster_netlink_free (self->netlink);
  muster_timer_cancel (&self->debounce);
  muster_address_set_free (self->addresses);
  g_free (self);
}
