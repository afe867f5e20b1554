import stat
import sys
from pathlib import Path

import pytest

from app.domain.errors import AppError
from app.storage.paths import Paths


def test_alcove_home_keeps_everything_below_it(tmp_path: Path) -> None:
    home = tmp_path / "a" / "home"
    paths = Paths.default({"ALCOVE_HOME": str(home)})
    assert not home.exists()
    paths.create()
    for path in (paths.data, paths.config, paths.cache, paths.models, paths.logs):
        assert path.is_dir()
        assert path.is_relative_to(home)
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for file in (paths.chats_db, paths.documents_db, paths.settings_file):
        assert file.is_relative_to(home)
        assert not file.exists()
    assert paths.create() == paths


def test_without_it_the_systems_folders_are_used(tmp_path: Path) -> None:
    paths = Paths.default({})
    assert paths.data.is_absolute()
    assert "alcove" in str(paths.data)
    assert len({paths.data, paths.cache, paths.models, paths.logs}) == 4


def test_a_file_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AppError, match="cannot be made") as caught:
        Paths.below(tmp_path / "file").create()
    assert caught.value.code == "folder-unusable"
