/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-incoming-offer.h"

G_BEGIN_DECLS

#define MUSTER_HANDLERS_MAX         64
#define MUSTER_HANDLER_ACCOUNTS_MAX 64
#define MUSTER_TARGET_MAX_BYTES     512

/**
 * MusterIncomingHandler:
 *
 * An application that takes calls or messages, by the address at which it is reached. What is NULL
 * holds for all.
 */
typedef struct {
  char *owner; /* who registered it, as whoever asks for it is known */
  char *address;
  GStrv kinds;    /* "call", "message"; at least one */
  GStrv accounts; /* ids */
  char *identity; /* id */
  char *protocol; /* id */
} MusterIncomingHandler;

void muster_incoming_handler_free (MusterIncomingHandler *self);

/* Whether what it is made of makes sense; %MUSTER_BROKER_ERROR_INVALID_ARGUMENT names what does not. */
gboolean muster_incoming_handler_check (const MusterIncomingHandler *self, GError **error);
/* @target is in one piece: no service is asked to take another. @what names it. */
gboolean muster_incoming_check_target (const char *what, const char *target, GError **error);

/* Whether it takes what of @kind comes in on an account such as @record. */
gboolean muster_incoming_handler_takes (const MusterIncomingHandler *self,
                                        MusterOfferKind kind,
                                        const MusterAccountRecord *record,
                                        const MusterProtocol *protocol);

G_END_DECLS
