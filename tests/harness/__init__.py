# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real components on loopback: what integration tests, interop tests and tools/demo share."""
