/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-wire.h"

#include "muster-sip-sofia.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_util.h>
#include <string.h>

/*
 * From Sofia's view of a message to ours. Challenges are handed on as text, because Sofia reads two
 * that a comma joins as one.
 */

#define MAX_MESSAGE_BYTES 65535
#define MAX_ADDRESS_BYTES 64 /* of an IP literal */
#define MAX_VALUES        1024

/* Sofia's strings without a home come from su_alloc(). */
static char *
take_sofia_string (char *text)
{
  char *copy = g_strdup (text);

  su_free (NULL, text);
  return copy;
}

/* Sofia's own way back to text, sip_header_as_string(), ends a header at the parameter that crosses
 * 128 bytes. */
static char *
join_params (const char *scheme, msg_param_t const *params)
{
  GString *value = g_string_sized_new (256);

  g_string_append (value, scheme);
  for (gsize i = 0; params != NULL && params[i] != NULL; i++) {
    g_string_append (value, i > 0 ? ", " : " ");
    g_string_append (value, params[i]);
  }
  return g_string_free (value, FALSE);
}

static void
read_challenges (MusterSipResponse *response, gboolean proxy, const msg_auth_t *header)
{
  for (; header != NULL; header = header->au_next) {
    g_autofree char *value = join_params (header->au_scheme, header->au_params);

    muster_sip_response_add_challenge (response, proxy, value);
  }
}

static void
read_contact (MusterSipResponse *response, const sip_contact_t *contact)
{
  g_autofree char *uri = NULL;
  g_autofree char *instance = NULL;
  const char *quoted;

  if (contact->m_url->url_host == NULL) /* also `Contact: *` */
    return;

  uri = take_sofia_string (url_as_string (NULL, contact->m_url));
  quoted = msg_header_find_param (contact->m_common, "+sip.instance=");
  if (quoted != NULL)
    instance = take_sofia_string (msg_unquote_dup (NULL, quoted));
  if (uri != NULL)
    muster_sip_response_add_contact (response, uri, contact->m_url->url_user, instance,
                                     contact->m_expires);
}

/* A second one of a header that may stand once is among the errors, too, and is none of this type. */
static gboolean
has_broken (const sip_t *sip, const char *name)
{
  for (const sip_error_t *error = sip->sip_error; error != NULL; error = error->er_next) {
    if (error->er_common->h_class == sip_error_class && error->er_name != NULL &&
        g_ascii_strcasecmp (error->er_name, name) == 0)
      return TRUE;
  }
  return FALSE;
}

/* A route with one hop left out is another route: all of it, or none, and then %FALSE. */
static gboolean
read_route (MusterSipResponse *response,
            const sip_t *sip,
            const char *name,
            const sip_route_t *route,
            gboolean (*add) (MusterSipResponse *response, const char *value),
            GStrv *added)
{
  if (has_broken (sip, name)) {
    g_info ("the server's %s cannot be read, doing without", name);
    return FALSE;
  }
  for (; route != NULL; route = route->r_next) {
    g_autofree char *uri = take_sofia_string (url_as_string (NULL, route->r_url));
    GString *text = g_string_new (NULL);
    g_autofree char *value = NULL;

    g_string_append_printf (text, "<%s>", uri != NULL ? uri : "");
    for (gsize i = 0; route->r_params != NULL && route->r_params[i] != NULL; i++)
      g_string_append_printf (text, ";%s", route->r_params[i]);
    value = g_string_free (text, FALSE);

    if (uri == NULL || !add (response, value)) {
      g_info ("the server's %s is too long or not clean, doing without", name);
      g_clear_pointer (added, g_strfreev);
      return FALSE;
    }
  }
  return TRUE;
}

/* Sofia does not know the header, but a list of addresses is one like another. */
static void
read_associated_uris (MusterSipResponse *response, const char *value)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };

  for (const sip_route_t *address = sip_route_make (home, value); address != NULL;
       address = address->r_next) {
    g_autofree char *uri = take_sofia_string (url_as_string (NULL, address->r_url));

    if (uri != NULL)
      muster_sip_response_add_associated_uri (response, uri);
  }
  su_home_deinit (home);
}

static void
read_flow_timer (MusterSipResponse *response, const char *value)
{
  g_autofree char *text = g_strstrip (g_strdup (value));

  if (response->flow_timer_s < 0)
    response->flow_timer_s = muster_sip_parse_seconds (text);
}

