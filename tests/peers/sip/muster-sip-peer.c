/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-peer.h"

#include "muster-sip-text.h"
#include "muster-sip-transcript.h"

#include <string.h>

#define PASSWORD "se:cret"

/* A scenario's row. What is 0 or NULL is as usual: every REGISTER is challenged by MD5 with qop=auth,
 * a nonce may be used again, our contact is granted the time it asked for. */
typedef struct {
  const char *name;
  const char *challenges; /* header lines; %n is the nonce */
  guint status;           /* the final answer to an authorized request; 0: 200 */
  const char *headers;    /* more lines in the final answer; %n is a new nonce */
  guint min_expires_s;    /* shorter ones get 423 */
  guint lease_s;          /* grants so much at most */
  guint delay_ms;         /* before any answer */
  gboolean open;          /* asks for no password */
  gboolean one_time;      /* a nonce is good for one request */
  gboolean stale;         /* with stale=true */
  gboolean never;         /* no nonce is ever good */
  gboolean silent;
  gboolean garbage;      /* sends rubbish before each answer */
  gboolean hide_contact; /* a 200 lists no contact */
  gboolean rewrite;      /* a 200 lists our contact with another host, and other devices */
  gboolean keeps;        /* says yes to a removal, and has it still */
  gboolean nat;          /* says that it sees us at 203.0.113.9:1025 */
} Scenario;

#define MD5                                                                                        \
  "WWW-Authenticate: Digest realm=\"cms.realm\", nonce=\"%n\", algorithm=MD5, qop=\"auth\""
#define SHA256                                                                                     \
  "WWW-Authenticate: Digest realm=\"cms.realm\", nonce=\"%n\", algorithm=SHA-256, qop=\"auth\""

static const Scenario scenarios[] = {
  { .name = "ok" },
  { .name = "open", .open = TRUE },
  { .name = "realm",
    .challenges = "WWW-Authenticate:  Digest  realm=\"kedacom \\\"x\\\"\", \r\n nonce=\"%n\", \r\n "
                  "opaque=\"00000000000000000000000000006334\", qop=\"auth,auth-int\" " },
  { .name = "no-qop", .challenges = "WWW-Authenticate: Digest realm=\"r\",nonce=\"%n\"" },
  { .name = "auth-int",
    .challenges = "WWW-Authenticate: Digest realm=\"r\", nonce=\"%n\", qop=\"auth-int\"" },
  { .name = "md5-sess",
    .challenges =
      "WWW-Authenticate: Digest realm=\"r\", nonce=\"%n\", algorithm=MD5-sess, qop=\"auth\"" },
  { .name = "sha256", .challenges = SHA256 },
  { .name = "multi", .challenges = MD5 "\r\n" SHA256 },
  { .name = "joined",
    .challenges = MD5
    ", Digest realm=\"cms.realm\", nonce=\"%n\", algorithm=SHA-256, qop=\"auth\"" },
  { .name = "one-time", .one_time = TRUE },
  { .name = "stale", .one_time = TRUE, .stale = TRUE },
  { .name = "stale-each-time", .never = TRUE, .stale = TRUE },
  { .name = "next-nonce",
    .one_time = TRUE,
    .headers = "Authentication-Info: qop=auth, nextnonce=\"%n\"\r\n" },
  { .name = "interval", .min_expires_s = 1800 },
  { .name = "busy", .status = 503, .headers = "Retry-After: 17 (later)\r\n" },
  { .name = "overloaded", .status = 503 },
  { .name = "forbidden", .status = 403 },
  { .name = "forbidden-open", .status = 403, .open = TRUE },
  { .name = "unknown", .status = 404 },
  { .name = "failing", .status = 500 },
  { .name = "shrink", .lease_s = 30 },
  { .name = "service-route",
    .headers = "Service-Route: <sip:p1.example.test;lr>, <sip:p2.example.test;lr>\r\n" },
  { .name = "rewritten", .rewrite = TRUE, .lease_s = 77 },
  { .name = "nat", .nat = TRUE },
  { .name = "keeps", .keeps = TRUE },
  { .name = "no-contact", .hide_contact = TRUE, .headers = "Expires: 240\r\n" },
  { .name = "nothing", .hide_contact = TRUE },
  { .name = "slow", .delay_ms = 700 },
  { .name = "garbage", .garbage = TRUE },
  { .name = "silent", .silent = TRUE },
};

