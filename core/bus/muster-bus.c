/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-dbus-interfaces.h"
#include "muster-names.h"

#include <string.h>

/*
 * Puts everything on the connection: the root as an object, and one subtree a kind of object, which
 * finds the object anew at each call. Dispatches calls by the tables of the other files.
 */

#define ENUMERATE_MAX 200 /* children that tree viewers are shown */

static void
call_method (MusterBus *self,
             const MusterBusMethod *methods,
             gpointer object,
             const char *interface,
             const char *name,
             GVariant *parameters,
             GDBusMethodInvocation *invocation)
{
  for (; methods->name != NULL; methods++) {
    if (g_str_equal (methods->name, name) && g_str_equal (methods->interface, interface)) {
      methods->call (self, object, parameters, invocation);
      return;
    }
  }

  g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD,
                                         "%s has no method %s", interface, name);
}

/* the root */

static void
on_root_call (GDBusConnection *connection,
              const char *sender,
              const char *path,
              const char *interface,
              const char *method,
              GVariant *parameters,
              GDBusMethodInvocation *invocation,
              gpointer user_data)
{
  MusterBus *self = user_data;

  if (g_str_equal (method, "GetManagedObjects"))
    muster_bus_managed_answer (self, invocation);
  else if (g_str_equal (interface, MUSTER_INTERFACE_CONTACTS))
    call_method (self, muster_bus_contacts_methods, NULL, interface, method, parameters,
                 invocation);
  else
    call_method (self, muster_bus_manager_methods, NULL, interface, method, parameters, invocation);
}

static GVariant *
build_counters (MusterBus *self)
{
  const MusterBrokerCounters *counters = muster_broker_get_counters (self->broker);
  GVariantBuilder dict;

  g_variant_builder_init (&dict, G_VARIANT_TYPE ("a{st}"));
  g_variant_builder_add (&dict, "{st}", "accounts",
                         (guint64) muster_bus_count (self, MUSTER_BUS_ACCOUNT));
  g_variant_builder_add (&dict, "{st}", "registered",
                         (guint64) muster_broker_count_registered (self->broker));
  g_variant_builder_add (&dict, "{st}", "proven",
                         (guint64) muster_broker_count_proofs (self->broker,
                                                               MUSTER_PROOF_CLAIMS_PROVEN));
  g_variant_builder_add (&dict, "{st}", "unproven",
                         (guint64) muster_broker_count_proofs (self->broker,
                                                               MUSTER_PROOF_CLAIMS_FAILED));
  g_variant_builder_add (&dict, "{st}", "opened", counters->opened);
  g_variant_builder_add (&dict, "{st}", "refreshed", counters->refreshed);
  g_variant_builder_add (&dict, "{st}", "failed", counters->failed);
  g_variant_builder_add (&dict, "{st}", "lost", counters->lost);

  return g_variant_builder_end (&dict);
}

/* What people should know of the store and of the key, a sentence each. */
static GVariant *
build_notice (MusterBus *self)
{
  const char *store = muster_broker_get_notice (self->broker);
  const char *key = muster_key_source_get_problem (self->key);

  if (*store == '\0' || *key == '\0')
    return g_variant_new_string (*key != '\0' ? key : store);

  return g_variant_new_take_string (g_strdup_printf ("%s; %s", store, key));
}

static GVariant *
build_protection (MusterBus *self)
{
  return g_variant_new_string (
    muster_protection_to_string (muster_key_source_get_protection (self->key)));
}

static GVariant *
build_key_state (MusterBus *self)
{
  return g_variant_new_string (
    muster_key_state_to_string (muster_key_source_get_state (self->key)));
}

void
muster_bus_tell_key (MusterBus *self)
{
  muster_bus_emitter_root_changed (self->emitter, MUSTER_INTERFACE_MANAGER, "Protection",
                                   build_protection (self));
  muster_bus_emitter_root_changed (self->emitter, MUSTER_INTERFACE_MANAGER, "KeyState",
                                   build_key_state (self));
  muster_bus_emitter_root_changed (self->emitter, MUSTER_INTERFACE_MANAGER, "Notice",
                                   build_notice (self));
}

