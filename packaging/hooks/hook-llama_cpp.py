"""PyInstaller's hook for llama-cpp-python: its C functions and llama.cpp's libraries, nothing else of it.

Alcove takes `llama_cpp.llama_cpp` alone, without the package's own `__init__` and what that brings. The libraries stay
where the package looks for them, in `llama_cpp/lib`.
"""

from PyInstaller.utils.hooks import collect_dynamic_libs

hiddenimports = ["llama_cpp.llama_cpp", "llama_cpp._ctypes_extensions", "llama_cpp._ggml"]
excludedimports = ["numpy", "diskcache", "jinja2", "llama_cpp.llama", "llama_cpp.server"]
# llama-common belongs to llama.cpp's own programs.
binaries = [entry for entry in collect_dynamic_libs("llama_cpp") if "llama-common" not in entry[0]]
