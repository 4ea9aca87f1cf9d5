/* Many small records of one size, numbered from 0, that never move: a pointer to one holds until the pool is freed.
 *
 * Memory comes in chunks, so no more than a chunk is wasted, and nothing is copied as the pool grows.
 */
#pragma once

#include <glib.h>

typedef struct rxtx_pool rxtx_pool;

/* A record is record_size bytes. */
rxtx_pool *rxtx_pool_new(gsize record_size);
void rxtx_pool_free(rxtx_pool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_pool, rxtx_pool_free)

/* Another record, all zero; its number is what rxtx_pool_count() was before. */
void *rxtx_pool_add(rxtx_pool *pool);
guint32 rxtx_pool_count(const rxtx_pool *pool);

/* The record of a number below the count. */
void *rxtx_pool_get(const rxtx_pool *pool, guint32 number);
