/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "BenchNta"

#include "muster-sip-sofia.h"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * bench-nta N PORT PER-SECOND PASSWORD: the rival. N users registered with the registrar on PORT by
 * Sofia's nta and next to nothing else: no store, no bus, no states, no second transport. It shares
 * the daemon's agent, so the repaired loop, T4 and socket buffers are the same. PER-SECOND 0 sends
 * everything at once.
 *
 *    begin_cycle: all register -> settle -> begin_cycle: all refresh -> settle -> report
 *
 * Prints CPU time and resident memory for all of them as JSON. A cycle's CPU time is that until Sofia has
 * let go of its transactions, too.
 */

#define DOMAIN       "sip:bench.test"
#define PACE_MS      10
#define SETTLE_MS    1500
#define EXPIRES_TEXT "3600"

/* Stands for a registration here: what a client of its own would keep. */
struct _MusterSipTransaction {
  char *user;
  char *aor;
  char *contact;
  char *call_id;
  char *from_tag;
  char *realm;
  char *nonce;
  char ha1[33];
  char cnonce[17];
  guint32 cseq;
  guint32 nonce_count;
  nta_outgoing_t *outgoing;
};

typedef struct _MusterSipTransaction Registration;

struct _MusterSipAgent {
  GMainLoop *loop;
  nta_agent_t *nta;
  nta_leg_t *leg;
  char *route;
  const char *password;
  Registration *registrations;
  guint n;
  guint n_begun;
  guint n_done;
  double per_second;
  gint64 began_us;
  double cpu_before_us;
  double cycle_us[2]; /* CPU time of registering, and of refreshing */
  guint cycle;
  double ms; /* of the first */
  long rss_before_kb;
  long rss_kb; /* after it */
};

typedef struct _MusterSipAgent Client;

static Client client;

static double
cpu_us (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static long
rss_kb (void)
{
  g_autofree char *text = NULL;
  glong pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*d %ld", &pages);
  return pages * (sysconf (_SC_PAGESIZE) / 1024);
}

static void
md5 (char *hex, const char *text)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_MD5, text, -1);

  g_strlcpy (hex, sum, 33);
}

static int on_response (Registration *self, nta_outgoing_t *outgoing, sip_t const *sip);

static void
registration_authorize (Registration *self, char *line, gsize size)
{
  char text[512], ha2[33], response[33];

  self->nonce_count++;
  md5 (ha2, "REGISTER:" DOMAIN);
  g_snprintf (text, sizeof text, "%s:%s:%08x:%s:auth:%s", self->ha1, self->nonce, self->nonce_count,
              self->cnonce, ha2);
  md5 (response, text);
  g_snprintf (line, size,
              "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"" DOMAIN
              "\", response=\"%s\", algorithm=MD5, cnonce=\"%s\", qop=auth, nc=%08x",
              self->user, self->realm, self->nonce, response, self->cnonce, self->nonce_count);
}

static void
registration_send (Registration *self)
{
  char authorization[768], from[192], to[160], cseq[32];

  g_snprintf (from, sizeof from, "<%s>;tag=%s", self->aor, self->from_tag);
  g_snprintf (to, sizeof to, "<%s>", self->aor);
  g_snprintf (cseq, sizeof cseq, "%u REGISTER", ++self->cseq);
  if (self->nonce != NULL)
    registration_authorize (self, authorization, sizeof authorization);

  self->outgoing = nta_outgoing_tcreate (
    client.leg, on_response, self, URL_STRING_MAKE (client.route), SIP_METHOD_REGISTER,
    URL_STRING_MAKE (DOMAIN), SIPTAG_FROM_STR (from), SIPTAG_TO_STR (to),
    SIPTAG_CALL_ID_STR (self->call_id), SIPTAG_CSEQ_STR (cseq), SIPTAG_CONTACT_STR (self->contact),
    SIPTAG_EXPIRES_STR (EXPIRES_TEXT), SIPTAG_USER_AGENT_STR ("Bench"),
    TAG_IF (self->nonce != NULL, SIPTAG_AUTHORIZATION_STR (authorization)), TAG_END ());
  if (self->outgoing == NULL)
    g_error ("a request could not be sent");
}

static char *
dup_challenge_param (sip_t const *sip, const char *name)
{
  const char *value = msg_header_find_param (sip->sip_www_authenticate->au_common, name);
  char *unquoted = g_strdup (value != NULL ? value + (*value == '"') : "");

  if (g_str_has_suffix (unquoted, "\""))
    unquoted[strlen (unquoted) - 1] = '\0';
  return unquoted;
}

