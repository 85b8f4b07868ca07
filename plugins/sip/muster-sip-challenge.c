/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-challenge.h"

#include <string.h>

/*
 * Reads challenges from text and chooses one. The text is read here and not by Sofia because Sofia
 * takes two challenges that a comma joins for one with odd parameters, and drops a scheme without
 * parameters.
 *
 *   header value = item, item, ...      item = scheme [param] | param      param = token = token | quoted
 *
 * so that a token not followed by "=" begins the next challenge. Anything that does not fit ends the
 * reading: what was complete before it still counts.
 */

#define MAX_VALUE_BYTES 8192
#define MAX_CHALLENGES  8

typedef struct {
  char *scheme;
  GHashTable *params; /* lower-case name -> unquoted value; the first of a name wins */
} RawChallenge;

static RawChallenge *
raw_challenge_new (char *scheme)
{
  RawChallenge *self = g_new0 (RawChallenge, 1);

  self->scheme = scheme;
  self->params = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

static void
raw_challenge_free (RawChallenge *self)
{
  g_free (self->scheme);
  g_hash_table_unref (self->params);
  g_free (self);
}

static gboolean
is_token_char (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("-.!%*_+`'~/:", c) != NULL);
}

static void
skip_space (const char **at)
{
  while (**at == ' ' || **at == '\t' || **at == '\r' || **at == '\n')
    (*at)++;
}

static char *
read_token (const char **at)
{
  const char *start = *at;

  while (is_token_char (**at))
    (*at)++;
  return *at == start ? NULL : g_strndup (start, *at - start);
}

