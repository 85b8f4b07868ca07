/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-certificate.h>
#include <muster/muster-error.h>
#include <muster/muster-hub.h>
#include <muster/muster-lease.h>
#include <muster/muster-param.h>
#include <muster/muster-plugin.h>
#include <muster/muster-registration.h>
#include <muster/muster-resolver.h>
#include <muster/muster-secret.h>
#include <muster/muster-stream.h>
#include <muster/muster-tls.h>
#include <muster/muster-types.h>
