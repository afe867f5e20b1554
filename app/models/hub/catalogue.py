"""The curated list of models (``resources/catalogue.json``), and a first word on whether one fits this machine."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.resources import files
from typing import Any

import psutil

from app.domain.library import CatalogueModel, CatalogueQuantization, Fit, FitVerdict
from app.domain.models import SamplingValues
from app.domain.sizes import disk_size
from app.gguf.names import bare_name

# Besides its file a model needs memory for the context and for computing; rough, until the placement plans it.
_OVERHEAD = 1.08
_OVERHEAD_BYTES = 1 << 30


def load_catalogue(text: str | None = None) -> tuple[CatalogueModel, ...]:
    """From small to large. Raises ValueError, KeyError or TypeError for a file that is not of this form: a bug."""
    source = text or files("resources").joinpath("catalogue.json").read_text(encoding="utf-8")
    return tuple(map(_model, json.loads(source)["models"]))


def entry_for(repository: str, catalogue: Sequence[CatalogueModel]) -> CatalogueModel | None:
    """The entry of a repository, by its GGUF or its original name."""
    key = repository.casefold()
    return next((item for item in catalogue if key in (item.repository.casefold(), item.original.casefold())), None)


def entry_for_file(name: str, catalogue: Sequence[CatalogueModel]) -> CatalogueModel | None:
    """The entry of a model by its file's name, whoever quantized it: ``gpt-oss-20b-mxfp4``,
    ``zai-org_GLM-4.7-Flash-Q4_K_M``."""
    key = bare_name(name).casefold()
    return next(
        (item for item in catalogue if key in (item.original.casefold().replace("/", "_"), _base(item.original))), None
    )


def catalogued_sampling(catalogue: Sequence[CatalogueModel], name: str, at_once: bool) -> SamplingValues:
    """How tokens of the model whose file is called ``name`` are drawn; ``at_once``: it answers without reasoning."""
    entry = entry_for_file(name, catalogue)
    if entry is None:
        return SamplingValues()
    return (entry.sampling_at_once if at_once else None) or entry.sampling


def _base(repository: str) -> str:
    return repository.rpartition("/")[2].casefold()


def fits(size: int, *, free_memory: int | None = None, gpu_memory: int = 0) -> FitVerdict:
    """``size``: of the model's files; ``free_memory`` (default: asked for) and ``gpu_memory`` in bytes."""
    memory = psutil.virtual_memory().available if free_memory is None else free_memory
    needed = int(size * _OVERHEAD) + _OVERHEAD_BYTES
    wanted = disk_size(needed)
    if gpu_memory and needed <= gpu_memory:
        return FitVerdict(Fit.GPU, f"Fits on the graphics card: needs about {wanted} of {disk_size(gpu_memory)}.")
    have = disk_size(memory + gpu_memory)
    if needed <= memory + gpu_memory:
        return FitVerdict(Fit.MEMORY, f"Fits into memory: needs about {wanted} of {have} that are free.")
    sentence = f"Larger than memory: needs about {wanted}, {have} are free; it would be read from the disk, slowly."
    return FitVerdict(Fit.DISK, sentence)


def _model(stored: Mapping[str, Any]) -> CatalogueModel:
    licence, at_once = stored["licence"], stored.get("sampling_at_once")
    values = {
        **stored,
        "licence": licence["name"],
        "licence_page": licence["page"],
        "licence_asks": licence["asks"],
        "sampling": SamplingValues(**stored["sampling"]),
        "sampling_at_once": SamplingValues(**at_once) if at_once is not None else None,
        "quantizations": tuple(CatalogueQuantization(**item) for item in stored["quantizations"]),
    }
    return CatalogueModel(**{field.name: values[field.name] for field in fields(CatalogueModel)})
