"""llama.cpp's C functions. Importing this module loads the native library and its backends.

`lib` is llama_cpp's low-level module (its C functions and structures under their own names). The functions for devices
are not bound there and are bound here. Callbacks that C keeps are held by this module for the life of the process: a
collected log callback crashes.
"""

import ctypes
import importlib
import importlib.util
import os
import re
import sys
import types
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Read when the libraries are loaded. An abort must not start a debugger, and OpenMP threads that wait must give the
# core back soon: spinning without end collapses as soon as another program wants a core.
os.environ.setdefault("GGML_NO_BACKTRACE", "1")
os.environ.setdefault("GOMP_SPINCOUNT", "100000")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads would stand in the way of llama.cpp's
# Native code comes from the program's own folder, whatever the environment of whoever started it says.
for _variable in ("GGML_BACKEND_PATH", "LLAMA_CPP_LIB_PATH"):
    os.environ.pop(_variable, None)


def _import_low_level() -> Any:
    """llama_cpp.llama_cpp without the package's own ``__init__``.

    That one imports numpy, jinja2 and the high-level classes: 0.6 s instead of 0.08 s, and 30 MB more.
    """
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None:
        raise ImportError("llama_cpp is not installed")
    package = types.ModuleType("llama_cpp")
    package.__spec__ = spec
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules["llama_cpp"] = package
    return importlib.import_module("llama_cpp.llama_cpp")


lib: Any = _import_low_level()

GGML_LOG_WARN, GGML_LOG_ERROR, GGML_LOG_CONT = 3, 4, 5  # enum ggml_log_level
_BACKEND_LOADED = re.compile(r"loaded \S+ backend from (.+)")  # what ggml-backend-reg.cpp says of each library
_log: deque[str] = deque(maxlen=100)
_log_kept = False
_backends: list[str] = []


@lib.llama_log_callback  # type: ignore[untyped-decorator]  # llama_cpp is not typed
def _on_log(level: int, text: bytes | None, _user: int | None) -> None:
    global _log_kept
    if level != GGML_LOG_CONT:
        _log_kept = level in (GGML_LOG_WARN, GGML_LOG_ERROR)
    if _log_kept and text:
        _log.append(text.decode("utf-8", "replace").rstrip())
    elif text and (loaded := _BACKEND_LOADED.search(text.decode("utf-8", "replace"))):
        _backends.append(loaded[1])


def take_log() -> list[str]:
    """llama.cpp's warnings and errors since the last call."""
    lines = list(_log)
    _log.clear()
    return lines


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A GPU or another accelerator with memory of its own. Memory in bytes."""

    name: str
    description: str
    free: int
    total: int


class _Ggml:
    """The few functions of ggml that llama_cpp does not bind.

    They are looked up through libllama, which sees the libraries that it uses itself. Opened by its path, a library can
    be loaded a second time, with devices of its own: packages hold copies under several names instead of links.
    Windows does not look further than the library itself, but opens none twice.
    """

    def __init__(self, folder: Path) -> None:
        others = [folder / f"{stem}.dll" for stem in ("ggml", "ggml-base")]
        llama = lib._lib  # noqa: SLF001 - the handle, which llama_cpp offers under no other name
        self._libraries = [llama, *(ctypes.CDLL(str(path)) for path in others if path.exists())]

    def bind(self, name: str, result: Any, arguments: Sequence[Any]) -> Any:
        for library in self._libraries:
            if hasattr(library, name):
                function = library[name]  # an object of our own: by attribute it is the one that llama_cpp uses
                function.restype = result
                function.argtypes = list(arguments)
                return function
        raise ImportError(f"{name} is not in llama.cpp's libraries")


_folder = Path(lib.__file__).parent / "lib"
_ggml = _Ggml(_folder)
_pointer = ctypes.c_void_p
_backend_count = _ggml.bind("ggml_backend_reg_count", ctypes.c_size_t, ())
_load_backends = _ggml.bind("ggml_backend_load_all_from_path", None, (ctypes.c_char_p,))
_device_count = _ggml.bind("ggml_backend_dev_count", ctypes.c_size_t, ())
_device_get = _ggml.bind("ggml_backend_dev_get", _pointer, (ctypes.c_size_t,))
_device_name = _ggml.bind("ggml_backend_dev_name", ctypes.c_char_p, (_pointer,))
_device_description = _ggml.bind("ggml_backend_dev_description", ctypes.c_char_p, (_pointer,))
_device_type = _ggml.bind("ggml_backend_dev_type", ctypes.c_int, (_pointer,))
_device_memory = _ggml.bind(
    "ggml_backend_dev_memory", None, (_pointer, ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_size_t))
)
_cpu_buffer_type = _ggml.bind("ggml_backend_cpu_buffer_type", _pointer, ())
_device_backend = _ggml.bind("ggml_backend_dev_backend_reg", _pointer, (_pointer,))
_backend_function = _ggml.bind("ggml_backend_reg_get_proc_address", _pointer, (_pointer, ctypes.c_char_p))
_attach_pool = _ggml.bind("llama_attach_threadpool", None, (_pointer, _pointer, _pointer))
_detach_pool = _ggml.bind("llama_detach_threadpool", None, (_pointer,))
_logits = _ggml.bind("llama_get_logits_ith", _pointer, (_pointer, ctypes.c_int32))
_buffer_type_name = _ggml.bind("ggml_backend_buft_name", ctypes.c_char_p, (_pointer,))
_ExtraBufferTypes = ctypes.CFUNCTYPE(ctypes.POINTER(_pointer), _pointer)  # ggml_backend_dev_get_extra_bufts_t
_DEVICE_CPU, _DEVICE_GPUS = 0, (1, 2)  # enum ggml_backend_dev_type: GPU, integrated GPU


def start() -> None:
    """Initialize llama.cpp; once a process.

    Backends built as separate libraries are taken from our own folder only: llama.cpp's own search would look in the
    current directory.
    """
    lib.llama_log_set(_on_log, None)
    if _backend_count() == 0:
        _load_backends(os.fsencode(_folder))
    lib.llama_backend_init()


def backends() -> tuple[str, ...]:
    """Paths of the backend libraries that ``start`` chose for this machine; empty where they are built in."""
    return tuple(_backends)


def build() -> str:
    """Tells builds of llama.cpp apart, well enough to know whether they read each other's states."""
    libraries = [path for path in sorted(_folder.iterdir()) if path.is_file()]
    return " ".join(f"{path.name}:{path.stat().st_size}" for path in libraries)


