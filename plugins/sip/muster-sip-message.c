/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-message.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/*
 * Messages as data: what the state machine hands to a transport and gets back, so that it needs no
 * Sofia type. Everything here that a peer filled in is bounded.
 */

#define MAX_CONTACTS     256
#define MAX_CHALLENGES   8
#define MAX_REASON_BYTES 128

MusterSipRequest *
muster_sip_request_new (const char *method, const char *request_uri)
{
  MusterSipRequest *self = g_new0 (MusterSipRequest, 1);

  self->method = method;
  self->request_uri = g_strdup (request_uri);
  self->expires_s = -1;
  return self;
}

void
muster_sip_request_free (MusterSipRequest *self)
{
  if (self == NULL)
    return;
  g_free (self->request_uri);
  g_strfreev (self->route);
  g_free (self->from);
  g_free (self->to);
  g_free (self->call_id);
  g_free (self->contact);
  g_free (self->if_match);
  g_free (self->authorization);
  g_free (self->proxy_authorization);
  g_free (self->body);
  g_free (self);
}

static void
contact_free (MusterSipContact *contact)
{
  g_free (contact->uri);
  g_free (contact->user);
  g_free (contact->instance);
  g_free (contact);
}

/* Nearly all are. */
static gboolean
is_plain (const char *text, gsize max_bytes)
{
  gsize n = 0;

  if (text == NULL)
    return FALSE;
  while (text[n] >= ' ' && text[n] <= '~')
    n++;
  return text[n] == '\0' && n + 6 <= max_bytes;
}

char *
muster_sip_text_dup_printable (const char *text, gsize max_bytes)
{
  g_autofree char *valid = NULL;
  GString *clean;

  if (is_plain (text, max_bytes))
    return g_strdup (text);

  valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  clean = g_string_new (NULL);
  for (const char *c = valid; *c != '\0'; c = g_utf8_next_char (c)) {
    gunichar character = g_utf8_get_char (c);

    if (clean->len + 6 > max_bytes)
      break;
    g_string_append_unichar (clean, g_unichar_isprint (character) ? character : ' ');
  }
  return g_string_free (clean, FALSE);
}

MusterSipResponse *
muster_sip_response_new (guint status, const char *reason)
{
  MusterSipResponse *self = g_rc_box_new0 (MusterSipResponse);

  self->status = status;
  self->reason = muster_sip_text_dup_printable (reason, MAX_REASON_BYTES);
  self->www_challenges = g_ptr_array_new_with_free_func (g_free);
  self->proxy_challenges = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->www_challenges, NULL);
  g_ptr_array_add (self->proxy_challenges, NULL);
  self->contacts = g_ptr_array_new_with_free_func ((GDestroyNotify) contact_free);
  self->expires_s = -1;
  self->min_expires_s = -1;
  self->retry_after_s = -1;
  self->flow_timer_s = -1;
  return self;
}

void
muster_sip_response_add_contact (MusterSipResponse *self,
                                 const char *uri,
                                 const char *user,
                                 const char *instance,
                                 const char *expires)
{
  MusterSipContact *contact;

  if (self->contacts->len >= MAX_CONTACTS)
    return;

  contact = g_new0 (MusterSipContact, 1);
  contact->uri = g_utf8_make_valid (uri, -1);
  contact->user = g_strdup (user);
  contact->instance = g_strdup (instance);
  contact->expires_s = muster_sip_parse_seconds (expires);
  g_ptr_array_add (self->contacts, contact);
}

void
muster_sip_response_add_challenge (MusterSipResponse *self, gboolean proxy, const char *value)
{
  GPtrArray *challenges = proxy ? self->proxy_challenges : self->www_challenges;

  if (challenges->len <= MAX_CHALLENGES)
    g_ptr_array_insert (challenges, (int) challenges->len - 1, g_strdup (value));
}

static gboolean
add_address (GStrv *addresses, const char *value)
{
  guint n = *addresses != NULL ? g_strv_length (*addresses) : 0;

  if (n >= MUSTER_SIP_MAX_ADDRESSES || !muster_sip_address_is_fit (value))
    return FALSE;

  *addresses = g_renew (char *, *addresses, n + 2);
  (*addresses)[n] = g_strdup (value);
  (*addresses)[n + 1] = NULL;
  return TRUE;
}

