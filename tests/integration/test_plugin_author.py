# SPDX-FileCopyrightText: 2026 The Muster authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the author of a plugin gets from an installed Muster, and nothing of its source tree.

MUSTER_BUILD is what is installed, PLUGIN_FAULTY a plugin that breaks its contract on demand.
"""

import glob
import json
import os
import re
import subprocess

import pytest

from harness.process import private_environment

BUILD = os.environ["MUSTER_BUILD"]
FAULTY = os.environ["PLUGIN_FAULTY"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = "/usr/bin:/bin:/usr/sbin:/sbin"


class Sdk:
    """An installation in a folder of the test, as a distribution stages it."""

    def __init__(self, folder):
        self.run_tool("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", str(folder / "stage"))
        (self.muster,) = glob.glob(f"{folder}/stage/**/bin/muster", recursive=True)
        (pc,) = glob.glob(f"{folder}/stage/**/pkgconfig/muster-1.pc", recursive=True)
        self.prefix = os.path.dirname(os.path.dirname(self.muster))
        self.pkgconfig = os.path.dirname(pc)
        self.libdir = os.path.dirname(self.pkgconfig)
        for path in glob.glob(f"{self.pkgconfig}/*.pc"):  # it was configured for another prefix
            with open(path, encoding="utf-8") as file:
                text = re.sub(r"^prefix=.*$", f"prefix={self.prefix}", file.read(), flags=re.MULTILINE)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.environment = private_environment(folder / "home")
        self.environment.update(
            PATH=TOOLS, PKG_CONFIG_PATH=self.pkgconfig, LD_LIBRARY_PATH=self.libdir,
            MUSTER_TEMPLATE_PATH=f"{self.prefix}/share/muster-1/template")

    @staticmethod
    def run_tool(*command, env=None, cwd=None):
        outcome = subprocess.run(command, env=env or {**os.environ, "PATH": TOOLS}, cwd=cwd, text=True,
                                 stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=100)
        assert outcome.returncode == 0, f"{command}\n{outcome.stdout}{outcome.stderr}"
        return outcome.stdout

    def run(self, *arguments, cwd=None, fds=()):
        """The installed command line."""
        return subprocess.run([self.muster, *map(str, arguments)], env=self.environment, cwd=cwd, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60, pass_fds=fds)

    def tool(self, *command, cwd):
        return self.run_tool(*command, env=self.environment, cwd=cwd)


@pytest.fixture(scope="module")
def sdk(tmp_path_factory):
    return Sdk(tmp_path_factory.mktemp("sdk"))


@pytest.fixture(scope="module")
def demo(sdk, tmp_path_factory):
    """The folder of a plugin that was begun, built and tested."""
    folder = tmp_path_factory.mktemp("author")
    outcome = sdk.run("plugin", "new", "demo", cwd=folder)
    assert outcome.returncode == 0, outcome.stderr
    plugin = folder / "muster-demo"
    sdk.tool("meson", "setup", "--werror", "build", cwd=plugin)
    sdk.tool("meson", "compile", "-C", "build", cwd=plugin)
    return plugin


def steps(outcome):
    return {step["step"]: step for step in json.loads(outcome.stdout)["steps"]}


# A plugin from nothing


def test_what_is_written(demo):
    """A folder with a source, a test, a build, a README: all named after it, nothing of the sample."""
    names = sorted(os.listdir(demo))
    assert names == [".gitignore", "README.md", "build", "meson.build", "muster-demo-plugin.c", "test-demo.c"]
    for name in set(names) - {"build"}:
        text = (demo / name).read_text(encoding="utf-8")
        assert "echo" not in text.lower(), name
        assert not re.search(r"@(name_?|Name|NAME_)@", text), name
        assert SOURCE not in text, name


def test_it_is_the_sample(demo):
    """With its name put back it is plugins/echo to the letter, so it cannot fall behind."""
    with open(f"{SOURCE}/plugins/echo/muster-echo-plugin.c", encoding="utf-8") as file:
        sample = file.read()
    text = (demo / "muster-demo-plugin.c").read_text(encoding="utf-8")
    assert text.replace("demo", "echo").replace("Demo", "Echo").replace("DEMO", "ECHO") == sample
    assert sample.count("\n") < 150


def test_it_is_built_against_what_is_installed(demo, sdk):
    """No header and no library of the source or build tree went into it."""
    with open(demo / "build" / "compile_commands.json", encoding="utf-8") as file:
        commands = file.read()
    assert f"-I{sdk.prefix}/include/muster-1" in commands
    assert SOURCE not in commands and BUILD not in commands
    with open(demo / "build" / "build.ninja", encoding="utf-8") as file:
        ninja = file.read()
    assert f"{BUILD}/" not in ninja and f"{SOURCE}/" not in ninja


def test_its_own_tests_pass(demo, sdk):
    """The contract and two tests by hand, without a daemon."""
    assert "3 subtests passed" in sdk.tool("meson", "test", "-C", "build", cwd=demo)


def test_its_own_tests_can_fail(demo, sdk, tmp_path):
    """A source that forgets to honour cancel builds as well, and its test says so."""
    sdk.tool("cp", "-r", str(demo), str(tmp_path / "copy"), cwd=tmp_path)
    copy = tmp_path / "copy"
    path = copy / "muster-demo-plugin.c"
    text = path.read_text(encoding="utf-8")
    planted = text.replace("muster_timer_arm_in_ms (&self->answer, 0);", "g_debug (\"%p\", self);")
    assert planted != text
    path.write_text(planted, encoding="utf-8")
    sdk.tool("rm", "-r", "build", cwd=copy)
    sdk.tool("meson", "setup", "build", cwd=copy)
    with pytest.raises(AssertionError, match="Fail: *1|contract"):
        sdk.tool("meson", "test", "-C", "build", cwd=copy)
    log = (copy / "build" / "meson-logs" / "testlog.txt").read_text(encoding="utf-8")
    assert re.search(r"FAILED +cancel-open +an open that was cancelled .* did not end", log)


def test_a_name_that_contains_dashes(sdk, tmp_path):
    """my-phone2 is a good name: for C, for GObject, for the file."""
    assert sdk.run("plugin", "new", "my-phone2", "--dir", tmp_path / "here").returncode == 0
    sdk.tool("meson", "setup", "--werror", "build", cwd=tmp_path / "here")
    assert "3 subtests passed" in sdk.tool("meson", "test", "-C", "build", cwd=tmp_path / "here")


@pytest.mark.parametrize("name", ["", "Demo", "2demo", "de mo", "demo-", "de--mo", "../demo", "d" * 33, "déjà", "echo"])
def test_names_that_are_refused(sdk, tmp_path, name):
    outcome = sdk.run("plugin", "new", "--", name, cwd=tmp_path)
    assert outcome.returncode == 2
    assert "name for a plugin" in outcome.stderr or "there is a plugin called echo" in outcome.stderr
    assert os.listdir(tmp_path) == []


def test_nothing_is_overwritten(sdk, tmp_path):
    """Neither a folder that is there nor a link to one."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "taken")
    for name in ("taken", "link"):
        outcome = sdk.run("plugin", "new", "demo", "--dir", tmp_path / name)
        assert outcome.returncode == 2 and "cannot make the folder" in outcome.stderr
    assert os.listdir(tmp_path / "taken") == []


