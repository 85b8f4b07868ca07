/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <glib-object.h>

G_BEGIN_DECLS

/**
 * MUSTER_API:
 *
 * Marks what `libmuster-1.so` exports. Everything else in the library is hidden.
 */
#define MUSTER_API __attribute__ ((visibility ("default"))) extern

typedef struct _MusterCertificate MusterCertificate;
typedef struct _MusterLease MusterLease;
typedef struct _MusterSecret MusterSecret;
typedef struct _MusterRegistration MusterRegistration;
typedef struct _MusterPluginContext MusterPluginContext;
typedef struct _MusterEvent MusterEvent;
typedef struct _MusterRecord MusterRecord;

G_END_DECLS