/* @at stands on the opening quote. NULL if it is never closed or holds a control character. */
static char *
read_quoted (const char **at)
{
  g_autoptr (GString) text = g_string_sized_new (strcspn (*at + 1, "\""));

  for ((*at)++; **at != '"'; (*at)++) {
    if (**at == '\\' && (*at)[1] != '\0')
      (*at)++;
    if ((guchar) * *at < ' ' || **at == 0x7f)
      return NULL;
    g_string_append_c (text, **at);
  }
  (*at)++;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
read_value (const char **at)
{
  const char *start = *at;

  if (**at == '"')
    return read_quoted (at);

  /* Base64 nonces are sent bare by some: anything printable but the separators. */
  while ((guchar) * *at > ' ' && **at != 0x7f && **at != ',' && **at != '"' && **at != ';')
    (*at)++;
  return *at == start ? NULL : g_strndup (start, *at - start);
}

/* Adds the challenges of one header value to @found. */
static void
read_challenges (const char *value, GPtrArray *found)
{
  const char *at = value;
  RawChallenge *current = NULL;

  if (strlen (value) > MAX_VALUE_BYTES)
    return;

  for (;;) {
    g_autofree char *name = NULL;
    char *text;

    while (*at == ',' || *at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')
      at++;
    name = read_token (&at);
    if (name == NULL)
      return;
    skip_space (&at);

    if (*at != '=') {
      if (found->len >= MAX_CHALLENGES)
        return;
      current = raw_challenge_new (g_steal_pointer (&name));
      g_ptr_array_add (found, current);
      continue;
    }

    at++;
    skip_space (&at);
    text = read_value (&at);
    if (text == NULL || current == NULL) {
      g_free (text);
      return;
    }
    for (char *c = name; *c != '\0'; c++)
      *c = g_ascii_tolower (*c);
    if (g_hash_table_contains (current->params, name))
      g_free (text);
    else
      g_hash_table_insert (current->params, g_steal_pointer (&name), text);
    skip_space (&at);
    if (*at != ',' && *at != '\0')
      return;
  }
}

/* What of a qop list we answer with. FALSE: nothing in it is known to us. */
static gboolean
choose_qop (const char *list, MusterSipQop *qop)
{
  g_auto (GStrv) items = NULL;
  gboolean auth_int = FALSE;

  *qop = MUSTER_SIP_QOP_NONE;
  if (list == NULL || *list == '\0')
    return TRUE;

  items = g_strsplit (list, ",", 16);
  for (char **item = items; *item != NULL; item++) {
    g_strstrip (*item);
    if (g_ascii_strcasecmp (*item, "auth") == 0) {
      *qop = MUSTER_SIP_QOP_AUTH;
      return TRUE;
    }
    if (g_ascii_strcasecmp (*item, "auth-int") == 0)
      auth_int = TRUE;
  }
  *qop = MUSTER_SIP_QOP_AUTH_INT;
  return auth_int;
}

static MusterSipChallenge *
understand (const RawChallenge *raw, char **unknown)
{
  const char *name = g_hash_table_lookup (raw->params, "algorithm");
  const char *realm = g_hash_table_lookup (raw->params, "realm");
  const char *nonce = g_hash_table_lookup (raw->params, "nonce");
  const char *qops = g_hash_table_lookup (raw->params, "qop");
  const char *stale = g_hash_table_lookup (raw->params, "stale");
  MusterSipAlgorithm algorithm;
  MusterSipQop qop;
  MusterSipChallenge *self;

  if (g_ascii_strcasecmp (raw->scheme, "Digest") != 0) {
    *unknown = g_strdup (raw->scheme);
    return NULL;
  }
  if (!muster_sip_algorithm_parse (name, &algorithm)) {
    *unknown = g_strdup_printf ("Digest with %s", name);
    return NULL;
  }
  if (!choose_qop (qops, &qop)) {
    *unknown = g_strdup_printf ("Digest with qop %s", qops);
    return NULL;
  }
  if (realm == NULL || nonce == NULL) {
    *unknown = g_strdup ("Digest without realm or nonce");
    return NULL;
  }

  self = g_new0 (MusterSipChallenge, 1);
  self->realm = g_strdup (realm);
  self->nonce = g_strdup (nonce);
  self->opaque = g_strdup (g_hash_table_lookup (raw->params, "opaque"));
  self->algorithm_name = g_strdup (name);
  self->algorithm = algorithm;
  self->qop = qop;
  self->stale = stale != NULL && g_ascii_strcasecmp (stale, "true") == 0;
  return self;
}

/* The stronger hash; then the plain algorithm before -sess, and `auth` before the others, because
 * more servers have them right; then the one that the server named first. */
static gboolean
is_better (const MusterSipChallenge *a, const MusterSipChallenge *b)
{
  if (a->algorithm.hash != b->algorithm.hash)
    return a->algorithm.hash > b->algorithm.hash;
  if (a->algorithm.sess != b->algorithm.sess)
    return b->algorithm.sess;
  return a->qop == MUSTER_SIP_QOP_AUTH && b->qop != MUSTER_SIP_QOP_AUTH;
}

void
muster_sip_challenge_free (MusterSipChallenge *self)
{
  if (self == NULL)
    return;
  g_free (self->realm);
  g_free (self->nonce);
  g_free (self->opaque);
  g_free (self->algorithm_name);
  g_free (self);
}

MusterSipChallenge *
muster_sip_challenge_choose (const char *const *values, char **unknown)
{
  g_autoptr (GPtrArray)
    found = g_ptr_array_new_with_free_func ((GDestroyNotify) raw_challenge_free);
  g_autofree char *not_known = NULL;
  MusterSipChallenge *best = NULL;

  for (gsize i = 0; values != NULL && values[i] != NULL; i++)
    read_challenges (values[i], found);

  for (guint i = 0; i < found->len; i++) {
    g_autofree char *why = NULL;
    MusterSipChallenge *challenge = understand (g_ptr_array_index (found, i), &why);

    if (challenge == NULL) {
      if (not_known == NULL)
        not_known = g_steal_pointer (&why);
    } else if (best == NULL || is_better (challenge, best)) {
      muster_sip_challenge_free (best);
      best = challenge;
    } else {
      muster_sip_challenge_free (challenge);
    }
  }

  if (unknown != NULL)
    *unknown = best == NULL ? g_steal_pointer (&not_known) : NULL;
  return best;
}

/* The header is a list of parameters, which is a challenge without its scheme. */
char *
muster_sip_challenge_dup_nextnonce (const char *authentication_info)
{
  g_autoptr (GPtrArray)
    found = g_ptr_array_new_with_free_func ((GDestroyNotify) raw_challenge_free);
  g_autofree char *value = NULL;
  const RawChallenge *info;

  if (authentication_info == NULL)
    return NULL;

  value = g_strconcat ("Digest ", authentication_info, NULL);
  read_challenges (value, found);
  if (found->len == 0)
    return NULL;
  info = g_ptr_array_index (found, 0);
  return g_strdup (g_hash_table_lookup (info->params, "nextnonce"));
}

void
muster_sip_append_quoted (GString *string, const char *text)
{
  g_string_append_c (string, '"');
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\')
      g_string_append_c (string, '\\');
    g_string_append_c (string, *c);
  }
  g_string_append_c (string, '"');
}
