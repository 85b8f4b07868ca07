/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-mapping.h"
#include "refresher-fixture.h"

/* What becomes of our contact behind a NAT. */

/* what is believed */

static const struct {
  const char *local_host; /* the local port is 40000 */
  const char *received;
  guint rport;
  const char *host; /* NULL: nothing to rewrite to */
  gboolean is_behind;
} sights[] = {
  { "192.168.1.7", "203.0.113.9", 1025, "203.0.113.9", TRUE },
  { "192.168.1.7", "203.0.113.9", 40000, "203.0.113.9", TRUE },
  { "192.168.1.7", "192.168.1.7", 40000, NULL, FALSE },
  { "192.168.1.7", "192.168.1.7", 1025, "192.168.1.7", TRUE },
  { "192.168.1.7", "10.0.0.1", 1025, "10.0.0.1", TRUE }, /* the first NAT of two */
  { "127.0.0.1", "127.0.0.1", 1025, "127.0.0.1", TRUE },
  /* not all is said */
  { "192.168.1.7", NULL, 0, NULL, FALSE },
  { "192.168.1.7", NULL, 40000, NULL, FALSE },
  { "192.168.1.7", NULL, 1025, "192.168.1.7", TRUE },
  { "192.168.1.7", "203.0.113.9", 0, NULL, TRUE },
  { "192.168.1.7", "192.168.1.7", 0, NULL, FALSE },
  /* no port */
  { "192.168.1.7", "203.0.113.9", 65535, "203.0.113.9", TRUE },
  { "192.168.1.7", "203.0.113.9", 65536, NULL, FALSE },
  /* no literal, or not one that others can send to */
  { "192.168.1.7", "", 1025, NULL, FALSE },
  { "192.168.1.7", "nat.example.test", 1025, NULL, FALSE },
  { "192.168.1.7", "203.0.113", 1025, NULL, FALSE },
  { "192.168.1.7", "203.0.113.9>", 1025, NULL, FALSE },
  { "192.168.1.7", "203.0.113.9:5060", 1025, NULL, FALSE },
  { "192.168.1.7", "[203.0.113.9]", 1025, NULL, FALSE },
  { "192.168.1.7", "2001:db8::9", 1025, NULL, FALSE },
  { "192.168.1.7", "::ffff:203.0.113.9", 1025, NULL, FALSE },
  { "192.168.1.7", "127.0.0.1", 1025, NULL, FALSE },
  { "203.0.113.7", "127.0.0.1", 1025, NULL, FALSE },
  { "192.168.1.7", "0.0.0.0", 1025, NULL, FALSE },
  { "192.168.1.7", "255.255.255.255", 1025, NULL, FALSE },
  { "192.168.1.7", "224.0.0.1", 1025, NULL, FALSE },
  { "192.168.1.7", "169.254.1.1", 1025, NULL, FALSE },
  { "169.254.1.1", "169.254.1.2", 1025, "169.254.1.2", TRUE },
  /* IPv6 */
  { "[fd00::7]", "2001:db8::9", 1025, "[2001:db8::9]", TRUE },
  { "[fd00::7]", "[2001:DB8:0::9]", 1025, "[2001:db8::9]", TRUE },
  { "[fd00::7]", "fd00::7", 40000, NULL, FALSE },
  { "[fd00::7]", "203.0.113.9", 1025, NULL, FALSE },
  { "[fd00::7]", "::1", 1025, NULL, FALSE },
  { "[fd00::7]", "::", 1025, NULL, FALSE },
  { "[fd00::7]", "ff02::1", 1025, NULL, FALSE },
  { "[fd00::7]", "fe80::1", 1025, NULL, FALSE },
  { "[fd00::7]", "2001:db8::9%eth0", 1025, NULL, FALSE },
  { "[fe80::7]", "fe80::9", 1025, "[fe80::9]", TRUE },
  { "[fe80::7]", "fe80::9%1", 1025, NULL, FALSE },
  { "[fe80::7]", "fe80::9%lo", 1025, NULL, FALSE },
};