static void
registration_take_challenge (Registration *self, sip_t const *sip)
{
  g_autofree char *text = NULL;

  self->realm = dup_challenge_param (sip, "realm=");
  self->nonce = dup_challenge_param (sip, "nonce=");
  text = g_strdup_printf ("%s:%s:%s", self->user, self->realm, client.password);
  md5 (self->ha1, text);
  g_snprintf (self->cnonce, sizeof self->cnonce, "%08x%08x", g_random_int (), g_random_int ());
}

static gboolean on_settled (gpointer user_data);

static int
on_response (Registration *self, nta_outgoing_t *outgoing, sip_t const *sip)
{
  int status = sip != NULL ? sip->sip_status->st_status : 408;

  if (status < 200)
    return 0;

  self->outgoing = NULL;
  nta_outgoing_destroy (outgoing);
  if (status == 401 && self->nonce == NULL) {
    registration_take_challenge (self, sip);
    registration_send (self);
    return 0;
  }
  if (status != 200)
    g_error ("%s got %d", self->user, status);

  if (++client.n_done == client.n) {
    if (client.cycle == 0)
      client.ms = (double) (g_get_monotonic_time () - client.began_us) / 1000;
    g_timeout_add (SETTLE_MS, on_settled, NULL);
  }
  return 0;
}

static void
registration_begin (Registration *self, guint number)
{
  if (self->user != NULL) { /* a refresh: with the nonce that is known */
    registration_send (self);
    return;
  }

  self->user = g_strdup_printf ("u%u", number);
  self->aor = g_strdup_printf ("sip:%s@bench.test", self->user);
  self->contact = g_strdup_printf ("<sip:%s@127.0.0.1:%u>", self->user,
                                   muster_sip_sofia_agent_get_port (client.nta));
  self->call_id = g_strdup_printf ("%08x%08x%08x", g_random_int (), g_random_int (),
                                   g_random_int ());
  self->from_tag = g_strdup_printf ("%08x", g_random_int ());
  registration_send (self);
}

static gboolean
on_pace (gpointer user_data)
{
  double elapsed_s = (double) (g_get_monotonic_time () - client.began_us) / 1e6;
  double due = client.per_second > 0 ? elapsed_s * client.per_second + 1 : client.n;

  for (; client.n_begun < client.n && client.n_begun < due; client.n_begun++)
    registration_begin (&client.registrations[client.n_begun], client.n_begun);

  return client.n_begun < client.n;
}

static void
begin_cycle (void)
{
  client.n_begun = 0;
  client.n_done = 0;
  client.cpu_before_us = cpu_us ();
  client.began_us = g_get_monotonic_time ();
  g_timeout_add (PACE_MS, on_pace, NULL);
}

static gboolean
on_settled (gpointer user_data)
{
  client.cycle_us[client.cycle] = cpu_us () - client.cpu_before_us;
  if (client.cycle == 0)
    client.rss_kb = rss_kb ();
  if (++client.cycle < G_N_ELEMENTS (client.cycle_us))
    begin_cycle ();
  else
    g_main_loop_quit (client.loop);

  return G_SOURCE_REMOVE;
}

static void
client_report (void)
{
  printf ("{\"n\": %u, \"cpu_us\": %.0f, \"refresh_us\": %.0f, \"rss_before_kb\": %ld, "
          "\"rss_kb\": %ld, \"ms\": %.1f}\n",
          client.n, client.cycle_us[0], client.cycle_us[1], client.rss_before_kb, client.rss_kb,
          client.ms);
  fflush (stdout);
}

static int
on_stray (Client *self, nta_agent_t *nta, msg_t *message, sip_t *sip)
{
  nta_msg_discard (nta, message);
  return 0;
}

static int
on_leg_request (Client *self, nta_leg_t *leg, nta_incoming_t *incoming, sip_t const *sip)
{
  return 481;
}

int
main (int argc, char **argv)
{
  if (argc != 5) {
    fprintf (stderr, "Usage: bench-nta N PORT PER-SECOND PASSWORD\n");
    return 2;
  }
  client.n = (guint) strtoul (argv[1], NULL, 10);
  client.route = g_strdup_printf ("sip:127.0.0.1:%s", argv[2]);
  client.per_second = g_ascii_strtod (argv[3], NULL);
  client.password = argv[4];
  client.registrations = g_new0 (Registration, client.n);
  client.loop = g_main_loop_new (NULL, FALSE);
  client.nta = muster_sip_sofia_agent_new ("127.0.0.1", 0, on_stray, &client);
  if (client.nta == NULL)
    g_error ("no agent");
  client.leg = nta_leg_tcreate (client.nta, on_leg_request, &client, NTATAG_NO_DIALOG (1),
                                TAG_END ());

  client.rss_before_kb = rss_kb ();
  begin_cycle ();
  g_main_loop_run (client.loop);
  client_report ();

  return 0;
}
