/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-hub-private.h"
#include "runtime/muster-connectivity-private.h"
#include "runtime/muster-sleep.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

/* Connectivity and sleep on virtual time: the kernel's answers are written here, byte by byte. */

#define MS     (G_GINT64_CONSTANT (1000))
#define SECOND (1000 * MS)
#define HOUR   (3600 * SECOND)

#define UP      (IFF_UP | IFF_RUNNING)
#define ETH     2
#define WLAN    3
#define UNKNOWN 99

/* what the kernel would send */

static void
append_message (GByteArray *out, guint16 type, gconstpointer body, gsize length)
{
  const guint8 zeros[NLMSG_ALIGNTO] = { 0 };
  struct nlmsghdr header = { .nlmsg_len = NLMSG_LENGTH (length), .nlmsg_type = type };

  g_byte_array_append (out, (const guint8 *) &header, sizeof header);
  g_byte_array_append (out, body, (guint) length);
  g_byte_array_append (out, zeros, (guint) (NLMSG_ALIGN (length) - length));
}

static void
append_link (GByteArray *out, int index, guint flags)
{
  struct ifinfomsg body = { .ifi_index = index, .ifi_flags = flags };

  append_message (out, RTM_NEWLINK, &body, sizeof body);
}

static void
append_attribute (GByteArray *out, guint16 type, gconstpointer data, gsize length)
{
  struct rtattr attribute = { .rta_len = RTA_LENGTH (length), .rta_type = type };

  g_byte_array_append (out, (const guint8 *) &attribute, sizeof attribute);
  g_byte_array_append (out, data, (guint) length);
}

static void
append_address_of_peer (GByteArray *out,
                        int index,
                        const char *text,
                        const char *peer,
                        guint32 flags)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  int family = strchr (text, ':') != NULL ? AF_INET6 : AF_INET;
  gsize length = family == AF_INET ? 4 : 16;
  struct ifaddrmsg head = { .ifa_family = (guint8) family,
                            .ifa_index = (guint32) index,
                            .ifa_flags = (guint8) flags };
  guint8 bytes[16];

  g_byte_array_append (body, (const guint8 *) &head, sizeof head);
  g_assert_cmpint (inet_pton (family, peer, bytes), ==, 1);
  append_attribute (body, IFA_ADDRESS, bytes, length);
  g_assert_cmpint (inet_pton (family, text, bytes), ==, 1);
  if (family == AF_INET || !g_str_equal (text, peer))
    append_attribute (body, IFA_LOCAL, bytes, length);
  append_attribute (body, IFA_FLAGS, &flags, sizeof flags);
  append_message (out, RTM_NEWADDR, body->data, body->len);
}

static void
append_address (GByteArray *out, int index, const char *text, guint32 flags)
{
  append_address_of_peer (out, index, text, text, flags);
}

static MusterAddressSet *
read_all (GByteArray *links, GByteArray *addresses)
{
  g_autoptr (MusterAddressSet) set = muster_address_set_new ();
  g_autoptr (GError) error = NULL;
  gboolean done;

  g_assert_true (muster_address_set_read (set, links->data, links->len, &done, &error));
  g_assert_no_error (error);
  g_assert_false (done);
  g_assert_true (muster_address_set_read (set, addresses->data, addresses->len, &done, &error));
  g_assert_no_error (error);

  return g_steal_pointer (&set);
}

/* which addresses count */

typedef struct {
  const char *name;
  const char *address;
  guint32 flags;
  int link;
  gboolean counts;
} AddressRow;

static const AddressRow rows[] = {
  { "IPv4", "192.0.2.7", IFA_F_PERMANENT, ETH, TRUE },
  { "IPv4 by DHCP", "192.0.2.7", 0, ETH, TRUE },
  { "IPv4, second of its net", "192.0.2.8", IFA_F_SECONDARY, ETH, TRUE },
  { "IPv6", "2001:db8::7", 0, ETH, TRUE },
  { "IPv6 of a site", "fd00::7", 0, ETH, TRUE },
  { "IPv6, optimistic", "2001:db8::7", IFA_F_TENTATIVE | IFA_F_OPTIMISTIC, ETH, TRUE },
  { "no carrier", "192.0.2.7", 0, WLAN, FALSE },
  { "a link that was not told of", "192.0.2.7", 0, UNKNOWN, FALSE },
  { "loopback", "127.0.0.1", IFA_F_PERMANENT, 1, FALSE },
  { "loopback's neighbour", "127.8.0.1", IFA_F_PERMANENT, 1, FALSE },
  { "IPv6 loopback", "::1", IFA_F_PERMANENT, 1, FALSE },
  { "a router's own, on loopback", "192.0.2.1", IFA_F_PERMANENT, 1, TRUE },
  { "IPv4 link-local", "169.254.3.4", 0, ETH, FALSE },
  { "IPv6 link-local", "fe80::1", IFA_F_PERMANENT, ETH, FALSE },
  { "the last link-local", "febf::1", IFA_F_PERMANENT, ETH, FALSE },
  { "behind the last link-local", "fec0::1", IFA_F_PERMANENT, ETH, TRUE },
  { "tentative", "2001:db8::7", IFA_F_TENTATIVE, ETH, FALSE },
  { "duplicate", "2001:db8::7", IFA_F_DADFAILED, ETH, FALSE },
  { "deprecated", "2001:db8::7", IFA_F_DEPRECATED, ETH, FALSE },
  { "temporary", "2001:db8::7", IFA_F_TEMPORARY, ETH, FALSE },
  { "stable, flags beyond a byte", "2001:db8::7", IFA_F_STABLE_PRIVACY, ETH, TRUE },
};

