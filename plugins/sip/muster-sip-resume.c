/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-resume.h"

#include "muster-sip-message.h"

#include <string.h>

/*
 * What survives a restart, and the blob that it survives in: numbers in the byte order of the machine,
 * which it never leaves, and texts with their length in front, in the order of the functions below. It
 * begins with its version. Times in the blob are UTC, because the boot clock does not survive.
 *
 * A GVariant would do it, and did: at 10,000 accounts packing it was a sixth of all work.
 *
 * The blob is read as if somebody had written it by hand: a text that may not stand in a message makes
 * it worthless.
 */

#define RESUME_VERSION 7
#define OLDEST_VERSION 2 /* ends after the credentials */
#define NO_TEXT        G_MAXUINT16

/* Requests that may have gone out after the blob was saved, and after how many it is saved again. */
#define UNSAVED_REQUESTS 100
#define SAVE_AFTER       50

#define MAX_BINDINGS 8

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
muster_sip_entity_clear (MusterSipEntity *self)
{
  g_clear_pointer (&self->etag, g_free);
  self->until_us = 0;
}

void
muster_sip_memory_init (MusterSipMemory *self)
{
  g_autofree char *uuid = muster_sip_random_uuid ();

  memset (self, 0, sizeof (*self));
  muster_sip_memory_begin_dialog (self);
  self->token = muster_sip_random_hex (16);
  self->instance = g_strconcat ("urn:uuid:", uuid, NULL);
  self->bindings = muster_sip_bindings_new ();
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
  g_strfreev (self->service_route);
  g_strfreev (self->associated_uris);
  muster_sip_mapping_clear (&self->mapping);
  muster_sip_entity_clear (&self->presence);
  muster_sip_credentials_clear (&self->registrar);
  muster_sip_credentials_clear (&self->proxy);
  memset (self, 0, sizeof (*self));
}

/* packing */

static void
put (GByteArray *blob, gconstpointer data, gsize n_bytes)
{
  g_byte_array_append (blob, data, (guint) n_bytes);
}

static void
put_byte (GByteArray *blob, guint8 value)
{
  put (blob, &value, sizeof value);
}

static void
put_uint (GByteArray *blob, guint32 value)
{
  put (blob, &value, sizeof value);
}

/* One too long for a message is not kept. */
static void
put_text (GByteArray *blob, const char *text)
{
  gsize length = text != NULL ? strlen (text) : NO_TEXT;
  guint16 prefix = (guint16) MIN (length, NO_TEXT);

  put (blob, &prefix, sizeof prefix);
  if (prefix != NO_TEXT)
    put (blob, text, length);
}

/* Packed to be compared, a memory is steady: what moves with each request is left out. */

/* The algorithm is packed as its name: the enum may grow. */
static void
put_credentials (GByteArray *blob, const MusterSipCredentials *credentials, gboolean steady)
{
  put_text (blob, credentials->user);
  put_text (blob, credentials->realm);
  put_text (blob, credentials->nonce);
  put_text (blob, credentials->opaque);
  put_text (blob, credentials->algorithm_name);
  put_byte (blob, (guint8) credentials->qop);
  put_text (blob, credentials->cnonce);
  put_uint (blob, steady ? 0 : credentials->nonce_count);
  put_text (blob, credentials->ha1);
}

static void
put_time (GByteArray *blob, gint64 us, gboolean steady)
{
  gint64 wall_us = steady ? us : us + muster_clock_wall_us () - muster_clock_now_us ();

  put (blob, &wall_us, sizeof wall_us);
}

/* (nullable): the newest, if it was granted: each refresh extends it. */
static MusterSipBinding *
find_own_binding (GPtrArray *bindings)
{
  MusterSipBinding *newest = bindings->len > 0 ? bindings->pdata[bindings->len - 1] : NULL;

  return newest != NULL && newest->confirmed ? newest : NULL;
}

