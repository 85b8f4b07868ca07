/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For muster-bus*.c alone. */

#pragma once

#include "muster-bus.h"

G_BEGIN_DECLS

/**
 * MusterBusKind:
 *
 * What stands on the bus besides the root.
 */
typedef enum {
  MUSTER_BUS_ACCOUNT,
  MUSTER_BUS_IDENTITY,
  MUSTER_BUS_PROTOCOL,
  MUSTER_BUS_PLUGIN,
  MUSTER_BUS_REQUEST,
  MUSTER_BUS_INCOMING,
  MUSTER_BUS_N_KINDS
} MusterBusKind;

typedef struct _MusterBusBatch MusterBusBatch;
typedef struct _MusterBusEmitter MusterBusEmitter;
typedef struct _MusterBusAgents MusterBusAgents;
typedef struct _MusterBusDebug MusterBusDebug;
typedef struct _MusterBusLayers MusterBusLayers;
typedef struct _MusterBusHandlers MusterBusHandlers;

struct _MusterBus {
  GDBusConnection *connection;
  MusterBroker *broker;
  MusterEventBus *events;
  MusterBusEmitter *emitter;
  MusterBusAgents *agents;
  MusterBusDebug *debug;
  MusterBusLayers *layers;
  MusterBusHandlers *handlers;
  MusterKeySource *key;
  guint name_id;
  guint object_ids[8];
  guint n_objects;
  guint subtree_ids[MUSTER_BUS_N_KINDS];
  guint subscription;
  guint filter_id;
  gpointer managed; /* muster-bus-managed.c */
  void (*on_name) (gboolean owned, gpointer data);
  gpointer on_name_data;
};

/* muster-bus-objects.c: what is, as values */
typedef GVariant *(*MusterBusGet) (MusterBus *bus, gpointer object);

typedef struct {
  const char *interface; /* without org.muster.Muster1. */
  const char *name;
  MusterBusGet get;
  gsize offset; /* in MusterBusView; size 0: not there */
  gsize size;
} MusterBusProperty;

/* (transfer floating): "" for %NULL, which the bus does not have */
GVariant *muster_bus_string (const char *text);
GVariant *muster_bus_utc (gint64 us); /* never: 0 */
GVariant *muster_bus_path (const char *folder, const char *id);
const MusterBusProperty *muster_bus_get_properties (MusterBusKind kind, guint *n_properties);
const char *muster_bus_kind_folder (MusterBusKind kind);
gboolean muster_bus_kind_from_string (const char *text, MusterBusKind *kind);
const char *muster_bus_object_id (MusterBusKind kind, gpointer object);
char *muster_bus_object_path (MusterBusKind kind, gpointer object);
gpointer muster_bus_lookup (MusterBus *self, MusterBusKind kind, const char *id);
gpointer muster_bus_lookup_path (MusterBus *self, MusterBusKind kind, const char *path);
guint muster_bus_count (MusterBus *self, MusterBusKind kind);
/* The first object behind @after_id ("" for the first of all); %NULL at the end */
gpointer muster_bus_next (MusterBus *self, MusterBusKind kind, const char *after_id);
/* (transfer floating): a{sv} of one interface, a{sa{sv}} of all */
GVariant *
muster_bus_build_interface (MusterBus *self, MusterBusKind kind, gpointer object, const char *name);
/* Everything that org.muster.Muster1.Registration says; what it points to may go at any time. */
typedef struct {
  MusterStandingView standing;
  MusterProofView proof;
} MusterBusView;

void muster_bus_view_account (MusterBus *self, MusterAccount *account, MusterBusView *view);
/* What to tell of it, as a mask for the next one, which builds its a{sv}: what changed, or @all; 0 if
 * nothing did that is worth telling */
guint32
muster_bus_compare_views (const MusterBusView *now, const MusterBusView *before, gboolean all);
GVariant *muster_bus_build_registration (MusterBus *self, MusterAccount *account, guint32 changed);
/* Whoever builds from the table without these says so: what was read is not left to stand. */
void
muster_bus_note_read (MusterBus *self, MusterBusKind kind, gpointer object, const char *interface);
GVariant *muster_bus_build_interfaces (MusterBus *self, MusterBusKind kind, gpointer object);
/* Only those that the object need not have. */
GVariant *muster_bus_build_optional (MusterBus *self, MusterBusKind kind, gpointer object);
/* (transfer none): without org.muster.Muster1., all that objects of the kind can have; NULL-terminated */
const char *const *muster_bus_get_interfaces (MusterBusKind kind);
/* Some are there exactly when the account's protocol has the capability. */
gboolean muster_bus_has_interface (MusterBusKind kind, gpointer object, const char *interface);
gboolean muster_bus_is_optional (MusterBusKind kind, const char *interface);
/* (transfer full): with org.muster.Muster1., those that @object has */
char **muster_bus_dup_interface_names (MusterBusKind kind, gpointer object);

