/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "store/muster-store.h"

G_BEGIN_DECLS

/* Identities and accounts as a JSON document, for people to keep and to carry elsewhere. It never
 * holds a secret.
 *
 *    { "format": "muster-accounts", "version": 1,
 *      "identities": [ { "name": "Ann" } ],
 *      "accounts": [ { "identity": "Ann", "protocol": "sip", "address": "ann@example.org",
 *                      "name": "Work", "enabled": true, "parameters": { "expires": 600 } } ] }
 *
 * "name" is by default the address, "enabled" true, "parameters" empty; all else is needed. */

#define MUSTER_DOCUMENT_MAX_BYTES      (4 * 1024 * 1024)
#define MUSTER_DOCUMENT_MAX_ACCOUNTS   20000
#define MUSTER_DOCUMENT_MAX_IDENTITIES 1000

typedef struct {
  GPtrArray *identities; /* char *: names, none twice */
  GPtrArray *accounts; /* MusterAccountRecord, with the name of an identity where its id would be */
} MusterDocument;

void muster_document_free (MusterDocument *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterDocument, muster_document_free)

/* Any thread. %MUSTER_BROKER_ERROR_INVALID_ARGUMENT names what is wrong and where. */
MusterDocument *muster_document_parse (const char *text, GError **error);

/* Writing: begin, each identity, the middle, each account, end. */
void muster_document_begin (GString *text);
void muster_document_add_identity (GString *text, const char *name);
void muster_document_begin_accounts (GString *text);
void muster_document_add_account (GString *text,
                                  const MusterAccountRecord *record,
                                  const char *identity_name);
void muster_document_end (GString *text);

G_END_DECLS
