/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCrash"

#include "config.h"

#include "muster-crash-record.h"

#include "muster-execution-private.h"

#include <muster/muster-hub.h>

#include <gio/gio.h>

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

/*
 * A file that is mapped for as long as the process lives, so that what it held at the end can be read
 * by the next one:
 *
 *    every call into a plugin ──> mark         (one store, muster-execution.h)
 *    a fatal signal           ──> signal, time, where it struck
 *    the next start           <── whose code was that? ──> crashes of each plugin, who is suspended
 *
 * The handler records, and leaves judging to the next start. SIGTERM and SIGKILL run no handler, so
 * they leave no signal behind and never count.
 *
 * Whom to blame: the plugin whose file was being opened; else the one whose function is marked; else,
 * since GLib calls back into plugins without us, the innermost caller of what struck that is either a
 * plugin's or the daemon's own code. Libraries in between are passed over: it is their callers who
 * use them wrongly. Where nothing is found, nobody is blamed.
 *
 * The callers come from the unwinder. It takes no lock and no memory once it is loaded, for which it is
 * called at the beginning, but it reads a stack that may be damaged. That is why the signal is noted
 * first: if it faults, the kernel ends the process at once, since the signal is blocked; if it does not
 * come back, the alarm ends it. Either way only the callers are missing.
 */

#define MAGIC          "MusterC1"
#define N_PLUGINS      257 /* what the registry loads, and the daemon itself */
#define N_HISTORIES    64
#define N_CALLERS      48
#define NAME_SIZE      40
#define AGAIN_US       (10 * 60 * G_USEC_PER_SEC)
#define UNWIND_S       2
#define HANDLER_STACK  (64 * 1024)
#define HANDLER_FRAMES 8  /* of ours, and the kernel's, on top of what struck */
#define OURSELVES      "" /* the name of the daemon's own code */

/* All of the file is of fixed-width integers: programs of another version, or damage, are told by the
 * magic, and counts and names are checked before they are used. */

typedef struct {
  char name[NAME_SIZE];
  guint64 start;
  guint64 end;
} Plugin;

typedef struct {
  char name[NAME_SIZE]; /* "": free */
  gint64 last_us;
  gint32 signal; /* of the last */
  guint8 hung;
  guint8 loading; /* it crashed while its file was being opened */
  guint8 suspended;
  guint8 unused;
} History;

typedef struct {
  char magic[8];
  volatile guint64 mark;
  char loading[NAME_SIZE];

  gint32 signal; /* 0: none; set once */
  gint32 hung;
  gint32 elsewhere; /* it did not strike the main thread */
  guint32 n_callers;
  gint64 time_us;
  guint64 callers[N_CALLERS]; /* where it struck, then who called that */

  guint32 n_plugins;
  guint32 unused;
  Plugin plugins[N_PLUGINS];
  History histories[N_HISTORIES];
} Page;

static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT };

static struct {
  Page *page; /* NULL: not open */
  pid_t main_thread;
  MusterCrash last; /* signal NULL: none */
  char last_plugin[NAME_SIZE];
  char last_signal[16];
  struct sigaction old[G_N_ELEMENTS (signals)];
} record;

static char handler_stack[HANDLER_STACK];

/* in the signal handler: only what is safe there */

static guint64
struck_at (const ucontext_t *context)
{
#if defined(__x86_64__)
  return (guint64) context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return context->uc_mcontext.pc;
#else
  return 0;
#endif
}

static void
note_callers (Page *page, guint64 at)
{
  void *addresses[N_CALLERS + HANDLER_FRAMES];
  int n_addresses;
  int first = 0;

  page->callers[0] = at;
  page->n_callers = 1;

  n_addresses = backtrace (addresses, G_N_ELEMENTS (addresses));
  while (first < n_addresses && (guint64) (gsize) addresses[first] != at)
    first++;

  for (int i = first + 1; i < n_addresses && page->n_callers < N_CALLERS; i++)
    page->callers[page->n_callers++] = (guint64) (gsize) addresses[i];
}

static void
on_fatal_signal (int number, siginfo_t *info, void *context)
{
  Page *page = record.page;

  if (page != NULL && __sync_bool_compare_and_swap (&page->signal, 0, number)) {
    page->time_us = muster_clock_wall_us ();
    page->elsewhere = gettid () != record.main_thread;
    /* Nobody but a watchdog sends this one from outside. */
    if (number == SIGABRT && info->si_code == SI_USER && info->si_pid != getpid ())
      page->hung = 1;

    signal (SIGALRM, SIG_DFL);
    alarm (UNWIND_S);
    note_callers (page, struck_at (context));
  }

  /* It is blocked here: it comes back, and ends us, when the handler returns. */
  signal (number, SIG_DFL);
  raise (number);
}

