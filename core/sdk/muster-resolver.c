/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterResolver"

#include "config.h"

#include "muster-resolver-private.h"

#include <muster/muster-error.h>

#include <string.h>

/*
 * From a service and a domain to an ordered list of addresses. The steps of a lookup, each of which
 * may be skipped, and each of whose questions are asked side by side:
 *
 *   NAPTR of the domain  ->  SRV of each service found  ->  addresses of each host found
 *
 * Asking and remembering is the cache's; here it is decided what to ask and what to make of it.
 */

#define MAX_SERVICES     8
#define MAX_HOSTS        8
#define MAX_TARGETS      32
#define SIP_DEFAULT_PORT 5060
#define SIP_TLS_PORT     5061

typedef struct Lookup Lookup;

typedef struct {
  Lookup *lookup;
  char *name;
  MusterTransport transport;
  MusterDnsAnswer *answer;
} Service;

typedef struct {
  Lookup *lookup;
  char *name;
  guint16 port;
  guint16 priority;
  MusterTransport transport;
  MusterDnsAnswer *answer;
} Host;

struct Lookup {
  GTask *task; /* NULL: cancelled; what still comes in is ignored */
  gulong cancelled_id;
  char *service; /* NULL: addresses only */
  char *proto;   /* NULL: any */
  char *host;
  guint16 port;
  MusterResolverFlags flags;
  GPtrArray *services; /* of Service, in the order in which they are tried */
  GPtrArray *hosts;    /* of Host, likewise */
  guint n_pending;     /* questions of the present step, and 1 while it is being asked */
  char *failure;       /* why the last question failed that did */
};

/* targets */

G_DEFINE_BOXED_TYPE (MusterTarget, muster_target, muster_target_ref, muster_target_unref)

/**
 * muster_target_new:
 * @address: an address with a port
 * @name: the host name it belongs to, or the address as text
 * @transport: how to talk to it
 * @priority: lower comes first
 *
 * Returns: (transfer full): a target
 */
