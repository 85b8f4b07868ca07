/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-hub.h>

G_BEGIN_DECLS

/**
 * MusterAdmission:
 *
 * Says when an attempt may go out, so that many accounts neither stampede a service nor this
 * machine. Each remote host has a rate and a number of places; there is one of both for all. An
 * attempt that need not wait is granted inside the request.
 */
typedef struct _MusterAdmission MusterAdmission;

typedef struct _MusterTicket MusterTicket;
typedef struct _MusterAdmissionHost MusterAdmissionHost;

/* The attempt may go out. May request, release and withdraw any ticket, its own included. */
typedef void (*MusterTicketFunc) (MusterTicket *ticket, gpointer user_data);

/**
 * MusterTicket:
 *
 * One attempt's way through admission. Embed it, zeroed, in whoever attempts; it can be used again
 * and again, for one attempt at a time.
 */
struct _MusterTicket {
  /*< private >*/
  int state;
  guint halvings;            /* how often its host had been slowed down when this was granted */
  MusterAdmissionHost *host; /* NULL while idle, and for one without a remote host */
  MusterTicketFunc func;
  gpointer user_data;
  GList link; /* in the queue of its host */
};

MusterAdmission *muster_admission_new (void);
void muster_admission_free (MusterAdmission *self); /* no ticket may be in use */

/* How many accounts there are: it chooses the limits, and bounds the memory. */
void muster_admission_set_accounts (MusterAdmission *self, guint n_accounts);

/* @host: which remote host the attempt goes to; %NULL: none, so that it is granted at once. */
void muster_admission_request (MusterAdmission *self,
                               const char *host,
                               MusterTicket *ticket,
                               MusterTicketFunc func,
                               gpointer user_data);
/* A granted attempt ended. @outcome: its error, %NULL for success. */
void muster_admission_release (MusterAdmission *self, MusterTicket *ticket, const GError *outcome);
/* A waiting one was given up: its function will not be called. */
void muster_admission_withdraw (MusterAdmission *self, MusterTicket *ticket);

gboolean muster_ticket_is_waiting (const MusterTicket *ticket);

/* What is, for people and tests. The rate is that of the default for a host that is not known. */
guint muster_admission_count_hosts (MusterAdmission *self);
guint muster_admission_count_waiting (MusterAdmission *self);
guint muster_admission_count_in_flight (MusterAdmission *self);
/* Calls @func for each host that has something waiting or under way. */
typedef void (*MusterAdmissionHostFunc) (const char *host,
                                         guint n_waiting,
                                         guint n_in_flight,
                                         double rate_per_s,
                                         gpointer user_data);
void muster_admission_foreach_busy_host (MusterAdmission *self,
                                         guint max_hosts,
                                         MusterAdmissionHostFunc func,
                                         gpointer user_data);
double muster_admission_get_rate_per_s (MusterAdmission *self, const char *host);

G_END_DECLS
