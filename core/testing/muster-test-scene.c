/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTest"

#include "config.h"

#include "muster-test-scene.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Runs a step in a child process, which tells the parent by a pipe what it found. What it did last
 * stands in a page that both share: it is all that is left of a child that crashed.
 *
 * Critical messages are faults, and do not end the child even where G_DEBUG says so: the report
 * names them all.
 */

#define PLACE_MAX_BYTES 256
#define DEADLINE_MS     (30 * 1000)
#define DEADLINE_IO_MS  (300 * 1000)
#define FAULTS_MAX      20

/* If this process runs under a leak sanitizer: its answer is 0 if nothing leaked. */
extern int __lsan_do_recoverable_leak_check (void) __attribute__ ((weak));

/* the scene */

static void
add_fault (MusterTestScene *self, char *fault)
{
  if (self->faults->len >= FAULTS_MAX ||
      g_ptr_array_find_with_equal_func (self->faults, fault, g_str_equal, NULL))
    g_free (fault);
  else
    g_ptr_array_add (self->faults, fault);
}

void
muster_test_scene_fault (MusterTestScene *self, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  add_fault (self, g_strdup_vprintf (format, args));
  va_end (args);
}

void
muster_test_scene_note (MusterTestScene *self, const char *format, ...)
{
  va_list args;

  g_free (self->note);
  va_start (args, format);
  self->note = g_strdup_vprintf (format, args);
  va_end (args);
}

void
muster_test_scene_at (MusterTestScene *self, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_vsnprintf (self->place, PLACE_MAX_BYTES, format, args);
  va_end (args);
}

gboolean
muster_test_scene_is_broken (const MusterTestScene *self)
{
  return self->faults->len > 0 || self->usage != NULL;
}

/* the child */

static GMutex log_lock;

static void
on_log (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  MusterTestScene *scene = user_data;

  /* The SDK warns of what a plugin did wrong and it could mend. */
  if ((level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)) != 0 ||
      ((level & G_LOG_LEVEL_WARNING) != 0 && g_strcmp0 (domain, "Muster") == 0)) {
    g_mutex_lock (&log_lock);
    muster_test_scene_fault (scene, "%s logged \"%s\" %s", domain != NULL ? domain : "it", message,
                             scene->place);
    if ((level & G_LOG_LEVEL_ERROR) != 0) /* the end: no pipe will tell it */
      muster_test_scene_at (scene, "(%s)", message);
    g_mutex_unlock (&log_lock);
    return;
  }

  g_log_default_handler (domain, level, message, NULL);
}

static gboolean
write_all (int fd, const char *bytes, gsize n_bytes)
{
  while (n_bytes > 0) {
    gssize n = write (fd, bytes, n_bytes);

    if (n < 0 && errno != EINTR)
      return FALSE;
    if (n > 0) {
      bytes += n;
      n_bytes -= (gsize) n;
    }
  }

  return TRUE;
}

static const char *
or_empty (const char *text)
{
  return text != NULL ? text : "";
}

static G_NORETURN void
child_play (MusterTestBench *bench, MusterTestSceneFunc func, char *place, int fd)
{
  MusterTestScene scene = { .bench = bench, .place = place, .note = g_strdup ("") };
  g_autoptr (GVariant) result = NULL;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  setrlimit (RLIMIT_CORE, &(struct rlimit){ 0, 0 });
  scene.faults = g_ptr_array_new_with_free_func (g_free);
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log_set_default_handler (on_log, &scene);

  func (&scene);
  if (&__lsan_do_recoverable_leak_check != NULL && !muster_test_scene_is_broken (&scene) &&
      __lsan_do_recoverable_leak_check () != 0)
    muster_test_scene_fault (&scene, "it leaked memory: see what the sanitizer wrote");

  g_ptr_array_add (scene.faults, NULL);
  result = g_variant_ref_sink (g_variant_new ("(^asssss)", (char **) scene.faults->pdata,
                                              scene.note, or_empty (scene.usage),
                                              bench->kind != NULL ? bench->kind->protocol->id : "",
                                              or_empty (bench->address)));
  write_all (fd, g_variant_get_data (result), g_variant_get_size (result));
  fflush (stderr);
  _exit (0);
}

/* the parent */

static int
deadline_ms (const MusterTestBench *bench)
{
  if (bench->deadline_ms != 0)
    return (int) bench->deadline_ms;

  return bench->idle_ms > 0 ? DEADLINE_IO_MS : DEADLINE_MS;
}

/* Returns: %FALSE if the child was silent for too long */
static gboolean
read_all (int fd, int timeout_ms, GByteArray *bytes)
{
  guint8 buffer[4096];

  for (;;) {
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    int n_ready = poll (&poll_fd, 1, timeout_ms);
    gssize n;

    if (n_ready == 0)
      return FALSE;
    if (n_ready < 0 && errno == EINTR)
      continue;
    n = read (fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return TRUE;
    g_byte_array_append (bytes, buffer, (guint) n);
  }
}

static void
outcome_take_fault (MusterTestOutcome *out, char *fault)
{
  g_strfreev (out->faults);
  out->faults = g_new0 (char *, 2);
  out->faults[0] = fault;
}

static gboolean
outcome_parse (MusterTestOutcome *out, GByteArray *bytes)
{
  g_autoptr (GVariant) result = NULL;

  if (bytes->len == 0)
    return FALSE;

  result = g_variant_new_from_data (G_VARIANT_TYPE ("(asssss)"), bytes->data, bytes->len, FALSE,
                                    NULL, NULL);
  g_variant_ref_sink (result);
  g_variant_get (result, "(^asssss)", &out->faults, &out->note, &out->usage, &out->protocol,
                 &out->address);
  if (*out->usage == '\0')
    g_clear_pointer (&out->usage, g_free);

  return TRUE;
}

void
muster_test_scene_play (MusterTestBench *bench, MusterTestSceneFunc func, MusterTestOutcome *out)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  char *place = mmap (NULL, PLACE_MAX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                      0);
  gboolean in_time;
  int ends[2];
  int status = 0;
  pid_t child;

  *out = (MusterTestOutcome){ NULL };
  if (place == MAP_FAILED || pipe2 (ends, O_CLOEXEC) != 0)
    g_error ("cannot talk to a child: %s", g_strerror (errno));

  /* The child must not write again what waits in our buffers. */
  fflush (NULL);
  child = fork ();
  if (child < 0)
    g_error ("cannot make a child: %s", g_strerror (errno));
  if (child == 0)
    child_play (bench, func, place, ends[1]);

  close (ends[1]);
  in_time = read_all (ends[0], deadline_ms (bench), bytes);
  close (ends[0]);
  if (!in_time)
    kill (child, SIGKILL);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    continue;

  if (!in_time)
    outcome_take_fault (out, g_strdup_printf ("it blocked the main loop %s", place));
  else if (WIFSIGNALED (status))
    outcome_take_fault (out, g_strdup_printf ("it crashed (%s) %s", strsignal (WTERMSIG (status)),
                                              place));
  else if (!outcome_parse (out, bytes))
    outcome_take_fault (out, g_strdup_printf ("it ended the process, with status %d, %s",
                                              WEXITSTATUS (status), place));

  munmap (place, PLACE_MAX_BYTES);
}

void
muster_test_outcome_clear (MusterTestOutcome *self)
{
  g_clear_pointer (&self->faults, g_strfreev);
  g_clear_pointer (&self->note, g_free);
  g_clear_pointer (&self->usage, g_free);
  g_clear_pointer (&self->protocol, g_free);
  g_clear_pointer (&self->address, g_free);
}
