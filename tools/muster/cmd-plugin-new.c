/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "commands.h"
#include "muster-names.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * muster plugin new: the templates with the name filled in. The sources are made from plugins/echo
 * when Muster is built, so they cannot fall behind.
 */

#define NAME_MAX_BYTES 32

/* Template and what it becomes. In both @name@, @Name@, @name_@ and @NAME_@ are filled in. */
static const struct {
  const char *template;
  const char *target;
} files[] = {
  { "muster-plugin.c.in", "muster-@name@-plugin.c" },
  { "meson.build.in", "meson.build" },
  { "test-plugin.c.in", "test-@name@.c" },
  { "README.md.in", "README.md" },
  { "gitignore.in", ".gitignore" },
};

static gboolean
is_name (const char *name)
{
  gsize length = strlen (name);

  return length > 0 && length <= NAME_MAX_BYTES && g_ascii_islower (name[0]) &&
         strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
         name[length - 1] != '-' && strstr (name, "--") == NULL;
}

/* my-phone: MyPhone */
static char *
camel_case (const char *name)
{
  GString *camel = g_string_new (NULL);
  gboolean begins = TRUE;

  for (const char *p = name; *p != '\0'; p++) {
    if (*p != '-')
      g_string_append_c (camel, begins ? g_ascii_toupper (*p) : *p);
    begins = *p == '-';
  }

  return g_string_free (camel, FALSE);
}

static char *
fill_in (const char *template, const char *name)
{
  g_autofree char *camel = camel_case (name);
  g_autofree char *snake = g_strdelimit (g_strdup (name), "-", '_');
  g_autofree char *upper = g_ascii_strup (snake, -1);
  GString *text = g_string_new (template);

  g_string_replace (text, "@name@", name, 0);
  g_string_replace (text, "@Name@", camel, 0);
  g_string_replace (text, "@name_@", snake, 0);
  g_string_replace (text, "@NAME_@", upper, 0);

  return g_string_free (text, FALSE);
}

static const char *
template_folder (void)
{
  const char *folder = g_getenv (MUSTER_ENV_TEMPLATE_PATH);

  return folder != NULL ? folder : TEMPLATE_DIR;
}

/* Never over a file that is there. */
static gboolean
write_new (const char *path, const char *text, GError **error)
{
  gsize n_left = strlen (text);
  int fd = g_open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

  while (fd >= 0 && n_left > 0) {
    gssize n = write (fd, text, n_left);

    if (n < 0)
      break;
    text += n;
    n_left -= (gsize) n;
  }
  if (fd < 0 || n_left > 0 || close (fd) != 0) {
    g_set_error (error, CLI_ERROR, CLI_FAILED, "cannot write %s: %s", path, g_strerror (errno));
    return FALSE;
  }

  return TRUE;
}

static gboolean
write_all (const char *folder, const char *name, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *from = g_build_filename (template_folder (), files[i].template, NULL);
    g_autofree char *target = fill_in (files[i].target, name);
    g_autofree char *to = g_build_filename (folder, target, NULL);
    g_autofree char *template = NULL;
    g_autofree char *text = NULL;

    if (!g_file_get_contents (from, &template, NULL, error)) {
      g_prefix_error (error, "the templates of plugins are not installed: ");
      return FALSE;
    }
    text = fill_in (template, name);
    if (!write_new (to, text, error))
      return FALSE;
  }

  return TRUE;
}

CliExit
cmd_plugin_new (const CliPluginOptions *options, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = NULL;
  g_autofree char *module = g_strdup_printf ("muster-%s." G_MODULE_SUFFIX, name);
  g_autofree char *installed = g_build_filename (PLUGIN_DIR, module, NULL);

  if (!is_name (name))
    return cli_usage ("'%s' is no name for a plugin: lower-case letters, digits and single dashes, "
                      "at most %d, a letter first",
                      name, NAME_MAX_BYTES);
  if (g_str_equal (name, "echo") || g_file_test (installed, G_FILE_TEST_EXISTS))
    return cli_usage ("there is a plugin called %s already", name);

  folder = options->dir != NULL ? g_strdup (options->dir) : g_strdup_printf ("muster-%s", name);
  if (g_mkdir (folder, 0777) != 0)
    return cli_usage ("cannot make the folder %s: %s", folder, g_strerror (errno));
  if (!write_all (folder, name, &error))
    return cli_error_report (error);

  printf ("%s: a plugin that works. Build, test and try it:\n\n"
          "  cd %s\n"
          "  meson setup build && meson test -C build\n"
          "  muster plugin try build/muster-%s.so\n",
          folder, folder, name);

  return CLI_OK;
}
