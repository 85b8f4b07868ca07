# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# From plugins/echo to the template of a plugin.
s/muster_echo_/muster_@name_@_/g
s/ECHO/@NAME_@/g
s/Echo/@Name@/g
s/echo/@name@/g
