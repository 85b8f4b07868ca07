/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "full.h"
#include "muster-hub-private.h"
#include "plugins/muster-module.h"

/* What the tests share: the fixture plugin, and time. */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

#define START_US (1000 * G_USEC_PER_SEC)
#define WALL_US  (G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC)

static Full *full;
static void (*release) (void);
static MusterModule *full_module;

static void
full_clear (void)
{
  if (full->log != NULL)
    g_string_free (full->log, TRUE);
  g_clear_pointer (&full->consumed, g_ptr_array_unref);
  g_clear_pointer (&full->contacts, g_ptr_array_unref);
  g_assert_true (g_queue_is_empty (&full->held));
  memset (full, 0, sizeof *full);
}

static void
full_reset (void)
{
  full_clear ();
  full->log = g_string_new (NULL);
  full->consumed = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_event_unref);
  full->renew_error = full->consume_error = full->gate_error = -1;
  full->publish_error = -1;
  full->supported = 1u << MUSTER_PRESENCE_AVAILABLE | 1u << MUSTER_PRESENCE_DND;
  full->watch_error = -1;
  full->answer_error = -1;
  full->bind_error = full->unbind_error = -1;
  full->lease_s = 600;
  muster_clock_use_virtual (START_US, WALL_US);
}

/* Finds what the module exports for tests; it is resident. */
static void
full_find (const char *path)
{
  GModule *module = g_module_open (path, G_MODULE_BIND_LOCAL | G_MODULE_BIND_LAZY);

  g_assert_nonnull (module);
  g_assert_true (g_module_symbol (module, "full", (gpointer *) &full));
  g_assert_true (g_module_symbol (module, "full_release", (gpointer *) &release));
}

/* Opens it alone, and starts it. */
static void
full_open (void)
{
  const char *path = g_getenv ("MUSTER_FULL_PLUGIN");

  full_module = muster_module_open (path);
  g_assert_cmpstr (muster_module_get_reason (full_module), ==, "");
  full_find (path);
  g_assert_true (muster_module_start (full_module, NULL));
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

/* Goes on by @ms, and gives everything that falls due the loop that it needs. */
static void
pass_ms (gint64 ms)
{
  gint64 until_us = muster_clock_now_us () + ms * 1000;

  settle ();
  while (muster_clock_next_due_us () <= until_us) {
    muster_clock_advance_us (MAX (muster_clock_next_due_us () - muster_clock_now_us (), 0));
    settle ();
  }
  if (muster_clock_now_us () < until_us)
    muster_clock_advance_us (until_us - muster_clock_now_us ());
  settle ();
}

/* What was logged since the last call. */
static char *
take_log (void)
{
  char *log = g_strchomp (g_strdup (full->log->str));

  g_string_truncate (full->log, 0);
  return log;
}

#define assert_log(expected)                                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *taken = take_log ();                                                          \
    g_assert_cmpstr (taken, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

static void
on_test_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_null (*(GAsyncResult **) user_data);
  *(GAsyncResult **) user_data = g_object_ref (result);
}

#pragma GCC diagnostic pop