static void
test_which_count (void)
{
  g_autoptr (GByteArray) links = g_byte_array_new ();

  append_link (links, 1, UP | IFF_LOOPBACK);
  append_link (links, ETH, UP);
  append_link (links, WLAN, IFF_UP);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GByteArray) addresses = g_byte_array_new ();
    g_autoptr (MusterAddressSet) set = NULL;

    g_test_message ("%s", rows[i].name);
    append_address (addresses, rows[i].link, rows[i].address, rows[i].flags);
    set = read_all (links, addresses);
    g_assert_cmpuint (muster_address_set_get_size (set), ==, rows[i].counts ? 1 : 0);
  }
}

static void
test_sets (void)
{
  g_autoptr (GByteArray) links = g_byte_array_new ();
  g_autoptr (GByteArray) forth = g_byte_array_new ();
  g_autoptr (GByteArray) back = g_byte_array_new ();
  g_autoptr (GByteArray) other = g_byte_array_new ();
  g_autoptr (GByteArray) tunnel = g_byte_array_new ();
  g_autoptr (GByteArray) tunnel_moved = g_byte_array_new ();
  g_autoptr (MusterAddressSet) a = NULL;
  g_autoptr (MusterAddressSet) b = NULL;
  g_autoptr (MusterAddressSet) c = NULL;
  g_autoptr (MusterAddressSet) t = NULL;
  g_autoptr (MusterAddressSet) moved = NULL;
  g_autoptr (MusterAddressSet) none = muster_address_set_new ();
  g_autoptr (MusterAddressSet) empty = muster_address_set_new ();

  append_link (links, ETH, UP);
  append_address (forth, ETH, "192.0.2.7", 0);
  append_address (forth, ETH, "2001:db8::7", 0);
  append_address (forth, ETH, "192.0.2.9", 0);
  append_address (back, ETH, "192.0.2.9", 0);
  append_address (back, ETH, "2001:db8::7", 0);
  append_address (back, ETH, "192.0.2.7", 0);
  append_address (back, ETH, "192.0.2.7", 0);
  append_address (other, ETH, "192.0.2.7", 0);
  append_address (other, ETH, "2001:db8::8", 0);
  append_address (other, ETH, "192.0.2.9", 0);
  append_address_of_peer (tunnel, ETH, "10.8.0.2", "10.8.0.1", 0);
  append_address_of_peer (tunnel_moved, ETH, "10.8.0.2", "10.9.0.1", 0);

  a = read_all (links, forth);
  b = read_all (links, back);
  c = read_all (links, other);
  t = read_all (links, tunnel);
  moved = read_all (links, tunnel_moved);
  g_assert_cmpuint (muster_address_set_get_size (a), ==, 3);
  g_assert_true (muster_address_set_equal (a, b));
  g_assert_false (muster_address_set_equal (a, c));
  g_assert_false (muster_address_set_equal (a, none));
  g_assert_true (muster_address_set_equal (none, empty));
  g_assert_true (muster_address_set_equal (t, moved)); /* our end is the same */
}

