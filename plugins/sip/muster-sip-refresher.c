/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-refresher.h"

#include "muster-sip-bindings.h"
#include "muster-sip-exchange.h"
#include "muster-sip-grant.h"

#include <string.h>

/*
 * The flow of one operation, a register or an unregister, over an exchange, which meets the challenges:
 *
 *   begin --> ask --> exchange --+-- 2xx ------------> succeed
 *                      ^         +-- 420, 439 -------> refused_option --+
 *                      |         +-- 423 ------------> min_expires -----+
 *                      |         +-- other, failure -> fail             |
 *                      +------------------------------------------------+
 *
 * Every request has the Call-ID, From tag and contact token of the one before, the next CSeq, and, if a
 * challenge was ever answered, the answer to it ahead with the next count: a refresh is one round
 * trip. What the server has, or may have, stands in `bindings`; a register names those that are not
 * its own contact with `expires=0`, so that a changed address or port never leaves two bindings, and
 * an unregister names all.
 *
 * Outbound (RFC 5626): the instance is named always, and each REGISTER says that we know the extension.
 * Once the server has said so, too, our contact on a stream has a reg-id, and then a new connection's
 * binding takes the place of the old one's by itself. What the server refuses is left out from there on.
 *
 * NAT: a 2xx over UDP tells where the server sees us. If that is not our contact, the same operation goes on
 * once with a contact that is, and names the one before with `expires=0`:
 *
 *   succeed --> rewrite_contact --> ask
 *
 * A server that refuses this one has the first one still, and its lease is what is granted.
 */

#define DEVICE_DIGITS 16

struct _MusterSipRefresher {
  MusterSipMemory memory;
  MusterSipPacked packed;
  MusterSipOptions refused_options;    /* by the server, since we live */
  MusterSipPasswordFunc password_func; /* nullable */
  gpointer password_data;

  /* The operation under way; func NULL: none */
  const MusterSipConfig *config;
  MusterSipTransport *transport;
  const char *route;
  MusterSecret *password; /* nullable */
  MusterSipRefresherFunc func;
  gpointer user_data;
  MusterSipExchange exchange;
  gboolean leaving;
  char *contact_uri;        /* ours on this transport */
  gboolean asked_longer;    /* met a 423 */
  gboolean new_doubt;       /* this operation was the first to ask for contact_uri */
  gboolean rewritten;       /* contact_uri is another one than at the beginning */
  MusterLease *first_lease; /* what was granted before that; nullable */

  char *redirect; /* where the last 3xx sends us; NULL: none did since the operation began */
};

static void ask (MusterSipRefresher *self);

/* The server answered, and not with yes. */
static void
undoubt_binding (MusterSipRefresher *self)
{
  if (self->new_doubt)
    muster_sip_bindings_forget (self->memory.bindings, self->contact_uri);
  self->new_doubt = FALSE;
}

/* the end of an operation */

static void
clear_operation (MusterSipRefresher *self)
{
  self->config = NULL;
  self->transport = NULL;
  self->func = NULL;
  self->user_data = NULL;
  self->route = NULL;
  g_clear_pointer (&self->password, muster_secret_unref);
  g_clear_pointer (&self->contact_uri, g_free);
  g_clear_pointer (&self->first_lease, muster_lease_free);
}

/* Takes @lease. */
static void
finish (MusterSipRefresher *self, MusterLease *lease, const GError *error)
{
  MusterSipRefresherFunc func = self->func;
  gpointer user_data = self->user_data;

  clear_operation (self);
  func (self, lease, error, user_data); /* may begin the next one, or free us */
}

static MusterStep
current_step (MusterSipRefresher *self)
{
  return self->leaving ? MUSTER_STEP_UNREGISTER : MUSTER_STEP_REGISTER;
}

/* Nobody else gets an answer to this server's challenge. */
static void
note_redirect (MusterSipRefresher *self, const MusterSipResponse *response)
{
  const MusterSipContact *contact;

  if (response->status < 300 || response->contacts->len == 0)
    return;
  contact = g_ptr_array_index (response->contacts, 0);
  g_free (self->redirect);
  self->redirect = g_strdup (contact->uri);
  muster_sip_credentials_clear (response->status == 305 ? &self->memory.proxy
                                                        : &self->memory.registrar);
}

