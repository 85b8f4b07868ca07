/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-registration.h"
#include "muster-echo-all-script.h"

/* Tells nobody: it says which presences there are, and logs what it is told. */

typedef struct {
  MusterPresence presence;
  char *text;
} Publication;

static void
publication_free (gpointer data)
{
  Publication *publication = data;

  g_free (publication->text);
  g_free (publication);
}

static guint
muster_echo_all_get_supported (MusterPublisher *publisher)
{
  g_autofree char *list = muster_registration_dup_string (MUSTER_REGISTRATION (publisher),
                                                          "supported");
  g_auto (GStrv) words = g_strsplit (list != NULL ? list : "", ",", -1);
  guint supported = 0;

  for (char **word = words; *word != NULL; word++) {
    MusterPresence presence;

    if (muster_echo_all_presence_from_string (*word, &presence))
      supported |= 1u << presence;
  }

  return supported;
}

static void
answer_publish (MusterRegistration *registration, GTask *task)
{
  const Publication *publication = g_task_get_task_data (task);
  const char *word = muster_presence_to_string (publication->presence);
  g_autofree char *fact = g_strconcat ("publish ", word, NULL);

  if (muster_echo_all_registration_log_and_fail (MUSTER_ECHO_ALL_REGISTRATION (registration), fact,
                                                 publication->text, "publish-error", task))
    return;

  if ((muster_echo_all_get_supported (MUSTER_PUBLISHER (registration)) &
       1u << publication->presence) == 0)
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_UNSUPPORTED, MUSTER_STEP_STREAM,
                                                 "the service has no word for %s", word));
  else
    g_task_return_boolean (task, TRUE);
}

static void
muster_echo_all_publish_async (MusterPublisher *self,
                               MusterPresence presence,
                               const char *text,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  Publication *publication = g_new0 (Publication, 1);

  publication->presence = presence;
  publication->text = g_strdup (text);
  muster_echo_all_registration_answer (self, muster_echo_all_publish_async, answer_publish,
                                       publication, publication_free, cancellable, callback,
                                       user_data);
}

static gboolean
muster_echo_all_publish_finish (MusterPublisher *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
muster_echo_all_publisher_init (MusterPublisherInterface *iface)
{
  iface->get_supported = muster_echo_all_get_supported;
  iface->publish_async = muster_echo_all_publish_async;
  iface->publish_finish = muster_echo_all_publish_finish;
}
