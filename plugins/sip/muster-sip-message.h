/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

/* What is answered when it comes in. */
#define MUSTER_SIP_ALLOWED_METHODS "INVITE, ACK, CANCEL, OPTIONS, MESSAGE, NOTIFY"

/* Extensions by their option tags (RFC 3261 section 19.2), as bits: those that we know. */
typedef guint MusterSipOptions;
#define MUSTER_SIP_OPTION_PATH     (1u << 0) /* RFC 3327 */
#define MUSTER_SIP_OPTION_OUTBOUND (1u << 1) /* RFC 5626 */
#define MUSTER_SIP_ALL_OPTIONS     (MUSTER_SIP_OPTION_PATH | MUSTER_SIP_OPTION_OUTBOUND)

/* A request as a state machine wants it sent: header values, complete and clean. What a transport adds
 * is Via, Max-Forwards and Content-Length. */
typedef struct {
  const char *method; /* static */
  char *request_uri;
  GStrv route; /* nullable: values of Route, in their order */
  char *from;
  char *to;
  char *call_id;
  guint32 cseq;
  char *contact;             /* nullable: one or more, joined by commas */
  const char *supported;     /* nullable; static */
  const char *accept;        /* nullable; static */
  const char *event;         /* nullable; static (RFC 6665, RFC 3903) */
  char *if_match;            /* nullable: SIP-If-Match (RFC 3903) */
  gint64 expires_s;          /* -1: not said */
  char *authorization;       /* nullable */
  char *proxy_authorization; /* nullable */
  const char *content_type;  /* of @body; static */
  char *body;                /* nullable: text */
} MusterSipRequest;

typedef struct {
  char *uri;
  char *user;       /* nullable; unescaped */
  char *instance;   /* nullable; the value of +sip.instance, unquoted */
  gint64 expires_s; /* -1: not said */
} MusterSipContact;

/* A final answer, with what the state machine looks at. */
typedef struct {
  guint status;
  char *reason;              /* printable, bounded */
  GPtrArray *www_challenges; /* of char *, NULL-terminated: header values */
  GPtrArray *proxy_challenges;
  char *authentication_info;       /* nullable */
  char *proxy_authentication_info; /* nullable */
  GPtrArray *contacts;             /* of MusterSipContact * */
  gint64 expires_s;                /* -1: no such header, or not a number */
  gint64 min_expires_s;
  gint64 retry_after_s;
  gint64 flow_timer_s;          /* RFC 5626 section 10 */
  char *received;               /* of the topmost Via, as written there; nullable */
  guint rport;                  /* likewise; 0: not said, or not a port (RFC 3581) */
  MusterSipOptions offered;     /* in Require or Supported */
  MusterSipOptions unsupported; /* in Unsupported */
  GStrv service_route;          /* of `<uri>;params`, nullable: whole, or none (RFC 3608) */
  GStrv associated_uris;        /* nullable (RFC 7315 section 4.1) */
  char *to_tag;                 /* nullable */
  GStrv record_route;           /* of `<uri>;params`, nullable: whole, or none (RFC 3261) */
  gboolean lost_record_route;   /* there was one, which cannot be kept */
  char *etag;                   /* nullable: SIP-ETag (RFC 3903) */
} MusterSipResponse;

/* What we keep of either. */
#define MUSTER_SIP_MAX_ADDRESSES     8
#define MUSTER_SIP_MAX_ADDRESS_BYTES 512

/* @method: static. It says nothing of Expires. */
MusterSipRequest *muster_sip_request_new (const char *method, const char *request_uri);
void muster_sip_request_free (MusterSipRequest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipRequest, muster_sip_request_free)

MusterSipResponse *muster_sip_response_new (guint status, const char *reason);
void muster_sip_response_add_contact (MusterSipResponse *self,
                                      const char *uri,
                                      const char *user,
                                      const char *instance,
                                      const char *expires);
void muster_sip_response_add_challenge (MusterSipResponse *self, gboolean proxy, const char *value);
/* %FALSE if there is no room for one more, or it may not be kept. */
gboolean muster_sip_response_add_service_route (MusterSipResponse *self, const char *value);
gboolean muster_sip_response_add_associated_uri (MusterSipResponse *self, const char *uri);
gboolean muster_sip_response_add_record_route (MusterSipResponse *self, const char *value);
/* Nobody changes it once it was handed on. */
MusterSipResponse *muster_sip_response_ref (const MusterSipResponse *self);
void muster_sip_response_unref (MusterSipResponse *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipResponse, muster_sip_response_unref)

/* 0 if we do not know the extension. */
MusterSipOptions muster_sip_option_parse (const char *tag);
/* The value of a header that lists them; %NULL for none. */
const char *muster_sip_options_to_string (MusterSipOptions options);

/* Delta seconds: digits and nothing else; clamped to 2^31 - 1. -1 for anything else, NULL too. */
gint64 muster_sip_parse_seconds (const char *text);

/* UTF-8 without control characters: the only text that goes into a message. Sofia's header builders
 * let CR LF through. */
gboolean muster_sip_text_is_clean (const char *text);

/* Whether an address of a server's (%MUSTER_SIP_MAX_ADDRESS_BYTES) may be kept to be sent later. */
gboolean muster_sip_address_is_fit (const char *text);

/* What can be shown of the server's words (nullable): one line of printable UTF-8 of at most @max_bytes,
 * cut between characters. */
char *muster_sip_text_dup_printable (const char *text, gsize max_bytes);

/* @n random digits out of lower-case hexadecimal. */
char *muster_sip_random_hex (guint n);
/* Of version 4 (RFC 9562 section 5.4). */
char *muster_sip_random_uuid (void);

char *
muster_sip_contact_uri (const char *token, const char *host, guint16 port, const char *params);