/* Headers that Sofia hands on as text. */
static void
read_unknown (MusterSipResponse *response, const sip_unknown_t *header)
{
  for (; header != NULL; header = header->un_next) {
    if (header->un_name == NULL || header->un_value == NULL)
      continue;
    if (g_ascii_strcasecmp (header->un_name, "P-Associated-URI") == 0)
      read_associated_uris (response, header->un_value);
    else if (g_ascii_strcasecmp (header->un_name, "Flow-Timer") == 0)
      read_flow_timer (response, header->un_value);
  }
}

static void
read_via (MusterSipResponse *response, const sip_via_t *via)
{
  gint64 rport;

  if (via == NULL)
    return;
  if (via->v_received != NULL && strlen (via->v_received) <= MAX_ADDRESS_BYTES)
    response->received = g_strdup (via->v_received);
  rport = muster_sip_parse_seconds (via->v_rport);
  if (rport > 0 && rport <= G_MAXUINT16)
    response->rport = (guint) rport;
}

/* What is said back as it came; else %NULL. */
static char *
dup_fit (const char *text)
{
  return text != NULL && muster_sip_address_is_fit (text) ? g_strdup (text) : NULL;
}

static MusterSipOptions
read_options (const msg_list_t *header)
{
  MusterSipOptions options = 0;

  for (; header != NULL; header = header->k_next) {
    for (gsize i = 0; header->k_items != NULL && header->k_items[i] != NULL; i++)
      options |= muster_sip_option_parse (header->k_items[i]);
  }
  return options;
}

MusterSipResponse *
muster_sip_wire_read_response (const struct sip_s *sip)
{
  MusterSipResponse *response;

  response = muster_sip_response_new ((guint) sip->sip_status->st_status,
                                      sip->sip_status->st_phrase);
  read_challenges (response, FALSE, sip->sip_www_authenticate);
  read_challenges (response, TRUE, sip->sip_proxy_authenticate);
  if (sip->sip_authentication_info != NULL)
    response->authentication_info = join_params ("", sip->sip_authentication_info->ai_params);
  if (sip->sip_proxy_authentication_info != NULL)
    response->proxy_authentication_info =
      join_params ("", sip->sip_proxy_authentication_info->ai_params);
  for (const sip_contact_t *contact = sip->sip_contact; contact != NULL; contact = contact->m_next)
    read_contact (response, contact);

  /* Sofia's parser takes a date, too, and what does not fit into 32 bits. */
  if (sip->sip_expires != NULL && sip->sip_expires->ex_date == 0)
    response->expires_s = MIN (sip->sip_expires->ex_delta, G_MAXINT32);
  if (sip->sip_min_expires != NULL)
    response->min_expires_s = MIN (sip->sip_min_expires->me_delta, G_MAXINT32);
  if (sip->sip_retry_after != NULL)
    response->retry_after_s = MIN (sip->sip_retry_after->af_delta, G_MAXINT32);

  read_via (response, sip->sip_via);
  response->offered = read_options (sip->sip_require) | read_options (sip->sip_supported);
  response->unsupported = read_options (sip->sip_unsupported);
  read_route (response, sip, "Service-Route", sip->sip_service_route,
              muster_sip_response_add_service_route, &response->service_route);
  response->lost_record_route = !read_route (response, sip, "Record-Route", sip->sip_record_route,
                                             muster_sip_response_add_record_route,
                                             &response->record_route);
  if (sip->sip_to != NULL && sip->sip_to->a_tag != NULL)
    response->to_tag = dup_fit (sip->sip_to->a_tag);
  if (sip->sip_etag != NULL)
    response->etag = dup_fit (sip->sip_etag->g_string);
  read_unknown (response, sip->sip_unknown);

  return response;
}

/* What Sofia does with a head grows with the square of its lines and of the values on them. A comma counts in
 * quotes, too: what is in quotes is not for us to say before Sofia has read it. */
static gboolean
has_bounded_values (const char *bytes, gsize n_bytes)
{
  const char *end = memmem (bytes, n_bytes, "\r\n\r\n", 4);
  guint n_values = 0;

  if (end == NULL)
    end = bytes + n_bytes;
  for (const char *c = bytes; c < end && n_values <= MAX_VALUES; c++)
    n_values += *c == '\n' || *c == ',';
  return n_values <= MAX_VALUES;
}

