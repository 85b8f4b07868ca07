/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-exchange.h"

#include "muster-sip-response.h"

/*
 *    begin -> send --> on_answer -+-> 2xx --------------------------------> done
 *              ^                  +-> 401, 407 -> meet_challenge -+-------> done
 *              |                  |              need_password <-' `-.
 *              |                  |                   `-> answer_challenge
 *              |                  +-> other ----> owner's overcome +------> done
 *              +--------------------------------------------------'
 *
 * If a challenge was ever answered, the answer to it goes ahead with the next count: then it takes one
 * round trip. A challenge is answered once. The same side asking again with a nonce that is not just a
 * newer one (stale) has refused the password, and asking on would lock the account. An answer sent ahead
 * does not count: it may be the nonce that was refused.
 *
 * What is kept of the password (HA1) answers as long as it fits and is accepted. The password itself is asked
 * for when it does not fit, and when an answer made with it was refused, for then it may be an old one; if
 * the password is still the one that was kept, it is it that was refused.
 */

#define MAX_ROUNDS 6

#define SHOWN_MAX_BYTES 64 /* of a server's words, in a message */

static void muster_sip_exchange_send (MusterSipExchange *self);

/* the end */

static void
muster_sip_exchange_clear (MusterSipExchange *self)
{
  self->transaction = NULL;
  g_clear_pointer (&self->route, g_free);
  g_clear_pointer (&self->auth_user, g_free);
  g_clear_pointer (&self->asker.password, muster_secret_unref);
  g_clear_pointer (&self->unmet, muster_sip_response_unref);
  g_clear_error (&self->no_password);
}

static void
finish (MusterSipExchange *self, const MusterSipResponse *response, const GError *error)
{
  muster_sip_exchange_clear (self);
  self->funcs->done (self->owner, response, error);
}

static void
fail_with_response (MusterSipExchange *self, const MusterSipResponse *response)
{
  g_autoptr (GError) error = NULL;

  error = muster_sip_response_to_error (response, self->asker.step, self->asker.registers,
                                        self->registrar_sent || self->proxy_sent);
  if (error->code == MUSTER_ERROR_REFUSED && self->asker.registers) {
    muster_sip_credentials_clear (self->asker.registrar);
    muster_sip_credentials_clear (self->asker.proxy);
  }
  finish (self, response, error);
}

/* Takes @error. */
static void
fail (MusterSipExchange *self, const MusterSipResponse *response, GError *error)
{
  g_autoptr (GError) owned = error;

  muster_error_set_server (owned, response->status, response->reason, 0);
  finish (self, response, owned);
}

/* 401 and 407 */

static void
fail_on_unknown_challenge (MusterSipExchange *self,
                           const MusterSipResponse *response,
                           const char *unknown)
{
  g_autofree char *shown = muster_sip_text_dup_printable (unknown, SHOWN_MAX_BYTES);
  GError *error;

  if (unknown == NULL || !muster_sip_text_is_clean (unknown))
    error = muster_error_new (MUSTER_ERROR_PROTOCOL, MUSTER_STEP_AUTHENTICATE,
                              "the server asks who we are but not how to prove it");
  else
    error = muster_error_new (MUSTER_ERROR_UNSUPPORTED, MUSTER_STEP_AUTHENTICATE,
                              "the server asks for %s, which is not supported", shown);
  fail (self, response, error);
}

/* One side of those who may ask. */
typedef struct {
  MusterSipCredentials *credentials;
  gboolean *answered;
  gboolean sent;
} Side;

static Side
side_of (MusterSipExchange *self, const MusterSipResponse *response)
{
  if (response->status == 407)
    return (Side){ self->asker.proxy, &self->proxy_answered, self->proxy_sent };
  return (Side){ self->asker.registrar, &self->registrar_answered, self->registrar_sent };
}

static void
fail_without_password (MusterSipExchange *self, const MusterSipResponse *response)
{
  g_autoptr (GError) why = g_steal_pointer (&self->no_password);

  if (why == NULL)
    fail (self, response,
          muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_SECRET,
                            "the server asks for a password and the account has none"));
  else
    finish (self, response, why); /* "No such secret" says more than we could */
}

/* @is_new: the password is another one than what was tried last was made of. */
static void
answer_challenge (MusterSipExchange *self,
                  const MusterSipResponse *response,
                  const MusterSipChallenge *challenge,
                  gboolean is_new)
{
  Side side = side_of (self, response);

  if (*side.answered && !challenge->stale && !is_new) {
    fail_with_response (self, response); /* REFUSED */
    return;
  }
  if (!muster_sip_credentials_adopt (side.credentials, challenge, self->auth_user,
                                     self->asker.password)) {
    fail_without_password (self, response);
    return;
  }
  if (++self->n_rounds > MAX_ROUNDS) {
    fail (self, response,
          muster_error_new (MUSTER_ERROR_PROTOCOL, MUSTER_STEP_AUTHENTICATE,
                            "the server's challenges do not outlive the answer"));
    return;
  }

  /* Who asks now has let the other side's answer pass. */
  self->registrar_answered = FALSE;
  self->proxy_answered = FALSE;
  *side.answered = TRUE;
  muster_sip_exchange_send (self);
}

static MusterSipChallenge *
choose_challenge (const MusterSipResponse *response, char **unknown)
{
  GPtrArray *values = response->status == 407 ? response->proxy_challenges
                                              : response->www_challenges;

  return muster_sip_challenge_choose ((const char *const *) values->pdata, unknown);
}

