"""llama-cpp-python with llama.cpp built for every processor: one library a generation, chosen when the program starts.

The wheel of the environment is built for the machine it was built on, and dies on an older one. This one is built once
into `.cache/portable` and goes into frozen programs only. It takes four to six times as long.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import downloads
from compiler import MARK, compiler_environment
from console import Stop, quiet, step
from environment import CACHE, find_uv, program

HOME = CACHE / "portable"
_FLAGS = (
    "-DLLAVA_BUILD=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DGGML_NATIVE=OFF",
    # The backends become files of their own. llama-cpp-python installs those only where CMake's standard folders are.
    "-DGGML_BACKEND_DL=ON",
    "-DCMAKE_INSTALL_BINDIR=llama_cpp/lib",
    "-DCMAKE_INSTALL_LIBDIR=llama_cpp/lib",
    "-DCMAKE_INSTALL_INCLUDEDIR=llama_cpp/include",
    "-DGGML_CPU_ALL_VARIANTS=ON",
)
_RPATH = {"linux": ("-DCMAKE_INSTALL_RPATH=$ORIGIN",), "darwin": ("-DCMAKE_INSTALL_RPATH=@loader_path",)}


def flags(platform: str = sys.platform) -> tuple[str, ...]:
    """CMake's options. What `ALCOVE_CMAKE_ARGS` holds is added: release builds ask for `-DGGML_VULKAN=ON` with it."""
    return _FLAGS + _RPATH.get(platform, ()) + tuple(os.environ.get("ALCOVE_CMAKE_ARGS", "").split())


def wheel() -> Path:
    """The wheel, built where the cache does not hold one of the same source and options."""
    version, checksum = downloads.locked_source()
    made_from = hashlib.sha256("\n".join((checksum, sys.platform, *flags(), MARK)).encode()).hexdigest()[:12]
    folder = HOME / f"{version}-{made_from}"
    found = next(folder.glob("*.whl"), None)
    if found is not None:
        return found
    archive = downloads.fetch_source()
    part = HOME / f"{folder.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    build: list[str | Path] = [find_uv(), "build", "--wheel", "--no-create-gitignore", "--python", program("python")]
    # The build tool asks for as many compilers as there are cores unless this says otherwise.
    jobs = {"CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1)}
    env = jobs | compiler_environment() | {"CMAKE_ARGS": " ".join(flags())}
    with step("Building llama.cpp for every processor (once; 20 to 40 minutes on two cores)"):
        quiet([*build, "--out-dir", part, archive], "llama.cpp could not be built: see the words above.", env=env)
    if next(part.glob("*.whl"), None) is None:
        raise Stop("The build of llama.cpp left no wheel.")
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)
    return next(folder.glob("*.whl"))
