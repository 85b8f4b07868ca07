/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/**
 * MusterParamType:
 * @MUSTER_PARAM_STRING: text, on D-Bus `s`; at most 4 kB, no control characters
 * @MUSTER_PARAM_UINT: a whole number from 0 to 4294967295, on D-Bus `u`
 * @MUSTER_PARAM_BOOLEAN: yes or no, on D-Bus `b`
 *
 * What a parameter holds.
 */
typedef enum {
  MUSTER_PARAM_STRING = 1,
  MUSTER_PARAM_UINT,
  MUSTER_PARAM_BOOLEAN,
} MusterParamType;

/**
 * MusterParamFlags:
 * @MUSTER_PARAM_REQUIRED: an account without it is refused
 * @MUSTER_PARAM_SECRET: it is a secret: sealed, never a property, travels as a file descriptor
 * @MUSTER_PARAM_SENSITIVE: not secret, but personal: redacted in logs
 * @MUSTER_PARAM_BINDS_SECRET: names whom a secret is given to (server, proxy, TLS policy,
 *   authentication user): changing it detaches the account's secrets
 * @MUSTER_PARAM_ADVANCED: forms show it only when asked
 */
typedef enum {
  MUSTER_PARAM_NONE = 0,
  MUSTER_PARAM_REQUIRED = 1 << 0,
  MUSTER_PARAM_SECRET = 1 << 1,
  MUSTER_PARAM_SENSITIVE = 1 << 2,
  MUSTER_PARAM_BINDS_SECRET = 1 << 3,
  MUSTER_PARAM_ADVANCED = 1 << 4,
} MusterParamFlags;

/**
 * MusterParamApplies:
 * @MUSTER_APPLIES_REREGISTER: a change takes effect by registering again
 * @MUSTER_APPLIES_LIVE: a change takes effect at once
 * @MUSTER_APPLIES_RECREATE: a change takes effect by unregistering and starting from nothing
 */
typedef enum {
  MUSTER_APPLIES_REREGISTER,
  MUSTER_APPLIES_LIVE,
  MUSTER_APPLIES_RECREATE,
} MusterParamApplies;

/**
 * MusterParam:
 * @name: the parameter's name, lower-case kebab-case, unique in its protocol
 * @type: what it holds
 * @flags: see #MusterParamFlags
 * @label: a few words for a form
 * @help: one sentence for a form, best one that says what the value is: where it does not match
 *   @pattern, or is required and missing, errors go on with it after "it is"
 * @group: (nullable): the form's section; parameters of one group stand together
 * @default_value: (nullable): the value when unset, as text; %NULL: none
 * @choices: (nullable) (array zero-terminated=1): the only values allowed, for strings
 * @min: the smallest number allowed
 * @max: the largest number allowed; 0 with @min 0: any
 * @pattern: (nullable): a regular expression (PCRE) that the whole text must match
 * @applies: how a change takes effect
 *
 * A parameter's description: enough to check a value and to draw a form.
 */
typedef struct {
  const char *name;
  MusterParamType type;
  MusterParamFlags flags;
  const char *label;
  const char *help;
  const char *group;
  const char *default_value;
  const char *const *choices;
  guint32 min;
  guint32 max;
  const char *pattern;
  MusterParamApplies applies;
  /*< private >*/
  gpointer padding[4];
} MusterParam;

/**
 * MusterProtocol:
 * @struct_size: `sizeof (MusterProtocol)`
 * @id: the protocol's name in account records, lower-case (`sip`)
 * @display_name: its name for people (`SIP`)
 * @uri_schemes: (array zero-terminated=1): the URI schemes of its addresses (`sip`, `sips`)
 * @address_help: what an address looks like (`alice@example.org`)
 * @address_pattern: (nullable): a regular expression (PCRE) that the whole address must match
 * @params: (array length=n_params): its parameters
 * @n_params: their number
 * @retry_floor_s: never retry sooner than this after a failure, in seconds; 0: the broker's rule
 * @local: accounts have no remote host: admission lets them pass
 *
 * A protocol's description.
 */
typedef struct {
  gsize struct_size;
  const char *id;
  const char *display_name;
  const char *const *uri_schemes;
  const char *address_help;
  const char *address_pattern;
  const MusterParam *params;
  guint n_params;
  guint retry_floor_s;
  gboolean local;
  /*< private >*/
  gpointer padding[8];
} MusterProtocol;

MUSTER_API const MusterParam *
muster_protocol_find_param (const MusterProtocol *protocol, const char *name);
MUSTER_API gboolean muster_protocol_check_address (const MusterProtocol *protocol,
                                                   const char *address,
                                                   GError **error);
MUSTER_API gboolean muster_param_check (const MusterParam *param, GVariant *value, GError **error);
MUSTER_API GVariant *
muster_param_parse (const MusterParam *param, const char *text, GError **error);
MUSTER_API GVariant *muster_param_dup_default (const MusterParam *param);

G_END_DECLS
