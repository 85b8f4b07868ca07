/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

#include <muster/muster-publisher.h>

#include <string.h>

/*
 * Every property of every object in one table: GetAll, GetManagedObjects, Manager.List and the change
 * signals all read it. An object costs no memory here. The rows of plugins and protocols come from
 * muster-bus-plugin-properties.c, those of presence from muster-bus-presence.c.
 */

/* helpers */

GVariant *
muster_bus_string (const char *text)
{
  return g_variant_new_string (text != NULL ? text : "");
}

GVariant *
muster_bus_utc (gint64 us)
{
  return g_variant_new_uint64 (us > 0 ? (guint64) us : 0);
}

GVariant *
muster_bus_path (const char *folder, const char *id)
{
  g_autofree char *full = g_strconcat (folder, "/", id, NULL);

  return g_variant_new_object_path (full);
}

/* Names of plugins and protocols may hold "-", paths may not. */
static char *
escape_id (const char *id)
{
  return g_strdelimit (g_strdup (id), "-", '_');
}

/* org.muster.Muster1.Account */

#define RECORD(object) (muster_account_get_record (object))

static GVariant *
account_id (MusterBus *bus, gpointer object)
{
  return muster_bus_string (RECORD (object)->id);
}

static GVariant *
account_protocol (MusterBus *bus, gpointer object)
{
  return muster_bus_string (RECORD (object)->protocol);
}

static GVariant *
account_address (MusterBus *bus, gpointer object)
{
  return muster_bus_string (RECORD (object)->address);
}

static GVariant *
account_name (MusterBus *bus, gpointer object)
{
  return muster_bus_string (RECORD (object)->name);
}

static GVariant *
account_enabled (MusterBus *bus, gpointer object)
{
  return g_variant_new_boolean (RECORD (object)->enabled);
}

static GVariant *
account_identity (MusterBus *bus, gpointer object)
{
  return muster_bus_path (MUSTER_PATH_IDENTITIES, RECORD (object)->identity);
}

static GVariant *
account_parameters (MusterBus *bus, gpointer object)
{
  return RECORD (object)->params;
}

static GVariant *
account_secrets (MusterBus *bus, gpointer object)
{
  return g_variant_new_strv (muster_account_get_secrets (object), -1);
}

static GVariant *
account_created (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (RECORD (object)->created_us);
}

static GVariant *
account_modified (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (RECORD (object)->modified_us);
}

/* org.muster.Muster1.Registration */

#define VIEW(object) (muster_standing_get_view (muster_account_get_standing (object)))

static GVariant *
registration_state (MusterBus *bus, gpointer object)
{
  return muster_bus_string (muster_account_state_to_string (VIEW (object)->state));
}

static GVariant *
registration_reason (MusterBus *bus, gpointer object)
{
  return muster_bus_string (VIEW (object)->reason);
}

static GVariant *
registration_since (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (VIEW (object)->since_us);
}

static GVariant *
registration_attempt (MusterBus *bus, gpointer object)
{
  return g_variant_new_uint32 (VIEW (object)->attempt);
}

static GVariant *
registration_next_attempt_at (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (VIEW (object)->next_attempt_at_us);
}

static GVariant *
registration_registered_at (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (VIEW (object)->registered_at_us);
}

static GVariant *
registration_expires_at (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (VIEW (object)->expires_at_us);
}

static GVariant *
registration_refresh_at (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (VIEW (object)->refresh_at_us);
}

static GVariant *
registration_bindings (MusterBus *bus, gpointer object)
{
  return g_variant_new_strv ((const char *const *) VIEW (object)->bindings, -1);
}

static GVariant *
registration_refreshes (MusterBus *bus, gpointer object)
{
  return g_variant_new_uint64 (VIEW (object)->n_refreshes);
}

static GVariant *
registration_error (MusterBus *bus, gpointer object)
{
  const GError *error = VIEW (object)->error;
  g_autofree char *name = error != NULL ? muster_broker_error_dup_name (error->code) : NULL;

  return muster_bus_string (name);
}

static GVariant *
registration_error_details (MusterBus *bus, gpointer object)
{
  const MusterStandingView *view = VIEW (object);
  GVariantBuilder details;

  g_variant_builder_init (&details, G_VARIANT_TYPE_VARDICT);
  if (view->error != NULL) {
    muster_bus_describe_error (&details, view->error);
    g_variant_builder_add (&details, "{sv}", "time", muster_bus_utc (view->error_at_us));
  }

  return g_variant_builder_end (&details);
}

#define PROOF(bus, object) (muster_broker_get_proof ((bus)->broker, object))