static void
test_sights (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sights); i++) {
    MusterSipMapping mapping = { 0 };
    gboolean is_another;

    muster_sip_mapping_set_local (&mapping, sights[i].local_host, 40000);
    muster_sip_mapping_note (&mapping, sights[i].received, sights[i].rport);
    is_another = muster_sip_mapping_rewrite (&mapping);
    if (is_another != (sights[i].host != NULL) || mapping.is_behind != sights[i].is_behind ||
        g_strcmp0 (mapping.host, sights[i].host) != 0 ||
        (is_another && mapping.port != sights[i].rport) || !muster_sip_mapping_is_sane (&mapping))
      g_error ("%s seen as %s:%u: %s:%u, %s", sights[i].local_host, sights[i].received,
               sights[i].rport, mapping.host, mapping.port,
               mapping.is_behind ? "behind" : "not behind");
    muster_sip_mapping_clear (&mapping);
  }
}

static void
test_back_to_local (void)
{
  MusterSipMapping mapping = { 0 };

  muster_sip_mapping_set_local (&mapping, "192.168.1.7", 40000);
  muster_sip_mapping_note (&mapping, "203.0.113.9", 1025);
  g_assert_true (muster_sip_mapping_rewrite (&mapping));
  g_assert_cmpstr (mapping.host, ==, "203.0.113.9");
  muster_sip_mapping_note (&mapping, "192.168.1.7", 40000);
  g_assert_true (muster_sip_mapping_rewrite (&mapping));
  g_assert_null (mapping.host);
  g_assert_false (muster_sip_mapping_rewrite (&mapping));
  muster_sip_mapping_clear (&mapping);
}

/* operations */

#define MAX_STEPS 12

#define LOCAL        "192.0.2.7:40000"
#define PUBLIC(port) "203.0.113.9:" #port
#define SEEN(port)   ";received=203.0.113.9;rport=" #port
#define SEEN_LOCAL   ";received=192.0.2.7;rport=40000"

/* One answer, and what the request must have been that it answers. */
typedef struct {
  const char *contact; /* NULL: no more */
  const char *taken;   /* the contact that is named with expires=0; NULL: none */
  const char *status;
  const char *via;
  const char *headers; /* TOKEN stands for ours */
  gboolean ends;       /* the operation */
} Step;

typedef struct {
  const char *name;
  const char *contact_params;
  gboolean is_behind; /* at the end */
  int error;          /* of the last operation; -1: none */
  Step steps[MAX_STEPS];
} Case;

