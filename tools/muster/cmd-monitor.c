/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-bus.h"
#include "cli-json.h"
#include "cli-loop.h"
#include "cli-screen.h"
#include "cli-table.h"
#include "cli-text.h"
#include "cli-watch.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>
#include <unistd.h>

/* muster monitor: a table that lives, a line for each change, or a JSON object for each. */

#define REDRAW_MS 100 /* many changes at once are drawn once */

typedef struct {
  Cli *cli;
  CliWatch *watch;
  CliScreen screen;
  CliLoop *loop;
  guint redraw;
  gboolean live;
  gboolean daemon_away;
  gboolean bus_lost;
} Monitor;

/* What moves with each refresh is told by no change. */
static void
read_what_moves (Cli *cli, CliRow *row)
{
  static const char *const moving[] = { "Registration.Since", "Registration.ExpiresAt",
                                        "Registration.RefreshAt", "Registration.Refreshes",
                                        "Registration.NextVerificationAt" };
  g_autoptr (GHashTable) now = cli_row_new ();

  if (!cli_bus_load (cli, cli_row_get_string (row, "Path"), MUSTER_INTERFACE_REGISTRATION, now,
                     NULL))
    return; /* gone already: it is said next */
  for (gsize i = 0; i < G_N_ELEMENTS (moving); i++) {
    GVariant *value = cli_row_get (now, moving[i]);

    if (value != NULL)
      cli_row_take (row, moving[i], g_variant_ref (value));
  }
}

static void
print_json (CliWatchChange change, CliRow *row)
{
  JsonObject *object = row != NULL ? cli_fields_to_json (cli_account_fields, row)
                                   : json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_object_set_member (object, "time", cli_json_time ((guint64) g_get_real_time ()));
  json_object_set_string_member (object, "change", cli_watch_change_to_string (change));
  json_node_take_object (node, object);
  cli_json_print_line (node);
}

/* What of an account fits on a line: "waiting-retry (unreachable), next attempt in 12 s". */
static char *
describe (CliRow *row)
{
  static const char *const times[] = { "next-attempt-at", "expires-at", NULL };
  GString *out = g_string_new (NULL);
  gint64 now_us = g_get_real_time ();

  for (const CliField *field = cli_account_fields; field->key != NULL; field++) {
    g_autofree char *text = cli_field_to_text (field, row, now_us, TRUE);

    if (text[0] == '\0')
      continue;
    if (field->show == CLI_SHOW_STATE)
      g_string_append (out, text);
    else if (g_str_equal (field->key, "reason"))
      g_string_append_printf (out, " (%s)", text);
    else if (field->show == CLI_SHOW_PROOF)
      g_string_append_printf (out, ", %s: %s", field->label, text);
    else if (g_strv_contains (times, field->key))
      g_string_append_printf (out, ", %s %s", field->label, text);
  }

  return g_string_free (out, FALSE);
}

static void
print_line (CliWatchChange change, CliRow *row)
{
  g_autofree char *time = cli_text_time_local ((guint64) g_get_real_time ());
  g_autofree char *address = NULL;
  g_autofree char *state = NULL;

  if (row == NULL) {
    printf ("%s  %s\n", time,
            cli_daemon_change_to_words (change == CLI_WATCH_DAEMON_STARTED ? CLI_DAEMON_STARTED
                                                                           : CLI_DAEMON_STOPPED));
  } else {
    address = cli_text_escape (cli_row_get_string (row, "Account.Address"));
    state = change == CLI_WATCH_REMOVED ? g_strdup ("removed") : describe (row);
    printf ("%s  %s  %s\n", time, address, state);
  }
  fflush (stdout);
}

static gboolean
is_calm (CliRow *row)
{
  static const char *const calm[] = { "registered", "refreshing", "disabled", NULL };

  return g_strv_contains (calm, cli_row_get_string (row, "Registration.State")) &&
         !g_str_equal (cli_row_get_string (row, "Registration.Verification"), "failed");
}

/* What needs no attention goes last when the screen is too small for all. */
static int
compare_attention (gconstpointer a, gconstpointer b)
{
  return (int) is_calm (*(CliRow **) a) - (int) is_calm (*(CliRow **) b);
}

