/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-resolver.h>
#include <muster/muster-tls-key-pair.h>
#include <muster/muster-tls.h>
#include <muster/muster.h>

/* What an account uses besides registering: as it says, else as is usual for services of its profile. */
typedef enum {
  MUSTER_SIP_WISH_PRESENCE = 1 << 0,
  MUSTER_SIP_WISH_MESSAGE_WAITING = 1 << 1,
  MUSTER_SIP_WISH_REG_EVENT = 1 << 2,
} MusterSipWishes;

/* An account's parameters, checked and taken apart. */
typedef struct {
  char *user;         /* of the address, as written there */
  char *domain;       /* IPv6 in brackets */
  char *aor;          /* sip:user@domain */
  char *request_uri;  /* of the server: of REGISTER, and of what else is said to it itself */
  char *server_id;    /* the user part of that; nullable */
  char *display_name; /* nullable */
  char *auth_user;
  char *from_prefix; /* of From, up to the tag */
  char *to;          /* of a request to the account itself */
  char *hop_host;    /* where requests go: proxy, else server, else domain; IPv6 without brackets */
  guint16 hop_port;  /* 0: not said */
  gboolean hop_is_proxy; /* the account names a proxy: what is further on is its business */
  gboolean is_open;      /* the transport is the service's choice, and to be settled first */
  MusterTransport transport;
  GPtrArray
    *offers;      /* of MusterSipOffer: the way over UDP to what is an address already; nullable */
  char *route;    /* the same as text; nullable */
  char *tls_name; /* whom the certificate must be for; NULL unless TLS */
  MusterTlsTrust *trust;      /* NULL unless TLS */
  MusterTlsKeyPair *key_pair; /* who we are there; nullable */
  guint expires_s;
  guint heartbeat_s; /* 0: none */
  guint retry_floor_s;
  guint wishes;             /* MusterSipWishes */
  gboolean takes_documents; /* of GB/T 28181, in MESSAGE */
} MusterSipConfig;

/* What the account says. Empty strings count as unset. */
typedef struct {
  const char *address;
  const char *display_name;   /* nullable */
  const char *auth_user;      /* nullable */
  const char *server;         /* nullable */
  const char *outbound_proxy; /* nullable */
  const char *transport;      /* nullable: udp */
  const char *tls_ca;         /* nullable */
  const char *tls_pin;        /* nullable */
  const char *tls_cert;       /* nullable */
  const char *tls_key;        /* nullable */
  const char *profile;        /* nullable: standard */
  const char *server_id;      /* nullable */
  guint expires_s;            /* 0: the profile's */
  int heartbeat_s;            /* -1: the profile's */
} MusterSipSettings;

/* The address as an account has it: with or without `sip:`. */
#define MUSTER_SIP_ADDRESS_PATTERN                                                                 \
  "^(?:[sS][iI][pP]:)?[A-Za-z0-9_.!~*'()&=+$,;?/%-]+@"                                             \
  "(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\])$"

/* Whether @text is of that form. */
gboolean muster_sip_config_is_address (const char *text);

/* %NULL with %MUSTER_ERROR_INVALID at step configure if they make no sense. */
MusterSipConfig *muster_sip_config_new (const MusterSipSettings *settings, GError **error);

/* The same from an account's parameters. */
MusterSipConfig *muster_sip_config_read (MusterRegistration *registration, GError **error);

/* The same account where a 3xx answer sends it: to the server at @uri (RFC 3261 section 8.1.3.4), or through
 * the proxy there (%TRUE, section 21.3.4). %NULL with %MUSTER_ERROR_UNSUPPORTED if nobody may be followed
 * there: over another transport, or to nowhere. */
MusterSipConfig *muster_sip_config_redirect (const MusterSipConfig *self,
                                             const char *uri,
                                             gboolean to_proxy,
                                             GError **error);

/* The same account over @transport, for one whose transport is open. */
MusterSipConfig *muster_sip_config_settle (const MusterSipConfig *self, MusterTransport transport);

MusterSipConfig *muster_sip_config_ref (MusterSipConfig *self);
void muster_sip_config_unref (MusterSipConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipConfig, muster_sip_config_unref)

/* Takes `host`, `host:port`, `[v6]:port` or a SIP URI of these apart, for an account with this
 * @transport: `auto` becomes another if they say enough of it. */
gboolean muster_sip_config_parse_hop (const char *text,
                                      const char **transport,
                                      char **host,
                                      guint16 *port,
                                      GError **error);
