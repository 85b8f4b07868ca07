/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-agent.h"

#define MUSTER_TYPE_SIP_CONTEXT (muster_sip_context_get_type ())
G_DECLARE_FINAL_TYPE (MusterSipContext,
                      muster_sip_context,
                      MUSTER,
                      SIP_CONTEXT,
                      MusterPluginContext)

/* The agent on @address, an IP literal, made if there is none, @port (0: any) being a wish. Each
 * acquire wants its release. */
MusterSipAgent *muster_sip_context_acquire_agent (MusterSipContext *self,
                                                  const char *address,
                                                  guint16 port,
                                                  GError **error);
void muster_sip_context_release_agent (MusterSipContext *self, MusterSipAgent *agent);

/* Requests to a contact with this user part are ours from now on. */
void muster_sip_context_add_token (MusterSipContext *self, const char *token);
void muster_sip_context_remove_token (MusterSipContext *self, const char *token);
