/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MusterLogind:
 *
 * logind's announcements of sleep, on the system bus. It may come late, go and come again, or never
 * be there. While it is, an inhibitor makes it wait until the announcement was dealt with.
 */
typedef struct _MusterLogind MusterLogind;

/* When it returns, the machine may sleep. Also told of an end that logind did not live to see. */
typedef void (*MusterLogindFunc) (gboolean sleeping, gpointer user_data);

MusterLogind *muster_logind_new (MusterLogindFunc func, gpointer user_data);
void muster_logind_free (MusterLogind *self);

G_END_DECLS
