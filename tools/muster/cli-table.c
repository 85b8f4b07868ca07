/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-table.h"

#include "cli-json.h"
#include "cli-screen.h"
#include "cli-text.h"

#include <stdio.h>
#include <unistd.h>

/* How rows become lines. What stands in them is cli-field.c's matter. */

#define RESET "\033[0m"
#define BOLD  "\033[1m"

#define GAP       2  /* between columns */
#define MIN_WIDTH 8  /* a column that is cut further says nothing */
#define MIN_WRAP  28 /* sentences in a column that is narrower are hard to read */

static void
append_cell (GString *line, const char *text, guint width, const char *colour)
{
  if (colour != NULL)
    g_string_append (line, colour);
  g_string_append (line, text);
  if (colour != NULL)
    g_string_append (line, RESET);
  for (guint i = cli_text_width (text); i < width; i++)
    g_string_append_c (line, ' ');
}

/* fitting */

static guint
total_width (const GArray *widths)
{
  guint total = 0;

  for (guint i = 0; i < widths->len; i++) {
    guint width = g_array_index (widths, guint, i);

    if (width > 0)
      total += width + (total > 0 ? GAP : 0);
  }

  return total;
}

/* Has one column give way: cut if that is enough, or else gone. */
static void
give_way (const CliField *field, guint *width, guint over)
{
  *width = cli_field_may_be_cut (field) && *width >= MIN_WIDTH + over ? *width - over : 0;
}

/* The widest of those without which a row is nothing; -1: none can be cut any more. */
static int
find_widest (GPtrArray *columns, const GArray *widths)
{
  int widest = -1;
  guint max = MIN_WIDTH;

  for (guint i = 0; i < widths->len; i++) {
    if (g_array_index (widths, guint, i) <= max || !cli_field_may_be_cut (columns->pdata[i]))
      continue;
    widest = (int) i;
    max = g_array_index (widths, guint, i);
  }

  return widest;
}

static void
have_ranks_give_way (GPtrArray *columns, GArray *widths, guint max_width)
{
  guint rank = 0;

  for (guint i = 0; i < columns->len; i++)
    rank = MAX (rank, ((const CliField *) columns->pdata[i])->column);

  for (; rank > 1; rank--) {
    for (guint i = columns->len; i > 0; i--) {
      const CliField *field = columns->pdata[i - 1];
      guint total = total_width (widths);

      if (total <= max_width)
        return;
      if (field->column == rank && !field->wraps)
        give_way (field, &g_array_index (widths, guint, i - 1), total - max_width);
    }
  }
}

/* Sentences take what the other columns leave. */
void
cli_table_fit (GPtrArray *columns, GArray *widths, guint max_width)
{
  g_autoptr (GArray) wanted = g_array_copy (widths);
  int widest;

  if (total_width (widths) <= max_width)
    return;

  for (guint i = 0; i < columns->len; i++) {
    guint *width = &g_array_index (widths, guint, i);

    if (((const CliField *) columns->pdata[i])->wraps)
      *width = MIN (*width, MIN_WRAP);
  }
  have_ranks_give_way (columns, widths, max_width);
  while (total_width (widths) > max_width && (widest = find_widest (columns, widths)) >= 0)
    g_array_index (widths, guint, widest)--;

  for (guint i = 0; i < columns->len && total_width (widths) < max_width; i++) {
    guint *width = &g_array_index (widths, guint, i);

    if (((const CliField *) columns->pdata[i])->wraps)
      *width = MIN (*width + max_width - total_width (widths), g_array_index (wanted, guint, i));
  }
}

/* lines */

/* @max_width is for terminals that are too narrow even for what no row can do without. */
static char *
make_line (GPtrArray *cells, const GArray *widths, guint max_width, const char *const *colours)
{
  GString *line = g_string_new (NULL);
  guint left_width = max_width > 0 ? max_width : G_MAXUINT;

  for (guint i = 0; i < widths->len && left_width > 0; i++) {
    guint width = g_array_index (widths, guint, i);
    g_autofree char *text = NULL;

    if (width == 0)
      continue;
    text = cli_text_shorten (cells->pdata[i], MIN (width, left_width));
    append_cell (line, text, width + GAP, colours != NULL ? colours[i] : NULL);
    left_width -= MIN (left_width, width + GAP);
  }
  while (line->len > 0 && line->str[line->len - 1] == ' ')
    g_string_truncate (line, line->len - 1);

  return g_string_free (line, FALSE);
}

