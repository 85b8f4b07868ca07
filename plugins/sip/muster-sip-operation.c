/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-operation.h"

#include "muster-sip-errand.h"
#include "muster-sip-lookup.h"
#include "muster-sip-registration-private.h"
#include "muster-sip-response.h"
#include "muster-sip-target.h"

/*
 * An open or a close of a registration: gathers what the refresher needs and lets it work. Both take the
 * same way:
 *
 *   begin -> configure [-> load_password] -> approach -> resolve -> take_next_offer
 *
 *   take_next_offer -+-> try_next_target (UDP) -+-> talk -> on_refreshed -> complete
 *                    +-> join_flow (TCP, TLS) --+              |
 *                            ^                                 |
 *                            +--- go_elsewhere [-> resolve] ---+
 *
 * A target that does not answer, or says that it is not the one to ask now, leads to the next target; a
 * redirection leads back to `resolve`, at most five times. Where a redirection led is remembered until
 * an operation there fails: a binding is refreshed and removed where it was made.
 *
 * On a stream whoever connects takes the first target that answers, as DNS says. Only who is sent on
 * from there looks at the targets: one by one is struck out, and the connection left for one to the others,
 * while who shares it stays. The one that took the registration is first from then on, until it fails. The
 * connection that was left is kept until another has done better.
 *
 * Where the transport is the service's choice, the first one that it offers is settled on, and when none of its
 * targets does better, the next. Only what leads from one target to another leads from one transport to another:
 * a certificate that is not trusted ends the operation, for else whoever can show a wrong one could have the account
 * talk in the clear.
 *
 * A close waits first, and not for long, for the requests by which what hangs on the registration is taken back:
 * afterwards they would be a stranger's, and nobody would answer their challenges.
 *
 * The target is resolved, and the way out to it found, each time: the local address may have changed,
 * and then the refresher swaps the contacts. The target that answered last is tried first, and is
 * tried when names cannot be resolved any more.
 */

#define MAX_REDIRECTS 5
#define FAREWELLS_MS  2000 /* less than a broker waits for a close */

typedef MusterSipOperation Operation;

/* The callbacks of its steps hold references: once it is over, they do nothing. */
struct _MusterSipOperation {
  MusterSipRegistration *self; /* lent by the task */
  GTask *task;                 /* NULL once it is over */
  gboolean leaving;
  gulong cancelled_handler; /* on the task's cancellable; 0: none */
  guint cancelled_source;   /* set once it was cancelled */
  MusterSipConfig *config;
  MusterSipConfig *open_config; /* the same before its transport was settled; nullable */
  MusterSecret *password;       /* NULL: it is not needed so far */
  guint password_version;       /* of the one that is being loaded */
  GPtrArray *offers;            /* of MusterSipOffer; NULL: not looked up */
  guint next_offer;             /* after the one that is being tried */
  GPtrArray *targets;           /* of that one */
  guint next_target;
  GSocketAddress *target; /* lent: the one being tried; NULL on a stream */
  char *route;            /* to it, if it was looked up; nullable */
  GSocketAddress *struck; /* of a stream: who sent us on, before the targets are known; nullable */
  GError *sent_on;        /* of a stream: what is told if the others do no better; nullable */
  gboolean waits_for_flow;
  gboolean waits_for_errand; /* which is a REGISTER, too */
  gboolean waits_for_farewells;
  MusterTimer farewells; /* how long */
  guint n_redirects;
};

static const MusterSipFlowUseFuncs flow_use_funcs;

static void approach (Operation *operation);
static void resolve (Operation *operation);
static void join_flow (Operation *operation);
static void try_next_target (Operation *operation);
static void take_next_offer (Operation *operation);

static MusterSipContext *
get_context (MusterSipRegistration *self)
{
  return MUSTER_SIP_CONTEXT (muster_registration_get_context (MUSTER_REGISTRATION (self)));
}

static void
forget_targets (Operation *operation)
{
  operation->next_offer = 0;
  operation->next_target = 0;
  operation->target = NULL;
  g_clear_pointer (&operation->offers, g_ptr_array_unref);
  g_clear_pointer (&operation->targets, g_ptr_array_unref);
  g_clear_pointer (&operation->route, g_free);
  g_clear_object (&operation->struck);
  g_clear_error (&operation->sent_on);
}

