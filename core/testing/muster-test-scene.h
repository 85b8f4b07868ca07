/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-test-bench.h"

G_BEGIN_DECLS

/**
 * MusterTestScene:
 *
 * Where one step of the contract plays: a process of its own, so that a plugin that crashes, hangs
 * or leaves something behind spoils no other step. What was found goes to the parent.
 */
typedef struct {
  MusterTestBench *bench;
  GPtrArray *faults; /* char* */
  char *note;        /* what was seen, if there is no fault */
  char *usage;       /* nullable: the bench was told something wrong */
  char *place;       /* shared with the parent: where we are, for when we crash */
} MusterTestScene;

typedef void (*MusterTestSceneFunc) (MusterTestScene *scene);

/* What came of it, and in case of a crash what the parent makes of it. */
typedef struct {
  GStrv faults;
  char *note;
  char *usage;    /* nullable */
  char *protocol; /* nullable, like the address: it did not get so far */
  char *address;
} MusterTestOutcome;

void
muster_test_scene_play (MusterTestBench *bench, MusterTestSceneFunc func, MusterTestOutcome *out);
void muster_test_outcome_clear (MusterTestOutcome *self);

/* For the steps. A sentence that was said already is not said again. */
void muster_test_scene_fault (MusterTestScene *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
void muster_test_scene_note (MusterTestScene *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
void muster_test_scene_at (MusterTestScene *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean muster_test_scene_is_broken (const MusterTestScene *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MusterTestOutcome, muster_test_outcome_clear)

G_END_DECLS
