/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"
#include "muster-registration-private.h"

/*
 * Side leases as the plugin sees them: who is asked to renew one, and who is told when it is gone.
 * When that is, the broker decides.
 */

#define NAME_MAX_BYTES 128
#define LEASES_MAX     1000

typedef struct {
  MusterLeaseRenewFunc renew_async;
  MusterLeaseRenewFinishFunc renew_finish;
  MusterLeaseLapsedFunc lapsed;
} SideLease;

/* Returns (transfer full): the name of its lane. */
static char *
dup_lane (const char *name)
{
  return g_strconcat ("lease/", name, NULL);
}

static SideLease *
find (MusterRegistration *self, const char *name)
{
  GHashTable *leases = *muster_registration_get_leases (self);

  return leases != NULL ? g_hash_table_lookup (leases, name) : NULL;
}

static void
forget (MusterRegistration *self, const char *name)
{
  g_autofree char *lane = dup_lane (name);

  muster_lanes_forget (muster_registration_get_lanes (self), lane);
  g_hash_table_remove (*muster_registration_get_leases (self), name);
}

/* what plugins ask */

/**
 * muster_registration_add_lease:
 * @self: a registration
 * @name: its name among the side leases of @self, at most 128 bytes; one that is there already is
 *   replaced
 * @lease: (nullable): what the service granted; %NULL: nothing yet, @renew_async is to ask for it
 * @renew_async: extends it
 * @renew_finish: ends @renew_async
 * @lapsed: (nullable): told when it ended without being removed
 *
 * Has the broker keep something alive that hangs on the registration: a publication, a subscription,
 * a token. The broker renews it at the moment that suits its length, tries a renewal that fails in
 * passing again inside what is left of it, and gives up when it has run out or when the service
 * refuses. It is renewed only while the registration is registered; one that is added in an open is
 * kept from its success on. Every close, and every end of the registration by the broker, removes all
 * of them.
 *
 * See RFC 3903, section 4, for publications, and RFC 6665, section 4.1.2, for subscriptions. A
 * renewal whose entity tag or dialog is gone (412, 481) ends with %MUSTER_ERROR_EXPIRED: the broker
 * asks again at once, and the plugin then makes a new one.
 */
void
muster_registration_add_lease (MusterRegistration *self,
                               const char *name,
                               const MusterLease *lease,
                               MusterLeaseRenewFunc renew_async,
                               MusterLeaseRenewFinishFunc renew_finish,
                               MusterLeaseLapsedFunc lapsed)
{
  const MusterRegistrationHost *host;
  GHashTable **leases;
  gpointer host_data;
  SideLease *side;

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));
  g_return_if_fail (name != NULL && *name != '\0' && strlen (name) <= NAME_MAX_BYTES);
  g_return_if_fail (renew_async != NULL && renew_finish != NULL);

  host = muster_registration_get_host (self, &host_data);
  if (host == NULL || host->add_lease == NULL)
    return;

  leases = muster_registration_get_leases (self);
  if (*leases == NULL)
    *leases = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (g_hash_table_size (*leases) >= LEASES_MAX && !g_hash_table_contains (*leases, name)) {
    g_critical ("%s: has more than %d side leases, ignoring %s", G_OBJECT_TYPE_NAME (self),
                LEASES_MAX, name);
    return;
  }

  side = g_new (SideLease, 1);
  side->renew_async = renew_async;
  side->renew_finish = renew_finish;
  side->lapsed = lapsed;
  g_hash_table_replace (*leases, g_strdup (name), side);
  host->add_lease (host_data, name, lease);
}

/**
 * muster_registration_remove_lease:
 * @self: a registration
 * @name: the name of a side lease; one that is not there is ignored
 *
 * Has the broker forget a side lease. A renewal that is under way is cancelled.
 */
void
muster_registration_remove_lease (MusterRegistration *self, const char *name)
{
  const MusterRegistrationHost *host;
  gpointer host_data;
  g_autofree char *held = g_strdup (name); /* may be the key */

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));
  g_return_if_fail (name != NULL);

  if (find (self, name) == NULL)
    return;

  forget (self, held);
  host = muster_registration_get_host (self, &host_data);
  if (host != NULL && host->remove_lease != NULL)
    host->remove_lease (host_data, held);
}

/* what the broker asks */

/* The functions are copied: the side lease may be replaced or removed meanwhile. */
typedef struct {
  SideLease side;
  char *name;
} Renewal;

static void
renewal_free (gpointer data)
{
  Renewal *renewal = data;

  g_free (renewal->name);
  g_free (renewal);
}

static void
start_renewal (MusterRegistration *self,
               GTask *task,
               GCancellable *cancellable,
               GAsyncReadyCallback callback,
               gpointer user_data)
{
  const Renewal *renewal = g_task_get_task_data (task);

  renewal->side.renew_async (self, renewal->name, cancellable, callback, user_data);
}

static void
finish_renewal (MusterRegistration *self, GAsyncResult *result, GTask *task)
{
  const Renewal *renewal = g_task_get_task_data (task);
  GError *error = NULL;
  MusterLease *lease = renewal->side.renew_finish (self, result, &error);

  if (lease == NULL)
    g_task_return_error (task, muster_sane_error (self, error));
  else
    g_task_return_pointer (task, lease, (GDestroyNotify) muster_lease_free);
}

void
muster_registration_renew_lease_async (MusterRegistration *self,
                                       const char *name,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  const SideLease *side;
  g_autofree char *lane = NULL;
  Renewal *renewal;

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));

  side = find (self, name);
  g_return_if_fail (side != NULL);

  renewal = g_new (Renewal, 1);
  renewal->side = *side;
  renewal->name = g_strdup (name);
  lane = dup_lane (name);
  muster_registration_run (self, lane, muster_registration_renew_lease_async, renewal, renewal_free,
                           cancellable, callback, user_data, start_renewal, finish_renewal);
}

MusterLease *
muster_registration_renew_lease_finish (MusterRegistration *self,
                                        GAsyncResult *result,
                                        GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

void
muster_registration_lapse_lease (MusterRegistration *self, const char *name, const GError *error)
{
  const SideLease *side;
  MusterLeaseLapsedFunc lapsed;

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));
  g_return_if_fail (name != NULL && error != NULL);

  side = find (self, name);
  if (side == NULL)
    return;

  lapsed = side->lapsed;
  forget (self, name);
  if (lapsed != NULL) {
    guint64 outer = muster_execution_mark ((gconstpointer) lapsed);

    lapsed (self, name, error);
    muster_execution_unmark (outer);
  }
}

void
muster_registration_forget_leases (MusterRegistration *self)
{
  GHashTable **leases;

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));

  leases = muster_registration_get_leases (self);
  while (*leases != NULL && g_hash_table_size (*leases) > 0) {
    GHashTableIter iter;
    gpointer name;
    g_autofree char *held = NULL;

    g_hash_table_iter_init (&iter, *leases);
    g_hash_table_iter_next (&iter, &name, NULL);
    held = g_strdup (name);
    forget (self, held);
  }
}
