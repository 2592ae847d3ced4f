/* Kernels of AVX2. */
#include <string.h>

#include "kernels.h"
#ifdef HAS_X86
#include <immintrin.h>

/* Behind the headers, whose functions have targets of their own. */
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC target("avx2")
#endif

#define LANES 8
#define TILE 6
#define NAME(name) name##_avx2

#include "vectors_256.h"

static inline V madd(V acc, const int16_t *w, two x) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(load(w), x));
}

#include "kernels.inc"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