/* Every cut of a good answer is refused or read as less, and nothing behind it is touched. */
static void
test_cut_answers (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  struct nlmsgerr refusal = { .error = -EPERM };
  g_autoptr (GByteArray) refused = g_byte_array_new ();
  g_autoptr (MusterAddressSet) other = muster_address_set_new ();
  g_autoptr (GError) refused_error = NULL;
  gboolean done;

  append_link (out, ETH, UP);
  append_address (out, ETH, "192.0.2.7", 0);
  append_message (out, NLMSG_DONE, "\0\0\0\0", 4);

  for (guint length = 0; length <= out->len; length++) {
    g_autoptr (MusterAddressSet) set = muster_address_set_new ();
    g_autofree gpointer copy = g_memdup2 (out->data, length);
    g_autoptr (GError) error = NULL;
    gboolean good = muster_address_set_read (set, copy, length, &done, &error);

    g_assert_true (good == (error == NULL));
    g_assert_true (done == (length == out->len));
  }

  append_message (refused, NLMSG_ERROR, &refusal, sizeof refusal);
  g_assert_false (
    muster_address_set_read (other, refused->data, refused->len, &done, &refused_error));
  g_assert_error (refused_error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
test_loopback_hosts (void)
{
  const char *const loopback[] = { "localhost", "LocalHost", "localhost.", "a.localhost",
                                   "127.0.0.1", "127.9.9.9", "::1",        NULL };
  const char *const remote[] = { "example.org",  "localhost.example.org", "128.0.0.1", "::2",
                                 "notlocalhost", "127.0.0.1.example.org", "",          NULL };

  for (guint i = 0; loopback[i] != NULL; i++)
    g_assert_true (muster_address_is_loopback_host (loopback[i]));
  for (guint i = 0; remote[i] != NULL; i++)
    g_assert_false (muster_address_is_loopback_host (remote[i]));
}

/* what is told, and when */

typedef struct {
  const char *address; /* what the machine has now; NULL: nothing */
  gboolean fails;
  guint n_looks;
  GString *told;
} World;

static void
on_set_offline (gpointer sink, const char *reason, gboolean offline)
{
  World *world = sink;

  g_string_append_printf (world->told, "%c%s ", offline ? '+' : '-', reason);
}

static void
on_network_changed (gpointer sink)
{
  World *world = sink;

  g_string_append (world->told, "changed ");
}

static const MusterConnectivitySink sink = {
  .set_offline = on_set_offline,
  .network_changed = on_network_changed,
};

static MusterAddressSet *
look (gpointer look_data, GError **error)
{
  World *world = look_data;
  g_autoptr (GByteArray) links = g_byte_array_new ();
  g_autoptr (GByteArray) addresses = g_byte_array_new ();

  world->n_looks++;
  if (world->fails) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "out of order");
    return NULL;
  }

  append_link (links, ETH, UP);
  append_address (addresses, ETH, "127.0.0.1", 0);
  if (world->address != NULL)
    append_address (addresses, ETH, world->address, 0);

  return read_all (links, addresses);
}

static void
world_init (World *world)
{
  muster_clock_use_virtual (1000 * SECOND, 0);
  memset (world, 0, sizeof *world);
  world->told = g_string_new ("");
}

static void
world_clear (World *world)
{
  g_string_free (world->told, TRUE);
}

static void
world_told (World *world, const char *expected)
{
  g_assert_cmpstr (world->told->str, ==, expected);
  g_string_truncate (world->told, 0);
}

static void
change (World *world, MusterConnectivity *connectivity, const char *address)
{
  world->address = address;
  muster_connectivity_touch (connectivity);
}

static void
test_coming_and_going (void)
{
  World world;
  MusterConnectivity *connectivity;

  world_init (&world);
  connectivity = muster_connectivity_new_looking (look, &world, &sink, &world);
  world_told (&world, "+no-network ");

  change (&world, connectivity, "192.0.2.7");
  world_told (&world, "");
  muster_clock_advance_us (2 * SECOND);
  world_told (&world, "-no-network ");

  change (&world, connectivity, "192.0.2.7");
  muster_clock_advance_us (2 * SECOND);
  world_told (&world, "");

  change (&world, connectivity, "192.0.2.8");
  muster_clock_advance_us (2 * SECOND);
  world_told (&world, "changed ");

  change (&world, connectivity, NULL);
  muster_clock_advance_us (2 * SECOND);
  world_told (&world, "+no-network ");

  muster_connectivity_free (connectivity);
  world_clear (&world);
}

static void
test_with_a_network_from_the_start (void)
{
  World world;
  MusterConnectivity *connectivity;

  world_init (&world);
  world.address = "192.0.2.7";
  connectivity = muster_connectivity_new_looking (look, &world, &sink, &world);
  world_told (&world, "");

  muster_connectivity_touch (connectivity);
  muster_connectivity_free (connectivity); /* with its timer armed */
  muster_clock_advance_us (2 * SECOND);
  world_told (&world, "");
  world_clear (&world);
}

