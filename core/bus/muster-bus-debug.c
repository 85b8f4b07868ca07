/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "broker/muster-metrics.h"
#include "muster-bus-private.h"
#include "muster-names.h"
#include "runtime/muster-log.h"

#include <muster/muster-hub.h>

#include <string.h>

/*
 * org.muster.Muster1.Debug and .Metrics: the log and numbers, for whoever looks for a fault.
 *
 * Who asks for more to be logged is followed for as long as it is on the bus, and is sent what is
 * logged, by and by: a hundred lines every 100 ms. What has left the ring before its turn is gone;
 * the numbers show it.
 */

#define FOLLOWERS_MAX 16
#define DOMAINS_MAX   32
#define DOMAIN_MAX    64
#define TURN_MS       100
#define TURN_LINES    100
#define LINES_MAX     1000 /* in one answer */

typedef struct {
  char *sender; /* unique name */
  guint watch_id;
  GStrv domains;
  gint64 last; /* the number of the line that it was sent last */
} Follower;

struct _MusterBusDebug {
  MusterBus *bus;
  GPtrArray *followers; /* Follower */
  MusterTimer turn;     /* armed while there are followers */
};

static void
follower_free (gpointer data)
{
  Follower *follower = data;

  g_bus_unwatch_name (follower->watch_id);
  g_free (follower->sender);
  g_strfreev (follower->domains);
  g_free (follower);
}

/* following */

typedef struct {
  MusterBusDebug *debug;
  Follower *follower;
  GPtrArray *lines; /* GVariant */
  guint max;
  gint64 last; /* that was looked at */
} Reading;

static GVariant *
build_line (const MusterLogLine *line)
{
  return g_variant_new ("(txsss)", (guint64) line->time_us, line->number, line->domain,
                        muster_log_level_to_string (line->level), line->text);
}

/* What others asked for is not for this one. */
static gboolean
is_for (const Follower *follower, const MusterLogLine *line)
{
  const char *const *domains = (const char *const *) follower->domains;

  return (line->level & (G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG)) == 0 ||
         g_strv_contains (domains, MUSTER_LOG_ALL) || g_strv_contains (domains, line->domain);
}

static gboolean
on_line (const MusterLogLine *line, gpointer user_data)
{
  Reading *reading = user_data;

  reading->last = line->number;
  if (reading->follower == NULL || is_for (reading->follower, line))
    g_ptr_array_add (reading->lines, g_variant_ref_sink (build_line (line)));

  return reading->lines->len < reading->max;
}

static void
follower_send (MusterBusDebug *self, Follower *follower)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  Reading reading = { self, follower, lines, TURN_LINES, follower->last };

  muster_log_foreach_after (follower->last, on_line, &reading);
  follower->last = reading.last;
  for (guint i = 0; i < lines->len; i++)
    g_dbus_connection_emit_signal (self->bus->connection, follower->sender, MUSTER_PATH,
                                   MUSTER_INTERFACE_DEBUG, "Message", lines->pdata[i], NULL);
}

static void
on_turn (MusterTimer *timer, gpointer user_data)
{
  MusterBusDebug *self = user_data;

  for (guint i = 0; i < self->followers->len; i++)
    follower_send (self, self->followers->pdata[i]);
  muster_timer_arm_in_ms (&self->turn, TURN_MS);
}

/* The log is told what all of them want together. */
static void
muster_bus_debug_settle (MusterBusDebug *self)
{
  g_autoptr (GPtrArray) domains = g_ptr_array_new ();

  for (guint i = 0; i < self->followers->len; i++) {
    const Follower *follower = self->followers->pdata[i];

    for (char **domain = follower->domains; *domain != NULL; domain++)
      g_ptr_array_add (domains, *domain);
  }
  g_ptr_array_add (domains, NULL);
  muster_log_set_domains ((const char *const *) domains->pdata);

  if (self->followers->len == 0)
    muster_timer_cancel (&self->turn);
  else if (!muster_timer_is_armed (&self->turn))
    muster_timer_arm_in_ms (&self->turn, TURN_MS);
}

static Follower *
find_follower (MusterBusDebug *self, const char *sender)
{
  for (guint i = 0; i < self->followers->len; i++) {
    Follower *follower = self->followers->pdata[i];

    if (g_str_equal (follower->sender, sender))
      return follower;
  }

  return NULL;
}

static void
muster_bus_debug_drop (MusterBusDebug *self, const char *sender)
{
  Follower *follower = find_follower (self, sender);

  if (follower != NULL)
    g_ptr_array_remove_fast (self->followers, follower);
  muster_bus_debug_settle (self);
}

static void
on_follower_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  muster_bus_debug_drop (user_data, name);
}

static gboolean
check_domain (const char *domain, GError **error)
{
  gboolean good = g_str_has_prefix (domain, MUSTER_LOG_DOMAIN_PREFIX) &&
                  strlen (domain) <= DOMAIN_MAX;

  for (const char *p = domain; good && *p != '\0'; p++)
    good = g_ascii_isalnum (*p) || *p == '-' || *p == '_';
  if (good || g_str_equal (domain, MUSTER_LOG_ALL))
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
               "domains: \"%.*s\" is neither \"" MUSTER_LOG_ALL
               "\" nor the name of one, such as MusterStanding",
               DOMAIN_MAX, domain);
  return FALSE;
}

