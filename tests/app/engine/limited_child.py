"""The engine's real child with a bound on its memory: no damaged file can take the machine's. Spawned processes import
this module by its name."""

from app.domain.models import LoadRequest
from app.engine.learned.saved_states import StateFolder
from app.engine.llama import child
from app.process.parent import Parent

BYTES = 3 << 30  # of address space: the interpreter and llama.cpp's libraries take a good part of it


def run(parent: Parent, request: LoadRequest, states: StateFolder | None = None) -> None:
    try:
        import resource
    except ImportError:  # Windows
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    child.run(parent, request, states)
