/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the service was asked, a line each, oldest first, in a GString. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The oldest lines give way. */
#define MUSTER_ECHO_ALL_LOG_MAX_BYTES (64 * 1024)

/* Adds @fact, and @text (nullable) in quotes. Of what cannot be printed, line ends are written `\n`, and
 * the rest is a `?`. */
void muster_echo_all_log_add (GString *log, const char *fact, const char *text);

G_END_DECLS
