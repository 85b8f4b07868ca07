/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-error.h"

#include "cli-text.h"
#include "muster-names.h"

#include <gio/gio.h>

#include <stdio.h>

/* What went wrong, as a sentence and an exit code. */

/* clang-format off */
G_DEFINE_QUARK (cli-error-quark, cli_error)
/* clang-format on */

/* Nobody has the name, and the bus cannot start who would. */
#define NO_SERVICE "org.freedesktop.DBus.Error.ServiceUnknown"

static const struct {
  const char *name;
  CliExit status;
} bus_errors[] = {
  { MUSTER_BUS_ERROR_NOT_FOUND, CLI_NOT_FOUND },
  { MUSTER_BUS_ERROR_AMBIGUOUS, CLI_AMBIGUOUS },
  { MUSTER_BUS_ERROR_INVALID_ARGUMENT, CLI_REFUSED },
  { MUSTER_BUS_ERROR_PREFIX "Invalid", CLI_REFUSED }, /* a plugin's word for the same */
  { MUSTER_BUS_ERROR_EXISTS, CLI_REFUSED },
  { MUSTER_BUS_ERROR_IN_USE, CLI_REFUSED },
  { MUSTER_BUS_ERROR_TOO_MANY, CLI_REFUSED },
  { MUSTER_BUS_ERROR_WRONG_STATE, CLI_REFUSED },
  { MUSTER_BUS_ERROR_LOCKED, CLI_REFUSED },
  { MUSTER_BUS_ERROR_UNSUPPORTED, CLI_REFUSED },
  { MUSTER_BUS_ERROR_STORE, CLI_FAILED },
  { MUSTER_BUS_ERROR_FAILED, CLI_FAILED },
  { "org.freedesktop.DBus.Error.InvalidArgs", CLI_REFUSED },
  { "org.freedesktop.DBus.Error.AccessDenied", CLI_REFUSED },
  { "org.freedesktop.DBus.Error.UnknownObject", CLI_NOT_FOUND },
  { NO_SERVICE, CLI_NO_DAEMON },
  { "org.freedesktop.DBus.Error.NameHasNoOwner", CLI_NO_DAEMON },
  { "org.freedesktop.DBus.Error.NoReply", CLI_NO_DAEMON },
  { "org.freedesktop.DBus.Error.Disconnected", CLI_NO_DAEMON },
};

CliExit
cli_error_exit_for_bus_name (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bus_errors); i++)
    if (g_str_equal (name, bus_errors[i].name))
      return bus_errors[i].status;

  if (g_str_has_prefix (name, "org.freedesktop.DBus.Error.Spawn."))
    return CLI_NO_DAEMON;

  return CLI_FAILED;
}

void
cli_error_translate (GError **error)
{
  g_autoptr (GError) raw = NULL;
  g_autofree char *name = NULL;
  CliExit status = CLI_FAILED;

  if (error == NULL || *error == NULL || (*error)->domain == CLI_ERROR)
    return;

  raw = g_steal_pointer (error);
  name = g_dbus_error_get_remote_error (raw);
  g_dbus_error_strip_remote_error (raw);

  if (name != NULL)
    status = cli_error_exit_for_bus_name (name);
  else if (g_error_matches (raw, G_IO_ERROR, G_IO_ERROR_CLOSED))
    status = CLI_NO_DAEMON;

  if (g_error_matches (raw, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY))
    g_set_error (error, CLI_ERROR, status, "musterd ended before it answered");
  else if (status == CLI_NO_DAEMON)
    g_set_error (error, CLI_ERROR, status, "musterd is not running and could not be started: %s%s",
                 raw->message,
                 g_strcmp0 (name, NO_SERVICE) == 0
                   ? "; if you started it just now, try again in a moment"
                   : "");
  else if (g_error_matches (raw, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    g_set_error (error, CLI_ERROR, status, "musterd does not answer");
  else if (g_error_matches (raw, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD) ||
           g_error_matches (raw, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE))
    g_set_error (error, CLI_ERROR, status, "the running musterd does not know how to do this: %s",
                 raw->message);
  else
    g_set_error_literal (error, CLI_ERROR, status,
                         raw->message[0] != '\0' ? raw->message : "musterd gave no reason");
}

void
cli_error_prefix (GError **error, const char *format, ...)
{
  g_autofree char *prefix = NULL;
  va_list args;

  if (error == NULL || *error == NULL || g_error_matches (*error, CLI_ERROR, CLI_NO_DAEMON))
    return;

  va_start (args, format);
  prefix = g_strdup_vprintf (format, args);
  va_end (args);
  g_prefix_error (error, "%s: ", prefix);
}

static void
print_error (const char *message)
{
  g_autofree char *safe = cli_text_escape (message);

  fflush (stdout);
  fprintf (stderr, "muster: %s\n", safe);
}

CliExit
cli_error_report (const GError *error)
{
  print_error (error->message);

  return error->domain == CLI_ERROR ? (CliExit) error->code : CLI_FAILED;
}

CliExit
cli_usage (const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  print_error (message);

  return CLI_USAGE;
}