#define PASSED_BRANCH "z9hG4bKpassed"

struct _SipPeer {
  const Scenario *scenario;
  GSocket *socket;
  GSource *source;
  GPtrArray *requests;  /* of SipPeerRequest * */
  GHashTable *bindings; /* contact URI -> seconds */
  GHashTable *used;     /* nonces that were used: a set */
  GHashTable *seen; /* branch and CSeq -> the request, lent: retransmissions get its answer again */
  SipTranscript *transcript; /* nullable: what is answered instead of what the scenario says */
  guint next_answer;         /* of it */
  char *user;
  guint n_nonces;
  GSocketAddress *client; /* of the last REGISTER */
  char *answer;           /* to what we sent: the last */
  guint n_answers;
  GSList *delayed; /* of GSource * */
  char *redirect;  /* NULL: it sends nobody elsewhere */
  guint redirect_status;
  guint n_pings;
  SipPeerOtherFunc other; /* nullable */
  gpointer other_data;
  guint n_passed;
};

static void
request_free (SipPeerRequest *request)
{
  g_free (request->line);
  g_free (request->from);
  g_free (request->call_id);
  g_free (request->cseq);
  g_free (request->contact);
  g_free (request->expires);
  g_free (request->authorization);
  g_free (request->answer);
  g_free (request);
}

/* reading */

/* A parameter of an Authorization header, unquoted. */
static char *
dup_param (const char *header, const char *name)
{
  g_autofree char *pattern = g_strdup_printf ("[ ,]%s=(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^\", ]*))",
                                              name);
  g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_CASELESS, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *quoted = NULL;

  if (!g_regex_match (regex, header, 0, &match))
    return g_strdup ("");
  quoted = g_match_info_fetch (match, 1);
  return *quoted != '\0' ? g_strcompress (quoted) : g_match_info_fetch (match, 2);
}

static char *
hash (const char *algorithm, const char *first, ...)
{
  gboolean sha256 = g_ascii_strncasecmp (algorithm, "SHA-256", 7) == 0;
  g_autoptr (GChecksum) sum = g_checksum_new (sha256 ? G_CHECKSUM_SHA256 : G_CHECKSUM_MD5);
  va_list fields;

  va_start (fields, first);
  for (const char *field = first; field != NULL; field = va_arg (fields, const char *)) {
    if (field != first)
      g_checksum_update (sum, (const guchar *) ":", 1);
    g_checksum_update (sum, (const guchar *) field, -1);
  }
  va_end (fields);
  return g_strdup (g_checksum_get_string (sum));
}

static gboolean
check_digest (SipPeer *self, const char *header)
{
  g_autofree char *algorithm = dup_param (header, "algorithm");
  g_autofree char *user = dup_param (header, "username");
  g_autofree char *realm = dup_param (header, "realm");
  g_autofree char *nonce = dup_param (header, "nonce");
  g_autofree char *cnonce = dup_param (header, "cnonce");
  g_autofree char *nc = dup_param (header, "nc");
  g_autofree char *qop = dup_param (header, "qop");
  g_autofree char *uri = dup_param (header, "uri");
  g_autofree char *response = dup_param (header, "response");
  g_autofree char *ha1 = hash (algorithm, user, realm, PASSWORD, NULL);
  g_autofree char *empty = hash (algorithm, "", NULL);
  g_autofree char *ha2 = NULL;
  g_autofree char *expected = NULL;

  if (strcmp (user, self->user) != 0)
    return FALSE;
  if (g_str_has_suffix (algorithm, "-sess")) {
    char *session = hash (algorithm, ha1, nonce, cnonce, NULL);

    g_free (ha1);
    ha1 = session;
  }
  ha2 = strcmp (qop, "auth-int") == 0 ? hash (algorithm, "REGISTER", uri, empty, NULL)
                                      : hash (algorithm, "REGISTER", uri, NULL);
  expected = *qop != '\0' ? hash (algorithm, ha1, nonce, nc, cnonce, qop, ha2, NULL)
                          : hash (algorithm, ha1, nonce, ha2, NULL);
  return strcmp (expected, response) == 0;
}

