/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How the service answers: not at once, and not if the call was cancelled meanwhile. */

#pragma once

#include <muster/muster.h>

G_BEGIN_DECLS

/* Does what was asked, and returns it to @task. */
typedef void (*MusterEchoAllAnswerFunc) (MusterRegistration *registration, GTask *task);

/* Takes @task, which is of the registration. */
void muster_echo_all_answer_later (GTask *task, guint delay_ms, MusterEchoAllAnswerFunc func);

G_END_DECLS