static GVariant *
on_root_get (GDBusConnection *connection,
             const char *sender,
             const char *path,
             const char *interface,
             const char *property,
             GError **error,
             gpointer user_data)
{
  MusterBus *self = user_data;

  if (g_str_equal (property, "Agents"))
    return g_variant_new_uint32 (muster_bus_agents_count (self->agents));
  if (g_str_equal (property, "Handlers"))
    return muster_bus_handlers_build (self);
  if (g_str_equal (property, "Version"))
    return g_variant_new_string (PACKAGE_VERSION);
  if (g_str_equal (property, "Protection"))
    return build_protection (self);
  if (g_str_equal (property, "KeyState"))
    return build_key_state (self);
  if (g_str_equal (property, "Offline"))
    return g_variant_new_strv (muster_broker_get_offline (self->broker), -1);
  if (g_str_equal (property, "Counters"))
    return build_counters (self);
  if (g_str_equal (property, "Notice"))
    return build_notice (self);

  g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_PROPERTY, "%s has no property %s",
               interface, property);
  return NULL;
}

static const GDBusInterfaceVTable root_vtable = { on_root_call, on_root_get, NULL, { NULL } };

static const char object_manager_xml[] =
  "<node><interface name='org.freedesktop.DBus.ObjectManager'>"
  "<method name='GetManagedObjects'><arg type='a{oa{sa{sv}}}' direction='out'/></method>"
  "<signal name='InterfacesAdded'><arg type='o'/><arg type='a{sa{sv}}'/></signal>"
  "<signal name='InterfacesRemoved'><arg type='o'/><arg type='as'/></signal>"
  "</interface></node>";

/* the subtrees */

static MusterBusKind
kind_of_path (const char *path)
{
  for (guint kind = 0; kind < MUSTER_BUS_N_KINDS; kind++) {
    const char *folder = muster_bus_kind_folder ((MusterBusKind) kind);
    gsize n = strlen (folder);

    if (strncmp (path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0'))
      return (MusterBusKind) kind;
  }

  g_return_val_if_reached (MUSTER_BUS_ACCOUNT);
}

static gpointer
object_of_path (MusterBus *self, const char *path)
{
  return muster_bus_lookup_path (self, kind_of_path (path), path);
}

static const MusterBusMethod *
methods_of (const char *interface)
{
  if (g_str_equal (interface, MUSTER_INTERFACE_ACCOUNT))
    return muster_bus_account_methods;
  if (g_str_equal (interface, MUSTER_INTERFACE_REGISTRATION))
    return muster_bus_registration_methods;
  if (g_str_equal (interface, MUSTER_INTERFACE_IDENTITY))
    return muster_bus_identity_methods;
  if (g_str_equal (interface, MUSTER_INTERFACE_PRESENCE))
    return muster_bus_presence_methods;
  if (g_str_equal (interface, MUSTER_INTERFACE_PUBLICATION))
    return muster_bus_publication_methods;
  if (g_str_equal (interface, MUSTER_INTERFACE_REQUEST))
    return muster_bus_request_methods;
  if (g_str_equal (interface, MUSTER_INTERFACE_INCOMING))
    return muster_bus_incoming_methods;
  if (g_str_equal (interface, MUSTER_INTERFACE_PLUGIN))
    return muster_bus_plugin_methods;

  return NULL;
}

static void
on_object_call (GDBusConnection *connection,
                const char *sender,
                const char *path,
                const char *interface,
                const char *method,
                GVariant *parameters,
                GDBusMethodInvocation *invocation,
                gpointer user_data)
{
  MusterBus *self = user_data;
  gpointer object = object_of_path (self, path);
  const MusterBusMethod *methods = methods_of (interface);

  if (object == NULL || methods == NULL)
    g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_NOT_FOUND, "there is no %s", path);
  else
    call_method (self, methods, object, interface, method, parameters, invocation);
}

static GVariant *
on_object_get (GDBusConnection *connection,
               const char *sender,
               const char *path,
               const char *interface,
               const char *property,
               GError **error,
               gpointer user_data)
{
  MusterBus *self = user_data;
  gpointer object = object_of_path (self, path);
  guint n_properties;
  const MusterBusProperty *properties = muster_bus_get_properties (kind_of_path (path),
                                                                   &n_properties);

  for (guint i = 0; object != NULL && i < n_properties; i++) {
    if (g_str_equal (properties[i].name, property) &&
        g_str_equal (properties[i].interface, interface + strlen (MUSTER_INTERFACE_PREFIX))) {
      muster_bus_note_read (self, kind_of_path (path), object, properties[i].interface);
      return g_variant_ref_sink (properties[i].get (self, object)); /* some are lent */
    }
  }

  g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_PROPERTY, "%s has no property %s.%s", path,
               interface, property);
  return NULL;
}

