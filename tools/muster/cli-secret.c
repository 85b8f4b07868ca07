/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-secret.h"

#include "cli-error.h"
#include "cli-text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Secrets on their way from the user to the daemon. The buffer is wiped on every way out. */

#define MAX_BYTES (64 * 1024)

#define KEY_INTERRUPT 3
#define KEY_END       4
#define KEY_BACKSPACE 8
#define KEY_KILL      21
#define KEY_DELETE    127

typedef struct {
  gsize n_bytes;
  char bytes[MAX_BYTES + 2]; /* room for the newline, and to see that there is more */
} Buffer;

static void
buffer_free (Buffer *self)
{
  explicit_bzero (self, sizeof *self);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Buffer, buffer_free)

gsize
cli_secret_trim (const char *bytes, gsize n_bytes)
{
  return n_bytes > 0 && bytes[n_bytes - 1] == '\n' ? n_bytes - 1 : n_bytes;
}

static int
buffer_to_pipe (Buffer *self, const char *name, GError **error)
{
  gsize n_bytes = cli_secret_trim (self->bytes, self->n_bytes);
  int ends[2];
  gssize n_written;

  if (n_bytes == 0) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "the secret '%s' is empty", name);
    return -1;
  }
  if (n_bytes > MAX_BYTES) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "the secret '%s' is longer than 64 kB", name);
    return -1;
  }

  /* A pipe holds 64 kB unless somebody has very many; then the write is short instead of stuck. */
  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) < 0) {
    g_set_error (error, CLI_ERROR, CLI_FAILED, "cannot make a pipe: %s", g_strerror (errno));
    return -1;
  }
  n_written = write (ends[1], self->bytes, n_bytes);
  close (ends[1]);
  if (n_written < 0 || (gsize) n_written != n_bytes) {
    close (ends[0]);
    g_set_error (error, CLI_ERROR, CLI_FAILED, "the secret '%s' does not fit into a pipe", name);
    return -1;
  }

  return ends[0];
}

int
cli_secret_from_fd (int fd, const char *name, GError **error)
{
  g_autoptr (Buffer) buffer = g_new0 (Buffer, 1);

  while (buffer->n_bytes < sizeof buffer->bytes) {
    gssize n = read (fd, buffer->bytes + buffer->n_bytes, sizeof buffer->bytes - buffer->n_bytes);

    if (n == 0)
      break;
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      g_set_error (error, CLI_ERROR, CLI_USAGE,
                   "cannot read the secret '%s' from descriptor %d: %s", name, fd,
                   g_strerror (errno));
      return -1;
    }
    buffer->n_bytes += (gsize) n;
  }

  return buffer_to_pipe (buffer, name, error);
}

gboolean
cli_secret_can_ask (void)
{
  return isatty (STDIN_FILENO) && isatty (STDERR_FILENO);
}

/* The terminal as it was, for the way out through a signal. */
static struct termios terminal_before;

static void
on_deadly_signal (int number)
{
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &terminal_before);
  signal (number, SIG_DFL);
  raise (number);
}

static void
erase_character (Buffer *buffer)
{
  /* UTF-8: continuation bytes go with what they continue. */
  while (buffer->n_bytes > 0 && (buffer->bytes[buffer->n_bytes - 1] & 0xc0) == 0x80)
    buffer->bytes[--buffer->n_bytes] = '\0';
  if (buffer->n_bytes > 0)
    buffer->bytes[--buffer->n_bytes] = '\0';
}

/* Reads keys until the line ends. Returns: FALSE if the user wants to stop. */
static gboolean
read_keys (Buffer *buffer)
{
  for (;;) {
    char key;
    gssize n = read (STDIN_FILENO, &key, 1);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0 || key == '\n' || key == '\r' || key == KEY_END)
      return TRUE;
    if (key == KEY_INTERRUPT)
      return FALSE;
    if (key == KEY_DELETE || key == KEY_BACKSPACE)
      erase_character (buffer);
    else if (key == KEY_KILL)
      buffer->n_bytes = 0;
    else if (buffer->n_bytes < sizeof buffer->bytes)
      buffer->bytes[buffer->n_bytes++] = key;
  }
}

int
cli_secret_from_terminal (const char *prompt, const char *name, gboolean optional, GError **error)
{
  static const int deadly[] = { SIGHUP, SIGTERM, SIGQUIT };
  g_autoptr (Buffer) buffer = g_new0 (Buffer, 1);
  g_autofree char *safe_prompt = cli_text_escape (prompt);
  struct termios silent;
  gboolean go_on;

  if (tcgetattr (STDIN_FILENO, &terminal_before) < 0) {
    g_set_error (error, CLI_ERROR, CLI_FAILED, "cannot ask for the secret '%s': %s", name,
                 g_strerror (errno));
    return -1;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (deadly); i++)
    signal (deadly[i], on_deadly_signal);

  silent = terminal_before;
  silent.c_lflag &= ~(tcflag_t) (ECHO | ECHONL | ICANON | ISIG);
  silent.c_cc[VMIN] = 1;
  silent.c_cc[VTIME] = 0;
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &silent);
  fprintf (stderr, "%s: ", safe_prompt);
  fflush (stderr);

  go_on = read_keys (buffer);

  fputc ('\n', stderr);
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &terminal_before);
  for (gsize i = 0; i < G_N_ELEMENTS (deadly); i++)
    signal (deadly[i], SIG_DFL);
  if (!go_on) {
    explicit_bzero (buffer, sizeof *buffer);
    raise (SIGINT);
    return -1;
  }
  if (optional && buffer->n_bytes == 0)
    return -1;

  return buffer_to_pipe (buffer, name, error);
}

gboolean
cli_secret_parse_fd (const char *text, int *fd, GError **error)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT, &value, NULL) || value == 1 ||
      value == 2) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "'%s' is not a descriptor to read from", text);
    return FALSE;
  }
  if (fcntl ((int) value, F_GETFD) < 0) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "descriptor %s is not open", text);
    return FALSE;
  }
  *fd = (int) value;

  return TRUE;
}