/* A nonce is good if we gave it, and a count is good once. */
static gboolean
use_nonce (SipPeer *self, const char *header)
{
  g_autofree char *nonce = dup_param (header, "nonce");
  g_autofree char *nc = dup_param (header, "nc");
  guint64 number = 0;

  if (self->scenario->never || self->n_nonces == 0 || !g_str_has_prefix (nonce, "nonce") ||
      !g_ascii_string_to_unsigned (nonce + 5, 10, 1, self->n_nonces, &number, NULL))
    return FALSE;
  if (*nc == '\0' && !self->scenario->one_time)
    return TRUE;
  return g_hash_table_add (self->used, self->scenario->one_time ? g_steal_pointer (&nonce)
                                                                : g_strconcat (nonce, nc, NULL));
}

static SipPeerRequest *
read_request (SipPeer *self, const char *text, guint16 port)
{
  SipPeerRequest *request = g_new0 (SipPeerRequest, 1);

  request->line = g_strndup (text, strcspn (text, "\r\n"));
  request->from = sip_text_dup_header (text, "From", ", ");
  request->call_id = sip_text_dup_header (text, "Call-ID", ", ");
  request->cseq = sip_text_dup_header (text, "CSeq", ", ");
  request->contact = sip_text_dup_header (text, "Contact", ", ");
  request->expires = sip_text_dup_header (text, "Expires", ", ");
  request->authorization = sip_text_dup_header (text, "Authorization", "\n");
  request->answer_at_copy = 1;
  request->port = port;
  request->authorized = request->authorization != NULL &&
                        check_digest (self, request->authorization);
  return request;
}

/* answering */

/* Each %n is a nonce never given before. */
static char *
fill_nonces (SipPeer *self, const char *template)
{
  g_auto (GStrv) parts = g_strsplit (template, "%n", 0);
  GString *filled = g_string_new (parts[0]);

  for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
    g_string_append_printf (filled, "nonce%u%s", ++self->n_nonces, parts[i]);
  return g_string_free (filled, FALSE);
}

static char *
build_answer (SipPeer *self,
              const char *request,
              GSocketAddress *from,
              const char *status,
              const char *headers)
{
  g_autofree char *via = sip_text_dup_header (request, "Via", "\r\nVia: ");
  g_autofree char *from_header = sip_text_dup_header (request, "From", ", ");
  g_autofree char *to = sip_text_dup_header (request, "To", ", ");
  g_autofree char *call_id = sip_text_dup_header (request, "Call-ID", ", ");
  g_autofree char *cseq = sip_text_dup_header (request, "CSeq", ", ");
  GInetAddress *address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (from));
  g_autofree char *ip = g_inet_address_to_string (address);
  g_autoptr (GString) marked = g_string_new (via);
  g_autofree char *rport = NULL;

  rport = g_strdup_printf (";rport=%u;received=%s",
                           g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (from)), ip);
  if (self->scenario->nat) {
    g_free (rport);
    rport = g_strdup (";rport=1025;received=203.0.113.9");
  }
  g_string_replace (marked, ";rport", rport, 1);
  return g_strdup_printf ("SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\n"
                          "CSeq: %s\r\n%sContent-Length: 0\r\n\r\n",
                          status, marked->str, from_header, to,
                          strstr (to, ";tag=") != NULL ? "" : ";tag=peer", call_id, cseq, headers);
}

static char *
build_challenge (SipPeer *self, gboolean again)
{
  const char *challenges = self->scenario->challenges;
  g_autofree char *filled = fill_nonces (self, challenges != NULL ? challenges : MD5);

  return g_strdup_printf ("%s%s\r\n", filled, again && self->scenario->stale ? ", stale=true" : "");
}

