/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-account.h"
#include "muster-registration-host.h"

/* Which host an account goes to: by its address, unless the plugin knows better. */

typedef MusterRegistration PlainRegistration;
typedef MusterRegistrationClass PlainRegistrationClass;
static GType plain_registration_get_type (void);
G_DEFINE_TYPE (PlainRegistration, plain_registration, MUSTER_TYPE_REGISTRATION)

static void
plain_registration_class_init (PlainRegistrationClass *klass)
{
}

static void
plain_registration_init (PlainRegistration *self)
{
}

/* This one goes where its parameter says; nowhere if it says "none". */
typedef MusterRegistration ServerRegistration;
typedef MusterRegistrationClass ServerRegistrationClass;
static GType server_registration_get_type (void);
G_DEFINE_TYPE (ServerRegistration, server_registration, MUSTER_TYPE_REGISTRATION)

static char *
server_registration_dup_remote_host (MusterRegistration *self)
{
  MusterRegistrationClass *parent = MUSTER_REGISTRATION_CLASS (server_registration_parent_class);
  g_autofree char *server = muster_registration_dup_string (self, "server");

  if (server == NULL)
    return parent->dup_remote_host (self);

  return g_str_equal (server, "none") ? NULL : g_steal_pointer (&server);
}

/* Whoever names a server waits for longer. */
static guint
server_registration_get_retry_floor_s (MusterRegistration *self)
{
  MusterRegistrationClass *parent = MUSTER_REGISTRATION_CLASS (server_registration_parent_class);

  if (muster_registration_has_param (self, "server"))
    return 60;

  return parent->get_retry_floor_s (self);
}

static void
server_registration_class_init (ServerRegistrationClass *klass)
{
  klass->dup_remote_host = server_registration_dup_remote_host;
  klass->get_retry_floor_s = server_registration_get_retry_floor_s;
}

static void
server_registration_init (ServerRegistration *self)
{
}

static const MusterParam params[] = {
  { .name = "server", .type = MUSTER_PARAM_STRING, .label = "Server", .help = "Where it is" },
};

static const MusterProtocol remote = {
  .struct_size = sizeof (MusterProtocol),
  .id = "test",
  .display_name = "Test",
  .params = params,
  .n_params = G_N_ELEMENTS (params),
};

static const MusterProtocol local = {
  .struct_size = sizeof (MusterProtocol),
  .id = "test",
  .display_name = "Test",
  .params = params,
  .n_params = G_N_ELEMENTS (params),
  .local = TRUE,
};

/* A module without a context; what it is called does not matter. */
static MusterModule *module;

/* The account of the test asks nothing of its host. */
static const MusterAccountHost nobody = { NULL };

static MusterAccountRecord *
make_record (const char *address, const char *server)
{
  MusterAccountRecord *record = g_new0 (MusterAccountRecord, 1);
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  if (server != NULL)
    g_variant_dict_insert (&dict, "server", "s", server);
  record->id = g_strdup ("aaaaaaaaaaaaa");
  record->identity = g_strdup ("i");
  record->protocol = g_strdup ("test");
  record->address = g_strdup (address);
  record->name = g_strdup (address);
  record->params = g_variant_ref_sink (g_variant_dict_end (&dict));

  return record;
}

typedef struct {
  const char *address;
  const char *host;
} AddressRow;

static const AddressRow addresses[] = {
  { "ann@example.org", "example.org" },
  { "ann@Example.ORG", "example.org" }, /* names have no case */
  { "sip:ann@example.org:5070", "example.org" },
  { "ann@example.org/desk", "example.org" },
  { "ann@example.org;transport=tcp", "example.org" },
  { "ann@mail@example.org", "example.org" },
  { "ann@[2001:db8::1]:5070", "2001:db8::1" },
  { "ann@[2001:db8::1]", "2001:db8::1" },
  { "ann@127.0.0.1", "127.0.0.1" },
  { "+4912345", "+4912345" }, /* no host: its own, so that it is not taken for a local one */
};

