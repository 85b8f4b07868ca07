/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-config.h"

#include "muster-sip-challenge.h"
#include "muster-sip-message.h"
#include "muster-sip-offers.h"
#include "muster-sip-target.h"

#include <string.h>

/*
 * From what the user typed to what goes into messages. Everything is checked here once, so that what
 * builds messages need not; the broker has checked it against the parameter table before, but a
 * profile or an older version may not have.
 */

static gboolean
set_invalid (GError **error, const char *what)
{
  g_propagate_error (error,
                     muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE, "%s", what));
  return FALSE;
}

static gboolean
is_host (const char *text)
{
  if (*text == '\0' || *text == '.' || *text == '-' || strlen (text) > 253)
    return FALSE;
  for (; *text != '\0'; text++) {
    if (!g_ascii_isalnum (*text) && strchr (".-_", *text) == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
parse_port (const char *text, guint16 *port)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT16, &value, NULL))
    return FALSE;
  *port = (guint16) value;
  return TRUE;
}

/* What a URI says of its transport, for an account that leaves that open: `auto` if nothing (RFC 3263 section 4.1). */
static const char *
choose_transport (gboolean is_sips, const char *params, const char *host, guint16 port)
{
  static const char *const known[] = { "udp", "tcp", "tls", NULL };
  const char *param = strcasestr (params, "transport=");

  if (is_sips)
    return "tls";
  for (guint i = 0; param != NULL && known[i] != NULL; i++) {
    if (g_ascii_strncasecmp (param + strlen ("transport="), known[i], strlen (known[i])) == 0)
      return known[i];
  }
  if (port == 0 && !g_hostname_is_ip_address (host))
    return "auto";
  return port == 5061 ? "tls" : "udp";
}

static gboolean
asks_for_other (const char *params, const char *transport)
{
  g_autofree char *wanted = g_strconcat ("transport=", transport, NULL);

  return strcasestr (params, "transport=") != NULL && strcasestr (params, wanted) == NULL;
}

/* @text is `<sip:user@host:port;params>` or any part of that which has the host. */
gboolean
muster_sip_config_parse_hop (const char *text,
                             const char **transport,
                             char **host,
                             guint16 *port,
                             GError **error)
{
  g_autofree char *hop = g_strstrip (g_strdup (text));
  g_autofree char *params = NULL;
  gboolean is_open = g_str_equal (*transport, "auto");
  gboolean is_sips;
  char *start = hop;
  char *end;

  *host = NULL;
  *port = 0;
  if (*start == '<') {
    start++;
    end = strchr (start, '>');
    if (end == NULL || end[1] != '\0')
      return set_invalid (error, "the server has no closing bracket");
    *end = '\0';
  }
  is_sips = g_ascii_strncasecmp (start, "sips:", 5) == 0;
  if (is_sips && !is_open && !g_str_equal (*transport, "tls"))
    return set_invalid (error, "a server by sips: needs TLS, which this transport is not");
  if (is_sips)
    start += 5;
  else if (g_ascii_strncasecmp (start, "sip:", 4) == 0)
    start += 4;

  end = start + strcspn (start, ";?");
  params = g_strdup (end);
  *end = '\0';

  if (*start == '[') {
    end = strchr (start, ']');
    if (end == NULL || (end[1] != '\0' && end[1] != ':'))
      return set_invalid (error, "the server's IPv6 address has no closing bracket");
    *end++ = '\0';
    start++;
    if (!g_hostname_is_ip_address (start))
      return set_invalid (error, "the server's IPv6 address is none");
  } else if (g_hostname_is_ip_address (start)) {
    end = start + strlen (start); /* IPv4, or IPv6 without brackets and so without port */
  } else {
    end = start + strcspn (start, ":");
  }

  if (*end == ':' && !parse_port (end + 1, port))
    return set_invalid (error, "the server's port is not a number from 1 to 65535");
  *end = '\0';
  if (is_open)
    *transport = choose_transport (is_sips, params, start, *port);
  if (asks_for_other (params, *transport))
    return set_invalid (error, "the server asks for another transport than the account has");
  if (!g_hostname_is_ip_address (start) && !is_host (start))
    return set_invalid (error, "the server is not a host name");
  /* A resolver takes it for an IPv4 address in another spelling: somebody else's. */
  if (!g_hostname_is_ip_address (start) && strspn (start, "0123456789.") == strlen (start))
    return set_invalid (error, "the server is a number and not a host name");

  *host = g_ascii_strdown (start, -1);
  return TRUE;
}

