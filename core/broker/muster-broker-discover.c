/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-change.h"

#include <string.h>

/*
 * Which protocols an address could be one of. A URI scheme decides; without one, what an address of
 * each protocol looks like.
 */

#define ADDRESS_MAX_BYTES 320 /* that of an account, and a scheme */

/* What stands behind a scheme of @protocol; NULL: @address has none of them. */
static const char *
skip_scheme (const MusterProtocol *protocol, const char *address)
{
  for (guint i = 0; protocol->uri_schemes != NULL && protocol->uri_schemes[i] != NULL; i++) {
    gsize n = strlen (protocol->uri_schemes[i]);

    if (g_ascii_strncasecmp (address, protocol->uri_schemes[i], n) == 0 && address[n] == ':')
      return address + n + 1;
  }

  return NULL;
}

/* A scheme is left out where what is left is an address; that of a URI with "//" is part of it. */
const char *
muster_broker_trim_address (const MusterProtocol *protocol, const char *address)
{
  const char *rest = skip_scheme (protocol, address);

  if (rest != NULL && !g_str_has_prefix (rest, "//") &&
      muster_protocol_check_address (protocol, rest, NULL))
    return rest;

  return address;
}

typedef struct {
  const char *id;
  guint rank; /* the smaller, the likelier */
} Candidate;

static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  const Candidate *left = a;
  const Candidate *right = b;

  if (left->rank != right->rank)
    return left->rank < right->rank ? -1 : 1;

  return strcmp (left->id, right->id);
}

static void
consider (const MusterProtocol *protocol, const char *address, GArray *by_scheme, GArray *by_form)
{
  gboolean has_scheme = skip_scheme (protocol, address) != NULL;
  Candidate candidate = { .id = protocol->id };

  if (!muster_protocol_check_address (protocol, muster_broker_trim_address (protocol, address),
                                      NULL))
    return;

  candidate.rank = (protocol->local ? 2 : 0) + (protocol->address_pattern == NULL ? 1 : 0);
  g_array_append_val (has_scheme ? by_scheme : by_form, candidate);
}

GStrv
muster_broker_discover (MusterBroker *self, const char *address, GError **error)
{
  GPtrArray *modules = muster_plugin_registry_get_modules (self->registry);
  g_autoptr (GArray) by_scheme = g_array_new (FALSE, FALSE, sizeof (Candidate));
  g_autoptr (GArray) by_form = g_array_new (FALSE, FALSE, sizeof (Candidate));
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  GArray *found;

  if (!muster_change_check_text ("address", address, ADDRESS_MAX_BYTES, error))
    return NULL;

  for (guint i = 0; i < modules->len; i++) {
    MusterModule *module = modules->pdata[i];
    const MusterPluginInfo *info = muster_module_get_info (module);

    if (*muster_module_get_reason (module) != '\0') /* it does not work */
      continue;
    for (guint j = 0; info != NULL && info->kinds[j] != NULL; j++) {
      if (info->kinds[j]->type == MUSTER_KIND_PROTOCOL)
        consider (info->kinds[j]->protocol, address, by_scheme, by_form);
    }
  }

  found = by_scheme->len > 0 ? by_scheme : by_form;
  g_array_sort (found, compare_candidates);
  for (guint i = 0; i < found->len; i++)
    g_strv_builder_add (names, g_array_index (found, Candidate, i).id);

  return g_strv_builder_end (names);
}
