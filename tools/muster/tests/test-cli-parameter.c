/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "cli-error.h"
#include "cli-parameter.h"
#include "cli-secret.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static GPtrArray *
known_parameters (void)
{
  g_autoptr (GVariant) parameters = g_variant_parse (
    G_VARIANT_TYPE ("aa{sv}"),
    "[{'name': <'server'>, 'type': <'s'>}, {'name': <'port'>, 'type': <'u'>},"
    " {'name': <'verify'>, 'type': <'b'>}, {'name': <'password'>, 'type': <'s'>, 'secret': <true>},"
    " {'name': <'odd'>, 'type': <'d'>},"
    " {'name': <'expires'>, 'type': <'u'>, 'min': <uint32 10>, 'max': <uint32 86400>},"
    " {'name': <'transport'>, 'type': <'s'>, 'choices': <['udp', 'tcp']>}]",
    NULL, NULL, NULL);

  return cli_parameters_new (parameters);
}

static void
test_split (void)
{
  static const struct {
    const char *text, *name, *value;
  } cases[] = {
    { "a=b", "a", "b" }, { "a=", "a", "" }, { "a=b=c", "a", "b=c" },
    { "a", NULL },       { "=b", NULL },    { "", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *name = NULL;
    g_autofree char *value = NULL;
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (cli_parameter_split (cases[i].text, &name, &value, &error), ==,
                     cases[i].name != NULL);
    g_assert_cmpstr (name, ==, cases[i].name);
    g_assert_cmpstr (value, ==, cases[i].value);
    if (cases[i].name == NULL)
      g_assert_error (error, CLI_ERROR, CLI_USAGE);
  }
}

/* What a word becomes, or NULL with the word that the message must hold. */
static void
test_parse (void)
{
  static const struct {
    const char *word, *variant, *hint;
  } cases[] = {
    { "server=42", "{'server': <'42'>}", NULL },
    { "server=", "{'server': <''>}", NULL },
    { "port=0", "{'port': <uint32 0>}", NULL },
    { "port=4294967295", "{'port': <uint32 4294967295>}", NULL },
    { "port=4294967296", NULL, "whole number" },
    { "port=-1", NULL, "whole number from 0 to 4294967295" },
    { "expires=abc", NULL, "whole number from 10 to 86400" },
    { "port= 1", NULL, "whole number" },
    { "port=0x10", NULL, "whole number" },
    { "port=", NULL, "whole number" },
    { "verify=Yes", "{'verify': <true>}", NULL },
    { "verify=1", "{'verify': <true>}", NULL },
    { "verify=off", "{'verify': <false>}", NULL },
    { "verify=", NULL, "true or false" },
    { "password=hunter2", NULL, "is a secret" },
    { "prot=1", NULL, "did you mean 'port'" },
    { "pasword=hunter2", NULL, "muster protocols sip" }, /* secrets are no hint for parameters */
    { "odd=1", NULL, "does not know" },
  };
  g_autoptr (GPtrArray) known = known_parameters ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const char *const words[] = { cases[i].word, NULL };
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) values = cli_parameters_parse (known, "sip", words, &error);
    g_autoptr (GVariant) expected = NULL;

    if (cases[i].variant == NULL) {
      g_assert_null (values);
      g_assert_nonnull (strstr (error->message, cases[i].hint));
      g_assert_null (strstr (error->message, "hunter2"));
      continue;
    }
    g_assert_no_error (error);
    expected = g_variant_parse (G_VARIANT_TYPE_VARDICT, cases[i].variant, NULL, NULL, NULL);
    g_assert_cmpvariant (values, expected);
  }
}

static void
test_values (void)
{
  g_autoptr (GPtrArray) known = known_parameters ();
  g_autofree char *range = cli_parameter_dup_values (cli_parameters_find (known, "expires"));
  g_autofree char *choices = cli_parameter_dup_values (cli_parameters_find (known, "transport"));

  g_assert_cmpstr (range, ==, "10 to 86400");
  g_assert_cmpstr (choices, ==, "udp, tcp");
  g_assert_null (cli_parameter_dup_values (cli_parameters_find (known, "server")));
}

static void
test_twice (void)
{
  const char *const words[] = { "port=1", "server=a", "port=1", NULL };
  g_autoptr (GPtrArray) known = known_parameters ();
  g_autoptr (GError) error = NULL;

  g_assert_null (cli_parameters_parse (known, "sip", words, &error));
  g_assert_error (error, CLI_ERROR, CLI_USAGE);
}

static void
test_names (void)
{
  g_autoptr (GPtrArray) known = known_parameters ();
  g_autoptr (GError) error = NULL;

  g_assert_true (cli_parameters_check_name (known, "sip", "password", TRUE, &error));
  g_assert_true (cli_parameters_check_name (known, "sip", "port", FALSE, &error));
  g_assert_no_error (error);
  g_assert_false (cli_parameters_check_name (known, "sip", "passwort", TRUE, &error));
  g_assert_nonnull (strstr (error->message, "did you mean 'password'"));
  g_clear_error (&error);
  g_assert_false (cli_parameters_check_name (known, "sip", "port", TRUE, &error));
  g_assert_error (error, CLI_ERROR, CLI_USAGE);
}

static void
test_secret_trim (void)
{
  g_assert_cmpuint (cli_secret_trim ("", 0), ==, 0);
  g_assert_cmpuint (cli_secret_trim ("\n", 1), ==, 0);
  g_assert_cmpuint (cli_secret_trim ("a\n", 2), ==, 1);
  g_assert_cmpuint (cli_secret_trim ("a\n\n", 3), ==, 2);
  g_assert_cmpuint (cli_secret_trim ("a\r\n", 3), ==, 2);
  g_assert_cmpuint (cli_secret_trim ("a b", 3), ==, 3);
}

/* In by one pipe, out by another, which ends after it. */
static void
test_secret_passes (void)
{
  g_autoptr (GError) error = NULL;
  char bytes[16];
  int ends[2], out;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (write (ends[1], "hunter2\n", 8), ==, 8);
  close (ends[1]);
  out = cli_secret_from_fd (ends[0], "password", &error);
  g_assert_no_error (error);
  g_assert_cmpint (read (out, bytes, sizeof bytes), ==, 7);
  g_assert_cmpmem (bytes, 7, "hunter2", 7);
  g_assert_cmpint (read (out, bytes, sizeof bytes), ==, 0);
  close (out);

  /* The end of the pipe: nothing in it */
  g_assert_cmpint (cli_secret_from_fd (ends[0], "password", &error), ==, -1);
  g_assert_error (error, CLI_ERROR, CLI_USAGE);
  close (ends[0]);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/parameter/split", test_split);
  g_test_add_func ("/cli/parameter/parse", test_parse);
  g_test_add_func ("/cli/parameter/values", test_values);
  g_test_add_func ("/cli/parameter/twice", test_twice);
  g_test_add_func ("/cli/parameter/names", test_names);
  g_test_add_func ("/cli/secret/trim", test_secret_trim);
  g_test_add_func ("/cli/secret/passes", test_secret_passes);

  return g_test_run ();
}
