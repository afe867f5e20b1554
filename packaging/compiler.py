"""The compiler's environment, wherever llama.cpp is built."""

import hashlib
import os
import shlex
import sys

from console import ROOT

AMX_TILES = ROOT / "packaging" / "linux" / "amx_tiles.h"
MARK = hashlib.sha256(AMX_TILES.read_bytes()).hexdigest()[:12]  # in the name of what was built with it


def compiler_environment(platform: str = sys.platform) -> dict[str, str]:
    """Ours, and on Linux the flag that mends GCC's intrinsic. A build of uv's cache is not made again where this alone
    changes: count ``ALCOVE_BUILD`` in pyproject.toml up."""
    given = dict(os.environ)
    if platform == "linux":
        flags = (given.get("CXXFLAGS", ""), "-include", shlex.quote(str(AMX_TILES)))
        given["CXXFLAGS"] = " ".join(flags).strip()
    return given
