/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterProtection"

#include "config.h"

#include "muster-protection.h"

#include <string.h>

/*
 * One line: where the key is kept, a space, its fingerprint.
 */

static const struct {
  MusterProtection protection;
  const char *name;
} names[] = {
  { MUSTER_PROTECTION_SECRET_SERVICE, "secret-service" },
  { MUSTER_PROTECTION_KEY_FILE, "key-file" },
  { MUSTER_PROTECTION_SYSTEMD_CREDENTIAL, "systemd-credential" },
};

const char *
muster_protection_to_string (MusterProtection protection)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (names[i].protection == protection)
      return names[i].name;
  }

  g_return_val_if_reached ("");
}

void
muster_protection_record_free (MusterProtectionRecord *self)
{
  g_free (self->fingerprint);
  g_free (self);
}

MusterProtectionRecord *
muster_protection_read (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) local_error = NULL;

  if (!g_file_get_contents (path, &text, NULL, &local_error)) {
    if (!g_error_matches (local_error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
      g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }

  words = g_strsplit (g_strchomp (text), " ", -1);
  for (guint i = 0; i < G_N_ELEMENTS (names) && g_strv_length (words) == 2; i++) {
    if (g_str_equal (words[0], names[i].name) && *words[1] != '\0') {
      MusterProtectionRecord *record = g_new0 (MusterProtectionRecord, 1);

      record->protection = names[i].protection;
      record->fingerprint = g_strdup (words[1]);
      return record;
    }
  }

  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s does not say where a key is kept",
               path);
  return NULL;
}

gboolean
muster_protection_write (const char *path,
                         MusterProtection protection,
                         const char *fingerprint,
                         GError **error)
{
  g_autofree char *text = g_strdup_printf ("%s %s\n", muster_protection_to_string (protection),
                                           fingerprint);

  return g_file_set_contents_full (path, text, -1,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0600, error);
}
