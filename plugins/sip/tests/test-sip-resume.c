/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "refresher-fixture.h"

/* What a restart changes, and what it does not. */

static void
restart (Bench *bench)
{
  g_autoptr (GBytes) blob = muster_sip_refresher_dup_resume (bench->refresher);

  muster_sip_refresher_free (bench->refresher);
  bench->refresher = muster_sip_refresher_new (blob);
}

/* The versions that can be read, and by how much the blob of a plain registration is shorter. */
static const struct {
  guint version;
  gsize n_bytes_less;
} versions[] = {
  { 2, 40 }, /* no counts of addresses */
  { 3, 38 }, /* no outbound */
  { 4, 37 }, /* no mapping, which has a local host of 9 bytes */
  { 5, 14 }, /* no entity-tag */
  { 6, 4 },  /* no version of the password */
  { 7, 0 },
};

static void
restart_as (Bench *bench, guint version, gsize n_bytes_less)
{
  g_autoptr (GBytes) blob = muster_sip_refresher_dup_resume (bench->refresher);
  gsize size = g_bytes_get_size (blob) - n_bytes_less;
  g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (blob, NULL), size);
  g_autoptr (GBytes) older = NULL;

  copy[0] = (guint8) version;
  older = g_bytes_new (copy, size);
  muster_sip_refresher_free (bench->refresher);
  bench->refresher = muster_sip_refresher_new (older);
}

static void
test_restart_goes_on (Bench *bench, gconstpointer data)
{
  g_autofree char *call_id = NULL;
  g_autofree char *from = NULL;
  g_autofree char *contact = NULL;

  get_registered (bench);
  muster_sip_refresher_set_local (bench->refresher, "192.0.2.7", 40000);
  call_id = g_strdup (bench->wire.call_id);
  from = g_strdup (bench->wire.from);
  contact = g_strdup (bench->wire.contact);

  restart (bench);
  g_assert_cmpstr (muster_sip_refresher_get_local_address (bench->refresher), ==, "192.0.2.7");
  g_assert_cmpuint (muster_sip_refresher_get_local_port (bench->refresher), ==, 40000);

  begin_register (bench);
  g_assert_cmpuint (bench->wire.n_sent, ==, 3);
  g_assert_cmpstr (bench->wire.call_id, ==, call_id);
  g_assert_cmpstr (bench->wire.from, ==, from);
  g_assert_cmpstr (bench->wire.contact, ==, contact);
  g_assert_cmpuint (bench->wire.cseq, ==, 2 + 100 + 1);
  assert_has (bench->wire.authorization, "nonce=\"n1\"");
  assert_has (bench->wire.authorization, "nc=00000066"); /* 1 + 100 + 1 */
  g_assert_true (is_right_answer (bench->wire.authorization, PASSWORD));
  grant (bench, 600);
  assert_granted (bench, 600);
  g_assert_true (bench->lease->refreshed);
}

/* A realm in Latin-1 is answered as it is, and forgotten with the daemon: it is no reason to come back as
 * somebody else. */
static void
test_restart_with_a_foreign_realm (Bench *bench, gconstpointer data)
{
  g_autoptr (GBytes) blob = NULL;
  g_autofree char *token = g_strdup (muster_sip_refresher_get_token (bench->refresher));

  begin_register (bench);
  reply (bench, "401 Unauthorized", "WWW-Authenticate: Digest realm=\"caf\351\", nonce=\"n\"\r\n");
  assert_has (bench->wire.authorization, "realm=\"caf\351\"");
  grant (bench, 600);

  blob = muster_sip_refresher_dup_resume (bench->refresher);
  muster_sip_refresher_free (bench->refresher);
  bench->refresher = muster_sip_refresher_new (blob);
  g_assert_cmpstr (muster_sip_refresher_get_token (bench->refresher), ==, token);
  g_assert_true (muster_sip_refresher_is_bound (bench->refresher));
  begin_register (bench);
  g_assert_null (bench->wire.authorization);
  muster_sip_refresher_cancel (bench->refresher);
}

static void
test_restart_on_another_port (Bench *bench, gconstpointer data)
{
  get_registered (bench);
  restart (bench);
  move_to (bench, "192.0.2.7", 40009);
  begin_register (bench);
  assert_has (bench->wire.contact, "@192.0.2.7:40009>;+sip.instance");
  assert_has (bench->wire.contact, "@192.0.2.7:40000>;expires=0");
  grant (bench, 600);
  g_assert_false (bench->lease->refreshed);
}

/* Time passes while nobody runs, and the boot clock begins anew. */
static void
test_restart_after_the_lease (Bench *bench, gconstpointer data)
{
  g_autoptr (GBytes) blob = NULL;

  get_registered (bench);
  blob = muster_sip_refresher_dup_resume (bench->refresher);
  muster_sip_refresher_free (bench->refresher);
  muster_clock_step_wall_us (601 * G_USEC_PER_SEC);
  bench->refresher = muster_sip_refresher_new (blob);
  g_assert_false (muster_sip_refresher_is_bound (bench->refresher));
}