gboolean
muster_sip_response_add_service_route (MusterSipResponse *self, const char *value)
{
  return add_address (&self->service_route, value);
}

gboolean
muster_sip_response_add_associated_uri (MusterSipResponse *self, const char *uri)
{
  return add_address (&self->associated_uris, uri);
}

gboolean
muster_sip_response_add_record_route (MusterSipResponse *self, const char *value)
{
  return add_address (&self->record_route, value);
}

static void
response_clear (gpointer data)
{
  MusterSipResponse *self = data;

  g_free (self->reason);
  g_ptr_array_unref (self->www_challenges);
  g_ptr_array_unref (self->proxy_challenges);
  g_free (self->authentication_info);
  g_free (self->proxy_authentication_info);
  g_ptr_array_unref (self->contacts);
  g_free (self->received);
  g_strfreev (self->service_route);
  g_strfreev (self->associated_uris);
  g_free (self->to_tag);
  g_strfreev (self->record_route);
  g_free (self->etag);
}

MusterSipResponse *
muster_sip_response_ref (const MusterSipResponse *self)
{
  return g_rc_box_acquire ((MusterSipResponse *) self);
}

void
muster_sip_response_unref (MusterSipResponse *self)
{
  g_rc_box_release_full (self, response_clear);
}

MusterSipOptions
muster_sip_option_parse (const char *tag)
{
  if (g_ascii_strcasecmp (tag, "path") == 0)
    return MUSTER_SIP_OPTION_PATH;
  if (g_ascii_strcasecmp (tag, "outbound") == 0)
    return MUSTER_SIP_OPTION_OUTBOUND;
  return 0;
}

const char *
muster_sip_options_to_string (MusterSipOptions options)
{
  static const char *const texts[] = {
    [0] = NULL,
    [MUSTER_SIP_OPTION_PATH] = "path",
    [MUSTER_SIP_OPTION_OUTBOUND] = "outbound",
    [MUSTER_SIP_ALL_OPTIONS] = "path, outbound",
  };

  return texts[options & MUSTER_SIP_ALL_OPTIONS];
}

gint64
muster_sip_parse_seconds (const char *text)
{
  gint64 seconds = 0;

  if (text == NULL || *text == '\0')
    return -1;
  for (; *text != '\0'; text++) {
    if (!g_ascii_isdigit (*text))
      return -1;
    seconds = MIN (seconds * 10 + (*text - '0'), G_MAXINT32);
  }
  return seconds;
}

gboolean
muster_sip_text_is_clean (const char *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c)) {
    if (g_unichar_iscntrl (g_utf8_get_char (c)))
      return FALSE;
  }
  return TRUE;
}

gboolean
muster_sip_address_is_fit (const char *text)
{
  return *text != '\0' && strlen (text) <= MUSTER_SIP_MAX_ADDRESS_BYTES &&
         muster_sip_text_is_clean (text);
}

/* From the kernel, and not from GLib's generator: by a contact's token we know who may speak to us, and who has
 * seen enough of that generator's numbers knows the next ones. */
static guint8
random_byte (void)
{
  static guint8 pool[256];
  static guint n_used = sizeof pool;

  if (n_used == sizeof pool) {
    if (getrandom (pool, sizeof pool, 0) !=
        sizeof pool) /* so few are neither cut nor interrupted */
      g_error ("the kernel has no random numbers: %s", g_strerror (errno));
    n_used = 0;
  }
  return pool[n_used++];
}

char *
muster_sip_random_hex (guint n)
{
  char *text = g_malloc (n + 1);
  guint8 byte = 0;

  for (guint i = 0; i < n; i++, byte >>= 4) {
    if (i % 2 == 0)
      byte = random_byte ();
    text[i] = "0123456789abcdef"[byte & 0xf];
  }
  text[n] = '\0';
  return text;
}

char *
muster_sip_random_uuid (void)
{
  g_autofree char *hex = muster_sip_random_hex (32);

  hex[12] = '4';
  hex[16] = "89ab"[random_byte () & 3];
  return g_strdup_printf ("%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

char *
muster_sip_contact_uri (const char *token, const char *host, guint16 port, const char *params)
{
  return g_strdup_printf ("sip:%s@%s:%u%s", token, host, port, params);
}
