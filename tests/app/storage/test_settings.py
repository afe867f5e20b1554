import dataclasses
import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.errors import AppError
from app.domain.settings import Settings
from app.storage.settings import SettingsStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def test_defaults_without_a_file(path: Path) -> None:
    assert SettingsStore(path).get() == Settings()
    assert not path.exists()


def test_changes_are_kept_and_only_they_are_written(path: Path) -> None:
    store = SettingsStore(path)
    changed = store.update(theme="dark", context=8192, model_folders=("/a", "/b"), offline=True)
    assert store.get() == changed == SettingsStore(path).get()
    assert set(json.loads(path.read_text())) == {"theme", "context", "model_folders", "offline"}
    assert store.update(context=None).context is None
    assert store.reset("theme").theme == "system"
    assert set(json.loads(path.read_text())) == {"model_folders", "offline"}
    assert SettingsStore(path).get() == dataclasses.replace(changed, context=None, theme="system")
    assert list(path.parent.iterdir()) == [path]


def test_unknown_keys_and_those_of_another_process_are_kept(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"hologram": {"depth": 3}, "proxy": "http://one"}')
    one, other = SettingsStore(path), SettingsStore(path)
    other.update(proxy="http://two")
    one.update(theme="light")
    assert json.loads(path.read_text()) == {"hologram": {"depth": 3}, "proxy": "http://two", "theme": "light"}


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b"", b"[" * 100_000, b'{"offline": fal'])
def test_a_damaged_file_is_set_aside_and_the_program_is_offline(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = SettingsStore(path)
    assert store.get() == Settings(offline=True)
    assert store.problem is not None
    assert "is offline" in store.problem.text()
    assert path.with_name("settings.json.broken").read_bytes() == content
    assert str(path) in caplog.text
    again = SettingsStore(path)
    assert (again.get(), again.problem) == (Settings(offline=True), None)
    again.update(offline=False)
    assert SettingsStore(path).get() == Settings()


@pytest.mark.expect_log("is damaged")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"offline": true, "theme": "dark",}', Settings(offline=True, theme="dark")),
        ('{\n "offline": false,\n "proxy": "http://a",\n "context": 81', Settings(proxy="http://a")),
        ('{"system_prompt": "say \\"offline\\": false", "model_folders": ["/a"]', Settings(offline=True)),
        (
            '{"offline": true, "offline": false, "threads": "2", "language": "de"',
            Settings(offline=True, language="de"),
        ),
        ('{"offline": "no" "theme": "light"}', Settings(offline=True, theme="light")),
    ],
)
def test_what_can_be_told_of_a_damaged_file_stays(path: Path, content: str, told: Settings) -> None:
    path.parent.mkdir()
    path.write_text(content)
    found = SettingsStore(path).get()
    assert dataclasses.replace(found, system_prompt="", model_folders=()) == told
    assert SettingsStore(path).get() == found
    assert path.with_name("settings.json.broken").read_text() == content


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_an_editor_may_choose_the_encoding(path: Path, encoding: str) -> None:
    """Some put a byte order mark before the text; nothing may go online for that."""
    path.parent.mkdir()
    path.write_bytes('{"offline": true, "language": "ü"}'.encode(encoding))
    store = SettingsStore(path)
    assert (store.get(), store.problem) == (Settings(offline=True, language="ü"), None)
    store.update(theme="dark")
    assert SettingsStore(path).get() == Settings(offline=True, language="ü", theme="dark")


@pytest.mark.expect_log("setting offline is not valid")
@pytest.mark.parametrize("value", ['"true"', "1", "0", "null", "[]"])
def test_what_is_no_answer_to_offline_is_offline(path: Path, value: str) -> None:
    path.parent.mkdir()
    path.write_text(f'{{"offline": {value}, "theme": "dark"}}')
    store = SettingsStore(path)
    assert store.get() == Settings(offline=True, theme="dark")
    assert store.problem is not None
    assert "true or false" in store.problem.text()
    assert not list(path.parent.glob("*.broken"))


