// Put before every file of llama.cpp, whatever the compiler; it mends what goes wrong on some Intel processors.

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

// Up to version 12, GCC's _tile_loadconfig tells the compiler of 8 of the 64 bytes it reads: what ggml writes to the
// others is optimized away, and its AMX kernels die at their first instruction.
#if defined(__AMX_TILE__) && !defined(__clang__)
#define _tile_loadconfig(config) __asm__ volatile("ldtilecfg\t%X0" ::"m"(*(const char(*)[64])(config)))
#endif

// With half precision's own arithmetic flash attention is half as fast as with f32's, and less exact. Programs built
// for every processor never use it.
#undef __AVX512FP16__
#endif