/* After a no to the rewritten contact: the one before stands, and for as long as it was granted. */
static gboolean
fall_back (MusterSipRefresher *self)
{
  const MusterSipBinding *binding;
  gint64 left_s;

  if (self->first_lease == NULL)
    return FALSE;

  undoubt_binding (self);
  binding = g_ptr_array_index (self->memory.bindings, 0);
  left_s = (binding->until_us - muster_clock_now_us ()) / G_USEC_PER_SEC;
  if (left_s <= 0)
    return FALSE;

  g_info ("the server does not accept the contact that the NAT shows, keeping the one before");
  muster_sip_mapping_drop (&self->memory.mapping);
  self->first_lease->lease_s = (guint) left_s;
  finish (self, g_steal_pointer (&self->first_lease), NULL);
  return TRUE;
}

static void
fail (MusterSipRefresher *self, const MusterSipResponse *response, const GError *error)
{
  if (response == NULL) { /* the doubt stays: it may have arrived all the same */
    finish (self, NULL, error);
    return;
  }
  if (fall_back (self))
    return;
  if (response->status <= 302 || response->status == 305)
    note_redirect (self, response);
  undoubt_binding (self);
  finish (self, NULL, error);
}

static void
take_addresses (MusterSipRefresher *self, const MusterSipResponse *response)
{
  g_strfreev (self->memory.service_route);
  g_strfreev (self->memory.associated_uris);
  self->memory.service_route = g_strdupv (response->service_route);
  self->memory.associated_uris = g_strdupv (response->associated_uris);
}

static void
take_outbound (MusterSipRefresher *self, const MusterSipResponse *response)
{
  if ((self->refused_options & MUSTER_SIP_OPTION_OUTBOUND) == 0 &&
      ((response->offered & MUSTER_SIP_OPTION_OUTBOUND) != 0 || response->flow_timer_s >= 0))
    self->memory.outbound = TRUE;
}

static void
succeed_in_leaving (MusterSipRefresher *self)
{
  g_clear_pointer (&self->memory.service_route, g_strfreev);
  g_clear_pointer (&self->memory.associated_uris, g_strfreev);
  g_ptr_array_set_size (self->memory.bindings, 0);
  muster_sip_memory_begin_dialog (&self->memory);
  finish (self, NULL, NULL);
}

static guint
requested_expires_s (MusterSipRefresher *self)
{
  return self->leaving ? 0 : MAX (self->config->expires_s, self->memory.min_expires_s);
}

static void
set_contact (MusterSipRefresher *self)
{
  const MusterSipTransport *transport = self->transport;
  const MusterSipMapping *mapping = &self->memory.mapping;

  g_free (self->contact_uri);
  self->contact_uri = mapping->host != NULL
                        ? muster_sip_contact_uri (self->memory.token, mapping->host, mapping->port,
                                                  transport->contact_params)
                        : muster_sip_contact_uri (self->memory.token, transport->contact_host,
                                                  transport->contact_port,
                                                  transport->contact_params);
}

/* A server that puts another host into our contact looks after NATs itself, and would do so to both the
 * new one and the old. */
static gboolean
is_ours_elsewhere (MusterSipRefresher *self, const char *granted_uri)
{
  gsize length = strlen (self->contact_uri);
  gsize user_length = strcspn (self->contact_uri, "@") + 1;

  return g_ascii_strncasecmp (granted_uri, self->contact_uri, user_length) == 0 &&
         (g_ascii_strncasecmp (granted_uri, self->contact_uri, length) != 0 ||
          g_ascii_isdigit (granted_uri[length])); /* of a longer port */
}

/* Takes @lease if it goes on. */
static gboolean
rewrite_contact (MusterSipRefresher *self, MusterLease *lease, const char *granted_uri)
{
  if (self->rewritten || is_ours_elsewhere (self, granted_uri) ||
      !muster_sip_mapping_rewrite (&self->memory.mapping))
    return FALSE;

  self->rewritten = TRUE;
  self->first_lease = lease;
  set_contact (self);
  ask (self);
  return TRUE;
}

