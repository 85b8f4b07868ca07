/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTest"

#include "config.h"

#include "muster-test-bench.h"

#include "muster-hub-private.h"
#include "muster-registration-host.h"

/*
 * The host of one registration, and its time.
 *
 * A turn serves what the main loop has to do; only when that is nothing does the virtual clock move,
 * straight to the next timer. With real input and output it first waits, in real time, whether a
 * descriptor or a thread brings something: a server's answer must come before the timer that gives
 * up on it, and how long the silence has to be is for the test to say.
 */

/* Not zeros: a plugin that takes a time of 0 for "never" must not pass. */
#define CLOCK_START_US (G_GINT64_CONSTANT (12345) * G_USEC_PER_SEC + 6789)
#define WALL_START_US  (G_GINT64_CONSTANT (1767225600) * G_USEC_PER_SEC)

/* With real input and output: so long a silence, with no timer armed, is for ever. */
#define PATIENCE_MS 5000

#define MAX_TURNS 100000

static const char account_id[] = "atestaccount1";

/* the registration's host */

static GVariant *
on_dup_param (gpointer host, const char *name)
{
  MusterTestBench *self = host;
  GVariant *value = g_hash_table_lookup (self->values, name);

  return value != NULL ? g_variant_ref (value) : NULL;
}

static void
on_load_secret (gpointer host, const char *name, GTask *task)
{
  static const char wrong[] = "certainly not the right one";
  MusterTestBench *self = host;
  MusterSecret *secret = g_hash_table_lookup (self->secrets, name);

  if (self->wrong_param != NULL && g_str_equal (self->wrong_param, name))
    g_task_return_pointer (task, muster_secret_new (wrong, sizeof wrong - 1),
                           (GDestroyNotify) muster_secret_unref);
  else if (secret != NULL)
    g_task_return_pointer (task, muster_secret_ref (secret), (GDestroyNotify) muster_secret_unref);
  else
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_SECRET,
                                                 "the secret %s is not set", name));
  g_object_unref (task);
}

/* It never changes, but for the contract's wrong one. */
static guint
on_get_secret_version (gpointer host, const char *name)
{
  MusterTestBench *self = host;

  if (self->wrong_param != NULL && g_str_equal (self->wrong_param, name))
    return 2;
  return g_hash_table_contains (self->secrets, name) ? 1 : 0;
}

static GBytes *
on_dup_resume (gpointer host)
{
  MusterTestBench *self = host;

  return self->resume != NULL ? g_bytes_ref (self->resume) : NULL;
}

static void
on_set_resume (gpointer host, GBytes *blob)
{
  MusterTestBench *self = host;

  if (blob != NULL)
    g_bytes_ref (blob);
  g_clear_pointer (&self->resume, g_bytes_unref);
  self->resume = blob;
}

static void
on_lost (gpointer host, const GError *error)
{
  MusterTestBench *self = host;

  g_clear_error (&self->lost);
  self->lost = g_error_copy (error);
}

static void
on_report_bindings (gpointer host, const char *const *bindings)
{
  MusterTestBench *self = host;

  g_strfreev (self->bindings);
  self->bindings = g_strdupv ((GStrv) bindings);
}

static const MusterRegistrationHost registration_host = {
  .dup_param = on_dup_param,
  .load_secret = on_load_secret,
  .dup_resume = on_dup_resume,
  .set_resume = on_set_resume,
  .lost = on_lost,
  .report_bindings = on_report_bindings,
  .get_secret_version = on_get_secret_version,
};

/* loading */

static gboolean
fail (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  if (error != NULL)
    *error = muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE, "%s", message);

  return FALSE;
}

static gboolean
find_kind (MusterTestBench *self, GError **error)
{
  const MusterPluginInfo *info = muster_module_get_info (self->module);

  for (guint i = 0; info->kinds[i] != NULL; i++) {
    const MusterKind *kind = info->kinds[i];

    if (kind->type != MUSTER_KIND_PROTOCOL ||
        (self->protocol_id != NULL && !g_str_equal (self->protocol_id, kind->protocol->id)))
      continue;
    if (self->kind != NULL)
      return fail (error, "plugin %s speaks several protocols: say which", info->name);
    self->kind = kind;
  }

  if (self->kind == NULL && self->protocol_id != NULL)
    return fail (error, "plugin %s does not speak %s", info->name, self->protocol_id);
  if (self->kind == NULL)
    return fail (error, "plugin %s speaks no protocol: there is nothing to register", info->name);

  return TRUE;
}

static gboolean
read_address (MusterTestBench *self, GError **error)
{
  const MusterProtocol *protocol = self->kind->protocol;

  if (self->address != NULL)
    return muster_protocol_check_address (protocol, self->address, error);

  if (!muster_protocol_check_address (protocol, protocol->address_help, NULL))
    return fail (error, "give an address: \"%s\" is only a description of one",
                 protocol->address_help);
  self->address = g_strdup (protocol->address_help);

  return TRUE;
}

