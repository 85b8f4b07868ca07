/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-execution-private.h"
#include "muster-hub-private.h"
#include "runtime/muster-crash-record.h"

#include <gio/gio.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each run is a child that crashes in its own way; the parent opens the record as the next daemon does.
 * GLib stands for the plugin: it is code that is neither ours nor the C library's. */

#define PLUGIN "glib"
#define START  G_GINT64_CONSTANT (1800000000000000)

typedef struct {
  char *folder;
  char *path;
  gint64 wall_us;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = g_dir_make_tmp ("muster-crash-XXXXXX", NULL);
  self->path = g_build_filename (self->folder, "state", "crash-record", NULL);
  self->wall_us = START;
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_autofree char *state = g_path_get_dirname (self->path);

  unlink (self->path);
  rmdir (state);
  rmdir (self->folder);
  g_free (self->path);
  g_free (self->folder);
}

/* ways to end */

static void
in_marked_call (void)
{
  muster_execution_enter ((gconstpointer) g_str_hash);
  raise (SIGSEGV);
}

static void
in_nested_call (void)
{
  guint64 outer = muster_execution_enter ((gconstpointer) g_str_hash);

  muster_execution_leave (muster_execution_enter ((gconstpointer) in_marked_call));
  g_assert_true (outer == 0);
  raise (SIGBUS);
}

static void
after_call (void)
{
  muster_execution_leave (muster_execution_enter ((gconstpointer) g_str_hash));
  raise (SIGSEGV);
}

static void
in_daemon_called_by_plugin (void)
{
  muster_execution_enter ((gconstpointer) g_str_hash);
  muster_execution_enter (NULL);
  raise (SIGSEGV);
}

static void
in_unmarked_code (void)
{
  g_str_hash (GSIZE_TO_POINTER (8));
}

static void
in_library_of_unmarked_code (void)
{
  g_log_set_default_handler (g_log_default_handler, NULL);
  g_unsetenv ("G_DEBUG");
  close (STDERR_FILENO); /* its words are not ours, and end the protocol of the tests */
  close (STDOUT_FILENO);
  g_assertion_message ("test", "file", 1, "func", "message"); /* GLib calls abort () */
}

static int
compare (gconstpointer a, gconstpointer b)
{
  raise (SIGSEGV);
  return 0;
}

static void
in_daemon_called_by_unmarked_code (void)
{
  g_autoptr (GPtrArray) array = g_ptr_array_new ();

  g_ptr_array_add (array, array);
  g_ptr_array_add (array, array);
  g_ptr_array_sort (array, compare);
}

static void
while_loading (void)
{
  muster_crash_record_set_loading (PLUGIN);
  raise (SIGILL);
}

static gpointer
crash_thread (gpointer data)
{
  raise (SIGSEGV);
  return NULL;
}

static void
in_other_thread (void)
{
  muster_execution_enter ((gconstpointer) g_str_hash);
  g_thread_join (g_thread_new ("crash", crash_thread, NULL));
}

static gpointer
hang_thread (gpointer data)
{
  muster_crash_record_set_hung ();
  abort ();
}

static void
by_watchdog (void)
{
  muster_execution_enter ((gconstpointer) g_str_hash);
  g_thread_join (g_thread_new ("watchdog", hang_thread, NULL));
}

static int __attribute__ ((noinline)) recurse (volatile char *outer)
{
  volatile char page[4096];

  page[0] = outer != NULL ? outer[0] : 0;
  if (page[0] != 0) /* never, but the compiler cannot know */
    return 0;
  return recurse (page) + page[0];
}

static void
out_of_stack (void)
{
  muster_execution_enter ((gconstpointer) g_str_hash);
  recurse (NULL);
}

static void
by_kill (void)
{
  muster_execution_enter ((gconstpointer) g_str_hash);
  raise (SIGKILL);
}

static void
by_term (void)
{
  muster_execution_enter ((gconstpointer) g_str_hash);
  raise (SIGTERM);
}

static void
well (void)
{
  muster_execution_enter ((gconstpointer) g_str_hash);
  muster_crash_record_close ();
}

/* One run; returns the signal that ended it. */
static int
run (Fixture *self, void (*end) (void))
{
  int status;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0) {
    g_autoptr (GError) error = NULL;

    muster_clock_use_virtual (1, self->wall_us);
    if (!muster_crash_record_open (self->path, &error))
      _exit (99);
    muster_crash_record_add_plugin (PLUGIN, (gconstpointer) g_str_hash);
    end ();
    _exit (0);
  }

  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status) || WEXITSTATUS (status) == 0);

  return WIFSIGNALED (status) ? WTERMSIG (status) : 0;
}