def cpu_buffer_type() -> int:
    """Plain memory, as ``tensor_buft_overrides`` names it."""
    return int(_cpu_buffer_type())


def has_amx() -> bool:
    """Whether the CPU's backend would lay weights out for this processor's matrix units."""
    for device, function in _of_processors(b"ggml_backend_dev_get_extra_bufts"):
        found = _ExtraBufferTypes(function)(device)
        index = 0
        while found and found[index]:  # zero ends it
            if _buffer_type_name(found[index]) == b"AMX":
                return True
            index += 1
    return False


def _of_processors(function: bytes) -> Iterator[tuple[int, int]]:
    """Devices that are processors, with the address of a function that their backend offers under that name."""
    for device in _devices():
        address = _device_type(device) == _DEVICE_CPU and _backend_function(_device_backend(device), function)
        if address:
            yield device, address


def has_openmp() -> bool:
    """Whether the CPU's backend computes with OpenMP's threads."""
    return b"OPENMP = 1" in lib.llama_print_system_info()


def new_thread_pool(params: ctypes.Structure) -> int | None:
    """A ``ggml_threadpool`` for ``attach_thread_pool``, from ``ggml_threadpool_params``; None where there is none.

    It lives until the process ends.
    """
    for _, function in _of_processors(b"ggml_threadpool_new"):
        pool = ctypes.CFUNCTYPE(_pointer, _pointer)(function)(ctypes.addressof(params))
        return int(pool) if pool else None
    return None


def attach_thread_pool(context: Any, pool: int | None) -> None:
    """Both prompts and answers are computed by its threads from now on; None: by those that ggml makes itself."""
    if pool is None:
        _detach_pool(context)
    else:
        _attach_pool(context, pool, None)


def logits(context: Any) -> int:
    """Address of the last token's logits, an f32 for each token of the vocabulary, until the next token is computed."""
    return int(_logits(context, -1))


def gpus() -> list[Accelerator]:
    """GPUs in llama.cpp's order, with the memory that is free now."""
    return [_describe(handle) for handle in _devices() if _device_type(handle) in _DEVICE_GPUS]


def processor() -> str:
    """The CPU in words, as its backend calls it."""
    names = [_device_description(handle) for handle in _devices() if _device_type(handle) == _DEVICE_CPU]
    return names[0].decode("utf-8", "replace").strip() if names else "CPU"


def _devices() -> list[int]:
    return [_device_get(index) for index in range(_device_count())]


def _describe(handle: int) -> Accelerator:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    _device_memory(handle, ctypes.byref(free), ctypes.byref(total))
    name, description = _device_name(handle), _device_description(handle)
    return Accelerator(name.decode("utf-8", "replace"), description.decode("utf-8", "replace"), free.value, total.value)


def abort_callback() -> Any:
    """libc's ``strlen`` as ggml's abort callback.

    Over a two-byte buffer whose second byte stays 0 it is true as soon as the first byte is not 0. A Python callback
    would take the interpreter's lock at every node of the graph.
    """
    libc = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    return lib.ggml_abort_callback(ctypes.cast(libc.strlen, ctypes.c_void_p).value)