static gboolean
is_set (const char *text)
{
  return text != NULL && *text != '\0';
}

/* What kind of service it is: what holds where the account says nothing else. */
typedef struct {
  const char *name;
  guint expires_s;
  guint heartbeat_s;
  guint retry_floor_s;
  guint id_digits; /* of an address's user and a server's name; 0: they are anything, and nothing */
  gboolean knows_events; /* PUBLISH, and SUBSCRIBE to what we want to know */
  gboolean has_documents;
} Profile;

static const Profile profiles[] = {
  { "standard", 600, 0, 0, 0, TRUE, FALSE },
  { "gb28181", 86400, 60, 60, 20, FALSE, TRUE }, /* GB/T 28181-2016 sections 9.1 and 9.6 */
};

static const Profile *
find_profile (const char *name)
{
  if (!is_set (name))
    return &profiles[0];

  for (gsize i = 0; i < G_N_ELEMENTS (profiles); i++) {
    if (g_str_equal (profiles[i].name, name))
      return &profiles[i];
  }
  return NULL;
}

static gboolean
is_number (const char *text, gsize length)
{
  return strspn (text, "0123456789") == length;
}

static void
set_profile (MusterSipConfig *self, const Profile *profile, const MusterSipSettings *settings)
{
  self->expires_s = settings->expires_s != 0 ? settings->expires_s : profile->expires_s;
  self->heartbeat_s = settings->heartbeat_s >= 0 ? (guint) settings->heartbeat_s
                                                 : profile->heartbeat_s;
  self->retry_floor_s = profile->retry_floor_s;
  self->takes_documents = profile->has_documents;
}

static gboolean
is_id (const char *text, gsize length, guint n_digits)
{
  return length == n_digits && is_number (text, length);
}

static gboolean
check_ids (const Profile *profile,
           const char *user,
           gsize n_user,
           const char *server_id,
           GError **error)
{
  if (profile->id_digits == 0)
    return !is_set (server_id) || set_invalid (error, "server-id is for profile gb28181 only");
  if (!is_id (user, n_user, profile->id_digits))
    return set_invalid (error,
                        "the address does not begin with the 20 digits that profile gb28181 wants");
  if (is_set (server_id) && !is_id (server_id, strlen (server_id), profile->id_digits))
    return set_invalid (error, "server-id is not of 20 digits");
  return TRUE;
}

/* @place: host, or host and port */
static char *
make_request_uri (const char *server_id, const char *place)
{
  return server_id != NULL ? g_strdup_printf ("sip:%s@%s", server_id, place)
                           : g_strconcat ("sip:", place, NULL);
}

/* Compiled once: at a fleet's start the pattern would be most of the work here. */
gboolean
muster_sip_config_is_address (const char *text)
{
  static GRegex *pattern;

  if (g_once_init_enter (&pattern)) {
    GRegex *compiled = g_regex_new (MUSTER_SIP_ADDRESS_PATTERN,
                                    G_REGEX_OPTIMIZE | G_REGEX_DOLLAR_ENDONLY, 0, NULL);

    g_once_init_leave (&pattern, compiled);
  }
  return g_regex_match (pattern, text, 0, NULL);
}

static gboolean
check_texts (const MusterSipSettings *settings, GError **error)
{
  if (!muster_sip_config_is_address (settings->address))
    return set_invalid (error, "the address is not of the form user@example.org");
  if (is_set (settings->display_name) && !muster_sip_text_is_clean (settings->display_name))
    return set_invalid (error, "the display name holds control characters");
  if (is_set (settings->auth_user) && !muster_sip_text_is_clean (settings->auth_user))
    return set_invalid (error, "the authentication user holds control characters");
  return TRUE;
}

/* Whom to believe, and whom the certificate must be for: the host that the account names, or, where
 * that is a bare address, the domain that it stands for (RFC 5922 section 7). */
static gboolean
set_trust (MusterSipConfig *self, const MusterSipSettings *settings, GError **error)
{
  const char *pins[] = { settings->tls_pin, NULL };
  gboolean literal = g_hostname_is_ip_address (self->hop_host);

  self->tls_name = g_strdup (literal ? self->domain : self->hop_host);
  if (!is_set (settings->tls_ca) && !is_set (settings->tls_pin)) {
    self->trust = muster_tls_trust_ref (muster_tls_trust_get_default ());
    return TRUE;
  }

  self->trust = muster_tls_trust_new (is_set (settings->tls_pin) ? MUSTER_TLS_TRUST_PIN_SUFFICES
                                                                 : MUSTER_TLS_TRUST_NONE,
                                      is_set (settings->tls_ca) ? settings->tls_ca : NULL,
                                      is_set (settings->tls_pin) ? pins : NULL, NULL, error);
  return self->trust != NULL;
}

