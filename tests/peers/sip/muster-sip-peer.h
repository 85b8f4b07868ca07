/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

/*
 * SipPeer:
 *
 * A SIP registrar over UDP that behaves, or misbehaves, as a scenario of its table says. It runs on the
 * default main context, and shares no code with what it tests: it reads messages line by line and
 * checks digests with GChecksum. The account is alice, the password `se:cret`.
 */
typedef struct _SipPeer SipPeer;

/* A request as it came. */
typedef struct {
  char *line; /* the request line */
  char *from;
  char *call_id;
  char *cseq;
  char *contact; /* all, joined by ", " */
  char *expires;
  char *authorization; /* nullable */
  gboolean authorized; /* the digest is right */
  guint16 port;        /* where it came from */
  guint n_copies;      /* 1: it was not repeated */
  gint64 copies_us[8]; /* when the first ones came */
  char *answer;        /* empty: none */
  guint answer_at_copy;
} SipPeerRequest;

SipPeer *sip_peer_new (const char *scenario, const char *address, guint16 port, GError **error);
void sip_peer_free (SipPeer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SipPeer, sip_peer_free)

/* The names of all scenarios, NULL-terminated. */
const char *const *sip_peer_list_scenarios (void);

/* From now on by another scenario, with the nonces and bindings that there are. */
void sip_peer_set_scenario (SipPeer *self, const char *scenario);

/* From now on answers one REGISTER after the other by the transcript in @file, the last answer again and
 * again, whatever the scenario says. The account is @user. */
gboolean sip_peer_play (SipPeer *self, const char *file, const char *user, GError **error);

/* From now on answers every REGISTER with @status and `Contact: <contact>`. */
void sip_peer_redirect (SipPeer *self, guint status, const char *contact);

guint16 sip_peer_get_port (SipPeer *self);
guint sip_peer_count_requests (SipPeer *self);
const SipPeerRequest *sip_peer_get_request (SipPeer *self, guint index);

/* Who hears of requests other than REGISTER, as text. They may be answered, passed on, or forgotten. */
typedef void (*SipPeerOtherFunc) (SipPeer *self,
                                  const char *text,
                                  GSocketAddress *from,
                                  gpointer user_data);
void sip_peer_set_other (SipPeer *self, SipPeerOtherFunc func, gpointer user_data);

/* The answer to @text: @headers (nullable), each with its line end. */
void sip_peer_answer (SipPeer *self,
                      const char *text,
                      GSocketAddress *to,
                      const char *status,
                      const char *headers);

/* Passes @text on to the last contact that registered, as a proxy does (RFC 3261 section 16). The answers to
 * it find their way back. */
void sip_peer_pass_on (SipPeer *self, const char *text);

/* Keep-alives: datagrams of CRLF CRLF. */
guint sip_peer_count_pings (SipPeer *self);

/* The contacts that it keeps, sorted, joined by blanks. */
char *sip_peer_dup_bindings (SipPeer *self);

/* Another device registers. */
void sip_peer_bind (SipPeer *self, const char *uri, guint lease_s);

/* Sends a request with @method and Request-URI @uri to where the last REGISTER came from. The final
 * answer's status line is then in sip_peer_get_answer(), empty until there is one. */
void sip_peer_send (SipPeer *self, const char *method, const char *uri);
const char *sip_peer_get_answer (SipPeer *self);

/* Sends any text to where the last REGISTER came from. Answers are as with sip_peer_send(), and counted. */
void sip_peer_send_text (SipPeer *self, const char *text);
guint sip_peer_count_answers (SipPeer *self);
