/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Bench"

#include "config.h"

#include "secrets/muster-vault.h"
#include "store/muster-store.h"

#include <stdlib.h>
#include <string.h>

/*
 * bench-seed FOLDER N PROTOCOL PARAMETERS [PASSWORD]: fills the store of a daemon that does not run yet
 * with accounts u0@bench.test, u1@bench.test, ... in one transaction. HOST in the PARAMETERS, if it is there,
 * is another address of loopback for each account.
 */

#define IDENTITY "ibenchbenchbe"

static char *
make_id (guint number)
{
  static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  char id[] = "abenchaaaaaaa";

  for (gsize i = sizeof id - 2; number > 0; i--, number /= 32)
    id[i] = alphabet[number % 32];

  return g_strdup (id);
}

static GVariant *
make_params (const char *text, guint number)
{
  g_autoptr (GString) own = g_string_new (text);
  g_autofree char *host = g_strdup_printf ("127.1.%u.%u", number / 250, number % 250 + 1);
  g_autoptr (GError) error = NULL;
  GVariant *params;

  g_string_replace (own, "HOST", host, 0);
  params = g_variant_parse (G_VARIANT_TYPE_VARDICT, own->str, NULL, NULL, &error);
  if (params == NULL)
    g_error ("%s", error->message);

  return params;
}

static void
put_identity (MusterStoreChange *change, gint64 now_us)
{
  MusterIdentityRecord record = {
    .id = (char *) IDENTITY,
    .name = (char *) "Bench",
    .created_us = now_us,
    .modified_us = now_us,
  };

  muster_store_change_put_identity (change, &record);
}

static void
put_account (MusterStoreChange *change,
             guint number,
             const char *protocol,
             const char *parameters,
             gint64 now_us,
             MusterVault *vault,
             const char *password)
{
  g_autofree char *id = make_id (number);
  g_autofree char *address = g_strdup_printf ("u%u@bench.test", number);
  g_autoptr (GVariant) params = make_params (parameters, number);
  MusterAccountRecord record = {
    .id = id,
    .identity = (char *) IDENTITY,
    .protocol = (char *) protocol,
    .address = address,
    .name = address,
    .enabled = TRUE,
    .params = params,
    .created_us = now_us,
    .modified_us = now_us,
  };

  muster_store_change_put_account (change, &record);
  if (password != NULL) {
    g_autoptr (GBytes) sealed = NULL;

    sealed = muster_vault_seal (vault, id, "secret/password", password, strlen (password));
    muster_store_change_put_sealed (change, id, "secret/password", sealed);
  }
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer loop)
{
  g_autoptr (GError) error = NULL;

  if (!muster_store_commit_finish (MUSTER_STORE (source), result, &error))
    g_error ("%s", error->message);
  g_main_loop_quit (loop);
}

int
main (int argc, char **argv)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (MusterStore) store = NULL;
  g_autoptr (MusterVault) vault = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *database = NULL;
  g_autofree char *key = NULL;
  MusterStoreChange *change;
  gint64 now_us = g_get_real_time ();
  guint n_accounts;

  if (argc < 5) {
    g_printerr ("Usage: bench-seed FOLDER N PROTOCOL PARAMETERS [PASSWORD]\n");
    return 2;
  }
  database = g_build_filename (argv[1], "muster.db", NULL);
  key = g_build_filename (argv[1], "key", NULL);
  n_accounts = (guint) strtoul (argv[2], NULL, 10);
  store = muster_store_open (database, &error);
  if (store != NULL)
    vault = muster_vault_open_key_file (key, TRUE, &error);
  if (vault == NULL)
    g_error ("%s", error->message);

  change = muster_store_change_new ();
  put_identity (change, now_us);
  for (guint i = 0; i < n_accounts; i++)
    put_account (change, i, argv[3], argv[4], now_us, vault, argc > 5 ? argv[5] : NULL);
  muster_store_commit_async (store, change, NULL, on_committed, loop);
  g_main_loop_run (loop);
  muster_store_close (store);

  return 0;
}