def test_new_plugin_script(tmp_path):
    """tools/new-plugin is the same for those who have the source."""
    Sdk.run_tool(f"{SOURCE}/tools/new-plugin", "demo", "--dir", str(tmp_path / "demo"),
                 env={**os.environ, "PATH": TOOLS, "MUSTER_BUILD": BUILD})
    assert (tmp_path / "demo" / "muster-demo-plugin.c").exists()


# Trying it


def test_it_keeps_its_contract(demo, sdk):
    """For people, for programs and for test harnesses; the exit status says it, too."""
    module = demo / "build" / "muster-demo.so"
    words = ("plugin", "try", module, "--set", "delay=250")
    outcome = sdk.run(*words)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert re.search(r"ok +register +registered for 60 s at alice@demo, after 0\.[23]", outcome.stdout)
    assert outcome.stdout.endswith("contract: 13 kept, 0 broken\n")

    outcome = sdk.run(*words, "--json")
    assert outcome.returncode == 0
    report = json.loads(outcome.stdout)
    assert report["kept"] is True and report["protocol"] == "demo" and report["address"] == "alice@demo"
    assert all(step["kept"] is True and step["sentence"] for step in report["steps"])

    outcome = sdk.run(*words, "--tap")
    assert outcome.returncode == 0
    assert outcome.stdout.startswith("1..13\nok 1 - describe\n")