static const Case cases[] = {
  { "none",
    "",
    FALSE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN_LOCAL, "", TRUE },
      { LOCAL, NULL, "200 OK", SEEN_LOCAL, "", TRUE } } },
  { "one",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "200 OK", SEEN (1025), "", TRUE },
      { PUBLIC (1025), NULL, "200 OK", SEEN (1025), "", TRUE } } },
  { "with challenges, which are not refusals",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "401 Who", SEEN (1025),
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\"\r\n", FALSE },
      { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "401 Who", SEEN (1025),
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"2\"\r\n", FALSE },
      { PUBLIC (1025), LOCAL, "200 OK", SEEN (1025), "", TRUE } } },
  { "only a 2xx rewrites",
    "",
    TRUE,
    MUSTER_ERROR_UNREACHABLE,
    { { LOCAL, NULL, "500 Failed", SEEN (1025), "", TRUE } } },
  { "another one at each operation",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "200 OK", SEEN (1026), "", TRUE }, /* once an operation */
      { PUBLIC (1025), NULL, "200 OK", SEEN (1027), "", FALSE },
      { PUBLIC (1027), PUBLIC (1025), "200 OK", SEEN (1027), "", TRUE },
      { PUBLIC (1027), NULL, "200 OK", SEEN (1028), "", FALSE },
      { PUBLIC (1028), PUBLIC (1027), "200 OK", SEEN (1028), "", TRUE },
      { PUBLIC (1028), NULL, "200 OK", SEEN (1029), "", TRUE }, /* given up */
      { LOCAL, PUBLIC (1028), "200 OK", SEEN (1030), "", TRUE },
      { LOCAL, NULL, "200 OK", SEEN_LOCAL, "", TRUE },
      { LOCAL, NULL, "200 OK", SEEN (1031), "", TRUE } } },
  { "another one now and then",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "200 OK", SEEN (1025), "", TRUE },
      { PUBLIC (1025), NULL, "200 OK", SEEN (1026), "", FALSE },
      { PUBLIC (1026), PUBLIC (1025), "200 OK", SEEN (1026), "", TRUE },
      { PUBLIC (1026), NULL, "200 OK", SEEN (1026), "", TRUE }, /* counted anew */
      { PUBLIC (1026), NULL, "200 OK", SEEN (1027), "", FALSE },
      { PUBLIC (1027), PUBLIC (1026), "200 OK", SEEN (1027), "", TRUE },
      { PUBLIC (1027), NULL, "200 OK", SEEN (1028), "", FALSE },
      { PUBLIC (1028), PUBLIC (1027), "200 OK", SEEN (1028), "", TRUE },
      { PUBLIC (1028), NULL, "200 OK", SEEN (1029), "", FALSE },
      { PUBLIC (1029), PUBLIC (1028), "200 OK", SEEN (1029), "", TRUE } } },
  { "gone",
    "",
    FALSE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "200 OK", SEEN (1025), "", TRUE },
      { PUBLIC (1025), NULL, "200 OK", SEEN_LOCAL, "", FALSE },
      { LOCAL, PUBLIC (1025), "200 OK", SEEN_LOCAL, "", TRUE },
      { LOCAL, NULL, "200 OK", SEEN_LOCAL, "", TRUE } } },
  { "a server that says nothing of it",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "200 OK", "", "", TRUE },
      { PUBLIC (1025), NULL, "200 OK", "", "", TRUE } } },
  { "no port",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", ";received=203.0.113.9", "", TRUE },
      { LOCAL, NULL, "200 OK", ";received=203.0.113.9;rport", "", TRUE },
      { LOCAL, NULL, "200 OK", ";received=203.0.113.9;rport=0", "", TRUE },
      { LOCAL, NULL, "200 OK", ";received=203.0.113.9;rport=65536", "", TRUE },
      { LOCAL, NULL, "200 OK", ";received=203.0.113.9;rport=1025x", "", TRUE } } },
  { "no address",
    "",
    FALSE,
    -1,
    { { LOCAL, NULL, "200 OK", ";received=127.0.0.1;rport=1025", "", TRUE },
      { LOCAL, NULL, "200 OK", ";received=nat.example.test;rport=1025", "", TRUE } } },
  { "refused each time",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "400 One Contact, Please", SEEN (1025), "", TRUE },
      { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "400 One Contact, Please", SEEN (1025), "", TRUE },
      { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "400 One Contact, Please", SEEN (1025), "", TRUE },
      { LOCAL, NULL, "200 OK", SEEN (1025), "", TRUE },
      { LOCAL, NULL, "200 OK", SEEN (1026), "", TRUE } } },
  { "refused once",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "500 Failed", SEEN (1025), "", TRUE },
      { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "200 OK", SEEN (1025), "", TRUE },
      { PUBLIC (1025), NULL, "200 OK", SEEN (1025), "", TRUE } } },
  { "refused by the challenge of an unknown kind",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "401 Who", SEEN (1025), "WWW-Authenticate: Basic\r\n", TRUE } } },
  { "granted nothing",
    "",
    TRUE,
    MUSTER_ERROR_PROTOCOL,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "", FALSE },
      { PUBLIC (1025), LOCAL, "200 OK", SEEN (1025), "Expires: 0\r\n", TRUE } } },
  { "a server that looks after it",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "Contact: <sip:TOKEN@203.0.113.9:1025>;expires=600\r\n",
        TRUE },
      { LOCAL, NULL, "200 OK", SEEN (1025), "Contact: <sip:TOKEN@203.0.113.9:1025>;expires=600\r\n",
        TRUE } } },
  { "a server that puts another port",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "Contact: <sip:TOKEN@" LOCAL "1>;expires=600\r\n",
        TRUE } } },
  { "a server that adds a parameter",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "Contact: <sip:TOKEN@" LOCAL ";ob>;expires=600\r\n",
        FALSE },
      { PUBLIC (1025), LOCAL, "200 OK", SEEN (1025), "", TRUE } } },
  { "a server that lists somebody else",
    "",
    TRUE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "Contact: <sip:x@172.16.163.3:7000>\r\n", FALSE },
      { PUBLIC (1025), LOCAL, "200 OK", SEEN (1025), "Contact: <sip:x@172.16.163.3:7000>\r\n",
        TRUE } } },
  { "streams",
    ";transport=tcp",
    FALSE,
    -1,
    { { LOCAL, NULL, "200 OK", SEEN (1025), "", TRUE },
      { LOCAL, NULL, "200 OK", SEEN (1025), "Require: outbound\r\n", TRUE },
      { LOCAL, NULL, "200 OK", SEEN (1025), "", TRUE } } },
};