static GVariant *
registration_verification (MusterBus *bus, gpointer object)
{
  return muster_bus_string (muster_proof_claim_to_string (PROOF (bus, object)->claim));
}

static GVariant *
registration_verified_at (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (PROOF (bus, object)->proven_at_us);
}

static GVariant *
registration_verification_evidence (MusterBus *bus, gpointer object)
{
  return muster_bus_string (PROOF (bus, object)->evidence);
}

static GVariant *
registration_next_verification_at (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (PROOF (bus, object)->next_at_us);
}

/* Where a change of the property shows in the view. What moves with each refresh or verification is not among
 * them: it is annotated so, and told by events. */
#define SEEN_IN(field) offsetof (MusterBusView, field), sizeof (((MusterBusView *) NULL)->field)

static const MusterBusProperty account_properties[] = {
  { "Account", "Id", account_id },
  { "Account", "Protocol", account_protocol },
  { "Account", "Address", account_address },
  { "Account", "Name", account_name },
  { "Account", "Enabled", account_enabled },
  { "Account", "Identity", account_identity },
  { "Account", "Parameters", account_parameters },
  { "Account", "Secrets", account_secrets },
  { "Account", "Created", account_created },
  { "Account", "Modified", account_modified },
  { "Registration", "State", registration_state, SEEN_IN (standing.state) },
  { "Registration", "Reason", registration_reason, SEEN_IN (standing.reason) },
  { "Registration", "Since", registration_since },
  { "Registration", "Attempt", registration_attempt, SEEN_IN (standing.attempt) },
  { "Registration", "NextAttemptAt", registration_next_attempt_at,
    SEEN_IN (standing.next_attempt_at_us) },
  { "Registration", "RegisteredAt", registration_registered_at,
    SEEN_IN (standing.registered_at_us) },
  { "Registration", "ExpiresAt", registration_expires_at },
  { "Registration", "RefreshAt", registration_refresh_at },
  { "Registration", "Bindings", registration_bindings, SEEN_IN (standing.bindings_serial) },
  { "Registration", "Refreshes", registration_refreshes },
  { "Registration", "Error", registration_error, SEEN_IN (standing.error_at_us) },
  { "Registration", "ErrorDetails", registration_error_details, SEEN_IN (standing.error_at_us) },
  { "Registration", "Verification", registration_verification, SEEN_IN (proof.claim) },
  { "Registration", "VerifiedAt", registration_verified_at, SEEN_IN (proof.proven_at_us) },
  { "Registration", "VerificationEvidence", registration_verification_evidence,
    SEEN_IN (proof.evidence_serial) },
  { "Registration", "NextVerificationAt", registration_next_verification_at },
  { NULL },
};

/* org.muster.Muster1.Identity */

static GVariant *
identity_id (MusterBus *bus, gpointer object)
{
  return muster_bus_string (((MusterIdentity *) object)->record->id);
}

static GVariant *
identity_name (MusterBus *bus, gpointer object)
{
  return muster_bus_string (((MusterIdentity *) object)->record->name);
}

static GVariant *
identity_created (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (((MusterIdentity *) object)->record->created_us);
}

static GVariant *
identity_modified (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (((MusterIdentity *) object)->record->modified_us);
}

static GVariant *
identity_accounts (MusterBus *bus, gpointer object)
{
  return g_variant_new_uint32 (((MusterIdentity *) object)->n_accounts);
}

static GVariant *
identity_registered (MusterBus *bus, gpointer object)
{
  return g_variant_new_uint32 (((MusterIdentity *) object)->n_registered);
}

static const MusterBusProperty identity_properties[] = {
  { "Identity", "Id", identity_id },
  { "Identity", "Name", identity_name },
  { "Identity", "Created", identity_created },
  { "Identity", "Modified", identity_modified },
  { "Identity", "Accounts", identity_accounts },
  { "Identity", "Registered", identity_registered },
  { NULL },
};

/* by kind */

#define PROPERTIES_MAX 64
#define INTERFACES_MAX 8
#define TABLES_MAX     4

/* Those that a change of the standing is told of are the first, and the bits of a mask. */
G_STATIC_ASSERT (G_N_ELEMENTS (account_properties) - 1 <= 32);