def test_it_registers_in_a_real_daemon(demo, make_muster, sdk):
    """musterd finds it by MUSTER_PLUGIN_PATH, and an account of it registers."""
    muster = make_muster(environment={"MUSTER_PLUGIN_PATH": str(demo / "build")})
    assert [(row["name"], row["state"]) for row in muster.json("plugin", "list")] == [("demo", "ready")]
    muster.add("demo", "ann@demo.test")
    assert muster.wait_state("ann@demo.test", "registered")["protocol"] == "demo"


@pytest.mark.parametrize("fault, step, words", [
    ("answers-twice", "register", "answered an operation twice"),
    ("ignores-cancel", "cancel-open", "did not end promptly"),
    ("leaks-timer", "leave-nothing", "a timer is still armed"),
    ("crashes", "register", "it crashed (Aborted) while it registered"),
])
def test_what_is_broken_is_said_in_words(sdk, fault, step, words):
    """A bad plugin spoils its own report, and neither the tool nor its exit status."""
    outcome = sdk.run("plugin", "try", FAULTY, "--protocol", "faulty", "--set", f"fault={fault}", "--json")
    assert outcome.returncode == 1, outcome.stderr
    found = steps(outcome)[step]
    assert found["kept"] is False and words in found["sentence"]


def test_secrets_come_by_descriptor(sdk):
    """The right one registers, and is not shown; a wrong one must be refused."""
    reading, writing = os.pipe()
    os.write(writing, b"sesame\n")
    os.close(writing)
    try:
        outcome = sdk.run("plugin", "try", FAULTY, "--protocol", "faulty", "--set", "fault=secret",
                          "--secret-fd", f"password={reading}", "--checks", "password", "--json", fds=(reading,))
    finally:
        os.close(reading)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert steps(outcome)["wrong-secret"]["kept"] is True
    assert "sesame" not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("arguments, words", [
    ((FAULTY,), "speaks several protocols"),
    ((FAULTY, "--protocol", "sip"), "does not speak sip"),
    ((FAULTY, "--protocol", "faulty", "--set", "colour=red"), "has no parameter colour"),
    ((FAULTY, "--protocol", "faulty", "--set", "password=x"), "cannot be set as a parameter"),
    ((FAULTY, "--protocol", "faulty", "--set", "colour"), "NAME=VALUE"),
    ((FAULTY, "--protocol", "faulty", "--real-io", "-1"), "--real-io is from"),
    ((FAULTY, "--protocol", "faulty", "--secret-fd", "password=99"), "descriptor 99 is not open"),
    ((FAULTY, "--protocol", "faulty", "--dir", "x"), "--dir is for"),
    ((FAULTY, "--protocol", "faulty", "--tap", "--json"), "exclude each other"),
    (("/nowhere.so",), "there is no file"),
    ((), "usage"),
])
def test_what_is_given_wrong(sdk, arguments, words):
    outcome = sdk.run("plugin", "try", *arguments)
    assert outcome.returncode == 2
    assert words in outcome.stderr
