/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* Puts what answers @text into @answer, or nothing if nothing does. @text may be written to. */
typedef void (*BenchAnswer) (GString *answer, char *text, guint32 source);

/* Called often. %FALSE: stop. */
typedef gboolean (*BenchGoOn) (void);

/* TLS on what the listening @fd accepts, until @go_on says otherwise. The others are paths of PEM files. */
void bench_streams_serve (int fd,
                          const char *certificate,
                          const char *key,
                          BenchAnswer answer,
                          BenchGoOn go_on);

/* How many connections have shaken hands and are open. */
guint bench_streams_count (void);