/* muster-bus-batch.c: signals that the connection's worker encodes */
MusterBusBatch *muster_bus_batch_new (GDBusConnection *connection);
void muster_bus_batch_free (MusterBusBatch *self);
void muster_bus_batch_add (MusterBusBatch *self,
                           const char *path,
                           const char *interface,
                           const char *name,
                           GVariant *parameters);
void muster_bus_batch_release (MusterBusBatch *self);
void muster_bus_batch_drop (MusterBusBatch *self); /* the connection is gone */

/* muster-bus-plugin-properties.c: the rows of two kinds, NULL-terminated */
extern const MusterBusProperty muster_bus_protocol_properties[]; /* object: MusterKind */
extern const MusterBusProperty muster_bus_plugin_properties[];   /* object: MusterModule */

/* muster-bus-presence.c: rows of identities and accounts, as above */
extern const MusterBusProperty muster_bus_presence_properties[];    /* object: MusterIdentity */
extern const MusterBusProperty muster_bus_publication_properties[]; /* object: MusterAccount */
MusterBusLayers *muster_bus_layers_new (MusterBus *bus); /* those that go with who set them */
void muster_bus_layers_free (MusterBusLayers *self);

/* muster-bus-incoming.c */
extern const MusterBusProperty muster_bus_request_properties[];  /* object: MusterRequest */
extern const MusterBusProperty muster_bus_incoming_properties[]; /* object: MusterIncomingOffer */
extern const MusterBusProperty muster_bus_mailbox_properties[];  /* object: MusterAccount */

/* muster-bus-emitter.c: what changed, in batches that the bus can take */
MusterBusEmitter *muster_bus_emitter_new (MusterBus *bus);
void muster_bus_emitter_free (MusterBusEmitter *self);
void muster_bus_emitter_finish (MusterBusEmitter *self); /* the last words, before the name goes */
void muster_bus_emitter_begin (MusterBusEmitter *self);  /* before it, nobody is told anything */
void muster_bus_emitter_added (MusterBusEmitter *self, MusterBusKind kind, gpointer object);
void muster_bus_emitter_removed (MusterBusEmitter *self, MusterBusKind kind, gpointer object);
void muster_bus_emitter_changed (MusterBusEmitter *self,
                                 MusterBusKind kind,
                                 gpointer object,
                                 const char *interface);
/* Somebody has seen the account's state: it is told again if it changes, and if it changes back. */
void muster_bus_emitter_was_read (MusterBusEmitter *self, MusterAccount *account);
/* It has interfaces that it did not have. */
void muster_bus_emitter_capable (MusterBusEmitter *self, MusterBusKind kind, gpointer object);
void muster_bus_emitter_root_changed (MusterBusEmitter *self,
                                      const char *interface,
                                      const char *property,
                                      GVariant *value);
void muster_bus_emitter_event (MusterBusEmitter *self, GVariant *event);
void muster_bus_emitter_contact (MusterBusEmitter *self, MusterRosterPerson *person);

/* muster-bus-managed.c: GetManagedObjects in pieces */
gpointer muster_bus_managed_new (MusterBus *bus);
void muster_bus_managed_free (gpointer managed);
void muster_bus_managed_touch (gpointer managed, MusterBusKind kind, gpointer object);
void muster_bus_managed_forget (gpointer managed, gpointer object);
void muster_bus_managed_answer (MusterBus *self, GDBusMethodInvocation *invocation);

/* The methods, by interface. Each answers @invocation. */
typedef void (*MusterBusCall) (MusterBus *self,
                               gpointer object,
                               GVariant *parameters,
                               GDBusMethodInvocation *invocation);

typedef struct {
  const char *interface;
  const char *name;
  MusterBusCall call;
} MusterBusMethod;

extern const MusterBusMethod muster_bus_manager_methods[];      /* NULL-terminated; object NULL */
extern const MusterBusMethod muster_bus_account_methods[];      /* object: MusterAccount */
extern const MusterBusMethod muster_bus_registration_methods[]; /* object: MusterAccount */
extern const MusterBusMethod muster_bus_identity_methods[];     /* object: MusterIdentity */
extern const MusterBusMethod muster_bus_presence_methods[];     /* object: MusterIdentity */
extern const MusterBusMethod muster_bus_publication_methods[];  /* object: MusterAccount */
extern const MusterBusMethod muster_bus_plugin_methods[];       /* object: MusterModule */
extern const MusterBusMethod muster_bus_request_methods[];      /* object: MusterRequest */
extern const MusterBusMethod muster_bus_incoming_methods[];     /* object: MusterIncomingOffer */

/* muster-bus-contacts.c */
extern const MusterBusMethod muster_bus_contacts_methods[]; /* object NULL */
/* (transfer floating): the row of a contact, or that it is gone */
GVariant *muster_bus_build_contact (MusterBus *self, const char *address);

