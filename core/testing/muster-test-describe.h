/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-test-scene.h"

G_BEGIN_DECLS

/* The step that reads the table; all others rely on it. */
void muster_test_describe (MusterTestScene *scene);

G_END_DECLS
