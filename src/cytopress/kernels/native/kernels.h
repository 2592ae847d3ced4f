/* Kernels of one instruction set: what module.c checks and calls. */
#ifndef CYTOPRESS_KERNELS_H
#define CYTOPRESS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Output channels that are computed at once: BLOCK of convolution.py. */
#define BLOCK 16
/* No fixed-point value is farther from 0: MOST_VALUE of fixed_point.py. */
#define MOST_VALUE ((1 << 28) - 1)
#define LIMB 15
/* Bounds of block_matrices.py and convolution.py. */
#define MOST_PLAIN (1 << 22)
#define MOST_RESIDUAL ((1 << 30) - 1)

enum { OK = 0, NO_MEMORY = 1, OUT_OF_RANGE = 2 };

typedef struct {
    const int16_t *x, *weights;
    const int32_t *bias; /* with half of what is rounded off */
    const void *residual;
    void *out;
    int height, width, inputs;
    int out_height, out_width, outputs;
    int side, stride, margin;
    int shift, low, high, most;
    int out_bytes, residual_bytes;
} convolution;

typedef struct {
    const int32_t *in, *order;
    const int16_t *along_y, *along_x; /* (size, 2 size): by output, its inputs */
    int32_t *out;
    int height, width, size, shift_y, shift_x;
} lapped;

typedef struct {
    const int32_t *values;
    const int8_t *which;
    const int16_t *matrices;
    int32_t *out;
    int count, channels, shift, fraction, most;
} block_matrices;

/* Numbers that one elementwise step takes: of scaled a factor for each channel. */
typedef struct {
    const int32_t *in;
    void *out;
    const int64_t *factors;
    ptrdiff_t channels;
    int shift, low, high, span, middle;
} elements;

/* Bounds of rate_distortion.py: of what is quantized, of the bits rounded off a transform's inputs,
   and of the fraction of its matrices. */
#define MOST_QUANTIZED (1 << 30)
#define MOST_DOWN 5
#define PLACES 14

typedef struct {
    const int32_t *residual, *index; /* (places, channels) */
    const int8_t *which;             /* of each place: its transform; or its class, -1 for none */
    const int16_t *matrices;
    const int32_t *bias;   /* (count, channels) */
    const uint32_t *costs; /* (rows, 256) */
    const int32_t *choice; /* (classes, 1 + count): what it costs to choose */
    int8_t *chosen;
    int32_t *out;
    int count, channels, rows, weight, bits;
} transforms;

typedef struct {
    const int32_t *residual;
    const uint8_t *rows;
    const uint32_t *costs;
    int32_t *out;
    int weight;
} quantization;

/* Pixels to fixed-point numbers. */
#define PIXEL_SHIFT 30

typedef struct {
    const void *pixels;
    int32_t *out;
    int64_t factor;
    int middle, most;
} fractions;

typedef struct {
    int (*convolve)(const convolution *c, int first, int end);
    int (*synthesis)(const lapped *l, int first, int end);
    int (*analysis)(const lapped *l, int first, int end);
    int (*matrices)(const block_matrices *b, ptrdiff_t first, ptrdiff_t end);
    void (*scaled)(const elements *e, ptrdiff_t first, ptrdiff_t end);
    void (*narrowed)(const elements *e, ptrdiff_t first, ptrdiff_t end);
    void (*rows)(const elements *e, ptrdiff_t first, ptrdiff_t end);
    void (*counts8)(const elements *e, ptrdiff_t first, ptrdiff_t end);
    void (*counts16)(const elements *e, ptrdiff_t first, ptrdiff_t end);
    int (*cheapest)(const transforms *t, ptrdiff_t first, ptrdiff_t end, int64_t *saved);
    int (*forward)(const transforms *t, ptrdiff_t first, ptrdiff_t end);
    void (*quantized)(const quantization *q, ptrdiff_t first, ptrdiff_t end);
    void (*fractions8)(const fractions *f, ptrdiff_t first, ptrdiff_t end);
    void (*fractions16)(const fractions *f, ptrdiff_t first, ptrdiff_t end);
} kernel_table;

/* Numbers of the instruction sets: NUMBERS of paths.py. */
enum { PLAIN = 0, NEON = 1, SSE41 = 2, AVX2 = 3, AVX512 = 4, SETS = 5 };

extern const kernel_table kernels_plain;
#if defined(__x86_64__) || defined(_M_X64)
#define HAS_X86 1
extern const kernel_table kernels_sse41, kernels_avx2, kernels_avx512;
#endif
#if defined(__aarch64__) || defined(_M_ARM64)
#define HAS_NEON 1
extern const kernel_table kernels_neon;
#endif

#endif
