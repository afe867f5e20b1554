"""Loads a model in a process of its own and prints, as JSON, the buffer sizes that llama.cpp logs, in MiB.

``python measure_child.py '{"path": ..., "context": ..., ...}'``. With ``allocate`` false only the compute buffers are
right (llama.cpp's ``no_alloc``), and the model may be larger than the machine. With ``rpc`` (a library built from
llama.cpp's ggml-rpc, and endpoints of its servers) those servers are the GPUs.
"""

import ctypes
import json
import os
import re
import resource
import sys
from collections import defaultdict
from typing import Any

from app.engine.llama import bindings
from app.engine.llama.bindings import lib
from app.engine.placement.graph import OUTPUTS

MEMORY_LIMIT = 6 << 30  # address space of this process
GGML_TYPES = {"f16": 1, "q8_0": 8, "q4_0": 2}
_LINE = re.compile(r"(\S+) +(model|KV|RS|compute|output) buffer size = +([\d.]+) MiB")


class Override(ctypes.Structure):
    _fields_ = [("pattern", ctypes.c_char_p), ("buft", ctypes.c_void_p)]


def main(wish: dict[str, Any]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    text: list[str] = []

    @lib.llama_log_callback
    def on_log(_level: int, line: bytes, _user: object) -> None:
        text.append(line.decode())

    bindings.start()
    if wish.get("rpc"):
        add_servers(wish["rpc"]["library"], wish["rpc"]["endpoints"])
    lib.llama_log_set(on_log, None)
    model, keep = load(wish)
    params = lib.llama_context_default_params()
    params.n_ctx = wish["context"]
    params.n_batch = params.n_ubatch = wish["micro_batch"]
    params.n_outputs_max = min(OUTPUTS, params.n_batch)
    params.flash_attn_type = int(
        wish.get("flash", True)
    )  # on or off; "auto" gives it up where a layer's cache and its attention part
    params.swa_full = wish.get("full_window", True)
    params.type_k, params.type_v = (GGML_TYPES[kind] for kind in wish.get("kv_types", ("f16", "f16")))
    context = model and lib.llama_init_from_model(model, params)
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for line in "".join(text).splitlines():
        if match := _LINE.search(line):
            found[match[1]][match[2]] += float(match[3])
    del keep
    print(
        json.dumps({"ok": bool(context), "buffers": found, "log": [] if context else "".join(text).splitlines()[-15:]})
    )
    sys.stdout.flush()
    os._exit(0)  # servers on loopback may hang on to a connection


def load(wish: dict[str, Any]) -> tuple[Any, list[Any]]:
    params = lib.llama_model_default_params()
    params.n_gpu_layers = wish.get("gpu_layers", 0)
    params.load_mode = 1 if wish.get("mmap") else 0  # llama.h, enum llama_load_mode
    params.use_extra_bufts = wish.get("layouts", True)
    params.no_alloc = not wish.get("allocate", True)
    keep: list[Any] = []
    if wish.get("overrides"):
        cpu = _ggml("ggml-base", "ggml_backend_cpu_buffer_type")
        cpu.restype = ctypes.c_void_p
        buft = cpu()
        overrides = [*((pattern.encode(), buft) for pattern in wish["overrides"]), (None, None)]
        keep.append((Override * len(overrides))(*overrides))
        params.tensor_buft_overrides = ctypes.addressof(keep[0])
    if wish.get("tensor_split"):
        keep.append((ctypes.c_float * lib.llama_max_devices())(*wish["tensor_split"]))
        params.tensor_split = keep[-1]
    return lib.llama_model_load_from_file(wish["path"].encode(), params), keep


def _ggml(library: str, name: str) -> Any:
    """From the library that libllama uses, found by its soname: by its path it would be loaded a second time."""
    return getattr(ctypes.CDLL(f"lib{library}.so.0"), name)


def add_servers(library: str, endpoints: list[str]) -> None:
    register = _ggml("ggml", "ggml_backend_register")
    register.argtypes = (ctypes.c_void_p,)
    rpc = ctypes.CDLL(library)
    rpc.ggml_backend_rpc_add_server.restype = ctypes.c_void_p
    for endpoint in endpoints:
        register(rpc.ggml_backend_rpc_add_server(endpoint.encode()))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