/* Keeps what a REGISTER asks for and lists what it has. */
static char *
build_bindings (SipPeer *self, const SipPeerRequest *request)
{
  g_autoptr (GRegex) regex = g_regex_new ("<(sip:[^>]*)>([^,]*)", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  guint asked_s = request->expires != NULL ? (guint) g_ascii_strtoull (request->expires, NULL, 10)
                                           : 3600;
  GString *list = g_string_new (NULL);
  GHashTableIter iter;
  gpointer uri;
  gpointer lease_s;

  if (self->scenario->lease_s != 0)
    asked_s = MIN (asked_s, self->scenario->lease_s);
  if (g_strcmp0 (request->contact, "*") == 0 && asked_s == 0 && !self->scenario->keeps)
    g_hash_table_remove_all (self->bindings);
  for (g_regex_match (regex, request->contact != NULL ? request->contact : "", 0, &match);
       g_match_info_matches (match); g_match_info_next (match, NULL)) {
    g_autofree char *contact = g_match_info_fetch (match, 1);
    g_autofree char *params = g_match_info_fetch (match, 2);

    if (strstr (params, ";expires=0") != NULL || asked_s == 0) {
      if (!self->scenario->keeps)
        g_hash_table_remove (self->bindings, contact);
    } else {
      g_hash_table_insert (self->bindings, g_steal_pointer (&contact), GUINT_TO_POINTER (asked_s));
    }
  }

  if (self->scenario->hide_contact)
    return g_string_free (list, FALSE);
  if (self->scenario->rewrite)
    g_string_append (list, "Contact: <sip:desk@192.0.2.50>;expires=9\r\n");
  g_hash_table_iter_init (&iter, self->bindings);
  while (g_hash_table_iter_next (&iter, &uri, &lease_s)) {
    g_autofree char *shown = g_strdup (uri);

    if (self->scenario->rewrite) {
      shown[strcspn (shown, "@")] = '\0';
      g_string_append_printf (list, "Contact: <%s@203.0.113.9:1025>;expires=%u\r\n", shown,
                              GPOINTER_TO_UINT (lease_s));
    } else {
      g_string_append_printf (list, "Contact: <%s>;expires=%u\r\n", shown,
                              GPOINTER_TO_UINT (lease_s));
    }
  }
  return g_string_free (list, FALSE);
}

static char *
decide (SipPeer *self, const SipPeerRequest *request, const char *text, GSocketAddress *from)
{
  const Scenario *scenario = self->scenario;
  guint expires_s = request->expires != NULL ? (guint) g_ascii_strtoull (request->expires, NULL, 10)
                                             : 0;
  g_autofree char *headers = NULL;
  g_autofree char *more = NULL;
  g_autofree char *all = NULL;
  g_autofree char *status = NULL;

  if (self->redirect != NULL) {
    status = g_strdup_printf ("%u Elsewhere", self->redirect_status);
    headers = g_strdup_printf ("Contact: <%s>\r\n", self->redirect);
    return build_answer (self, text, from, status, headers);
  }
  if (!scenario->open && (!request->authorized || !use_nonce (self, request->authorization))) {
    headers = build_challenge (self, request->authorized);
    return build_answer (self, text, from, "401 Unauthorized", headers);
  }
  if (expires_s != 0 && expires_s < scenario->min_expires_s) {
    headers = g_strdup_printf ("Min-Expires: %u\r\n", scenario->min_expires_s);
    return build_answer (self, text, from, "423 Interval Too Brief", headers);
  }

  more = fill_nonces (self, scenario->headers != NULL ? scenario->headers : "");
  if (scenario->status != 0) {
    status = g_strdup_printf ("%u As The Table Says", scenario->status);
    return build_answer (self, text, from, status, more);
  }
  headers = build_bindings (self, request);
  all = g_strconcat (headers, more, NULL);
  return build_answer (self, text, from, "200 OK", all);
}

typedef struct {
  SipPeer *self;
  GSocketAddress *to;
  char *text;
} Delayed;

static void
delayed_free (gpointer data)
{
  Delayed *delayed = data;

  g_object_unref (delayed->to);
  g_free (delayed->text);
  g_free (delayed);
}

static void
send_text (SipPeer *self, GSocketAddress *to, const char *text)
{
  if (self->scenario->garbage) {
    static const char rubbish[] = "SIP/2.0 200 OK\r\nVia: \0\xff\r\nContact: @@@\r\n\r\n";

    g_socket_send_to (self->socket, to, rubbish, sizeof (rubbish) - 1, NULL, NULL);
    g_socket_send_to (self->socket, to, "\r\n\r\n", 4, NULL, NULL);
    g_socket_send_to (self->socket, to, text, strlen (text) / 2, NULL, NULL);
  }
  g_socket_send_to (self->socket, to, text, strlen (text), NULL, NULL);
}

static gboolean
on_delay_over (gpointer user_data)
{
  Delayed *delayed = user_data;

  send_text (delayed->self, delayed->to, delayed->text);
  return G_SOURCE_REMOVE;
}

static void
send_answer (SipPeer *self, GSocketAddress *to, const char *text)
{
  Delayed *delayed;
  GSource *source;

  if (self->scenario->delay_ms == 0) {
    send_text (self, to, text);
    return;
  }
  delayed = g_new0 (Delayed, 1);
  delayed->self = self;
  delayed->to = g_object_ref (to);
  delayed->text = g_strdup (text);
  source = g_timeout_source_new (self->scenario->delay_ms);
  g_source_set_callback (source, on_delay_over, delayed, delayed_free);
  g_source_attach (source, NULL);
  self->delayed = g_slist_prepend (self->delayed, source);
}

static char *
choose_answer (SipPeer *self, SipPeerRequest *request, const char *text, GSocketAddress *from)
{
  if (self->scenario->silent)
    return g_strdup ("");
  if (self->transcript != NULL)
    return sip_transcript_fill (self->transcript, self->next_answer++, text,
                                &request->answer_at_copy);
  return decide (self, request, text, from);
}

static void
take_request (SipPeer *self, const char *text, GSocketAddress *from)
{
  g_autofree char *via = sip_text_dup_header (text, "Via", ", ");
  g_autofree char *cseq = sip_text_dup_header (text, "CSeq", ", ");
  g_autofree char *key = g_strconcat (via, cseq, NULL);
  SipPeerRequest *request = g_hash_table_lookup (self->seen, key);

  if (request == NULL) {
    request = read_request (self, text,
                            g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (from)));
    g_ptr_array_add (self->requests, request);
    g_hash_table_insert (self->seen, g_steal_pointer (&key), request);
    g_set_object (&self->client, from);
    request->answer = choose_answer (self, request, text, from);
  } else if (self->scenario->delay_ms != 0) {
    return; /* its answer is on the way */
  }

  if (request->n_copies < G_N_ELEMENTS (request->copies_us))
    request->copies_us[request->n_copies] = g_get_monotonic_time ();
  request->n_copies++;
  if (*request->answer != '\0' && request->n_copies >= request->answer_at_copy)
    send_answer (self, from, request->answer);
}

