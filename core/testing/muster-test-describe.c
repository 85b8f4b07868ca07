/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTest"

#include "config.h"

#include "muster-test-describe.h"

/*
 * What a plugin says about itself. The loader refuses what it cannot use; a form can be drawn, and a
 * user helped, only with more than that.
 */

static gboolean
is_blank (const char *text)
{
  return text == NULL || *text == '\0' || g_ascii_isspace (*text);
}

static void
check_param (MusterTestScene *scene, const MusterParam *param)
{
  if (is_blank (param->label))
    muster_test_scene_fault (scene, "parameter %s has no label", param->name);
  if (is_blank (param->help))
    muster_test_scene_fault (scene, "parameter %s has no help", param->name);
  if (param->min > param->max)
    muster_test_scene_fault (scene, "parameter %s is at least %u and at most %u", param->name,
                             param->min, param->max);
  if (param->type != MUSTER_PARAM_UINT && (param->min != 0 || param->max != 0))
    muster_test_scene_fault (scene, "parameter %s has a range, and is no number", param->name);
  if (param->type != MUSTER_PARAM_STRING && (param->choices != NULL || param->pattern != NULL))
    muster_test_scene_fault (scene, "parameter %s has choices or a pattern, and is no text",
                             param->name);
}

static void
check_protocol (MusterTestScene *scene, const MusterProtocol *protocol)
{
  if (is_blank (protocol->display_name) || is_blank (protocol->address_help))
    muster_test_scene_fault (scene, "protocol %s has an empty name or address help", protocol->id);

  for (guint i = 0; i < protocol->n_params; i++)
    check_param (scene, &protocol->params[i]);
}

void
muster_test_describe (MusterTestScene *scene)
{
  MusterTestBench *bench = scene->bench;
  g_autoptr (GError) error = NULL;

  muster_test_scene_at (scene, "while it was loaded");
  if (!muster_test_bench_load (bench, &error)) {
    if (muster_module_get_info (bench->module) == NULL)
      muster_test_scene_fault (scene, "%s", error->message);
    else
      scene->usage = g_strdup (error->message);
    return;
  }

  muster_test_scene_at (scene, "while its description was checked");
  check_protocol (scene, bench->kind->protocol);

  muster_test_scene_at (scene, "while it was started");
  if (muster_test_bench_ensure (bench, &error) == NULL)
    muster_test_scene_fault (scene, "%s", error->message);

  muster_test_scene_note (scene, "%s %s: %s; %u parameters, each with label and help",
                          muster_module_get_name (bench->module),
                          muster_module_get_info (bench->module)->version,
                          bench->kind->protocol->display_name, bench->kind->protocol->n_params);
}