static const MusterParam *
find_param (MusterTestBench *self, const char *name, gboolean secret, GError **error)
{
  const MusterParam *param = muster_protocol_find_param (self->kind->protocol, name);
  const char *id = self->kind->protocol->id;

  if (param == NULL)
    fail (error, "%s has no %s %s", id, secret ? "secret" : "parameter", name);
  else if (secret && (param->flags & MUSTER_PARAM_SECRET) == 0)
    fail (error, "%s is no secret of %s", name, id);
  else if (!secret && (param->flags & MUSTER_PARAM_SECRET) != 0)
    fail (error, "%s is a secret of %s, and cannot be set as a parameter", name, id);
  else
    return param;

  return NULL;
}

static gboolean
read_params (MusterTestBench *self, GError **error)
{
  const MusterProtocol *protocol = self->kind->protocol;
  GHashTableIter iter;
  gpointer name;
  gpointer text;

  g_hash_table_iter_init (&iter, self->texts);
  while (g_hash_table_iter_next (&iter, &name, &text)) {
    const MusterParam *param = find_param (self, name, FALSE, error);
    GVariant *value = param != NULL ? muster_param_parse (param, text, error) : NULL;

    if (value == NULL)
      return FALSE;
    g_hash_table_insert (self->values, name, value);
  }

  g_hash_table_iter_init (&iter, self->secrets);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    if (find_param (self, name, TRUE, error) == NULL)
      return FALSE;
  }
  if (self->checked_secret != NULL && find_param (self, self->checked_secret, TRUE, error) == NULL)
    return FALSE;

  for (guint i = 0; i < protocol->n_params; i++) {
    const MusterParam *param = &protocol->params[i];

    if ((param->flags & MUSTER_PARAM_REQUIRED) != 0 && param->default_value == NULL &&
        !g_hash_table_contains (self->values, param->name) &&
        !g_hash_table_contains (self->secrets, param->name))
      return fail (error, "%s %s of %s is required",
                   (param->flags & MUSTER_PARAM_SECRET) != 0 ? "secret" : "parameter", param->name,
                   protocol->id);
  }

  return TRUE;
}

/**
 * muster_test_bench_load:
 * @self: a bench
 * @error: return location for a %MUSTER_ERROR_INVALID that says what is wrong
 *
 * Loads the module into this process, as the daemon does, reads the account's parameters by its
 * description, and makes the clock virtual. muster_test_bench_open() does it by itself.
 *
 * Returns: whether there is something to open
 */
gboolean
muster_test_bench_load (MusterTestBench *self, GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);

  if (self->module != NULL && self->kind != NULL)
    return TRUE;

  g_clear_pointer (&self->module, muster_module_free);
  self->module = muster_module_open (self->path);
  if (muster_module_get_info (self->module) == NULL)
    return fail (error, "%s", muster_module_get_reason (self->module));

  if (!find_kind (self, error) || !read_address (self, error) || !read_params (self, error)) {
    self->kind = NULL;
    return FALSE;
  }

  if (muster_clock_next_due_us () == G_MAXINT64)
    muster_clock_use_virtual (CLOCK_START_US, WALL_START_US);

  return TRUE;
}

MusterRegistration *
muster_test_bench_ensure (MusterTestBench *self, GError **error)
{
  if (self->registration != NULL)
    return self->registration;
  if (!muster_test_bench_load (self, error) || !muster_module_start (self->module, error))
    return NULL;

  self->registration = muster_registration_new (self->kind->get_type (), self->kind->protocol,
                                                muster_module_get_context (self->module),
                                                account_id, self->address, &registration_host,
                                                self);

  return self->registration;
}

void
muster_test_bench_drop (MusterTestBench *self)
{
  if (self->registration != NULL)
    muster_registration_detach_host (self->registration);
  g_clear_object (&self->registration);
  g_clear_error (&self->lost);
  g_clear_pointer (&self->bindings, g_strfreev);
}

/* time */

/* Returns: whether something happened. GLib's own iteration could not be told how long to wait. */
static gboolean
iterate (int timeout_ms)
{
  GMainContext *context = g_main_context_default ();
  g_autoptr (GArray) fds = g_array_sized_new (FALSE, TRUE, sizeof (GPollFD), 8);
  int priority;
  int timeout;
  int n_fds;
  int n_ready;
  gboolean ready;

  if (!g_main_context_acquire (context))
    g_error ("the bench belongs to the main thread");

  ready = g_main_context_prepare (context, &priority);
  g_array_set_size (fds, 8);
  while ((n_fds = g_main_context_query (context, priority, &timeout, (GPollFD *) fds->data,
                                        (int) fds->len)) > (int) fds->len)
    g_array_set_size (fds, (guint) n_fds);
  if (ready || timeout < 0 || timeout > timeout_ms)
    timeout = ready ? 0 : timeout_ms;

  n_ready = g_poll ((GPollFD *) fds->data, (guint) n_fds, timeout);
  ready = g_main_context_check (context, priority, (GPollFD *) fds->data, n_fds);
  if (ready)
    g_main_context_dispatch (context);
  g_main_context_release (context);

  return ready || n_ready > 0; /* another thread's wake-up is seen in the next turn */
}

