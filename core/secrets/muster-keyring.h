/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * MusterKeyringFinding:
 * @MUSTER_KEYRING_HELD: there is a key, or there are several
 * @MUSTER_KEYRING_LOCKED: there is one in what is locked, or the place for one is locked
 * @MUSTER_KEYRING_PARTLY: what is open holds none, and something else is locked
 * @MUSTER_KEYRING_EMPTY: all is open, and holds none
 * @MUSTER_KEYRING_BARE: it has no place to keep one in
 */
typedef enum {
  MUSTER_KEYRING_HELD,
  MUSTER_KEYRING_LOCKED,
  MUSTER_KEYRING_PARTLY,
  MUSTER_KEYRING_EMPTY,
  MUSTER_KEYRING_BARE,
} MusterKeyringFinding;

typedef enum {
  MUSTER_KEYRING_APPEARED, /* it is there (again), or answers again */
  MUSTER_KEYRING_CHANGED,  /* something was locked, unlocked, made or removed */
  MUSTER_KEYRING_VANISHED,
} MusterKeyringNews;

typedef void (*MusterKeyringFunc) (MusterKeyringNews news, gpointer user_data);

/**
 * MusterKeyringOps:
 *
 * A keyring as the key source sees it, so that tests can give it one of straw. One call at a time.
 * Nothing but `unlock` prompts. A cancelled call ends with %G_IO_ERROR_CANCELLED, one that needs an
 * unlocked keyring with %G_IO_ERROR_PERMISSION_DENIED, every other failure means that the keyring
 * cannot be used.
 */
typedef struct {
  /* Whether the bus has one, or can start one. Blocks: called before the loop runs. */
  gboolean (*is_offered) (gpointer keyring);
  /* From now on tells @func what may be worth another look. %NULL: no longer. */
  void (*watch) (gpointer keyring, MusterKeyringFunc func, gpointer user_data);
  /* It did not answer: tell (as APPEARED) when it does. */
  void (*await) (gpointer keyring);

  void (*find) (gpointer keyring,
                GCancellable *cancellable,
                GAsyncReadyCallback callback,
                gpointer user_data);
  /* @keys: of #MusterSecret, each a key; filled if HELD. */
  gboolean (*find_finish) (gpointer keyring,
                           GAsyncResult *result,
                           MusterKeyringFinding *finding,
                           GPtrArray *keys,
                           GError **error);
  void (*keep) (gpointer keyring,
                const guint8 *key,
                GCancellable *cancellable,
                GAsyncReadyCallback callback,
                gpointer user_data);
  gboolean (*keep_finish) (gpointer keyring, GAsyncResult *result, GError **error);
  void (*unlock) (gpointer keyring,
                  GCancellable *cancellable,
                  GAsyncReadyCallback callback,
                  gpointer user_data);
  gboolean (*unlock_finish) (gpointer keyring, GAsyncResult *result, GError **error);
} MusterKeyringOps;

/**
 * MusterKeyring:
 *
 * The Secret Service of the session, through libsecret, and in it one item: the key of the vault.
 */
typedef struct _MusterKeyring MusterKeyring;

extern const MusterKeyringOps muster_keyring_ops;

/* @connection: the session bus, the one that libsecret uses too */
MusterKeyring *muster_keyring_new (GDBusConnection *connection);
void muster_keyring_free (MusterKeyring *self); /* also while a call is under way */

G_END_DECLS
