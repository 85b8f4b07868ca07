/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * MusterBrokerError:
 * @MUSTER_BROKER_ERROR_FAILED: anything else
 * @MUSTER_BROKER_ERROR_INVALID_ARGUMENT: an argument is wrong; the message names it
 * @MUSTER_BROKER_ERROR_NOT_FOUND: there is no such object
 * @MUSTER_BROKER_ERROR_AMBIGUOUS: a selector means several
 * @MUSTER_BROKER_ERROR_EXISTS: there is one already
 * @MUSTER_BROKER_ERROR_IN_USE: something else needs it
 * @MUSTER_BROKER_ERROR_TOO_MANY: more than one answer can hold
 * @MUSTER_BROKER_ERROR_WRONG_STATE: it cannot be done in the account's present state
 * @MUSTER_BROKER_ERROR_STORE: it could not be stored; nothing was changed
 * @MUSTER_BROKER_ERROR_LOCKED: the key of the secrets cannot be had now; nothing was changed
 * @MUSTER_BROKER_ERROR_UNSUPPORTED: the account's protocol has no way to do it
 *
 * Answers to callers: what a plugin's #MusterError is to the broker, this is to its clients. Each
 * goes over D-Bus as org.muster.Muster1.Error.NAME, as those of #MusterError do.
 */
typedef enum {
  MUSTER_BROKER_ERROR_FAILED,
  MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
  MUSTER_BROKER_ERROR_NOT_FOUND,
  MUSTER_BROKER_ERROR_AMBIGUOUS,
  MUSTER_BROKER_ERROR_EXISTS,
  MUSTER_BROKER_ERROR_IN_USE,
  MUSTER_BROKER_ERROR_TOO_MANY,
  MUSTER_BROKER_ERROR_WRONG_STATE,
  MUSTER_BROKER_ERROR_STORE,
  MUSTER_BROKER_ERROR_LOCKED,
  MUSTER_BROKER_ERROR_UNSUPPORTED,
} MusterBrokerError;

#define MUSTER_BROKER_ERROR (muster_broker_error_quark ())
GQuark muster_broker_error_quark (void);

/* (transfer full): org.muster.Muster1.Error.NAME for a #MusterError code */
char *muster_broker_error_dup_name (int muster_error_code);

/* (transfer full): what a caller said, in quotation marks, for a message: what is long is cut, and
 * what cannot be printed is a question mark. */
char *muster_broker_quote (const char *text);

G_END_DECLS
