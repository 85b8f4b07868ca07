/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTest"

#include "config.h"

#include "muster-test-report.h"

/* What was found, for people, for Meson (TAP) and for programs (JSON). */

typedef struct {
  char *name;
  gboolean kept;
  char *sentence;
} Step;

struct _MusterTestReport {
  char *path;
  char *protocol;
  char *address;
  GPtrArray *steps; /* Step */
  guint n_broken;
};

static void
step_free (gpointer data)
{
  Step *step = data;

  g_free (step->name);
  g_free (step->sentence);
  g_free (step);
}

MusterTestReport *
muster_test_report_new (const char *path)
{
  MusterTestReport *self = g_new0 (MusterTestReport, 1);

  self->path = g_strdup (path);
  self->protocol = g_strdup ("");
  self->address = g_strdup ("");
  self->steps = g_ptr_array_new_with_free_func (step_free);

  return self;
}

void
muster_test_report_set_account (MusterTestReport *self, const char *protocol, const char *address)
{
  g_free (self->protocol);
  self->protocol = g_strdup (protocol);
  g_free (self->address);
  self->address = g_strdup (address);
}

/* One line, whatever a plugin put into an error. */
static char *
tame (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *tame = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    g_string_append_unichar (tame, g_unichar_isprint (c) ? c : ' ');
  }

  return g_string_free (tame, FALSE);
}

void
muster_test_report_add (MusterTestReport *self,
                        const char *name,
                        const char *const *faults,
                        const char *note)
{
  Step *step = g_new0 (Step, 1);
  g_autofree char *joined = g_strjoinv ("; ", (GStrv) faults);

  step->name = g_strdup (name);
  step->kept = faults[0] == NULL;
  step->sentence = tame (step->kept ? note : joined);
  self->n_broken += step->kept ? 0 : 1;
  g_ptr_array_add (self->steps, step);
}

/**
 * muster_test_report_free:
 * @self: (transfer full) (nullable): a report
 */
void
muster_test_report_free (MusterTestReport *self)
{
  if (self == NULL)
    return;

  g_ptr_array_unref (self->steps);
  g_free (self->address);
  g_free (self->protocol);
  g_free (self->path);
  g_free (self);
}

/**
 * muster_test_report_is_kept:
 * @self: a report
 *
 * Returns: whether the plugin kept the whole contract
 */
gboolean
muster_test_report_is_kept (const MusterTestReport *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->n_broken == 0 && self->steps->len > 0;
}

/**
 * muster_test_report_to_text:
 * @self: a report
 *
 * Returns: (transfer full): a line for each step and a last one that counts, for people
 */
char *
muster_test_report_to_text (const MusterTestReport *self)
{
  GString *text = g_string_new (NULL);

  g_return_val_if_fail (self != NULL, NULL);

  g_string_append (text, self->path);
  if (*self->protocol != '\0')
    g_string_append_printf (text, ": protocol %s, account %s", self->protocol, self->address);
  g_string_append_c (text, '\n');
  for (guint i = 0; i < self->steps->len; i++) {
    const Step *step = self->steps->pdata[i];

    g_string_append_printf (text, "  %-7s %-15s %s\n", step->kept ? "ok" : "FAILED", step->name,
                            step->sentence);
  }
  g_string_append_printf (text, "contract: %u kept, %u broken\n", self->steps->len - self->n_broken,
                          self->n_broken);

  return g_string_free (text, FALSE);
}

/**
 * muster_test_report_to_tap:
 * @self: a report
 *
 * Returns: (transfer full): the report in the Test Anything Protocol, version 12
 */
char *
muster_test_report_to_tap (const MusterTestReport *self)
{
  GString *text = g_string_new (NULL);

  g_return_val_if_fail (self != NULL, NULL);

  g_string_append_printf (text, "1..%u\n", self->steps->len);
  for (guint i = 0; i < self->steps->len; i++) {
    const Step *step = self->steps->pdata[i];

    g_string_append_printf (text, "%s %u - %s\n# %s\n", step->kept ? "ok" : "not ok", i + 1,
                            step->name, step->sentence);
  }

  return g_string_free (text, FALSE);
}

/* @text has been tamed. */
static void
append_json_string (GString *json, const char *text)
{
  g_string_append_c (json, '"');
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\')
      g_string_append_c (json, '\\');
    g_string_append_c (json, *text);
  }
  g_string_append_c (json, '"');
}

static void
append_json_member (GString *json, const char *name, const char *value)
{
  g_autofree char *tamed = tame (value);

  g_string_append_printf (json, "\"%s\": ", name);
  append_json_string (json, tamed);
}

/**
 * muster_test_report_to_json:
 * @self: a report
 *
 * Returns: (transfer full): an object with `plugin` (the file), `protocol`, `address`, `kept`, and
 *   `steps`, each with `step`, `kept` and `sentence`; ends in a newline
 */
char *
muster_test_report_to_json (const MusterTestReport *self)
{
  GString *json = g_string_new ("{\n  ");

  g_return_val_if_fail (self != NULL, NULL);

  append_json_member (json, "plugin", self->path);
  g_string_append (json, ",\n  ");
  append_json_member (json, "protocol", self->protocol);
  g_string_append (json, ",\n  ");
  append_json_member (json, "address", self->address);
  g_string_append_printf (json, ",\n  \"kept\": %s,\n  \"steps\": [",
                          muster_test_report_is_kept (self) ? "true" : "false");
  for (guint i = 0; i < self->steps->len; i++) {
    const Step *step = self->steps->pdata[i];

    g_string_append (json, i == 0 ? "\n    { " : ",\n    { ");
    append_json_member (json, "step", step->name);
    g_string_append_printf (json, ", \"kept\": %s, ", step->kept ? "true" : "false");
    append_json_member (json, "sentence", step->sentence);
    g_string_append (json, " }");
  }
  g_string_append (json, "\n  ]\n}\n");

  return g_string_free (json, FALSE);
}