/* muster-bus-agents.c: who can ask the person */
MusterBusAgents *muster_bus_agents_new (MusterBus *bus);
void muster_bus_agents_free (MusterBusAgents *self);
guint muster_bus_agents_count (MusterBusAgents *self);
void muster_bus_agents_request_added (MusterBusAgents *self, MusterRequest *request);
void muster_bus_agents_request_removed (MusterBusAgents *self, MusterRequest *request);
void muster_bus_agents_register (MusterBus *self,
                                 gpointer object,
                                 GVariant *parameters,
                                 GDBusMethodInvocation *invocation);
void muster_bus_agents_unregister (MusterBus *self,
                                   gpointer object,
                                   GVariant *parameters,
                                   GDBusMethodInvocation *invocation);

/* muster-bus-handlers.c: who takes calls and messages */
MusterBusHandlers *muster_bus_handlers_new (MusterBus *bus);
void muster_bus_handlers_free (MusterBusHandlers *self);
GVariant *muster_bus_handlers_build (MusterBus *bus); /* (transfer floating): the property */
void muster_bus_handlers_register (MusterBus *self,
                                   gpointer object,
                                   GVariant *parameters,
                                   GDBusMethodInvocation *invocation);
void muster_bus_handlers_unregister (MusterBus *self,
                                     gpointer object,
                                     GVariant *parameters,
                                     GDBusMethodInvocation *invocation);

/* muster-bus-list.c */
void muster_bus_list (MusterBus *self,
                      gpointer object,
                      GVariant *parameters,
                      GDBusMethodInvocation *invocation);
void muster_bus_list_events (MusterBus *self,
                             gpointer object,
                             GVariant *parameters,
                             GDBusMethodInvocation *invocation);

/* muster-bus-error.c: what services answered */
/* Adds what is known of @error beside its name: the rows of Registration.ErrorDetails but its time */
void muster_bus_describe_error (GVariantBuilder *details, const GError *error);
/* A #GAsyncReadyCallback for changes that answer nothing; takes the invocation. */
void muster_bus_on_changed (GObject *source, GAsyncResult *result, gpointer invocation);
/* Takes @error: one of the broker's, or what a service answered. */
void muster_bus_return_error (GDBusMethodInvocation *invocation, GError *error);
/* (transfer floating): as Request.Details; @certificate may be NULL */
GVariant *muster_bus_build_certificate (MusterCertificate *certificate);

/* muster-bus-trial.c */
void muster_bus_test (MusterBus *self,
                      gpointer object,
                      GVariant *parameters,
                      GDBusMethodInvocation *invocation);

/* muster-bus-bindings.c */
void muster_bus_list_bindings (MusterBus *self,
                               gpointer account,
                               GVariant *parameters,
                               GDBusMethodInvocation *invocation);
void muster_bus_remove_binding (MusterBus *self,
                                gpointer account,
                                GVariant *parameters,
                                GDBusMethodInvocation *invocation);
void muster_bus_remove_all_bindings (MusterBus *self,
                                     gpointer account,
                                     GVariant *parameters,
                                     GDBusMethodInvocation *invocation);

/* muster-bus-debug.c: the log and numbers */
MusterBusDebug *muster_bus_debug_new (MusterBus *bus);
void muster_bus_debug_free (MusterBusDebug *self);
void muster_bus_set_logging (MusterBus *self,
                             gpointer object,
                             GVariant *parameters,
                             GDBusMethodInvocation *invocation);
void muster_bus_get_messages (MusterBus *self,
                              gpointer object,
                              GVariant *parameters,
                              GDBusMethodInvocation *invocation);
void muster_bus_get_metrics (MusterBus *self,
                             gpointer object,
                             GVariant *parameters,
                             GDBusMethodInvocation *invocation);

/* muster-bus-document.c */
void muster_bus_export (MusterBus *self,
                        gpointer object,
                        GVariant *parameters,
                        GDBusMethodInvocation *invocation);
void muster_bus_import (MusterBus *self,
                        gpointer object,
                        GVariant *parameters,
                        GDBusMethodInvocation *invocation);

/* muster-bus-options.c: dictionaries that refuse what they do not know */
typedef struct {
  const char *name;
  const char *type; /* a GVariant type string */
} MusterBusOption;

/* @known ends with a NULL name. @what: "options", "filter": for the message. */
gboolean muster_bus_check_options (GVariant *options,
                                   const char *what,
                                   const MusterBusOption *known,
                                   GError **error);
/* Where no options are known. Answers @invocation and returns FALSE if there are some. */
gboolean muster_bus_no_options (GVariant *options, GDBusMethodInvocation *invocation);

/* muster-bus-secrets.c: secrets that come as descriptors */
/* @secrets: a{sh}. Completes with a GHashTable of name -> MusterSecret. */
void muster_bus_read_secrets_async (GVariant *secrets,
                                    GUnixFDList *fds,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
GHashTable *muster_bus_read_secrets_finish (GAsyncResult *result, GError **error);

G_END_DECLS
