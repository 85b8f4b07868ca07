/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterModule"

#include "config.h"

#include "muster-module.h"

#include "muster-execution-private.h"
#include "runtime/muster-crash-record.h"

#include <string.h>

/*
 * Everything that a table says is checked before it is used: it comes from a file that somebody else
 * compiled, perhaps against other headers.
 */

#define KINDS_MAX      32
#define PARAMS_MAX     128
#define NAME_MAX_BYTES 32

struct _MusterModule {
  char *path;
  char *name;
  char *reason; /* "" while it works */
  const MusterPluginInfo *info;
  MusterPluginContext *context;
  const MusterRecordHost *record_host; /* or NULL */
  gpointer record_data;
  gboolean started;
  char *suspended_as; /* its name in the crash record; NULL: it is not suspended */
};

/* checks */

static gboolean
bad (char **reason, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  *reason = g_strdup_vprintf (format, args);
  va_end (args);

  return FALSE;
}

/* Names become D-Bus path elements, file names and words of the command line. */
static gboolean
is_name (const char *name)
{
  if (name == NULL || !g_ascii_islower (*name) ||
      strnlen (name, NAME_MAX_BYTES + 1) > NAME_MAX_BYTES)
    return FALSE;

  return strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen (name);
}

static gboolean
is_pattern (const char *pattern)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);

  return regex != NULL;
}

static gboolean
check_param (const MusterProtocol *protocol, const MusterParam *param, char **reason)
{
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;

  if (!is_name (param->name) || param->label == NULL || param->help == NULL)
    return bad (reason, "a parameter of protocol %s has no name, label or help", protocol->id);
  if (muster_protocol_find_param (protocol, param->name) != param)
    return bad (reason, "protocol %s has two parameters called %s", protocol->id, param->name);
  if (param->type < MUSTER_PARAM_STRING || param->type > MUSTER_PARAM_BOOLEAN)
    return bad (reason, "parameter %s of protocol %s has no type that we know", param->name,
                protocol->id);
  if ((param->flags & MUSTER_PARAM_SECRET) != 0 &&
      (param->type != MUSTER_PARAM_STRING || param->default_value != NULL))
    return bad (reason, "secret %s of protocol %s is not text, or has a default", param->name,
                protocol->id);

  if (param->pattern != NULL && !is_pattern (param->pattern))
    return bad (reason, "the pattern of parameter %s of protocol %s is none", param->name,
                protocol->id);

  if (param->default_value == NULL)
    return TRUE;
  value = muster_param_parse (param, param->default_value, &error);
  if (value == NULL)
    return bad (reason, "the default of a parameter of protocol %s is wrong: %s", protocol->id,
                error->message);

  return TRUE;
}

static gboolean
check_protocol (const MusterProtocol *protocol, char **reason)
{
  if (protocol == NULL || protocol->struct_size < sizeof (MusterProtocol))
    return bad (reason, "the description of a protocol is missing, or shorter than ABI %d has it",
                MUSTER_PLUGIN_ABI);
  if (!is_name (protocol->id) || protocol->display_name == NULL || protocol->uri_schemes == NULL ||
      protocol->address_help == NULL)
    return bad (reason, "the description of a protocol leaves out its id, name, schemes or help");
  if (protocol->address_pattern != NULL && !is_pattern (protocol->address_pattern))
    return bad (reason, "the pattern of the addresses of protocol %s is none", protocol->id);
  if (protocol->n_params > PARAMS_MAX || (protocol->n_params > 0 && protocol->params == NULL))
    return bad (reason, "protocol %s says it has %u parameters", protocol->id, protocol->n_params);

  for (guint i = 0; i < protocol->n_params; i++) {
    if (!check_param (protocol, &protocol->params[i], reason))
      return FALSE;
  }

  return TRUE;
}

static const char *
kind_name (const MusterKind *kind)
{
  return kind->type == MUSTER_KIND_PROTOCOL ? kind->protocol->id : kind->name;
}