static void
test_by_address (void)
{
  const MusterKind kind = { .type = MUSTER_KIND_PROTOCOL,
                            .get_type = plain_registration_get_type,
                            .protocol = &remote };

  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++) {
    g_autoptr (MusterAccount)
      account = muster_account_new (make_record (addresses[i].address, NULL), &nobody, NULL);

    muster_account_set_kind (account, &kind, module);
    g_assert_cmpstr (muster_account_get_remote_host (account), ==, addresses[i].host);
    g_assert_true (muster_account_is_local (account) ==
                   g_str_equal (addresses[i].host, "127.0.0.1"));
  }
}

static void
test_by_plugin (void)
{
  const MusterKind kind = { .type = MUSTER_KIND_PROTOCOL,
                            .get_type = server_registration_get_type,
                            .protocol = &remote };
  g_autoptr (MusterAccount)
    account = muster_account_new (make_record ("ann@example.org", "proxy.example.net"), &nobody,
                                  NULL);

  g_assert_null (muster_account_get_remote_host (account)); /* no plugin: not known */
  muster_account_set_kind (account, &kind, module);
  g_assert_cmpstr (muster_account_get_remote_host (account), ==, "proxy.example.net");
  g_assert_false (muster_account_is_local (account));

  /* It is asked again when the account was edited. */
  muster_account_take_record (account, make_record ("ann@example.org", "LocalHost"));
  g_assert_cmpstr (muster_account_get_remote_host (account), ==, "localhost");
  g_assert_true (muster_account_is_local (account));

  muster_account_take_record (account, make_record ("ann@example.org", "none"));
  g_assert_null (muster_account_get_remote_host (account));
  g_assert_true (muster_account_is_local (account));

  muster_account_take_record (account, make_record ("ann@example.org", NULL));
  g_assert_cmpstr (muster_account_get_remote_host (account), ==, "example.org");
}

/* How long to wait after a failure, which hangs on the account likewise. */

static const char *set_server; /* what the account sets, if anything */

static GVariant *
on_dup_param (gpointer host, const char *name)
{
  return set_server != NULL ? g_variant_ref_sink (g_variant_new_string (set_server)) : NULL;
}

static void
test_retry_floor (void)
{
  static const struct {
    gboolean by_plugin;
    const char *server;
    guint floor_s;
  } rows[] = {
    { FALSE, NULL, 7 },
    { FALSE, "proxy.example.net", 7 },
    { TRUE, NULL, 7 },
    { TRUE, "proxy.example.net", 60 },
  };
  static const MusterRegistrationHost host = { .dup_param = on_dup_param };
  MusterProtocol protocol = remote;

  protocol.retry_floor_s = 7;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GType type = rows[i].by_plugin ? server_registration_get_type ()
                                   : plain_registration_get_type ();
    g_autoptr (MusterRegistration) registration = NULL;

    set_server = rows[i].server;
    registration = muster_registration_new (type, &protocol, NULL, "aaaaaaaaaaaaa",
                                            "ann@example.org", &host, NULL);
    g_assert_cmpuint (muster_registration_get_retry_floor_s (registration), ==, rows[i].floor_s);
    g_assert_true (muster_registration_has_param (registration, "server") == (set_server != NULL));
  }
}

static void
test_local_protocol (void)
{
  const MusterKind kind = { .type = MUSTER_KIND_PROTOCOL,
                            .get_type = server_registration_get_type,
                            .protocol = &local };
  g_autoptr (MusterAccount)
    account = muster_account_new (make_record ("ann@example.org", "proxy.example.net"), &nobody,
                                  NULL);

  muster_account_set_kind (account, &kind, module);
  g_assert_null (muster_account_get_remote_host (account));
  g_assert_true (muster_account_is_local (account));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  module = muster_module_open ("/nonexistent/muster-test.so");

  g_test_add_func ("/remote-host/by-address", test_by_address);
  g_test_add_func ("/remote-host/by-plugin", test_by_plugin);
  g_test_add_func ("/remote-host/local-protocol", test_local_protocol);
  g_test_add_func ("/remote-host/retry-floor", test_retry_floor);

  status = g_test_run ();
  muster_module_free (module);

  return status;
}
