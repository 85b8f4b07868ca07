/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterPlugins"

#include "config.h"

#include "muster-plugin-registry.h"

#include "muster-names.h"

#include <sys/stat.h>
#include <unistd.h>

/*
 * Looks through the search path once, at start. Of those that work, the first of a name wins, as does
 * the first that speaks a protocol. All others are listed with the reason, under a name of their own.
 */

#define MODULES_MAX 256

struct _MusterPluginRegistry {
  GPtrArray *modules; /* MusterModule */
  GHashTable *names;  /* "protocol sip", "sink webhook", ... -> MusterModule */
};

GStrv
muster_plugin_registry_dup_search_path (void)
{
  const char *path = g_getenv (MUSTER_ENV_PLUGIN_PATH);
  GStrvBuilder *builder;
  GStrv folders;

  if (path != NULL)
    return g_strsplit (path, ":", -1);

  builder = g_strv_builder_new ();
  {
    g_autofree char *own = g_build_filename (g_get_home_dir (), ".local", "lib", "muster-1",
                                             "plugins", NULL);

    g_strv_builder_add (builder, own);
    g_strv_builder_add (builder, PLUGIN_DIR);
  }
  folders = g_strv_builder_end (builder);
  g_strv_builder_unref (builder);

  return folders;
}

/* Whoever may write there may run code as the user. */
static gboolean
others_may_write (const char *path, char **reason)
{
  struct stat st;

  if (stat (path, &st) != 0)
    return FALSE; /* opening it will say so */

  if (st.st_uid != 0 && st.st_uid != geteuid ())
    *reason = g_strdup_printf ("%s belongs to another user", path);
  else if ((st.st_mode & S_IWOTH) != 0 ||
           ((st.st_mode & S_IWGRP) != 0 && st.st_gid != 0 && st.st_gid != getegid ()))
    *reason = g_strdup_printf ("%s can be changed by other users", path);

  return *reason != NULL;
}

static MusterModule *
find_named (MusterPluginRegistry *self, const char *name)
{
  for (guint i = 0; i < self->modules->len; i++) {
    if (g_str_equal (muster_module_get_name (self->modules->pdata[i]), name))
      return self->modules->pdata[i];
  }

  return NULL;
}

static gboolean
works (MusterModule *module)
{
  return muster_module_get_info (module) != NULL;
}

static void
give_other_name (MusterPluginRegistry *self, MusterModule *module)
{
  g_autofree char *base = g_strdup (muster_module_get_name (module));
  g_autofree char *name = NULL;
  guint n = 2;

  do {
    g_free (name);
    name = g_strdup_printf ("%s-%u", base, n++);
  } while (find_named (self, name) != NULL);
  muster_module_set_name (module, name);
}

/* What no two kinds may have in common. */
static char *
dup_kind_name (const MusterKind *kind)
{
  switch (kind->type) {
  case MUSTER_KIND_PROTOCOL:
    return g_strconcat ("protocol ", kind->protocol->id, NULL);
  case MUSTER_KIND_SINK:
    return g_strconcat ("sink ", kind->name, NULL);
  case MUSTER_KIND_LISTENER:
    return g_strconcat ("listener ", kind->name, NULL);
  }

  g_return_val_if_reached (g_strdup (""));
}

/* What stands in the way of using a module that works by itself; NULL: nothing. */
static char *
find_rival (MusterPluginRegistry *self, MusterModule *module)
{
  const MusterPluginInfo *info = muster_module_get_info (module);
  MusterModule *same = find_named (self, muster_module_get_name (module));

  if (same != NULL && works (same))
    return g_strdup_printf ("there is already a plugin called %s: %s",
                            muster_module_get_name (same), muster_module_get_path (same));

  for (guint i = 0; info->kinds[i] != NULL; i++) {
    g_autofree char *name = dup_kind_name (info->kinds[i]);
    MusterModule *other = g_hash_table_lookup (self->names, name);

    if (other != NULL)
      return g_strdup_printf ("plugin %s already %s %s", muster_module_get_name (other),
                              info->kinds[i]->type == MUSTER_KIND_PROTOCOL ? "speaks" : "has",
                              name);
  }

  return NULL;
}

