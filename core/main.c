/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-daemon.h"
#include "runtime/muster-log.h"

#include <glib-unix.h>

#include <locale.h>
#ifdef HAVE_MIMALLOC
#include <mimalloc.h>
#endif
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* musterd: options, signals, and what the process may do; the rest is muster-daemon.c. */

static void
on_ended (gpointer user_data)
{
  g_main_loop_quit (user_data);
}

static gboolean
on_signal (gpointer user_data)
{
  muster_daemon_leave (user_data);
  return G_SOURCE_CONTINUE;
}

/* Secrets are in our memory: no core files, no debuggers of others. */
static void
harden (void)
{
  const struct rlimit none = { 0, 0 };
  struct rlimit files;

  umask (077);
  setrlimit (RLIMIT_CORE, &none);
  prctl (PR_SET_DUMPABLE, 0);
  if (getrlimit (RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit (RLIMIT_NOFILE, &files);
  }
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
}

static int
run (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  MusterDaemon *daemon = muster_daemon_new (on_ended, loop);
  int status;

  g_unix_signal_add (SIGTERM, on_signal, daemon);
  g_unix_signal_add (SIGINT, on_signal, daemon);

  if (muster_daemon_open (daemon))
    g_main_loop_run (loop);
  status = muster_daemon_get_exit_status (daemon);
  muster_daemon_free (daemon);

  return status;
}

int
main (int argc, char **argv)
{
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version and exit", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) options = g_option_context_new ("- keep accounts registered");
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error) || argc > 1) {
    g_printerr ("musterd: %s\n", error != NULL ? error->message : "it takes no arguments");
    return 2;
  }
  if (version) {
    g_print ("musterd %s\n", PACKAGE_VERSION);
    return 0;
  }

  harden ();
  muster_log_init ();
#ifdef HAVE_MIMALLOC                           /* naming it is what keeps it linked */
  mi_option_set (mi_option_decommit_delay, 0); /* later would be never: see the decision */
  g_debug ("memory is from mimalloc %d", mi_version ());
#endif
  return run ();
}