/* Returns: the words of @text; NULL with an error */
static GStrv
split_domains (const char *text, GError **error)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GStrvBuilder) domains = g_strv_builder_new ();

  if (strlen (text) > DOMAINS_MAX * (DOMAIN_MAX + 1)) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "domains: more than %d", DOMAINS_MAX);
    return NULL;
  }

  words = g_strsplit (text, " ", DOMAINS_MAX + 1);
  if (g_strv_length (words) > DOMAINS_MAX) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "domains: more than %d", DOMAINS_MAX);
    return NULL;
  }
  for (char **word = words; *word != NULL; word++) {
    if (**word == '\0')
      continue;
    if (!check_domain (*word, error))
      return NULL;
    g_strv_builder_add (domains, *word);
  }

  return g_strv_builder_end (domains);
}

static gboolean
muster_bus_debug_follow (MusterBusDebug *self, const char *sender, GStrv domains, GError **error)
{
  Follower *follower = find_follower (self, sender);

  if (follower == NULL && self->followers->len >= FOLLOWERS_MAX) {
    g_strfreev (domains);
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
                 "%d callers follow the log already", FOLLOWERS_MAX);
    return FALSE;
  }

  if (follower == NULL) {
    follower = g_new0 (Follower, 1);
    follower->sender = g_strdup (sender);
    follower->last = muster_log_get_last ();
    follower->watch_id = g_bus_watch_name_on_connection (self->bus->connection, sender,
                                                         G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                                         on_follower_vanished, self, NULL);
    g_ptr_array_add (self->followers, follower);
  }
  g_strfreev (follower->domains);
  follower->domains = domains;
  muster_bus_debug_settle (self);

  return TRUE;
}

void
muster_bus_set_logging (MusterBus *bus,
                        gpointer unused,
                        GVariant *parameters,
                        GDBusMethodInvocation *invocation)
{
  MusterBusDebug *self = bus->debug;
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  g_autoptr (GVariant) options = NULL;
  const char *text;
  GStrv domains;
  GError *error = NULL;

  g_variant_get (parameters, "(&s@a{sv})", &text, &options);
  if (!muster_bus_no_options (options, invocation))
    return;

  domains = split_domains (text, &error);
  if (domains == NULL) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  if (domains[0] == NULL) {
    g_strfreev (domains);
    muster_bus_debug_drop (self, sender);
  } else if (!muster_bus_debug_follow (self, sender, domains, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }
  g_dbus_method_invocation_return_value (invocation, NULL);
}

/* reading */

static gboolean
parse_page (const char *cursor, guint limit, gint64 *after, GError **error)
{
  if (*cursor != '\0' &&
      !g_ascii_string_to_signed (cursor, 10, 0, G_MAXINT64 - MUSTER_LOG_MAX_LINES, after, NULL)) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "cursor: it is neither empty nor what the last call returned as next");
    return FALSE;
  }
  if (limit < 1 || limit > LINES_MAX) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "limit: it is from 1 to %d", LINES_MAX);
    return FALSE;
  }

  return TRUE;
}

void
muster_bus_get_messages (MusterBus *bus,
                         gpointer unused,
                         GVariant *parameters,
                         GDBusMethodInvocation *invocation)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  g_autoptr (GVariant) options = NULL;
  g_autofree char *next = NULL;
  const char *cursor;
  Reading reading = { bus->debug, NULL, lines, 0, 0 };
  GError *error = NULL;
  gint64 after = 0;

  g_variant_get (parameters, "(&su@a{sv})", &cursor, &reading.max, &options);
  if (!muster_bus_no_options (options, invocation))
    return;
  if (!parse_page (cursor, reading.max, &after, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  muster_log_foreach_after (after, on_line, &reading);
  next = reading.last != 0 && reading.last < muster_log_get_last ()
           ? g_strdup_printf ("%" G_GINT64_FORMAT, reading.last)
           : g_strdup ("");
  g_dbus_method_invocation_return_value (
    invocation, g_variant_new ("(@a(txsss)s)",
                               g_variant_new_array (G_VARIANT_TYPE ("(txsss)"),
                                                    (GVariant *const *) lines->pdata, lines->len),
                               next));
}

/* numbers */

void
muster_bus_get_metrics (MusterBus *bus,
                        gpointer unused,
                        GVariant *parameters,
                        GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);

  if (muster_bus_no_options (options, invocation))
    g_dbus_method_invocation_return_value (invocation,
                                           g_variant_new ("(@a{sv})",
                                                          muster_metrics_build (bus->broker)));
}

/* life */

MusterBusDebug *
muster_bus_debug_new (MusterBus *bus)
{
  MusterBusDebug *self = g_new0 (MusterBusDebug, 1);

  self->bus = bus;
  self->followers = g_ptr_array_new_with_free_func (follower_free);
  muster_timer_init (&self->turn, on_turn, self);

  return self;
}

void
muster_bus_debug_free (MusterBusDebug *self)
{
  if (self == NULL)
    return;

  muster_timer_cancel (&self->turn);
  muster_log_set_domains (NULL);
  g_ptr_array_unref (self->followers);
  g_free (self);
}
