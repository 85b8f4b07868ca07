/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One account on the service that lives in this plugin. */

#pragma once

#include "muster-echo-all-answer.h"
#include "muster-echo-all-control.h"
#include "muster-echo-all-offers.h"
#include "muster-echo-all-roster.h"

#include <muster/muster.h>

G_BEGIN_DECLS

#define MUSTER_TYPE_ECHO_ALL_REGISTRATION (muster_echo_all_registration_get_type ())
G_DECLARE_FINAL_TYPE (MusterEchoAllRegistration,
                      muster_echo_all_registration,
                      MUSTER,
                      ECHO_ALL_REGISTRATION,
                      MusterRegistration)

#define MUSTER_ECHO_ALL_DEVICES_MAX      1000
#define MUSTER_ECHO_ALL_DEVICE_EXPIRES_S 600

struct _MusterEchoAllRegistration {
  MusterRegistration parent_instance;
  GString *log;                  /* what it was asked */
  MusterEchoAllControl *control; /* from the first open to the close; NULL: nobody wants it */
  MusterEchoAllRoster *roster;   /* NULL before it was asked for */
  MusterEchoAllOffers *offers;
  char *verdicts;     /* the script of `n_verified` */
  guint n_verified;   /* how many of its verdicts were given */
  gboolean is_known;  /* the service has us */
  GPtrArray *devices; /* MusterBinding: the bindings that are not ours */
};

/* What all its capabilities share. */

/* Has @func answer a call of @registration with a task of @tag and @data, after the delay. */
void muster_echo_all_registration_answer (gpointer registration,
                                          gpointer tag,
                                          MusterEchoAllAnswerFunc func,
                                          gpointer data,
                                          GDestroyNotify free_data,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);

/* Logs what is asked. TRUE: the parameter @param names an error, and @task has it. */
gboolean muster_echo_all_registration_log_and_fail (MusterEchoAllRegistration *self,
                                                    const char *fact,
                                                    const char *text,
                                                    const char *param,
                                                    GTask *task);

/* The list of the service, with what the account's parameter put there. */
MusterEchoAllRoster *muster_echo_all_registration_ensure_roster (MusterEchoAllRegistration *self);

/* Its capabilities, a file each. */
void muster_echo_all_publisher_init (MusterPublisherInterface *iface);
void muster_echo_all_watcher_init (MusterWatcherInterface *iface);
void muster_echo_all_creator_init (MusterCreatorInterface *iface);
void muster_echo_all_verifier_init (MusterVerifierInterface *iface);
void muster_echo_all_incoming_init (MusterIncomingInterface *iface);
void muster_echo_all_binder_init (MusterBinderInterface *iface);

/* Another device of the account's, of which @device (nullable) is known. FALSE: there are too many. */
gboolean
muster_echo_all_binder_add (MusterEchoAllRegistration *self, const char *uri, const char *device);

G_END_DECLS
