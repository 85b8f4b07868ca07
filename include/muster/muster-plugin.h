/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-listener.h>
#include <muster/muster-record.h>
#include <muster/muster-registration.h>
#include <muster/muster-sink.h>

#include <gmodule.h>

G_BEGIN_DECLS

/**
 * MUSTER_PLUGIN_ABI:
 *
 * The version of everything in these headers. It changes when a plugin built against an older one
 * could not work any more; the reserved slots are there so that it need not.
 */
#define MUSTER_PLUGIN_ABI 1

#define MUSTER_TYPE_PLUGIN_CONTEXT (muster_plugin_context_get_type ())
MUSTER_API GType muster_plugin_context_get_type (void);
G_DECLARE_DERIVABLE_TYPE (MusterPluginContext,
                          muster_plugin_context,
                          MUSTER,
                          PLUGIN_CONTEXT,
                          GObject)

/**
 * MusterPluginContextClass:
 * @start: called once before the plugin's first registration is made; %FALSE with an error of the
 *   %MUSTER_ERROR domain leaves the plugin listed as failed, with that reason
 * @stop: called once after its last registration is gone
 *
 * What the accounts of one plugin share: agents, connections, caches. They live here, never in
 * static variables. Both calls come on the main context and must not block.
 *
 * What must outlive the daemon goes into its records: see muster_plugin_context_records_put().
 */
struct _MusterPluginContextClass {
  GObjectClass parent_class;

  gboolean (*start) (MusterPluginContext *self, GError **error);
  void (*stop) (MusterPluginContext *self);

  /*< private >*/
  gpointer padding[16];
};

/**
 * MusterKindType:
 * @MUSTER_KIND_PROTOCOL: signs accounts in: a #MusterRegistration subclass and its description
 * @MUSTER_KIND_SINK: takes in events: a #MusterSink subclass; there is one object of it
 * @MUSTER_KIND_LISTENER: serves others: a #MusterListener subclass; there is one object of it
 *
 * What a kind is.
 */
typedef enum {
  MUSTER_KIND_PROTOCOL = 1,
  MUSTER_KIND_SINK,
  MUSTER_KIND_LISTENER,
} MusterKindType;

/**
 * MusterKind:
 * @type: what it is
 * @get_type: the `get_type()` function of the class that does it
 * @protocol: for %MUSTER_KIND_PROTOCOL, its description; else %NULL
 * @name: for a sink or a listener, its name: lower-case kebab-case, unique among the sinks or
 *   listeners of all plugins, and kept between versions (undelivered events wait under it); for a
 *   protocol %NULL
 *
 * One thing that a plugin can do.
 */
typedef struct {
  MusterKindType type;
  GType (*get_type) (void);
  const MusterProtocol *protocol;
  const char *name;
  /*< private >*/
  gpointer padding[4];
} MusterKind;

/**
 * MusterPluginInfo:
 * @abi: always %MUSTER_PLUGIN_ABI; checked before anything else is read
 * @struct_size: `sizeof (MusterPluginInfo)`
 * @name: the plugin's name, which is also that of its module, `muster-<name>.so`
 * @version: its own version
 * @licence: its SPDX licence expression
 * @description: one sentence for people
 * @get_context_type: (nullable): the `get_type()` function of its #MusterPluginContext subclass
 * @kinds: (array zero-terminated=1): what it can do
 *
 * What a plugin says about itself, as the constant data symbol `muster_plugin_info`. It is read
 * before any function of the plugin runs.
 */
typedef struct {
  guint32 abi;
  guint32 struct_size;
  const char *name;
  const char *version;
  const char *licence;
  const char *description;
  GType (*get_context_type) (void);
  const MusterKind *const *kinds;
  /*< private >*/
  gpointer padding[8];
} MusterPluginInfo;

#define MUSTER_PLUGIN_SYMBOL "muster_plugin_info"

/**
 * MUSTER_DEFINE_PLUGIN:
 * @plugin_name: the plugin's name, a string
 * @...: further fields of #MusterPluginInfo as designated initialisers
 *
 * Exports the one symbol that the loader looks for.
 */
#define MUSTER_DEFINE_PLUGIN(plugin_name, ...)                                                     \
  G_MODULE_EXPORT extern const MusterPluginInfo muster_plugin_info;                                \
  const MusterPluginInfo muster_plugin_info = { .abi = MUSTER_PLUGIN_ABI,                          \
                                                .struct_size = sizeof (MusterPluginInfo),          \
                                                .name = plugin_name,                               \
                                                __VA_ARGS__ };

G_END_DECLS