MusterTarget *
muster_target_new (GSocketAddress *address,
                   const char *name,
                   MusterTransport transport,
                   guint16 priority)
{
  MusterTarget *self;

  g_return_val_if_fail (G_IS_INET_SOCKET_ADDRESS (address), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  self = g_new0 (MusterTarget, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->address = g_object_ref (address);
  self->name = g_strdup (name);
  self->transport = transport;
  self->priority = priority;

  return self;
}

/**
 * muster_target_ref:
 * @self: a target
 *
 * Returns: (transfer full): @self
 */
MusterTarget *
muster_target_ref (MusterTarget *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * muster_target_unref:
 * @self: (transfer full): a target
 *
 * Drops a reference.
 */
void
muster_target_unref (MusterTarget *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_object_unref (self->address);
  g_free (self->name);
  g_free (self);
}

/* names */

/* In the form in which DNS compares them: ASCII, lower-case, no stop at the end. */
static char *
normalise_host (const char *host)
{
  g_autofree char *ascii = g_hostname_to_ascii (host);
  g_autofree char *name = NULL;
  gsize label_length = 0;
  gsize length;

  if (ascii == NULL)
    return NULL;

  name = g_ascii_strdown (ascii, -1);
  length = strlen (name);
  if (length > 0 && name[length - 1] == '.')
    name[--length] = '\0';
  if (length == 0 || length > 253)
    return NULL;

  for (const char *p = name; *p != '\0'; p++) {
    if (*p == '.' && label_length == 0)
      return NULL;
    if (*p != '.' && !g_ascii_isalnum (*p) && *p != '-' && *p != '_')
      return NULL;
    label_length = *p == '.' ? 0 : label_length + 1;
    if (label_length > 63)
      return NULL;
  }

  return g_steal_pointer (&name);
}

/* An address as text, in brackets or not, with a zone or not. */
static GSocketAddress *
parse_literal (const char *host, guint16 port)
{
  gsize length = strlen (host);
  g_autofree char *bare = NULL;

  if (length > 2 && host[0] == '[' && host[length - 1] == ']')
    bare = g_strndup (host + 1, length - 2);

  return g_inet_socket_address_new_from_string (bare != NULL ? bare : host, port);
}

/* RFC 6761 section 6.3: never a matter for a name server. */
static gboolean
is_localhost (const char *name)
{
  return strcmp (name, "localhost") == 0 || g_str_has_suffix (name, ".localhost");
}

static gboolean
is_sips (const Lookup *self)
{
  return strcmp (self->service, "sips") == 0;
}

/* The transport that the caller asked for, or what SIP falls back on (RFC 3263 section 4.1). */
static MusterTransport
fallback_transport (const Lookup *self)
{
  if ((self->flags & MUSTER_RESOLVER_NAPTR) != 0 && is_sips (self))
    return MUSTER_TRANSPORT_TLS;
  if (g_strcmp0 (self->proto, "udp") == 0)
    return MUSTER_TRANSPORT_UDP;
  if (g_strcmp0 (self->proto, "tls") == 0)
    return MUSTER_TRANSPORT_TLS;
  if (self->proto == NULL && (self->flags & MUSTER_RESOLVER_NAPTR) != 0)
    return MUSTER_TRANSPORT_UDP;

  return MUSTER_TRANSPORT_TCP;
}

static guint16
fallback_port (const Lookup *self, MusterTransport transport)
{
  if (self->port != 0 || (self->flags & MUSTER_RESOLVER_NAPTR) == 0)
    return self->port;

  return transport == MUSTER_TRANSPORT_TLS ? SIP_TLS_PORT : SIP_DEFAULT_PORT;
}

static gboolean
wants_transport (const Lookup *self, MusterTransport transport)
{
  return self->proto == NULL || transport == fallback_transport (self);
}

/* a lookup's life */

static void
service_free (Service *service)
{
  g_clear_pointer (&service->answer, muster_dns_answer_unref);
  g_free (service->name);
  g_free (service);
}

static void
host_free (Host *host)
{
  g_clear_pointer (&host->answer, muster_dns_answer_unref);
  g_free (host->name);
  g_free (host);
}

/* Returns the task, unless it was cancelled; the answer is then nobody's. */
static GTask *
lookup_end (Lookup *self)
{
  GTask *task = g_steal_pointer (&self->task);

  if (self->cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (task), self->cancelled_id);
  self->cancelled_id = 0;

  return task;
}

static void
lookup_free (Lookup *self)
{
  g_autoptr (GTask) task = lookup_end (self);

  g_ptr_array_unref (self->services);
  g_ptr_array_unref (self->hosts);
  g_free (self->service);
  g_free (self->proto);
  g_free (self->host);
  g_free (self->failure);
  g_free (self);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = lookup_end (user_data);

  g_task_return_error_if_cancelled (task);
}

static gboolean
lookup_step_is_over (Lookup *self)
{
  return --self->n_pending == 0;
}

static void
lookup_note_failure (Lookup *self, const MusterDnsAnswer *answer)
{
  if (answer->outcome != MUSTER_DNS_FAILED)
    return;

  g_free (self->failure);
  self->failure = g_strdup (answer->reason);
}

/* the last step: addresses */

static gboolean
lookup_takes_family (const Lookup *self, GSocketFamily family)
{
  return (self->flags & (family == G_SOCKET_FAMILY_IPV6 ? MUSTER_RESOLVER_IPV4_ONLY
                                                        : MUSTER_RESOLVER_IPV6_ONLY)) == 0;
}

static void
lookup_add_targets (const Lookup *self, const Host *host, GPtrArray *targets)
{
  for (guint i = 0; i < host->answer->records->len && targets->len < MAX_TARGETS; i++) {
    const MusterDnsRecord *record = host->answer->records->pdata[i];
    g_autoptr (GSocketAddress) address = NULL;

    if (!lookup_takes_family (self, g_inet_address_get_family (record->address)))
      continue;

    address = g_object_new (G_TYPE_INET_SOCKET_ADDRESS, "address", record->address, "port",
                            (guint) host->port, "scope-id", record->scope_id, NULL);
    g_ptr_array_add (targets,
                     muster_target_new (address, host->name, host->transport, host->priority));
  }
}

static GError *
lookup_new_error (const Lookup *self)
{
  if (self->failure != NULL)
    return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_RESOLVE,
                             "%s cannot be looked up: %s", self->host, self->failure);
  if (self->hosts->len == 0)
    return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_RESOLVE,
                             "%s says that it does not offer the service \"%s\"", self->host,
                             self->service);

  return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_RESOLVE, "%s has no address",
                           self->host);
}