/* An answer to what was passed on goes back without our Via; %FALSE: it is to what we sent ourselves. */
static gboolean
pass_back (SipPeer *self, const char *text)
{
  g_autofree char *vias = sip_text_dup_header (text, "Via", ", ");
  const char *theirs = vias != NULL ? strstr (vias, ", ") : NULL;
  GString *answer;

  if (theirs == NULL || strstr (vias, PASSED_BRANCH) == NULL)
    return FALSE;

  answer = g_string_new (NULL);
  for (const char *line = text; line != NULL; line = strchr (line, '\n')) {
    if (*line == '\n')
      line++;
    if (g_ascii_strncasecmp (line, "Via:", 4) == 0)
      continue;
    g_string_append_len (answer, line,
                         (gssize) strcspn (line, "\n") + (strchr (line, '\n') != NULL));
    if (line == text)
      g_string_append_printf (answer, "Via: %s\r\n", theirs + 2);
  }
  g_socket_send_to (self->socket, self->client, answer->str, answer->len, NULL, NULL);
  g_string_free (answer, TRUE);
  return TRUE;
}

static gboolean
on_packet (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  SipPeer *self = user_data;
  char buffer[65536];
  g_autoptr (GSocketAddress) from = NULL;
  gssize n = g_socket_receive_from (socket, &from, buffer, sizeof (buffer) - 1, NULL, NULL);

  if (n <= 0)
    return G_SOURCE_CONTINUE;
  buffer[n] = '\0';
  if (g_str_has_prefix (buffer, "REGISTER ")) {
    take_request (self, buffer, from);
  } else if (g_str_has_prefix (buffer, "SIP/2.0 ")) {
    if (pass_back (self, buffer))
      return G_SOURCE_CONTINUE;
    g_free (self->answer);
    self->answer = g_strndup (buffer + 8, strcspn (buffer + 8, "\r\n"));
    self->n_answers++;
  } else if (strcmp (buffer, "\r\n\r\n") == 0) {
    self->n_pings++;
  } else if (self->other != NULL) {
    self->other (self, buffer, from, self->other_data);
  }
  return G_SOURCE_CONTINUE;
}

