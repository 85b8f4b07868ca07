/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For the tests of plugins: link `muster-test-1`. Not part of <muster/muster.h>, and no promise of a
 * stable ABI: tests are built with what they test. See doc/plugin-guide.md. */

#pragma once

#include <muster/muster.h>

G_BEGIN_DECLS

/**
 * MusterTestBench:
 *
 * One account of one plugin without the daemon: loads the module with the daemon's own checks, is
 * its registration's host, and tells it the time. The clock is virtual and moves on only when
 * nothing else is to be done, so an hour of refreshes takes a moment.
 *
 * One bench at a time, on the main thread. Everything that the account needs is set before the first
 * open.
 */
typedef struct _MusterTestBench MusterTestBench;

/**
 * MusterTestReport:
 *
 * What muster_test_bench_run_contract() found: a list of steps, each kept or broken, in a sentence.
 */
typedef struct _MusterTestReport MusterTestReport;

MUSTER_API MusterTestBench *
muster_test_bench_new (const char *path, const char *protocol, const char *address);
MUSTER_API void muster_test_bench_free (MusterTestBench *self);

/* The account. */
MUSTER_API void muster_test_bench_set (MusterTestBench *self, const char *param, const char *text);
MUSTER_API void
muster_test_bench_set_secret (MusterTestBench *self, const char *param, MusterSecret *secret);
MUSTER_API void muster_test_bench_set_checked_secret (MusterTestBench *self, const char *param);
MUSTER_API void muster_test_bench_set_real_io (MusterTestBench *self, guint idle_ms);
MUSTER_API void muster_test_bench_set_deadline_ms (MusterTestBench *self, guint deadline_ms);

/* By hand, in this process. */
MUSTER_API gboolean muster_test_bench_load (MusterTestBench *self, GError **error);
MUSTER_API MusterRegistration *muster_test_bench_get_registration (MusterTestBench *self);
MUSTER_API MusterLease *muster_test_bench_open (MusterTestBench *self, GError **error);
MUSTER_API gboolean muster_test_bench_close (MusterTestBench *self, GError **error);
MUSTER_API void muster_test_bench_advance_ms (MusterTestBench *self, guint64 by_ms);
MUSTER_API void muster_test_bench_restart (MusterTestBench *self);
MUSTER_API const GError *muster_test_bench_get_lost (MusterTestBench *self);
MUSTER_API const char *const *muster_test_bench_get_bindings (MusterTestBench *self);

/* The contract. */
MUSTER_API MusterTestReport *muster_test_bench_run_contract (MusterTestBench *self, GError **error);
MUSTER_API void muster_test_report_free (MusterTestReport *self);
MUSTER_API gboolean muster_test_report_is_kept (const MusterTestReport *self);
MUSTER_API char *muster_test_report_to_text (const MusterTestReport *self);
MUSTER_API char *muster_test_report_to_tap (const MusterTestReport *self);
MUSTER_API char *muster_test_report_to_json (const MusterTestReport *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterTestBench, muster_test_bench_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterTestReport, muster_test_report_free)

G_END_DECLS