static void
operation_clear (gpointer data)
{
  Operation *operation = data;

  forget_targets (operation);
  g_clear_pointer (&operation->config, muster_sip_config_unref);
  g_clear_pointer (&operation->open_config, muster_sip_config_unref);
  g_clear_pointer (&operation->password, muster_secret_unref);
}

static void
operation_unref (Operation *operation)
{
  g_rc_box_release_full (operation, operation_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Operation, operation_unref)

/* the end */

/* Takes both. One of them is set after an open; a close is fine without either. */
static void
complete (Operation *operation, MusterLease *lease, GError *error)
{
  MusterSipRegistration *self = operation->self;
  g_autoptr (GTask) task = g_steal_pointer (&operation->task);
  g_autoptr (Operation) ended = g_steal_pointer (&self->operation);

  if (ended->cancelled_handler != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (task), ended->cancelled_handler);
  g_clear_handle_id (&ended->cancelled_source, g_source_remove);
  muster_timer_cancel (&ended->farewells);
  if (self->refresher != NULL)
    muster_sip_registration_save (self);
  if (error != NULL || ended->leaving)
    g_clear_pointer (&self->redirected, muster_sip_config_unref);
  muster_sip_registration_end_aside (self, error != NULL, &flow_use_funcs);
  if (ended->leaving && error == NULL)
    muster_sip_registration_leave (self);
  else if (muster_sip_registration_has_dead_flow (
             self)) /* what came of it is told here, and must not be told again */
    muster_sip_registration_leave_flow (self);
  if (lease != NULL) {
    muster_sip_own_events_opened (self, lease->refreshed);
    muster_sip_watcher_opened (self);
    muster_sip_subscriptions_follow (self->subscriptions);
  }
  if (!ended->leaving)
    muster_sip_heartbeat_follow (self, error);

  if (error != NULL)
    g_task_return_error (task, error);
  else if (ended->leaving)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_pointer (task, lease, (GDestroyNotify) muster_lease_free);
  muster_sip_errands_go_on (self);
}

static gboolean
on_cancelled_idle (gpointer user_data)
{
  Operation *operation = user_data;

  operation->cancelled_source = 0;
  complete (operation, NULL,
            g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "the operation was cancelled"));
  return G_SOURCE_REMOVE;
}

/* Not a GCancellable source: the loop would look at one for each operation under way, each time. The
 * answer comes from the loop all the same, for whoever cancels does not expect it in between. */
static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  Operation *operation = user_data;

  if (operation->cancelled_source != 0)
    return;
  if (operation->self->refresher != NULL)
    muster_sip_refresher_cancel (operation->self->refresher);
  operation->cancelled_source = g_idle_add_full (G_PRIORITY_DEFAULT, on_cancelled_idle, operation,
                                                 NULL);
}

static gboolean
is_over (Operation *operation)
{
  return operation->task == NULL || operation->cancelled_source != 0;
}

/* a target answered, or did not */

static gboolean
is_on_stream (Operation *operation)
{
  return operation->config->transport != MUSTER_TRANSPORT_UDP;
}

static void
append_words (GError *error, const char *words)
{
  char *joined = g_strconcat (error->message, words, NULL);

  g_free (error->message);
  error->message = joined;
}

/* What a server said tells more than that another one is not there. */
static void
note_why_sent_on (Operation *operation, const GError *error)
{
  if (operation->sent_on != NULL && muster_error_get_protocol_code (error) == 0)
    return;
  g_clear_error (&operation->sent_on);
  operation->sent_on = g_error_copy (error);
}

/* From a connection to one that leads elsewhere. %FALSE: there is no other target, or none is known to be. */
static gboolean
go_elsewhere (Operation *operation, const GError *error)
{
  MusterSipRegistration *self = operation->self;
  GSocketAddress *target = self->flow != NULL ? muster_sip_flow_use_get_target (self->flow) : NULL;

  muster_sip_registration_set_target (self, operation->config, NULL);
  note_why_sent_on (operation, error);
  if (target == NULL || g_hostname_is_ip_address (operation->config->hop_host))
    return FALSE;
  if (operation->targets == NULL) {
    operation->struck = g_object_ref (target);
    resolve (operation);
    return TRUE;
  }
  muster_sip_target_strike (operation->targets, target);
  if (operation->targets->len == 0)
    return FALSE;
  join_flow (operation);
  return TRUE;
}

