/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "refresher-fixture.h"

/* Which extensions we say that we know, and when our contact has a reg-id (RFC 5626). */

#define MAX_STEPS 6

/* One answer, and what the request must have been that it answers. */
typedef struct {
  const char *supported; /* nullable */
  gboolean reg_id;
  const char *status; /* NULL: no more */
  const char *headers;
} Step;

/* Registers, one after the other: an operation ends with a 2xx or with `error`. */
typedef struct {
  const char *name;
  const char *contact_params;
  Step steps[MAX_STEPS];
  int error; /* of the last operation; -1: none */
} Case;

#define BOTH     "path, outbound"
#define TCP      ";transport=tcp"
#define OK(more) "200 OK", more

static const Case cases[] = {
  { "nobody says outbound",
    TCP,
    { { BOTH, FALSE, OK ("Supported: path\r\n") }, { BOTH, FALSE, OK ("") } },
    -1 },
  { "supported",
    TCP,
    { { BOTH, FALSE, OK ("Supported: outbound\r\n") },
      { BOTH, TRUE, OK ("Require: outbound\r\n") },
      { BOTH, TRUE, OK ("") } },
    -1 },
  { "required",
    TCP,
    { { BOTH, FALSE, OK ("Require: outbound\r\n") }, { BOTH, TRUE, OK ("") } },
    -1 },
  { "flow timer",
    TCP,
    { { BOTH, FALSE, OK ("Flow-Timer: 30\r\n") }, { BOTH, TRUE, OK ("") } },
    -1 },
  { "over TLS",
    ";transport=tls",
    { { BOTH, FALSE, OK ("Supported: outbound\r\n") }, { BOTH, TRUE, OK ("") } },
    -1 },
  { "never over UDP",
    "",
    { { BOTH, FALSE, OK ("Require: outbound\r\nFlow-Timer: 30\r\n") }, { BOTH, FALSE, OK ("") } },
    -1 },
  { "only a 2xx counts",
    TCP,
    { { BOTH, FALSE, "500 Failed", "Supported: outbound\r\n" }, { BOTH, FALSE, OK ("") } },
    -1 },
  { "439: once more in the same operation, and remembered",
    TCP,
    { { BOTH, FALSE, OK ("Supported: outbound\r\n") },
      { BOTH, TRUE, "439 First Hop Lacks Outbound Support", "" },
      { "path", FALSE, OK ("Supported: outbound\r\n") },
      { "path", FALSE, OK ("") } },
    -1 },
  { "439 twice",
    TCP,
    { { BOTH, FALSE, "439 First Hop Lacks Outbound Support", "" },
      { "path", FALSE, "439 First Hop Lacks Outbound Support", "" } },
    MUSTER_ERROR_UNSUPPORTED },
  { "439 over UDP",
    "",
    { { BOTH, FALSE, "439 First Hop Lacks Outbound Support", "" }, { "path", FALSE, OK ("") } },
    -1 },
  { "420 outbound",
    TCP,
    { { BOTH, FALSE, OK ("Supported: outbound\r\n") },
      { BOTH, TRUE, "420 Bad Extension", "Unsupported: outbound\r\n" },
      { "path", FALSE, OK ("") },
      { "path", FALSE, OK ("Require: outbound\r\n") },
      { "path", FALSE, OK ("") } },
    -1 },
  { "420 path",
    TCP,
    { { BOTH, FALSE, "420 Bad Extension", "Unsupported: path\r\n" },
      { "outbound", FALSE, OK ("Supported: outbound\r\n") },
      { "outbound", TRUE, OK ("") } },
    -1 },
  { "420 both",
    TCP,
    { { BOTH, FALSE, "420 Bad Extension", "Unsupported: path, outbound\r\n" },
      { NULL, FALSE, OK ("") },
      { NULL, FALSE, OK ("") } },
    -1 },
  { "420 one after the other",
    "",
    { { BOTH, FALSE, "420 Bad Extension", "Unsupported: path\r\n" },
      { "outbound", FALSE, "420 Bad Extension", "Unsupported: outbound\r\n" },
      { NULL, FALSE, OK ("") } },
    -1 },
  { "420 the same again",
    "",
    { { BOTH, FALSE, "420 Bad Extension", "Unsupported: path\r\n" },
      { "outbound", FALSE, "420 Bad Extension", "Unsupported: path\r\n" } },
    MUSTER_ERROR_UNSUPPORTED },
  { "420 something else",
    "",
    { { BOTH, FALSE, "420 Bad Extension", "Unsupported: gruu\r\n" } },
    MUSTER_ERROR_UNSUPPORTED },
  { "420 without a word",
    "",
    { { BOTH, FALSE, "420 Bad Extension", "" } },
    MUSTER_ERROR_UNSUPPORTED },
};