/* A line, or as many as the longest of its sentences needs. Changes @cells. */
static void
add_lines (GPtrArray *lines,
           GPtrArray *columns,
           GPtrArray *cells,
           const GArray *widths,
           guint max_width,
           const char *const *colours)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  guint n_lines = 1;

  for (guint i = 0; i < columns->len; i++) {
    guint width = g_array_index (widths, guint, i);
    gboolean wraps = ((const CliField *) columns->pdata[i])->wraps && width > 0;

    g_ptr_array_add (parts, cli_text_wrap (cells->pdata[i], wraps ? width : G_MAXUINT));
    n_lines = MAX (n_lines, ((GPtrArray *) parts->pdata[i])->len);
  }

  for (guint n = 0; n < n_lines; n++) {
    for (guint i = 0; i < columns->len; i++) {
      GPtrArray *part = parts->pdata[i];

      g_free (cells->pdata[i]);
      cells->pdata[i] = g_strdup (n < part->len ? part->pdata[n] : "");
    }
    g_ptr_array_add (lines, make_line (cells, widths, max_width, colours));
  }
}

GPtrArray *
cli_table_lines (const CliField *fields,
                 GPtrArray *rows,
                 gint64 now_us,
                 guint max_width,
                 gboolean colours)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) table = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  g_autoptr (GArray) widths = g_array_new (FALSE, TRUE, sizeof (guint));
  g_autoptr (GPtrArray) columns = g_ptr_array_new ();
  g_autoptr (GPtrArray) heading = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) cell_colours = g_ptr_array_new ();

  for (const CliField *field = fields; field->key != NULL; field++) {
    if (field->column == 0)
      continue;
    g_ptr_array_add (columns, (gpointer) field);
    g_ptr_array_add (heading, g_utf8_strup (field->label, -1));
  }
  g_array_set_size (widths, heading->len);
  g_ptr_array_set_size (cell_colours, (gint) heading->len);

  for (guint i = 0; i < rows->len; i++) {
    GPtrArray *cells = g_ptr_array_new_with_free_func (g_free);

    for (guint j = 0; j < columns->len; j++) {
      char *text = cli_field_to_text (columns->pdata[j], rows->pdata[i], now_us, TRUE);
      guint *width = &g_array_index (widths, guint, j);

      *width = MAX (*width, cli_text_width (text));
      g_ptr_array_add (cells, text);
    }
    g_ptr_array_add (table, cells);
  }

  /* A column that nobody fills is left out; one that somebody fills is as wide as its heading. */
  for (guint i = 0; i < widths->len; i++) {
    guint *width = &g_array_index (widths, guint, i);

    if (*width > 0)
      *width = MAX (*width, cli_text_width (g_ptr_array_index (heading, i)));
    cell_colours->pdata[i] = colours ? BOLD : NULL;
  }
  if (max_width > 0)
    cli_table_fit (columns, widths, max_width);
  add_lines (lines, columns, heading, widths, max_width, (const char *const *) cell_colours->pdata);

  for (guint i = 0; i < table->len; i++) {
    for (guint j = 0; j < columns->len; j++)
      cell_colours->pdata[j] = (gpointer) (colours
                                             ? cli_field_colour (columns->pdata[j], rows->pdata[i])
                                             : NULL);
    add_lines (lines, columns, table->pdata[i], widths, max_width,
               (const char *const *) cell_colours->pdata);
  }

  return lines;
}

static void
print_json (const CliField *fields, GPtrArray *rows)
{
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  json_node_take_array (node, cli_fields_to_json_array (fields, rows));
  cli_json_print (node);
}

void
cli_table_print (Cli *cli, const CliField *fields, GPtrArray *rows)
{
  g_autoptr (GPtrArray) lines = NULL;

  if (cli->json) {
    print_json (fields, rows);
    return;
  }
  if (rows->len == 0)
    return;

  lines = cli_table_lines (fields, rows, g_get_real_time (), cli_screen_get_width (),
                           cli_text_colours ());
  for (guint i = 0; i < lines->len; i++)
    puts (g_ptr_array_index (lines, i));
}

void
cli_table_print_none (Cli *cli, const char *none)
{
  if (!cli->json && isatty (STDOUT_FILENO))
    puts (none);
}

void
cli_table_print_or (Cli *cli, const CliField *fields, GPtrArray *rows, const char *none)
{
  if (rows->len == 0)
    cli_table_print_none (cli, none);
  cli_table_print (cli, fields, rows);
}

static void
print_page (const CliField *fields, CliRow *row)
{
  gint64 now_us = g_get_real_time ();
  gboolean colours = cli_text_colours ();
  guint width = 0;

  for (const CliField *field = fields; field->key != NULL; field++)
    width = MAX (width, cli_text_width (field->label));

  for (const CliField *field = fields; field->key != NULL; field++) {
    g_autofree char *text = cli_field_to_text (field, row, now_us, FALSE);
    g_autoptr (GString) line = g_string_new (NULL);
    const char *colour = NULL;

    if (text[0] == '\0')
      continue;
    if (colours)
      colour = cli_field_colour (field, row);
    append_cell (line, field->label, width + 2, NULL);
    append_cell (line, text, 0, colour);
    puts (line->str);
  }
}

void
cli_table_print_one (Cli *cli, const CliField *fields, CliRow *row)
{
  JsonNode *node;

  if (!cli->json) {
    print_page (fields, row);
    return;
  }
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (node, cli_fields_to_json (fields, row));
  cli_json_print (node);
}
