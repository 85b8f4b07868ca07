/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The plugin as the daemon loads it, over real sockets on loopback, against a registrar. */

#pragma once

#include "muster-hub-private.h"
#include "muster-record-host.h"
#include "muster-registration-host.h"
#include "muster-sip-peer.h"

#include <string.h>

#define ADDRESS "alice@example.test"

/* an account, and the daemon around it */

typedef struct {
  const MusterPluginInfo *info;
  MusterPluginContext *context;
  SipPeer *peer;

  MusterRegistration *registration;
  const char *address;
  GHashTable *params; /* name -> GVariant */
  guint params_version;
  char *password;         /* nullable */
  guint password_version; /* 0: nobody can say */
  guint n_loads;          /* of the password */
  GBytes *resume;
  gint64 lease_end_us; /* as the broker keeps it: 0 for none */
  GPtrArray *offers;   /* of MusterOffer *: each as it was told */

  GHashTable
    *side_leases;      /* name -> seconds; 0: nothing is granted yet. NULL: none are looked at */
  GHashTable *records; /* key -> GBytes */
  GPtrArray *contacts; /* of MusterContact *: each as it was told; NULL: nobody listens */
  guint n_waiting;     /* messages, new and old */
  gboolean may_be_lost;
  GError *lost;

  guint n_done;
  MusterLease *lease;
  GError *error;
} World;

static inline GVariant *
host_dup_param (gpointer host, const char *name)
{
  World *world = host;
  GVariant *value = g_hash_table_lookup (world->params, name);

  return value != NULL ? g_variant_ref (value) : NULL;
}

static inline guint
host_get_params_version (gpointer host)
{
  return ((World *) host)->params_version;
}

static inline void
host_load_secret (gpointer host, const char *name, GTask *task)
{
  World *world = host;

  g_assert_cmpstr (name, ==, "password");
  world->n_loads++;
  if (world->password == NULL)
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_SECRET,
                                                 "no password is kept"));
  else
    g_task_return_pointer (task, muster_secret_new (world->password, strlen (world->password)),
                           (GDestroyNotify) muster_secret_unref);
  g_object_unref (task);
}

static inline guint
host_get_secret_version (gpointer host, const char *name)
{
  g_assert_cmpstr (name, ==, "password");
  return ((World *) host)->password_version;
}

static inline GBytes *
host_dup_resume (gpointer host)
{
  World *world = host;

  return world->resume != NULL ? g_bytes_ref (world->resume) : NULL;
}

static inline gint64
host_get_lease_end_us (gpointer host)
{
  return ((World *) host)->lease_end_us;
}

static inline void
host_set_resume (gpointer host, GBytes *blob)
{
  World *world = host;

  g_clear_pointer (&world->resume, g_bytes_unref);
  world->resume = blob != NULL ? g_bytes_ref (blob) : NULL;
}

static inline void
host_lost (gpointer host, const GError *error)
{
  World *world = host;

  if (!world->may_be_lost)
    g_error ("UDP loses nothing: %s", error->message);
  g_clear_error (&world->lost);
  world->lost = g_error_copy (error);
}

static inline void
host_report_bindings (gpointer host, const char *const *bindings)
{
}

static inline void
host_add_lease (gpointer host, const char *name, const MusterLease *lease)
{
  if (((World *) host)->side_leases != NULL)
    g_hash_table_insert (((World *) host)->side_leases, g_strdup (name),
                         GUINT_TO_POINTER (lease != NULL ? lease->lease_s : 0));
}

static inline void
host_remove_lease (gpointer host, const char *name)
{
  if (((World *) host)->side_leases != NULL)
    g_hash_table_remove (((World *) host)->side_leases, name);
}

static inline void
host_contact_changed (gpointer host, const MusterContact *contact)
{
  if (((World *) host)->contacts != NULL)
    g_ptr_array_add (((World *) host)->contacts, muster_contact_copy (contact));
}

static inline void
host_messages_waiting (gpointer host, guint n_new, guint n_old)
{
  ((World *) host)->n_waiting = n_new * 100 + n_old;
}

static inline void
host_offer_changed (gpointer host, const MusterOffer *offer)
{
  g_ptr_array_add (((World *) host)->offers, muster_offer_copy (offer));
}

static const MusterRegistrationHost host = {
  .dup_param = host_dup_param,
  .load_secret = host_load_secret,
  .dup_resume = host_dup_resume,
  .get_lease_end_us = host_get_lease_end_us,
  .set_resume = host_set_resume,
  .lost = host_lost,
  .report_bindings = host_report_bindings,
  .get_params_version = host_get_params_version,
  .add_lease = host_add_lease,
  .remove_lease = host_remove_lease,
  .offer_changed = host_offer_changed,
  .contact_changed = host_contact_changed,
  .messages_waiting = host_messages_waiting,
  .get_secret_version = host_get_secret_version,
};

/* what plugins keep */

static inline void
records_put (gpointer data,
             const char *plugin,
             const char *account,
             const char *name_space,
             const MusterRecord *record)
{
  g_hash_table_insert (((World *) data)->records, g_strconcat (name_space, "/", record->key, NULL),
                       g_bytes_ref (record->blob));
}

static inline void
records_remove (gpointer data, const char *plugin, const char *name_space, const char *key)
{
  g_autofree char *name = g_strconcat (name_space, "/", key, NULL);

  g_hash_table_remove (((World *) data)->records, name);
}

