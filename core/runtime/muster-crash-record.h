/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MusterCrash:
 *
 * How the last run ended, if it crashed.
 */
typedef struct {
  const char *plugin; /* NULL: no plugin can be blamed */
  const char *signal; /* its name */
  gboolean hung;      /* it did not fault: a watchdog ended it because the main loop stood still */
  gint64 time_us;     /* UTC */
  gboolean suspended; /* it was the plugin's second within ten minutes */
} MusterCrash;

/* The record is the process's, as its signal handlers are. While none is open, everything below does
 * nothing, and nothing is suspended. */

/* Reads what the last run left in @path, judges it, and records this one from here on: on the main
 * thread, before any plugin is loaded. */
gboolean muster_crash_record_open (const char *path, GError **error);
void muster_crash_record_close (void);

/* %NULL: the last run did not crash. */
const MusterCrash *muster_crash_record_get_last (void);

/* Returns (transfer full): why @plugin is suspended, a sentence; %NULL: it is not. @unloadable: it
 * crashed while its file was being opened, so that may not be tried. */
char *muster_crash_record_dup_reason (const char *plugin, gboolean *unloadable);
/* Forgets the crashes of @plugin. */
void muster_crash_record_forgive (const char *plugin);

/* @plugin's file is being opened: its constructors run. %NULL: no longer. */
void muster_crash_record_set_loading (const char *plugin);
/* The code around @address is @plugin's. */
void muster_crash_record_add_plugin (const char *plugin, gconstpointer address);

/* The main loop stands still, and the process is about to be ended for it. From any thread. */
void muster_crash_record_set_hung (void);

G_END_DECLS
