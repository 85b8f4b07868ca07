/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterResolver"

#include "config.h"

#include "muster-resolver-private.h"

/* In which order the records of an answer are tried. Pure, but for the random numbers it is given. */

static gint
compare_srv (gconstpointer a, gconstpointer b)
{
  const MusterDnsRecord *left = *(MusterDnsRecord *const *) a;
  const MusterDnsRecord *right = *(MusterDnsRecord *const *) b;

  if (left->priority != right->priority)
    return left->priority < right->priority ? -1 : 1;

  /* Those of weight 0 go first, so that they are chosen only when the draw is 0. */
  return (left->weight != 0) - (right->weight != 0);
}

static void
move_to (GPtrArray *records, guint from, guint to)
{
  gpointer record = records->pdata[from];

  for (guint i = from; i > to; i--)
    records->pdata[i] = records->pdata[i - 1];
  records->pdata[to] = record;
}

/* RFC 2782, "Weight": draw from the running sum, take, and go on with what is left. */
static void
order_equals (GPtrArray *records, guint first, guint end, MusterRandom random)
{
  for (guint next = first; next + 1 < end; next++) {
    guint32 sum = 0;
    guint32 drawn;
    guint chosen = next;

    for (guint i = next; i < end; i++)
      sum += ((MusterDnsRecord *) records->pdata[i])->weight;

    drawn = random (sum);
    for (sum = 0; chosen < end; chosen++) {
      sum += ((MusterDnsRecord *) records->pdata[chosen])->weight;
      if (sum >= drawn)
        break;
    }
    move_to (records, MIN (chosen, end - 1), next);
  }
}

void
muster_dns_order_srv (GPtrArray *records, MusterRandom random)
{
  guint first = 0;

  g_ptr_array_sort (records, compare_srv);

  while (first < records->len) {
    guint16 priority = ((MusterDnsRecord *) records->pdata[first])->priority;
    guint end = first + 1;

    while (end < records->len && ((MusterDnsRecord *) records->pdata[end])->priority == priority)
      end++;
    order_equals (records, first, end, random);
    first = end;
  }
}

void
muster_dns_interleave (GPtrArray *records)
{
  for (guint i = 1; i < records->len; i++) {
    GSocketFamily last = g_inet_address_get_family (
      ((MusterDnsRecord *) records->pdata[i - 1])->address);

    for (guint other = i; other < records->len; other++)
      if (g_inet_address_get_family (((MusterDnsRecord *) records->pdata[other])->address) !=
          last) {
        move_to (records, other, i);
        break;
      }
  }
}