static const struct {
  const char *name;
  const char *folder;
  const MusterBusProperty *tables[TABLES_MAX]; /* each ends with a NULL name */
} kinds[MUSTER_BUS_N_KINDS] = {
  [MUSTER_BUS_ACCOUNT] = { "account",
                           MUSTER_PATH_ACCOUNTS,
                           { account_properties, muster_bus_publication_properties,
                             muster_bus_mailbox_properties } },
  [MUSTER_BUS_IDENTITY] = { "identity",
                            MUSTER_PATH_IDENTITIES,
                            { identity_properties, muster_bus_presence_properties } },
  [MUSTER_BUS_PROTOCOL] = { "protocol", MUSTER_PATH_PROTOCOLS, { muster_bus_protocol_properties } },
  [MUSTER_BUS_PLUGIN] = { "plugin", MUSTER_PATH_PLUGINS, { muster_bus_plugin_properties } },
  [MUSTER_BUS_REQUEST] = { "request", MUSTER_PATH_REQUESTS, { muster_bus_request_properties } },
  [MUSTER_BUS_INCOMING] = { "incoming", MUSTER_PATH_INCOMING, { muster_bus_incoming_properties } },
};

/* Interfaces that only those accounts have whose protocol has the capability. */
static const struct {
  const char *interface;
  GType (*get_capability) (void);
} capabilities[] = {
  { "Publication", muster_publisher_get_type },
  { "Mailbox", muster_incoming_get_type },
};

/* The tables of one kind, one behind the other; made once. */
typedef struct {
  MusterBusProperty properties[PROPERTIES_MAX + 1];
  guint n_properties;
  const char *interfaces[INTERFACES_MAX + 1];
} KindTable;

static void
fill_table (KindTable *table, const MusterBusProperty *const *tables)
{
  guint n_interfaces = 0;

  for (guint i = 0; i < TABLES_MAX && tables[i] != NULL; i++) {
    for (const MusterBusProperty *row = tables[i]; row->name != NULL; row++) {
      g_assert (table->n_properties < PROPERTIES_MAX);
      table->properties[table->n_properties++] = *row;
      if (n_interfaces > 0 && g_str_equal (table->interfaces[n_interfaces - 1], row->interface))
        continue;
      g_assert (n_interfaces < INTERFACES_MAX);
      table->interfaces[n_interfaces++] = row->interface;
    }
  }
}

static const KindTable *
table_of (MusterBusKind kind)
{
  static KindTable made[MUSTER_BUS_N_KINDS];

  if (made[kind].n_properties == 0)
    fill_table (&made[kind], kinds[kind].tables);

  return &made[kind];
}

const MusterBusProperty *
muster_bus_get_properties (MusterBusKind kind, guint *n_properties)
{
  const KindTable *table = table_of (kind);

  *n_properties = table->n_properties;
  return table->properties;
}

const char *const *
muster_bus_get_interfaces (MusterBusKind kind)
{
  return table_of (kind)->interfaces;
}

static GType
capability_of (MusterBusKind kind, const char *interface)
{
  for (guint i = 0; kind == MUSTER_BUS_ACCOUNT && i < G_N_ELEMENTS (capabilities); i++) {
    if (g_str_equal (interface, capabilities[i].interface))
      return capabilities[i].get_capability ();
  }

  return G_TYPE_INVALID;
}

gboolean
muster_bus_is_optional (MusterBusKind kind, const char *interface)
{
  return capability_of (kind, interface) != G_TYPE_INVALID;
}

gboolean
muster_bus_has_interface (MusterBusKind kind, gpointer object, const char *interface)
{
  GType capability = capability_of (kind, interface);

  return capability == G_TYPE_INVALID || muster_account_can (object, capability);
}

const char *
muster_bus_kind_folder (MusterBusKind kind)
{
  return kinds[kind].folder;
}

gboolean
muster_bus_kind_from_string (const char *text, MusterBusKind *kind)
{
  for (guint i = 0; i < MUSTER_BUS_N_KINDS; i++) {
    if (g_str_equal (kinds[i].name, text)) {
      *kind = (MusterBusKind) i;
      return TRUE;
    }
  }

  return FALSE;
}

const char *
muster_bus_object_id (MusterBusKind kind, gpointer object)
{
  switch (kind) {
  case MUSTER_BUS_ACCOUNT:
    return muster_account_get_id (object);
  case MUSTER_BUS_IDENTITY:
    return ((MusterIdentity *) object)->record->id;
  case MUSTER_BUS_PROTOCOL:
    return ((const MusterKind *) object)->protocol->id;
  case MUSTER_BUS_PLUGIN:
    return muster_module_get_name (object);
  case MUSTER_BUS_REQUEST:
    return ((MusterRequest *) object)->id;
  case MUSTER_BUS_INCOMING:
    return ((MusterIncomingOffer *) object)->id;
  case MUSTER_BUS_N_KINDS:
    break;
  }

  g_return_val_if_reached (NULL);
}