static void
put_bindings (GByteArray *blob, GPtrArray *bindings, gboolean steady)
{
  put_byte (blob, (guint8) bindings->len);
  for (guint i = 0; i < bindings->len; i++) {
    const MusterSipBinding *binding = g_ptr_array_index (bindings, i);

    put_text (blob, binding->uri);
    if (!steady || binding != find_own_binding (bindings))
      put_time (blob, binding->until_us, steady);
    put_byte (blob, binding->confirmed != FALSE);
  }
}

static void
put_addresses (GByteArray *blob, GStrv addresses)
{
  guint n_addresses = addresses != NULL ? g_strv_length (addresses) : 0;

  put_byte (blob, (guint8) n_addresses);
  for (guint i = 0; i < n_addresses; i++)
    put_text (blob, addresses[i]);
}

static void
put_mapping (GByteArray *blob, const MusterSipMapping *mapping)
{
  put_text (blob, mapping->local_host);
  put_uint (blob, mapping->local_port);
  put_text (blob, mapping->host);
  put_uint (blob, mapping->port);
  put_byte (blob, (guint8) mapping->n_rewrites);
  put_byte (blob, mapping->is_behind != FALSE);
}

static void
put_entity (GByteArray *blob, const MusterSipEntity *entity, gboolean steady)
{
  put_text (blob, entity->etag);
  put_time (blob, entity->until_us, steady);
}

static GByteArray *
pack (const MusterSipMemory *self, gboolean steady)
{
  GByteArray *blob = g_byte_array_sized_new (512);

  put_byte (blob, RESUME_VERSION);
  put_text (blob, self->call_id);
  put_text (blob, self->from_tag);
  put_text (blob, self->token);
  put_text (blob, self->instance);
  put_uint (blob, steady ? 0 : self->cseq);
  put_uint (blob, self->min_expires_s);
  put_text (blob, self->local_address);
  put_uint (blob, self->local_port);
  put_bindings (blob, self->bindings, steady);
  put_credentials (blob, &self->registrar, steady);
  put_credentials (blob, &self->proxy, steady);
  put_addresses (blob, self->service_route);
  put_addresses (blob, self->associated_uris);
  put_byte (blob, self->outbound != FALSE);
  put_mapping (blob, &self->mapping);
  put_entity (blob, &self->presence, steady);
  put_uint (blob, self->password_version);

  return blob;
}

GBytes *
muster_sip_memory_pack (const MusterSipMemory *self)
{
  return g_byte_array_free_to_bytes (pack (self, FALSE));
}

/* FNV-1a. Never 0. */
static guint64
mark_of (const MusterSipMemory *memory)
{
  g_autoptr (GByteArray) blob = pack (memory, TRUE);
  guint64 mark = G_GUINT64_CONSTANT (14695981039346656037);

  for (guint i = 0; i < blob->len; i++)
    mark = (mark ^ blob->data[i]) * G_GUINT64_CONSTANT (1099511628211);
  return mark != 0 ? mark : 1;
}

static gboolean
has_room (guint32 packed, guint32 now)
{
  return now >= packed && now - packed < SAVE_AFTER;
}

gboolean
muster_sip_packed_renew (MusterSipPacked *self, const MusterSipMemory *memory)
{
  guint64 mark = mark_of (memory);

  if (self->mark == mark && has_room (self->cseq, memory->cseq) &&
      has_room (self->nonce_counts[0], memory->registrar.nonce_count) &&
      has_room (self->nonce_counts[1], memory->proxy.nonce_count))
    return FALSE;

  self->mark = mark;
  self->cseq = memory->cseq;
  self->nonce_counts[0] = memory->registrar.nonce_count;
  self->nonce_counts[1] = memory->proxy.nonce_count;
  return TRUE;
}

void
muster_sip_memory_extend (MusterSipMemory *self, gint64 end_us)
{
  MusterSipBinding *own = find_own_binding (self->bindings);

  if (own != NULL)
    own->until_us = MAX (own->until_us, end_us);
}

/* unpacking */

typedef struct {
  const guint8 *at;
  const guint8 *end;
  gboolean failed; /* then all that is got is 0 or NULL */
} Reader;

