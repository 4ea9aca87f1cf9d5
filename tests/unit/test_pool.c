/* Records that stay where they are. What they cost is in test_analysis_memory.c. */
#include <malloc.h>
#include <string.h>

#include "pool.h"

enum { MANY = 5000 };

static void a_record_has_the_number_that_the_count_was_before(void)
{
    g_autoptr(rxtx_pool) pool = rxtx_pool_new(12);

    g_assert_cmpuint(rxtx_pool_count(pool), ==, 0);
    for (guint32 number = 0; number < MANY; number++) {
        void *added = rxtx_pool_add(pool);

        g_assert_cmpuint(rxtx_pool_count(pool), ==, number + 1);
        g_assert_true(rxtx_pool_get(pool, number) == added);
    }
}

static void a_record_never_moves(void)
{
    g_autoptr(rxtx_pool) pool = rxtx_pool_new(sizeof(guint32));
    guint32 *records[MANY];

    for (guint32 i = 0; i < MANY; i++) {
        records[i] = rxtx_pool_add(pool);
        *records[i] = i;
    }
    for (guint32 i = 0; i < MANY; i++) {
        g_assert_true(rxtx_pool_get(pool, i) == records[i]);
        g_assert_cmpuint(*records[i], ==, i);
    }
}

/* Each is checked before and filled after it was added, so one that reaches into its neighbours is seen. */
static void add_and_fill(gsize size)
{
    g_autoptr(rxtx_pool) pool = rxtx_pool_new(size);
    g_autofree guint8 *zeros = g_malloc0(size);
    g_autofree guint8 *ones = g_malloc(size);

    memset(ones, 0xff, size);
    for (guint32 i = 0; i < MANY; i++) {
        void *added = rxtx_pool_add(pool);

        g_assert_cmpmem(added, size, zeros, size);
        memset(added, 0xff, size);
    }
    for (guint32 i = 0; i < MANY; i++)
        g_assert_cmpmem(rxtx_pool_get(pool, i), size, ones, size);
}

static void a_new_record_is_all_zero_whatever_its_size(void)
{
    mallopt(M_PERTURB, 0xaa); /* memory that was not asked to be zero is not */
    add_and_fill(1);
    add_and_fill(7);
    add_and_fill(52);
    mallopt(M_PERTURB, 0);
}

static void pools_do_not_share_anything(void)
{
    g_autoptr(rxtx_pool) one = rxtx_pool_new(4);
    g_autoptr(rxtx_pool) other = rxtx_pool_new(4);

    memset(rxtx_pool_add(one), 1, 4);
    g_assert_cmpuint(rxtx_pool_count(other), ==, 0);
    g_assert_cmpuint(*(guint32 *)rxtx_pool_add(other), ==, 0);
}

static void no_pool_can_be_freed(void)
{
    rxtx_pool_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pool/a record has the number that the count was before",
                    a_record_has_the_number_that_the_count_was_before);
    g_test_add_func("/pool/a record never moves", a_record_never_moves);
    g_test_add_func("/pool/a new record is all zero, whatever its size", a_new_record_is_all_zero_whatever_its_size);
    g_test_add_func("/pool/pools do not share anything", pools_do_not_share_anything);
    g_test_add_func("/pool/no pool can be freed", no_pool_can_be_freed);
    return g_test_run();
}