/* public functions */

const char *const *
sip_peer_list_scenarios (void)
{
  static const char *names[G_N_ELEMENTS (scenarios) + 1];

  for (gsize i = 0; i < G_N_ELEMENTS (scenarios); i++)
    names[i] = scenarios[i].name;
  return names;
}

static const Scenario *
find_scenario (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (scenarios); i++) {
    if (strcmp (scenarios[i].name, name) == 0)
      return &scenarios[i];
  }
  return NULL;
}

SipPeer *
sip_peer_new (const char *scenario, const char *address, guint16 port, GError **error)
{
  g_autoptr (SipPeer) self = g_new0 (SipPeer, 1);
  g_autoptr (GSocketAddress) local = g_inet_socket_address_new_from_string (address, port);

  self->requests = g_ptr_array_new_with_free_func ((GDestroyNotify) request_free);
  self->bindings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->user = g_strdup ("alice");
  self->answer = g_strdup ("");
  self->scenario = find_scenario (scenario);
  if (self->scenario == NULL || local == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "no scenario \"%s\" or no address \"%s\"", scenario, address);
    return NULL;
  }

  self->socket = g_socket_new (g_socket_address_get_family (local), G_SOCKET_TYPE_DATAGRAM,
                               G_SOCKET_PROTOCOL_UDP, error);
  if (self->socket == NULL || !g_socket_bind (self->socket, local, FALSE, error))
    return NULL;
  g_socket_set_blocking (self->socket, FALSE);
  self->source = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_packet), self, NULL);
  g_source_attach (self->source, NULL);
  return g_steal_pointer (&self);
}

void
sip_peer_free (SipPeer *self)
{
  if (self == NULL)
    return;
  if (self->source != NULL) {
    g_source_destroy (self->source);
    g_source_unref (self->source);
  }
  for (GSList *l = self->delayed; l != NULL; l = l->next) {
    g_source_destroy (l->data);
    g_source_unref (l->data);
  }
  g_slist_free (self->delayed);
  g_clear_object (&self->socket);
  g_clear_object (&self->client);
  g_clear_pointer (&self->transcript, sip_transcript_free);
  g_free (self->user);
  g_ptr_array_unref (self->requests);
  g_hash_table_unref (self->bindings);
  g_hash_table_unref (self->used);
  g_hash_table_unref (self->seen);
  g_free (self->answer);
  g_free (self->redirect);
  g_free (self);
}

void
sip_peer_set_scenario (SipPeer *self, const char *scenario)
{
  self->scenario = find_scenario (scenario);
  g_assert (self->scenario != NULL);
}

gboolean
sip_peer_play (SipPeer *self, const char *file, const char *user, GError **error)
{
  SipTranscript *transcript = sip_transcript_load (file, error);

  if (transcript == NULL)
    return FALSE;
  g_clear_pointer (&self->transcript, sip_transcript_free);
  self->transcript = transcript;
  self->next_answer = 0;
  g_free (self->user);
  self->user = g_strdup (user);
  return TRUE;
}