static void
get (Reader *reader, gpointer value, gsize n_bytes)
{
  if (reader->failed || (gsize) (reader->end - reader->at) < n_bytes) {
    reader->failed = TRUE;
    memset (value, 0, n_bytes);
    return;
  }
  memcpy (value, reader->at, n_bytes);
  reader->at += n_bytes;
}

static guint8
get_byte (Reader *reader)
{
  guint8 value;

  get (reader, &value, sizeof value);
  return value;
}

static guint32
get_uint (Reader *reader)
{
  guint32 value;

  get (reader, &value, sizeof value);
  return value;
}

static gint64
get_time (Reader *reader)
{
  gint64 wall_us;

  get (reader, &wall_us, sizeof wall_us);
  return CLAMP (wall_us, 0, G_MAXINT64 / 2) + muster_clock_now_us () - muster_clock_wall_us ();
}

static char *
get_text (Reader *reader)
{
  guint16 length;
  char *text;

  get (reader, &length, sizeof length);
  if (length == NO_TEXT)
    return NULL;
  if (reader->failed || reader->end - reader->at < length ||
      memchr (reader->at, '\0', length) != NULL) {
    reader->failed = TRUE;
    return NULL;
  }
  text = g_strndup ((const char *) reader->at, length);
  reader->at += length;
  return text;
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

static gboolean
is_clean (const char *text)
{
  return text == NULL || muster_sip_text_is_clean (text);
}

static gboolean
is_hex (const char *text)
{
  return text != NULL && is_all_of (text, "0123456789abcdef");
}

static gboolean
can_be_used (const MusterSipCredentials *self, const char *ha1)
{
  return self->user != NULL && self->realm != NULL && self->nonce != NULL && *self->nonce != '\0' &&
         self->qop <= MUSTER_SIP_QOP_AUTH_INT && is_hex (self->cnonce) && is_hex (ha1) &&
         strlen (ha1) < sizeof (self->ha1) && self->nonce_count <= G_MAXUINT32 - UNSAVED_REQUESTS;
}

/* Credentials that cannot be used, or hold what may not be sent, are just not there: a server's realm may
 * be in any encoding, and must not cost us the bindings that we know of. */
static gboolean
get_credentials (Reader *reader, MusterSipCredentials *self)
{
  g_autofree char *ha1 = NULL;

  self->user = get_text (reader);
  self->realm = get_text (reader);
  self->nonce = get_text (reader);
  self->opaque = get_text (reader);
  self->algorithm_name = get_text (reader);
  self->qop = (MusterSipQop) get_byte (reader);
  self->cnonce = get_text (reader);
  self->nonce_count = get_uint (reader);
  ha1 = get_text (reader);
  if (reader->failed)
    return FALSE;

  if (!is_clean (self->user) || !is_clean (self->realm) || !is_clean (self->nonce) ||
      !is_clean (self->opaque) || !can_be_used (self, ha1) ||
      !muster_sip_algorithm_parse (self->algorithm_name, &self->algorithm)) {
    muster_sip_credentials_clear (self);
    return TRUE;
  }
  self->nonce_count += UNSAVED_REQUESTS;
  g_strlcpy (self->ha1, ha1, sizeof (self->ha1));
  return TRUE;
}

static gboolean
get_bindings (Reader *reader, GPtrArray *bindings)
{
  guint n_bindings = get_byte (reader);

  if (n_bindings > MAX_BINDINGS)
    return FALSE;

  for (guint i = 0; i < n_bindings; i++) {
    g_autofree char *uri = get_text (reader);
    gint64 until_us = get_time (reader);
    gboolean confirmed = get_byte (reader) != 0;

    if (reader->failed || uri == NULL || !is_contact (uri))
      return FALSE;
    g_ptr_array_add (bindings, muster_sip_binding_new (uri, until_us, confirmed));
  }
  return TRUE;
}

static gboolean
get_addresses (Reader *reader, GStrv *addresses)
{
  guint n_addresses = get_byte (reader);

  if (n_addresses == 0)
    return !reader->failed;
  if (n_addresses > MUSTER_SIP_MAX_ADDRESSES)
    return FALSE;

  *addresses = g_new0 (char *, n_addresses + 1);
  for (guint i = 0; i < n_addresses; i++) {
    (*addresses)[i] = get_text (reader);
    if ((*addresses)[i] == NULL || !muster_sip_address_is_fit ((*addresses)[i]))
      return FALSE;
  }
  return TRUE;
}

static gboolean
get_mapping (Reader *reader, MusterSipMapping *mapping)
{
  guint32 local_port;
  guint32 port;

  mapping->local_host = get_text (reader);
  local_port = get_uint (reader);
  mapping->host = get_text (reader);
  port = get_uint (reader);
  mapping->n_rewrites = get_byte (reader);
  mapping->is_behind = get_byte (reader) != 0;
  if (reader->failed || local_port > G_MAXUINT16 || port > G_MAXUINT16)
    return FALSE;

  mapping->local_port = (guint16) local_port;
  mapping->port = (guint16) port;
  return muster_sip_mapping_is_sane (mapping);
}

static gboolean
get_entity (Reader *reader, MusterSipEntity *entity)
{
  entity->etag = get_text (reader);
  entity->until_us = get_time (reader);
  return !reader->failed && (entity->etag == NULL || muster_sip_address_is_fit (entity->etag));
}

/* What a version has more than the one before stands behind it. */
static gboolean
unpack_newer (MusterSipMemory *self, Reader *reader, guint version)
{
  if (version >= 3 && (!get_addresses (reader, &self->service_route) ||
                       !get_addresses (reader, &self->associated_uris)))
    return FALSE;
  if (version >= 4)
    self->outbound = get_byte (reader) != 0;
  if (version >= 5 && !get_mapping (reader, &self->mapping))
    return FALSE;
  if (version >= 6 && !get_entity (reader, &self->presence))
    return FALSE;
  if (version >= 7)
    self->password_version = get_uint (reader);
  return !reader->failed;
}

static gboolean
unpack (MusterSipMemory *self, Reader *reader)
{
  guint version = get_byte (reader);
  guint32 local_port;

  if (version < OLDEST_VERSION || version > RESUME_VERSION)
    return FALSE;

  self->call_id = get_text (reader);
  self->from_tag = get_text (reader);
  self->token = get_text (reader);
  self->instance = get_text (reader);
  self->cseq = get_uint (reader);
  self->min_expires_s = get_uint (reader);
  self->local_address = get_text (reader);
  local_port = get_uint (reader);
  if (reader->failed || self->cseq > G_MAXINT32 - UNSAVED_REQUESTS || local_port > G_MAXUINT16 ||
      !is_hex (self->call_id) || !is_hex (self->from_tag) || !is_hex (self->token) ||
      self->instance == NULL || !g_str_has_prefix (self->instance, "urn:uuid:") ||
      !g_uuid_string_is_valid (self->instance + strlen ("urn:uuid:")) ||
      (self->local_address != NULL && !g_hostname_is_ip_address (self->local_address)))
    return FALSE;

  self->local_port = (guint16) local_port;
  self->cseq += UNSAVED_REQUESTS;
  self->bindings = muster_sip_bindings_new ();
  return get_bindings (reader, self->bindings) && get_credentials (reader, &self->registrar) &&
         get_credentials (reader, &self->proxy) && unpack_newer (self, reader, version) &&
         reader->at == reader->end;
}

gboolean
muster_sip_memory_unpack (MusterSipMemory *self, GBytes *blob)
{
  gsize n_bytes;
  const guint8 *bytes = g_bytes_get_data (blob, &n_bytes);
  Reader reader = { .at = bytes };
  MusterSipMemory found = { 0 };

  if (n_bytes == 0) /* then there are no bytes to point at */
    return FALSE;
  reader.end = bytes + n_bytes;
  if (!unpack (&found, &reader)) {
    muster_sip_memory_clear (&found);
    return FALSE;
  }
  muster_sip_memory_clear (self);
  *self = found;
  return TRUE;
}
