/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterMetrics"

#include "config.h"

#include "muster-metrics.h"

#include "muster-broker-private.h"
#include "muster-hub-private.h"

#include <unistd.h>

/* Numbers of the whole daemon, read where they are kept. Nothing is kept for them here. */

#define HOSTS_MAX 100

static GVariant *
build_accounts (MusterBroker *broker)
{
  guint counts[MUSTER_ACCOUNT_STATE_LAST] = { 0 };
  GVariantBuilder states;

  for (GSequenceIter *iter = g_sequence_get_begin_iter (broker->accounts);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterStanding *standing = muster_account_get_standing (g_sequence_get (iter));

    counts[muster_standing_get_view (standing)->state]++;
  }

  g_variant_builder_init (&states, G_VARIANT_TYPE ("a{su}"));
  for (MusterAccountState state = 0; state < MUSTER_ACCOUNT_STATE_LAST; state++)
    g_variant_builder_add (&states, "{su}", muster_account_state_to_string (state), counts[state]);

  return g_variant_builder_end (&states);
}

static GVariant *
build_counters (MusterBroker *broker)
{
  GVariantBuilder counters;

  g_variant_builder_init (&counters, G_VARIANT_TYPE ("a{st}"));
  g_variant_builder_add (&counters, "{st}", "opened", broker->counters.opened);
  g_variant_builder_add (&counters, "{st}", "refreshed", broker->counters.refreshed);
  g_variant_builder_add (&counters, "{st}", "failed", broker->counters.failed);
  g_variant_builder_add (&counters, "{st}", "lost", broker->counters.lost);

  return g_variant_builder_end (&counters);
}

static void
add_host (const char *host,
          guint n_waiting,
          guint n_in_flight,
          double rate_per_s,
          gpointer user_data)
{
  g_variant_builder_add (user_data, "(suud)", host, n_waiting, n_in_flight, rate_per_s);
}

static GVariant *
build_hosts (MusterBroker *broker)
{
  GVariantBuilder hosts;

  g_variant_builder_init (&hosts, G_VARIANT_TYPE ("a(suud)"));
  muster_admission_foreach_busy_host (broker->admission, HOSTS_MAX, add_host, &hosts);

  return g_variant_builder_end (&hosts);
}

/* 0: the kernel does not say */
static guint64
resident_bytes (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL)) /* no disk is behind it */
    return 0;

  words = g_strsplit (text, " ", 3);
  if (g_strv_length (words) < 2)
    return 0;

  return g_ascii_strtoull (words[1], NULL, 10) * (guint64) sysconf (_SC_PAGESIZE);
}

static void
add_number (GVariantBuilder *metrics, const char *name, guint64 number)
{
  g_variant_builder_add (metrics, "{sv}", name, g_variant_new_uint64 (number));
}

GVariant *
muster_metrics_build (MusterBroker *broker)
{
  MusterHubStats hub;
  MusterStoreStats store;
  GVariantBuilder metrics;

  muster_hub_get_stats (&hub);
  muster_store_get_stats (broker->store, &store);

  g_variant_builder_init (&metrics, G_VARIANT_TYPE_VARDICT);
  add_number (&metrics, "uptime",
              (guint64) (muster_clock_now_us () - broker->started_us) / G_USEC_PER_SEC);
  add_number (&metrics, "resident-bytes", resident_bytes ());
  g_variant_builder_add (&metrics, "{sv}", "accounts", build_accounts (broker));
  g_variant_builder_add (&metrics, "{sv}", "counters", build_counters (broker));
  add_number (&metrics, "tests", broker->trials->len);
  add_number (&metrics, "admission-waiting", muster_admission_count_waiting (broker->admission));
  add_number (&metrics, "admission-in-flight",
              muster_admission_count_in_flight (broker->admission));
  g_variant_builder_add (&metrics, "{sv}", "admission-hosts", build_hosts (broker));
  add_number (&metrics, "verifications-waiting", muster_proofs_count_waiting (broker->proofs));
  add_number (&metrics, "verifications-in-flight", muster_proofs_count_in_flight (broker->proofs));
  add_number (&metrics, "hub-turns", hub.n_turns);
  add_number (&metrics, "hub-worst-us", (guint64) hub.longest_us);
  add_number (&metrics, "store-batches", store.n_batches);
  add_number (&metrics, "store-waiting", store.n_waiting);

  return g_variant_builder_end (&metrics);
}