static void
check_contacts (Bench *bench, const Step *step)
{
  const char *contact = bench->wire.contact;
  const char *second = strstr (contact, ", ");
  g_autofree char *own = NULL;
  g_autofree char *taken = NULL;

  own = g_strdup_printf ("<sip:%s@%s%s>;+sip.instance=",
                         muster_sip_refresher_get_token (bench->refresher), step->contact,
                         bench->wire.transport.contact_params);
  if (!g_str_has_prefix (contact, own))
    g_error ("\"%s\" does not begin with \"%s\"", contact, own);
  if (step->taken != NULL)
    taken = g_strdup_printf (", <sip:%s@%s>;expires=0",
                             muster_sip_refresher_get_token (bench->refresher), step->taken);
  g_assert_cmpstr (second, ==, taken);
}

static void
take_step (Bench *bench, const Step *step)
{
  g_autoptr (GString) headers = g_string_new (step->headers);

  g_string_replace (headers, "TOKEN", muster_sip_refresher_get_token (bench->refresher), 0);
  bench->via = step->via;
  reply (bench, step->status, headers->str);
  g_assert_cmpuint (bench->n_done, ==, step->ends);
}

static void
test_case (Bench *bench, gconstpointer data)
{
  const Case *row = data;

  bench->wire.transport.contact_params = row->contact_params;
  bench->n_done = 1;
  for (const Step *step = row->steps; step < row->steps + MAX_STEPS && step->contact != NULL;
       step++) {
    if (bench->n_done > 0)
      begin_register (bench);
    check_contacts (bench, step);
    take_step (bench, step);
  }

  if (row->error < 0)
    assert_granted (bench, 600);
  else
    assert_failed (bench, row->error);
  g_assert_cmpint (muster_sip_refresher_is_behind_nat (bench->refresher), ==, row->is_behind);
}

/* around an operation */

/* Registered with PUBLIC (1025). */
static void
get_behind (Bench *bench)
{
  bench->via = SEEN (1025);
  begin_register (bench);
  reply (bench, "200 OK", "");
  reply (bench, "200 OK", "");
  assert_granted (bench, 600);
  assert_has (bench->lease->bindings[0], "@" PUBLIC (1025));
}

static void
restart (Bench *bench)
{
  g_autoptr (GBytes) blob = muster_sip_refresher_dup_resume (bench->refresher);

  muster_sip_refresher_free (bench->refresher);
  bench->refresher = muster_sip_refresher_new (blob);
}

static void
test_restart (Bench *bench, gconstpointer data)
{
  get_behind (bench);
  restart (bench);
  g_assert_true (muster_sip_refresher_is_behind_nat (bench->refresher));
  begin_register (bench);
  check_contacts (bench, &(Step){ .contact = PUBLIC (1025) });
  reply (bench, "200 OK", "");
  assert_granted (bench, 600);
  g_assert_true (bench->lease->refreshed);
}