static gboolean
check_info (const MusterPluginInfo *info, char **reason)
{
  if (info->abi != MUSTER_PLUGIN_ABI)
    return bad (reason, "it was built for plugin ABI %u; this daemon has %u", info->abi,
                (guint) MUSTER_PLUGIN_ABI);
  if (info->struct_size < sizeof (MusterPluginInfo))
    return bad (reason, "its table is shorter than ABI %u has it", (guint) MUSTER_PLUGIN_ABI);
  if (!is_name (info->name) || info->version == NULL || info->licence == NULL ||
      info->description == NULL || info->kinds == NULL)
    return bad (reason, "its table leaves out its name, version, licence, description or kinds");
  if (info->kinds[0] == NULL)
    return bad (reason, "it does nothing: its list of kinds is empty");

  for (guint i = 0; info->kinds[i] != NULL; i++) {
    const MusterKind *kind = info->kinds[i];

    if (i >= KINDS_MAX)
      return bad (reason, "its list of kinds does not end");
    if (kind->type < MUSTER_KIND_PROTOCOL || kind->type > MUSTER_KIND_LISTENER)
      return bad (reason, "it is of a kind (%d) that this daemon does not know", (int) kind->type);
    if (kind->get_type == NULL)
      return bad (reason, "one of its kinds has no type");
    if (kind->type == MUSTER_KIND_PROTOCOL) {
      if (!check_protocol (kind->protocol, reason))
        return FALSE;
    } else if (!is_name (kind->name)) {
      return bad (reason, "one of its sinks or listeners has no name");
    }
    for (guint j = 0; j < i; j++) {
      if (info->kinds[j]->type == kind->type &&
          g_str_equal (kind_name (info->kinds[j]), kind_name (kind)))
        return kind->type == MUSTER_KIND_PROTOCOL
                 ? bad (reason, "it speaks protocol %s twice", kind_name (kind))
                 : bad (reason, "it has two sinks or listeners called %s", kind_name (kind));
    }
  }

  return TRUE;
}

/* opening */

static char *
name_from_path (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  char *dot = strchr (base, '.');
  GString *name = g_string_new (NULL);

  if (dot != NULL)
    *dot = '\0';
  for (const char *p = g_str_has_prefix (base, "muster-") ? base + 7 : base; *p != '\0'; p++)
    g_string_append_c (name, g_ascii_isalnum (*p) ? g_ascii_tolower (*p) : '-');
  g_string_truncate (name, MIN (name->len, NAME_MAX_BYTES));

  return g_string_free (name, FALSE);
}

static MusterModule *
muster_module_new (const char *path)
{
  MusterModule *self = g_new0 (MusterModule, 1);

  self->path = g_strdup (path);
  self->name = name_from_path (path);
  self->reason = g_strdup ("");

  return self;
}

MusterModule *
muster_module_new_unopened (const char *path, const char *reason)
{
  MusterModule *self = muster_module_new (path);

  muster_module_fail (self, reason);
  return self;
}

/* Takes @reason. */
static void
muster_module_suspend (MusterModule *self, char *reason)
{
  g_message ("plugin %s (%s) is suspended: %s", self->name, self->path, reason);
  g_free (self->reason);
  self->reason = reason;
  self->suspended_as = g_strdup (self->name);
}

static void
muster_module_load (MusterModule *self)
{
  g_autofree char *reason = NULL;
  const MusterPluginInfo *info = NULL;
  GModule *module;

  muster_crash_record_set_loading (self->name);
  module = g_module_open (self->path, G_MODULE_BIND_LOCAL | G_MODULE_BIND_LAZY);
  muster_crash_record_set_loading (NULL);
  if (module == NULL) {
    reason = g_strdup_printf ("it cannot be opened: %s", g_module_error ());
    muster_module_fail (self, reason);
    return;
  }

  /* Its constructors have run and it may have registered types: it can never be closed again. */
  g_module_make_resident (module);

  if (!g_module_symbol (module, MUSTER_PLUGIN_SYMBOL, (gpointer *) &info) || info == NULL) {
    muster_module_fail (self, "it is no plugin: it has no symbol " MUSTER_PLUGIN_SYMBOL);
    return;
  }

  if (!check_info (info, &reason)) {
    muster_module_fail (self, reason);
    return;
  }

  g_free (self->name);
  self->name = g_strdup (info->name);
  self->info = info;
  muster_crash_record_add_plugin (self->name, info);
}

MusterModule *
muster_module_open (const char *path)
{
  MusterModule *self = muster_module_new (path);
  gboolean unloadable;
  char *reason;

  reason = muster_crash_record_dup_reason (self->name, &unloadable);
  if (reason != NULL && unloadable) {
    muster_module_suspend (self, reason);
    return self;
  }
  g_free (reason);

  muster_module_load (self);
  reason = self->info != NULL ? muster_crash_record_dup_reason (self->name, &unloadable) : NULL;
  if (reason != NULL)
    muster_module_suspend (self, reason);

  return self;
}

void
muster_module_free (MusterModule *self)
{
  if (self == NULL)
    return;

  muster_module_stop (self);
  g_free (self->path);
  g_free (self->name);
  g_free (self->reason);
  g_free (self->suspended_as);
  g_free (self);
}