static void
install_handlers (void)
{
  const stack_t stack = { .ss_sp = handler_stack, .ss_size = sizeof handler_stack };
  struct sigaction action = { .sa_sigaction = on_fatal_signal,
                              .sa_flags = SA_SIGINFO | SA_ONSTACK };
  void *address;

  backtrace (&address, 1); /* loads the unwinder */
  sigaltstack (&stack, NULL);
  sigfillset (&action.sa_mask);
  sigdelset (&action.sa_mask, SIGALRM);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    sigaction (signals[i], &action, &record.old[i]);
}

/* judging the last run */

/* As a plugin can be called: it goes out over D-Bus. */
static gboolean
name_is_sound (const char *name)
{
  return memchr (name, '\0', NAME_SIZE) != NULL &&
         strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen (name);
}

static gboolean
page_is_sound (const Page *page)
{
  if (memcmp (page->magic, MAGIC, sizeof page->magic) != 0 || page->n_plugins > N_PLUGINS ||
      page->n_callers > N_CALLERS || page->time_us < 0 || !name_is_sound (page->loading))
    return FALSE;

  for (guint i = 0; i < page->n_plugins; i++) {
    if (!name_is_sound (page->plugins[i].name))
      return FALSE;
  }
  for (guint i = 0; i < N_HISTORIES; i++) {
    if (page->histories[i].last_us < 0 || !name_is_sound (page->histories[i].name))
      return FALSE;
  }

  return TRUE;
}

/* Returns: whose code @address is; %NULL if neither a plugin's nor ours. */
static const char *
owner_of (const Page *page, guint64 address)
{
  for (guint i = 0; i < page->n_plugins; i++) {
    if (address >= page->plugins[i].start && address < page->plugins[i].end)
      return page->plugins[i].name;
  }

  return NULL;
}

/* Returns: the plugin to blame, or OURSELVES */
static const char *
find_culprit (const Page *page)
{
  const char *owner;

  if (page->elsewhere == 0 || page->hung != 0) { /* the marks are the main thread's */
    if (*page->loading != '\0')
      return page->loading;
    owner = owner_of (page, page->mark);
    if (owner != NULL && *owner != '\0')
      return owner;
  }
  if (page->elsewhere != 0 && page->hung != 0) /* these are the watchdog's own callers */
    return OURSELVES;

  for (guint i = 0; i < page->n_callers; i++) {
    /* A return address may stand behind the end of its function. */
    owner = owner_of (page, page->callers[i] - (i > 0 ? 1 : 0));
    if (owner != NULL)
      return owner;
  }

  return OURSELVES;
}

static History *
find_history (const char *plugin)
{
  for (guint i = 0; i < N_HISTORIES; i++) {
    if (g_str_equal (record.page->histories[i].name, plugin))
      return &record.page->histories[i];
  }

  return NULL;
}

/* Where all are taken, the oldest of those that have no consequence goes. */
static History *
make_history (const char *plugin)
{
  History *history = find_history (plugin);
  History *oldest = NULL;

  if (history == NULL)
    history = find_history ("");

  for (guint i = 0; history == NULL && i < N_HISTORIES; i++) {
    History *other = &record.page->histories[i];

    if (!other->suspended && (oldest == NULL || other->last_us < oldest->last_us))
      oldest = other;
  }
  if (history == NULL)
    history = oldest;
  if (history == NULL || g_str_equal (history->name, plugin))
    return history;

  memset (history, 0, sizeof *history);
  g_strlcpy (history->name, plugin, NAME_SIZE);

  return history;
}

static void
set_signal_name (int number)
{
  const char *name = sigabbrev_np (number);

  if (name != NULL)
    g_snprintf (record.last_signal, sizeof record.last_signal, "SIG%s", name);
  else
    g_snprintf (record.last_signal, sizeof record.last_signal, "signal %d", number);
}

static void
count_crash (Page *page)
{
  History *history = make_history (record.last_plugin);
  gboolean again;

  if (history == NULL) {
    g_warning ("more plugins are suspended than are remembered, ignoring the crash of %s",
               record.last_plugin);
    return;
  }

  /* The wall clock may have been set back between the two. */
  again = history->last_us != 0 && ABS (page->time_us - history->last_us) <= AGAIN_US;
  history->last_us = page->time_us;
  history->signal = page->signal;
  history->hung = page->hung != 0;
  history->loading = *page->loading != '\0';
  history->suspended |= again ? 1 : 0; /* or its file was still opened, to say what it is */
  record.last.suspended = history->suspended != 0;
}

static void
judge (Page *page)
{
  record.last = (MusterCrash){ 0 };
  if (page->signal == 0)
    return;

  g_strlcpy (record.last_plugin, find_culprit (page), sizeof record.last_plugin);
  set_signal_name (page->signal);
  record.last.signal = record.last_signal;
  record.last.hung = page->hung != 0;
  record.last.time_us = page->time_us;
  if (*record.last_plugin != '\0') {
    record.last.plugin = record.last_plugin;
    count_crash (page);
  }

  g_message ("the last run %s (%s)%s%s", record.last.hung ? "stood still" : "crashed",
             record.last_signal, record.last.plugin != NULL ? " in plugin " : "",
             record.last_plugin);
}

/* life */