/* Who we are to a server that asks. */
static gboolean
set_key_pair (MusterSipConfig *self, const MusterSipSettings *settings, GError **error)
{
  if (!is_set (settings->tls_cert) && !is_set (settings->tls_key))
    return TRUE;
  if (!is_set (settings->tls_key))
    return set_invalid (error, "tls-cert needs the file of its private key, tls-key");
  if (!is_set (settings->tls_cert))
    return set_invalid (error, "tls-key needs the file of its certificate, tls-cert");

  self->key_pair = muster_tls_key_pair_new (settings->tls_cert, settings->tls_key, error);
  return self->key_pair != NULL;
}

/* What each request has of it. */
static void
set_texts (MusterSipConfig *self)
{
  GString *from = g_string_new (NULL);

  if (self->display_name != NULL) {
    muster_sip_append_quoted (from, self->display_name);
    g_string_append_c (from, ' ');
  }
  g_string_append_printf (from, "<%s>;tag=", self->aor);
  self->from_prefix = g_string_free (from, FALSE);
  self->to = g_strdup_printf ("<%s>", self->aor);
}

/* An address leaves nothing to look up. */
static void
set_way (MusterSipConfig *self)
{
  const MusterSipService *usual = muster_sip_target_get_service (self->transport);
  g_autoptr (GSocketAddress) target = NULL;

  if (self->transport != MUSTER_TRANSPORT_UDP)
    return;
  target = g_inet_socket_address_new_from_string (self->hop_host, self->hop_port != 0
                                                                    ? self->hop_port
                                                                    : usual->port);
  if (target == NULL)
    return;
  self->offers = muster_sip_offers_new_single (self->transport, target);
  self->route = muster_sip_target_dup_route (target);
}

MusterSipConfig *
muster_sip_config_new (const MusterSipSettings *settings, GError **error)
{
  const char *transport = is_set (settings->transport) ? settings->transport : "udp";
  const char *address = settings->address;
  const char *at;
  const char *hop;
  const Profile *profile = find_profile (settings->profile);
  g_autofree char *hop_host = NULL;
  guint16 hop_port;
  g_autoptr (MusterSipConfig) self = NULL;

  if (!check_texts (settings, error))
    return NULL;
  if (profile == NULL) {
    set_invalid (error, "the profile is none that there is");
    return NULL;
  }

  if (g_ascii_strncasecmp (address, "sip:", 4) == 0)
    address += 4;
  at = strrchr (address, '@');
  if (!check_ids (profile, address, (gsize) (at - address), settings->server_id, error))
    return NULL;

  hop = at + 1;
  if (is_set (settings->outbound_proxy))
    hop = settings->outbound_proxy;
  else if (is_set (settings->server))
    hop = settings->server;
  if (hop == at + 1 && is_number (hop, strlen (hop))) {
    set_invalid (error, "the domain is a number, so the server must be named");
    return NULL;
  }
  if (!muster_sip_config_parse_hop (hop, &transport, &hop_host, &hop_port, error))
    return NULL;

  self = g_rc_box_new0 (MusterSipConfig);
  self->user = g_strndup (address, at - address);
  self->domain = g_ascii_strdown (at + 1, -1);
  self->aor = g_strdup_printf ("sip:%s@%s", self->user, self->domain);
  self->server_id = is_set (settings->server_id) ? g_strdup (settings->server_id) : NULL;
  self->request_uri = make_request_uri (self->server_id, self->domain);
  self->display_name = is_set (settings->display_name) ? g_strdup (settings->display_name) : NULL;
  self->auth_user = g_strdup (is_set (settings->auth_user) ? settings->auth_user : self->user);
  self->hop_host = g_steal_pointer (&hop_host);
  self->hop_port = hop_port;
  self->hop_is_proxy = is_set (settings->outbound_proxy);
  set_profile (self, profile, settings);
  self->is_open = g_str_equal (transport, "auto");
  self->transport = MUSTER_TRANSPORT_UDP;
  if (g_str_equal (transport, "tcp"))
    self->transport = MUSTER_TRANSPORT_TCP;
  if (self->is_open || g_str_equal (transport, "tls")) {
    self->transport = MUSTER_TRANSPORT_TLS;
    if (!set_trust (self, settings, error) || !set_key_pair (self, settings, error))
      return NULL;
  }
  set_texts (self);
  set_way (self);

  return g_steal_pointer (&self);
}

