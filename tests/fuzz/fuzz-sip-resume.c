/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-message.h"
#include "muster-sip-resume.h"

#include <stdint.h>
#include <string.h>

/* A resume blob as somebody who can write the store may make it. What is taken may go into messages, so
 * it has one line, and it is taken again after it was packed again. */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_line (const char *text)
{
  g_assert_true (text == NULL || muster_sip_text_is_clean (text));
}

static void
check_credentials (const MusterSipCredentials *credentials)
{
  check_line (credentials->user);
  check_line (credentials->realm);
  check_line (credentials->nonce);
  check_line (credentials->opaque);
  check_line (credentials->algorithm_name);
  check_line (credentials->cnonce);
  g_assert_nonnull (memchr (credentials->ha1, '\0', sizeof (credentials->ha1)));
}

static void
check_memory (const MusterSipMemory *memory)
{
  check_line (memory->call_id);
  check_line (memory->from_tag);
  check_line (memory->token);
  check_line (memory->instance);
  check_line (memory->local_address);
  g_assert_cmpuint (memory->cseq, <=, G_MAXINT32);
  g_assert_cmpuint (memory->bindings->len, <=, 8);
  for (guint i = 0; i < memory->bindings->len; i++) {
    const MusterSipBinding *binding = g_ptr_array_index (memory->bindings, i);

    check_line (binding->uri);
    g_assert_null (strpbrk (binding->uri, "<>\" "));
  }
  for (guint i = 0; memory->service_route != NULL && memory->service_route[i] != NULL; i++)
    check_line (memory->service_route[i]);
  for (guint i = 0; memory->associated_uris != NULL && memory->associated_uris[i] != NULL; i++)
    check_line (memory->associated_uris[i]);
  g_assert_true (muster_sip_mapping_is_sane (&memory->mapping));
  check_line (memory->mapping.host);
  check_credentials (&memory->registrar);
  check_credentials (&memory->proxy);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) blob = g_bytes_new (data, size); /* a copy: reading beyond it is seen */
  g_autoptr (GBytes) again = NULL;
  g_autofree char *call_id = NULL;
  MusterSipMemory memory;

  muster_sip_memory_init (&memory);
  call_id = g_strdup (memory.call_id);
  if (muster_sip_memory_unpack (&memory, blob)) {
    check_memory (&memory);
    again = muster_sip_memory_pack (&memory);
    if (memory.cseq < G_MAXINT32 - 1000 && memory.registrar.nonce_count < G_MAXUINT32 - 1000 &&
        memory.proxy.nonce_count < G_MAXUINT32 - 1000) {
      g_assert_true (muster_sip_memory_unpack (&memory, again));
      check_memory (&memory);
    }
  } else {
    g_assert_cmpstr (memory.call_id, ==, call_id); /* nothing changed */
  }
  muster_sip_memory_clear (&memory);
  return 0;
}
