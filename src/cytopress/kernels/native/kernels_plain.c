/* Kernels without intrinsics: compilers turn these loops into what the baseline has.

   Sums are unsigned: whoever calls with weights that were not proved gets other sums, and no more. */
#include <string.h>

#include "kernels.h"

#define LANES 8
#define TILE 2
#define NAME(name) name##_plain
typedef struct { int32_t lane[LANES]; } V;
#define EACH for (int i = 0; i < LANES; i++)

static inline V zero(void) { V a; EACH a.lane[i] = 0; return a; }
static inline V set1(int32_t n) { V a; EACH a.lane[i] = n; return a; }
static inline V load(const void *p) { const int32_t *q = p; V a; EACH a.lane[i] = q[i]; return a; }
static inline V load16(const int16_t *p) { V a; EACH a.lane[i] = p[i]; return a; }
static inline void store(void *p, V a) { int32_t *q = p; EACH q[i] = a.lane[i]; }
static inline void store16(int16_t *p, V a) { EACH p[i] = (int16_t)a.lane[i]; }
static inline V add(V a, V b) { EACH a.lane[i] = (int32_t)((uint32_t)a.lane[i] + (uint32_t)b.lane[i]); return a; }
static inline V sub(V a, V b) { EACH a.lane[i] = (int32_t)((uint32_t)a.lane[i] - (uint32_t)b.lane[i]); return a; }
static inline V and_(V a, V b) { EACH a.lane[i] &= b.lane[i]; return a; }
static inline V min_(V a, V b) { EACH a.lane[i] = a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; return a; }
static inline V max_(V a, V b) { EACH a.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; return a; }
static inline V sra(V a, int n) { EACH a.lane[i] >>= n; return a; }
static inline V sll(V a, int n) { EACH a.lane[i] = (int32_t)((uint32_t)a.lane[i] << n); return a; }
static inline V float_bits(V a) {
    float numbers[LANES];
    EACH numbers[i] = (float)a.lane[i];
    memcpy(a.lane, numbers, sizeof numbers);
    return a;
}
/* Pairs of 16 bits, the first one low. */
static inline V pair(V a, V b) {
    EACH a.lane[i] = (int32_t)(((uint32_t)a.lane[i] & 0xffff) | (uint32_t)b.lane[i] << 16);
    return a;
}
typedef struct { int16_t first, second; } two;
static inline two broadcast(const int16_t *p) { two t = {p[0], p[1]}; return t; }
/* acc + w * x: by lane the sum of the products of a pair. */
static inline V madd(V acc, const int16_t *w, two x) {
    EACH {
        uint32_t products = (uint32_t)(w[2 * i] * x.first) + (uint32_t)(w[2 * i + 1] * x.second);
        acc.lane[i] = (int32_t)((uint32_t)acc.lane[i] + products);
    }
    return acc;
}

#include "kernels.inc"
