"""What every build of llama.cpp is compiled with."""

import platform
import shutil
import subprocess

import pytest

TILES = """
#include <immintrin.h>
#include <cstring>
void set() {
    alignas(64) unsigned char config[64];
    std::memset(config, 0, sizeof config);
    config[0] = 1;
    config[50] = 77;
    _tile_loadconfig(config);
}
"""


def test_the_flag_is_added_to_the_persons_own(script, monkeypatch):
    compiler = script("compiler")
    monkeypatch.setenv("CXXFLAGS", "-g")
    flags = compiler.compiler_environment("linux")["CXXFLAGS"]
    assert flags.startswith("-g -include ")
    assert compiler.compiler_environment("linux")["CFLAGS"].endswith("ggml_mended.h")
    assert flags.endswith("ggml_mended.h")
    assert compiler.compiler_environment("win32")["CXXFLAGS"] == "-g"
    monkeypatch.delenv("CXXFLAGS")
    assert compiler.compiler_environment("linux")["CXXFLAGS"].startswith("-include ")
    assert "CXXFLAGS" not in compiler.compiler_environment("darwin")


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="AMX is x86-64's")
@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here")
def test_what_is_written_into_a_tile_configuration_stays(script, tmp_path):
    source = tmp_path / "tiles.cpp"
    source.write_text(TILES, encoding="utf-8")
    command = ["g++", "-O3", "-mamx-tile", "-include", script("compiler").MENDED, "-S", "-o", "-", source]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "ldtilecfg" in made.stdout
    assert "$77" in made.stdout


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="x86-64's")
@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc here")
def test_arithmetic_in_half_precision_is_not_used(script, tmp_path):
    source = tmp_path / "half.c"
    source.write_text("#ifdef __AVX512FP16__\n#error\n#endif\n", encoding="utf-8")
    command = ["gcc", "-march=sapphirerapids", "-include", script("compiler").MENDED, "-fsyntax-only", source]
    subprocess.run(command, check=True, timeout=60)