static gboolean
is_last (const Case *row, const Step *step)
{
  return step + 1 == row->steps + MAX_STEPS || step[1].status == NULL;
}

static void
test_case (Bench *bench, gconstpointer data)
{
  const Case *row = data;

  bench->wire.transport.contact_params = row->contact_params;
  bench->n_done = 1;
  for (const Step *step = row->steps; step < row->steps + MAX_STEPS && step->status != NULL;
       step++) {
    guint n_sent = bench->wire.n_sent;

    if (bench->n_done > 0) {
      begin_register (bench);
      n_sent++;
    }
    g_assert_cmpuint (bench->wire.n_sent, ==, n_sent);
    g_assert_nonnull (bench->wire.func);
    g_assert_cmpstr (bench->wire.supported, ==, step->supported);
    assert_has (bench->wire.contact, ";+sip.instance=\"<urn:uuid:");
    g_assert_cmpint (strstr (bench->wire.contact, ">\";reg-id=1") != NULL, ==, step->reg_id);
    reply (bench, step->status, step->headers);
    /* What is refused is tried without in the same operation. */
    g_assert_cmpuint (bench->n_done, ==, *step->status != '4' || is_last (row, step));
  }

  g_assert_null (bench->wire.func);
  if (row->error < 0)
    assert_granted (bench, 600);
  else
    assert_failed (bench, row->error);
}

/* The answer was looked at before the extension: to be asked again is no refusal of the password. */
static void
test_challenge_after_439 (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  challenge (bench, "n1", ", qop=\"auth\"");
  reply (bench, "439 First Hop Lacks Outbound Support", "");
  assert_has (bench->wire.authorization, "nc=00000002");
  challenge (bench, "n2", ", qop=\"auth\"");
  g_assert_cmpstr (bench->wire.supported, ==, "path");
  grant (bench, 600);
  assert_granted (bench, 600);
}

/* The server knows the binding by instance and reg-id, so they say which one to take away. */
static void
test_leaving (Bench *bench, gconstpointer data)
{
  bench->wire.transport.contact_params = TCP;
  begin_register (bench);
  reply (bench, "200 OK", "Supported: outbound\r\n");
  begin_register (bench);
  reply (bench, "200 OK", "Require: outbound\r\n");

  begin_unregister (bench);
  assert_has (bench->wire.contact, TCP ">;+sip.instance=\"<urn:uuid:");
  assert_has (bench->wire.contact, ">\";reg-id=1;expires=0");
  reply (bench, "200 OK", "");
  g_assert_no_error (bench->error);
  g_assert_false (muster_sip_refresher_is_bound (bench->refresher));
}

/* In a register the reg-id is the new contact's, whichever came last: else it would take itself away. */
static void
test_moving_back (Bench *bench, gconstpointer data)
{
  bench->wire.transport.contact_params = TCP;
  begin_register (bench);
  reply (bench, "200 OK", "Supported: outbound\r\n");
  move_to (bench, "198.51.100.9", 40001);
  begin_register (bench);
  reply_nothing (bench);
  move_to (bench, "192.0.2.7", 40000);
  begin_register (bench);
  assert_has (bench->wire.contact, "@192.0.2.7:40000" TCP ">;+sip.instance");
  assert_has (bench->wire.contact, ">\";reg-id=1, <sip:");
  assert_has (bench->wire.contact, "@198.51.100.9:40001" TCP ">;expires=0");
  reply (bench, "200 OK", "");
  assert_granted (bench, 600);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, data, test) g_test_add (path, Bench, data, bench_set_up, test, bench_tear_down)

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/sip/outbound/%s", cases[i].name);

    ADD (path, &cases[i], test_case);
  }
  ADD ("/sip/outbound/challenge-after-439", NULL, test_challenge_after_439);
  ADD ("/sip/outbound/moving-back", NULL, test_moving_back);
  ADD ("/sip/outbound/leaving", NULL, test_leaving);

  return g_test_run ();
}