@pytest.mark.expect_log("is damaged")
@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_text("{")])
def test_what_happens_to_the_file_meanwhile_is_not_taken_over(path: Path, harm: Callable[[Path], object]) -> None:
    store = SettingsStore(path)
    store.update(offline=True, threads=2)
    harm(path)
    assert store.update(theme="dark") == Settings(offline=True, threads=2, theme="dark")
    assert SettingsStore(path).get() == store.get()
    path.with_name("settings.json.broken").touch()
    path.write_text("[]")
    SettingsStore(path)


def test_what_another_process_wrote_is_taken_over(path: Path) -> None:
    one, other = SettingsStore(path), SettingsStore(path)
    other.update(offline=True)
    assert one.update(theme="dark") == Settings(offline=True, theme="dark")


def test_offline_counts_at_once_for_a_program_that_runs(path: Path) -> None:
    running, other = SettingsStore(path), SettingsStore(path)
    heard: list[Settings] = []
    running.on_change(heard.append)
    assert running.latest() == Settings()
    other.update(offline=True)
    assert running.get() == Settings()
    assert running.latest() == running.latest() == running.get() == Settings(offline=True)
    assert heard == [Settings(offline=True)]
    path.unlink()
    assert running.latest() == Settings(offline=True)


@pytest.mark.expect_log("is damaged")
def test_damage_done_while_it_runs_switches_nothing_off(path: Path) -> None:
    store = SettingsStore(path)
    store.update(offline=True, theme="dark")
    path.write_text('{"theme": "light"')
    assert store.latest() == Settings(offline=True, theme="light")


@pytest.mark.expect_log("cannot be read")
def test_what_cannot_be_read_any_more_stays_known(path: Path) -> None:
    store = SettingsStore(path)
    store.update(threads=2)
    path.unlink()
    path.mkdir()
    assert store.latest() == Settings(threads=2)


def test_a_value_of_a_wrong_type_takes_its_default_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    wrong = {"threads": True, "context": "8", "theme": "pink", "model_folders": [1], "gpu_layers": -1, "language": "de"}
    path.write_text(json.dumps(wrong))
    assert SettingsStore(path).get() == Settings(language="de")
    assert caplog.text.count("is not valid") == 5


def test_wrong_changes_are_refused_and_change_nothing(path: Path) -> None:
    store = SettingsStore(path)
    with pytest.raises(ValueError, match="threads"):
        store.update(threads="four", offline=True)
    with pytest.raises(TypeError):
        store.update(unknown=1)
    assert store.get() == Settings()
    assert not path.exists()


def test_listeners_hear_of_changes_until_taken_back(path: Path) -> None:
    store = SettingsStore(path)
    heard: list[Settings] = []
    forget = store.on_change(heard.append)
    store.update(offline=True)
    forget()
    forget()
    store.update(offline=False)
    assert heard == [Settings(offline=True)]


@pytest.mark.expect_log("cannot be read")
def test_a_file_that_cannot_be_written_is_one_sentence(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "in-the-way").touch()
    store = SettingsStore(path)
    with pytest.raises(AppError) as caught:
        store.update(offline=True)
    assert caught.value.code == "settings-not-saved"
    assert store.get() == Settings(offline=True)  # nobody knows what is set
    assert store.problem is not None
    assert store.problem.code == "settings-unreadable"
    assert not list(path.parent.glob(".settings*"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from([field.name for field in dataclasses.fields(Settings)]) | st.text()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, json_values, max_size=8))
def test_any_json_object_is_read_and_kept(
    path: Path, caplog: pytest.LogCaptureFixture, stored: dict[str, object]
) -> None:
    caplog.set_level(logging.CRITICAL)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(stored))
    store = SettingsStore(path)
    assert isinstance(store.get().threads, int | None)
    store.update(keep_reasoning_open=True)
    assert json.loads(path.read_text()) == {**stored, "keep_reasoning_open": True}
