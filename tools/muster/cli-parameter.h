/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-row.h"

G_BEGIN_DECLS

/* The parameters of a protocol, as Protocol.Parameters gives them: rows with "name", "type", ... */

GPtrArray *cli_parameters_new (GVariant *parameters);
CliRow *cli_parameters_find (GPtrArray *self, const char *name);

/* Returns: (nullable): "udp, tcp, tls" or "10 to 86400" */
char *cli_parameter_dup_values (CliRow *parameter);

/* Splits "k=v" at the first "=". */
gboolean cli_parameter_split (const char *text, char **name, char **value, GError **error);
/* Returns: (transfer floating): @text as the parameter's type */
GVariant *cli_parameter_parse (CliRow *parameter, const char *text, GError **error);

/* Turns "k=v" words into an a{sv} (floating). Refuses names that the protocol does not have, secrets,
 * and names that come twice. */
GVariant *cli_parameters_parse (GPtrArray *self,
                                const char *protocol,
                                const char *const *words,
                                GError **error);
/* Whether all of @names are plain parameters, or that of a secret. */
gboolean cli_parameters_check_name (GPtrArray *self,
                                    const char *protocol,
                                    const char *name,
                                    gboolean secret,
                                    GError **error);

G_END_DECLS