static void
succeed (MusterSipRefresher *self, const MusterSipResponse *response)
{
  const MusterSipBinding *binding;
  MusterSipGrant grant;
  MusterLease *lease;
  gboolean refreshed;

  g_clear_pointer (&self->first_lease, muster_lease_free); /* the server has changed what it has */
  if (self->leaving) {
    succeed_in_leaving (self);
    return;
  }

  grant = muster_sip_grant_read (response, &(MusterSipOwnBinding){
                                             .uri = self->contact_uri,
                                             .token = self->memory.token,
                                             .instance = self->memory.instance,
                                             .requested_s = requested_expires_s (self) });
  if (grant.lease_s == 0) {
    g_autoptr (GError)
      error = muster_error_new (MUSTER_ERROR_PROTOCOL, current_step (self),
                                "the server accepted the registration but granted it no time");

    muster_error_set_server (error, response->status, response->reason, 0);
    fail (self, response, error);
    return;
  }

  take_addresses (self, response);
  take_outbound (self, response);
  binding = muster_sip_bindings_find (self->memory.bindings, self->contact_uri);
  refreshed = binding != NULL && binding->confirmed && binding->until_us > muster_clock_now_us ();

  muster_sip_bindings_confirm (self->memory.bindings, self->contact_uri, grant.lease_s);

  lease = muster_lease_new (grant.lease_s, (const char *const[]){ grant.uri, NULL });
  lease->refreshed = refreshed;
  if (!rewrite_contact (self, lease, grant.uri))
    finish (self, lease, NULL);
}

/* what can be overcome */

/* 423 */
static gboolean
overcome_min_expires (MusterSipRefresher *self, const MusterSipResponse *response)
{
  gint64 min_expires_s = response->min_expires_s;

  if (self->asked_longer || self->leaving || min_expires_s <= requested_expires_s (self) ||
      min_expires_s > MUSTER_SIP_MAX_LEASE_S)
    return FALSE;

  self->asked_longer = TRUE;
  self->memory.min_expires_s = (guint) min_expires_s;
  return TRUE;
}

/* 420, and 439, which means outbound and nothing else: does without what is refused. Each option is refused
 * once, so this has an end. */
static gboolean
overcome_refused_option (MusterSipRefresher *self, const MusterSipResponse *response)
{
  MusterSipOptions refused = response->status == 439 ? MUSTER_SIP_OPTION_OUTBOUND
                                                     : response->unsupported;

  refused &= ~self->refused_options;
  if (refused == 0)
    return FALSE;

  g_info ("the server does not accept \"%s\", registering without it",
          muster_sip_options_to_string (refused));
  self->refused_options |= refused;
  if ((refused & MUSTER_SIP_OPTION_OUTBOUND) != 0)
    self->memory.outbound = FALSE;
  return TRUE;
}

static gboolean
on_overcome (gpointer owner, const MusterSipResponse *response)
{
  MusterSipRefresher *self = owner;

  switch (response->status) {
  case 420:
  case 439:
    return overcome_refused_option (self, response);
  case 423:
    return overcome_min_expires (self, response);
  default:
    return FALSE;
  }
}

static void
on_heard (gpointer owner, const MusterSipResponse *response)
{
  MusterSipRefresher *self = owner;

  muster_sip_mapping_note (&self->memory.mapping, response->received, response->rport);
}

static void
on_done (gpointer owner, const MusterSipResponse *response, const GError *error)
{
  if (error == NULL)
    succeed (owner, response);
  else
    fail (owner, response, error);
}

/* the request */

static gboolean
has_reg_id (MusterSipRefresher *self)
{
  return self->memory.outbound && muster_sip_transport_is_stream (self->transport);
}

MusterSipRequest *
muster_sip_refresher_build_bare (MusterSipRefresher *self, const MusterSipConfig *config)
{
  MusterSipRequest *request = muster_sip_request_new ("REGISTER", config->request_uri);

  request->from = g_strconcat (config->from_prefix, self->memory.from_tag, NULL);
  request->to = g_strdup (config->to);
  request->call_id = g_strdup (self->memory.call_id);
  request->cseq = ++self->memory.cseq;
  request->supported = muster_sip_options_to_string (MUSTER_SIP_ALL_OPTIONS &
                                                     ~self->refused_options);
  return request;
}

static MusterSipRequest *
on_build (gpointer owner)
{
  MusterSipRefresher *self = owner;
  MusterSipRequest *request = muster_sip_refresher_build_bare (self, self->config);

  if (!self->leaving)
    self->new_doubt |= muster_sip_bindings_doubt (self->memory.bindings, self->contact_uri,
                                                  requested_expires_s (self));
  request->contact = muster_sip_bindings_build_contacts (self->memory.bindings,
                                                         self->leaving ? NULL : self->contact_uri,
                                                         self->memory.instance, has_reg_id (self));
  request->expires_s = requested_expires_s (self);
  return request;
}

static void
on_need_password (gpointer owner)
{
  MusterSipRefresher *self = owner;

  self->password_func (self->password_data);
}

