/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-config.h"
#include "muster-sip-offers.h"
#include "muster-sip-target.h"

/* Over which transport a service is asked first, and which is next: what an account says of it, what the service
 * offers, and who took the registration before. */

/* what the account says */

typedef struct {
  const char *server;
  const char *transport; /* `auto`: the service's choice; NULL: refused */
} ServerRow;

static const ServerRow server_rows[] = {
  { "", "auto" },
  { "pbx.test", "auto" },
  { "sip:pbx.test", "auto" },
  { "sip:pbx.test;lr", "auto" },
  { "sips:pbx.test", "tls" },
  { "<sips:pbx.test:5071>", "tls" },
  { "pbx.test:5060", "udp" },
  { "pbx.test:5070", "udp" },
  { "pbx.test:5061", "tls" },
  { "192.0.2.1", "udp" },
  { "192.0.2.1:5061", "tls" },
  { "2001:db8::1", "udp" },
  { "[2001:db8::1]:5061", "tls" },
  { "sip:pbx.test;transport=udp", "udp" },
  { "sip:pbx.test;transport=TCP", "tcp" },
  { "sip:pbx.test:5061;transport=tcp", "tcp" },
  { "sip:192.0.2.1;transport=tls", "tls" },
  { "sip:pbx.test;transport=sctp", NULL },
  { "sips:pbx.test;transport=udp", NULL },
};

static const char *
name_of (MusterTransport transport)
{
  switch (transport) {
  case MUSTER_TRANSPORT_UDP:
    return "udp";
  case MUSTER_TRANSPORT_TCP:
    return "tcp";
  case MUSTER_TRANSPORT_TLS:
    return "tls";
  }
  g_assert_not_reached ();
}

static void
test_servers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (server_rows); i++) {
    const ServerRow *row = &server_rows[i];
    const MusterSipSettings settings = {
      .address = "alice@example.test", .server = row->server, .transport = "auto", .heartbeat_s = -1
    };
    g_autoptr (GError) error = NULL;
    g_autoptr (MusterSipConfig) config = muster_sip_config_new (&settings, &error);

    g_test_message ("%s", row->server);
    if (row->transport == NULL) {
      g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
      continue;
    }
    g_assert_no_error (error);
    g_assert_cmpstr (config->is_open ? "auto" : name_of (config->transport), ==, row->transport);
    g_assert_true ((config->trust != NULL) ==
                   (config->is_open || config->transport == MUSTER_TRANSPORT_TLS));
  }
}

static void
test_usual_transport (void)
{
  const MusterSipSettings settings = { .address = "alice@example.test", .heartbeat_s = -1 };
  g_autoptr (MusterSipConfig) config = muster_sip_config_new (&settings, NULL);

  g_assert_false (config->is_open);
  g_assert_cmpint (config->transport, ==, MUSTER_TRANSPORT_UDP);
}

/* Once it is settled it is as if the account had said so. */
static void
test_settled (void)
{
  const MusterSipSettings settings = { .address = "alice@example.test",
                                       .transport = "auto",
                                       .heartbeat_s = -1 };
  g_autoptr (MusterSipConfig) config = muster_sip_config_new (&settings, NULL);
  g_autoptr (MusterSipConfig) tls = muster_sip_config_settle (config, MUSTER_TRANSPORT_TLS);
  g_autoptr (MusterSipConfig) tcp = muster_sip_config_settle (config, MUSTER_TRANSPORT_TCP);
  g_autoptr (MusterSipConfig) elsewhere = NULL;

  g_assert_false (tls->is_open || tcp->is_open);
  g_assert_cmpstr (tls->tls_name, ==, "example.test");
  g_assert_nonnull (tls->trust);
  g_assert_null (tcp->tls_name);
  g_assert_null (tcp->trust);
  g_assert_cmpstr (tcp->request_uri, ==, "sip:example.test");
  g_assert_cmpstr (tcp->to, ==, "<sip:alice@example.test>");

  elsewhere = muster_sip_config_redirect (tls, "sip:b.test", FALSE, NULL);
  g_assert_cmpint (elsewhere->transport, ==, MUSTER_TRANSPORT_TLS);
  g_assert_false (elsewhere->is_open);
  g_assert_null (muster_sip_config_redirect (tls, "sip:b.test;transport=tcp", FALSE, NULL));
}

/* An address is made into a way once, and shared. */
static void
test_literal (void)
{
  const MusterSipSettings settings = { .address = "alice@example.test",
                                       .display_name = "Alice \"A\"",
                                       .server = "[2001:db8::1]:5070",
                                       .heartbeat_s = -1 };
  g_autoptr (MusterSipConfig) config = muster_sip_config_new (&settings, NULL);
  g_autoptr (MusterSipConfig)
    there = muster_sip_config_redirect (config, "sip:192.0.2.9", FALSE, NULL);
  g_autoptr (MusterSipConfig)
    named = muster_sip_config_redirect (config, "sip:b.test", FALSE, NULL);

  g_assert_cmpstr (config->route, ==, "sip:[2001:db8::1]:5070");
  g_assert_cmpuint (config->offers->len, ==, 1);
  g_assert_cmpstr (config->from_prefix, ==, "\"Alice \\\"A\\\"\" <sip:alice@example.test>;tag=");
  g_assert_cmpstr (there->route, ==, "sip:192.0.2.9:5060");
  g_assert_cmpstr (there->from_prefix, ==, config->from_prefix);
  g_assert_null (named->route);
  g_assert_null (named->offers);
}

