/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-resume.h"

#include "muster-sip-message.h"

#include <string.h>

/*
 * What survives a restart, and the blob that it survives in: a GVariant in the byte order of the
 * machine, which never leaves it, in a tuple that begins with its version. Times in the blob are UTC,
 * because the boot clock does not survive.
 *
 * The blob is read as if somebody had written it by hand: a text that may not stand in a message makes
 * it worthless.
 */

#define RESUME_VERSION   1
#define CREDENTIALS_TYPE "(sssmsmsysus)"
#define RESUME_TYPE      "(yssssuumsqa(sxb)" CREDENTIALS_TYPE CREDENTIALS_TYPE ")"

/* Requests that may have gone out after the blob was saved. */
#define UNSAVED_REQUESTS 100

#define MAX_BINDINGS 8

MusterSipBinding *
muster_sip_binding_new (const char *uri, gint64 until_us, gboolean confirmed)
{
  MusterSipBinding *self = g_new0 (MusterSipBinding, 1);

  self->uri = g_strdup (uri);
  self->until_us = until_us;
  self->confirmed = confirmed;
  return self;
}

void
muster_sip_binding_free (MusterSipBinding *self)
{
  g_free (self->uri);
  g_free (self);
}

void
muster_sip_memory_begin_dialog (MusterSipMemory *self)
{
  g_free (self->call_id);
  g_free (self->from_tag);
  self->call_id = muster_sip_random_hex (32);
  self->from_tag = muster_sip_random_hex (16);
  self->cseq = 0;
}

void
muster_sip_memory_init (MusterSipMemory *self)
{
  g_autofree char *uuid = g_uuid_string_random ();

  memset (self, 0, sizeof (*self));
  muster_sip_memory_begin_dialog (self);
  self->token = muster_sip_random_hex (16);
  self->instance = g_strconcat ("urn:uuid:", uuid, NULL);
  self->bindings = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_sip_binding_free);
}

void
muster_sip_memory_clear (MusterSipMemory *self)
{
  g_free (self->call_id);
  g_free (self->from_tag);
  g_free (self->token);
  g_free (self->instance);
  g_free (self->local_address);
  g_clear_pointer (&self->bindings, g_ptr_array_unref);
  muster_sip_credentials_clear (&self->registrar);
  muster_sip_credentials_clear (&self->proxy);
  memset (self, 0, sizeof (*self));
}

static const char *
or_empty (const char *text)
{
  return text != NULL ? text : "";
}

/* Without format strings, since this is done for each refresh of each account. */
static GVariant *
pack_text (const char *text)
{
  return g_variant_new_string (text != NULL ? text : "");
}

static GVariant *
pack_maybe (const char *text)
{
  return g_variant_new_maybe (G_VARIANT_TYPE_STRING,
                              text != NULL ? g_variant_new_string (text) : NULL);
}

/* The algorithm is packed as its name: the enum may grow. */
static GVariant *
pack_credentials (const MusterSipCredentials *credentials)
{
  GVariant *fields[] = {
    pack_text (credentials->user),
    pack_text (credentials->realm),
    pack_text (credentials->nonce),
    pack_maybe (credentials->opaque),
    pack_maybe (credentials->algorithm_name),
    g_variant_new_byte ((guchar) credentials->qop),
    pack_text (credentials->cnonce),
    g_variant_new_uint32 (credentials->nonce_count),
    pack_text (credentials->ha1),
  };

  return g_variant_new_tuple (fields, G_N_ELEMENTS (fields));
}

static GVariant *
pack_bindings (GPtrArray *bindings)
{
  g_autofree GVariant **packed = g_new (GVariant *, bindings->len);
  gint64 to_wall_us = muster_clock_wall_us () - muster_clock_now_us ();

  for (guint i = 0; i < bindings->len; i++) {
    const MusterSipBinding *binding = g_ptr_array_index (bindings, i);
    GVariant *fields[] = {
      pack_text (binding->uri),
      g_variant_new_int64 (binding->until_us + to_wall_us),
      g_variant_new_boolean (binding->confirmed),
    };

    packed[i] = g_variant_new_tuple (fields, G_N_ELEMENTS (fields));
  }

  return g_variant_new_array (G_VARIANT_TYPE ("(sxb)"), packed, bindings->len);
}

GBytes *
muster_sip_memory_pack (const MusterSipMemory *self)
{
  g_autoptr (GVariant) blob = NULL;
  GVariant *fields[] = {
    g_variant_new_byte (RESUME_VERSION),
    pack_text (self->call_id),
    pack_text (self->from_tag),
    pack_text (self->token),
    pack_text (self->instance),
    g_variant_new_uint32 (self->cseq),
    g_variant_new_uint32 (self->min_expires_s),
    pack_maybe (self->local_address),
    g_variant_new_uint16 (self->local_port),
    pack_bindings (self->bindings),
    pack_credentials (&self->registrar),
    pack_credentials (&self->proxy),
  };

  blob = g_variant_ref_sink (g_variant_new_tuple (fields, G_N_ELEMENTS (fields)));
  return g_variant_get_data_as_bytes (blob);
}

