/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-module.h"

G_BEGIN_DECLS

/**
 * MusterPluginRegistry:
 *
 * All plugins that were found, and who speaks which protocol.
 */
typedef struct _MusterPluginRegistry MusterPluginRegistry;

/* The folders, the user's first: MUSTER_PLUGIN_PATH if it is set (":"-separated), else
 * ~/.local/lib/muster-1/plugins and the system's. */
GStrv muster_plugin_registry_dup_search_path (void);

MusterPluginRegistry *muster_plugin_registry_new (const char *const *search_path);
void muster_plugin_registry_free (MusterPluginRegistry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterPluginRegistry, muster_plugin_registry_free)

/* Where plugins keep their records; before any is started, and it outlives the registry. */
void muster_plugin_registry_set_record_host (MusterPluginRegistry *self,
                                             const MusterRecordHost *host,
                                             gpointer host_data);

/* (element-type MusterModule), in the order of their names */
GPtrArray *muster_plugin_registry_get_modules (MusterPluginRegistry *self);

/* Has a suspended module work again as far as it can: see muster_module_resume(). */
void muster_plugin_registry_resume (MusterPluginRegistry *self, MusterModule *module);

/* The kind that speaks @protocol, and its module; %NULL if none does. */
const MusterKind *muster_plugin_registry_find_protocol (MusterPluginRegistry *self,
                                                        const char *protocol,
                                                        MusterModule **module);

G_END_DECLS