/* what is offered, and in which order: `tls 1 2` is TLS at 192.0.2.1 and 192.0.2.2 */

static GSocketAddress *
address_new (const char *digit)
{
  g_autofree char *literal = g_strconcat ("192.0.2.", digit, NULL);

  return g_inet_socket_address_new_from_string (literal, 5060);
}

static MusterTransport
transport_of (const char *name)
{
  return g_str_equal (name, "tls")   ? MUSTER_TRANSPORT_TLS
         : g_str_equal (name, "tcp") ? MUSTER_TRANSPORT_TCP
                                     : MUSTER_TRANSPORT_UDP;
}

/* @found: `tls 1, tcp 2` */
static GPtrArray *
offers_of (const char *found)
{
  g_autoptr (GPtrArray)
    targets = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_target_unref);
  g_auto (GStrv) texts = g_strsplit (found, ", ", 0);

  for (guint i = 0; texts[i] != NULL; i++) {
    g_auto (GStrv) words = g_strsplit (texts[i], " ", 2);
    g_autoptr (GSocketAddress) address = address_new (words[1]);

    g_ptr_array_add (targets, muster_target_new (address, "a.test", transport_of (words[0]), 0));
  }
  return muster_sip_offers_new (targets);
}

static void
assert_offers (GPtrArray *offers, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < offers->len; i++) {
    const MusterSipOffer *offer = offers->pdata[i];

    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", name_of (offer->transport));
    for (guint j = 0; j < offer->targets->len; j++) {
      g_autofree char *route = muster_sip_target_dup_route (offer->targets->pdata[j]);

      g_string_append_printf (text, " %c", route[strlen ("sip:192.0.2.")]);
    }
  }
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_order (void)
{
  g_autoptr (GPtrArray) offers = offers_of ("tls 1, udp 2, tls 3, tcp 4, udp 1");
  g_autoptr (GPtrArray) nothing = offers_of ("");

  assert_offers (offers, "tls 1 3, udp 2 1, tcp 4");
  g_assert_true (muster_sip_offers_has_clear (offers, 0));
  g_assert_true (muster_sip_offers_has_clear (offers, 2));
  g_assert_false (muster_sip_offers_has_clear (offers, 3));
  assert_offers (nothing, "");
}

typedef struct {
  const char *found;
  const char *transport;
  const char *digit;
  gboolean must_stay;
  const char *preferred;
  const char *struck;
} TargetRow;

static const TargetRow target_rows[] = {
  { "tls 1, tls 2, udp 3", "tls", "2", TRUE, "tls 2 1, udp 3", "tls 1, udp 3" },
  { "tls 1, udp 3, udp 4", "udp", "4", TRUE, "udp 4 3, tls 1", "tls 1, udp 3" },
  /* the same address over another transport is another target */
  { "tls 1, udp 1", "udp", "1", TRUE, "udp 1, tls 1", "tls 1" },
  /* a name server that failed, or says what it did not say before */
  { "udp 3", "tls", "1", TRUE, "tls 1, udp 3", "udp 3" },
  { "udp 3", "tls", "1", FALSE, "udp 3", "udp 3" },
  { "tcp 3", "udp", "1", TRUE, "udp 1, tcp 3", "tcp 3" },
  { "tls 3", "udp", "1", TRUE, "tls 3", "tls 3" },
  /* the transport is offered at others */
  { "tls 1, udp 3", "tls", "9", TRUE, "tls 1, udp 3", "tls 1, udp 3" },
  { "tls 1, udp 3", "udp", "9", TRUE, "udp 3, tls 1", "tls 1, udp 3" },
};

static void
test_targets (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (target_rows); i++) {
    const TargetRow *row = &target_rows[i];
    MusterTransport transport = transport_of (row->transport);
    g_autoptr (GSocketAddress) target = address_new (row->digit);
    g_autoptr (GPtrArray) preferred = offers_of (row->found);
    g_autoptr (GPtrArray) struck = offers_of (row->found);

    g_test_message ("%s, %s %s", row->found, row->transport, row->digit);
    muster_sip_offers_prefer (preferred, transport, target, row->must_stay);
    assert_offers (preferred, row->preferred);
    muster_sip_offers_strike (struck, transport, target);
    assert_offers (struck, row->struck);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sip/offers/servers", test_servers);
  g_test_add_func ("/sip/offers/usual-transport", test_usual_transport);
  g_test_add_func ("/sip/offers/settled", test_settled);
  g_test_add_func ("/sip/offers/literal", test_literal);
  g_test_add_func ("/sip/offers/order", test_order);
  g_test_add_func ("/sip/offers/targets", test_targets);

  return g_test_run ();
}