static gboolean
has_news (Bench *bench)
{
  g_autoptr (GBytes) blob = muster_sip_refresher_dup_news (bench->refresher);

  return blob != NULL;
}

/* What moves with each refresh does not want a new blob each time. */
static void
test_saved_once_for_many_refreshes (Bench *bench, gconstpointer data)
{
  guint n_saved = 0;

  get_registered (bench);
  for (guint i = 0; i < 120; i++) {
    n_saved += has_news (bench);
    begin_register (bench);
    grant (bench, 600);
    assert_granted (bench, 600);
  }
  g_assert_cmpuint (n_saved, ==, 3); /* each 50th: before what is left out of it has gone by */
}

static void
test_saved_anew_for_what_is_new (Bench *bench, gconstpointer data)
{
  get_registered (bench);
  g_assert_true (has_news (bench));
  g_assert_false (has_news (bench));

  begin_register (bench);
  reply (bench, "200 OK", "Expires: 600\r\nAuthentication-Info: nextnonce=\"n2\"\r\n");
  g_assert_true (has_news (bench));
  g_assert_false (has_news (bench));

  move_to (bench, "192.0.2.7", 40009);
  begin_register (bench);
  g_assert_true (has_news (bench));
  grant (bench, 600);
  g_assert_true (has_news (bench));
}

/* Refreshed since it was saved: when the lease ends is kept with the lease. */
static void
test_restart_with_a_longer_lease (Bench *bench, gconstpointer data)
{
  g_autoptr (GBytes) blob = NULL;

  get_registered (bench);
  blob = muster_sip_refresher_dup_resume (bench->refresher);
  muster_sip_refresher_free (bench->refresher);
  muster_clock_step_wall_us (601 * G_USEC_PER_SEC);
  bench->refresher = muster_sip_refresher_new (blob);
  muster_sip_refresher_extend (bench->refresher, muster_clock_now_us () + 300 * G_USEC_PER_SEC);
  g_assert_true (muster_sip_refresher_is_bound (bench->refresher));

  move_to (bench, "192.0.2.7", 40009);
  begin_register (bench);
  assert_has (bench->wire.contact, "@192.0.2.7:40000>;expires=0");
  grant (bench, 600);
}

static void
test_restart_keeps_the_route (Bench *bench, gconstpointer data)
{
  const char *const *addresses;

  begin_register (bench);
  reply (bench, "200 OK",
         "Service-Route: <sip:a.test;lr>, <sip:b.test;lr>\r\nP-Associated-URI: <sip:c@d.test>\r\n");
  restart (bench);
  addresses = muster_sip_refresher_get_service_route (bench->refresher);
  g_assert_cmpuint (g_strv_length ((GStrv) addresses), ==, 2);
  g_assert_cmpstr (addresses[0], ==, "<sip:a.test;lr>");
  g_assert_cmpstr (addresses[1], ==, "<sip:b.test;lr>");
  addresses = muster_sip_refresher_get_associated_uris (bench->refresher);
  g_assert_cmpuint (g_strv_length ((GStrv) addresses), ==, 1);
  g_assert_cmpstr (addresses[0], ==, "sip:c@d.test");
}

/* The new connection's binding takes the place of the old one's at once. */
static void
test_restart_keeps_outbound (Bench *bench, gconstpointer data)
{
  bench->wire.transport.contact_params = ";transport=tcp";
  begin_register (bench);
  assert_has_not (bench->wire.contact, "reg-id");
  reply (bench, "200 OK", "Supported: outbound\r\n");
  restart (bench);
  move_to (bench, "192.0.2.7", 40009);
  begin_register (bench);
  assert_has (bench->wire.contact, ":40009;transport=tcp>;+sip.instance=\"<urn:uuid:");
  assert_has (bench->wire.contact, ">\";reg-id=1, <sip:");
  assert_has (bench->wire.contact, ":40000;transport=tcp>;expires=0");
  reply (bench, "200 OK", "Require: outbound\r\n");
  assert_granted (bench, 600);
}