static void
draw (Monitor *self)
{
  g_autoptr (GPtrArray) rows = cli_watch_get_rows (self->watch);
  g_autoptr (GPtrArray) lines = NULL;
  guint width, height, n_all = rows->len, n_registered = 0, room;

  cli_account_sort (rows);
  for (guint i = 0; i < rows->len; i++) {
    const char *state = cli_row_get_string (g_ptr_array_index (rows, i), "Registration.State");

    n_registered += g_str_equal (state, "registered") || g_str_equal (state, "refreshing");
  }

  cli_screen_get_size (&width, &height);
  room = MAX (height, 5) - 3; /* the heading, the sum, and the cursor's line */
  if (rows->len > room) {
    g_ptr_array_sort (rows, compare_attention);
    g_ptr_array_set_size (rows, (gint) room);
  }

  lines = cli_table_lines (cli_account_fields, rows, g_get_real_time (), width,
                           cli_text_colours ());
  g_ptr_array_add (lines, g_strdup_printf ("%u of %u registered%s%s", n_registered, n_all,
                                           n_all > rows->len ? ", not all shown" : "",
                                           self->daemon_away ? ", musterd is not running" : ""));
  cli_screen_draw (&self->screen, lines);
}

static gboolean
on_redraw (gpointer user_data)
{
  Monitor *self = user_data;

  self->redraw = 0;
  draw (self);

  return G_SOURCE_REMOVE;
}

static gboolean
on_second (gpointer user_data)
{
  draw (user_data);

  return G_SOURCE_CONTINUE;
}

static void
on_change (CliWatchChange change, CliRow *row, gpointer user_data)
{
  Monitor *self = user_data;

  self->daemon_away = change == CLI_WATCH_DAEMON_STOPPED ||
                      (self->daemon_away && change != CLI_WATCH_DAEMON_STARTED);
  if (change == CLI_WATCH_BUS_LOST) {
    self->bus_lost = TRUE;
    cli_loop_quit (self->loop);
  } else if (self->live) {
    if (self->redraw == 0)
      self->redraw = g_timeout_add (REDRAW_MS, on_redraw, self);
  } else if (self->cli->json) {
    if (change == CLI_WATCH_CHANGED)
      read_what_moves (self->cli, row);
    print_json (change, row);
  } else {
    print_line (change, row);
  }
}

static gboolean
find_all (Cli *cli, char **selectors, GPtrArray *paths, GError **error)
{
  for (; *selectors != NULL; selectors++) {
    g_autofree char *path = cli_bus_find (cli, "account", *selectors, error);

    if (path == NULL)
      return FALSE;
    if (!g_ptr_array_find_with_equal_func (paths, path, g_str_equal, NULL))
      g_ptr_array_add (paths, g_steal_pointer (&path));
  }

  return TRUE;
}

static void
run (Monitor *self, guint max_s)
{
  guint second = 0;

  if (self->live) {
    draw (self);
    second = g_timeout_add_seconds (1, on_second, self);
  }

  cli_loop_run (self->loop, max_s);

  g_clear_handle_id (&second, g_source_remove);
  g_clear_handle_id (&self->redraw, g_source_remove);
  if (self->live)
    cli_screen_end (&self->screen);
}

CliExit
cmd_monitor (Cli *cli, char **argv)
{
  g_autofree char *max_text = NULL;
  const GOptionEntry entries[] = {
    { "for", 0, 0, G_OPTION_ARG_FILENAME, &max_text, "End after this time", "SECONDS" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_auto (CliLoop) loop = { NULL };
  g_autoptr (CliWatch) watch = NULL;
  g_auto (GStrv) rest = NULL;
  Monitor self = { .cli = cli, .loop = &loop };
  CliExit status;
  guint max_s = 0;

  if (!cli_command_parse (cli, argv, entries, 0, CLI_ANY_NUMBER, &rest, &status))
    return status;
  if (max_text != NULL && !cli_text_parse_seconds (max_text, &max_s, &error))
    return cli_error_report (error);

  cli_loop_init (&loop);
  self.live = !cli->json && isatty (STDOUT_FILENO);
  if (find_all (cli, rest, paths, &error))
    watch = cli_watch_new (cli, &cli_watch_accounts, paths->len > 0 ? paths : NULL, on_change,
                           &self, &error);
  if (watch == NULL) {
    g_clear_handle_id (&self.redraw, g_source_remove);
    return cli_error_report (error);
  }

  self.watch = watch;
  run (&self, max_s);
  if (!self.bus_lost)
    return CLI_OK;

  g_set_error (&error, CLI_ERROR, CLI_NO_DAEMON, "the session bus is gone");

  return cli_error_report (error);
}