gboolean
muster_test_bench_turn (MusterTestBench *self, gint64 until_us)
{
  gint64 now_us;
  gint64 due_us;

  if (iterate (0) || (self->idle_ms > 0 && iterate ((int) self->idle_ms)))
    return TRUE;

  due_us = muster_clock_next_due_us ();
  if (due_us == G_MAXINT64)
    return self->idle_ms > 0 && iterate (PATIENCE_MS);

  now_us = muster_clock_now_us ();
  if (due_us > until_us || due_us <= now_us)
    return FALSE;
  muster_clock_advance_us (due_us - now_us);

  return TRUE;
}

gboolean
muster_test_bench_run_until (MusterTestBench *self, gint64 at_us)
{
  for (guint n = 0; n < MAX_TURNS; n++) {
    gboolean busy = iterate (0) || (self->idle_ms > 0 && iterate ((int) self->idle_ms));
    gint64 now_us = muster_clock_now_us ();
    gint64 step_us = MIN (muster_clock_next_due_us (), at_us) - now_us;

    if (busy)
      continue;
    if (step_us > 0)
      muster_clock_advance_us (step_us);
    if (muster_clock_now_us () >= at_us && muster_clock_next_due_us () > at_us)
      return TRUE;
  }

  return FALSE;
}

/* by hand */

/**
 * muster_test_bench_new:
 * @path: a plugin's module file
 * @protocol: (nullable): the protocol; %NULL: the only one that the plugin speaks
 * @address: (nullable): the account's address; %NULL: the example of the protocol's description
 *
 * Nothing is loaded yet.
 *
 * Returns: (transfer full): a bench
 */
MusterTestBench *
muster_test_bench_new (const char *path, const char *protocol, const char *address)
{
  MusterTestBench *self;

  g_return_val_if_fail (path != NULL, NULL);

  self = g_new0 (MusterTestBench, 1);
  self->path = g_canonicalize_filename (path, NULL);
  self->protocol_id = g_strdup (protocol);
  self->address = g_strdup (address);
  self->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->secrets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) muster_secret_unref);
  self->values = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                        (GDestroyNotify) g_variant_unref);

  return self;
}

/**
 * muster_test_bench_free:
 * @self: (transfer full) (nullable): a bench
 *
 * Drops its registration, which must have answered all calls.
 */
void
muster_test_bench_free (MusterTestBench *self)
{
  if (self == NULL)
    return;

  muster_test_bench_drop (self);
  g_clear_pointer (&self->module, muster_module_free);
  g_clear_pointer (&self->resume, g_bytes_unref);
  g_hash_table_unref (self->values);
  g_hash_table_unref (self->secrets);
  g_hash_table_unref (self->texts);
  g_free (self->checked_secret);
  g_free (self->address);
  g_free (self->protocol_id);
  g_free (self->path);
  g_free (self);
}

/**
 * muster_test_bench_set:
 * @self: a bench
 * @param: a parameter's name
 * @text: its value as a user writes it, read by the protocol's description when it is loaded
 */
void
muster_test_bench_set (MusterTestBench *self, const char *param, const char *text)
{
  g_return_if_fail (self != NULL && param != NULL && text != NULL);

  g_hash_table_insert (self->texts, g_strdup (param), g_strdup (text));
}

/**
 * muster_test_bench_set_secret:
 * @self: a bench
 * @param: the name of a secret parameter
 * @secret: what muster_registration_load_secret_async() finds
 */
void
muster_test_bench_set_secret (MusterTestBench *self, const char *param, MusterSecret *secret)
{
  g_return_if_fail (self != NULL && param != NULL && secret != NULL);

  g_hash_table_insert (self->secrets, g_strdup (param), muster_secret_ref (secret));
}

/**
 * muster_test_bench_set_checked_secret:
 * @self: a bench
 * @param: the name of a secret parameter
 *
 * Says that the service refuses a wrong secret: the contract then tries one.
 */
void
muster_test_bench_set_checked_secret (MusterTestBench *self, const char *param)
{
  g_return_if_fail (self != NULL && param != NULL);

  g_free (self->checked_secret);
  self->checked_secret = g_strdup (param);
}