static guint
read_wishes (MusterRegistration *registration, const char *profile_name)
{
  static const struct {
    const char *param;
    MusterSipWishes wish;
  } params[] = {
    { "presence", MUSTER_SIP_WISH_PRESENCE },
    { "message-waiting", MUSTER_SIP_WISH_MESSAGE_WAITING },
    { "reg-event", MUSTER_SIP_WISH_REG_EVENT },
  };
  const Profile *profile = find_profile (profile_name);
  guint wishes = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (params); i++) {
    gboolean wanted = muster_registration_has_param (registration, params[i].param)
                        ? muster_registration_get_boolean (registration, params[i].param)
                        : profile->knows_events;

    wishes |= wanted ? params[i].wish : 0;
  }
  return wishes;
}

MusterSipConfig *
muster_sip_config_read (MusterRegistration *registration, GError **error)
{
  g_autofree char *display_name = muster_registration_dup_string (registration, "display-name");
  g_autofree char *auth_user = muster_registration_dup_string (registration, "auth-user");
  g_autofree char *server = muster_registration_dup_string (registration, "server");
  g_autofree char *outbound_proxy = muster_registration_dup_string (registration, "outbound-proxy");
  g_autofree char *transport = muster_registration_dup_string (registration, "transport");
  g_autofree char *tls_ca = muster_registration_dup_string (registration, "tls-ca");
  g_autofree char *tls_pin = muster_registration_dup_string (registration, "tls-pin");
  g_autofree char *tls_cert = muster_registration_dup_string (registration, "tls-cert");
  g_autofree char *tls_key = muster_registration_dup_string (registration, "tls-key");
  g_autofree char *profile = muster_registration_dup_string (registration, "profile");
  g_autofree char *server_id = muster_registration_dup_string (registration, "server-id");
  int heartbeat_s = -1;
  MusterSipConfig *self;

  if (muster_registration_has_param (registration, "heartbeat"))
    heartbeat_s = (int) muster_registration_get_uint (registration, "heartbeat");

  self = muster_sip_config_new (
    &(MusterSipSettings){ .address = muster_registration_get_address (registration),
                          .display_name = display_name,
                          .auth_user = auth_user,
                          .server = server,
                          .outbound_proxy = outbound_proxy,
                          .transport = transport,
                          .tls_ca = tls_ca,
                          .tls_pin = tls_pin,
                          .tls_cert = tls_cert,
                          .tls_key = tls_key,
                          .profile = profile,
                          .server_id = server_id,
                          .heartbeat_s = heartbeat_s,
                          .expires_s = muster_registration_get_uint (registration, "expires") },
    error);
  if (self != NULL)
    self->wishes = read_wishes (registration, profile);
  return self;
}

static const char *
transport_name (MusterTransport transport)
{
  switch (transport) {
  case MUSTER_TRANSPORT_UDP:
    return "udp";
  case MUSTER_TRANSPORT_TCP:
    return "tcp";
  case MUSTER_TRANSPORT_TLS:
    return "tls";
  }
  g_assert_not_reached ();
}

/* A user part names somebody at the server; where to go, it does not say. */
static char *
dup_without_user (const char *uri)
{
  const char *host = strchr (uri, ':');
  const char *end = uri + strcspn (uri, ";?");
  const char *at = memchr (uri, '@', end - uri);

  host = host != NULL && g_ascii_strncasecmp (uri, "sip", 3) == 0 ? host + 1 : uri;
  return g_strdup_printf ("%.*s%s", (int) (host - uri), uri, at != NULL ? at + 1 : host);
}

/* A platform sends us to another by its own name (GB/T 28181-2022 section 9.1.2.3); one that does not, to itself. */
static char *
dup_server_id (const MusterSipConfig *self, const char *uri)
{
  const char *user = strchr (uri, ':');
  const char *at = strchr (uri, '@');

  if (self->server_id == NULL || user == NULL || at == NULL ||
      !is_id (user + 1, (gsize) (at - user) - 1, (guint) strlen (self->server_id)))
    return g_strdup (self->server_id);
  return g_strndup (user + 1, (gsize) (at - user) - 1);
}

