/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

#define MUSTER_SIP_SUMMARY_TYPE "application/simple-message-summary"

/* The messages that wait for somebody (RFC 3842), of all classes together. */
typedef struct {
  guint n_new; /* at least 1 if there are new ones, however many */
  guint n_old;
  char *account; /* nullable: where they can be fetched */
} MusterSipSummary;

/* Reads a body of %MUSTER_SIP_SUMMARY_TYPE. %MUSTER_ERROR_PROTOCOL, and @summary untouched, if it is none. */
gboolean muster_sip_summary_read (const char *bytes,
                                  gsize n_bytes,
                                  MusterSipSummary *summary,
                                  GError **error);
void muster_sip_summary_clear (MusterSipSummary *self);