static const MusterSipExchangeFuncs exchange_funcs = {
  .need_password = on_need_password,
  .build = on_build,
  .heard = on_heard,
  .overcome = on_overcome,
  .done = on_done,
};

static void
ask (MusterSipRefresher *self)
{
  muster_sip_exchange_begin (&self->exchange,
                             &(MusterSipAsker){ .transport = self->transport,
                                                .route = self->route,
                                                .registrar = &self->memory.registrar,
                                                .proxy = &self->memory.proxy,
                                                .auth_user = self->config->auth_user,
                                                .password = self->password,
                                                .may_ask = self->password_func != NULL,
                                                .step = current_step (self),
                                                .registers = TRUE });
}

static void
begin (MusterSipRefresher *self,
       gboolean leaving,
       const MusterSipConfig *config,
       MusterSipTransport *transport,
       const char *route,
       MusterSecret *password,
       MusterSipRefresherFunc func,
       gpointer user_data)
{
  g_return_if_fail (self->func == NULL);

  self->leaving = leaving;
  self->config = config;
  self->transport = transport;
  self->route = route;
  self->password = password != NULL ? muster_secret_ref (password) : NULL;
  self->func = func;
  self->user_data = user_data;
  if (muster_sip_transport_is_stream (transport)) /* leads back to us by itself */
    muster_sip_mapping_clear (&self->memory.mapping);
  else
    muster_sip_mapping_set_local (&self->memory.mapping, transport->contact_host,
                                  transport->contact_port);
  set_contact (self);
  g_clear_pointer (&self->redirect, g_free);
  self->asked_longer = FALSE;
  self->new_doubt = FALSE;
  self->rewritten = FALSE;

  muster_sip_bindings_expire (self->memory.bindings);
  /* An account that leaves may have lost its password already: what is kept of it must do. */
  if (password != NULL || (!leaving && self->password_func == NULL)) {
    muster_sip_credentials_check (&self->memory.registrar, config->auth_user, password);
    muster_sip_credentials_check (&self->memory.proxy, config->auth_user, password);
  } else if (!leaving) {
    muster_sip_credentials_check_user (&self->memory.registrar, config->auth_user);
    muster_sip_credentials_check_user (&self->memory.proxy, config->auth_user);
  }
  ask (self);
}

/* public functions */

MusterSipRefresher *
muster_sip_refresher_new (GBytes *resume)
{
  MusterSipRefresher *self = g_new0 (MusterSipRefresher, 1);

  muster_sip_memory_init (&self->memory);
  muster_sip_exchange_init (&self->exchange, &exchange_funcs, self);
  if (resume != NULL && !muster_sip_memory_unpack (&self->memory, resume))
    g_info ("what was kept of a registration cannot be read, starting afresh");
  return self;
}

void
muster_sip_refresher_free (MusterSipRefresher *self)
{
  if (self == NULL)
    return;
  muster_sip_refresher_cancel (self);
  muster_sip_memory_clear (&self->memory);
  g_free (self->redirect);
  g_free (self);
}

GBytes *
muster_sip_refresher_dup_resume (MusterSipRefresher *self)
{
  return muster_sip_memory_pack (&self->memory);
}

GBytes *
muster_sip_refresher_dup_news (MusterSipRefresher *self)
{
  return muster_sip_packed_renew (&self->packed, &self->memory)
           ? muster_sip_memory_pack (&self->memory)
           : NULL;
}

void
muster_sip_refresher_extend (MusterSipRefresher *self, gint64 end_us)
{
  muster_sip_memory_extend (&self->memory, end_us);
}

const char *
muster_sip_refresher_get_token (MusterSipRefresher *self)
{
  return self->memory.token;
}

const char *
muster_sip_refresher_get_local_address (MusterSipRefresher *self)
{
  return self->memory.local_address;
}

guint16
muster_sip_refresher_get_local_port (MusterSipRefresher *self)
{
  return self->memory.local_port;
}

void
muster_sip_refresher_set_local (MusterSipRefresher *self, const char *address, guint16 port)
{
  if (g_strcmp0 (self->memory.local_address, address) != 0) {
    g_free (self->memory.local_address);
    self->memory.local_address = g_strdup (address);
  }
  self->memory.local_port = port;
}

const char *
muster_sip_refresher_get_redirect (MusterSipRefresher *self)
{
  return self->redirect;
}

gboolean
muster_sip_refresher_is_behind_nat (MusterSipRefresher *self)
{
  return self->memory.mapping.is_behind;
}

