/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-config.h"
#include "muster-sip-context.h"
#include "muster-sip-registration.h"

/*
 * What the plugin says about itself: data, read before anything here runs.
 */

#define SERVICE "Service"
#define ACCOUNT "Account"

static const char *const transports[] = { "udp", "tcp", "tls", "auto", NULL };
static const char *const profiles[] = { "standard", "gb28181", NULL };
static const char *const schemes[] = { "sip", NULL };

static const MusterParam params[] = {
  {
    .name = "password",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_SECRET,
    .label = "Password",
    .help = "The password of the account. Not needed if the service knows you by other means.",
    .group = ACCOUNT,
  },
  {
    .name = "auth-user",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_SENSITIVE | MUSTER_PARAM_BINDS_SECRET | MUSTER_PARAM_ADVANCED,
    .label = "Authentication user",
    .help = "The name that goes with the password, if it is not the one in the address.",
    .group = ACCOUNT,
  },
  {
    .name = "display-name",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_SENSITIVE,
    .label = "Display name",
    .help = "The name that others see.",
    .group = ACCOUNT,
  },
  {
    .name = "server",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_BINDS_SECRET,
    .label = "Server",
    .help = "The registrar as host or host:port, if it is not the domain of the address.",
    .group = SERVICE,
    .pattern = "\\S+",
  },
  {
    .name = "outbound-proxy",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_BINDS_SECRET | MUSTER_PARAM_ADVANCED,
    .label = "Outbound proxy",
    .help = "Where all requests go first, as host, host:port or SIP URI.",
    .group = SERVICE,
    .pattern = "\\S+",
  },
  {
    .name = "transport",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_BINDS_SECRET | MUSTER_PARAM_ADVANCED,
    .label = "Transport",
    .help =
      "How to talk to the server: auto is the first of TLS, TCP and UDP, or of what the service "
      "says in DNS, that works; a certificate that is not trusted ends that.",
    .group = SERVICE,
    .default_value = "udp",
    .choices = transports,
  },
  {
    .name = "tls-ca",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_BINDS_SECRET | MUSTER_PARAM_ADVANCED,
    .label = "Certificate authority",
    .help = "The absolute path of a PEM file with authorities to trust beside the system's.",
    .group = SERVICE,
    .pattern = "/.*",
  },
  {
    .name = "tls-pin",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_BINDS_SECRET | MUSTER_PARAM_ADVANCED,
    .label = "Pinned key",
    .help = "The SHA-256 of the server's public key in hexadecimal, to trust it whoever signed it.",
    .group = SERVICE,
    .pattern = "[0-9A-Fa-f]{64}",
  },
  {
    .name = "tls-cert",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_ADVANCED,
    .label = "Own certificate",
    .help = "The absolute path of a PEM file with the certificate by which the server knows you, "
            "if it asks for one.",
    .group = SERVICE,
    .pattern = "/.*",
  },
  {
    .name = "tls-key",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_ADVANCED,
    .label = "Own private key",
    .help = "The absolute path of a PEM file with the private key of that certificate, which only "
            "you may read.",
    .group = SERVICE,
    .pattern = "/.*",
  },
  {
    .name = "expires",
    .type = MUSTER_PARAM_UINT,
    .flags = MUSTER_PARAM_ADVANCED,
    .label = "Lease",
    .help =
      "For how many seconds to ask the server to keep the registration; else 600, or 86400 with "
      "profile gb28181.",
    .group = SERVICE,
    .min = 10,
    .max = 86400,
  },
  {
    .name = "profile",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_ADVANCED,
    .label = "Profile",
    .help =
      "What kind of service it is: gb28181 for video platforms by GB/T 28181, with addresses of 20 "
      "digits. They are not asked for presence, waiting messages and registration events unless "
      "that is set.",
    .group = SERVICE,
    .applies = MUSTER_APPLIES_RECREATE,
    .default_value = "standard",
    .choices = profiles,
  },
  {
    .name = "server-id",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_ADVANCED,
    .label = "Server's number",
    .help =
      "The 20 digits that name the platform itself, with profile gb28181: requests to it are for "
      "sip:DIGITS@DOMAIN then, else for sip:DOMAIN.",
    .group = SERVICE,
    .pattern = "[0-9]{20}",
  },
  {
    .name = "heartbeat",
    .type = MUSTER_PARAM_UINT,
    .flags = MUSTER_PARAM_ADVANCED,
    .label = "Heartbeat",
    .help =
      "Every how many seconds to tell a GB/T 28181 server that the account is there, 0 for never; "
      "else 60 with profile gb28181.",
    .group = SERVICE,
    .min = 0,
    .max = 3600,
  },
  {
    /* These three end what the server was asked for or told until then. */
    .name = "presence",
    .type = MUSTER_PARAM_BOOLEAN,
    .flags = MUSTER_PARAM_ADVANCED,
    .label = "Presence",
    .help = "Whether to tell the server how you are, and to ask it how your contacts are.",
    .group = SERVICE,
    .applies = MUSTER_APPLIES_RECREATE,
    .default_value = "true",
  },
  {
    .name = "message-waiting",
    .type = MUSTER_PARAM_BOOLEAN,
    .flags = MUSTER_PARAM_ADVANCED,
    .label = "Waiting messages",
    .help = "Whether to ask the server for messages that wait, as a voice mailbox has them, and to "
            "listen when it tells of them by itself.",
    .group = SERVICE,
    .applies = MUSTER_APPLIES_RECREATE,
    .default_value = "true",
  },
  {
    .name = "reg-event",
    .type = MUSTER_PARAM_BOOLEAN,
    .flags = MUSTER_PARAM_ADVANCED,
    .label = "Registration events",
    .help = "Whether to ask the server to tell when it drops the registration.",
    .group = SERVICE,
    .applies = MUSTER_APPLIES_RECREATE,
    .default_value = "true",
  },
};

static const MusterProtocol protocol = {
  .struct_size = sizeof (MusterProtocol),
  .id = "sip",
  .display_name = "SIP",
  .uri_schemes = schemes,
  .address_help = "user@example.org",
  .address_pattern = MUSTER_SIP_ADDRESS_PATTERN,
  .params = params,
  .n_params = G_N_ELEMENTS (params),
};

static const MusterKind sip_kind = {
  .type = MUSTER_KIND_PROTOCOL,
  .get_type = muster_sip_registration_get_type,
  .protocol = &protocol,
};

static const MusterKind *const kinds[] = { &sip_kind, NULL };

MUSTER_DEFINE_PLUGIN ("sip",
                      .version = MUSTER_SIP_VERSION,
                      .licence = "LGPL-2.1-or-later",
                      .description = "Registers SIP accounts",
                      .get_context_type = muster_sip_context_get_type,
                      .kinds = kinds)
