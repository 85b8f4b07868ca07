/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-table.h"

#include "cli-json.h"
#include "cli-text.h"

#include <stdio.h>

/* How rows become lines. What stands in them is cli-field.c's matter. */

#define RESET "\033[0m"
#define BOLD  "\033[1m"

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

/* Returns: the cell's text, cut to what is left of the line; @left_width is reduced by @width. */
static char *
fit_cell (const char *text, guint width, guint *left_width, guint max_width)
{
  char *cut;

  if (max_width == 0)
    return g_strdup (text);
  cut = cli_text_shorten (text, *left_width);
  *left_width -= MIN (*left_width, width);

  return cut;
}

static char *
make_line (GPtrArray *cells, const GArray *widths, guint max_width, const char *const *colours)
{
  GString *line = g_string_new (NULL);
  guint left_width = max_width;
  guint last = 0;

  for (guint i = 0; i < widths->len; i++)
    if (g_array_index (widths, guint, i) > 0)
      last = i;

  for (guint i = 0; i <= last && i < widths->len; i++) {
    guint width = g_array_index (widths, guint, i);
    g_autofree char *text = NULL;

    if (width == 0)
      continue;
    text = fit_cell (g_ptr_array_index (cells, i), width + 2, &left_width, max_width);
    if (max_width > 0 && left_width == 0 && i < last)
      last = i;
    append_cell (line, text, i < last ? width + 2 : 0, colours != NULL ? colours[i] : NULL);
  }
  while (line->len > 0 && line->str[line->len - 1] == ' ')
    g_string_truncate (line, line->len - 1);

  return g_string_free (line, FALSE);
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
  g_autoptr (GPtrArray) heading = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) cell_colours = g_ptr_array_new ();

  for (const CliField *field = fields; field->key != NULL; field++) {
    if (field->column)
      g_ptr_array_add (heading, g_utf8_strup (field->label, -1));
  }
  g_array_set_size (widths, heading->len);
  g_ptr_array_set_size (cell_colours, (gint) heading->len);

  for (guint i = 0; i < rows->len; i++) {
    GPtrArray *cells = g_ptr_array_new_with_free_func (g_free);

    for (const CliField *field = fields; field->key != NULL; field++) {
      char *text;
      guint *width;

      if (!field->column)
        continue;
      text = cli_field_to_text (field, g_ptr_array_index (rows, i), now_us, TRUE);
      width = &g_array_index (widths, guint, cells->len);
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
  g_ptr_array_add (lines, make_line (heading, widths, max_width,
                                     (const char *const *) cell_colours->pdata));

  for (guint i = 0; i < table->len; i++) {
    guint column = 0;

    for (const CliField *field = fields; field->key != NULL; field++) {
      if (!field->column)
        continue;
      cell_colours->pdata[column++] =
        (gpointer) (colours ? cli_field_colour (field, g_ptr_array_index (rows, i)) : NULL);
    }
    g_ptr_array_add (lines, make_line (g_ptr_array_index (table, i), widths, max_width,
                                       (const char *const *) cell_colours->pdata));
  }

  return lines;
}

static void
print_json (const CliField *fields, GPtrArray *rows)
{
  JsonArray *array = json_array_sized_new (rows->len);
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  for (guint i = 0; i < rows->len; i++)
    json_array_add_object_element (array, cli_fields_to_json (fields, g_ptr_array_index (rows, i)));
  json_node_take_array (node, array);
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

  lines = cli_table_lines (fields, rows, g_get_real_time (), 0, cli_text_colours ());
  for (guint i = 0; i < lines->len; i++)
    puts (g_ptr_array_index (lines, i));
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
