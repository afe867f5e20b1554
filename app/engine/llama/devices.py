"""The child process that tells which devices llama.cpp finds, and ends. Like ``child`` the parent imports it, too."""

from typing import TypeAlias

from app.process.parent import Parent

Found: TypeAlias = tuple[str, int, int]
"""A GPU's description, total and free memory in bytes."""
Answer: TypeAlias = tuple[list[Found], bool]
"""The GPUs in llama.cpp's order, and whether it uses AMX."""


def tell(parent: Parent) -> None:
    """The process's whole life."""
    parent.take_over()
    from app.engine.llama import bindings

    bindings.start()
    gpus = [(device.description or device.name, device.total, device.free) for device in bindings.gpus()]
    parent.connection.send((gpus, bindings.has_amx()))