/* Takes @module. */
static void
muster_plugin_registry_add (MusterPluginRegistry *self, MusterModule *module)
{
  MusterModule *same = find_named (self, muster_module_get_name (module));
  g_autofree char *rival = works (module) ? find_rival (self, module) : NULL;
  const MusterPluginInfo *info;

  if (rival != NULL)
    muster_module_fail (module, rival);
  if (same != NULL)
    give_other_name (self, works (module) ? same : module);
  g_ptr_array_add (self->modules, module);

  info = muster_module_get_info (module);
  for (guint i = 0; info != NULL && info->kinds[i] != NULL; i++)
    g_hash_table_insert (self->names, dup_kind_name (info->kinds[i]), module);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

static int
compare_modules (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (muster_module_get_name (*(MusterModule *const *) a),
                    muster_module_get_name (*(MusterModule *const *) b));
}

void
muster_plugin_registry_resume (MusterPluginRegistry *self, MusterModule *module)
{
  gboolean was_read = works (module);
  guint index;

  muster_module_resume (module);
  if (was_read || !works (module) || !g_ptr_array_find (self->modules, module, &index))
    return;

  /* Only now is it known what it speaks: as if it had just been found. */
  g_ptr_array_steal_index (self->modules, index);
  muster_plugin_registry_add (self, module);
  g_ptr_array_sort (self->modules, compare_modules);
}

static void
muster_plugin_registry_scan (MusterPluginRegistry *self, const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *unsafe = NULL;
  const char *name;

  if (dir == NULL)
    return;

  while ((name = g_dir_read_name (dir)) != NULL) {
    if (g_str_has_suffix (name, "." G_MODULE_SUFFIX))
      g_ptr_array_add (files, g_build_filename (folder, name, NULL));
  }
  if (files->len == 0)
    return;

  others_may_write (folder, &unsafe);
  g_ptr_array_sort (files, compare_strings);
  for (guint i = 0; i < files->len && self->modules->len < MODULES_MAX; i++) {
    const char *file = files->pdata[i];
    g_autofree char *reason = g_strdup (unsafe);

    if (reason != NULL || others_may_write (file, &reason))
      muster_plugin_registry_add (self, muster_module_new_unopened (file, reason));
    else
      muster_plugin_registry_add (self, muster_module_open (file));
  }
}

MusterPluginRegistry *
muster_plugin_registry_new (const char *const *search_path)
{
  MusterPluginRegistry *self = g_new0 (MusterPluginRegistry, 1);

  self->modules = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_module_free);
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (; *search_path != NULL; search_path++) {
    if (**search_path != '\0')
      muster_plugin_registry_scan (self, *search_path);
  }
  g_ptr_array_sort (self->modules, compare_modules);

  return self;
}

void
muster_plugin_registry_free (MusterPluginRegistry *self)
{
  if (self == NULL)
    return;

  g_ptr_array_unref (self->modules);
  g_hash_table_unref (self->names);
  g_free (self);
}

void
muster_plugin_registry_set_record_host (MusterPluginRegistry *self,
                                        const MusterRecordHost *host,
                                        gpointer host_data)
{
  for (guint i = 0; i < self->modules->len; i++)
    muster_module_set_record_host (self->modules->pdata[i], host, host_data);
}

GPtrArray *
muster_plugin_registry_get_modules (MusterPluginRegistry *self)
{
  return self->modules;
}

const MusterKind *
muster_plugin_registry_find_protocol (MusterPluginRegistry *self,
                                      const char *protocol,
                                      MusterModule **module)
{
  g_autofree char *name = g_strconcat ("protocol ", protocol, NULL);
  MusterModule *found = g_hash_table_lookup (self->names, name);
  const MusterPluginInfo *info = found != NULL ? muster_module_get_info (found) : NULL;

  for (guint i = 0; info != NULL && info->kinds[i] != NULL; i++) {
    if (info->kinds[i]->type == MUSTER_KIND_PROTOCOL &&
        g_str_equal (info->kinds[i]->protocol->id, protocol)) {
      if (module != NULL)
        *module = found;
      return info->kinds[i];
    }
  }

  return NULL;
}