static GType
base_type (MusterKindType type)
{
  switch (type) {
  case MUSTER_KIND_PROTOCOL:
    return MUSTER_TYPE_REGISTRATION;
  case MUSTER_KIND_SINK:
    return MUSTER_TYPE_SINK;
  case MUSTER_KIND_LISTENER:
    return MUSTER_TYPE_LISTENER;
  }

  g_return_val_if_reached (G_TYPE_INVALID);
}

static gboolean
check_types (MusterModule *self, GError **error)
{
  for (guint i = 0; self->info->kinds[i] != NULL; i++) {
    const MusterKind *kind = self->info->kinds[i];
    guint64 outer = muster_execution_enter ((gconstpointer) kind->get_type);
    GType base = base_type (kind->type);
    GType type = kind->get_type ();

    if (G_TYPE_IS_OBJECT (type))
      g_type_class_unref (g_type_class_ref (type)); /* its class begins while we look */
    muster_execution_leave (outer);

    if (!g_type_is_a (type, base) || G_TYPE_IS_ABSTRACT (type)) {
      g_set_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID,
                   kind->type == MUSTER_KIND_PROTOCOL
                     ? "the type of protocol %s is not a %s, or another plugin took its name"
                     : "the type of %s is not a %s, or another plugin took its name",
                   kind_name (kind), g_type_name (base));
      return FALSE;
    }
  }

  return TRUE;
}

gboolean
muster_module_start (MusterModule *self, GError **error)
{
  g_autoptr (GError) local = NULL;
  guint64 outer;
  GType type;

  if (self->info == NULL || self->suspended_as != NULL) {
    g_set_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID, "%s", self->reason);
    return FALSE;
  }

  if (self->started)
    return TRUE;

  if (!check_types (self, &local)) {
    muster_module_fail (self, local->message);
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }

  if (self->info->get_context_type != NULL) {
    outer = muster_execution_enter ((gconstpointer) self->info->get_context_type);
    type = self->info->get_context_type ();
    if (!g_type_is_a (type, MUSTER_TYPE_PLUGIN_CONTEXT) || G_TYPE_IS_ABSTRACT (type))
      g_set_error (&local, MUSTER_ERROR, MUSTER_ERROR_INVALID,
                   "the type of its context is not a MusterPluginContext");
    else
      self->context = g_object_new (type, NULL);
    muster_execution_leave (outer);
    if (self->context != NULL)
      muster_plugin_context_set_record_host (self->context, self->name, self->record_host,
                                             self->record_data);

    if (self->context == NULL || !muster_plugin_context_start (self->context, &local)) {
      g_autofree char *reason = NULL;

      reason = g_strdup_printf ("it did not start: %s",
                                local != NULL ? local->message : "it did not say why");
      g_clear_object (&self->context);
      muster_module_fail (self, reason);
      g_set_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID, "%s", reason);
      return FALSE;
    }
  }

  self->started = TRUE;
  return TRUE;
}

void
muster_module_stop (MusterModule *self)
{
  if (self->context != NULL) {
    muster_plugin_context_stop (self->context);
    /* Somebody may still hold it; what it asks for now comes too late. */
    muster_plugin_context_set_record_host (self->context, NULL, NULL, NULL);
  }
  g_clear_object (&self->context);
  self->started = FALSE;
}

void
muster_module_set_record_host (MusterModule *self, const MusterRecordHost *host, gpointer host_data)
{
  self->record_host = host;
  self->record_data = host_data;
}

void
muster_module_fail (MusterModule *self, const char *reason)
{
  g_message ("plugin %s (%s) is not used: %s", self->name, self->path, reason);
  g_free (self->reason);
  self->reason = g_utf8_make_valid (reason, -1);
  g_clear_pointer (&self->suspended_as, g_free);
  self->info = NULL;
}

void
muster_module_set_name (MusterModule *self, const char *name)
{
  g_free (self->name);
  self->name = g_strdup (name);
}

gboolean
muster_module_is_suspended (MusterModule *self)
{
  return self->suspended_as != NULL;
}

void
muster_module_resume (MusterModule *self)
{
  g_return_if_fail (self->suspended_as != NULL);

  muster_crash_record_forgive (self->suspended_as);
  g_clear_pointer (&self->suspended_as, g_free);
  g_free (self->reason);
  self->reason = g_strdup ("");
  if (self->info == NULL)
    muster_module_load (self);
}

const char *
muster_module_get_name (MusterModule *self)
{
  return self->name;
}

const char *
muster_module_get_path (MusterModule *self)
{
  return self->path;
}

const char *
muster_module_get_reason (MusterModule *self)
{
  return self->reason;
}

const MusterPluginInfo *
muster_module_get_info (MusterModule *self)
{
  return self->info;
}

MusterPluginContext *
muster_module_get_context (MusterModule *self)
{
  return self->context;
}
