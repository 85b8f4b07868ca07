/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-watchlist.h"

#include <string.h>

/* Contacts as data. */

static void
test_addresses (void)
{
  static const struct {
    const char *text;
    const char *address;
  } rows[] = {
    { "bob@example.test", "bob@example.test" },
    { "sip:Bob@EXAMPLE.test", "Bob@example.test" },
    { "SIPS:bob@example.test;transport=tls", "bob@example.test" },
    { "sip:bob@[2001:DB8::1]", "bob@[2001:db8::1]" },
    { "sip:a;b=c@example.test?x=y", "a;b=c@example.test" },
    { "bob", NULL },
    { "@", NULL },
    { "sip:", NULL },
    { "sip:@example.test", NULL },
    { "bob@", NULL },
    { "tel:+15", NULL },
    { "b ob@example.test", NULL },
    { "bob@example.test>", NULL },
    { "bob@example.test\r\nX: y", NULL },
    { "", NULL },
  };
  g_autofree char *user = g_strnfill (300, 'b');
  g_autofree char *too_long = g_strconcat (user, "@example.test", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *address = muster_sip_watchlist_dup_address (rows[i].text);

    g_assert_cmpstr (address, ==, rows[i].address);
  }
  g_assert_null (muster_sip_watchlist_dup_address (too_long));
}

static MusterContact *
watch (MusterSipWatchlist *list, const char *address, const char *name)
{
  g_autoptr (GError) error = NULL;
  MusterContact *contact = muster_sip_watchlist_watch (list, address, name, &error);

  g_assert_no_error (error);
  return contact;
}

static void
test_watch (void)
{
  g_autoptr (MusterSipWatchlist) list = muster_sip_watchlist_new ();
  MusterContact *bob = watch (list, "bob@example.test", "Bob\n");

  g_assert_cmpint (bob->state, ==, MUSTER_CONTACT_PENDING);
  g_assert_cmpstr (bob->name, ==, "Bob ");
  bob->state = MUSTER_CONTACT_WATCHED;
  g_assert_true (watch (list, "bob@example.test", NULL) == bob); /* it keeps what it is */
  g_assert_cmpint (bob->state, ==, MUSTER_CONTACT_WATCHED);
  g_assert_cmpstr (bob->name, ==, "Bob ");
  watch (list, "bob@example.test", "");
  g_assert_null (bob->name);
  g_assert_cmpuint (muster_sip_watchlist_count_watched (list), ==, 1);

  g_assert_false (muster_sip_watchlist_unwatch (list, "eve@example.test"));
  g_assert_true (muster_sip_watchlist_unwatch (list, "bob@example.test"));
  g_assert_false (muster_sip_watchlist_unwatch (list, "bob@example.test"));
  g_assert_null (muster_sip_watchlist_find (list, "bob@example.test"));
  g_assert_cmpuint (muster_sip_watchlist_count_watched (list), ==, 0);
}

static void
test_asks (void)
{
  g_autoptr (MusterSipWatchlist) list = muster_sip_watchlist_new ();
  const MusterContact *eve;

  g_assert_null (muster_sip_watchlist_set_asks (list, "eve@example.test", NULL, FALSE));
  eve = muster_sip_watchlist_set_asks (list, "eve@example.test", "Eve", TRUE);
  g_assert_true (eve->asks);
  g_assert_cmpint (eve->state, ==, MUSTER_CONTACT_NONE);
  g_assert_null (muster_sip_watchlist_set_asks (list, "eve@example.test", "Eve", TRUE));
  g_assert_null (muster_sip_watchlist_pack (list)); /* the server says that anew */

  watch (list, "eve@example.test", NULL);
  g_assert_true (muster_sip_watchlist_unwatch (list, "eve@example.test"));
  eve = muster_sip_watchlist_find (list, "eve@example.test"); /* and still asks */
  g_assert_cmpint (eve->state, ==, MUSTER_CONTACT_NONE);

  eve = muster_sip_watchlist_set_asks (list, "eve@example.test", NULL, FALSE);
  g_assert_false (eve->asks);
  g_assert_cmpstr (eve->address, ==, "eve@example.test");
  g_assert_null (muster_sip_watchlist_find (list, "eve@example.test"));
}

