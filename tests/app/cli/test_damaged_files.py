"""Damaged model files on the command line: ``plan``, ``models info`` and ``models import`` answer with a sentence."""

import json
import logging

import pytest

from app.cli import main


@pytest.fixture
def alcove(capsys):
    """Runs a command; its exit status, its records, and what it says on standard error."""
    root = logging.getLogger()
    before = root.handlers[:]

    def run(*words):
        code = main([*words, "--json"])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    yield run
    root.handlers[:] = before


def check(alcove, path, *words):
    code, records, err = alcove(*words, str(path))
    assert code in (0, 1)
    if code:
        assert err.startswith("alcove: ")
        assert err.count("\n") == 1
        assert err.endswith(".\n")
        assert len(err) < 600
    else:
        assert records
        assert err == ""
    return code


def check_all(cases, alcove, folder):
    seen = set()
    for number, case in enumerate(cases):
        path = case.write(folder / str(number))
        seen.add(("plan", check(alcove, path, "plan", "--gpu", "24GB", "--ram", "64GB")))
        seen.add(("info", check(alcove, path, "models", "info")))
        seen.add(("import", check(alcove, path, "models", "import", "--by", "register")))
        _, (record,), _ = alcove("models", "info", str(path))
        assert record["error"] == "" or record["error"].endswith(".")
    assert seen >= {("plan", 0), ("plan", 1), ("info", 0), ("import", 0), ("import", 1)}


def test_each_kind_of_damage_is_one_sentence(alcove, damaged_models, tmp_path):
    cases = damaged_models.cases(damaged_models.sources(), len(damaged_models.KINDS))
    check_all((case for case in cases if len(case.files) == 1), alcove, tmp_path)


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_five_hundred_damaged_files(alcove, damaged_models, tmp_path):
    check_all(damaged_models.cases(damaged_models.sources(), 518), alcove, tmp_path)
