// Put before every C++ file of llama.cpp. Up to version 12, GCC's _tile_loadconfig tells the compiler of 8 of the 64
// bytes it reads: what ggml writes to the others is optimized away, and its AMX kernels die at their first instruction.

#if defined(__AMX_TILE__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>
#define _tile_loadconfig(config) __asm__ volatile("ldtilecfg\t%X0" ::"m"(*(const char(*)[64])(config)))
#endif
