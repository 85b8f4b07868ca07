/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: the bench as the contract's steps use it. */

#pragma once

#include "muster-module.h"
#include "muster-test-call.h"

#include <muster/muster-test.h>

G_BEGIN_DECLS

struct _MusterTestBench {
  /* what was asked for */
  char *path;
  char *protocol_id; /* NULL: the only one that the plugin speaks */
  char *address;     /* NULL until loaded: the description's example */
  GHashTable *texts; /* char* -> char* */
  GHashTable *secrets;
  char *checked_secret; /* nullable: the service refuses a wrong one */
  guint idle_ms;        /* 0: no descriptor is waited for */
  guint deadline_ms;    /* of a step, in real time; 0: the usual */

  /* what came of it */
  MusterModule *module; /* NULL until loaded */
  const MusterKind *kind;
  GHashTable *values;      /* char* -> GVariant */
  const char *wrong_param; /* borrowed, nullable: serve a wrong secret under this name */
  MusterRegistration *registration;
  GBytes *resume;
  GError *lost;
  GStrv bindings;
};

/* Drops the registration, if any, without a close; a new one is made by the next call. */
void muster_test_bench_drop (MusterTestBench *self);
MusterRegistration *muster_test_bench_ensure (MusterTestBench *self, GError **error);

/* One turn of the loop; if there is nothing to do, time moves on to the next timer, but not beyond
 * @until_us. Returns: %FALSE if nothing can happen any more before then */
gboolean muster_test_bench_turn (MusterTestBench *self, gint64 until_us);

/* Lets everything happen up to that time. Returns: %FALSE if it does not come to rest */
gboolean muster_test_bench_run_until (MusterTestBench *self, gint64 at_us);

G_END_DECLS