static void
lookup_finish (Lookup *self)
{
  g_autoptr (GPtrArray)
    targets = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_target_unref);
  g_autoptr (GTask) task = lookup_end (self);

  if (task != NULL) {
    for (guint i = 0; i < self->hosts->len; i++) {
      const Host *host = self->hosts->pdata[i];

      lookup_note_failure (self, host->answer);
      lookup_add_targets (self, host, targets);
    }

    if (targets->len > 0)
      g_task_return_pointer (task, g_steal_pointer (&targets), (GDestroyNotify) g_ptr_array_unref);
    else
      g_task_return_error (task, lookup_new_error (self));
  }

  lookup_free (self);
}

static void
on_addresses (MusterDnsAnswer *answer, gpointer user_data)
{
  Host *host = user_data;

  host->answer = muster_dns_answer_ref (answer);
  if (lookup_step_is_over (host->lookup))
    lookup_finish (host->lookup);
}

static void
lookup_add_host (Lookup *self,
                 const char *name,
                 guint16 port,
                 MusterTransport transport,
                 guint16 priority)
{
  Host *host;

  if (self->hosts->len >= MAX_HOSTS)
    return;

  host = g_new0 (Host, 1);
  host->lookup = self;
  host->name = g_strdup (name);
  host->port = port;
  host->transport = transport;
  host->priority = priority;
  g_ptr_array_add (self->hosts, host);
}

static void
lookup_ask_addresses (Lookup *self)
{
  self->n_pending = self->hosts->len + 1;
  for (guint i = 0; i < self->hosts->len; i++)
    muster_dns_cache_ask (MUSTER_DNS_ADDRESSES, ((Host *) self->hosts->pdata[i])->name,
                          on_addresses, self->hosts->pdata[i]);

  if (lookup_step_is_over (self))
    lookup_finish (self);
}

/* the middle step: services */

static guint32
draw (guint32 max)
{
  return max > 0 ? (guint32) g_random_int_range (0, (gint32) max + 1) : 0;
}

/* Returns whether the domain says that this service is not to be had there (RFC 2782, "Target"). */
static gboolean
lookup_add_service_hosts (Lookup *self, const Service *service)
{
  g_autoptr (GPtrArray) records = g_ptr_array_copy (service->answer->records, NULL, NULL);

  g_ptr_array_set_free_func (records, NULL);
  if (records->len == 1 && strcmp (((MusterDnsRecord *) records->pdata[0])->name, ".") == 0)
    return TRUE;

  muster_dns_order_srv (records, draw);
  for (guint i = 0; i < records->len; i++) {
    const MusterDnsRecord *record = records->pdata[i];
    g_autofree char *name = normalise_host (record->name);

    if (name != NULL && record->port != 0)
      lookup_add_host (self, name, record->port, service->transport, record->priority);
  }

  return FALSE;
}

static void
lookup_take_services (Lookup *self)
{
  gboolean is_declined = FALSE;

  if (self->task == NULL) {
    lookup_free (self);
    return;
  }

  for (guint i = 0; i < self->services->len; i++) {
    if (lookup_add_service_hosts (self, self->services->pdata[i]))
      is_declined = TRUE;
  }

  if (self->hosts->len == 0 && !is_declined) {
    MusterTransport transport = fallback_transport (self);

    lookup_add_host (self, self->host, fallback_port (self, transport), transport, 0);
  }
  lookup_ask_addresses (self);
}

static void
on_service (MusterDnsAnswer *answer, gpointer user_data)
{
  Service *service = user_data;

  service->answer = muster_dns_answer_ref (answer);
  if (lookup_step_is_over (service->lookup))
    lookup_take_services (service->lookup);
}

static void
lookup_add_service (Lookup *self, char *take_name, MusterTransport transport)
{
  Service *service;

  if (self->services->len >= MAX_SERVICES) {
    g_free (take_name);
    return;
  }

  service = g_new0 (Service, 1);
  service->lookup = self;
  service->name = take_name;
  service->transport = transport;
  g_ptr_array_add (self->services, service);
}

