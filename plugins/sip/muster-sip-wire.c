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

/*
 * From Sofia's view of a message to ours. Challenges are handed on as text, because Sofia reads two
 * that a comma joins as one.
 */

#define MAX_MESSAGE_BYTES 65535

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
  GString *value = g_string_new (scheme);

  for (gsize i = 0; params != NULL && params[i] != NULL; i++)
    g_string_append_printf (value, "%s%s", i > 0 ? ", " : " ", params[i]);
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

  return response;
}

MusterSipResponse *
muster_sip_wire_parse_response (const void *bytes, gsize n_bytes)
{
  MusterSipResponse *response = NULL;
  const sip_t *sip;
  msg_t *message;

  if (n_bytes == 0 || n_bytes > MAX_MESSAGE_BYTES)
    return NULL;

  message = msg_make (sip_default_mclass (), 0, bytes, (ssize_t) n_bytes);
  sip = message != NULL ? sip_object (message) : NULL;

  /* Each of these lets something through that another one stops. */
  if (sip != NULL && msg_is_complete (message) && msg_has_error (message) == 0 &&
      (msg_extract_errors (message) & sip_mask_response) == 0 && sip_sanity_check (sip) >= 0 &&
      sip->sip_status != NULL && sip->sip_status->st_status >= 200 &&
      sip->sip_status->st_status <= 699)
    response = muster_sip_wire_read_response (sip);

  if (message != NULL)
    msg_destroy (message);
  return response;
}
