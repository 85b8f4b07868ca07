/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-tls-private.h"
#include "tls-fixture.h"

#include <muster/muster-stream.h>

#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A thousand TLS streams to one server, opened a few at a time, then idle. The server is a process
 * of its own, so that its half is not counted: the same program, run again. */

#define N_STREAMS      1000
#define N_AT_ONCE      20
#define MAX_HEAP_KB    16 /* a stream, or this fails */
#define HOST           "sip.example.org"
#define SETTLE_MESSAGE "x"

static guint n_opened;
static guint n_started;
static guint n_echoed;
static MusterStream *streams[N_STREAMS];
static GPtrArray *targets;
static MusterTlsTrust *trust;

static int
listen_on (guint16 *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM, 0);

  if (bind (fd, (struct sockaddr *) &address, size) != 0 || listen (fd, 128) != 0 ||
      getsockname (fd, (struct sockaddr *) &address, &size) != 0)
    g_error ("cannot listen");
  *port = ntohs (address.sin_port);

  return fd;
}

/* Shakes hands with one after the other, echoes a byte to each, and keeps them all. */
static void
serve (int listen_fd)
{
  g_autoptr (TlsIdentity) root = tls_identity_new (&(TlsWish){ .cn = "R", .is_ca = TRUE }, NULL);
  g_autoptr (TlsIdentity) identity = tls_identity_new (&(TlsWish){ .dns = HOST }, root);
  g_autofree char *pem = tls_identity_dup_pem (root);
  gnutls_certificate_credentials_t credentials;

  fputs (pem, stdout); /* whom the parent is to believe */
  fclose (stdout);
  gnutls_certificate_allocate_credentials (&credentials);
  gnutls_certificate_set_x509_key (credentials, &identity->crt, 1, identity->key);
  prctl (PR_SET_PDEATHSIG, SIGTERM); /* never outlive the parent */
  for (guint i = 0; i < N_STREAMS; i++) {
    int fd = accept (listen_fd, NULL, NULL);
    gnutls_session_t session;
    char data[8];

    gnutls_init (&session, GNUTLS_SERVER);
    gnutls_set_default_priority (session);
    gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int (session, fd); /* a macro that evaluates its argument twice */
    if (gnutls_handshake (session) < 0 || gnutls_record_recv (session, data, sizeof data) != 1 ||
        gnutls_record_send (session, data, 1) != 1)
      g_error ("the server failed");
  }
  pause ();
}

static void
start_more (void)
{
  while (n_started < N_STREAMS && n_started - n_echoed < N_AT_ONCE)
    muster_stream_connect_targets (streams[n_started++], targets, HOST);
}

static void
on_opened (MusterStream *stream, gpointer user_data)
{
  n_opened++;
  muster_stream_send (stream, SETTLE_MESSAGE, 1);
}

static void
on_readable (MusterStream *stream, const guint8 *data, gsize n_bytes, gpointer user_data)
{
  n_echoed++;
  start_more ();
}

static void
on_closed (MusterStream *stream, const GError *error, gpointer user_data)
{
  g_error ("a stream closed: %s", error != NULL ? error->message : "as asked");
}

static const MusterStreamFuncs funcs = {
  .opened = on_opened,
  .readable = on_readable,
  .closed = on_closed,
};

static glong
rss_kb (void)
{
  g_autofree char *text = NULL;
  glong n_pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*d %ld", &n_pages);

  return n_pages * (sysconf (_SC_PAGESIZE) / 1024);
}

static double
cpu_ms (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
         (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* Returns what the server says about its authority. */
static char *
start_server (const char *program, int listen_fd, pid_t *child)
{
  g_autofree char *fd_text = g_strdup_printf ("%d", listen_fd);
  char pem[8192];
  gsize n_bytes = 0;
  gssize n;
  int pipe_fds[2];

  if (pipe (pipe_fds) != 0)
    g_error ("cannot make a pipe");
  *child = fork ();
  if (*child == 0) {
    dup2 (pipe_fds[1], STDOUT_FILENO);
    close (pipe_fds[0]);
    close (pipe_fds[1]);
    execl (program, program, fd_text, NULL);
    _exit (1);
  }

  close (pipe_fds[1]);
  while ((n = read (pipe_fds[0], pem + n_bytes, sizeof pem - 1 - n_bytes)) > 0)
    n_bytes += (gsize) n;
  close (pipe_fds[0]);

  return g_strndup (pem, n_bytes);
}

int
main (int argc, char **argv)
{
  g_autoptr (GSocketAddress) address = NULL;
  g_autofree char *pem = NULL;
  guint16 port;
  int listen_fd;
  pid_t child;
  struct rlimit files = { 4096, 4096 };
  gsize heap;
  glong rss;
  double cpu;
  double heap_kb;

  setrlimit (RLIMIT_NOFILE, &files);
  if (argc == 2) {
    serve (atoi (argv[1]));
    return 0;
  }

  listen_fd = listen_on (&port);
  pem = start_server ("/proc/self/exe", listen_fd, &child);
  close (listen_fd);

  trust = muster_tls_trust_new (MUSTER_TLS_TRUST_NO_SYSTEM, pem, NULL, NULL, NULL);
  address = g_inet_socket_address_new_from_string ("127.0.0.1", port);
  targets = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_target_unref);
  g_ptr_array_add (targets, muster_target_new (address, HOST, MUSTER_TRANSPORT_TLS, 0));

  heap = mallinfo2 ().uordblks;
  rss = rss_kb ();
  cpu = cpu_ms ();
  for (guint i = 0; i < N_STREAMS; i++) {
    streams[i] = muster_stream_new (&funcs, NULL);
    muster_stream_set_trust (streams[i], trust);
  }
  start_more ();
  while (n_echoed < N_STREAMS)
    g_main_context_iteration (NULL, TRUE);

  heap_kb = (double) (mallinfo2 ().uordblks - heap) / 1024 / N_STREAMS;
  printf ("%d idle TLS streams: %.1f kB of heap each, %.1f kB of RSS each, %.2f ms CPU each\n",
          N_STREAMS, heap_kb, (double) (rss_kb () - rss) / N_STREAMS,
          (cpu_ms () - cpu) / N_STREAMS);

  for (guint i = 0; i < N_STREAMS; i++)
    muster_stream_free (streams[i]);
  printf ("%.2f kB of heap each after they were freed\n",
          (double) ((gssize) mallinfo2 ().uordblks - (gssize) heap) / 1024 / N_STREAMS);
  g_ptr_array_unref (targets);
  muster_tls_trust_unref (trust);
  kill (child, SIGTERM);
  waitpid (child, NULL, 0);

  return heap_kb <= MAX_HEAP_KB ? 0 : 1;
}
