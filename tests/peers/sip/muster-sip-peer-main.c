/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-peer.h"

#include <string.h>

/* The peer as a program, for tests of the whole daemon: prints its port, then serves until killed. What is no
 * REGISTER gets a 200, and its first line is printed. */

static void
on_other (SipPeer *peer, const char *text, GSocketAddress *from, gpointer user_data)
{
  g_print ("%.*s\n", (int) strcspn (text, "\r\n"), text);
  sip_peer_answer (peer, text, from, "200 OK", NULL);
}

int
main (int argc, char **argv)
{
  g_autofree char *scenario = g_strdup ("ok");
  g_autofree char *address = g_strdup ("127.0.0.1");
  g_autofree char *transcript = NULL;
  g_autofree char *user = g_strdup ("alice");
  int port = 0;
  gboolean list = FALSE;
  const GOptionEntry entries[] = {
    { "scenario", 's', 0, G_OPTION_ARG_STRING, &scenario, "What to do", "NAME" },
    { "address", 'a', 0, G_OPTION_ARG_STRING, &address, "Where to listen", "IP" },
    { "port", 'p', 0, G_OPTION_ARG_INT, &port, "Where to listen; 0: anywhere", "PORT" },
    { "transcript", 't', 0, G_OPTION_ARG_FILENAME, &transcript, "What to answer", "FILE" },
    { "user", 'u', 0, G_OPTION_ARG_STRING, &user, "Whose transcript it is", "NAME" },
    { "list", 'l', 0, G_OPTION_ARG_NONE, &list, "Name the scenarios", NULL },
    { 0 },
  };
  g_autoptr (GOptionContext)
    options = g_option_context_new ("- a SIP registrar that can misbehave");
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (SipPeer) peer = NULL;

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    return 2;
  }
  if (list) {
    for (const char *const *name = sip_peer_list_scenarios (); *name != NULL; name++)
      g_print ("%s\n", *name);
    return 0;
  }

  peer = sip_peer_new (scenario, address, (guint16) port, &error);
  if (peer == NULL || (transcript != NULL && !sip_peer_play (peer, transcript, user, &error))) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  sip_peer_set_other (peer, on_other, NULL);
  g_print ("%u\n", sip_peer_get_port (peer));
  g_main_loop_run (loop);
  return 0;
}
