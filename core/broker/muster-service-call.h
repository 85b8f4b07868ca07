/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For muster-broker*.c alone. */

#pragma once

#include "muster-broker-private.h"

G_BEGIN_DECLS

/* Less than callers on the bus wait. */
#define MUSTER_SERVICE_CALL_S 20

/**
 * MusterServiceCall:
 *
 * What somebody waits for that the service of an account answers, through its plugin: see
 * muster-service-call.c. It is the first field of what else the call needs.
 */
typedef struct {
  MusterBroker *broker; /* NULL: it is gone */
  MusterAccount *account;
  GCancellable *cancellable; /* for the plugin */
  GTask *task;               /* NULL: it has been answered, or nobody waits */
  MusterTimer deadline;
  guint patience_s;
  gboolean is_late; /* it has lasted longer */
  MusterStep step;  /* of a service that does not answer */
  GList link;       /* in the broker's, until the plugin has ended it */
} MusterServiceCall;

/* Takes @task, which may be %NULL and is answered with a pointer. */
void muster_service_call_begin (MusterServiceCall *self,
                                MusterBroker *broker,
                                MusterAccount *account,
                                GTask *task,
                                guint patience_s,
                                MusterStep step);
void muster_service_call_end (MusterServiceCall *self); /* the plugin has ended it */

/* @answer is taken. Who was answered already hears nothing. */
void
muster_service_call_answer (MusterServiceCall *self, gpointer answer, GDestroyNotify free_answer);

/* Takes @error of a plugin. What it is to people: %MUSTER_ERROR, or %MUSTER_BROKER_ERROR. */
GError *muster_service_call_explain (MusterServiceCall *self, GError *error);
void muster_service_call_fail (MusterServiceCall *self, GError *error); /* explains it */

/* Whether an account's service can be asked now; if not, @consequence follows from it. */
gboolean
muster_service_call_check (MusterAccount *account, const char *consequence, GError **error);

G_END_DECLS
