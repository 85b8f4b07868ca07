/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* Every name that the daemon, its tools and its users agree on: the bus, its objects and errors, and
 * the environment. data/dbus/ says what stands behind them. */

#define MUSTER_BUS_NAME "org.muster.Muster1"

/* An object is its folder, a slash and its id (of a plugin or protocol: its name). */
#define MUSTER_PATH            "/org/muster/Muster1"
#define MUSTER_PATH_ACCOUNTS   MUSTER_PATH "/Account"
#define MUSTER_PATH_IDENTITIES MUSTER_PATH "/Identity"
#define MUSTER_PATH_PROTOCOLS  MUSTER_PATH "/Protocol"
#define MUSTER_PATH_PLUGINS    MUSTER_PATH "/Plugin"
#define MUSTER_PATH_REQUESTS   MUSTER_PATH "/Request"
#define MUSTER_PATH_INCOMING   MUSTER_PATH "/Incoming"

#define MUSTER_INTERFACE_PREFIX        MUSTER_BUS_NAME "."
#define MUSTER_INTERFACE_MANAGER       MUSTER_INTERFACE_PREFIX "Manager"
#define MUSTER_INTERFACE_IDENTITY      MUSTER_INTERFACE_PREFIX "Identity"
#define MUSTER_INTERFACE_ACCOUNT       MUSTER_INTERFACE_PREFIX "Account"
#define MUSTER_INTERFACE_REGISTRATION  MUSTER_INTERFACE_PREFIX "Registration"
#define MUSTER_INTERFACE_PROTOCOL      MUSTER_INTERFACE_PREFIX "Protocol"
#define MUSTER_INTERFACE_PLUGIN        MUSTER_INTERFACE_PREFIX "Plugin"
#define MUSTER_INTERFACE_REQUEST       MUSTER_INTERFACE_PREFIX "Request"
#define MUSTER_INTERFACE_AGENT         MUSTER_INTERFACE_PREFIX "Agent"
#define MUSTER_INTERFACE_AGENT_MANAGER MUSTER_INTERFACE_PREFIX "AgentManager"
#define MUSTER_INTERFACE_PRESENCE      MUSTER_INTERFACE_PREFIX "Presence"
#define MUSTER_INTERFACE_PUBLICATION   MUSTER_INTERFACE_PREFIX "Publication"
#define MUSTER_INTERFACE_DEBUG         MUSTER_INTERFACE_PREFIX "Debug"
#define MUSTER_INTERFACE_METRICS       MUSTER_INTERFACE_PREFIX "Metrics"
#define MUSTER_INTERFACE_CONTACTS      MUSTER_INTERFACE_PREFIX "Contacts"

#define MUSTER_INTERFACE_INCOMING        MUSTER_INTERFACE_PREFIX "Incoming"
#define MUSTER_INTERFACE_HANDLER_MANAGER MUSTER_INTERFACE_PREFIX "HandlerManager"
#define MUSTER_INTERFACE_MAILBOX         MUSTER_INTERFACE_PREFIX "Mailbox"

/* Answers to callers. What a service answered has the same prefix: see MusterError. */
#define MUSTER_BUS_ERROR_PREFIX           MUSTER_BUS_NAME ".Error."
#define MUSTER_BUS_ERROR_FAILED           MUSTER_BUS_ERROR_PREFIX "Failed"
#define MUSTER_BUS_ERROR_INVALID_ARGUMENT MUSTER_BUS_ERROR_PREFIX "InvalidArgument"
#define MUSTER_BUS_ERROR_NOT_FOUND        MUSTER_BUS_ERROR_PREFIX "NotFound"
#define MUSTER_BUS_ERROR_AMBIGUOUS        MUSTER_BUS_ERROR_PREFIX "Ambiguous"
#define MUSTER_BUS_ERROR_EXISTS           MUSTER_BUS_ERROR_PREFIX "Exists"
#define MUSTER_BUS_ERROR_IN_USE           MUSTER_BUS_ERROR_PREFIX "InUse"
#define MUSTER_BUS_ERROR_TOO_MANY         MUSTER_BUS_ERROR_PREFIX "TooMany"
#define MUSTER_BUS_ERROR_WRONG_STATE      MUSTER_BUS_ERROR_PREFIX "WrongState"
#define MUSTER_BUS_ERROR_DECLINED         MUSTER_BUS_ERROR_PREFIX "Declined"
#define MUSTER_BUS_ERROR_STORE            MUSTER_BUS_ERROR_PREFIX "Store"
#define MUSTER_BUS_ERROR_LOCKED           MUSTER_BUS_ERROR_PREFIX "Locked"
#define MUSTER_BUS_ERROR_UNSUPPORTED      MUSTER_BUS_ERROR_PREFIX "Unsupported"

/* Where systemd puts the credentials of a service; ours is called so. */
#define MUSTER_ENV_CREDENTIALS "CREDENTIALS_DIRECTORY"
#define MUSTER_CREDENTIAL_KEY  "muster-key"

/* For Debug.SetLogging: every domain of ours. */
#define MUSTER_DEBUG_ALL "all"

/* What stands in the way of going on-line, in Manager.Offline and in an account's Reason. */
#define MUSTER_OFFLINE_NO_NETWORK "no-network"
#define MUSTER_OFFLINE_SUSPENDED  "suspended"

/* A list of folders with plugins, ahead of the usual ones. */
#define MUSTER_ENV_PLUGIN_PATH "MUSTER_PLUGIN_PATH"

/* Where `muster plugin new` finds its templates, instead of where they are installed. */
#define MUSTER_ENV_TEMPLATE_PATH "MUSTER_TEMPLATE_PATH"

/* For how many seconds the main loop may stand still before the daemon ends itself, where no service
 * manager watches it; 0: for ever. */
#define MUSTER_ENV_WATCHDOG_S "MUSTER_WATCHDOG_S"