static const GDBusInterfaceVTable object_vtable = { on_object_call, on_object_get, NULL, { NULL } };

static char **
on_enumerate (GDBusConnection *connection, const char *sender, const char *path, gpointer user_data)
{
  MusterBus *self = user_data;
  MusterBusKind kind = kind_of_path (path);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  const char *after = "";
  gpointer object;

  /* It is asked at every introspection of any node: a long list would be built each time. */
  if (muster_bus_count (self, kind) > ENUMERATE_MAX)
    return g_strv_builder_end (names);

  while ((object = muster_bus_next (self, kind, after)) != NULL) {
    g_autofree char *object_path = muster_bus_object_path (kind, object);

    g_strv_builder_add (names, strrchr (object_path, '/') + 1);
    after = muster_bus_object_id (kind, object);
  }

  return g_strv_builder_end (names);
}

static GDBusInterfaceInfo **
on_introspect (GDBusConnection *connection,
               const char *sender,
               const char *path,
               const char *node,
               gpointer user_data)
{
  MusterBus *self = user_data;
  MusterBusKind kind = kind_of_path (path);
  gpointer object = node != NULL ? muster_bus_lookup (self, kind, node) : NULL;
  g_autoptr (GPtrArray) infos = NULL;

  if (object == NULL)
    return NULL;

  infos = g_ptr_array_new ();
  switch (kind) {
  case MUSTER_BUS_ACCOUNT:
    g_ptr_array_add (infos, (gpointer) &org_muster_muster1_account_interface);
    g_ptr_array_add (infos, (gpointer) &org_muster_muster1_registration_interface);
    if (muster_bus_has_interface (kind, object, "Publication"))
      g_ptr_array_add (infos, (gpointer) &org_muster_muster1_publication_interface);
    if (muster_bus_has_interface (kind, object, "Mailbox"))
      g_ptr_array_add (infos, (gpointer) &org_muster_muster1_mailbox_interface);
    break;
  case MUSTER_BUS_IDENTITY:
    g_ptr_array_add (infos, (gpointer) &org_muster_muster1_identity_interface);
    g_ptr_array_add (infos, (gpointer) &org_muster_muster1_presence_interface);
    break;
  case MUSTER_BUS_PROTOCOL:
    g_ptr_array_add (infos, (gpointer) &org_muster_muster1_protocol_interface);
    break;
  case MUSTER_BUS_PLUGIN:
    g_ptr_array_add (infos, (gpointer) &org_muster_muster1_plugin_interface);
    break;
  case MUSTER_BUS_REQUEST:
    g_ptr_array_add (infos, (gpointer) &org_muster_muster1_request_interface);
    break;
  case MUSTER_BUS_INCOMING:
    g_ptr_array_add (infos, (gpointer) &org_muster_muster1_incoming_interface);
    break;
  case MUSTER_BUS_N_KINDS:
    break;
  }
  g_ptr_array_foreach (infos, (GFunc) (void (*) (void)) g_dbus_interface_info_ref, NULL);
  g_ptr_array_add (infos, NULL);

  return (GDBusInterfaceInfo **) g_ptr_array_steal (infos, NULL);
}

