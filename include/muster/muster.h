/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-binder.h>
#include <muster/muster-certificate.h>
#include <muster/muster-creator.h>
#include <muster/muster-error.h>
#include <muster/muster-event.h>
#include <muster/muster-hub.h>
#include <muster/muster-incoming.h>
#include <muster/muster-lease.h>
#include <muster/muster-listener.h>
#include <muster/muster-param.h>
#include <muster/muster-plugin.h>
#include <muster/muster-presence.h>
#include <muster/muster-publisher.h>
#include <muster/muster-record.h>
#include <muster/muster-registration.h>
#include <muster/muster-resolver.h>
#include <muster/muster-secret.h>
#include <muster/muster-sink.h>
#include <muster/muster-stream.h>
#include <muster/muster-tls-key-pair.h>
#include <muster/muster-tls.h>
#include <muster/muster-types.h>
#include <muster/muster-verifier.h>
#include <muster/muster-watcher.h>
