/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "bus/muster-bus-private.h"

#include <gio/gunixsocketaddress.h>

#include <sys/socket.h>

/* What goes out in a batch, seen from the other end of a connection without a bus. */

#define PATH      "/org/example/Batch"
#define INTERFACE "org.example.Batch"

typedef struct {
  GDBusConnection *ends[2];
  MusterBusBatch *batch; /* on the first */
  GString *heard;        /* by the second, a word each */
} Wire;

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  *(GDBusConnection **) user_data = g_dbus_connection_new_finish (result, &error);
  g_assert_no_error (error);
}

static void
on_signal (GDBusConnection *connection,
           const char *sender,
           const char *path,
           const char *interface,
           const char *name,
           GVariant *parameters,
           gpointer user_data)
{
  Wire *wire = user_data;
  gint32 number = 0;

  if (g_variant_n_children (parameters) > 0)
    g_variant_get (parameters, "(i)", &number);
  g_string_append_printf (wire->heard, "%s%d ", name, number);
}

static void
wire_set_up (Wire *wire, gconstpointer data)
{
  g_autofree char *guid = g_dbus_generate_guid ();
  int sockets[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GSocket) socket = g_socket_new_from_fd (sockets[i], NULL);
    g_autoptr (GSocketConnection) stream = g_socket_connection_factory_create_connection (socket);

    g_dbus_connection_new (G_IO_STREAM (stream), i == 0 ? guid : NULL,
                           i == 0 ? G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
                                  : G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT,
                           NULL, NULL, on_connected, &wire->ends[i]);
  }
  while (wire->ends[0] == NULL || wire->ends[1] == NULL)
    g_main_context_iteration (NULL, TRUE);

  wire->batch = muster_bus_batch_new (wire->ends[0]);
  wire->heard = g_string_new (NULL);
  g_dbus_connection_signal_subscribe (wire->ends[1], NULL, INTERFACE, NULL, NULL, NULL,
                                      G_DBUS_SIGNAL_FLAGS_NONE, on_signal, wire, NULL);
}

static void
wire_tear_down (Wire *wire, gconstpointer data)
{
  g_clear_pointer (&wire->batch, muster_bus_batch_free);
  for (guint i = 0; i < 2; i++) {
    g_dbus_connection_close_sync (wire->ends[i], NULL, NULL);
    g_object_unref (wire->ends[i]);
  }
  g_string_free (wire->heard, TRUE);
}

static void
add (Wire *wire, int number)
{
  muster_bus_batch_add (wire->batch, PATH, INTERFACE, "S", g_variant_new ("(i)", number));
}

static void
send_message (Wire *wire, const char *name)
{
  g_assert_true (
    g_dbus_connection_emit_signal (wire->ends[0], NULL, PATH, INTERFACE, name, NULL, NULL));
}

static void
wait_for (Wire *wire, const char *last)
{
  while (!g_str_has_suffix (wire->heard->str, last))
    g_main_context_iteration (NULL, TRUE);
}

static void
test_order (Wire *wire, gconstpointer data)
{
  add (wire, 1);
  add (wire, 2);
  muster_bus_batch_release (wire->batch);
  send_message (wire, "Carrier");
  wait_for (wire, "S2 ");
  g_assert_cmpstr (wire->heard->str, ==, "Carrier0 S1 S2 ");

  /* What is not released stays, whatever else is sent. */
  add (wire, 3);
  send_message (wire, "Other");
  wait_for (wire, "Other0 ");
  muster_bus_batch_release (wire->batch);
  send_message (wire, "Carrier");
  wait_for (wire, "S3 ");
  g_assert_cmpstr (wire->heard->str, ==, "Carrier0 S1 S2 Other0 Carrier0 S3 ");
}

/* The worker may not have come to the first when the second is released. */
static void
test_release_twice (Wire *wire, gconstpointer data)
{
  add (wire, 1);
  muster_bus_batch_release (wire->batch);
  add (wire, 2);
  add (wire, 3);
  muster_bus_batch_release (wire->batch);
  muster_bus_batch_release (wire->batch);
  send_message (wire, "Carrier");
  wait_for (wire, "S3 ");
  g_assert_cmpstr (wire->heard->str, ==, "Carrier0 S1 S2 S3 ");
}

static void
test_free_unsent (Wire *wire, gconstpointer data)
{
  add (wire, 1);
  muster_bus_batch_release (wire->batch);
  add (wire, 2);
  g_clear_pointer (&wire->batch, muster_bus_batch_free);
  send_message (wire, "Carrier");
  send_message (wire, "Last");
  wait_for (wire, "Last0 ");
  g_assert_cmpstr (wire->heard->str, ==, "Carrier0 Last0 ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/bus-batch/order", Wire, NULL, wire_set_up, test_order, wire_tear_down);
  g_test_add ("/bus-batch/release-twice", Wire, NULL, wire_set_up, test_release_twice,
              wire_tear_down);
  g_test_add ("/bus-batch/free-unsent", Wire, NULL, wire_set_up, test_free_unsent, wire_tear_down);

  return g_test_run ();
}
