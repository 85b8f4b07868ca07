/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-account.h"

G_BEGIN_DECLS

/**
 * MusterRequest:
 *
 * Something that only a person can answer. It is there exactly as long as its account waits for it.
 */
typedef struct {
  char *id;
  MusterAccount *account; /* lent: the request goes first */
  MusterAccountState state;
  const char *reason; /* static */
  gint64 since_us;
} MusterRequest;

/* What @account waits for now; %NULL if it waits for nobody. @id is taken. */
MusterRequest *muster_request_new (MusterAccount *account, char *id);
void muster_request_free (MusterRequest *self);

/* Whether @account waits for a person at all, and whether @self is what it waits for. */
gboolean muster_request_is_needed (MusterAccount *account);
gboolean muster_request_is_current (MusterRequest *self);

/* "secret", "certificate", "question" */
const char *muster_request_get_kind (MusterRequest *self);
char *muster_request_dup_message (MusterRequest *self);
/* The names of the secrets that are asked for. */
GStrv muster_request_dup_secrets (MusterRequest *self);
/* What accepting the presented certificate would pin; %NULL if that is not known. */
const char *muster_request_get_fingerprint (MusterRequest *self);

G_END_DECLS