/* Opened as the next daemon does; its verdict lives until it is opened again. */
static const MusterCrash *
open_record (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  muster_crash_record_open (self->path, &error);
  g_assert_no_error (error);

  return muster_crash_record_get_last ();
}

static gboolean
is_suspended (const char *plugin, gboolean *unloadable)
{
  g_autofree char *reason = muster_crash_record_dup_reason (plugin, unloadable);

  return reason != NULL;
}

/* tests */

static const struct {
  const char *name;
  void (*end) (void);
  int signal; /* 0: it ends well */
  const char *plugin;
  gboolean is_crash;
  gboolean hung;
} ends[] = {
  { "in-marked-call", in_marked_call, SIGSEGV, PLUGIN, TRUE },
  { "in-nested-call", in_nested_call, SIGBUS, PLUGIN, TRUE },
  { "after-call", after_call, SIGSEGV, NULL, TRUE },
  { "in-daemon-called-by-plugin", in_daemon_called_by_plugin, SIGSEGV, NULL, TRUE },
  { "in-unmarked-code", in_unmarked_code, SIGSEGV, PLUGIN, TRUE },
  { "in-library-of-unmarked-code", in_library_of_unmarked_code, SIGABRT, PLUGIN, TRUE },
  { "in-daemon-called-by-unmarked-code", in_daemon_called_by_unmarked_code, SIGSEGV, NULL, TRUE },
  { "while-loading", while_loading, SIGILL, PLUGIN, TRUE },
  { "in-other-thread", in_other_thread, SIGSEGV, NULL, TRUE },
  { "by-watchdog", by_watchdog, SIGABRT, PLUGIN, TRUE, TRUE },
  { "out-of-stack", out_of_stack, SIGSEGV, PLUGIN, TRUE },
  { "by-kill", by_kill, SIGKILL, NULL, FALSE },
  { "by-term", by_term, SIGTERM, NULL, FALSE },
  { "well", well, 0, NULL, FALSE },
};

static void
test_verdict (Fixture *self, gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  const MusterCrash *crash;
  gboolean unloadable;

  g_assert_cmpint (run (self, ends[i].end), ==, ends[i].signal);
  crash = open_record (self);
  g_assert_true ((crash != NULL) == ends[i].is_crash);
  if (crash != NULL) {
    g_autofree char *name = g_strdup_printf ("SIG%s", sigabbrev_np (ends[i].signal));

    g_assert_cmpstr (crash->plugin, ==, ends[i].plugin);
    g_assert_cmpstr (crash->signal, ==, name);
    g_assert_cmpint (crash->hung, ==, ends[i].hung);
    g_assert_cmpint (crash->time_us, ==, START);
    g_assert_false (crash->suspended);
  }
  g_assert_false (is_suspended (PLUGIN, &unloadable));
  muster_crash_record_close ();

  /* It is judged once. */
  g_assert_null (open_record (self));
  muster_crash_record_close ();
}

static void
crash_after (Fixture *self, gint64 minutes)
{
  self->wall_us += minutes * 60 * G_USEC_PER_SEC;
  g_assert_cmpint (run (self, in_marked_call), ==, SIGSEGV);
}

static void
assert_suspended (Fixture *self, gboolean expected)
{
  gboolean unloadable;

  open_record (self);
  g_assert_true (is_suspended (PLUGIN, &unloadable) == expected);
  g_assert_false (unloadable);
  g_assert_false (is_suspended ("other", &unloadable));
  g_assert_false (is_suspended ("", &unloadable));
  muster_crash_record_close ();
}

static void
test_twice_within_ten_minutes (Fixture *self, gconstpointer data)
{
  crash_after (self, 0);
  crash_after (self, 10);
  assert_suspended (self, TRUE);
  assert_suspended (self, TRUE);
}

static void
test_twice_in_eleven_minutes (Fixture *self, gconstpointer data)
{
  crash_after (self, 0);
  crash_after (self, 11);
  assert_suspended (self, FALSE);
  crash_after (self, 11);
  assert_suspended (self, FALSE);
  crash_after (self, 9);
  assert_suspended (self, TRUE);
}

static void
test_clock_set_back (Fixture *self, gconstpointer data)
{
  crash_after (self, 0);
  crash_after (self, -100000);
  assert_suspended (self, FALSE);
  crash_after (self, -1);
  assert_suspended (self, TRUE);
}

static void
test_kills_between (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 5; i++)
    run (self, by_kill);
  crash_after (self, 0);
  for (guint i = 0; i < 5; i++)
    run (self, by_kill);
  assert_suspended (self, FALSE);
}

