/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "cli-wait.h"

#define GO_ON   CLI_WAIT_GO_ON
#define REACHED CLI_WAIT_REACHED
#define FAILED  CLI_WAIT_FAILED

static CliRow *
make_row (const char *state, guint64 n_refreshes, guint64 registered_at_us)
{
  CliRow *row = cli_row_new ();

  cli_row_take (row, "Registration.State", g_variant_new_string (state));
  cli_row_take (row, "Registration.Refreshes", g_variant_new_uint64 (n_refreshes));
  cli_row_take (row, "Registration.RegisteredAt", g_variant_new_uint64 (registered_at_us));

  return row;
}

/* Every state, for everything that can be waited for. */
static void
test_every_state (void)
{
  static const struct {
    const char *state;
    CliWaitVerdict registered, disabled;
  } cases[] = {
    { "disabled", GO_ON, REACHED },    { "waiting-network", GO_ON, GO_ON },
    { "waiting-retry", GO_ON, GO_ON }, { "waiting-secret", FAILED, GO_ON },
    { "waiting-user", FAILED, GO_ON }, { "waiting-plugin", GO_ON, GO_ON },
    { "registering", GO_ON, GO_ON },   { "registered", REACHED, GO_ON },
    { "refreshing", REACHED, GO_ON },  { "unregistering", GO_ON, GO_ON },
    { "failed", FAILED, GO_ON },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GHashTable) row = make_row (cases[i].state, 0, 0);

    g_assert_cmpstr (cases[i].state, ==, cli_states[i]);
    g_assert_cmpint (cli_wait_judge (CLI_WAIT_REGISTERED, row, NULL), ==, cases[i].registered);
    g_assert_cmpint (cli_wait_judge (CLI_WAIT_DISABLED, row, NULL), ==, cases[i].disabled);
  }
  g_assert_null (cli_states[G_N_ELEMENTS (cases)]);
}

/* Being registered proves no refresh: a count or a new beginning does. */
static void
test_refreshed (void)
{
  static const struct {
    const char *state;
    guint64 n_refreshes, registered_at_us;
    CliWaitVerdict verdict;
  } cases[] = {
    { "registered", 4, 100, GO_ON },    { "refreshing", 4, 100, GO_ON },
    { "registered", 5, 100, REACHED },  { "registered", 4, 200, REACHED },
    { "refreshing", 5, 100, GO_ON },    { "waiting-retry", 4, 0, GO_ON },
    { "waiting-secret", 4, 0, FAILED }, { "failed", 4, 0, FAILED },
  };
  g_autoptr (GHashTable) before = make_row ("registered", 4, 100);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GHashTable)
      row = make_row (cases[i].state, cases[i].n_refreshes, cases[i].registered_at_us);

    g_assert_cmpint (cli_wait_judge (CLI_WAIT_REFRESHED, row, before), ==, cases[i].verdict);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/wait/every-state", test_every_state);
  g_test_add_func ("/cli/wait/refreshed", test_refreshed);

  return g_test_run ();
}
