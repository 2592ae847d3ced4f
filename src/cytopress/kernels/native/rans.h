/* Interleaved rANS: the same words as constriction's AnsCoder in each lane. */
#ifndef CYTOPRESS_RANS_H
#define CYTOPRESS_RANS_H

#include <stddef.h>
#include <stdint.h>

/* Those of rans.py. */
#define PRECISION 24
#define MOST_LANES 16
#define PIECE (1 << 18)
#define COARSE 10

typedef struct {
    const uint32_t *cdf;    /* (rows, columns): counts up to 1 << PRECISION */
    const int32_t *size;    /* symbols of each row, below columns */
    const int32_t *offset;  /* value of each row's first symbol */
    const uint16_t *coarse; /* (rows, 1 << COARSE): the symbol of a slot's upper bits */
    const uint16_t *likely; /* the symbol of each row that takes most of it */
    int rows;
    ptrdiff_t columns;
} rans_tables;

/* Stands for a row's last symbol among values. */
#define ESCAPE INT32_MIN

#define MOST_ROWS 256

/* The places of pieces, sorted by row: within a piece those of row r end at ends[r]. */
typedef struct {
    uint32_t *places; /* (count,) of each piece from 0 */
    int32_t *ends;    /* (pieces, MOST_ROWS) */
    ptrdiff_t count;  /* at most */
} rans_order;

void rans_sort(const uint8_t *rows, int count, uint32_t *places, int32_t ends[MOST_ROWS]);
/* Returns OK, NO_MEMORY, or OUT_OF_RANGE where a row is no table. Without an order it sorts. Where not
   all lanes are decoded, `out` is 0 everywhere. Of each lane and piece it counts the escapes: (lanes,
   pieces). */
int rans_decode(const rans_tables *t, const uint8_t *rows, ptrdiff_t count, const rans_order *sorted,
                const uint32_t *words, const int64_t *starts, int64_t *ends, uint64_t *states,
                int64_t *escapes, int lanes, int first, int end, int32_t *out);
/* Returns 0, or 1 without memory. Symbols are below their row's size. Room is for `room` words in each lane, enough for its share. */
int rans_encode(const rans_tables *t, const uint8_t *rows, const uint16_t *symbols, ptrdiff_t count,
                uint64_t *states, int lanes, uint32_t *words, ptrdiff_t room, int64_t *counts);
/* Symbols of values by row, the last one where a value is not in its table: return how many are not.
   There is room for `count` of their places. */
int64_t rans_symbols(const rans_tables *t, const int32_t *values, const uint8_t *rows, ptrdiff_t count,
                     uint16_t *symbols, int32_t *places);

#endif