static void
lookup_add_sip_service (Lookup *self, const char *prefix, MusterTransport transport)
{
  if (wants_transport (self, transport))
    lookup_add_service (self, g_strdup_printf ("%s.%s", prefix, self->host), transport);
}

static void
lookup_ask_services (Lookup *self)
{
  self->n_pending = self->services->len + 1;
  for (guint i = 0; i < self->services->len; i++)
    muster_dns_cache_ask (MUSTER_DNS_SRV, ((Service *) self->services->pdata[i])->name, on_service,
                          self->services->pdata[i]);

  if (lookup_step_is_over (self))
    lookup_take_services (self);
}

/* the first step: NAPTR, for SIP only (RFC 3263 section 4.1) */

static gint
compare_naptr (gconstpointer a, gconstpointer b)
{
  const MusterDnsRecord *left = *(MusterDnsRecord *const *) a;
  const MusterDnsRecord *right = *(MusterDnsRecord *const *) b;

  if (left->priority != right->priority)
    return left->priority < right->priority ? -1 : 1;

  return (int) left->weight - (int) right->weight;
}

/* Returns 0 for what is not ours. */
static MusterTransport
naptr_transport (const MusterDnsRecord *record)
{
  if (strcmp (record->flags, "s") != 0)
    return 0;
  if (strcmp (record->service, "sips+d2t") == 0)
    return MUSTER_TRANSPORT_TLS;
  if (strcmp (record->service, "sip+d2t") == 0)
    return MUSTER_TRANSPORT_TCP;
  if (strcmp (record->service, "sip+d2u") == 0)
    return MUSTER_TRANSPORT_UDP;

  return 0;
}

static void
lookup_take_naptr (Lookup *self, const MusterDnsAnswer *answer)
{
  g_autoptr (GPtrArray) records = g_ptr_array_copy (answer->records, NULL, NULL);

  g_ptr_array_set_free_func (records, NULL);
  g_ptr_array_sort (records, compare_naptr);

  for (guint i = 0; i < records->len; i++) {
    const MusterDnsRecord *record = records->pdata[i];
    MusterTransport transport = naptr_transport (record);
    g_autofree char *name = NULL;

    if (transport == 0 || !wants_transport (self, transport))
      continue;
    if (is_sips (self) && transport != MUSTER_TRANSPORT_TLS)
      continue;
    if ((name = normalise_host (record->name)) != NULL)
      lookup_add_service (self, g_steal_pointer (&name), transport);
  }
}

static void
on_naptr (MusterDnsAnswer *answer, gpointer user_data)
{
  Lookup *self = user_data;

  if (self->task == NULL || answer->outcome == MUSTER_DNS_FAILED) { /* so would the next question */
    lookup_take_services (self);
    return;
  }

  lookup_take_naptr (self, answer);
  if (self->services->len == 0) {
    lookup_add_sip_service (self, "_sips._tcp", MUSTER_TRANSPORT_TLS);
    if (!is_sips (self)) {
      lookup_add_sip_service (self, "_sip._tcp", MUSTER_TRANSPORT_TCP);
      lookup_add_sip_service (self, "_sip._udp", MUSTER_TRANSPORT_UDP);
    }
  }
  lookup_ask_services (self);
}

/* the start */

static void
lookup_start (Lookup *self)
{
  if (self->service == NULL || is_localhost (self->host)) {
    lookup_take_services (self);
    return;
  }
  if ((self->flags & MUSTER_RESOLVER_NAPTR) != 0) {
    muster_dns_cache_ask (MUSTER_DNS_NAPTR, self->host, on_naptr, self);
    return;
  }

  lookup_add_service (self,
                      g_strdup_printf ("_%s._%s.%s", self->service,
                                       strcmp (self->proto, "udp") == 0 ? "udp" : "tcp",
                                       self->host),
                      fallback_transport (self));
  lookup_ask_services (self);
}