static void
test_limits (void)
{
  g_autoptr (MusterSipWatchlist) list = muster_sip_watchlist_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) all = NULL;

  for (guint i = 0; i < MUSTER_SIP_WATCHLIST_MAX; i++) {
    g_autofree char *address = g_strdup_printf ("u%u@example.test", i);

    watch (list, address, NULL);
  }
  g_assert_null (muster_sip_watchlist_watch (list, "one-more@example.test", NULL, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  g_assert_nonnull (muster_sip_watchlist_watch (list, "u7@example.test", "Seven", NULL));

  for (guint i = 0; i < 2 * MUSTER_SIP_WATCHLIST_MAX_ASKERS; i++) {
    g_autofree char *address = g_strdup_printf ("a%u@example.test", i);

    muster_sip_watchlist_set_asks (list, address, NULL, TRUE);
  }
  all = muster_sip_watchlist_dup_all (list);
  g_assert_cmpuint (all->len, ==, MUSTER_SIP_WATCHLIST_MAX + MUSTER_SIP_WATCHLIST_MAX_ASKERS);
}

/* However long they are, what is packed fits into a record. */
static void
test_fits_into_record (void)
{
  g_autoptr (MusterSipWatchlist) list = muster_sip_watchlist_new ();
  g_autoptr (MusterSipWatchlist) read = muster_sip_watchlist_new ();
  g_autoptr (GBytes) blob = NULL;
  g_autofree char *name = g_strnfill (500, 'n');
  g_autofree char *user = g_strnfill (230, 'u');

  for (guint i = 0; i < MUSTER_SIP_WATCHLIST_MAX; i++) {
    g_autofree char *address = g_strdup_printf ("%s%u@example.test", user, i);

    if (muster_sip_watchlist_watch (list, address, name, NULL) == NULL)
      break;
  }
  g_assert_cmpuint (muster_sip_watchlist_count_watched (list), >, 150);
  blob = muster_sip_watchlist_pack (list);
  g_assert_cmpuint (g_bytes_get_size (blob), <=, MUSTER_RECORD_MAX_BYTES);
  g_assert_true (muster_sip_watchlist_unpack (read, blob));
  g_assert_cmpuint (muster_sip_watchlist_count_watched (read), ==,
                    muster_sip_watchlist_count_watched (list));
}

static void
test_pack (void)
{
  g_autoptr (MusterSipWatchlist) list = muster_sip_watchlist_new ();
  g_autoptr (MusterSipWatchlist) read = muster_sip_watchlist_new ();
  g_autoptr (GBytes) blob = NULL;
  g_autoptr (GPtrArray) all = NULL;
  const MusterContact *contact;

  g_assert_null (muster_sip_watchlist_pack (list));
  watch (list, "carol@example.test", NULL)->state = MUSTER_CONTACT_DENIED;
  watch (list, "bob@example.test", "Bob \xc3\xa9")->state = MUSTER_CONTACT_WATCHED;
  blob = muster_sip_watchlist_pack (list);
  g_assert_true (muster_sip_watchlist_unpack (read, blob));
  all = muster_sip_watchlist_dup_all (read);
  g_assert_cmpuint (all->len, ==, 2);
  contact = all->pdata[0];
  g_assert_cmpstr (contact->address, ==, "bob@example.test");
  g_assert_cmpstr (contact->name, ==, "Bob \xc3\xa9");
  g_assert_cmpint (contact->state, ==, MUSTER_CONTACT_WATCHED);
  g_assert_cmpint (contact->presence, ==, MUSTER_PRESENCE_OFFLINE);
  contact = all->pdata[1];
  g_assert_null (contact->name);
  g_assert_cmpint (contact->state, ==, MUSTER_CONTACT_DENIED);
}

/* A damaged record is none, or one with less in it. */
static void
test_damaged (void)
{
  g_autoptr (MusterSipWatchlist) list = muster_sip_watchlist_new ();
  g_autoptr (GBytes) blob = NULL;
  const guint8 *bytes;
  gsize n_bytes;

  watch (list, "carol@example.test", "Carol");
  watch (list, "bob@example.test", "Bob");
  blob = muster_sip_watchlist_pack (list);
  bytes = g_bytes_get_data (blob, &n_bytes);
  for (gsize i = 0; i < n_bytes; i++) {
    g_autoptr (MusterSipWatchlist) cut = muster_sip_watchlist_new ();
    g_autoptr (MusterSipWatchlist) bent = muster_sip_watchlist_new ();
    g_autoptr (GBytes) shorter = g_bytes_new (bytes, i);
    g_autofree guint8 *copy = g_memdup2 (bytes, n_bytes);
    g_autoptr (GBytes) other = NULL;

    copy[i] ^= 0x55;
    other = g_bytes_new (copy, n_bytes);
    muster_sip_watchlist_unpack (cut, shorter);
    muster_sip_watchlist_unpack (bent, other);
    g_assert_cmpuint (muster_sip_watchlist_count_watched (cut), <=, 2);
    g_assert_cmpuint (muster_sip_watchlist_count_watched (bent), <=, 2);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sip/watchlist/addresses", test_addresses);
  g_test_add_func ("/sip/watchlist/watch", test_watch);
  g_test_add_func ("/sip/watchlist/asks", test_asks);
  g_test_add_func ("/sip/watchlist/limits", test_limits);
  g_test_add_func ("/sip/watchlist/fits-into-record", test_fits_into_record);
  g_test_add_func ("/sip/watchlist/pack", test_pack);
  g_test_add_func ("/sip/watchlist/damaged", test_damaged);

  return g_test_run ();
}
