/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bus/muster-bus-private.h"

#include <muster/muster-param.h>

#include <stdint.h>
#include <string.h>

/* A dictionary as any client may send it: as options of a method, and as parameters of an account. The
 * first byte says whether the rest is a variant's text or its bytes. What is taken is what the
 * description allows; what is refused is refused in few, printable words. */

#define MAX_WORDS_BYTES 1024

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const MusterBusOption known[] = {
  { "name", "s" }, { "enabled", "b" }, { "identity", "o" }, { "kinds", "as" }, { NULL },
};

static const char *const choices[] = { "udp", "tcp", NULL };

static const MusterParam params[] = {
  { .name = "server", .type = MUSTER_PARAM_STRING, .label = "Server", .help = "A host" },
  { .name = "transport", .type = MUSTER_PARAM_STRING, .label = "Transport", .choices = choices },
  { .name = "code",
    .type = MUSTER_PARAM_STRING,
    .label = "Code",
    .help = "Four digits",
    .pattern = "[0-9]{4}" },
  { .name = "expires", .type = MUSTER_PARAM_UINT, .label = "Lease", .min = 10, .max = 86400 },
  { .name = "on", .type = MUSTER_PARAM_BOOLEAN, .label = "On" },
};

static const MusterProtocol protocol = {
  .struct_size = sizeof (MusterProtocol),
  .id = "fuzz",
  .display_name = "Fuzz",
  .address_help = "a@b",
  .params = params,
  .n_params = G_N_ELEMENTS (params),
};

static GVariant *
read_dictionary (const uint8_t *data, size_t size)
{
  g_autoptr (GVariant) raw = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (data[0] == 't') {
    g_autofree char *text = g_strndup ((const char *) data + 1, size - 1);

    if (!g_utf8_validate (text, -1, NULL))
      return NULL;
    return g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
  }

  bytes = g_bytes_new (data + 1, size - 1); /* a copy, which is aligned */
  raw = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));
  return g_variant_get_normal_form (raw); /* as GDBus hands it over */
}

static void
check_words (const GError *error)
{
  g_assert_nonnull (error);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_cmpuint (strlen (error->message), >, 0);
}

static void
check_taken (const MusterParam *param, GVariant *value)
{
  const char *text;
  guint number;

  switch (param->type) {
  case MUSTER_PARAM_STRING:
    text = g_variant_get_string (value, NULL);
    g_assert_cmpuint (strlen (text), <=, 4096);
    for (const char *c = text; *c != '\0'; c++)
      g_assert_false (g_ascii_iscntrl (*c));
    g_assert_true (param->choices == NULL || g_strv_contains (param->choices, text));
    g_assert_true (param->pattern == NULL || strlen (text) == 4);
    break;
  case MUSTER_PARAM_UINT:
    number = g_variant_get_uint32 (value);
    g_assert_true (number >= param->min && number <= param->max);
    break;
  case MUSTER_PARAM_BOOLEAN:
    g_assert_true (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN));
    break;
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GVariant) dictionary = NULL;
  g_autoptr (GError) error = NULL;
  GVariantIter iter;
  const char *name;
  GVariant *value;

  if (size == 0 || (dictionary = read_dictionary (data, size)) == NULL)
    return 0;

  if (!muster_bus_check_options (dictionary, "options", known, &error)) {
    check_words (error);
    g_assert_cmpuint (strlen (error->message), <=, MAX_WORDS_BYTES);
    for (const char *c = error->message; *c != '\0'; c++)
      g_assert_false (g_ascii_iscntrl (*c));
  }

  g_variant_iter_init (&iter, dictionary);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    const MusterParam *param = muster_protocol_find_param (&protocol, name);
    g_autoptr (GError) wrong = NULL;

    if (param == NULL)
      continue;
    if (muster_param_check (param, value, &wrong))
      check_taken (param, value);
    else
      check_words (wrong);
  }
  return 0;
}