void
sip_peer_redirect (SipPeer *self, guint status, const char *contact)
{
  self->redirect_status = status;
  g_free (self->redirect);
  self->redirect = g_strdup (contact);
}

guint16
sip_peer_get_port (SipPeer *self)
{
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (self->socket, NULL);

  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local));
}

guint
sip_peer_count_requests (SipPeer *self)
{
  return self->requests->len;
}

void
sip_peer_set_other (SipPeer *self, SipPeerOtherFunc func, gpointer user_data)
{
  self->other = func;
  self->other_data = user_data;
}

void
sip_peer_answer (SipPeer *self,
                 const char *text,
                 GSocketAddress *to,
                 const char *status,
                 const char *headers)
{
  g_autofree char *answer = build_answer (self, text, to, status, headers != NULL ? headers : "");

  g_socket_send_to (self->socket, to, answer, strlen (answer), NULL, NULL);
}

void
sip_peer_pass_on (SipPeer *self, const char *text)
{
  const SipPeerRequest *last = sip_peer_get_request (self, self->requests->len - 1);
  const char *uri = strchr (last->contact, '<') + 1;
  const char *end = strstr (text, "\r\n");
  g_autofree char *passed = NULL;

  passed = g_strdup_printf ("%.*s %.*s SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=" PASSED_BRANCH "%u;rport%s",
                            (int) strcspn (text, " "), text, (int) strcspn (uri, ">"), uri,
                            sip_peer_get_port (self), ++self->n_passed, end);
  g_socket_send_to (self->socket, self->client, passed, strlen (passed), NULL, NULL);
}

guint
sip_peer_count_pings (SipPeer *self)
{
  return self->n_pings;
}

const SipPeerRequest *
sip_peer_get_request (SipPeer *self, guint index)
{
  g_assert (index < self->requests->len);
  return g_ptr_array_index (self->requests, index);
}

char *
sip_peer_dup_bindings (SipPeer *self)
{
  g_autoptr (GList)
    uris = g_list_sort (g_hash_table_get_keys (self->bindings), (GCompareFunc) g_strcmp0);
  GString *joined = g_string_new (NULL);

  for (GList *l = uris; l != NULL; l = l->next)
    g_string_append_printf (joined, "%s%s", joined->len > 0 ? " " : "", (const char *) l->data);
  return g_string_free (joined, FALSE);
}

void
sip_peer_bind (SipPeer *self, const char *uri, guint lease_s)
{
  g_hash_table_insert (self->bindings, g_strdup (uri), GUINT_TO_POINTER (lease_s));
}

void
sip_peer_send (SipPeer *self, const char *method, const char *uri)
{
  static guint n_sent;
  g_autofree char *text = NULL;

  n_sent++;
  text = g_strdup_printf ("%s %s SIP/2.0\r\n"
                          "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKpeer%u;rport\r\n"
                          "Max-Forwards: 70\r\n"
                          "From: <sip:bob@example.test>;tag=%u\r\n"
                          "To: <sip:alice@example.test>\r\n"
                          "Call-ID: peer%u\r\n"
                          "CSeq: 1 %s\r\n"
                          "Contact: <sip:bob@127.0.0.1:%u>\r\n"
                          "Content-Length: 0\r\n\r\n",
                          method, uri, sip_peer_get_port (self), n_sent, n_sent, n_sent, method,
                          sip_peer_get_port (self));
  sip_peer_send_text (self, text);
}

void
sip_peer_send_text (SipPeer *self, const char *text)
{
  g_assert (self->client != NULL);
  g_free (self->answer);
  self->answer = g_strdup ("");
  g_socket_send_to (self->socket, self->client, text, strlen (text), NULL, NULL);
}

guint
sip_peer_count_answers (SipPeer *self)
{
  return self->n_answers;
}

const char *
sip_peer_get_answer (SipPeer *self)
{
  return self->answer;
}