/* To the next transport that the service offers, if there is one. */
static gboolean
go_to_next_offer (Operation *operation, const GError *error)
{
  if (operation->offers == NULL || operation->next_offer >= operation->offers->len)
    return FALSE;

  note_why_sent_on (operation, error);
  muster_sip_registration_set_target (operation->self, operation->config, NULL);
  take_next_offer (operation);
  return TRUE;
}

static gboolean
has_next_target (Operation *operation)
{
  return operation->targets != NULL && operation->next_target < operation->targets->len;
}

/* Whether there is a way to go on, which is taken then. */
static gboolean
follow_redirect (Operation *operation, GError **error)
{
  MusterSipRegistration *self = operation->self;
  const char *uri = muster_sip_refresher_get_redirect (self->refresher);
  gboolean to_proxy = muster_error_get_protocol_code (*error) == 305;
  g_autoptr (MusterSipConfig) elsewhere = NULL;
  g_autoptr (GError) why = NULL;

  if (uri == NULL)
    return FALSE;
  if (++operation->n_redirects > MAX_REDIRECTS) {
    g_clear_error (error);
    *error = muster_error_new (MUSTER_ERROR_UNSUPPORTED, MUSTER_STEP_REGISTER,
                               "one server sends us to the next: %d were asked", MAX_REDIRECTS + 1);
    return FALSE;
  }

  elsewhere = muster_sip_config_redirect (operation->config, uri, to_proxy, &why);
  if (elsewhere == NULL) {
    g_clear_error (error);
    *error = g_steal_pointer (&why);
    return FALSE;
  }

  g_clear_pointer (&self->redirected, muster_sip_config_unref);
  self->redirected = muster_sip_config_ref (elsewhere);
  muster_sip_config_unref (operation->config);
  operation->config = g_steal_pointer (&elsewhere);
  g_clear_pointer (&operation->open_config, muster_sip_config_unref);
  forget_targets (operation);
  muster_sip_registration_end_aside (self, FALSE, NULL);
  approach (operation);
  return TRUE;
}

/* As the transport takes it: a connection knows the way. */
static const char *
get_route (Operation *operation)
{
  if (operation->target == NULL)
    return "";
  if (operation->config->route != NULL)
    return operation->config->route;
  if (operation->route == NULL)
    operation->route = muster_sip_target_dup_route (operation->target);
  return operation->route;
}

static void
on_refreshed (MusterSipRefresher *refresher,
              MusterLease *lease,
              const GError *error,
              gpointer user_data)
{
  Operation *operation = user_data;
  g_autoptr (GError) failure = error != NULL ? g_error_copy (error) : NULL;

  if (error != NULL && muster_sip_error_is_of_server (error)) {
    if (is_on_stream (operation) && go_elsewhere (operation, error))
      return;
    if (!is_on_stream (operation) && has_next_target (operation)) {
      try_next_target (operation);
      return;
    }
    if (go_to_next_offer (operation, error))
      return;
    if (operation->sent_on != NULL) {
      note_why_sent_on (operation, error);
      complete (operation, NULL, g_steal_pointer (&operation->sent_on));
      return;
    }
  }
  if (error != NULL && follow_redirect (operation, &failure))
    return;

  if (error == NULL)
    muster_sip_registration_settle (operation->self, operation->config, operation->target,
                                    get_route (operation), operation->targets != NULL);
  complete (operation, lease, g_steal_pointer (&failure));
}

/* The way is clear: lets the refresher work. */
static void
talk (Operation *operation, MusterSipTransport *transport)
{
  MusterSipRegistration *self = operation->self;

  /* One REGISTER at a time (RFC 3261 section 10.2). */
  if (muster_sip_errands_are_registering (self)) {
    operation->waits_for_errand = TRUE;
    return;
  }

  /* What was to be taken back may have run out on the way here. */
  if (operation->leaving && !muster_sip_refresher_is_bound (self->refresher)) {
    complete (operation, NULL, NULL);
    return;
  }
  if (operation->leaving) {
    muster_sip_refresher_unregister (self->refresher, operation->config, transport,
                                     get_route (operation), operation->password, on_refreshed,
                                     operation);
    return;
  }

  if (!self->has_token)
    muster_sip_context_add_receiver (get_context (self),
                                     muster_sip_refresher_get_token (self->refresher),
                                     muster_sip_inbox_get_receiver (self->inbox));
  self->has_token = TRUE;
  muster_sip_refresher_register (self->refresher, operation->config, transport,
                                 get_route (operation), operation->password, on_refreshed,
                                 operation);
  /* Killed now, we would come back as somebody else, beside a binding that nobody serves. */
  if (!self->saved)
    muster_sip_registration_save (self);
}

