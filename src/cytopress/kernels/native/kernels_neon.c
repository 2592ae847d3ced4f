/* Kernels of NEON, which every 64-bit ARM processor has. */
#include <string.h>

#include "kernels.h"
#ifdef HAS_NEON
#include <arm_neon.h>

#define LANES 4
#define TILE 4
#define NAME(name) name##_neon
typedef int32x4_t V;
typedef int16x8_t two;

static inline V zero(void) { return vdupq_n_s32(0); }
static inline V set1(int32_t n) { return vdupq_n_s32(n); }
static inline V load(const void *p) { return vld1q_s32((const int32_t *)p); }
static inline V load16(const int16_t *p) { return vmovl_s16(vld1_s16(p)); }
static inline void store(void *p, V a) { vst1q_s32((int32_t *)p, a); }
static inline void store16(int16_t *p, V a) { vst1_s16(p, vqmovn_s32(a)); }
static inline V add(V a, V b) { return vaddq_s32(a, b); }
static inline V sub(V a, V b) { return vsubq_s32(a, b); }
static inline V and_(V a, V b) { return vandq_s32(a, b); }
static inline V min_(V a, V b) { return vminq_s32(a, b); }
static inline V max_(V a, V b) { return vmaxq_s32(a, b); }
static inline V sra(V a, int n) { return vshlq_s32(a, vdupq_n_s32(-n)); }
static inline V sll(V a, int n) { return vshlq_s32(a, vdupq_n_s32(n)); }
static inline V float_bits(V a) { return vreinterpretq_s32_f32(vcvtq_f32_s32(a)); }
static inline V pair(V a, V b) { return vsliq_n_s32(vandq_s32(a, vdupq_n_s32(0xffff)), b, 16); }
static inline two broadcast(const int16_t *p) {
    int32_t n;
    memcpy(&n, p, sizeof n);
    return vreinterpretq_s16_s32(vdupq_n_s32(n));
}
static inline V madd(V acc, const int16_t *w, two x) {
    int16x8_t v = vld1q_s16(w);
    int32x4_t low = vmull_s16(vget_low_s16(v), vget_low_s16(x)), high = vmull_high_s16(v, x);
    return vaddq_s32(acc, vpaddq_s32(low, high));
}

#include "kernels.inc"
#endif