static gboolean
has_our_version (const sip_t *sip)
{
  const char *version = sip->sip_request != NULL  ? sip->sip_request->rq_version
                        : sip->sip_status != NULL ? sip->sip_status->st_version
                                                  : NULL;

  return version != NULL && g_ascii_strcasecmp (version, "SIP/2.0") == 0;
}

/* A whole message that may be acted on; else %NULL. Free with msg_destroy(). */
static msg_t *
parse (const void *bytes, gsize n_bytes)
{
  msg_t *message;
  sip_t *sip;

  if (n_bytes == 0 || n_bytes > MAX_MESSAGE_BYTES || !has_bounded_values (bytes, n_bytes))
    return NULL;

  message = msg_make (sip_default_mclass (), 0, bytes, (ssize_t) n_bytes);
  if (message == NULL)
    return NULL;
  sip = sip_object (message);

  /* Each of these lets something through that another one stops. */
  if (sip != NULL && msg_is_complete (message) && msg_has_error (message) == 0 &&
      (msg_extract_errors (message) & (sip_mask_request | sip_mask_response)) == 0 &&
      sip_sanity_check (sip) >= 0 && has_our_version (sip))
    return message;

  msg_destroy (message);
  return NULL;
}

static gboolean
is_final (const sip_t *sip)
{
  return sip->sip_status != NULL && sip->sip_status->st_status >= 200 &&
         sip->sip_status->st_status <= 699;
}

MusterSipResponse *
muster_sip_wire_parse_response (const void *bytes, gsize n_bytes)
{
  MusterSipResponse *response = NULL;
  msg_t *message = parse (bytes, n_bytes);

  if (message == NULL)
    return NULL;

  if (is_final (sip_object (message)))
    response = muster_sip_wire_read_response (sip_object (message));
  msg_destroy (message);
  return response;
}

/* building */

/* Takes @message. */
static GBytes *
finish (msg_t *message)
{
  GBytes *bytes = NULL;
  size_t n_bytes = 0;
  char *text;

  if (sip_complete_message (message) >= 0) {
    text = msg_as_string (msg_home (message), message, NULL, 0, &n_bytes);
    if (text != NULL)
      bytes = g_bytes_new (text, n_bytes);
  }
  msg_destroy (message);

  return bytes;
}

GBytes *
muster_sip_wire_build_request (const MusterSipRequest *request, const char *via)
{
  msg_t *message = msg_create (sip_default_mclass (), 0);
  su_home_t *home = msg_home (message);
  MusterSipHeaderText text;

  muster_sip_header_text_init (&text, request);
  su_home_preload (home, 1, 2048);
  msg_header_insert (message, NULL,
                     (msg_header_t *) sip_request_create (home, sip_method_code (request->method),
                                                          request->method,
                                                          URL_STRING_MAKE (request->request_uri),
                                                          NULL));
  if (sip_add_tl (message, sip_object (message), SIPTAG_VIA_STR (via),
                  SIPTAG_MAX_FORWARDS_STR ("70"), MUSTER_SIP_HEADER_TAGS (request, &text),
                  TAG_END ()) < 0) {
    muster_sip_header_text_clear (&text);
    msg_destroy (message);
    return NULL;
  }
  muster_sip_header_text_clear (&text);

  return finish (message);
}

MusterSipResponse *
muster_sip_wire_parse_message (const void *bytes,
                               gsize n_bytes,
                               gsize body_bytes,
                               char **branch,
                               MusterSipInbound **inbound)
{
  MusterSipResponse *response = NULL;
  msg_t *message = parse (bytes, n_bytes);
  const sip_t *sip;

  *branch = NULL;
  *inbound = NULL;
  if (message == NULL)
    return NULL;

  /* Sofia takes bare line ends, too: a head that ends elsewhere for it than for the framer would let a
   * peer hide one message in another. */
  sip = sip_object (message);
  if ((sip->sip_payload != NULL ? sip->sip_payload->pl_len : 0) == body_bytes) {
    if (sip->sip_request != NULL) {
      *inbound = muster_sip_wire_read_inbound (sip);
    } else if (is_final (sip) && sip->sip_via != NULL && sip->sip_via->v_next == NULL) {
      *branch = g_strdup (sip->sip_via->v_branch);
      response = muster_sip_wire_read_response (sip);
    }
  }
  msg_destroy (message);

  return response;
}