static gboolean
is_all_of (const char *text, const char *allowed)
{
  return *text != '\0' && text[strspn (text, allowed)] == '\0';
}

static gboolean
is_contact (const char *uri)
{
  return g_str_has_prefix (uri, "sip:") && muster_sip_text_is_clean (uri) &&
         strpbrk (uri, " <>\",") == NULL;
}

/* FALSE only for what may not be sent; credentials that cannot be used are just not there. */
static gboolean
unpack_credentials (MusterSipCredentials *self, GVariant *packed)
{
  const char *user;
  const char *realm;
  const char *nonce;
  const char *opaque;
  const char *name;
  const char *cnonce;
  const char *ha1;
  guint32 nonce_count;
  guchar qop;

  g_variant_get (packed, "(&s&s&sm&sm&sy&su&s)", &user, &realm, &nonce, &opaque, &name, &qop,
                 &cnonce, &nonce_count, &ha1);
  if (!muster_sip_text_is_clean (user) || !muster_sip_text_is_clean (realm) ||
      !muster_sip_text_is_clean (nonce) || !muster_sip_text_is_clean (or_empty (opaque)))
    return FALSE;

  if (*nonce == '\0' || qop > MUSTER_SIP_QOP_AUTH_INT || !is_all_of (cnonce, "0123456789abcdef") ||
      !is_all_of (ha1, "0123456789abcdef") || strlen (ha1) >= sizeof (self->ha1) ||
      nonce_count > G_MAXUINT32 - UNSAVED_REQUESTS ||
      !muster_sip_algorithm_parse (name, &self->algorithm))
    return TRUE;

  self->user = g_strdup (user);
  self->realm = g_strdup (realm);
  self->nonce = g_strdup (nonce);
  self->opaque = g_strdup (opaque);
  self->algorithm_name = g_strdup (name);
  self->qop = (MusterSipQop) qop;
  self->cnonce = g_strdup (cnonce);
  self->nonce_count = nonce_count + UNSAVED_REQUESTS;
  g_strlcpy (self->ha1, ha1, sizeof (self->ha1));
  return TRUE;
}

static gboolean
unpack_bindings (MusterSipMemory *self, GVariantIter *bindings)
{
  gint64 to_now_us = muster_clock_now_us () - muster_clock_wall_us ();
  const char *uri;
  gint64 until_us;
  gboolean confirmed;

  while (g_variant_iter_next (bindings, "(&sxb)", &uri, &until_us, &confirmed)) {
    if (!is_contact (uri) || self->bindings->len >= MAX_BINDINGS)
      return FALSE;
    until_us = CLAMP (until_us, 0, G_MAXINT64 / 2) + to_now_us;
    g_ptr_array_add (self->bindings, muster_sip_binding_new (uri, until_us, confirmed));
  }
  return TRUE;
}

static gboolean
unpack (MusterSipMemory *self, GVariant *blob)
{
  g_autoptr (GVariantIter) bindings = NULL;
  g_autoptr (GVariant) registrar = NULL;
  g_autoptr (GVariant) proxy = NULL;
  guchar version;

  g_variant_get (blob, "(yssssuumsqa(sxb)@" CREDENTIALS_TYPE "@" CREDENTIALS_TYPE ")", &version,
                 &self->call_id, &self->from_tag, &self->token, &self->instance, &self->cseq,
                 &self->min_expires_s, &self->local_address, &self->local_port, &bindings,
                 &registrar, &proxy);
  if (version != RESUME_VERSION || self->cseq > G_MAXINT32 - UNSAVED_REQUESTS ||
      !is_all_of (self->call_id, "0123456789abcdef") ||
      !is_all_of (self->from_tag, "0123456789abcdef") ||
      !is_all_of (self->token, "0123456789abcdef") ||
      !g_str_has_prefix (self->instance, "urn:uuid:") ||
      !g_uuid_string_is_valid (self->instance + strlen ("urn:uuid:")) ||
      (self->local_address != NULL && !g_hostname_is_ip_address (self->local_address)))
    return FALSE;

  self->cseq += UNSAVED_REQUESTS;
  self->bindings = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_sip_binding_free);
  return unpack_bindings (self, bindings) && unpack_credentials (&self->registrar, registrar) &&
         unpack_credentials (&self->proxy, proxy);
}

gboolean
muster_sip_memory_unpack (MusterSipMemory *self, GBytes *blob)
{
  g_autoptr (GVariant) packed = NULL;
  MusterSipMemory found = { 0 };

  packed = g_variant_ref_sink (
    g_variant_new_from_bytes (G_VARIANT_TYPE (RESUME_TYPE), blob, FALSE));
  if (!g_variant_is_normal_form (packed) || !unpack (&found, packed)) {
    muster_sip_memory_clear (&found);
    return FALSE;
  }
  muster_sip_memory_clear (self);
  *self = found;
  return TRUE;
}
