/* Kernels of AVX-512 with VNNI, in vectors of 256 bits: a product of pairs and its sum are one step. */
#include <string.h>

#include "kernels.h"
#ifdef HAS_X86
#include <immintrin.h>

/* Behind the headers, whose functions have targets of their own. */
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vnni")
#endif

#define LANES 8
#define TILE 8
#define NAME(name) name##_avx512

#include "vectors_256.h"

static inline V madd(V acc, const int16_t *w, two x) {
    return _mm256_dpwssd_epi32(acc, load(w), x);
}

#include "kernels.inc"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