static const GDBusInterfaceVTable *
on_dispatch (GDBusConnection *connection,
             const char *sender,
             const char *path,
             const char *interface,
             const char *node,
             gpointer *out_user_data,
             gpointer user_data)
{
  *out_user_data = user_data;
  return &object_vtable;
}

static const GDBusSubtreeVTable subtree_vtable = { on_enumerate,
                                                   on_introspect,
                                                   on_dispatch,
                                                   { NULL } };

/* what the broker tells */

static void
on_account_added (gpointer observer, MusterAccount *account)
{
  muster_bus_emitter_added (((MusterBus *) observer)->emitter, MUSTER_BUS_ACCOUNT, account);
}

static void
on_account_removed (gpointer observer, MusterAccount *account)
{
  muster_bus_emitter_removed (((MusterBus *) observer)->emitter, MUSTER_BUS_ACCOUNT, account);
}

static void
on_account_changed (gpointer observer, MusterAccount *account)
{
  muster_bus_emitter_changed (((MusterBus *) observer)->emitter, MUSTER_BUS_ACCOUNT, account,
                              "Account");
}

static void
on_standing_changed (gpointer observer, MusterAccount *account)
{
  muster_bus_emitter_changed (((MusterBus *) observer)->emitter, MUSTER_BUS_ACCOUNT, account,
                              "Registration");
}

static void
on_proof_changed (gpointer observer, MusterAccount *account)
{
  muster_bus_emitter_changed (((MusterBus *) observer)->emitter, MUSTER_BUS_ACCOUNT, account,
                              "Registration");
}

static void
on_identity_added (gpointer observer, MusterIdentity *identity)
{
  muster_bus_emitter_added (((MusterBus *) observer)->emitter, MUSTER_BUS_IDENTITY, identity);
}

static void
on_identity_removed (gpointer observer, MusterIdentity *identity)
{
  muster_bus_emitter_removed (((MusterBus *) observer)->emitter, MUSTER_BUS_IDENTITY, identity);
}

static void
on_identity_changed (gpointer observer, MusterIdentity *identity)
{
  muster_bus_emitter_changed (((MusterBus *) observer)->emitter, MUSTER_BUS_IDENTITY, identity,
                              "Identity");
}

static void
on_presence_changed (gpointer observer, MusterIdentity *identity)
{
  muster_bus_emitter_changed (((MusterBus *) observer)->emitter, MUSTER_BUS_IDENTITY, identity,
                              "Presence");
}

static void
on_publication_changed (gpointer observer, MusterAccount *account)
{
  muster_bus_emitter_changed (((MusterBus *) observer)->emitter, MUSTER_BUS_ACCOUNT, account,
                              "Publication");
}

static void
on_capabilities_changed (gpointer observer, MusterAccount *account)
{
  muster_bus_emitter_capable (((MusterBus *) observer)->emitter, MUSTER_BUS_ACCOUNT, account);
}

static void
on_request_added (gpointer observer, MusterRequest *request)
{
  MusterBus *self = observer;

  muster_bus_emitter_added (self->emitter, MUSTER_BUS_REQUEST, request);
  muster_bus_agents_request_added (self->agents, request);
}

static void
on_request_removed (gpointer observer, MusterRequest *request)
{
  MusterBus *self = observer;

  muster_bus_agents_request_removed (self->agents, request);
  muster_bus_emitter_removed (self->emitter, MUSTER_BUS_REQUEST, request);
}

static void
on_offer_added (gpointer observer, MusterIncomingOffer *offer)
{
  muster_bus_emitter_added (((MusterBus *) observer)->emitter, MUSTER_BUS_INCOMING, offer);
}

