/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterRequest"

#include "config.h"

#include "muster-request.h"

/*
 * Reads off an account what a person is asked. It keeps no copy of what the account says of itself, so
 * that the question can never be about something else than what the account waits for.
 */

static const MusterStandingView *
view_of (MusterAccount *account)
{
  return muster_standing_get_view (muster_account_get_standing (account));
}

static gboolean
has_secret_params (MusterAccount *account)
{
  const MusterProtocol *protocol = muster_account_get_protocol (account);

  for (guint i = 0; protocol != NULL && i < protocol->n_params; i++) {
    if ((protocol->params[i].flags & MUSTER_PARAM_SECRET) != 0)
      return TRUE;
  }

  return FALSE;
}

gboolean
muster_request_is_needed (MusterAccount *account)
{
  const MusterStandingView *view = view_of (account);

  if (muster_account_is_leaving (account))
    return FALSE;
  if (view->state == MUSTER_ACCOUNT_WAITING_USER)
    return TRUE;

  return view->state == MUSTER_ACCOUNT_WAITING_SECRET && has_secret_params (account) &&
         (g_str_equal (view->reason, "no-secret") || g_str_equal (view->reason, "refused"));
}

gboolean
muster_request_is_current (MusterRequest *self)
{
  const MusterStandingView *view = view_of (self->account);

  return view->state == self->state && g_str_equal (view->reason, self->reason);
}

MusterRequest *
muster_request_new (MusterAccount *account, char *id)
{
  const MusterStandingView *view = view_of (account);
  MusterRequest *self = g_new0 (MusterRequest, 1);

  self->id = id;
  self->account = account;
  self->state = view->state;
  self->reason = view->reason;
  self->since_us = view->since_us;

  return self;
}

void
muster_request_free (MusterRequest *self)
{
  g_free (self->id);
  g_free (self);
}

const char *
muster_request_get_kind (MusterRequest *self)
{
  if (self->state == MUSTER_ACCOUNT_WAITING_SECRET)
    return "secret";

  return g_str_equal (self->reason, "untrusted") ? "certificate" : "question";
}

char *
muster_request_dup_message (MusterRequest *self)
{
  const char *address = muster_account_get_record (self->account)->address;
  const GError *error = view_of (self->account)->error;

  if (self->state == MUSTER_ACCOUNT_WAITING_SECRET && error == NULL)
    return g_strdup_printf ("%s needs a secret before it can be registered", address);
  if (self->state == MUSTER_ACCOUNT_WAITING_SECRET &&
      muster_account_get_secrets (self->account)[0] == NULL)
    return g_strdup_printf ("the service wants a secret for %s, and none is stored: %s", address,
                            error->message);
  if (self->state == MUSTER_ACCOUNT_WAITING_SECRET)
    return g_strdup_printf ("the service does not accept what is stored for %s: %s", address,
                            error->message);
  if (error != NULL)
    return g_strdup_printf ("%s waits for you: %s", address, error->message);

  return g_strdup_printf ("%s waits for you", address);
}

GStrv
muster_request_dup_secrets (MusterRequest *self)
{
  const MusterProtocol *protocol = muster_account_get_protocol (self->account);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  const char *missing = muster_account_get_missing_secret (self->account);

  if (self->state != MUSTER_ACCOUNT_WAITING_SECRET)
    return g_strv_builder_end (names);

  if (missing != NULL) {
    g_strv_builder_add (names, missing);
    return g_strv_builder_end (names);
  }
  for (guint i = 0; protocol != NULL && i < protocol->n_params; i++) {
    if ((protocol->params[i].flags & MUSTER_PARAM_SECRET) != 0)
      g_strv_builder_add (names, protocol->params[i].name);
  }

  return g_strv_builder_end (names);
}

MusterCertificate *
muster_request_get_certificate (MusterRequest *self)
{
  if (self->state != MUSTER_ACCOUNT_WAITING_USER)
    return NULL;

  return muster_error_get_certificate (view_of (self->account)->error);
}