/* What came with a later version stands at the end of the blob. */
static void
test_older_resume (Bench *bench, gconstpointer data)
{
  g_autofree char *token = g_strdup (muster_sip_refresher_get_token (bench->refresher));

  for (guint version = 0; version < G_MAXUINT8; version++) {
    gboolean readable = FALSE;

    get_registered (bench);
    for (gsize i = 0; i < G_N_ELEMENTS (versions); i++) {
      if (version == versions[i].version) {
        readable = TRUE;
        restart_as (bench, version, versions[i].n_bytes_less);
      }
    }
    if (!readable)
      restart_as (bench, version, 0);
    g_assert_cmpint (muster_sip_refresher_is_bound (bench->refresher), ==, readable);
    if (readable)
      g_assert_cmpstr (muster_sip_refresher_get_token (bench->refresher), ==, token);
    else
      g_assert_cmpstr (muster_sip_refresher_get_token (bench->refresher), !=, token);
    g_free (token);
    token = g_strdup (muster_sip_refresher_get_token (bench->refresher));
  }
}

/* What nobody may send, in a blob that is whole otherwise. */
static void
test_unfit_route (Bench *bench, gconstpointer data)
{
  static const char good[] = "<sip:a.test;lr>";
  g_autoptr (GBytes) blob = NULL;
  g_autoptr (GBytes) unfit = NULL;
  g_autofree char *copy = NULL;
  char *found;
  gsize size;

  begin_register (bench);
  reply (bench, "200 OK", "Service-Route: <sip:a.test;lr>\r\n");
  blob = muster_sip_refresher_dup_resume (bench->refresher);
  size = g_bytes_get_size (blob);
  copy = g_memdup2 (g_bytes_get_data (blob, NULL), size);
  found = memmem (copy, size, good, strlen (good));
  g_assert_nonnull (found);
  found[3] = '\n';
  unfit = g_bytes_new (copy, size);
  muster_sip_refresher_free (bench->refresher);
  bench->refresher = muster_sip_refresher_new (unfit);
  g_assert_false (muster_sip_refresher_is_bound (bench->refresher));
}

/* Damaged blobs count as none, whatever is damaged; none makes a message that could not be sent. */
static void
test_damaged_resume (Bench *bench, gconstpointer data)
{
  g_autoptr (GBytes) blob = NULL;
  gsize size;
  const guint8 *bytes;

  begin_register (bench);
  challenge (bench, "n1", ", qop=\"auth\"");
  reply (bench, "200 OK",
         "Service-Route: <sip:a.test;lr>, <sip:b.test;lr>\r\nP-Associated-URI: <sip:c@d.test>\r\n");
  assert_granted (bench, 600);
  blob = muster_sip_refresher_dup_resume (bench->refresher);
  bytes = g_bytes_get_data (blob, &size);

  for (gsize i = 0; i < size; i++) {
    g_autofree guint8 *copy = g_memdup2 (bytes, size);
    g_autoptr (GBytes) damaged = NULL;

    copy[i] ^= '\r';
    damaged = g_bytes_new (copy, size);
    muster_sip_refresher_free (bench->refresher);
    bench->refresher = muster_sip_refresher_new (damaged);
    begin_register (bench);
    g_assert_null (strpbrk (bench->wire.call_id, "\r\n"));
    g_assert_null (strpbrk (bench->wire.from, "\r\n"));
    g_assert_null (strpbrk (bench->wire.contact, "\r\n"));
    g_assert_true (bench->wire.authorization == NULL ||
                   strpbrk (bench->wire.authorization, "\r\n") == NULL);
    muster_sip_refresher_cancel (bench->refresher);
  }
  for (gsize length = 0; length < size; length += 7) {
    g_autoptr (GBytes) cut = g_bytes_new (bytes, length);

    muster_sip_refresher_free (bench->refresher);
    bench->refresher = muster_sip_refresher_new (cut);
    g_assert_false (muster_sip_refresher_is_bound (bench->refresher));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, data, test) g_test_add (path, Bench, data, bench_set_up, test, bench_tear_down)

  ADD ("/sip/refresher/restart", NULL, test_restart_goes_on);
  ADD ("/sip/refresher/restart-with-a-foreign-realm", NULL, test_restart_with_a_foreign_realm);
  ADD ("/sip/refresher/restart-on-another-port", NULL, test_restart_on_another_port);
  ADD ("/sip/refresher/restart-after-the-lease", NULL, test_restart_after_the_lease);
  ADD ("/sip/refresher/restart-with-a-longer-lease", NULL, test_restart_with_a_longer_lease);
  ADD ("/sip/refresher/saved-once-for-many-refreshes", NULL, test_saved_once_for_many_refreshes);
  ADD ("/sip/refresher/saved-anew-for-what-is-new", NULL, test_saved_anew_for_what_is_new);
  ADD ("/sip/refresher/restart-keeps-the-route", NULL, test_restart_keeps_the_route);
  ADD ("/sip/refresher/restart-keeps-outbound", NULL, test_restart_keeps_outbound);
  ADD ("/sip/refresher/older-resume", NULL, test_older_resume);
  ADD ("/sip/refresher/unfit-route", NULL, test_unfit_route);
  ADD ("/sip/refresher/damaged-resume", NULL, test_damaged_resume);

  return g_test_run ();
}
