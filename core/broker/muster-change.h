/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For muster-broker*.c alone. */

#pragma once

#include "muster-broker-private.h"

G_BEGIN_DECLS

/**
 * MusterChange:
 *
 * One change on request, from the call to its answer: see muster-change.c. Who makes one sets what
 * `prepare` and `apply` need, and hands it over with muster_change_submit().
 */
typedef struct _MusterChange MusterChange;

struct _MusterChange {
  MusterBroker *broker;
  GCancellable *life;  /* of the broker */
  GQueue *queue;       /* lent */
  gboolean is_bounded; /* refused where many wait already, as those of an account always are */
  GTask *task;
  MusterAccount *account;   /* owned reference; NULL while it is being added */
  MusterIdentity *identity; /* lent */

  gboolean (*prepare) (MusterChange *change, GError **error);
  void (*apply) (MusterChange *change);
  void (*fail) (MusterChange *change); /* gives back what prepare took; may be NULL */

  MusterStoreChange *rows;
  MusterAccountRecord *record;           /* the new configuration */
  MusterIdentityRecord *identity_record; /* the new identity */
  char *name;                            /* of a secret, an identity, an account */
  MusterSecret *secret;
  GHashTable *secrets; /* name -> MusterSecret */
  GHashTable *stamps;  /* name of a secret that is put -> its version; NULL: none is */
  GVariant *set;
  GStrv unset;
  gboolean enabled;
  const char *effect;
  gboolean repointed; /* elsewhere: the secrets do not go there */
  GStrv detached;
  char *address_key;
  gpointer data; /* what else those that make it need */
  GDestroyNotify free_data;
};

MusterChange *muster_change_new (MusterBroker *broker,
                                 MusterAccount *account, /* NULL: it is not there yet */
                                 gboolean (*prepare) (MusterChange *, GError **),
                                 void (*apply) (MusterChange *),
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
void muster_change_submit (MusterChange *change); /* takes it */

/* For prepare: rows of the transaction. Secrets need the key to seal them under: first of all see
 * whether it is there. */
gboolean muster_change_check_key (MusterChange *change, GError **error);
void muster_change_put_secret (MusterChange *change,
                               const char *account,
                               const char *name,
                               MusterSecret *secret);
/* For apply: the account has what was put. */
void muster_change_apply_secrets (MusterChange *change, MusterAccount *account);
/* @payload: an a{sv}, consumed if it is floating; NULL: an empty one */
void muster_change_put_event (MusterChange *change,
                              const char *account,
                              const char *type,
                              GVariant *payload);
MusterAccountRecord *muster_change_copy_record (const MusterAccountRecord *record);

/* For apply: tells others of an event whose row is in the transaction. */
void
muster_change_tell (MusterChange *change, const char *account, const char *type, GVariant *payload);

/* For prepare: checks, which fail with %MUSTER_BROKER_ERROR_INVALID_ARGUMENT. The first is one that
 * always fails. */
gboolean muster_change_invalid (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean muster_change_check_name (const char *name, GError **error);
/* @what it is: not empty, not longer, and to be printed */
gboolean
muster_change_check_text (const char *what, const char *text, gsize max_bytes, GError **error);
/* @value NULL: the name alone */
gboolean muster_change_check_param (const MusterProtocol *protocol,
                                    const char *name,
                                    GVariant *value,
                                    GError **error);
/* @secret NULL: the name alone */
gboolean muster_change_check_secret (const MusterProtocol *protocol,
                                     const char *name,
                                     const MusterSecret *secret,
                                     GError **error);

G_END_DECLS