/* A change of address is a removal and an addition: together they are one change. */
static void
test_debounce (void)
{
  World world;
  MusterConnectivity *connectivity;

  world_init (&world);
  world.address = "192.0.2.7";
  connectivity = muster_connectivity_new_looking (look, &world, &sink, &world);
  world.n_looks = 0;

  change (&world, connectivity, NULL);
  muster_clock_advance_us (900 * MS);
  world_told (&world, "");
  change (&world, connectivity, "192.0.2.8");
  muster_clock_advance_us (50 * MS);
  world_told (&world, "");
  muster_clock_advance_us (100 * MS);
  world_told (&world, "changed ");
  g_assert_cmpuint (world.n_looks, ==, 1);

  /* There and back again is nothing. */
  change (&world, connectivity, NULL);
  change (&world, connectivity, "192.0.2.8");
  muster_clock_advance_us (2 * SECOND);
  world_told (&world, "");

  /* What never comes to rest is looked at all the same, once a second. */
  world.n_looks = 0;
  for (guint i = 0; i < 100; i++) {
    change (&world, connectivity, "192.0.2.8");
    muster_clock_advance_us (100 * MS);
  }
  g_assert_cmpuint (world.n_looks, >=, 9);
  g_assert_cmpuint (world.n_looks, <=, 10);
  world_told (&world, "");

  muster_connectivity_free (connectivity);
  world_clear (&world);
}

static void
test_a_look_that_fails (void)
{
  World world;
  MusterConnectivity *connectivity;

  world_init (&world);
  world.fails = TRUE;
  g_test_expect_message ("MusterConnectivity", G_LOG_LEVEL_WARNING, "*out of order*");
  connectivity = muster_connectivity_new_looking (look, &world, &sink, &world);
  g_test_assert_expected_messages ();
  world_told (&world, ""); /* not known: taken to be there */

  world.fails = FALSE;
  change (&world, connectivity, "192.0.2.7");
  muster_clock_advance_us (2 * SECOND);
  world_told (&world, "");
  change (&world, connectivity, NULL);
  muster_clock_advance_us (2 * SECOND);
  world_told (&world, "+no-network ");

  muster_connectivity_free (connectivity);
  world_clear (&world);
}

/* sleep */

static void
test_announced_sleep (void)
{
  World world;
  MusterSleep *sleep;

  world_init (&world);
  sleep = muster_sleep_new_alone (&sink, &world);
  muster_sleep_announce (sleep, TRUE);
  muster_sleep_announce (sleep, TRUE);
  world_told (&world, "+suspended ");

  /* The clocks may tell first. It is over when logind says so, and only once. */
  muster_clock_suspend_us (8 * HOUR);
  muster_sleep_compare_clocks (sleep);
  world_told (&world, "");
  muster_sleep_announce (sleep, FALSE);
  world_told (&world, "changed -suspended ");
  muster_sleep_compare_clocks (sleep);
  muster_sleep_announce (sleep, FALSE);
  world_told (&world, "");

  /* Or logind. */
  muster_sleep_announce (sleep, TRUE);
  muster_clock_suspend_us (HOUR);
  muster_sleep_announce (sleep, FALSE);
  muster_sleep_compare_clocks (sleep);
  world_told (&world, "+suspended changed -suspended ");

  muster_sleep_free (sleep);
  world_clear (&world);
}

static void
test_unannounced_sleep (void)
{
  World world;
  MusterSleep *sleep;

  world_init (&world);
  muster_clock_suspend_us (HOUR); /* before our time */
  sleep = muster_sleep_new_alone (&sink, &world);
  muster_sleep_compare_clocks (sleep);
  world_told (&world, "");

  /* The clock was only set, or much time passed. */
  muster_clock_step_wall_us (HOUR);
  muster_clock_advance_us (HOUR);
  muster_sleep_compare_clocks (sleep);
  world_told (&world, "");

  muster_clock_suspend_us (2 * SECOND);
  muster_sleep_compare_clocks (sleep);
  muster_sleep_compare_clocks (sleep);
  world_told (&world, "changed ");

  muster_sleep_free (sleep);
  world_clear (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/connectivity/which-addresses-count", test_which_count);
  g_test_add_func ("/connectivity/sets", test_sets);
  g_test_add_func ("/connectivity/cut-answers", test_cut_answers);
  g_test_add_func ("/connectivity/loopback-hosts", test_loopback_hosts);
  g_test_add_func ("/connectivity/coming-and-going", test_coming_and_going);
  g_test_add_func ("/connectivity/from-the-start", test_with_a_network_from_the_start);
  g_test_add_func ("/connectivity/debounce", test_debounce);
  g_test_add_func ("/connectivity/a-look-that-fails", test_a_look_that_fails);
  g_test_add_func ("/connectivity/announced-sleep", test_announced_sleep);
  g_test_add_func ("/connectivity/unannounced-sleep", test_unannounced_sleep);

  return g_test_run ();
}