char *
muster_bus_object_path (MusterBusKind kind, gpointer object)
{
  g_autofree char *id = escape_id (muster_bus_object_id (kind, object));

  return g_strconcat (kinds[kind].folder, "/", id, NULL);
}

/* Plugins and protocols are few: counted through. */
static gpointer
nth_protocol (MusterBus *self, guint n)
{
  GPtrArray *modules = muster_plugin_registry_get_modules (
    muster_broker_get_registry (self->broker));

  for (guint i = 0; i < modules->len; i++) {
    const MusterPluginInfo *info = muster_module_get_info (modules->pdata[i]);

    for (guint j = 0; info != NULL && info->kinds[j] != NULL; j++) {
      if (info->kinds[j]->type == MUSTER_KIND_PROTOCOL && n-- == 0)
        return (gpointer) info->kinds[j];
    }
  }

  return NULL;
}

static gpointer
nth_plugin (MusterBus *self, guint n)
{
  GPtrArray *modules = muster_plugin_registry_get_modules (
    muster_broker_get_registry (self->broker));

  return n < modules->len ? modules->pdata[n] : NULL;
}

static gpointer
nth (MusterBus *self, MusterBusKind kind, guint n)
{
  return kind == MUSTER_BUS_PROTOCOL ? nth_protocol (self, n) : nth_plugin (self, n);
}

gpointer
muster_bus_lookup (MusterBus *self, MusterBusKind kind, const char *id)
{
  gpointer object;

  switch (kind) {
  case MUSTER_BUS_ACCOUNT:
    return muster_broker_get_account (self->broker, id);
  case MUSTER_BUS_IDENTITY:
    return muster_broker_get_identity (self->broker, id);
  case MUSTER_BUS_REQUEST:
    return muster_broker_get_request (self->broker, id);
  case MUSTER_BUS_INCOMING:
    return muster_broker_get_offer (self->broker, id);
  case MUSTER_BUS_PROTOCOL:
  case MUSTER_BUS_PLUGIN:
    for (guint i = 0; (object = nth (self, kind, i)) != NULL; i++) {
      g_autofree char *escaped = escape_id (muster_bus_object_id (kind, object));

      if (g_str_equal (escaped, id))
        return object;
    }
    return NULL;
  case MUSTER_BUS_N_KINDS:
    break;
  }

  g_return_val_if_reached (NULL);
}

gpointer
muster_bus_lookup_path (MusterBus *self, MusterBusKind kind, const char *object_path)
{
  gsize n = strlen (kinds[kind].folder);

  if (strncmp (object_path, kinds[kind].folder, n) != 0 || object_path[n] != '/')
    return NULL;

  return muster_bus_lookup (self, kind, object_path + n + 1);
}

guint
muster_bus_count (MusterBus *self, MusterBusKind kind)
{
  guint n = 0;

  switch (kind) {
  case MUSTER_BUS_ACCOUNT:
    return (guint) g_sequence_get_length (muster_broker_get_accounts (self->broker));
  case MUSTER_BUS_IDENTITY:
    return (guint) g_sequence_get_length (muster_broker_get_identities (self->broker));
  case MUSTER_BUS_REQUEST:
    return (guint) g_sequence_get_length (muster_broker_get_requests (self->broker));
  case MUSTER_BUS_INCOMING:
    return (guint) g_sequence_get_length (muster_broker_get_offers (self->broker));
  case MUSTER_BUS_PROTOCOL:
  case MUSTER_BUS_PLUGIN:
    while (nth (self, kind, n) != NULL)
      n++;
    return n;
  case MUSTER_BUS_N_KINDS:
    break;
  }

  g_return_val_if_reached (0);
}

static gpointer
sequence_get (GSequenceIter *iter)
{
  return g_sequence_iter_is_end (iter) ? NULL : g_sequence_get (iter);
}

gpointer
muster_bus_next (MusterBus *self, MusterBusKind kind, const char *after_id)
{
  gpointer object;
  guint i = 0;

  switch (kind) {
  case MUSTER_BUS_ACCOUNT:
    return sequence_get (muster_broker_seek_account (self->broker, after_id));
  case MUSTER_BUS_IDENTITY:
    return sequence_get (muster_broker_seek_identity (self->broker, after_id));
  case MUSTER_BUS_REQUEST:
    return sequence_get (muster_broker_seek_request (self->broker, after_id));
  case MUSTER_BUS_INCOMING:
    return sequence_get (muster_broker_seek_offer (self->broker, after_id));
  case MUSTER_BUS_PROTOCOL:
  case MUSTER_BUS_PLUGIN:
    if (*after_id == '\0')
      return nth (self, kind, 0);
    while ((object = nth (self, kind, i)) != NULL) {
      i++;
      if (g_str_equal (muster_bus_object_id (kind, object), after_id))
        return nth (self, kind, i);
    }
    return NULL;
  case MUSTER_BUS_N_KINDS:
    break;
  }

  g_return_val_if_reached (NULL);
}