static gboolean
needs_password (MusterSipExchange *self, const Side *side, const MusterSipChallenge *challenge)
{
  if (self->asker.password != NULL || self->asked_for_password || !self->asker.may_ask)
    return FALSE;
  return !muster_sip_credentials_fit (side->credentials, challenge, self->auth_user) ||
         (side->sent && !challenge->stale);
}

static void
meet_challenge (MusterSipExchange *self, const MusterSipResponse *response)
{
  Side side = side_of (self, response);
  g_autofree char *unknown = NULL;
  g_autoptr (MusterSipChallenge) challenge = choose_challenge (response, &unknown);

  if (challenge == NULL) {
    fail_on_unknown_challenge (self, response, unknown);
  } else if (needs_password (self, &side, challenge)) {
    self->asked_for_password = TRUE;
    self->unmet = muster_sip_response_ref (response);
    self->funcs->need_password (self->owner);
  } else {
    answer_challenge (self, response, challenge, FALSE);
  }
}

void
muster_sip_exchange_take_password (MusterSipExchange *self,
                                   MusterSecret *password,
                                   const GError *error)
{
  g_autoptr (MusterSipResponse) response = g_steal_pointer (&self->unmet);
  g_autoptr (MusterSipChallenge) challenge = NULL;
  gboolean was_set;
  Side side;

  g_return_if_fail (response != NULL);

  if (password == NULL && !g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_REFUSED)) {
    finish (self, response, error);
    return;
  }

  challenge = choose_challenge (response, NULL);
  side = side_of (self, response);
  was_set = muster_sip_credentials_is_set (side.credentials);
  if (password != NULL) {
    self->asker.password = muster_secret_ref (password);
    muster_sip_credentials_check (self->asker.registrar, self->auth_user, password);
    muster_sip_credentials_check (self->asker.proxy, self->auth_user, password);
  } else {
    self->no_password = g_error_copy (error);
  }
  answer_challenge (self, response, challenge,
                    was_set && !muster_sip_credentials_is_set (side.credentials));
}

/* answers */

static void
take_nextnonces (MusterSipExchange *self, const MusterSipResponse *response)
{
  g_autofree char *registrar = NULL;
  g_autofree char *proxy = NULL;

  registrar = muster_sip_challenge_dup_nextnonce (response->authentication_info);
  proxy = muster_sip_challenge_dup_nextnonce (response->proxy_authentication_info);
  if (registrar != NULL)
    muster_sip_credentials_set_nextnonce (self->asker.registrar, registrar);
  if (proxy != NULL)
    muster_sip_credentials_set_nextnonce (self->asker.proxy, proxy);
}

/* A request is looked at only after who we are: the next challenge is another question. */
static void
send_accepted (MusterSipExchange *self)
{
  self->registrar_answered = FALSE;
  self->proxy_answered = FALSE;
  muster_sip_exchange_send (self);
}

static void
on_answer (const MusterSipResponse *response, const GError *failure, gpointer user_data)
{
  MusterSipExchange *self = user_data;

  self->transaction = NULL;
  if (response != NULL && self->funcs->heard != NULL)
    self->funcs->heard (self->owner, response);

  if (failure != NULL) {
    finish (self, NULL, failure);
  } else if (response->status / 100 == 2) {
    take_nextnonces (self, response);
    finish (self, response, NULL);
  } else if (response->status == 401 || response->status == 407) {
    meet_challenge (self, response);
  } else if (self->funcs->overcome != NULL && self->funcs->overcome (self->owner, response)) {
    send_accepted (self);
  } else {
    fail_with_response (self, response);
  }
}

static void
muster_sip_exchange_send (MusterSipExchange *self)
{
  g_autoptr (MusterSipRequest) request = self->funcs->build (self->owner);

  request->authorization = muster_sip_credentials_answer (self->asker.registrar, request->method,
                                                          request->request_uri, request->body);
  request->proxy_authorization = muster_sip_credentials_answer (self->asker.proxy, request->method,
                                                                request->request_uri,
                                                                request->body);
  self->registrar_sent = request->authorization != NULL;
  self->proxy_sent = request->proxy_authorization != NULL;
  self->transaction = self->asker.transport->vtable->send (self->asker.transport, self->route,
                                                           request, on_answer, self);
}

/* public functions */

void
muster_sip_exchange_init (MusterSipExchange *self,
                          const MusterSipExchangeFuncs *funcs,
                          gpointer owner)
{
  *self = (MusterSipExchange){ .funcs = funcs, .owner = owner };
}

void
muster_sip_exchange_begin (MusterSipExchange *self, const MusterSipAsker *asker)
{
  g_return_if_fail (!muster_sip_exchange_is_under_way (self));

  self->asker = *asker;
  if (asker->password != NULL)
    muster_secret_ref (asker->password);
  self->route = g_strdup (asker->route);
  self->auth_user = g_strdup (asker->auth_user);
  self->n_rounds = 0;
  self->asked_for_password = FALSE;
  send_accepted (self);
}

void
muster_sip_exchange_cancel (MusterSipExchange *self)
{
  if (!muster_sip_exchange_is_under_way (self))
    return;

  if (self->transaction != NULL)
    self->asker.transport->vtable->drop (self->asker.transport, self->transaction);
  muster_sip_exchange_clear (self);
}

gboolean
muster_sip_exchange_is_under_way (const MusterSipExchange *self)
{
  return self->transaction != NULL || self->unmet != NULL;
}
