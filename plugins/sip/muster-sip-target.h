/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-resolver.h>
#include <muster/muster.h>

gboolean muster_sip_target_equal (GSocketAddress *left, GSocketAddress *right);

/* @target is the first of @targets, an array of GSocketAddress, now, if it is one of them; or none of them any
 * more. */
void muster_sip_target_prefer (GPtrArray *targets, GSocketAddress *target);
void muster_sip_target_strike (GPtrArray *targets, GSocketAddress *target);

/* How a service is asked for over @transport: its name and protocol in DNS, and its usual port. */
typedef struct {
  const char *service;
  const char *proto;
  guint16 port;
} MusterSipService;

const MusterSipService *muster_sip_target_get_service (MusterTransport transport);

/* `sip:IP:PORT` */
char *muster_sip_target_dup_route (GSocketAddress *target);
