/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "plugins/muster-plugin-registry.h"

#include <glib/gstdio.h>

#include <unistd.h>

/* Modules that are wrong, each in one way: it is listed with its reason, and everything else runs. */

typedef struct {
  char *folder;
  char *second; /* another, later in the path */
  MusterPluginRegistry *registry;
} Fixture;

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("muster-test-plugins-XXXXXX", NULL);
  fixture->second = g_dir_make_tmp ("muster-test-plugins-XXXXXX", NULL);
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
  }
  g_rmdir (folder);
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->registry, muster_plugin_registry_free);
  remove_folder (fixture->folder);
  remove_folder (fixture->second);
  g_free (fixture->folder);
  g_free (fixture->second);
}

static char *
fixture_path (const char *name)
{
  g_autofree char *file = g_strdup_printf ("muster-%s.so", name);

  return g_test_build_filename (G_TEST_BUILT, "fixtures", "plugins", file, NULL);
}

/* A link, so that a module is the same wherever it stands. */
static void
put_as (const char *folder, const char *name, const char *file)
{
  g_autofree char *path = fixture_path (name);
  g_autofree char *link = g_build_filename (folder, file, NULL);

  g_assert_cmpint (symlink (path, link), ==, 0);
}

static void
put (const char *folder, const char *name)
{
  g_autofree char *file = g_strdup_printf ("muster-%s.so", name);

  put_as (folder, name, file);
}

static void
scan (Fixture *fixture)
{
  const char *path[] = { fixture->folder, "", "/does/not/exist", fixture->second, NULL };

  fixture->registry = muster_plugin_registry_new (path);
}

static MusterModule *
find (Fixture *fixture, const char *name)
{
  GPtrArray *modules = muster_plugin_registry_get_modules (fixture->registry);

  for (guint i = 0; i < modules->len; i++) {
    if (g_str_equal (muster_module_get_name (modules->pdata[i]), name))
      return modules->pdata[i];
  }

  g_error ("%s is not listed", name);
}

static void
assert_reason (Fixture *fixture, const char *name, const char *pattern)
{
  MusterModule *module = find (fixture, name);

  if (!g_pattern_match_simple (pattern, muster_module_get_reason (module)))
    g_error ("%s: \"%s\" is not like \"%s\"", name, muster_module_get_reason (module), pattern);
  g_assert_true ((muster_module_get_info (module) == NULL) == (*pattern != '\0'));
}

static guint
count (Fixture *fixture)
{
  return muster_plugin_registry_get_modules (fixture->registry)->len;
}

/* Starts it, as the first account does. */
static void
assert_works (Fixture *fixture, const char *protocol)
{
  g_autoptr (GError) error = NULL;
  MusterModule *module = NULL;
  const MusterKind *kind;

  kind = muster_plugin_registry_find_protocol (fixture->registry, protocol, &module);
  g_assert_nonnull (kind);
  g_assert_true (muster_module_start (module, &error));
  g_assert_no_error (error);
  g_assert_true (muster_module_start (module, &error)); /* again is no matter */
  g_assert_true (g_type_is_a (kind->get_type (), MUSTER_TYPE_REGISTRATION));
}

/* wrong tables */

static void
test_wrong_tables (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *name;
    const char *reason;
  } wrong[] = {
    { "wrong-abi", "*built for plugin ABI 42*" },
    { "short-table", "*table is shorter*" },
    { "no-name", "*leaves out its name*" },
    { "no-symbol", "*no symbol muster_plugin_info*" },
    { "bad-default", "*default of a parameter of protocol bad-default*whole number*" },
    { "bad-pattern", "*pattern of parameter server*" },
    { "param-twice", "*two parameters called port*" },
    { "protocol-twice", "*speaks protocol protocol-twice twice*" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    put (fixture->folder, wrong[i].name);
  put (fixture->folder, "good");
  scan (fixture);

  g_assert_cmpuint (count (fixture), ==, G_N_ELEMENTS (wrong) + 1);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    assert_reason (fixture, wrong[i].name, wrong[i].reason);
    g_assert_null (muster_plugin_registry_find_protocol (fixture->registry, wrong[i].name, NULL));
  }
  assert_reason (fixture, "good", "");
  assert_works (fixture, "good");
}

static void
test_files_that_are_no_modules (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_build_filename (fixture->folder, "muster-Text.so", NULL);
  g_autofree char *empty = g_build_filename (fixture->folder, "empty.so", NULL);
  g_autofree char *note = g_build_filename (fixture->folder, "note.txt", NULL);
  g_autofree char *dangling = g_build_filename (fixture->folder, "muster-dangling.so", NULL);
  g_autofree char *folder = g_build_filename (fixture->folder, "muster-folder.so", NULL);

  g_assert_true (g_file_set_contents (text, "not a module\n", -1, NULL));
  g_assert_true (g_file_set_contents (empty, "", 0, NULL));
  g_assert_true (g_file_set_contents (note, "not meant to be one\n", -1, NULL));
  g_assert_cmpint (symlink ("/does/not/exist.so", dangling), ==, 0);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  put (fixture->folder, "good");
  scan (fixture);

  g_assert_cmpuint (count (fixture), ==, 5);
  assert_reason (fixture, "text", "*cannot be opened*");
  assert_reason (fixture, "empty", "*cannot be opened*");
  assert_reason (fixture, "dangling", "*cannot be opened*");
  assert_reason (fixture, "folder", "*cannot be opened*");
  assert_works (fixture, "good");
  g_rmdir (folder);
}

/* two of one kind */

