/* Vectors of 256 bits, of AVX2 and of AVX-512: included where NAME and the target are set. */
typedef __m256i V;
typedef __m256i two;

static inline V zero(void) { return _mm256_setzero_si256(); }
static inline V set1(int32_t n) { return _mm256_set1_epi32(n); }
static inline V load(const void *p) { return _mm256_loadu_si256((const V *)p); }
static inline V load16(const int16_t *p) {
    return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)p));
}
static inline void store(void *p, V a) { _mm256_storeu_si256((V *)p, a); }
static inline void store16(int16_t *p, V a) {
    __m128i low = _mm256_castsi256_si128(a), high = _mm256_extracti128_si256(a, 1);
    _mm_storeu_si128((__m128i *)p, _mm_packs_epi32(low, high));
}
static inline V add(V a, V b) { return _mm256_add_epi32(a, b); }
static inline V sub(V a, V b) { return _mm256_sub_epi32(a, b); }
static inline V and_(V a, V b) { return _mm256_and_si256(a, b); }
static inline V min_(V a, V b) { return _mm256_min_epi32(a, b); }
static inline V max_(V a, V b) { return _mm256_max_epi32(a, b); }
static inline V sra(V a, int n) { return _mm256_sra_epi32(a, _mm_cvtsi32_si128(n)); }
static inline V sll(V a, int n) { return _mm256_sll_epi32(a, _mm_cvtsi32_si128(n)); }
static inline V float_bits(V a) { return _mm256_castps_si256(_mm256_cvtepi32_ps(a)); }
static inline V pair(V a, V b) { return _mm256_blend_epi16(a, _mm256_slli_epi32(b, 16), 0xaa); }
static inline two broadcast(const int16_t *p) {
    int32_t n;
    memcpy(&n, p, sizeof n);
    return _mm256_set1_epi32(n);
}
