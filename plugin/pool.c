/* Records in chunks that stay where they are. */
#include "pool.h"

#define CHUNK 1024 /* records */

struct rxtx_pool {
    gsize record_size;
    guint32 count;
    GPtrArray *chunks;
};

rxtx_pool *rxtx_pool_new(gsize record_size)
{
    rxtx_pool *pool = g_new0(rxtx_pool, 1);

    pool->record_size = record_size;
    pool->chunks = g_ptr_array_new_with_free_func(g_free);
    return pool;
}

void rxtx_pool_free(rxtx_pool *pool)
{
    if (pool == NULL)
        return;
    g_ptr_array_unref(pool->chunks);
    g_free(pool);
}

void *rxtx_pool_add(rxtx_pool *pool)
{
    if (pool->count % CHUNK == 0)
        g_ptr_array_add(pool->chunks, g_malloc0_n(CHUNK, pool->record_size));
    return rxtx_pool_get(pool, pool->count++);
}

guint32 rxtx_pool_count(const rxtx_pool *pool)
{
    return pool->count;
}

void *rxtx_pool_get(const rxtx_pool *pool, guint32 number)
{
    char *chunk = (char *)g_ptr_array_index(pool->chunks, number / CHUNK);

    return chunk + number % CHUNK * pool->record_size;
}