static void
on_offer_changed (gpointer observer, MusterIncomingOffer *offer)
{
  muster_bus_emitter_changed (((MusterBus *) observer)->emitter, MUSTER_BUS_INCOMING, offer,
                              "Incoming");
}

static void
on_offer_removed (gpointer observer, MusterIncomingOffer *offer)
{
  muster_bus_emitter_removed (((MusterBus *) observer)->emitter, MUSTER_BUS_INCOMING, offer);
}

static void
on_handlers_changed (gpointer observer)
{
  MusterBus *self = observer;

  muster_bus_emitter_root_changed (self->emitter, MUSTER_INTERFACE_HANDLER_MANAGER, "Handlers",
                                   muster_bus_handlers_build (self));
}

static void
on_mailbox_changed (gpointer observer, MusterAccount *account)
{
  muster_bus_emitter_changed (((MusterBus *) observer)->emitter, MUSTER_BUS_ACCOUNT, account,
                              "Mailbox");
}

static void
on_offline_changed (gpointer observer)
{
  MusterBus *self = observer;

  muster_bus_emitter_root_changed (self->emitter, MUSTER_INTERFACE_MANAGER, "Offline",
                                   g_variant_new_strv (muster_broker_get_offline (self->broker),
                                                       -1));
}

static void
on_plugin_changed (gpointer observer, MusterModule *module)
{
  muster_bus_emitter_changed (((MusterBus *) observer)->emitter, MUSTER_BUS_PLUGIN, module,
                              "Plugin");
}

static void
on_protocol_added (gpointer observer, const MusterKind *kind)
{
  muster_bus_emitter_added (((MusterBus *) observer)->emitter, MUSTER_BUS_PROTOCOL,
                            (gpointer) kind);
}

static void
on_contact_changed (gpointer observer, MusterRosterPerson *person)
{
  muster_bus_emitter_contact (((MusterBus *) observer)->emitter, person);
}

static const MusterBrokerObserver broker_observer = {
  .account_added = on_account_added,
  .account_removed = on_account_removed,
  .account_changed = on_account_changed,
  .standing_changed = on_standing_changed,
  .proof_changed = on_proof_changed,
  .identity_added = on_identity_added,
  .identity_removed = on_identity_removed,
  .identity_changed = on_identity_changed,
  .presence_changed = on_presence_changed,
  .publication_changed = on_publication_changed,
  .capabilities_changed = on_capabilities_changed,
  .request_added = on_request_added,
  .request_removed = on_request_removed,
  .offer_added = on_offer_added,
  .offer_changed = on_offer_changed,
  .offer_removed = on_offer_removed,
  .handlers_changed = on_handlers_changed,
  .mailbox_changed = on_mailbox_changed,
  .offline_changed = on_offline_changed,
  .plugin_changed = on_plugin_changed,
  .protocol_added = on_protocol_added,
  .contact_changed = on_contact_changed,
};

static void
on_event (gint64 time_us,
          const char *type,
          const char *account,
          GVariant *payload,
          gpointer user_data)
{
  MusterBus *self = user_data;
  g_autofree char *path = *account != '\0' ? g_strconcat (MUSTER_PATH_ACCOUNTS, "/", account, NULL)
                                           : g_strdup ("/");
  GVariant *event[] = { g_variant_new_uint64 ((guint64) time_us), g_variant_new_string (type),
                        g_variant_new_object_path (path), payload };

  muster_bus_emitter_event (self->emitter, g_variant_new_tuple (event, G_N_ELEMENTS (event)));
}

/* life */

static void
on_name_acquired (GDBusConnection *connection, const char *name, gpointer user_data)
{
  MusterBus *self = user_data;

  self->on_name (TRUE, self->on_name_data);
}

static void
on_name_lost (GDBusConnection *connection, const char *name, gpointer user_data)
{
  MusterBus *self = user_data;

  self->on_name (FALSE, self->on_name_data);
}

