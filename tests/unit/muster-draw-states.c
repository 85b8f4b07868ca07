/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-account-state.h"

#include <string.h>

/*
 * Draws doc/account-states.md from the table. It asks the function that the daemon asks, under every
 * set of conditions, and never looks at the table itself: what it draws is what happens.
 *
 *    muster-draw-states               prints the page
 *    muster-draw-states --check FILE  fails if FILE says something else
 */

#define N_STATES ((guint) MUSTER_ACCOUNT_STATE_LAST)
#define N_FACTS  ((guint) MUSTER_FACT_LAST)

/* A set of states, a bit each. */
static guint
targets_of (guint from, guint fact)
{
  guint targets = 0;

  for (guint conditions = 0; conditions <= MUSTER_CONDITIONS_ALL; conditions++) {
    MusterAccountState to;

    if (muster_account_state_next (from, fact, conditions, &to))
      targets |= 1u << to;
  }

  return targets;
}

#define BIT(state) (1u << MUSTER_ACCOUNT_##state)
#define WAITS                                                                                      \
  (BIT (DISABLED) | BIT (WAITING_PLUGIN) | BIT (FAILED) | BIT (WAITING_SECRET) |                   \
   BIT (WAITING_NETWORK))

static char *
describe_targets (guint targets)
{
  if (targets == (WAITS | BIT (REGISTERING)))
    return g_strdup ("*onward*");
  if (targets == (WAITS | BIT (REFRESHING) | BIT (UNREGISTERING)))
    return g_strdup ("*extend*");
  if (targets == (BIT (DISABLED) | BIT (UNREGISTERING)))
    return g_strdup ("*leave*");
  if (targets == (WAITS | BIT (REGISTERING) | BIT (UNREGISTERING)))
    return g_strdup ("*replace*");

  for (guint state = 0; state < N_STATES; state++) {
    if (targets == 1u << state)
      return g_strdup (muster_account_state_to_string (state));
  }

  g_error ("a fact leads to a set of states (0x%x) that has no name yet", targets);
}

static void
draw_words (GString *page)
{
  g_string_append (
    page,
    "<!--\n"
    "SPDX-FileCopyrightText: 2026 The Muster authors\n"
    "SPDX-License-Identifier: LGPL-2.1-or-later\n"
    "-->\n\n"
    "# The states of an account\n\n"
    "Drawn by `tests/unit/muster-draw-states` from the table in\n"
    "`core/broker/muster-account-state.c`; a test compares. Do not edit.\n\n"
    "A fact that is not listed for a state means nothing in it. Where a fact leads to:\n\n"
    "| word | meaning |\n"
    "|---|---|\n"
    "| *onward* | to the first of these whose condition is missing: `disabled` (nobody wants "
    "it), `waiting-plugin`, `failed` (not valid), `waiting-secret`, `waiting-network`; else to "
    "`registering` |\n"
    "| *extend* | like *onward*, but with nothing missing the account stays registered and is "
    "`refreshing`; and if nobody wants it, *leave* |\n"
    "| *leave* | to `unregistering` if the service may hold a registration of ours, and there "
    "is a plugin and a network to take it back by; else to `disabled` |\n"
    "| *replace* | to `unregistering` in the same case; else *onward* |\n\n");
}

static void
draw_state (GString *page, guint from)
{
  g_string_append_printf (page, "## %s\n\n| fact | leads to |\n|---|---|\n",
                          muster_account_state_to_string (from));

  for (guint fact = 0; fact < N_FACTS; fact++) {
    guint targets = targets_of (from, fact);
    g_autofree char *words = targets != 0 ? describe_targets (targets) : NULL;

    if (words != NULL)
      g_string_append_printf (page, "| %s | %s |\n", muster_account_fact_to_string (fact), words);
  }
  g_string_append_c (page, '\n');
}

/* What happens while nothing is missing: the facts that lead from one state to another. */
static void
draw_edge (GString *page, guint from, guint to)
{
  GString *facts = g_string_new (NULL);

  for (guint fact = 0; fact < N_FACTS; fact++) {
    MusterAccountState target;

    if (muster_account_state_next (from, fact, MUSTER_CONDITIONS_ALL, &target) && target == to)
      g_string_append_printf (facts, "%s%s", facts->len > 0 ? ", " : "",
                              muster_account_fact_to_string (fact));
  }
  if (facts->len > 0)
    g_string_append_printf (page, "  s%u --> s%u: %s\n", from, to, facts->str);
  g_string_free (facts, TRUE);
}

static void
draw_diagram (GString *page)
{
  g_string_append (page, "## While nothing is missing\n\n```mermaid\nstateDiagram-v2\n");
  for (guint state = 0; state < N_STATES; state++)
    g_string_append_printf (page, "  s%u: %s\n", state, muster_account_state_to_string (state));
  for (guint from = 0; from < N_STATES; from++) {
    for (guint to = 0; to < N_STATES; to++) {
      if (to != from)
        draw_edge (page, from, to);
    }
  }
  g_string_append (page, "```\n");
}

int
main (int argc, char **argv)
{
  g_autoptr (GString) page = g_string_new (NULL);
  g_autofree char *said = NULL;
  g_autoptr (GError) error = NULL;

  draw_words (page);
  for (guint state = 0; state < N_STATES; state++)
    draw_state (page, state);
  draw_diagram (page);

  if (argc == 1) {
    g_print ("%s", page->str);
    return 0;
  }
  if (argc != 3 || strcmp (argv[1], "--check") != 0) {
    g_printerr ("usage: %s [--check FILE]\n", argv[0]);
    return 2;
  }

  if (!g_file_get_contents (argv[2], &said, NULL, &error)) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  if (strcmp (said, page->str) != 0) {
    g_printerr ("%s does not say what the table says: run %s > %s\n", argv[2], argv[0], argv[2]);
    return 1;
  }

  return 0;
}