static void
test_two_speak_one_protocol (Fixture *fixture, gconstpointer data)
{
  put (fixture->folder, "rival");
  put (fixture->folder, "good");
  scan (fixture);

  assert_reason (fixture, "good", "");
  assert_reason (fixture, "rival", "plugin good already speaks protocol good");
  assert_works (fixture, "good");
}

static void
test_two_of_one_name (Fixture *fixture, gconstpointer data)
{
  put (fixture->folder, "good");
  put (fixture->second, "good");
  put_as (fixture->second, "good", "muster-better.so");
  scan (fixture);

  g_assert_cmpuint (count (fixture), ==, 3);
  assert_reason (fixture, "good", "");
  g_assert_true (
    g_str_has_prefix (muster_module_get_path (find (fixture, "good")), fixture->folder));
  assert_reason (fixture, "good-2", "there is already a plugin called good*");
  assert_reason (fixture, "good-3", "there is already a plugin called good*");
  assert_works (fixture, "good");
}

/* A broken one in the user's folder does not keep out the system's. */
static void
test_the_broken_gives_way (Fixture *fixture, gconstpointer data)
{
  put_as (fixture->folder, "wrong-abi", "muster-good.so");
  put (fixture->second, "good");
  scan (fixture);

  g_assert_cmpuint (count (fixture), ==, 2);
  assert_reason (fixture, "good", "");
  assert_reason (fixture, "good-2", "*ABI*");
  assert_works (fixture, "good");
}

/* when they start */

static void
test_a_context_does_not_start (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  MusterModule *module = NULL;

  put (fixture->folder, "bad-context");
  put (fixture->folder, "good");
  scan (fixture);

  assert_reason (fixture, "bad-context", ""); /* nothing of it has run */
  g_assert_nonnull (
    muster_plugin_registry_find_protocol (fixture->registry, "bad-context", &module));
  g_assert_false (muster_module_start (module, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  assert_reason (fixture, "bad-context", "*did not start: port 5060 is taken*");
  g_assert_null (muster_module_get_context (module));
  g_assert_null (muster_plugin_registry_find_protocol (fixture->registry, "bad-context", NULL));
  assert_works (fixture, "good");
}

static void
test_two_classes_of_one_name (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  MusterModule *module = NULL;

  put (fixture->folder, "good");
  put (fixture->folder, "type-clash");
  scan (fixture);

  assert_works (fixture, "good");
  g_assert_nonnull (
    muster_plugin_registry_find_protocol (fixture->registry, "type-clash", &module));
  g_test_expect_message ("GLib-GObject", G_LOG_LEVEL_WARNING, "*GoodRegistration*");
  g_test_expect_message ("GLib", G_LOG_LEVEL_CRITICAL, "*result != 0*");
  g_assert_false (muster_module_start (module, &error));
  g_test_assert_expected_messages ();
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  assert_reason (fixture, "type-clash", "*another plugin took its name*");
  assert_works (fixture, "good");
}

/* who may write there */

static void
copy_with_mode (const char *folder, const char *name, int mode)
{
  g_autofree char *from = fixture_path (name);
  g_autofree char *to = g_strdup_printf ("%s/muster-%s.so", folder, name);
  g_autofree char *contents = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (from, &contents, &length, NULL));
  g_assert_true (g_file_set_contents (to, contents, (gssize) length, NULL));
  g_assert_cmpint (g_chmod (to, mode), ==, 0);
}

static void
test_a_file_that_others_may_write (Fixture *fixture, gconstpointer data)
{
  copy_with_mode (fixture->folder, "rival", 0666);
  put (fixture->folder, "good");
  scan (fixture);

  g_assert_cmpuint (count (fixture), ==, 2);
  assert_reason (fixture, "rival", "*can be changed by other users");
  assert_works (fixture, "good");
}

static void
test_a_folder_that_others_may_write (Fixture *fixture, gconstpointer data)
{
  put (fixture->folder, "rival");
  put (fixture->second, "good");
  g_assert_cmpint (g_chmod (fixture->folder, 0777), ==, 0);
  scan (fixture);

  assert_reason (fixture, "rival", "*can be changed by other users");
  assert_works (fixture, "good");
}

static void
test_in_the_order_of_names (Fixture *fixture, gconstpointer data)
{
  put (fixture->folder, "wrong-abi");
  put (fixture->folder, "good");
  put (fixture->second, "bad-default");
  scan (fixture);

  for (guint i = 1; i < count (fixture); i++) {
    GPtrArray *modules = muster_plugin_registry_get_modules (fixture->registry);

    g_assert_cmpstr (muster_module_get_name (modules->pdata[i - 1]), <,
                     muster_module_get_name (modules->pdata[i]));
  }
}

#define ADD(name, func)                                                                            \
  g_test_add ("/plugins/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  ADD ("wrong-tables", test_wrong_tables);
  ADD ("files-that-are-no-modules", test_files_that_are_no_modules);
  ADD ("two-speak-one-protocol", test_two_speak_one_protocol);
  ADD ("two-of-one-name", test_two_of_one_name);
  ADD ("the-broken-gives-way", test_the_broken_gives_way);
  ADD ("a-context-does-not-start", test_a_context_does_not_start);
  ADD ("two-classes-of-one-name", test_two_classes_of_one_name);
  ADD ("a-file-that-others-may-write", test_a_file_that_others_may_write);
  ADD ("a-folder-that-others-may-write", test_a_folder_that_others_may_write);
  ADD ("in-the-order-of-names", test_in_the_order_of_names);

  return g_test_run ();
}