static void
test_forgiven (Fixture *self, gconstpointer data)
{
  crash_after (self, 0);
  crash_after (self, 1);
  open_record (self);
  muster_crash_record_forgive (PLUGIN);
  muster_crash_record_close ();
  assert_suspended (self, FALSE);
  crash_after (self, 1);
  assert_suspended (self, FALSE);
  crash_after (self, 1);
  assert_suspended (self, TRUE);
}

static void
test_unloadable (Fixture *self, gconstpointer data)
{
  gboolean unloadable;

  run (self, while_loading);
  run (self, while_loading);
  open_record (self);
  g_assert_true (is_suspended (PLUGIN, &unloadable));
  g_assert_true (unloadable);
  muster_crash_record_close ();
}

/* Returns: whether it is fatal */
static gboolean
on_warning (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  return FALSE;
}

static void
on_log (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  *(guint *) user_data += 1;
}

static void
test_damaged (Fixture *self, gconstpointer data)
{
  g_autofree char *contents = NULL;
  guint n_messages = 0;
  guint handler;
  gsize length;

  crash_after (self, 0);
  crash_after (self, 1);
  g_assert_true (g_file_get_contents (self->path, &contents, &length, NULL));
  g_test_log_set_fatal_handler (on_warning, NULL);
  handler = g_log_set_handler ("MusterCrash", G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL, on_log,
                               &n_messages);

  /* Whatever is in it, it is read or refused, and the next crash is recorded. */
  for (guint seed = 0; seed < 200; seed++) {
    g_autofree char *damaged = g_memdup2 (contents, length);
    g_autoptr (GRand) random = g_rand_new_with_seed (seed);

    for (guint i = 0; i < 200; i++)
      damaged[g_rand_int_range (random, seed % 2 == 0 ? 8 : 0, (gint32) length)] = (char)
        g_rand_int (random);
    g_assert_true (g_file_set_contents (self->path, damaged,
                                        g_rand_int_range (random, 0, (gint32) length + 1), NULL));
    open_record (self);
    muster_crash_record_close ();
  }
  g_log_remove_handler ("MusterCrash", handler);
  g_assert_cmpuint (n_messages, >, 100);
}

static void
test_unusable_place (Fixture *self, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (self->path);
  g_autoptr (GError) error = NULL;
  gboolean unloadable;

  g_assert_true (g_file_set_contents (folder, "a file", -1, NULL));
  g_assert_false (muster_crash_record_open (self->path, &error));
  g_assert_nonnull (error);
  g_assert_false (is_suspended (PLUGIN, &unloadable));
  muster_crash_record_set_loading (PLUGIN);
  muster_crash_record_add_plugin (PLUGIN, (gconstpointer) g_str_hash);
  muster_crash_record_forgive (PLUGIN);
  muster_crash_record_set_hung ();
  muster_crash_record_close ();
  unlink (folder);
}

/* timers and watches carry their marks */

static volatile guint64 slot;

static void
on_timer (MusterTimer *timer, gpointer user_data)
{
  g_assert_cmpuint (slot, ==, (guint64) (gsize) on_timer);
  *(gboolean *) user_data = TRUE;
}

static void
test_timer_is_marked (void)
{
  gboolean ran = FALSE;
  MusterTimer timer;

  muster_clock_use_virtual (1, 1);
  muster_execution_set_slot (&slot);
  muster_timer_init (&timer, on_timer, &ran);
  muster_timer_arm_in_ms (&timer, 1000);
  muster_clock_advance_us (2 * G_USEC_PER_SEC);
  g_assert_true (ran);
  g_assert_cmpuint (slot, ==, 0);
  muster_execution_set_slot (NULL);
}

#define ADD(path, func) g_test_add ("/crash-record/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autofree char *path = g_strconcat ("/crash-record/verdict/", ends[i].name, NULL);

    g_test_add (path, Fixture, GSIZE_TO_POINTER (i), set_up, test_verdict, tear_down);
  }
  ADD ("twice-within-ten-minutes", test_twice_within_ten_minutes);
  ADD ("twice-in-eleven-minutes", test_twice_in_eleven_minutes);
  ADD ("clock-set-back", test_clock_set_back);
  ADD ("kills-between", test_kills_between);
  ADD ("forgiven", test_forgiven);
  ADD ("unloadable", test_unloadable);
  ADD ("damaged", test_damaged);
  ADD ("unusable-place", test_unusable_place);
  g_test_add_func ("/crash-record/timer-is-marked", test_timer_is_marked);

  return g_test_run ();
}
