"""The developer door: its commands, its words, what it checks of the system."""

import sys
import threading

import pytest


def test_help_names_every_command(script, capsys):
    dev = script("dev")
    with pytest.raises(SystemExit) as ended:
        dev.main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for command in ("setup", "run", "test", "check", "bench", "lock", "freeze", "installer"):
        assert f"\n  {command} " in shown


def test_unknown_command_is_bad_usage(script, capsys):
    with pytest.raises(SystemExit) as ended:
        script("dev").main(["launch"])
    assert ended.value.code == 2
    assert "launch" in capsys.readouterr().err


def test_errors_are_one_sentence_and_exit_1(script, capsys, monkeypatch):
    dev = script("dev")

    def fails(_arguments: list[str]) -> int:
        raise dev.Stop("The disk is full. Free some space.")

    monkeypatch.setitem(dev.COMMANDS, "lock", fails)
    assert dev.main(["lock"]) == 1
    assert capsys.readouterr().err == "dev.py: The disk is full. Free some space.\n"


def test_test_passes_its_arguments_and_its_status_on(script, monkeypatch):
    dev = script("dev")
    ran = []
    monkeypatch.setattr(dev, "setup", lambda *needs: None)
    monkeypatch.setattr(dev, "check", lambda arguments: 0)
    monkeypatch.setattr(dev, "show", lambda command: ran.append(command) or 5)
    assert dev.main(["test", "-k", "engine", "--maxfail=1"]) == 5
    assert ran[0][1:] == ["-m", "pytest", "-k", "engine", "--maxfail=1"]


def test_check_runs_all_checks_and_names_those_that_failed(script, capsys, monkeypatch):
    dev = script("dev")
    ran = []
    monkeypatch.setattr(dev, "setup", lambda *needs: None)
    monkeypatch.setattr(dev, "show", lambda command: ran.append(command[0].stem) or ran[-1] == "mypy")
    monkeypatch.setattr(dev, "unused", lambda: ["app/a.py:1: unused function 'b'"])
    assert dev.main(["check"]) == 1
    assert ran == ["ruff", "ruff", "mypy", "lint-imports"]
    said = capsys.readouterr()
    assert "These checks failed: Types, Dead code." in said.err
    assert "unused function 'b'" in said.out


def test_only_what_the_program_does_not_use_is_dead_code(script, monkeypatch):
    dev = script("dev")
    found = "tests/conftest.py:1: unused function 'a'\napp/a.py:1: unused function 'b'\n"
    result = dev.subprocess.CompletedProcess([], 3, found, "")
    monkeypatch.setattr(dev.subprocess, "run", lambda *_args, **_options: result)
    assert dev.unused() == ["app/a.py:1: unused function 'b'"]
    result.returncode, result.stdout, result.stderr = 1, "", "vulture: no such option"
    assert dev.unused() == ["vulture: no such option"]


def test_without_a_display_run_does_the_main_job(script, capsys, monkeypatch):
    dev = script("dev")
    monkeypatch.setattr(dev, "setup", lambda *needs: None)
    monkeypatch.setattr(dev.system, "can_open_a_window", lambda: False)
    monkeypatch.setattr(dev.demo, "run", lambda: 0)
    assert dev.main(["run"]) == 0
    assert "no display" in capsys.readouterr().out


def test_a_long_step_shows_that_it_lives(script, monkeypatch):
    console = script("console")
    alive = threading.Event()
    monkeypatch.setattr(console, "SIGN_OF_LIFE_S", 0.001)
    monkeypatch.setattr(console, "say", lambda text: alive.set() if "still working" in text else None)
    with console.step("Something long"):
        assert alive.wait(10)


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (65.2, "1 min 05 s")])
def test_durations_read_well(script, seconds, text):
    assert script("console").duration(seconds) == text


def test_a_quiet_program_that_fails_shows_its_last_words(script, capsys):
    console = script("console")
    with pytest.raises(console.Stop, match="It broke"):
        console.quiet([sys.executable, "-c", "import sys; print('the cause'); sys.exit(3)"], "It broke.")
    assert "the cause" in capsys.readouterr().err


def test_a_program_that_is_missing_is_a_sentence(script, tmp_path):
    console = script("console")
    with pytest.raises(console.Stop, match="could not be started"):
        console.show([tmp_path / "nothing"])


# --- the system -----------------------------------------------------------------------------------------------------


@pytest.fixture
def missing(script):
    system = script("system")
    return (
        system.Need("library", ("libnothing-of-the-kind.so.9",), "libnothing9"),
        system.Need("program", ("no-such-compiler",), "g++"),
    )


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for shared libraries of Linux")


@linux
def test_missing_libraries_are_named_with_the_line_that_installs_them(script, missing, monkeypatch):
    system = script("system")
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(system.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    with pytest.raises(system.Stop) as stop:
        system.ensure(missing)
    assert "libnothing-of-the-kind.so.9, no-such-compiler" in str(stop.value)
    assert str(stop.value).endswith("sudo apt-get install g++ libnothing9")


@linux
def test_root_on_debian_installs_exactly_what_is_missing(script, missing, monkeypatch):
    system = script("system")
    asked = []
    present = system.Need("program", (sys.executable,), "python3")
    monkeypatch.setattr(system.os, "geteuid", lambda: 0)
    real_which = system.shutil.which
    monkeypatch.setattr(system.shutil, "which", lambda name: name if name == "apt-get" else real_which(name))
    monkeypatch.setattr(system, "install_packages", lambda packages: asked.extend(packages))
    with pytest.raises(system.Stop, match="libnothing"):
        system.ensure((present,), missing)  # nothing was really installed, so it is still missing
    assert asked == ["libnothing9", "g++"]


@linux
def test_what_is_there_is_left_alone(script):
    system = script("system")
    assert system.Need("library", ("libc.so.6",), "libc6").is_met()
    system.ensure((system.Need("library", ("libc.so.6",), "libc6"),))


@linux
@pytest.mark.parametrize(("variable", "value"), [(None, ""), ("DISPLAY", ":987"), ("WAYLAND_DISPLAY", "wayland-987")])
def test_no_display_or_a_dead_one_opens_no_window(script, monkeypatch, variable, value):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if variable:
        monkeypatch.setenv(variable, value)
    assert script("system").can_open_a_window() is False