/* A blob that says what would never have been believed. */
static void
test_unfit_mapping (Bench *bench, gconstpointer data)
{
  static const char public[] = "203.0.113.9";
  static const char unfit[] = "127.0.0.100";
  g_autoptr (GBytes) blob = NULL;
  g_autoptr (GBytes) changed = NULL;
  g_autofree guint8 *copy = NULL;
  guint8 *found = NULL;
  gsize size;

  get_behind (bench);
  blob = muster_sip_refresher_dup_resume (bench->refresher);
  size = g_bytes_get_size (blob);
  copy = g_memdup2 (g_bytes_get_data (blob, NULL), size);
  for (gsize i = 0; i + strlen (public) <= size; i++) {
    if (memcmp (copy + i, public, strlen (public)) == 0)
      found = copy + i; /* the last one: after the bindings */
  }
  g_assert_nonnull (found);
  memcpy (found, unfit, strlen (unfit));
  changed = g_bytes_new (copy, size);
  muster_sip_refresher_free (bench->refresher);
  bench->refresher = muster_sip_refresher_new (changed);
  g_assert_false (muster_sip_refresher_is_bound (bench->refresher));
  g_assert_false (muster_sip_refresher_is_behind_nat (bench->refresher));
}

static void
test_to_a_stream (Bench *bench, gconstpointer data)
{
  get_behind (bench);
  bench->wire.transport.contact_params = ";transport=tcp";
  begin_register (bench);
  check_contacts (bench, &(Step){ .contact = LOCAL, .taken = PUBLIC (1025) });
  reply (bench, "200 OK", "");
  assert_granted (bench, 600);
  g_assert_false (muster_sip_refresher_is_behind_nat (bench->refresher));
}

/* Another address or port of ours, also after a restart: what was seen of the one before is nothing worth. */
static void
test_local_change (Bench *bench, gconstpointer data)
{
  get_behind (bench);
  if (data != NULL)
    restart (bench);
  move_to (bench, "192.0.2.8", 40000);
  bench->via = "";
  begin_register (bench);
  check_contacts (bench, &(Step){ .contact = "192.0.2.8:40000", .taken = PUBLIC (1025) });
  g_assert_false (muster_sip_refresher_is_behind_nat (bench->refresher));
  reply (bench, "200 OK", "");
  assert_granted (bench, 600);

  move_to (bench, "192.0.2.8", 40001);
  bench->via = ";received=203.0.113.9;rport=1026";
  begin_register (bench);
  reply (bench, "200 OK", "");
  check_contacts (bench, &(Step){ .contact = PUBLIC (1026), .taken = "192.0.2.8:40001" });
  reply (bench, "200 OK", "");
  move_to (bench, "192.0.2.8", 40002);
  begin_register (bench);
  check_contacts (bench, &(Step){ .contact = "192.0.2.8:40002", .taken = PUBLIC (1026) });
  muster_sip_refresher_cancel (bench->refresher);
}

/* What was given up is tried again from another address, not from another port and not after a restart. */
static void
test_given_up (Bench *bench, gconstpointer data)
{
  bench->via = SEEN (1025);
  for (guint i = 0; i < 3; i++) {
    begin_register (bench);
    reply (bench, "200 OK", "");
    reply (bench, "500 Failed", "");
    assert_granted (bench, 600);
  }
  begin_register (bench);
  reply (bench, "200 OK", "");
  assert_granted (bench, 600);

  restart (bench);
  move_to (bench, "192.0.2.7", 40001);
  begin_register (bench);
  reply (bench, "200 OK", "");
  assert_granted (bench, 600);

  move_to (bench, "192.0.2.8", 40001);
  begin_register (bench);
  reply (bench, "200 OK", "");
  g_assert_cmpuint (bench->n_done, ==, 0);
  check_contacts (bench, &(Step){ .contact = PUBLIC (1025), .taken = "192.0.2.8:40001" });
  reply (bench, "200 OK", "");
  assert_granted (bench, 600);
}

