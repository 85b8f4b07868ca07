/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-bindings.h"

/*
 * The contacts of ours that a server has or may have, and the Contact header that leaves it with one of them or
 * with none. A contact that was asked for and not answered counts until it would have run out.
 */

#define MAX_BINDINGS 4 /* that we remember to take away */

MusterSipBinding *
muster_sip_binding_new (const char *uri, gint64 until_us, gboolean confirmed)
{
  MusterSipBinding *self = g_new0 (MusterSipBinding, 1);

  self->uri = g_strdup (uri);
  self->until_us = until_us;
  self->confirmed = confirmed;
  return self;
}

void
muster_sip_binding_free (MusterSipBinding *self)
{
  g_free (self->uri);
  g_free (self);
}

GPtrArray *
muster_sip_bindings_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) muster_sip_binding_free);
}

MusterSipBinding *
muster_sip_bindings_find (GPtrArray *self, const char *uri)
{
  for (guint i = 0; i < self->len; i++) {
    MusterSipBinding *binding = g_ptr_array_index (self, i);

    if (g_str_equal (binding->uri, uri))
      return binding;
  }
  return NULL;
}

MusterSipBinding *
muster_sip_bindings_get_confirmed (GPtrArray *self)
{
  for (guint i = self->len; i > 0; i--) {
    MusterSipBinding *binding = g_ptr_array_index (self, i - 1);

    if (binding->confirmed)
      return binding;
  }
  return NULL;
}

void
muster_sip_bindings_expire (GPtrArray *self)
{
  gint64 now_us = muster_clock_now_us ();

  for (guint i = self->len; i > 0; i--) {
    const MusterSipBinding *binding = g_ptr_array_index (self, i - 1);

    if (binding->until_us <= now_us)
      g_ptr_array_remove_index (self, i - 1);
  }
}

gboolean
muster_sip_bindings_doubt (GPtrArray *self, const char *uri, guint expires_s)
{
  gint64 until_us = muster_clock_now_us () + (gint64) expires_s * G_USEC_PER_SEC;
  MusterSipBinding *binding = muster_sip_bindings_find (self, uri);

  if (binding != NULL) {
    if (!binding->confirmed)
      binding->until_us = MAX (binding->until_us, until_us);
    return FALSE;
  }
  if (self->len >= MAX_BINDINGS)
    g_ptr_array_remove_index (self, 0);
  g_ptr_array_add (self, muster_sip_binding_new (uri, until_us, FALSE));
  return TRUE;
}

void
muster_sip_bindings_forget (GPtrArray *self, const char *uri)
{
  MusterSipBinding *binding = muster_sip_bindings_find (self, uri);

  if (binding != NULL)
    g_ptr_array_remove (self, binding);
}

void
muster_sip_bindings_confirm (GPtrArray *self, const char *uri, guint lease_s)
{
  gint64 until_us = muster_clock_now_us () + (gint64) lease_s * G_USEC_PER_SEC;

  g_ptr_array_set_size (self, 0);
  g_ptr_array_add (self, muster_sip_binding_new (uri, until_us, TRUE));
}

static void
append_device (GString *contacts, const char *instance, gboolean has_reg_id)
{
  g_string_append_printf (contacts, ";+sip.instance=\"<%s>\"", instance);
  if (has_reg_id)
    g_string_append (contacts, ";reg-id=1");
}

char *
muster_sip_bindings_build_contacts (GPtrArray *self,
                                    const char *uri,
                                    const char *instance,
                                    gboolean has_reg_id)
{
  GString *contacts = g_string_new (NULL);

  if (uri != NULL) {
    g_string_append_printf (contacts, "<%s>", uri);
    append_device (contacts, instance, has_reg_id);
  }

  for (guint i = 0; i < self->len; i++) {
    const MusterSipBinding *binding = g_ptr_array_index (self, i);

    if (g_strcmp0 (binding->uri, uri) == 0)
      continue;
    g_string_append_printf (contacts, "%s<%s>", contacts->len > 0 ? ", " : "", binding->uri);
    /* The server may know the last one by its reg-id. Not in a register: there that is the new one. */
    if (uri == NULL && has_reg_id && i + 1 == self->len)
      append_device (contacts, instance, has_reg_id);
    g_string_append (contacts, ";expires=0");
  }
  return g_string_free (contacts, FALSE);
}
