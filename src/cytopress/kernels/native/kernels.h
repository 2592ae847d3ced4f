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
/* Bits of fraction of logarithms: that of places.py. */
#define LOG_BITS 8

enum { OK = 0, NO_MEMORY = 1, OUT_OF_RANGE = 2 };

typedef struct {
    const int16_t *x, *weights;
    const int32_t *bias; /* with half of what is rounded off */
    const void *residual;
    void *out;
    /* The rows at which these arrays start. */
    int x_top, residual_top, out_top;
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
    int in_top, out_top; /* the row of blocks, and of pixels, at which they start */
    int height, width, size, shift_y, shift_x;
    int channels; /* of an analysis: of each block of latents, of which size * size are written */
} lapped;

/* Channels of some places of an array of int32, (height, width, more channels). */
typedef struct {
    int32_t *at;           /* the first channel of the first place */
    ptrdiff_t step;        /* numbers from one place to the next */
    int height, width, channels;
    const int32_t *places; /* NULL of all */
    ptrdiff_t count;
} part;

static inline int32_t *place_of(const part *p, ptrdiff_t number) {
    return p->at + (p->places ? p->places[number] : number) * p->step;
}

typedef struct {
    const int32_t *values;
    const int8_t *which;
    const int16_t *matrices;
    int count, channels, shift, fraction, most;
} block_matrices;

/* Rows of pixels of a band, and of the background that is added to it. */
typedef struct {
    const int32_t *in;
    void *out;
    const int64_t *lines;         /* (grid rows, width): the grid, interpolated along x */
    const int32_t *above, *below; /* of each row: the grid row above, and how far below it */
    int in_top;                   /* the row at which "in" starts */
    ptrdiff_t in_width, width;
    int grid, scale, smooth_shift; /* of the background: grid rows, what a line is multiplied by */
    int shift, span, middle, high;
} pixels;

/* Latents of a plane to its pixels. */
#define MOST_LAYERS 16
typedef struct {
    part latents;           /* (height, width, channels) */
    const int64_t *factors; /* of each channel */
    int shift, narrow_shift;
    convolution layers[MOST_LAYERS]; /* the last one adds to the latents */
    int count;
    lapped transform;
    pixels rounding;
    ptrdiff_t rows; /* of pixels */
    int out_bytes;  /* 4 of numbers that are not rounded */
} plane_synthesis;

/* What decoded latents add to the means and scale indices of others. */
typedef struct {
    part known, features, mean, index; /* of listed places all four, or of all */
    const int32_t *offsets;
    int near, shift;
    int same_features; /* the features of one place are those of all */
    convolution hidden, of_mean, of_index;
} context_step;

/* Hyper-latents to parts of channels, through layers and the pixel shuffles behind them. */
#define MOST_PARTS 4
typedef struct {
    const int32_t *z; /* (height, width, channels), clipped to `most` */
    int height, width, channels, most;
    convolution layers[MOST_LAYERS], last[MOST_PARTS]; /* the last ones are side by side */
    int upsample[MOST_LAYERS];
    int count, parts;
} shuffled_convolutions;

/* Bounds of rate_distortion.py: of what is quantized, of the bits rounded off a transform's inputs,
   and of the fraction of its matrices. */
#define MOST_QUANTIZED (1 << 30)
#define MOST_DOWN 5
#define TRANSFORM_BITS 14

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

/* Lines that rows are interpolated between, and what is less by them: (rows, width). */
typedef struct {
    const int64_t *lines;
    const int32_t *above, *below;
    int32_t *to;
    ptrdiff_t width;
    int grid, scale, shift;
} lines;

/* A matrix over a stack of arrays of int32, (places, channels) each. */
#define MOST_PAIRS 32

typedef struct {
    const int32_t *const *stack;
    const int16_t *matrix; /* (outputs, pairs of inputs, 2): inputs are the rows of each array */
    const int32_t *order;  /* (rows, count): the channel of each number, or `channels`, which is 0;
                              NULL of arrays that are one row */
    int32_t *out;          /* (outputs, places, count) */
    ptrdiff_t places;
    int arrays, rows, channels, count, outputs, shift;
} stack_matrix;

typedef struct {
    int (*convolve)(const convolution *c, int first, int end);
    int (*synthesis)(const lapped *l, int first, int end);
    int (*analysis)(const lapped *l, int first, int end);
    int (*add_blocks)(const block_matrices *b, const part *to, ptrdiff_t first, ptrdiff_t end);
    void (*activity)(const part *p, const int32_t *bias, int least, int drop, int classes, int8_t *out,
                     int shift, int most, uint8_t *rows, ptrdiff_t first, ptrdiff_t end);
    void (*table_rows)(const part *p, const int32_t *bias, const int8_t *which, int shift, int most,
                       int kept, uint8_t *out, ptrdiff_t first, ptrdiff_t end);
    void (*add_values)(const part *p, const int32_t *values, ptrdiff_t first, ptrdiff_t end);
    void (*neighborhoods)(const part *p, const int32_t *offsets, int near, int shift, int16_t *logs,
                          int16_t *narrow, ptrdiff_t first, ptrdiff_t end);
    void (*dequantized)(const part *p, const int64_t *factors, int shift, int narrow_shift, int32_t *out,
                        int16_t *narrow, ptrdiff_t first, ptrdiff_t end);
    int (*pixels8)(const pixels *p, ptrdiff_t first, ptrdiff_t end);
    int (*pixels16)(const pixels *p, ptrdiff_t first, ptrdiff_t end);
    int (*cheapest)(const transforms *t, ptrdiff_t first, ptrdiff_t end, int64_t *saved);
    int (*forward)(const transforms *t, ptrdiff_t first, ptrdiff_t end);
    void (*quantized)(const quantization *q, ptrdiff_t first, ptrdiff_t end);
    void (*fractions8)(const fractions *f, ptrdiff_t first, ptrdiff_t end);
    void (*fractions16)(const fractions *f, ptrdiff_t first, ptrdiff_t end);
    void (*narrowed)(const int32_t *from, int16_t *to, int shift, ptrdiff_t first, ptrdiff_t end);
    void (*subtract_lines)(const lines *l, ptrdiff_t first, ptrdiff_t end);
    int (*plane)(const plane_synthesis *p, int first, int end);
    int (*stack_product)(const stack_matrix *s, ptrdiff_t first, ptrdiff_t end);
    int (*context_step)(const context_step *s, ptrdiff_t first, ptrdiff_t end);
    int (*shuffled)(const shuffled_convolutions *h, int first, int end);
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
