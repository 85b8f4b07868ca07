/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-parameter.h"
#include "cli-secret.h"
#include "commands.h"

#include <muster/muster-test.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* muster plugin try: one plugin and its contract, without the daemon. */

#define SECRET_MAX_BYTES (64 * 1024)
#define REAL_IO_MAX_MS   (60 * 1000)

/* Takes @pipe, in which all of a secret waits. */
static MusterSecret *
secret_from_pipe (int pipe)
{
  char *bytes = g_malloc (SECRET_MAX_BYTES);
  MusterSecret *secret = NULL;
  gsize n_bytes = 0;
  gssize n;

  while ((n = read (pipe, bytes + n_bytes, SECRET_MAX_BYTES - n_bytes)) > 0)
    n_bytes += (gsize) n;
  close (pipe);
  secret = muster_secret_new (bytes, n_bytes);
  muster_wipe (bytes, n_bytes);
  g_free (bytes);

  return secret;
}

static gboolean
give_secret (MusterTestBench *bench, const char *word, GError **error)
{
  g_autoptr (MusterSecret) secret = NULL;
  g_autofree char *name = NULL;
  g_autofree char *fd_text = NULL;
  int pipe;
  int fd;

  if (!cli_parameter_split (word, &name, &fd_text, error) ||
      !cli_secret_parse_fd (fd_text, &fd, error))
    return FALSE;
  pipe = cli_secret_from_fd (fd, name, error);
  if (pipe < 0)
    return FALSE;

  secret = secret_from_pipe (pipe);
  muster_test_bench_set_secret (bench, name, secret);

  return TRUE;
}

static gboolean
prepare (MusterTestBench *bench, const CliPluginOptions *options, GError **error)
{
  for (char **word = options->set; word != NULL && *word != NULL; word++) {
    g_autofree char *name = NULL;
    g_autofree char *value = NULL;

    if (!cli_parameter_split (*word, &name, &value, error))
      return FALSE;
    muster_test_bench_set (bench, name, value);
  }
  for (char **word = options->secret_fd; word != NULL && *word != NULL; word++) {
    if (!give_secret (bench, *word, error))
      return FALSE;
  }
  if (options->checks != NULL)
    muster_test_bench_set_checked_secret (bench, options->checks);
  muster_test_bench_set_real_io (bench, (guint) options->real_io_ms);

  return TRUE;
}

CliExit
cmd_plugin_try (Cli *cli, const CliPluginOptions *options, const char *file)
{
  g_autoptr (MusterTestBench) bench = NULL;
  g_autoptr (MusterTestReport) report = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (options->real_io_ms < 0 || options->real_io_ms > REAL_IO_MAX_MS)
    return cli_usage ("--real-io is from 0 to %d milliseconds", REAL_IO_MAX_MS);
  if (cli->json && options->tap)
    return cli_usage ("--json and --tap exclude each other");
  if (g_file_test (file, G_FILE_TEST_IS_DIR))
    return cli_usage ("'%s' is a folder; name the plugin's file in it, which ends in .so", file);
  if (!g_file_test (file, G_FILE_TEST_IS_REGULAR))
    return cli_usage ("there is no file '%s'", file);

  bench = muster_test_bench_new (file, options->protocol, options->address);
  if (!prepare (bench, options, &error))
    return cli_error_report (error);

  report = muster_test_bench_run_contract (bench, &error);
  if (report == NULL)
    return cli_usage ("%s", error->message);

  if (cli->json)
    text = muster_test_report_to_json (report);
  else if (options->tap)
    text = muster_test_report_to_tap (report);
  else
    text = muster_test_report_to_text (report);
  fputs (text, stdout);

  return muster_test_report_is_kept (report) ? CLI_OK : CLI_FAILED;
}
