/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-message.h"
#include "muster-sip-sofia.h"
#include "muster-sip-wire.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_header.h>
#include <stdlib.h>
#include <string.h>

/* From Sofia's view of a request to ours. */

#define MAX_RECORD_ROUTES 16

/* (transfer full): Sofia leaves lines folded inside of quotes. */
static char *
unfold (const char *text)
{
  GString *plain = g_string_new (NULL);

  for (const char *c = text; *c != '\0'; c++) {
    const char *end = c + strspn (c, "\r\n");

    if (end > c && (*end == ' ' || *end == '\t')) {
      g_string_append_c (plain, ' ');
      c = end + strspn (end, " \t") - 1;
    } else {
      g_string_append_c (plain, *c);
    }
  }
  return g_string_free (plain, FALSE);
}

/* Whole UTF-8 on one line, or nothing: what is compared must not be cut or mended. */
static char *
dup_clean (const char *text)
{
  return text != NULL && muster_sip_text_is_clean (text) ? g_strdup (text) : NULL;
}

static char *
dup_lower (const char *text)
{
  g_autofree char *clean = dup_clean (text);

  return clean != NULL ? g_ascii_strdown (clean, -1) : NULL;
}

static char *
dup_url (const url_t *url)
{
  char *text = url_as_string (NULL, url);
  char *copy = dup_clean (text);

  su_free (NULL, text);
  return copy;
}

static char *
dup_param (const msg_param_t *params, const char *name)
{
  const char *value = params != NULL ? msg_params_find (params, name) : NULL;
  char *plain;
  char *copy;

  if (value == NULL)
    return NULL;
  if (*value != '"')
    return dup_clean (value);
  plain = msg_unquote_dup (NULL, value);
  copy = dup_clean (plain);
  su_free (NULL, plain);
  return copy;
}

/* A name in quotes, or words. */
static char *
dup_display (const char *display)
{
  char *sofia = NULL;
  g_autofree char *plain = NULL;

  if (display == NULL || *display == '\0')
    return NULL;
  if (*display == '"')
    sofia = msg_unquote_dup (NULL, display);
  plain = unfold (sofia != NULL ? sofia : display);
  su_free (NULL, sofia);
  return dup_clean (plain);
}

static void
read_via (MusterSipInbound *inbound, const sip_via_t *via)
{
  g_autofree char *host = dup_lower (via->v_host);

  inbound->branch = dup_clean (via->v_branch);
  inbound->sent_by = g_strdup_printf ("%s:%s", host != NULL ? host : "",
                                      via->v_port != NULL ? via->v_port : "");
}

static guint
read_cause (const sip_reason_t *reason)
{
  gint64 cause = muster_sip_parse_seconds (reason->re_cause);

  return cause > 0 && cause < 1000 ? (guint) cause : 0;
}

static void
read_reasons (MusterSipInbound *inbound, const sip_reason_t *reason)
{
  for (; reason != NULL; reason = reason->re_next) {
    if (reason->re_protocol == NULL)
      continue;
    if (inbound->sip_cause == 0 && g_ascii_strcasecmp (reason->re_protocol, "SIP") == 0)
      inbound->sip_cause = read_cause (reason);
    if (inbound->q850_cause == 0 && g_ascii_strcasecmp (reason->re_protocol, "Q.850") == 0)
      inbound->q850_cause = read_cause (reason);
  }
}

static void
read_record_routes (MusterSipInbound *inbound, const sip_record_route_t *route)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);
  guint n_routes = 0;

  for (; route != NULL && n_routes < MAX_RECORD_ROUTES; route = route->r_next, n_routes++) {
    g_autofree char *uri = dup_url (route->r_url);
    GString *text = g_string_new (NULL);

    g_string_append_printf (text, "<%s>", uri != NULL ? uri : "");
    for (gsize i = 0; route->r_params != NULL && route->r_params[i] != NULL; i++)
      g_string_append_printf (text, ";%s", route->r_params[i]);
    if (uri != NULL && muster_sip_text_is_clean (text->str))
      g_ptr_array_add (values, g_string_free (text, FALSE));
    else
      g_string_free (text, TRUE);
  }
  inbound->lost_record_route = n_routes != values->len;
  if (values->len == 0)
    return;
  g_ptr_array_add (values, NULL);
  inbound->record_routes = (GStrv) g_ptr_array_steal (values, NULL);
}

static void
read_subscription (MusterSipInbound *inbound, const sip_t *sip)
{
  const sip_subscription_state_t *state = sip->sip_subscription_state;

  inbound->subscription_expires_s = -1;
  inbound->subscription_retry_after_s = -1;
  if (sip->sip_event != NULL) {
    inbound->event = dup_lower (sip->sip_event->o_type);
    inbound->event_id = dup_clean (sip->sip_event->o_id);
  }
  if (state != NULL) {
    inbound->subscription = dup_lower (state->ss_substate);
    inbound->subscription_reason = dup_lower (state->ss_reason);
    inbound->subscription_expires_s = muster_sip_parse_seconds (state->ss_expires);
    inbound->subscription_retry_after_s = muster_sip_parse_seconds (state->ss_retry_after);
  }
}

