/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterResolver"

#include "config.h"

#include "muster-resolver-private.h"

#include <muster/muster-hub.h>

/*
 * Who asks what is known already gets the answer at once; who asks what is being asked waits with
 * the others. Everything else goes to four threads of our own, because a silent name server holds
 * each of them for seconds, and GIO's shared threads must not wait for it.
 *
 * All of this is the main thread's; a thread of the pool sees nothing but its question.
 */

#define N_THREADS   4
#define MAX_ENTRIES 1024
#define MIN_TTL_S   5
#define MAX_TTL_S   3600
#define NOTHING_S   10

typedef struct {
  MusterDnsFunc func;
  gpointer user_data;
} Waiter;

typedef struct {
  char *key; /* in cache.entries unless the cache was flushed since it was asked */
  gboolean is_listed;
  GArray *waiters;         /* of Waiter; NULL: answered */
  MusterDnsAnswer *answer; /* NULL: being asked */
  gint64 until_us;
  GList link; /* in cache.answered, the eldest first */
} Entry;

typedef struct {
  MusterDnsType type;
  char *name;
} Question;

static struct {
  GThreadPool *pool;
  GHashTable *entries; /* key -> Entry; owns those that are answered */
  GQueue answered;
  guint n_asked;
} cache;

static void
entry_free (Entry *entry)
{
  g_clear_pointer (&entry->waiters, g_array_unref);
  g_clear_pointer (&entry->answer, muster_dns_answer_unref);
  g_free (entry->key);
  g_free (entry);
}

static void
entry_drop (Entry *entry)
{
  g_hash_table_remove (cache.entries, entry->key);
  g_queue_unlink (&cache.answered, &entry->link);
  entry_free (entry);
}

/* in a thread of the pool */

static void
question_free (Question *question)
{
  g_free (question->name);
  g_free (question);
}

static void
ask_in_thread (gpointer data, gpointer user_data)
{
  g_autoptr (GTask) task = data;
  const Question *question = g_task_get_task_data (task);

  g_task_return_pointer (task, muster_dns_ask (question->type, question->name),
                         (GDestroyNotify) muster_dns_answer_unref);
}

/* back in the main thread */

static gint64
lifetime_us (const MusterDnsAnswer *answer)
{
  switch (answer->outcome) {
  case MUSTER_DNS_FOUND:
    return CLAMP (answer->ttl_s, MIN_TTL_S, MAX_TTL_S) * (gint64) G_USEC_PER_SEC;
  case MUSTER_DNS_NOTHING:
    return NOTHING_S * (gint64) G_USEC_PER_SEC;
  case MUSTER_DNS_FAILED:
    return 0;
  }

  g_return_val_if_reached (0);
}

static void
entry_keep (Entry *entry)
{
  gint64 for_us = lifetime_us (entry->answer);

  if (for_us == 0 || !entry->is_listed) {
    if (entry->is_listed)
      g_hash_table_remove (cache.entries, entry->key);
    entry_free (entry);
    return;
  }

  entry->until_us = muster_clock_now_us () + for_us;
  entry->link.data = entry;
  g_queue_push_tail_link (&cache.answered, &entry->link);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Entry *entry = user_data;
  g_autoptr (MusterDnsAnswer) answer = g_task_propagate_pointer (G_TASK (result), NULL);
  g_autoptr (GArray) waiters = g_steal_pointer (&entry->waiters);

  entry->answer = muster_dns_answer_ref (answer);
  entry_keep (entry); /* before anybody hears of it: they may ask again, or flush */

  for (guint i = 0; i < waiters->len; i++) {
    const Waiter *waiter = &g_array_index (waiters, Waiter, i);

    waiter->func (answer, waiter->user_data);
  }
}

static void
cache_init (void)
{
  if (cache.pool != NULL)
    return;

  cache.pool = g_thread_pool_new (ask_in_thread, NULL, N_THREADS, FALSE, NULL);
  cache.entries = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&cache.answered);
}

static void
entry_ask (Entry *entry, MusterDnsType type, const char *name)
{
  GTask *task = g_task_new (NULL, NULL, on_answered, entry);
  Question *question = g_new (Question, 1);

  question->type = type;
  question->name = g_strdup (name);
  g_task_set_source_tag (task, entry_ask);
  g_task_set_task_data (task, question, (GDestroyNotify) question_free);
  cache.n_asked++;
  g_thread_pool_push (cache.pool, task, NULL);
}

static MusterDnsAnswer *
answer_too_many (void)
{
  MusterDnsAnswer *answer = g_new0 (MusterDnsAnswer, 1);

  g_atomic_ref_count_init (&answer->ref_count);
  answer->records = g_ptr_array_new ();
  answer->outcome = MUSTER_DNS_FAILED;
  answer->reason = g_strdup ("too many names are being looked up");

  return answer;
}

void
muster_dns_cache_ask (MusterDnsType type, const char *name, MusterDnsFunc func, gpointer user_data)
{
  const Waiter waiter = { func, user_data };
  g_autofree char *key = g_strdup_printf ("%d %s", (int) type, name);
  Entry *entry;

  cache_init ();
  entry = g_hash_table_lookup (cache.entries, key);

  if (entry != NULL && entry->answer != NULL) {
    g_autoptr (MusterDnsAnswer) answer = NULL;

    if (entry->until_us > muster_clock_now_us ()) {
      answer = muster_dns_answer_ref (entry->answer);
      func (answer, user_data);
      return;
    }
    entry_drop (entry);
    entry = NULL;
  }

  if (entry == NULL) {
    if (g_hash_table_size (cache.entries) >= MAX_ENTRIES) {
      GList *eldest = g_queue_peek_head_link (&cache.answered);

      if (eldest == NULL) {
        g_autoptr (MusterDnsAnswer) answer = answer_too_many ();

        func (answer, user_data);
        return;
      }
      entry_drop (eldest->data);
    }

    entry = g_new0 (Entry, 1);
    entry->key = g_steal_pointer (&key);
    entry->is_listed = TRUE;
    entry->waiters = g_array_new (FALSE, FALSE, sizeof (Waiter));
    g_hash_table_insert (cache.entries, entry->key, entry);
    entry_ask (entry, type, name);
  }

  g_array_append_val (entry->waiters, waiter);
}

void
muster_resolver_flush (void)
{
  GHashTableIter iter;
  gpointer value;

  cache_init ();
  while (!g_queue_is_empty (&cache.answered))
    entry_drop (g_queue_peek_head (&cache.answered));

  g_hash_table_iter_init (&iter, cache.entries);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    ((Entry *) value)->is_listed = FALSE;
    g_hash_table_iter_remove (&iter);
  }
}

guint
muster_resolver_count_cached (void)
{
  return g_queue_get_length (&cache.answered);
}

guint
muster_resolver_count_asked (void)
{
  return cache.n_asked;
}
