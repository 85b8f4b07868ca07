/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Registrations that share a connection: each with the base class around it, as the broker sees it. */

#pragma once

#include "muster-hub-private.h"
#include "muster-registration-host.h"
#include "muster-sip-context.h"
#include "stream-server.h"

extern const MusterPluginInfo muster_plugin_info; /* of the plugin, which is linked in */

typedef struct {
  Server *server;
  MusterPluginContext *context;
  GPtrArray *clients;
} World;

typedef struct {
  char *id;
  char *server;
  const char *transport;
  MusterRegistration *registration;
  GCancellable *cancellable;
  guint n_done;
  guint n_lost;
  MusterLease *lease;
  GError *error;
} Client;

/* the host */

static inline GVariant *
host_dup_param (gpointer host, const char *name)
{
  Client *client = host;

  if (g_str_equal (name, "server"))
    return g_variant_ref_sink (g_variant_new_string (client->server));
  if (g_str_equal (name, "transport"))
    return g_variant_ref_sink (g_variant_new_string (client->transport));
  return NULL;
}

static inline void
host_load_secret (gpointer host, const char *name, GTask *task)
{
  g_task_return_pointer (task, muster_secret_new ("secret", 6),
                         (GDestroyNotify) muster_secret_unref);
  g_object_unref (task);
}

static inline GBytes *
host_dup_resume (gpointer host)
{
  return NULL;
}

static inline void
host_set_resume (gpointer host, GBytes *blob)
{
}

static inline void
host_lost (gpointer host, const GError *error)
{
  ((Client *) host)->n_lost++;
}

static inline void
host_report_bindings (gpointer host, const char *const *bindings)
{
}

static const MusterRegistrationHost registration_host = {
  .dup_param = host_dup_param,
  .load_secret = host_load_secret,
  .dup_resume = host_dup_resume,
  .set_resume = host_set_resume,
  .lost = host_lost,
  .report_bindings = host_report_bindings,
};

/* clients */

static inline Client *
client_new (World *world, const char *transport)
{
  const MusterKind *kind = muster_plugin_info.kinds[0];
  Client *client = g_new0 (Client, 1);

  client->id = g_strdup_printf ("a%011u", world->clients->len);
  client->server = g_strdup_printf ("127.0.0.1:%u", world->server->port);
  client->transport = transport;
  client->registration = muster_registration_new (kind->get_type (), kind->protocol, world->context,
                                                  client->id, "alice@example.test",
                                                  &registration_host, client);
  g_ptr_array_add (world->clients, client);
  return client;
}

static inline void
client_forget (Client *client)
{
  g_clear_object (&client->cancellable);
  g_clear_pointer (&client->lease, muster_lease_free);
  g_clear_error (&client->error);
  client->n_done = 0;
}

static inline void
client_free (gpointer data)
{
  Client *client = data;

  client_forget (client);
  muster_registration_detach_host (client->registration);
  g_assert_finalize_object (client->registration);
  g_free (client->server);
  g_free (client->id);
  g_free (client);
}

static inline void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;

  client->lease = muster_registration_open_finish (client->registration, result, &client->error);
  client->n_done++;
}

static inline void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;

  muster_registration_close_finish (client->registration, result, &client->error);
  client->n_done++;
}

static inline void
client_open (Client *client)
{
  client_forget (client);
  client->cancellable = g_cancellable_new ();
  muster_registration_open_async (client->registration, client->cancellable, on_opened, client);
}

static inline void
client_close (Client *client)
{
  client_forget (client);
  muster_registration_close_async (client->registration, NULL, on_closed, client);
}

/* the world */

static inline void
world_set_up (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  world->server = server_new ();
  world->context = g_object_new (muster_plugin_info.get_context_type (), NULL);
  muster_plugin_context_start (world->context, &error);
  g_assert_no_error (error);
  world->clients = g_ptr_array_new_with_free_func (client_free);
}

static inline void
world_tear_down (World *world, gconstpointer data)
{
  g_ptr_array_unref (world->clients);
  muster_plugin_context_stop (world->context);
  g_assert_finalize_object (world->context);
  server_free (world->server);
}

/* Registered, by an answer that is given by hand. */
static inline Line *
get_registered (World *world, Client *client, guint line_index, guint lease_s)
{
  g_autofree char *request = NULL;
  g_autofree char *answer = NULL;
  Line *line;

  client_open (client);
  line = wait_for_line (world->server, line_index);
  request = wait_for_request (line);
  answer = grant_of (request, lease_s);
  line_say (line, answer);
  wait_until (client->n_done > 0);
  g_assert_no_error (client->error);
  g_assert_cmpuint (client->lease->lease_s, ==, lease_s);
  return line;
}
