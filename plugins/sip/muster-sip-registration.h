/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

#define MUSTER_TYPE_SIP_REGISTRATION (muster_sip_registration_get_type ())
G_DECLARE_FINAL_TYPE (MusterSipRegistration,
                      muster_sip_registration,
                      MUSTER,
                      SIP_REGISTRATION,
                      MusterRegistration)
