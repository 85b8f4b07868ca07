/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A unix datagram socket that only its owner may write to: a command each, answered to whoever sent it
 * from a socket with a name. */

#pragma once

#include <muster/muster.h>

G_BEGIN_DECLS

typedef struct _MusterEchoAllControl MusterEchoAllControl;

/* Does what @command says. Returns (transfer full): what to answer. */
typedef char *(*MusterEchoAllControlFunc) (gpointer owner, const char *command);

/* @owner is lent, and kept while @func runs. A socket that an earlier run left at @path is replaced. */
MusterEchoAllControl *muster_echo_all_control_new (const char *path,
                                                   GObject *owner,
                                                   MusterEchoAllControlFunc func,
                                                   GError **error);
void muster_echo_all_control_free (MusterEchoAllControl *self);
const char *muster_echo_all_control_get_path (MusterEchoAllControl *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterEchoAllControl, muster_echo_all_control_free)

G_END_DECLS
