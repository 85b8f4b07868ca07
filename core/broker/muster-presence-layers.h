/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-presence.h>

#include <gio/gio.h>

G_BEGIN_DECLS

#define MUSTER_PRESENCE_LAYERS_MAX       16
#define MUSTER_PRESENCE_NAME_MAX_BYTES   32
#define MUSTER_PRESENCE_TEXT_MAX_BYTES   1024
#define MUSTER_PRESENCE_PRIORITY_MAX     100
#define MUSTER_PRESENCE_PRIORITY_DEFAULT 50

/* What somebody, or something, says of a person: the person, a screen that is idle, a calendar. */
typedef struct {
  char *name; /* of a-z, 0-9 and - */
  MusterPresence presence;
  char *text; /* "" for none */
  guint priority;
  gint64 until_us; /* UTC; 0: for good */
  gboolean kept;   /* survives the daemon; if not, it goes with who set it */
  guint64 number;  /* the later set, the greater; given by who sets it */
} MusterPresenceLayer;

MusterPresenceLayer *muster_presence_layer_copy (const MusterPresenceLayer *self);
void muster_presence_layer_free (MusterPresenceLayer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterPresenceLayer, muster_presence_layer_free)

/**
 * MusterPresenceLayers:
 *
 * The layers of one identity. The highest priority that has not expired is what shows, among equals
 * the one set last. Knows no clock: who asks says what time it is.
 */
typedef struct _MusterPresenceLayers MusterPresenceLayers;

MusterPresenceLayers *muster_presence_layers_new (void);
void muster_presence_layers_free (MusterPresenceLayers *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterPresenceLayers, muster_presence_layers_free)

guint muster_presence_layers_count (MusterPresenceLayers *self);
/* Returns (transfer none): the one with the @n-th name, until the next change */
const MusterPresenceLayer *muster_presence_layers_get (MusterPresenceLayers *self, guint n);
const MusterPresenceLayer *
muster_presence_layers_find (MusterPresenceLayers *self, const char *name);

/* Whether one of that name could be set: it is there, or there is room. */
gboolean muster_presence_layers_has_room (MusterPresenceLayers *self, const char *name);
/* Replaces the one of that name. */
void muster_presence_layers_set (MusterPresenceLayers *self, const MusterPresenceLayer *layer);
/* @number 0: whichever; else only the one that was set so. */
gboolean
muster_presence_layers_remove (MusterPresenceLayers *self, const char *name, guint64 number);
/* Returns (transfer full) (nullable): one that has expired and is now gone; %NULL: no (more). */
MusterPresenceLayer *muster_presence_layers_expire (MusterPresenceLayers *self, gint64 now_us);

/* Returns (transfer none) (nullable): what shows */
const MusterPresenceLayer *
muster_presence_layers_get_effective (MusterPresenceLayers *self, gint64 now_us);
/* When the next one expires, 0: none will. */
gint64 muster_presence_layers_get_next_us (MusterPresenceLayers *self);

/* The words of people. The errors are %G_IO_ERROR_INVALID_ARGUMENT, and name what is wrong. */
gboolean muster_presence_from_string (const char *text, MusterPresence *presence);
gboolean muster_presence_check_name (const char *name, GError **error);
gboolean muster_presence_check_text (const char *text, GError **error);
gboolean muster_presence_check_priority (guint priority, GError **error);

G_END_DECLS
