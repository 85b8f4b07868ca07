/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What somebody counts who sends what a parser finds hard, and what of it may be: few answers, hardly longer than the
 * message, and each message is followed by an OPTIONS that is answered, the sign that all is well. */

#pragma once

#include "muster-sip-torture.h"
#include "plugin-fixture.h"

#define MORE_BYTES  512 /* that an answer has at most, beside twice its request */
#define GONE_S      40  /* Timer H and J are 32 s */
#define SIGN_BRANCH "z9hG4bKsign"

typedef struct {
  guint n_signs;
  char *branch; /* of the last sign */
  gboolean is_seen;
  guint n_answers; /* to other messages, since tally_begin() */
  guint status;    /* of the last of them; 0: none */
  gsize n_bytes;   /* likewise */
} Tally;

static inline void
tally_begin (Tally *self)
{
  self->n_answers = 0;
  self->status = 0;
  self->n_bytes = 0;
}

static inline char *
tally_make_sign (Tally *self, const char *transport, const char *uri)
{
  self->n_signs++;
  self->is_seen = FALSE;
  g_free (self->branch);
  self->branch = g_strdup_printf (SIGN_BRANCH "%u-", self->n_signs);
  return g_strdup_printf ("OPTIONS %s SIP/2.0\r\nVia: SIP/2.0/%s 192.0.2.1;branch=%s;rport\r\n"
                          "Max-Forwards: 70\r\nFrom: <sip:bob@example.test>;tag=%u\r\n"
                          "To: <sip:alice@example.test>\r\nCall-ID: sign%u\r\nCSeq: 1 OPTIONS\r\n"
                          "Content-Length: 0\r\n\r\n",
                          uri, transport, self->branch, self->n_signs, self->n_signs);
}

static inline void
tally_take_answer (Tally *self, const char *answer, gsize n_bytes)
{
  guint status = (guint) g_ascii_strtoull (answer + strlen ("SIP/2.0 "), NULL, 10);

  g_assert_true (g_str_has_prefix (answer, "SIP/2.0 "));
  if (status == 200 && strstr (answer, SIGN_BRANCH) != NULL) {
    self->is_seen = self->is_seen || strstr (answer, self->branch) != NULL;
    return;
  }
  self->n_answers++;
  self->status = status;
  self->n_bytes = n_bytes;
}

/* Holds what came back for a message of @n_bytes against what may. */
static inline void
tally_judge (const Tally *self,
             const char *name,
             gsize n_bytes,
             guint max_answers,
             gboolean is_allowed,
             const char *allowed)
{
  if (self->n_answers > max_answers || self->n_bytes > 2 * n_bytes + MORE_BYTES || !is_allowed)
    g_error ("%s: %u answers, the last %u of %zu bytes to %zu bytes; may be: %s", name,
             self->n_answers, self->status, self->n_bytes, n_bytes, allowed);
}

/* What waits until it is decided on would put off all that come behind it. */
static inline void
decline_all (World *world)
{
  for (guint i = 0; i < world->offers->len; i++) {
    const MusterOffer *offer = world->offers->pdata[i];

    if (offer->kind == MUSTER_OFFER_CALL && offer->state == MUSTER_OFFER_WAITING) {
      g_autofree char *id = g_strdup (offer->id);

      muster_incoming_answer_async (MUSTER_INCOMING (world->registration), id,
                                    MUSTER_ANSWER_DECLINE, NULL, NULL, NULL, NULL);
    }
  }
  g_ptr_array_set_size (world->offers, 0);
}

/* An account that sends nothing but its registration. */
static inline void
stay_silent (World *world)
{
  g_hash_table_insert (world->params, g_strdup ("presence"),
                       g_variant_ref_sink (g_variant_new_boolean (FALSE)));
  world->params_version++;
}