static inline void
records_get (gpointer data,
             const char *plugin,
             const char *name_space,
             const char *key,
             GTask *task)
{
  g_autofree char *name = g_strconcat (name_space, "/", key, NULL);
  GBytes *blob = g_hash_table_lookup (((World *) data)->records, name);

  g_task_return_pointer (task,
                         blob != NULL
                           ? muster_record_new (key, blob, G_MAXINT64, MUSTER_RECORD_SEALED)
                           : NULL,
                         (GDestroyNotify) muster_record_free);
  g_object_unref (task);
}

static const MusterRecordHost record_host = {
  .put = records_put,
  .remove = records_remove,
  .get = records_get,
};

static inline const MusterPluginInfo *
load_plugin (void)
{
  g_autofree char *file = g_build_filename (g_getenv ("MUSTER_PLUGIN_PATH"), "muster-sip.so", NULL);
  GModule *module = g_module_open (file, G_MODULE_BIND_LOCAL | G_MODULE_BIND_LAZY);
  gpointer symbol = NULL;

  if (module == NULL || !g_module_symbol (module, MUSTER_PLUGIN_SYMBOL, &symbol))
    g_error ("%s", g_module_error ());
  g_module_make_resident (module);
  return symbol;
}

/* The daemon starts. */
static inline void
start (World *world)
{
  const MusterKind *kind = world->info->kinds[0];
  g_autoptr (GError) error = NULL;

  world->context = g_object_new (world->info->get_context_type (), NULL);
  muster_plugin_context_set_record_host (world->context, "sip", &record_host, world);
  muster_plugin_context_start (world->context, &error);
  g_assert_no_error (error);
  world->registration = muster_registration_new (kind->get_type (), kind->protocol, world->context,
                                                 "aaaaaaaaaaaa", world->address, &host, world);
}

/* The daemon is killed, as far as one can be from within: nothing is said to the server. */
static inline void
stop (World *world)
{
  muster_registration_detach_host (world->registration);
  g_assert_finalize_object (g_steal_pointer (&world->registration));
  muster_plugin_context_stop (world->context);
  g_assert_finalize_object (g_steal_pointer (&world->context));
}

static inline void
set_string (World *world, const char *name, const char *value)
{
  g_hash_table_insert (world->params, g_strdup (name),
                       g_variant_ref_sink (g_variant_new_string (value)));
  world->params_version++;
}

static inline void
set_uint (World *world, const char *name, guint value)
{
  g_hash_table_insert (world->params, g_strdup (name),
                       g_variant_ref_sink (g_variant_new_uint32 (value)));
  world->params_version++;
}

static inline void
set_server (World *world, const char *server_host)
{
  g_autofree char *server = g_strdup_printf ("%s:%u", server_host, sip_peer_get_port (world->peer));

  set_string (world, "server", server);
}

static inline void
world_set_up (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  world->info = load_plugin ();
  world->params = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) g_variant_unref);
  world->side_leases = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  world->records = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify) g_bytes_unref);
  world->contacts = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_contact_free);
  world->offers = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_offer_free);
  world->password = g_strdup ("se:cret");
  world->password_version = 1;
  world->address = ADDRESS;
  world->peer = sip_peer_new ("ok", "127.0.0.1", 0, &error);
  g_assert_no_error (error);
  set_server (world, "127.0.0.1");
  start (world);
}

static inline void
world_tear_down (World *world, gconstpointer data)
{
  stop (world);
  sip_peer_free (world->peer);
  g_hash_table_unref (world->params);
  g_hash_table_unref (world->side_leases);
  g_hash_table_unref (world->records);
  g_ptr_array_unref (world->contacts);
  g_clear_error (&world->lost);
  g_ptr_array_unref (world->offers);
  g_free (world->password);
  g_clear_pointer (&world->resume, g_bytes_unref);
  g_clear_pointer (&world->lease, muster_lease_free);
  g_clear_error (&world->error);
}

static inline void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  World *world = user_data;

  world->n_done++;
  world->lease = muster_registration_open_finish (world->registration, result, &world->error);
}

static inline void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  World *world = user_data;

  world->n_done++;
  muster_registration_close_finish (world->registration, result, &world->error);
}

static inline void
forget_result (World *world)
{
  world->n_done = 0;
  g_clear_pointer (&world->lease, muster_lease_free);
  g_clear_error (&world->error);
}

static inline void
wait_until_done (World *world)
{
  while (world->n_done == 0)
    g_main_context_iteration (NULL, TRUE); /* meson's timeout is the watchdog */
}

static inline void
open_and_wait (World *world)
{
  forget_result (world);
  muster_registration_open_async (world->registration, NULL, on_opened, world);
  g_assert_cmpuint (world->n_done, ==, 0);
  wait_until_done (world);
}

static inline void
close_and_wait (World *world)
{
  forget_result (world);
  muster_registration_close_async (world->registration, NULL, on_closed, world);
  g_assert_cmpuint (world->n_done, ==, 0);
  wait_until_done (world);
}

static inline const SipPeerRequest *
last_request (World *world)
{
  return sip_peer_get_request (world->peer, sip_peer_count_requests (world->peer) - 1);
}

#define assert_has(text, part)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (text == NULL || strstr (text, part) == NULL)                                               \
      g_error ("\"%s\" is not in \"%s\"", part, text);                                             \
  }                                                                                                \
  G_STMT_END