/* The server may have either: both are taken away, or the one that is not meant. */
static void
test_no_answer (Bench *bench, gconstpointer data)
{
  bench->via = SEEN (1025);
  begin_register (bench);
  reply (bench, "200 OK", "");
  reply_nothing (bench);
  assert_failed (bench, MUSTER_ERROR_UNREACHABLE);

  begin_register (bench);
  check_contacts (bench, &(Step){ .contact = PUBLIC (1025), .taken = LOCAL });
  muster_sip_refresher_cancel (bench->refresher);

  begin_unregister (bench);
  assert_has (bench->wire.contact, "@" LOCAL ">;expires=0");
  assert_has (bench->wire.contact, "@" PUBLIC (1025) ">;expires=0");
  reply (bench, "200 OK", "");
  g_assert_no_error (bench->error);
}

static void
test_cancel (Bench *bench, gconstpointer data)
{
  bench->via = SEEN (1025);
  begin_register (bench);
  reply (bench, "200 OK", "");
  muster_sip_refresher_cancel (bench->refresher);
  g_assert_cmpuint (bench->n_done, ==, 0);
  g_assert_true (muster_sip_refresher_is_bound (bench->refresher));
}

/* The first lease goes on while the second one is refused. */
static void
test_refusal_takes_time (Bench *bench, gconstpointer data)
{
  bench->via = SEEN (1025);
  begin_register (bench);
  reply (bench, "200 OK", "Expires: 60\r\n");
  muster_clock_advance_us (20 * G_USEC_PER_SEC);
  reply (bench, "500 Failed", "");
  assert_granted (bench, 40);
  assert_has (bench->lease->bindings[0], "@" LOCAL);
}

static void
test_refusal_takes_too_long (Bench *bench, gconstpointer data)
{
  bench->via = SEEN (1025);
  begin_register (bench);
  reply (bench, "200 OK", "Expires: 20\r\n");
  muster_clock_advance_us (20 * G_USEC_PER_SEC);
  reply (bench, "500 Failed", "");
  assert_failed (bench, MUSTER_ERROR_UNREACHABLE);
}

static void
test_leaving (Bench *bench, gconstpointer data)
{
  get_behind (bench);
  bench->via = SEEN (1099);
  begin_unregister (bench);
  assert_has (bench->wire.contact, "@" PUBLIC (1025) ">;expires=0");
  assert_has_not (bench->wire.contact, LOCAL);
  reply (bench, "200 OK", "");
  g_assert_cmpuint (bench->n_done, ==, 1);
  g_assert_no_error (bench->error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, data, test) g_test_add (path, Bench, data, bench_set_up, test, bench_tear_down)

  g_test_add_func ("/sip/nat/sights", test_sights);
  g_test_add_func ("/sip/nat/back-to-local", test_back_to_local);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/sip/nat/%s", cases[i].name);

    ADD (path, &cases[i], test_case);
  }
  ADD ("/sip/nat/restart", NULL, test_restart);
  ADD ("/sip/nat/unfit-mapping", NULL, test_unfit_mapping);
  ADD ("/sip/nat/to-a-stream", NULL, test_to_a_stream);
  ADD ("/sip/nat/local-change", NULL, test_local_change);
  ADD ("/sip/nat/local-change-while-down", "down", test_local_change);
  ADD ("/sip/nat/given-up", NULL, test_given_up);
  ADD ("/sip/nat/no-answer", NULL, test_no_answer);
  ADD ("/sip/nat/cancel", NULL, test_cancel);
  ADD ("/sip/nat/refusal-takes-time", NULL, test_refusal_takes_time);
  ADD ("/sip/nat/refusal-takes-too-long", NULL, test_refusal_takes_too_long);
  ADD ("/sip/nat/leaving", NULL, test_leaving);

  return g_test_run ();
}