void
muster_sip_registration_go_on (MusterSipRegistration *self)
{
  Operation *operation = self->operation;

  if (operation == NULL || !operation->waits_for_errand || is_over (operation) ||
      muster_sip_registration_has_dead_flow (self)) /* which is told soon */
    return;

  operation->waits_for_errand = FALSE;
  talk (operation, operation->target != NULL ? muster_sip_agent_get_transport (self->agent)
                                             : muster_sip_flow_use_get_transport (self->flow));
}

/* trying a target */

/* Whoever reads it shall not wonder why that was not the way out. */
static void
explain_no_clear (Operation *operation, GError *error)
{
  if (g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_UNTRUSTED) && operation->offers != NULL &&
      muster_sip_offers_has_clear (operation->offers, operation->next_offer))
    append_words (error, ", and what it offers without TLS is not tried instead");
}

/* The last one was not asked at all, for this reason; what another said before is what counts. */
static void
give_up (Operation *operation, const GError *error)
{
  g_autoptr (GError) sent_on = g_steal_pointer (&operation->sent_on);
  g_autoptr (GError) last = g_error_copy (error);

  explain_no_clear (operation, last);
  if (sent_on == NULL) {
    complete (operation, NULL, g_steal_pointer (&last));
    return;
  }
  if (!muster_sip_error_is_of_server (last)) {
    append_words (sent_on, "; at the next one: ");
    append_words (sent_on, last->message);
  }
  complete (operation, NULL, g_steal_pointer (&sent_on));
}

static void
try_next_target (Operation *operation)
{
  MusterSipRegistration *self = operation->self;
  g_autoptr (GError) error = NULL;

  for (;;) {
    operation->target = g_ptr_array_index (operation->targets, operation->next_target++);
    g_clear_pointer (&operation->route, g_free);
    if (muster_sip_registration_find_agent (self, operation->target, &error))
      break;
    if (operation->next_target == operation->targets->len) {
      if (!go_to_next_offer (operation, error))
        give_up (operation, error);
      return;
    }
    g_clear_error (&error);
  }

  muster_sip_registration_leave_flow (self); /* the account may have been on a stream before */
  talk (operation, muster_sip_agent_get_transport (self->agent));
}

/* streams */

static void
on_flow_opened (gpointer user_data)
{
  MusterSipRegistration *self = user_data;
  Operation *operation = self->operation;

  if (operation == NULL || !operation->waits_for_flow || is_over (operation))
    return;
  operation->waits_for_flow = FALSE;
  talk (operation, muster_sip_flow_use_get_transport (self->flow));
}

/* All that are left were tried to be connected to, or the one that could be did not talk TLS. */
static void
fail_to_join (Operation *operation, const GError *error)
{
  operation->waits_for_flow = FALSE;
  operation->waits_for_errand = FALSE;
  if (muster_sip_error_is_of_server (error) &&
      (go_elsewhere (operation, error) || go_to_next_offer (operation, error)))
    return;
  give_up (operation, error);
}

static void
on_flow_ended (const GError *error, gpointer user_data)
{
  MusterSipRegistration *self = user_data;
  Operation *operation = self->operation;

  if (operation != NULL) {
    /* One that is talking hears of it from its transaction. */
    if ((operation->waits_for_flow || operation->waits_for_errand) && !is_over (operation))
      fail_to_join (operation, error);
    return;
  }

  muster_sip_registration_leave_flow (self);
  muster_sip_heartbeat_stop (self->heartbeat);
  muster_registration_lost (MUSTER_REGISTRATION (self), error);
}

static const MusterSipFlowUseFuncs flow_use_funcs = {
  .opened = on_flow_opened,
  .ended = on_flow_ended,
};

static void
join_flow (Operation *operation)
{
  MusterSipRegistration *self = operation->self;
  MusterSipTransport *transport;

  if (operation->targets != NULL)
    muster_sip_registration_set_flow_aside (self);
  transport = muster_sip_registration_join_flow (self, operation->config, operation->targets,
                                                 &flow_use_funcs);
  if (transport != NULL)
    talk (operation, transport);
  else
    operation->waits_for_flow = TRUE;
}

