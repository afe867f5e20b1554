"""A server of llama.cpp's RPC backend over this machine's processor: a device with memory of its own, on loopback.

``python rpc_server.py LIBRARY PORT``; runs until it is ended.
"""

import ctypes
import resource
import sys

from app.engine.llama import bindings

MEMORY_LIMIT = 4 << 30

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    bindings.start()
    rpc = ctypes.CDLL(sys.argv[1])
    rpc.ggml_backend_rpc_start_server.argtypes = (
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_size_t,
        ctypes.c_void_p,
    )
    device = ctypes.CDLL("libggml.so.0").ggml_backend_dev_get  # by its soname: the one that is loaded
    device.argtypes, device.restype = (ctypes.c_size_t,), ctypes.c_void_p
    devices = (ctypes.c_void_p * 1)(device(0))
    rpc.ggml_backend_rpc_start_server(f"127.0.0.1:{sys.argv[2]}".encode(), None, 1, 1, devices)
