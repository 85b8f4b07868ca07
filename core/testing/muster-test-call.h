/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-test.h>

G_BEGIN_DECLS

/**
 * MusterTestCall:
 *
 * One open or close, from the call to its answer.
 */
typedef struct {
  MusterTestBench *bench;
  MusterRegistration *registration;
  GCancellable *cancellable;
  gboolean closing;
  gboolean at_once; /* answered before the call returned */
  gboolean abandoned;
  guint n_answers;
  MusterLease *lease; /* of an open that worked */
  gboolean closed;    /* a close that worked */
  GError *error;
  gint64 began_us;
  guint n_turns; /* of the loop, until the answer */
} MusterTestCall;

typedef enum {
  MUSTER_TEST_ANSWERED,
  MUSTER_TEST_IDLE,     /* nothing is left that could bring an answer */
  MUSTER_TEST_TOO_LATE, /* time is over */
  MUSTER_TEST_RESTLESS, /* the loop turned and turned */
} MusterTestWait;

/* @cancellable: (nullable): one of its own if %NULL */
MusterTestCall *
muster_test_call_new (MusterTestBench *bench, gboolean closing, GCancellable *cancellable);
/* One that is not answered yet is left to itself. */
void muster_test_call_free (MusterTestCall *self);

MusterTestWait muster_test_call_wait (MusterTestCall *self, gint64 max_ms, guint max_turns);
/* Why there is no answer: "it ..." */
const char *muster_test_wait_to_string (MusterTestWait wait, gboolean real_io);

/* An open or close may take so long if nobody is in a hurry. */
#define MUSTER_TEST_CALL_MAX_MS    (10 * 60 * 1000)
#define MUSTER_TEST_CALL_MAX_TURNS 20000

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterTestCall, muster_test_call_free)

G_END_DECLS