/* resolving */

/* What the account was registered over is kept until another transport has done better. */
static void
set_way_aside (Operation *operation)
{
  if (is_on_stream (operation))
    muster_sip_registration_set_agent_aside (operation->self);
  else
    muster_sip_registration_set_flow_aside (operation->self);
}

static void
take_next_offer (Operation *operation)
{
  const MusterSipOffer *offer = g_ptr_array_index (operation->offers, operation->next_offer++);

  g_clear_pointer (&operation->targets, g_ptr_array_unref);
  operation->targets = g_ptr_array_ref (offer->targets);
  operation->next_target = 0;
  operation->target = NULL;
  if (operation->open_config != NULL) {
    muster_sip_config_unref (operation->config);
    operation->config = muster_sip_config_settle (operation->open_config, offer->transport);
    set_way_aside (operation);
  }
  if (is_on_stream (operation))
    join_flow (operation);
  else
    try_next_target (operation);
}

static void
on_resolved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Operation) operation = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) offers = muster_sip_lookup_finish (result, &error);
  gboolean is_open = operation->open_config != NULL;
  MusterTransport transport;
  GSocketAddress *good;

  if (is_over (operation))
    return;

  good = muster_sip_registration_get_target (operation->self,
                                             is_open ? operation->open_config : operation->config,
                                             &transport);
  if (offers == NULL && good != NULL)
    offers = muster_sip_offers_new_single (transport, good);
  if (offers != NULL && operation->struck != NULL)
    muster_sip_offers_strike (offers, operation->config->transport, operation->struck);
  if (offers == NULL || offers->len == 0) {
    complete (operation, NULL,
              operation->sent_on != NULL ? g_steal_pointer (&operation->sent_on)
                                         : g_steal_pointer (&error));
    return;
  }

  if (good != NULL)
    muster_sip_offers_prefer (offers, transport, good, is_open);
  operation->offers = g_steal_pointer (&offers);
  take_next_offer (operation);
}

static void
resolve (Operation *operation)
{
  const MusterSipConfig *config = operation->config;
  GCancellable *cancellable = g_task_get_cancellable (operation->task);

  if (operation->open_config != NULL)
    muster_sip_lookup_all_async (config->hop_host, cancellable, on_resolved,
                                 g_rc_box_acquire (operation));
  else
    muster_sip_lookup_async (config->transport, config->hop_host, config->hop_port, cancellable,
                             on_resolved, g_rc_box_acquire (operation));
}

/* A connection that stands says over which transport: nobody needs to be asked. */
static MusterSipConfig *
settle_as_connected (Operation *operation)
{
  static const MusterTransport streams[] = { MUSTER_TRANSPORT_TLS, MUSTER_TRANSPORT_TCP };

  if (operation->self->flow == NULL)
    return NULL;

  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    g_autoptr (MusterSipConfig) settled = muster_sip_config_settle (operation->config, streams[i]);

    if (muster_sip_registration_is_on_flow (operation->self, settled))
      return g_steal_pointer (&settled);
  }
  return NULL;
}

static void
approach_openly (Operation *operation)
{
  MusterSipConfig *settled = settle_as_connected (operation);

  if (settled == NULL) {
    operation->open_config = muster_sip_config_ref (operation->config);
    resolve (operation);
    return;
  }
  operation->open_config = operation->config;
  operation->config = settled;
  join_flow (operation);
}

/* From the host that the configuration names to somebody to talk to. */
static void
approach (Operation *operation)
{
  MusterSipRegistration *self = operation->self;
  const MusterSipConfig *config = operation->config;
  MusterTransport transport;

  if (config->is_open) {
    approach_openly (operation);
  } else if (is_on_stream (operation) &&
             (muster_sip_registration_get_target (self, config, &transport) == NULL ||
              muster_sip_registration_is_on_flow (self, config))) {
    join_flow (operation);
  } else if (config->offers != NULL) {
    operation->offers = g_ptr_array_ref (config->offers);
    take_next_offer (operation);
  } else {
    resolve (operation);
  }
}

/* the password: what is kept of it does mostly */

static void
load_password (Operation *operation, GAsyncReadyCallback callback)
{
  MusterRegistration *registration = MUSTER_REGISTRATION (operation->self);

  operation->password_version = muster_registration_get_secret_version (registration, "password");
  muster_registration_load_secret_async (registration, "password",
                                         g_task_get_cancellable (operation->task), callback,
                                         g_rc_box_acquire (operation));
}

