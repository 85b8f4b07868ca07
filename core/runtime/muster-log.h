/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-names.h"

#include <glib.h>

G_BEGIN_DECLS

/**
 * MusterLogLine:
 *
 * A line of the log. Lent to whoever reads it.
 */
typedef struct {
  gint64 number;  /* grows by one a line, from 1 */
  gint64 time_us; /* UTC */
  GLogLevelFlags level;
  const char *domain; /* static */
  char *text;         /* UTF-8, at most MUSTER_LOG_MAX_BYTES */
} MusterLogLine;

/* The newest lines are kept in memory, so that what led to something can be read afterwards. */
#define MUSTER_LOG_MAX_LINES 2000
#define MUSTER_LOG_MAX_BYTES 1024

#define MUSTER_LOG_DOMAIN_PREFIX "Muster"
#define MUSTER_LOG_ALL           MUSTER_DEBUG_ALL

/* From now on the log passes through here. Once, before there are threads. */
void muster_log_init (void);

/* Whose `info` and `debug` lines are logged, beside those that G_MESSAGES_DEBUG names:
 * MUSTER_LOG_ALL, or names that begin with MUSTER_LOG_DOMAIN_PREFIX; NULL or empty: nobody's. Lines of
 * others can hold what we do not know of. */
void muster_log_set_domains (const char *const *domains);

/* "error", "critical", "warning", "message", "info", "debug" */
const char *muster_log_level_to_string (GLogLevelFlags level);

/* Calls @func for the lines behind @number that are still there, the oldest first, until it returns
 * %FALSE. It must not log. */
typedef gboolean (*MusterLogFunc) (const MusterLogLine *line, gpointer user_data);
void muster_log_foreach_after (gint64 number, MusterLogFunc func, gpointer user_data);

/* The number of the newest line, 0: there is none. */
gint64 muster_log_get_last (void);

G_END_DECLS
