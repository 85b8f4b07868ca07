/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-registration.h"

/* One open or close of a registration, from what the account says to what came of it. */
typedef struct _MusterSipOperation MusterSipOperation;

/* Begins one, which is the registration's until @take_task has its answer. */
void muster_sip_operation_begin (MusterSipRegistration *self, gboolean leaving, GTask *take_task);

/* The refresher cannot do without the password. */
void muster_sip_operation_load_password (MusterSipOperation *self);
