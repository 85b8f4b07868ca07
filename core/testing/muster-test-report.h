/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-test.h>

G_BEGIN_DECLS

MusterTestReport *muster_test_report_new (const char *path);
/* Either may be empty: it is not known. */
void
muster_test_report_set_account (MusterTestReport *self, const char *protocol, const char *address);
/* A step is broken if there are @faults (sentences); @note says what was seen if there are none. */
void muster_test_report_add (MusterTestReport *self,
                             const char *name,
                             const char *const *faults,
                             const char *note);

G_END_DECLS