void
muster_bus_own_name (MusterBus *self)
{
  g_return_if_fail (self->name_id == 0);

  muster_bus_emitter_begin (self->emitter);
  self->name_id = g_bus_own_name_on_connection (self->connection, MUSTER_BUS_NAME,
                                                G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                                                on_name_acquired, on_name_lost, self, NULL);
}

static void
muster_bus_register_root (MusterBus *self, GDBusInterfaceInfo *info)
{
  g_autoptr (GError) error = NULL;
  guint id;

  id = g_dbus_connection_register_object (self->connection, MUSTER_PATH, info, &root_vtable, self,
                                          NULL, &error);
  if (id == 0)
    g_critical ("%s cannot be registered: %s", info->name, error->message);
  self->object_ids[self->n_objects++] = id;
}

MusterBus *
muster_bus_new (GDBusConnection *connection,
                MusterBroker *broker,
                MusterEventBus *events,
                MusterKeySource *key,
                void (*on_name) (gboolean owned, gpointer data),
                gpointer data)
{
  MusterBus *self = g_new0 (MusterBus, 1);
  g_autoptr (GDBusNodeInfo) object_manager = NULL;

  self->connection = g_object_ref (connection);
  self->broker = broker;
  self->events = events;
  self->key = key;
  self->on_name = on_name;
  self->on_name_data = data;
  self->managed = muster_bus_managed_new (self);
  self->emitter = muster_bus_emitter_new (self);
  self->agents = muster_bus_agents_new (self);
  self->debug = muster_bus_debug_new (self);
  self->layers = muster_bus_layers_new (self);
  self->handlers = muster_bus_handlers_new (self);

  object_manager = g_dbus_node_info_new_for_xml (object_manager_xml, NULL);
  muster_bus_register_root (self, object_manager->interfaces[0]);
  muster_bus_register_root (self, (GDBusInterfaceInfo *) &org_muster_muster1_manager_interface);
  muster_bus_register_root (self,
                            (GDBusInterfaceInfo *) &org_muster_muster1_agent_manager_interface);
  muster_bus_register_root (self,
                            (GDBusInterfaceInfo *) &org_muster_muster1_handler_manager_interface);
  muster_bus_register_root (self, (GDBusInterfaceInfo *) &org_muster_muster1_debug_interface);
  muster_bus_register_root (self, (GDBusInterfaceInfo *) &org_muster_muster1_metrics_interface);
  muster_bus_register_root (self, (GDBusInterfaceInfo *) &org_muster_muster1_contacts_interface);
  for (guint kind = 0; kind < MUSTER_BUS_N_KINDS; kind++)
    self->subtree_ids[kind] = g_dbus_connection_register_subtree (
      connection, muster_bus_kind_folder ((MusterBusKind) kind), &subtree_vtable,
      G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES, self, NULL, NULL);

  muster_broker_set_observer (broker, &broker_observer, self);
  self->subscription = muster_event_bus_subscribe (events, on_event, self);

  return self;
}

void
muster_bus_free (MusterBus *self)
{
  if (self == NULL)
    return;

  muster_event_bus_unsubscribe (self->events, self->subscription);
  muster_broker_set_observer (self->broker, NULL, NULL);
  muster_bus_emitter_finish (self->emitter);
  g_clear_handle_id (&self->name_id, g_bus_unown_name);
  for (guint i = 0; i < self->n_objects; i++)
    g_dbus_connection_unregister_object (self->connection, self->object_ids[i]);
  for (guint kind = 0; kind < MUSTER_BUS_N_KINDS; kind++)
    g_dbus_connection_unregister_subtree (self->connection, self->subtree_ids[kind]);
  muster_bus_layers_free (self->layers);
  muster_bus_debug_free (self->debug);
  muster_bus_handlers_free (self->handlers);
  muster_bus_agents_free (self->agents);
  muster_bus_emitter_free (self->emitter);
  muster_bus_managed_free (self->managed);
  g_object_unref (self->connection);
  g_free (self);
}