static Lookup *
lookup_new (GTask *take_task)
{
  Lookup *self = g_new0 (Lookup, 1);
  GCancellable *cancellable = g_task_get_cancellable (take_task);

  self->task = take_task;
  self->services = g_ptr_array_new_with_free_func ((GDestroyNotify) service_free);
  self->hosts = g_ptr_array_new_with_free_func ((GDestroyNotify) host_free);
  if (cancellable != NULL)
    self->cancelled_id = g_signal_connect (cancellable, "cancelled", G_CALLBACK (on_cancelled),
                                           self);

  return self;
}

static void
return_literal (GTask *task, GSocketAddress *address, const Lookup *request)
{
  GPtrArray *targets = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_target_unref);

  g_ptr_array_add (targets,
                   muster_target_new (address, request->host, fallback_transport (request), 0));
  g_task_return_pointer (task, targets, (GDestroyNotify) g_ptr_array_unref);
}

/**
 * muster_resolver_lookup_async:
 * @service: (nullable): the service's name without its underscore, such as `xmpp-client`, to be
 *   looked up as SRV; %NULL: addresses of @host only, as when a user gave a port
 * @proto: (nullable): `udp`, `tcp`, or `tls`, which DNS calls `tcp`; what the targets' transports
 *   are. %NULL with %MUSTER_RESOLVER_NAPTR: any; otherwise needed where @service is given
 * @host: a domain, a host name (in UTF-8, or in its ASCII form), or an address in brackets or not
 * @port: the port of @host itself, used where SRV has nothing to say; may be 0 with
 *   %MUSTER_RESOLVER_NAPTR for 5060 and 5061
 * @flags: see #MusterResolverFlags
 * @cancellable: (nullable): ends the lookup at once
 * @callback: called on the main context, never inside this call
 * @user_data: for @callback
 *
 * Looks up where a service is. Address literals and `localhost` ask nobody. SRV records are ordered
 * by priority and drawn by weight (RFC 2782); where there are none, or the name server fails,
 * @host itself is the target. With %MUSTER_RESOLVER_NAPTR, @service is `sip` or `sips` and the
 * rules of RFC 3263 section 4 hold, without NAPTR records in the order TLS, TCP, UDP; `sips` yields
 * nothing but TLS. The addresses of each host come
 * with IPv6 and IPv4 by turns (RFC 8305).
 *
 * Answers are remembered for 5 s to 1 h, as their owner says, and shared by all who ask. At most
 * 32 targets on 8 hosts are returned.
 *
 * Main thread only.
 */
void
muster_resolver_lookup_async (const char *service,
                              const char *proto,
                              const char *host,
                              guint16 port,
                              MusterResolverFlags flags,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GSocketAddress) literal = NULL;
  Lookup *self;

  g_return_if_fail (host != NULL);
  g_return_if_fail (service == NULL || proto != NULL || (flags & MUSTER_RESOLVER_NAPTR) != 0);
  g_return_if_fail ((flags & MUSTER_RESOLVER_NAPTR) == 0 || g_strcmp0 (service, "sip") == 0 ||
                    g_strcmp0 (service, "sips") == 0);

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, muster_resolver_lookup_async);
  if (g_task_return_error_if_cancelled (task))
    return;

  self = lookup_new (g_steal_pointer (&task));
  self->service = g_strdup (service);
  self->proto = g_strdup (proto);
  self->port = port;
  self->flags = flags;

  literal = parse_literal (host, fallback_port (self, fallback_transport (self)));
  self->host = literal != NULL ? g_strdup (host) : normalise_host (host);
  if (literal != NULL || self->host == NULL) {
    task = lookup_end (self);
    if (literal != NULL)
      return_literal (task, literal, self);
    else
      g_task_return_error (task, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_RESOLVE,
                                                   "this is not the name of a host"));
    lookup_free (self);
    return;
  }

  lookup_start (self);
}

/**
 * muster_resolver_lookup_finish:
 * @result: what the callback was given
 * @error: where to put the error: %MUSTER_ERROR_UNREACHABLE, %MUSTER_ERROR_INVALID for what cannot
 *   be a host's name, both of the step %MUSTER_STEP_RESOLVE, or %G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer container) (element-type MusterTarget): the targets in the order in which they
 *   should be tried, at least one; %NULL on error
 */
GPtrArray *
muster_resolver_lookup_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_resolver_lookup_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
