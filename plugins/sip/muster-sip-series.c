/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-series.h"

/*
 * Decides what a document with a version is worth. The rules are the same for lists of watchers and of
 * bindings: one number higher each time; a lower one is late; a higher one means that some were lost.
 *
 * A whole document of version 0 begins anew: servers that restart count from there, and some never count.
 */

MusterSipEdition
muster_sip_series_next (MusterSipSeries *self, guint32 version, gboolean is_full)
{
  gboolean is_first = !self->has_any;
  guint32 last = self->version;

  if (!is_first && version <= last && !(is_full && version == 0))
    return MUSTER_SIP_EDITION_OLD;

  self->version = version;
  self->has_any = TRUE;
  if (is_full) {
    self->is_whole = TRUE;
    return MUSTER_SIP_EDITION_WHOLE;
  }
  if (is_first || version - last > 1) {
    self->is_whole = FALSE;
    return MUSTER_SIP_EDITION_GAP;
  }
  return MUSTER_SIP_EDITION_CHANGES;
}

gboolean
muster_sip_series_read (MusterSipSeries *self,
                        const MusterSipElement *root,
                        MusterSipEdition *edition,
                        GError **error)
{
  const char *state = muster_sip_element_attribute (root, "state");
  gboolean is_full = g_strcmp0 (state, "full") == 0;
  guint32 version;

  if (!muster_sip_xml_parse_uint32 (muster_sip_element_attribute (root, "version"), &version)) {
    g_set_error_literal (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL,
                         "the document has no version that is a number");
    return FALSE;
  }
  if (!is_full && g_strcmp0 (state, "partial") != 0) {
    g_set_error_literal (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL,
                         "the document does not say whether it is full or partial");
    return FALSE;
  }

  *edition = muster_sip_series_next (self, version, is_full);
  return TRUE;
}
