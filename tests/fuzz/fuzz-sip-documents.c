/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-message.h"
#include "muster-sip-pidf.h"
#include "muster-sip-reginfo.h"
#include "muster-sip-summary.h"
#include "muster-sip-winfo.h"
#include "muster-sip-xml.h"

#include <stdint.h>
#include <string.h>

/* The bodies that come in NOTIFY: the first byte chooses the kind, the rest are documents with a zero byte
 * between them. What is shown of them is printable and bounded, what goes into messages has one line. */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static guint
check_element (const MusterSipElement *element, guint depth)
{
  guint n = 1;

  g_assert_cmpuint (depth, <=, MUSTER_SIP_XML_MAX_DEPTH);
  g_assert_true (g_utf8_validate (element->name, -1, NULL));
  g_assert_true (g_utf8_validate (element->text, -1, NULL));
  for (const MusterSipElement *each = element->first_child; each != NULL; each = each->next)
    n += check_element (each, depth + 1);
  return n;
}

static void
eat_xml (const char *bytes, gsize n_bytes)
{
  g_autoptr (MusterSipXml) xml = muster_sip_xml_parse (bytes, n_bytes, NULL);

  if (xml != NULL)
    g_assert_cmpuint (check_element (muster_sip_xml_get_root (xml), 1), <=,
                      MUSTER_SIP_XML_MAX_ELEMENTS);
}

/* What was read is said again as it was. */
static void
eat_pidf (const char *bytes, gsize n_bytes)
{
  MusterSipPidf pidf = { 0 }, again = { 0 };
  g_autofree char *body = NULL;

  if (!muster_sip_pidf_read (bytes, n_bytes, &pidf, NULL))
    return;
  g_assert_cmpint (pidf.presence, <, MUSTER_PRESENCE_LAST);
  g_assert_cmpint (pidf.presence, !=, MUSTER_PRESENCE_INVISIBLE);
  g_assert_cmpint (pidf.changed_at_us, >=, 0);
  g_assert_true (pidf.text == NULL || muster_sip_text_is_clean (pidf.text));
  g_assert_true (pidf.text == NULL || strlen (pidf.text) <= MUSTER_SIP_PIDF_MAX_TEXT_BYTES);

  body = muster_sip_pidf_build ("sip:a@b", "1", pidf.presence, pidf.text, pidf.changed_at_us);
  g_assert_true (muster_sip_pidf_read (body, strlen (body), &again, NULL));
  g_assert_cmpint (again.presence, ==, pidf.presence);
  g_assert_cmpstr (again.text, ==, pidf.text);
  g_assert_cmpint (again.changed_at_us, ==, pidf.changed_at_us / G_USEC_PER_SEC * G_USEC_PER_SEC);
  muster_sip_pidf_clear (&pidf);
  muster_sip_pidf_clear (&again);
}

static void
eat_winfo (MusterSipWinfo *winfo, const char *bytes, gsize n_bytes)
{
  MusterSipEdition edition;
  g_autoptr (GPtrArray) changes = muster_sip_winfo_take (winfo, bytes, n_bytes, &edition, NULL);

  g_assert_cmpuint (muster_sip_winfo_get_n_watchers (winfo), <=, MUSTER_SIP_WINFO_MAX_WATCHERS);
  for (guint i = 0; changes != NULL && i < changes->len; i++) {
    const MusterSipWatcher *change = g_ptr_array_index (changes, i);
    const MusterSipWatcher *watcher = muster_sip_winfo_find (winfo, change->uri);

    g_assert_true (muster_sip_address_is_fit (change->uri));
    g_assert_true (change->name == NULL || muster_sip_text_is_clean (change->name));
    g_assert_cmpint (watcher != NULL, ==, change->asks || change->watches);
    if (watcher != NULL)
      g_assert_true (watcher->asks == change->asks && watcher->watches == change->watches);
  }
}

static void
eat_reginfo (MusterSipReginfo *reginfo, const char *bytes, gsize n_bytes)
{
  static const MusterSipOwnBinding own = { "sip:0123456789abcdef@192.0.2.1:5060",
                                           "0123456789abcdef",
                                           "urn:uuid:6b5d1c9e-0c5f-4f0e-8d5b-1a7a3f1f2b11", 600 };
  MusterSipEdition edition;
  MusterSipBindingNews news;

  muster_sip_reginfo_take (reginfo, bytes, n_bytes, &edition, NULL);
  news = muster_sip_reginfo_find (reginfo, &own);
  g_assert_cmpuint (muster_sip_reginfo_get_n_contacts (reginfo), <=,
                    MUSTER_SIP_REGINFO_MAX_CONTACTS);
  g_assert_cmpint (news.state, <=, MUSTER_SIP_BINDING_GONE);
  g_assert_cmpint (news.event, <=, MUSTER_SIP_REG_EVENT_REJECTED);
  g_assert_cmpint (news.retry_after_s, <=, G_MAXINT32);
}

static void
eat_summary (const char *bytes, gsize n_bytes)
{
  MusterSipSummary summary = { 0 };

  if (!muster_sip_summary_read (bytes, n_bytes, &summary, NULL))
    return;
  g_assert_cmpuint (summary.n_new, <=, G_MAXINT32);
  g_assert_cmpuint (summary.n_old, <=, G_MAXINT32);
  g_assert_true (summary.account == NULL || muster_sip_address_is_fit (summary.account));
  muster_sip_summary_clear (&summary);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();
  g_autoptr (MusterSipReginfo) reginfo = muster_sip_reginfo_new ();

  for (size_t i = 1; i < size;) {
    const uint8_t *zero = memchr (data + i, '\0', size - i);
    gsize n_bytes = zero != NULL ? (gsize) (zero - data) - i : size - i;
    g_autofree char *bytes = g_memdup2 (data + i, n_bytes); /* a copy: reading beyond it is seen */

    switch (data[0] % 8) {
    case 0:
      eat_pidf (bytes, n_bytes);
      break;
    case 1:
      eat_winfo (winfo, bytes, n_bytes);
      break;
    case 2:
      eat_reginfo (reginfo, bytes, n_bytes);
      break;
    case 3:
      eat_summary (bytes, n_bytes);
      break;
    case 4:
      eat_xml (bytes, n_bytes);
      break;
    default:
      return -1; /* worth no further try */
    }
    i += n_bytes + 1;
  }
  return 0;
}