static gboolean
fail (int fd, const char *path, const char *what, int number, GError **error)
{
  if (fd >= 0)
    close (fd);
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (number), "%s cannot be %s: %s", path, what,
               g_strerror (number));

  return FALSE;
}

gboolean
muster_crash_record_open (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  Page *page;
  int fd, status;

  g_return_val_if_fail (record.page == NULL, FALSE);

  if (g_mkdir_with_parents (folder, 0700) != 0)
    return fail (-1, folder, "made", errno, error);
  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail (-1, path, "opened", errno, error);
  /* With room for all of it: a page that the disk has no room for would end us by SIGBUS. */
  status = posix_fallocate (fd, 0, sizeof *page);
  if (status != 0)
    return fail (fd, path, "written", status, error);

  page = mmap (NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED)
    return fail (fd, path, "mapped", errno, error);
  close (fd);

  record.page = page;
  record.last = (MusterCrash){ 0 };
  if (page_is_sound (page)) {
    judge (page);
  } else {
    if (page->magic[0] != '\0') /* a new one is empty */
      g_warning ("%s is not one of ours, ignoring what it says", path);
    memset (page, 0, sizeof *page);
    memcpy (page->magic, MAGIC, sizeof page->magic);
  }
  page->mark = 0;
  memset (page->loading, 0, offsetof (Page, histories) - offsetof (Page, loading));

  record.main_thread = gettid ();
  muster_crash_record_add_plugin (OURSELVES, (gconstpointer) muster_crash_record_open);
  install_handlers ();
  muster_execution_set_slot (&page->mark);

  return TRUE;
}

void
muster_crash_record_close (void)
{
  if (record.page == NULL)
    return;

  muster_execution_set_slot (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    sigaction (signals[i], &record.old[i], NULL);
  munmap (g_steal_pointer (&record.page), sizeof (Page));
}

const MusterCrash *
muster_crash_record_get_last (void)
{
  return record.last.signal != NULL ? &record.last : NULL;
}

/* plugins */

char *
muster_crash_record_dup_reason (const char *plugin, gboolean *unloadable)
{
  const History *history = record.page != NULL && *plugin != '\0' ? find_history (plugin) : NULL;
  g_autoptr (GDateTime) at = NULL;
  g_autofree char *when = NULL;
  const char *name;

  *unloadable = FALSE;
  if (history == NULL || !history->suspended)
    return NULL;

  *unloadable = history->loading != 0;
  at = g_date_time_new_from_unix_utc (history->last_us / G_USEC_PER_SEC);
  when = at != NULL ? g_date_time_format (at, "%Y-%m-%dT%H:%M:%SZ") : NULL;
  name = sigabbrev_np (history->signal);

  return g_strdup_printf ("it brought the daemon down twice within 10 minutes, last at %s: it %s "
                          "(SIG%s); resume it with: muster plugin resume %s",
                          when != NULL ? when : "an unknown time",
                          history->hung ? "did not come back" : "crashed",
                          name != NULL ? name : "?", plugin);
}

void
muster_crash_record_forgive (const char *plugin)
{
  History *history = record.page != NULL && *plugin != '\0' ? find_history (plugin) : NULL;

  if (history != NULL)
    memset (history, 0, sizeof *history);
}

void
muster_crash_record_set_loading (const char *plugin)
{
  if (record.page != NULL)
    g_strlcpy (record.page->loading, plugin != NULL ? plugin : "", NAME_SIZE);
}

typedef struct {
  guint64 address;
  guint64 start;
  guint64 end;
} Search;

static int
on_object (struct dl_phdr_info *info, size_t size, void *user_data)
{
  Search *search = user_data;
  guint64 start = G_MAXUINT64;
  guint64 end = 0;
  gboolean found = FALSE;

  for (guint i = 0; i < info->dlpi_phnum; i++) {
    const ElfW (Phdr) *segment = &info->dlpi_phdr[i];
    guint64 from = info->dlpi_addr + segment->p_vaddr;

    if (segment->p_type != PT_LOAD)
      continue;
    if (search->address >= from && search->address - from < segment->p_memsz)
      found = TRUE;
    if ((segment->p_flags & PF_X) == 0)
      continue;
    start = MIN (start, from);
    end = MAX (end, from + segment->p_memsz);
  }
  if (!found || end == 0)
    return 0;

  search->start = start;
  search->end = end;
  return 1;
}

void
muster_crash_record_add_plugin (const char *plugin, gconstpointer address)
{
  Search search = { .address = (guint64) (gsize) address };
  Page *page = record.page;

  if (page == NULL || page->n_plugins == N_PLUGINS || !dl_iterate_phdr (on_object, &search))
    return;

  page->plugins[page->n_plugins].start = search.start;
  page->plugins[page->n_plugins].end = search.end;
  g_strlcpy (page->plugins[page->n_plugins].name, plugin, NAME_SIZE);
  page->n_plugins++;
}

void
muster_crash_record_set_hung (void)
{
  if (record.page != NULL)
    record.page->hung = 1;
}