/* It may be another one than what is kept was made of. */
static void
on_password (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Operation) operation = user_data;
  g_autoptr (GError) error = NULL;
  MusterSecret *password;

  password = muster_registration_load_secret_finish (MUSTER_REGISTRATION (source), result, &error);
  if (is_over (operation)) {
    g_clear_pointer (&password, muster_secret_unref);
    return;
  }
  /* Some registrars ask for none. */
  if (error != NULL && !g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_REFUSED)) {
    complete (operation, NULL, g_steal_pointer (&error));
    return;
  }

  operation->password = password;
  muster_sip_refresher_check_password (operation->self->refresher, operation->config->auth_user,
                                       password, operation->password_version);
  approach (operation);
}

static void
on_needed_password (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Operation) operation = user_data;
  MusterSipRegistration *self = MUSTER_SIP_REGISTRATION (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (MusterSecret) password = NULL;

  password = muster_registration_load_secret_finish (MUSTER_REGISTRATION (self), result, &error);
  if (is_over (operation))
    return;
  if (password != NULL)
    muster_sip_refresher_set_password_version (self->refresher, operation->password_version);
  muster_sip_refresher_take_password (self->refresher, password, error);
}

void
muster_sip_operation_load_password (Operation *operation)
{
  load_password (operation, on_needed_password);
}

/* the beginning */

static void
stop_waiting_for_farewells (Operation *operation)
{
  operation->waits_for_farewells = FALSE;
  muster_timer_cancel (&operation->farewells);
  if (muster_sip_refresher_is_bound (operation->self->refresher))
    approach (operation);
  else
    complete (operation, NULL, NULL);
}

static void
on_farewells_late (MusterTimer *timer, gpointer user_data)
{
  if (!is_over (user_data))
    stop_waiting_for_farewells (user_data);
}

static void
wait_for_farewells (Operation *operation)
{
  operation->waits_for_farewells = TRUE;
  muster_timer_arm_in_ms (&operation->farewells, FAREWELLS_MS);
}

void
muster_sip_registration_end_farewell (MusterSipRegistration *self)
{
  Operation *operation = self->operation;

  self->n_farewells--;
  if (self->n_farewells == 0 && operation != NULL && operation->waits_for_farewells &&
      !is_over (operation))
    stop_waiting_for_farewells (operation);
}

void
muster_sip_operation_begin (MusterSipRegistration *self, gboolean leaving, GTask *take_task)
{
  Operation *operation = g_rc_box_new0 (Operation);
  GCancellable *cancellable = g_task_get_cancellable (take_task);
  g_autoptr (GError) error = NULL;

  /* A lease granted in the moment of the cancelling is a lease. */
  g_task_set_check_cancellable (take_task, FALSE);
  self->is_leaving = leaving;
  operation->self = self;
  operation->task = take_task;
  operation->leaving = leaving;
  muster_timer_init (&operation->farewells, on_farewells_late, operation);
  self->operation = operation;

  muster_sip_registration_ensure_refresher (self);
  if (leaving) {
    muster_sip_inbox_close (self->inbox); /* whoever calls need not wait for the server */
    muster_sip_heartbeat_stop (self->heartbeat);
  }
  if (leaving && self->n_farewells == 0 && !muster_sip_refresher_is_bound (self->refresher)) {
    complete (operation, NULL, NULL);
    return;
  }
  operation->config = muster_sip_registration_configure (self, &error);
  if (operation->config == NULL) {
    complete (operation, NULL, g_steal_pointer (&error));
    return;
  }
  if (self->redirected != NULL) {
    muster_sip_config_unref (operation->config);
    operation->config = muster_sip_config_ref (self->redirected);
  }

  if (cancellable != NULL) {
    operation->cancelled_handler = g_signal_connect (cancellable, "cancelled",
                                                     G_CALLBACK (on_cancelled), operation);
    if (g_cancellable_is_cancelled (cancellable)) {
      on_cancelled (cancellable, operation);
      return;
    }
  }
  if (leaving && self->n_farewells > 0)
    wait_for_farewells (operation);
  else if (leaving || muster_sip_registration_knows_password (self))
    approach (operation);
  else
    load_password (operation, on_password);
}
