/* Kernels of SSE4.1. */
#include <string.h>

#include "kernels.h"
#ifdef HAS_X86
#include <smmintrin.h>

/* Behind the headers, whose functions have targets of their own. */
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC target("sse4.1")
#endif

#define LANES 4
#define TILE 3
#define NAME(name) name##_sse41
typedef __m128i V;
typedef __m128i two;

static inline V zero(void) { return _mm_setzero_si128(); }
static inline V set1(int32_t n) { return _mm_set1_epi32(n); }
static inline V load(const void *p) { return _mm_loadu_si128((const V *)p); }
static inline V load16(const int16_t *p) { return _mm_cvtepi16_epi32(_mm_loadl_epi64((const V *)p)); }
static inline void store(void *p, V a) { _mm_storeu_si128((V *)p, a); }
static inline void store16(int16_t *p, V a) { _mm_storel_epi64((V *)p, _mm_packs_epi32(a, a)); }
static inline V add(V a, V b) { return _mm_add_epi32(a, b); }
static inline V sub(V a, V b) { return _mm_sub_epi32(a, b); }
static inline V and_(V a, V b) { return _mm_and_si128(a, b); }
static inline V min_(V a, V b) { return _mm_min_epi32(a, b); }
static inline V max_(V a, V b) { return _mm_max_epi32(a, b); }
static inline V sra(V a, int n) { return _mm_sra_epi32(a, _mm_cvtsi32_si128(n)); }
static inline V sll(V a, int n) { return _mm_sll_epi32(a, _mm_cvtsi32_si128(n)); }
static inline V float_bits(V a) { return _mm_castps_si128(_mm_cvtepi32_ps(a)); }
static inline V pair(V a, V b) { return _mm_blend_epi16(a, _mm_slli_epi32(b, 16), 0xaa); }
static inline two broadcast(const int16_t *p) {
    int32_t n;
    memcpy(&n, p, sizeof n);
    return _mm_set1_epi32(n);
}
static inline V madd(V acc, const int16_t *w, two x) {
    return _mm_add_epi32(acc, _mm_madd_epi16(load(w), x));
}

#include "kernels.inc"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