static void
read_body (MusterSipInbound *inbound, const sip_t *sip)
{
  if (sip->sip_content_type != NULL) {
    inbound->content_type = dup_lower (sip->sip_content_type->c_type);
    inbound->charset = dup_param (sip->sip_content_type->c_params, "charset=");
  }
  if (sip->sip_content_encoding != NULL && sip->sip_content_encoding->k_items != NULL)
    inbound->content_encoding = dup_lower (sip->sip_content_encoding->k_items[0]);
  if (sip->sip_payload != NULL && sip->sip_payload->pl_len > 0)
    inbound->body = g_bytes_new (sip->sip_payload->pl_data, sip->sip_payload->pl_len);
}

/* We know no extension that a server would have to. */
static void
read_require (MusterSipInbound *inbound, const sip_require_t *require)
{
  g_autoptr (GString) tags = g_string_new (NULL);

  for (; require != NULL; require = require->k_next) {
    for (gsize i = 0; require->k_items != NULL && require->k_items[i] != NULL; i++)
      g_string_append_printf (tags, "%s%s", tags->len > 0 ? ", " : "", require->k_items[i]);
  }
  if (tags->len > 0 && muster_sip_text_is_clean (tags->str))
    inbound->unsupported = g_strdup (tags->str);
}

/* Nobody has as many proxies; a line for each of them would make the reply larger than its request. */
static const sip_record_route_t *
get_record_route_to_repeat (const sip_t *request)
{
  const sip_record_route_t *route = request->sip_record_route;

  for (guint i = 0; route != NULL && i < MAX_RECORD_ROUTES; i++)
    route = route->r_next;
  return route == NULL ? request->sip_record_route : NULL;
}

/* Via to CSeq of every reply to it, ours being the tag of the other side's To: %NULL if they cannot be
 * built. */
static char *
make_reply_head (const sip_t *request, const char *tag)
{
  msg_t *message = msg_create (sip_default_mclass (), 0);
  su_home_t *home = msg_home (message);
  sip_t *reply = sip_object (message);
  char *head = NULL;

  msg_header_insert (message, NULL, (msg_header_t *) sip_status_create (home, 100, "", NULL));
  if (sip_add_tl (message, reply, SIPTAG_VIA (request->sip_via),
                  SIPTAG_RECORD_ROUTE (get_record_route_to_repeat (request)),
                  SIPTAG_FROM (request->sip_from), SIPTAG_TO (request->sip_to),
                  SIPTAG_CALL_ID (request->sip_call_id), SIPTAG_CSEQ (request->sip_cseq),
                  TAG_END ()) >= 0) {
    size_t n_bytes = 0;
    const char *text, *start, *end;

    if (reply->sip_to->a_tag == NULL)
      sip_to_tag (home, reply->sip_to, tag);
    sip_complete_message (message);
    text = msg_as_string (home, message, NULL, 0, &n_bytes);
    start = text != NULL ? strstr (text, "\r\n") : NULL;
    end = start != NULL ? g_strrstr (start, "\r\nContent-Length:") : NULL;
    if (end != NULL) {
      g_autofree char *folded = g_strndup (start + 2, (gsize) (end - start));

      head = unfold (folded);
    }
  }
  msg_destroy (message);
  return head;
}

MusterSipInbound *
muster_sip_wire_read_inbound (const sip_t *sip)
{
  g_autoptr (MusterSipInbound) inbound = g_new0 (MusterSipInbound, 1);
  g_autofree char *tag = NULL;

  if (sip->sip_via == NULL || sip->sip_from == NULL || sip->sip_to == NULL ||
      sip->sip_call_id == NULL || sip->sip_cseq == NULL)
    return NULL;

  inbound->method = dup_clean (sip->sip_request->rq_method_name);
  inbound->token = dup_clean (sip->sip_request->rq_url->url_user);
  inbound->from = dup_url (sip->sip_from->a_url);
  inbound->from_name = dup_display (sip->sip_from->a_display);
  inbound->from_tag = dup_clean (sip->sip_from->a_tag);
  inbound->to_tag = dup_clean (sip->sip_to->a_tag);
  inbound->call_id = dup_clean (sip->sip_call_id->i_id);
  inbound->cseq = sip->sip_cseq->cs_seq;
  if (inbound->method == NULL || inbound->from == NULL || inbound->call_id == NULL ||
      (inbound->to_tag == NULL && sip->sip_to->a_tag != NULL))
    return NULL;

  read_via (inbound, sip->sip_via);
  if (sip->sip_contact != NULL && sip->sip_contact->m_url->url_host != NULL)
    inbound->contact = dup_url (sip->sip_contact->m_url);
  inbound->expires_s = sip->sip_expires != NULL && sip->sip_expires->ex_date == 0
                         ? (gint64) MIN (sip->sip_expires->ex_delta, G_MAXINT32)
                         : -1;
  if (sip->sip_subject != NULL)
    inbound->subject = dup_clean (sip->sip_subject->g_string);
  read_subscription (inbound, sip);
  read_body (inbound, sip);
  read_reasons (inbound, sip->sip_reason);
  read_record_routes (inbound, sip->sip_record_route);
  read_require (inbound, sip->sip_require);

  tag = muster_sip_inbound_make_tag (inbound->call_id, inbound->from_tag, inbound->cseq);
  inbound->reply_head = make_reply_head (sip, tag);
  return inbound->reply_head != NULL ? g_steal_pointer (&inbound) : NULL;
}
