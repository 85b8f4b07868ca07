/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-xml.h"

/* What a numbered document is to those before it. */
typedef enum {
  MUSTER_SIP_EDITION_OLD,     /* known already: to be ignored */
  MUSTER_SIP_EDITION_WHOLE,   /* all there is: it takes the place of what is known */
  MUSTER_SIP_EDITION_CHANGES, /* what has changed since the one before */
  MUSTER_SIP_EDITION_GAP, /* changes, but others were missed before: a whole one is to be asked for */
} MusterSipEdition;

/* Where a series of documents stands, of which each is whole (`full`) or changes (`partial`). Zeroed: none
 * has come. A new subscription begins a new series. */
typedef struct {
  guint32 version; /* of the last one */
  gboolean has_any;
  gboolean is_whole; /* since the last whole one nothing was missed */
} MusterSipSeries;

/* Takes the next one in (RFC 3858 section 4.2, RFC 3680 section 5.2). */
MusterSipEdition muster_sip_series_next (MusterSipSeries *self, guint32 version, gboolean is_full);

/* The same of a document, by the attributes of its root. %FALSE, %MUSTER_ERROR_PROTOCOL: it has none. */
gboolean muster_sip_series_read (MusterSipSeries *self,
                                 const MusterSipElement *root,
                                 MusterSipEdition *edition,
                                 GError **error);