/* building */

void
muster_bus_view_account (MusterBus *self, MusterAccount *account, MusterBusView *view)
{
  view->standing = *muster_standing_get_view (muster_account_get_standing (account));
  view->proof = *muster_broker_get_proof (self->broker, account);
}

guint32
muster_bus_compare_views (const MusterBusView *now, const MusterBusView *before, gboolean all)
{
  guint32 changed = 0;

  for (guint i = 0; account_properties[i].name != NULL; i++) {
    const MusterBusProperty *property = &account_properties[i];

    if (property->size != 0 &&
        (all || memcmp ((const char *) now + property->offset,
                        (const char *) before + property->offset, property->size) != 0))
      changed |= 1u << i;
  }

  return changed;
}

/* Returns (transfer none): made once, they are in every signal. */
static GVariant *
property_name (MusterBusKind kind, guint i)
{
  static GVariant *names[MUSTER_BUS_N_KINDS][PROPERTIES_MAX];

  if (names[kind][i] == NULL)
    names[kind][i] = g_variant_ref_sink (
      g_variant_new_string (table_of (kind)->properties[i].name));
  return names[kind][i];
}

void
muster_bus_note_read (MusterBus *self, MusterBusKind kind, gpointer object, const char *interface)
{
  if (kind == MUSTER_BUS_ACCOUNT && g_str_equal (interface, "Registration"))
    muster_bus_emitter_was_read (self->emitter, object);
}

/* Without a GVariantBuilder and format strings, which would be most of the cost: this is done for each
 * change of each account. */
static GVariant *
build (MusterBus *self, MusterBusKind kind, gpointer object, const char *name, guint32 wanted)
{
  const MusterBusProperty *properties = table_of (kind)->properties;
  GVariant *values[PROPERTIES_MAX];
  guint n_values = 0;

  muster_bus_note_read (self, kind, object, name);
  for (guint i = 0; properties[i].name != NULL; i++) {
    const MusterBusProperty *property = &properties[i];

    if ((i >= 32 || (wanted & (1u << i)) != 0) && g_str_equal (property->interface, name))
      values[n_values++] = g_variant_new_dict_entry (property_name (kind, i),
                                                     g_variant_new_variant (
                                                       property->get (self, object)));
  }

  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), values, n_values);
}

GVariant *
muster_bus_build_interface (MusterBus *self, MusterBusKind kind, gpointer object, const char *name)
{
  return build (self, kind, object, name, G_MAXUINT32);
}

GVariant *
muster_bus_build_registration (MusterBus *self, MusterAccount *account, guint32 changed)
{
  return build (self, MUSTER_BUS_ACCOUNT, account, "Registration", changed);
}

char **
muster_bus_dup_interface_names (MusterBusKind kind, gpointer object)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (const char *const *name = muster_bus_get_interfaces (kind); *name != NULL; name++) {
    g_autofree char *full = g_strconcat (MUSTER_INTERFACE_PREFIX, *name, NULL);

    if (muster_bus_has_interface (kind, object, *name))
      g_strv_builder_add (names, full);
  }

  return g_strv_builder_end (names);
}

static GVariant *
build_interfaces (MusterBus *self, MusterBusKind kind, gpointer object, gboolean optional_only)
{
  GVariantBuilder interfaces;

  g_variant_builder_init (&interfaces, G_VARIANT_TYPE ("a{sa{sv}}"));
  for (const char *const *name = muster_bus_get_interfaces (kind); *name != NULL; name++) {
    g_autofree char *full = g_strconcat (MUSTER_INTERFACE_PREFIX, *name, NULL);

    if (muster_bus_has_interface (kind, object, *name) &&
        (!optional_only || muster_bus_is_optional (kind, *name)))
      g_variant_builder_add (&interfaces, "{s@a{sv}}", full,
                             muster_bus_build_interface (self, kind, object, *name));
  }

  return g_variant_builder_end (&interfaces);
}

GVariant *
muster_bus_build_interfaces (MusterBus *self, MusterBusKind kind, gpointer object)
{
  return build_interfaces (self, kind, object, FALSE);
}

GVariant *
muster_bus_build_optional (MusterBus *self, MusterBusKind kind, gpointer object)
{
  return build_interfaces (self, kind, object, TRUE);
}