/**
 * muster_test_bench_set_real_io:
 * @self: a bench
 * @idle_ms: how long, in real milliseconds, nothing may come from descriptors and threads before
 *   the clock moves on to the next timer; 0: they are looked at, but not waited for
 *
 * For plugins that talk to a real server. The clock stays virtual: timers do not wait, so choose
 * more than the server's slowest answer.
 */
void
muster_test_bench_set_real_io (MusterTestBench *self, guint idle_ms)
{
  g_return_if_fail (self != NULL && idle_ms <= 60 * 1000);

  self->idle_ms = idle_ms;
}

/**
 * muster_test_bench_set_deadline_ms:
 * @self: a bench
 * @deadline_ms: how long a step of the contract may take, in real milliseconds; 0: 30 s, and 300 s
 *   with real input and output
 *
 * A step that takes longer is ended, and said to block the main loop.
 */
void
muster_test_bench_set_deadline_ms (MusterTestBench *self, guint deadline_ms)
{
  g_return_if_fail (self != NULL && deadline_ms <= G_MAXINT);

  self->deadline_ms = deadline_ms;
}

/**
 * muster_test_bench_get_registration:
 * @self: a bench
 *
 * Returns: (transfer none) (nullable): the registration; %NULL before the first open
 */
MusterRegistration *
muster_test_bench_get_registration (MusterTestBench *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->registration;
}

static MusterTestCall *
call_and_wait (MusterTestBench *self, gboolean closing, GError **error)
{
  g_autoptr (MusterTestCall) call = NULL;
  MusterTestWait wait;

  if (muster_test_bench_ensure (self, error) == NULL)
    return NULL;

  call = muster_test_call_new (self, closing, NULL);
  wait = muster_test_call_wait (call, MUSTER_TEST_CALL_MAX_MS, MUSTER_TEST_CALL_MAX_TURNS);
  if (wait != MUSTER_TEST_ANSWERED) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                         muster_test_wait_to_string (wait, self->idle_ms > 0));
    return NULL;
  }

  return g_steal_pointer (&call);
}

/**
 * muster_test_bench_open:
 * @self: a bench
 * @error: return location for what the plugin answered, or %G_IO_ERROR_TIMED_OUT if it did not
 *
 * Opens the registration, or extends it, and lets time pass until it has answered.
 *
 * Returns: (transfer full): what was granted
 */
MusterLease *
muster_test_bench_open (MusterTestBench *self, GError **error)
{
  g_autoptr (MusterTestCall) call = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  call = call_and_wait (self, FALSE, error);
  if (call == NULL)
    return NULL;
  if (call->error != NULL)
    g_propagate_error (error, g_steal_pointer (&call->error));

  return g_steal_pointer (&call->lease);
}

/**
 * muster_test_bench_close:
 * @self: a bench
 * @error: return location, as for muster_test_bench_open()
 *
 * Closes the registration, and lets time pass until it has answered.
 *
 * Returns: whether it worked
 */
gboolean
muster_test_bench_close (MusterTestBench *self, GError **error)
{
  g_autoptr (MusterTestCall) call = NULL;

  g_return_val_if_fail (self != NULL, FALSE);

  call = call_and_wait (self, TRUE, error);
  if (call == NULL)
    return FALSE;
  if (call->error != NULL)
    g_propagate_error (error, g_steal_pointer (&call->error));

  return call->closed;
}

/**
 * muster_test_bench_advance_ms:
 * @self: a bench
 * @by_ms: how long, in virtual milliseconds
 *
 * Lets time pass; what falls due on the way happens.
 */
void
muster_test_bench_advance_ms (MusterTestBench *self, guint64 by_ms)
{
  g_return_if_fail (self != NULL && self->module != NULL);

  if (!muster_test_bench_run_until (self, muster_clock_now_us () + (gint64) by_ms * 1000))
    g_critical ("the plugin does not come to rest");
}

/**
 * muster_test_bench_restart:
 * @self: a bench
 *
 * What a restart of the daemon does: the registration goes without a close, and the next open makes
 * a new one, which finds the resume blob that the old one left.
 */
void
muster_test_bench_restart (MusterTestBench *self)
{
  g_return_if_fail (self != NULL);

  muster_test_bench_drop (self);
}

/**
 * muster_test_bench_get_lost:
 * @self: a bench
 *
 * Returns: (transfer none) (nullable): what muster_registration_lost() was last told
 */
const GError *
muster_test_bench_get_lost (MusterTestBench *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->lost;
}

/**
 * muster_test_bench_get_bindings:
 * @self: a bench
 *
 * Returns: (transfer none) (nullable): what muster_registration_report_bindings() was last told
 */
const char *const *
muster_test_bench_get_bindings (MusterTestBench *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return (const char *const *) self->bindings;
}
