/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* All values of a header of the message @text, joined; %NULL if there is none. Our client writes long names,
 * one each line. */
char *sip_text_dup_header (const char *text, const char *name, const char *separator);