void
muster_sip_refresher_get_credentials (MusterSipRefresher *self,
                                      MusterSipCredentials **registrar,
                                      MusterSipCredentials **proxy)
{
  *registrar = &self->memory.registrar;
  *proxy = &self->memory.proxy;
}

gboolean
muster_sip_refresher_knows_password (MusterSipRefresher *self, guint version)
{
  return (version != 0 && version == self->memory.password_version) ||
         (!muster_sip_credentials_is_set (&self->memory.registrar) &&
          !muster_sip_credentials_is_set (&self->memory.proxy));
}

void
muster_sip_refresher_check_password (MusterSipRefresher *self,
                                     const char *auth_user,
                                     const MusterSecret *password,
                                     guint version)
{
  muster_sip_credentials_check (&self->memory.registrar, auth_user, password);
  muster_sip_credentials_check (&self->memory.proxy, auth_user, password);
  self->memory.password_version = version;
}

void
muster_sip_refresher_set_password_func (MusterSipRefresher *self,
                                        MusterSipPasswordFunc func,
                                        gpointer user_data)
{
  self->password_func = func;
  self->password_data = user_data;
}

void
muster_sip_refresher_take_password (MusterSipRefresher *self,
                                    MusterSecret *password,
                                    const GError *error)
{
  muster_sip_exchange_take_password (&self->exchange, password, error);
}

void
muster_sip_refresher_set_password_version (MusterSipRefresher *self, guint version)
{
  self->memory.password_version = version;
}

MusterSipEntity *
muster_sip_refresher_get_presence (MusterSipRefresher *self)
{
  return &self->memory.presence;
}

/* Not the token, which leads to us past our server; and not to be traced back to the instance. */
char *
muster_sip_refresher_dup_device (MusterSipRefresher *self)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, self->memory.instance,
                                                        -1);

  return g_strndup (sum, DEVICE_DIGITS);
}

gboolean
muster_sip_refresher_is_bound (MusterSipRefresher *self)
{
  muster_sip_bindings_expire (self->memory.bindings);
  return self->memory.bindings->len > 0;
}

gboolean
muster_sip_refresher_get_binding (MusterSipRefresher *self, MusterSipOwnBinding *binding)
{
  const MusterSipBinding *kept;

  muster_sip_bindings_expire (self->memory.bindings);
  kept = muster_sip_bindings_get_confirmed (self->memory.bindings);
  if (kept == NULL)
    return FALSE;
  *binding = (MusterSipOwnBinding){ .uri = kept->uri,
                                    .token = self->memory.token,
                                    .instance = self->memory.instance };
  return TRUE;
}

const char *
muster_sip_refresher_get_instance (MusterSipRefresher *self)
{
  return self->memory.instance;
}

void
muster_sip_refresher_forget_bindings (MusterSipRefresher *self)
{
  g_ptr_array_set_size (self->memory.bindings, 0);
}

void
muster_sip_refresher_doubt_bindings (MusterSipRefresher *self)
{
  for (guint i = 0; i < self->memory.bindings->len; i++)
    ((MusterSipBinding *) g_ptr_array_index (self->memory.bindings, i))->confirmed = FALSE;
}

const char *const *
muster_sip_refresher_get_service_route (MusterSipRefresher *self)
{
  return (const char *const *) self->memory.service_route;
}

const char *const *
muster_sip_refresher_get_associated_uris (MusterSipRefresher *self)
{
  return (const char *const *) self->memory.associated_uris;
}

void
muster_sip_refresher_register (MusterSipRefresher *self,
                               const MusterSipConfig *config,
                               MusterSipTransport *transport,
                               const char *route,
                               MusterSecret *password,
                               MusterSipRefresherFunc func,
                               gpointer user_data)
{
  begin (self, FALSE, config, transport, route, password, func, user_data);
}

void
muster_sip_refresher_unregister (MusterSipRefresher *self,
                                 const MusterSipConfig *config,
                                 MusterSipTransport *transport,
                                 const char *route,
                                 MusterSecret *password,
                                 MusterSipRefresherFunc func,
                                 gpointer user_data)
{
  g_return_if_fail (muster_sip_refresher_is_bound (self));

  begin (self, TRUE, config, transport, route, password, func, user_data);
}

void
muster_sip_refresher_cancel (MusterSipRefresher *self)
{
  if (self->func == NULL)
    return;
  muster_sip_exchange_cancel (&self->exchange);
  clear_operation (self);
}
