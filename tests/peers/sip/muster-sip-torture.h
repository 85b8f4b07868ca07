/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

/* Messages that a parser finds hard, from tests/transcripts/torture; its README has the notation. */
typedef struct {
  char *name;
  GBytes *bytes;
  char *as_is; /* what may be answered: statuses joined by commas, or `-` */
  char *aimed; /* likewise to sip_torture_aim() */
} SipTorture;

/* (transfer full) (nullable): of SipTorture *, all of the folder */
GPtrArray *sip_torture_load (const char *folder, GError **error);

/* (transfer full) (nullable): the same request to another Request-URI; NULL: it is no request */
GBytes *sip_torture_aim (const SipTorture *self, const char *uri);

/* Whether @answers, of either kind, has the status; 0: no answer. */
gboolean sip_torture_allows (const char *answers, guint status);
