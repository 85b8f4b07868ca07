/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-registration.h"

/* What the plugin says about itself. */

#define LIST(item) "((" item ")(,(" item "))*)?"
#define ADDRESS    "[^@\\s,=]+@[^@\\s,=]+"
#define PRESENCE   "offline|invisible|available|chat|away|xa|dnd"
#define PRESENCES  "offline,invisible,available,chat,away,xa,dnd"
#define VERDICT    "proven|missed|unsupported|error"
#define ERROR                                                                                      \
  "(unreachable|busy|refused|forbidden|conflict|expired|untrusted|needs-user|invalid|unsupported|" \
  "protocol)?"

/* clang-format off */
static const MusterParam params[] = {
  { .name = "lease", .type = MUSTER_PARAM_UINT, .default_value = "60", .max = 86400,
    .label = "Lease", .help = "For how long the service grants a registration, in seconds; 0: until it is lost" },
  { .name = "delay", .type = MUSTER_PARAM_UINT, .default_value = "0", .max = 60000, .applies = MUSTER_APPLIES_LIVE,
    .label = "Delay", .help = "How long the service takes to answer, in milliseconds" },
  { .name = "password", .type = MUSTER_PARAM_STRING, .flags = MUSTER_PARAM_SECRET,
    .label = "Password", .help = "A secret to play with; the service does not look at it" },
  { .name = "control", .type = MUSTER_PARAM_STRING, .pattern = "(/.*)?",
    .label = "Control socket", .help = "The absolute path of a unix datagram socket that takes commands, at most 107 bytes" },
  { .name = "supported", .type = MUSTER_PARAM_STRING, .default_value = PRESENCES, .pattern = LIST (PRESENCE),
    .label = "Presences", .help = "A list with commas of the presences that the service can say (" PRESENCES ")" },
  { .name = "contacts", .type = MUSTER_PARAM_STRING, .pattern = LIST (ADDRESS "=(" PRESENCE ")"),
    .flags = MUSTER_PARAM_SENSITIVE, .applies = MUSTER_APPLIES_RECREATE,
    .label = "Contacts", .help = "A list with commas of the contacts that the service holds, each ADDRESS=PRESENCE" },
  { .name = "verdicts", .type = MUSTER_PARAM_STRING, .default_value = "proven", .pattern = LIST (VERDICT),
    .applies = MUSTER_APPLIES_LIVE,
    .label = "Verdicts", .help = "A list with commas of what proofs of reachability come to, the last for ever (proven, missed, unsupported, error)" },
  { .name = "open-error", .type = MUSTER_PARAM_STRING, .pattern = ERROR, .applies = MUSTER_APPLIES_LIVE,
    .label = "Error of opening", .help = "The word of the error with which it fails to register, such as busy; empty: it succeeds" },
  { .name = "publish-error", .type = MUSTER_PARAM_STRING, .pattern = ERROR, .applies = MUSTER_APPLIES_LIVE,
    .label = "Error of publishing", .help = "The word of the error with which it fails to publish, such as busy; empty: it succeeds" },
  { .name = "watch-error", .type = MUSTER_PARAM_STRING, .pattern = ERROR, .applies = MUSTER_APPLIES_LIVE,
    .label = "Error of watching", .help = "The word of the error with which calls about contacts fail, such as busy; empty: they succeed" },
  { .name = "answer-error", .type = MUSTER_PARAM_STRING, .pattern = ERROR, .applies = MUSTER_APPLIES_LIVE,
    .label = "Error of answering", .help = "The word of the error with which it fails to answer offers, such as busy; empty: it succeeds" },
  { .name = "bind-error", .type = MUSTER_PARAM_STRING, .pattern = ERROR, .applies = MUSTER_APPLIES_LIVE,
    .label = "Error of bindings", .help = "The word of the error with which listing and removing bindings fail, such as busy; empty: they succeed" },
  { .name = "create-error", .type = MUSTER_PARAM_STRING, .pattern = ERROR, .applies = MUSTER_APPLIES_LIVE,
    .label = "Error of signing up", .help = "The word of the error with which signing up, changing secrets and deleting fail; empty: they succeed" },
};

static const MusterKind kind = {
  .type = MUSTER_KIND_PROTOCOL,
  .get_type = muster_echo_all_registration_get_type,
  .protocol = &(const MusterProtocol){
    .struct_size = sizeof (MusterProtocol),
    .id = "echo-all", .display_name = "Echo with everything", .uri_schemes = (const char *const[]){ "echo-all", NULL },
    .address_help = "alice@echo", .address_pattern = "[^@\\s]+@[^@\\s]+",
    .params = params, .n_params = G_N_ELEMENTS (params), .local = TRUE,
  },
};
/* clang-format on */

MUSTER_DEFINE_PLUGIN (
  "echo-all",
  .version = "0.1.0",
  .licence = "LGPL-2.1-or-later",
  .description = "A service that has everything and follows a script, for tests",
  .kinds = (const MusterKind *const[]){ &kind, NULL })