static MusterSipConfig *
config_new_like (const MusterSipConfig *self)
{
  MusterSipConfig *other = g_rc_box_new0 (MusterSipConfig);

  other->user = g_strdup (self->user);
  other->domain = g_strdup (self->domain);
  other->aor = g_strdup (self->aor);
  other->display_name = g_strdup (self->display_name);
  other->auth_user = g_strdup (self->auth_user);
  other->from_prefix = g_strdup (self->from_prefix);
  other->to = g_strdup (self->to);
  other->expires_s = self->expires_s;
  other->heartbeat_s = self->heartbeat_s;
  other->retry_floor_s = self->retry_floor_s;
  other->wishes = self->wishes;
  other->takes_documents = self->takes_documents;
  return other;
}

MusterSipConfig *
muster_sip_config_settle (const MusterSipConfig *self, MusterTransport transport)
{
  MusterSipConfig *other = config_new_like (self);

  other->request_uri = g_strdup (self->request_uri);
  other->server_id = g_strdup (self->server_id);
  other->hop_host = g_strdup (self->hop_host);
  other->hop_port = self->hop_port;
  other->hop_is_proxy = self->hop_is_proxy;
  other->transport = transport;
  if (transport == MUSTER_TRANSPORT_TLS) {
    other->tls_name = g_strdup (self->tls_name);
    other->trust = muster_tls_trust_ref (self->trust);
    other->key_pair = self->key_pair != NULL ? muster_tls_key_pair_ref (self->key_pair) : NULL;
  }
  return other;
}

MusterSipConfig *
muster_sip_config_redirect (const MusterSipConfig *self,
                            const char *uri,
                            gboolean to_proxy,
                            GError **error)
{
  g_autoptr (MusterSipConfig) other = NULL;
  g_autoptr (GError) why = NULL;
  g_autofree char *place = NULL;
  g_autofree char *host = NULL;
  const char *transport = transport_name (self->transport);
  guint16 port = 0;

  if (muster_sip_text_is_clean (uri) && strpbrk (uri, " <>\"") == NULL)
    place = dup_without_user (uri);
  if (place == NULL || !muster_sip_config_parse_hop (place, &transport, &host, &port, &why)) {
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_UNSUPPORTED, MUSTER_STEP_REGISTER,
                                                "the server sends us elsewhere, where we do not "
                                                "go: %s",
                                                why != NULL ? why->message : "it is no address"));
    return NULL;
  }

  other = config_new_like (self);
  other->transport = self->transport;
  other->hop_is_proxy = to_proxy || self->hop_is_proxy;
  if (to_proxy) {
    other->server_id = g_strdup (self->server_id);
    other->request_uri = g_strdup (self->request_uri);
  } else {
    g_autofree char *literal = strchr (host, ':') != NULL ? g_strdup_printf ("[%s]", host)
                                                          : g_strdup (host);
    g_autofree char *there = port != 0 ? g_strdup_printf ("%s:%u", literal, port)
                                       : g_strdup (literal);

    other->server_id = dup_server_id (self, uri);
    other->request_uri = make_request_uri (other->server_id, there);
  }

  if (self->hop_is_proxy && !to_proxy) {
    other->hop_host = g_strdup (self->hop_host);
    other->hop_port = self->hop_port;
    other->tls_name = g_strdup (self->tls_name);
  } else {
    other->tls_name = self->tls_name == NULL            ? NULL
                      : g_hostname_is_ip_address (host) ? g_strdup (self->tls_name)
                                                        : g_strdup (host);
    other->hop_host = g_steal_pointer (&host);
    other->hop_port = port;
  }
  other->trust = self->trust != NULL ? muster_tls_trust_ref (self->trust) : NULL;
  other->key_pair = self->key_pair != NULL ? muster_tls_key_pair_ref (self->key_pair) : NULL;
  set_way (other);

  return g_steal_pointer (&other);
}

static void
config_clear (gpointer data)
{
  MusterSipConfig *self = data;

  g_free (self->user);
  g_free (self->domain);
  g_free (self->aor);
  g_free (self->request_uri);
  g_free (self->server_id);
  g_free (self->display_name);
  g_free (self->auth_user);
  g_free (self->from_prefix);
  g_free (self->to);
  g_free (self->hop_host);
  g_free (self->tls_name);
  g_clear_pointer (&self->offers, g_ptr_array_unref);
  g_free (self->route);
  g_clear_pointer (&self->trust, muster_tls_trust_unref);
  g_clear_pointer (&self->key_pair, muster_tls_key_pair_unref);
}

MusterSipConfig *
muster_sip_config_ref (MusterSipConfig *self)
{
  return g_rc_box_acquire (self);
}

void
muster_sip_config_unref (MusterSipConfig *self)
{
  g_rc_box_release_full (self, config_clear);
}
