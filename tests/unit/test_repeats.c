/* Frames that come again: when they are repeats, of which original, and when that is an alarm. */
#include <string.h>

#include "repeat.h"

#define MS G_GUINT64_CONSTANT(1000000)

enum { WINDOW_MS = 1000, RATE = 3 };

typedef struct {
    rxtx_repeats *repeats;
    guint32 frame; /* of the last packet */
    char *said;
} fixture;

static const rxtx_repeat_scope one_scope = {.host = 1, .device = 1, .way = 1, .cpu = 0, .len = 60};

static void set_up(fixture *f)
{
    *f = (fixture){.repeats = rxtx_repeats_new(0x1234567890abcdef, WINDOW_MS * MS, RATE)};
}

static void tear_down(fixture *f)
{
    rxtx_repeats_free(f->repeats);
    g_free(f->said);
}

/* "" or "1 of 7": the first repeat of frame 7; with a "!" when it is the one that makes the alarm. */
static const char *take(fixture *f, guint64 time_ns, const rxtx_repeat_scope *scope, const char *bytes)
{
    rxtx_past past = {0};

    rxtx_repeats_next(f->repeats, ++f->frame, time_ns, scope, (const guint8 *)bytes, strlen(bytes), &past);
    g_free(f->said);
    g_assert_true((past.repeat == 0) == (past.repeat_of == 0));
    f->said = past.repeat == 0
                  ? g_strdup("")
                  : g_strdup_printf("%u of %u%s", past.repeat, past.repeat_of, past.repeat_alarm ? "!" : "");
    g_assert_true(past.repeat != 0 || !past.repeat_alarm);
    return f->said;
}

static const char *next(fixture *f, guint64 time_ms, const char *bytes)
{
    return take(f, time_ms * MS, &one_scope, bytes);
}

static void an_original_is_no_repeat_and_its_copies_are_counted(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, 0, "frame"), ==, "");
    g_assert_cmpstr(next(&f, 1, "other"), ==, "");
    g_assert_cmpstr(next(&f, 2, "frame"), ==, "1 of 1");
    g_assert_cmpstr(next(&f, 2, "frame"), ==, "2 of 1");
    g_assert_cmpstr(next(&f, 3, "other"), ==, "1 of 2");
    tear_down(&f);
}

static void a_copy_comes_at_most_a_window_after_the_one_before(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, 0, "frame"), ==, "");
    g_assert_cmpstr(next(&f, 1000, "frame"), ==, "1 of 1");
    g_assert_cmpstr(next(&f, 2000, "frame"), ==, "2 of 1"); /* the window slides with each copy */
    g_assert_cmpstr(take(&f, 3000 * MS + 1, &one_scope, "frame"), ==, "");
    g_assert_cmpstr(next(&f, 3001, "frame"), ==, "1 of 4");
    tear_down(&f);
}

static void what_tells_two_frames_apart_makes_no_repeat(void)
{
    rxtx_repeat_scope scopes[5];
    fixture f;

    set_up(&f);
    for (gsize i = 0; i < G_N_ELEMENTS(scopes); i++)
        scopes[i] = one_scope;
    scopes[0].host++;
    scopes[1].device++;
    scopes[2].way++;
    scopes[3].cpu++;
    scopes[4].len++; /* the same bytes, cut off from a longer frame */
    g_assert_cmpstr(take(&f, 0, &one_scope, "frame"), ==, "");
    for (gsize i = 0; i < G_N_ELEMENTS(scopes); i++)
        g_assert_cmpstr(take(&f, 0, &scopes[i], "frame"), ==, "");
    for (guint i = 0; i < G_N_ELEMENTS(scopes); i++) {
        g_autofree char *expected = g_strdup_printf("1 of %u", i + 2);

        g_assert_cmpstr(take(&f, 0, &scopes[i], "frame"), ==, expected);
    }
    g_assert_cmpstr(take(&f, 0, &one_scope, "frame"), ==, "1 of 1");
    tear_down(&f);
}

static void every_byte_counts(void)
{
    guint8 bytes[300] = {0};
    fixture f;

    set_up(&f);
    for (gsize caplen = 0; caplen <= sizeof bytes; caplen++) { /* zeros of every length are all different */
        rxtx_past past = {0};

        rxtx_repeats_next(f.repeats, ++f.frame, 0, &one_scope, bytes, caplen, &past);
        g_assert_cmpuint(past.repeat, ==, 0);
    }
    for (gsize i = 0; i < sizeof bytes * 8; i++) {
        rxtx_past past = {0};

        bytes[i / 8] ^= (guint8)(1 << i % 8);
        rxtx_repeats_next(f.repeats, ++f.frame, 0, &one_scope, bytes, sizeof bytes, &past);
        g_assert_cmpuint(past.repeat, ==, 0);
        bytes[i / 8] ^= (guint8)(1 << i % 8);
    }
    tear_down(&f);
}

static void a_run_is_an_alarm_once(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, 0, "frame"), ==, "");
    g_assert_cmpstr(next(&f, 1, "frame"), ==, "1 of 1");
    g_assert_cmpstr(next(&f, 2, "frame"), ==, "2 of 1");
    g_assert_cmpstr(next(&f, 3, "frame"), ==, "3 of 1!");
    for (guint i = 4; i < 100; i++) {
        next(&f, i * 100, "frame");
        g_assert_null(strchr(f.said, '!'));
    }
    tear_down(&f);
}

static void another_run_is_another_alarm(void)
{
    fixture f;

    set_up(&f);
    for (guint i = 0; i < RATE; i++)
        next(&f, 0, "frame");
    g_assert_cmpstr(next(&f, 0, "frame"), ==, "3 of 1!");
    for (guint i = 0; i < RATE; i++)
        next(&f, 1001, "frame");
    g_assert_cmpstr(next(&f, 1001, "frame"), ==, "3 of 5!");
    for (guint i = 0; i < RATE; i++)
        next(&f, 1001, "other"); /* at the same time */
    g_assert_cmpstr(next(&f, 1001, "other"), ==, "3 of 9!");
    tear_down(&f);
}

/* As often as that, but never within one window: what is asked again every 400 ms. */
static void an_alarm_takes_its_number_within_one_window(void)
{
    fixture f;

    set_up(&f);
    next(&f, 0, "frame");
    next(&f, 400, "frame");
    g_assert_cmpstr(next(&f, 800, "frame"), ==, "2 of 1");
    g_assert_cmpstr(next(&f, 1200, "frame"), ==, "3 of 1"); /* the first one of the next window */
    g_assert_cmpstr(next(&f, 1700, "frame"), ==, "4 of 1");
    g_assert_cmpstr(next(&f, 2200, "frame"), ==, "5 of 1!"); /* the window ends with its last nanosecond */
    tear_down(&f);
}

static void a_window_of_an_alarm_begins_with_the_first_copy_behind_the_last(void)
{
    fixture f;

    set_up(&f);
    next(&f, 0, "frame");
    next(&f, 1000, "frame");
    g_assert_cmpstr(next(&f, 1500, "frame"), ==, "2 of 1"); /* begins one */
    g_assert_cmpstr(next(&f, 2400, "frame"), ==, "3 of 1");
    g_assert_cmpstr(take(&f, 2500 * MS + 1, &one_scope, "frame"), ==, "4 of 1"); /* begins the next */
    g_assert_cmpstr(next(&f, 2600, "frame"), ==, "5 of 1");
    g_assert_cmpstr(next(&f, 2700, "frame"), ==, "6 of 1!");
    tear_down(&f);
}

static void with_a_rate_of_one_every_first_copy_is_an_alarm(void)
{
    fixture f = {.repeats = rxtx_repeats_new(1, WINDOW_MS * MS, 1)};

    next(&f, 0, "frame");
    g_assert_cmpstr(next(&f, 1000, "frame"), ==, "1 of 1!");
    g_assert_cmpstr(next(&f, 2000, "frame"), ==, "2 of 1");
    tear_down(&f);
}

static void with_no_window_only_copies_of_one_time_are_repeats(void)
{
    fixture f = {.repeats = rxtx_repeats_new(1, 0, RATE)};

    next(&f, 5, "frame");
    g_assert_cmpstr(next(&f, 5, "frame"), ==, "1 of 1");
    g_assert_cmpstr(take(&f, 5 * MS + 1, &one_scope, "frame"), ==, "");
    tear_down(&f);
}

static void a_clock_that_was_set_back_forgets_everything(void)
{
    fixture f;

    set_up(&f);
    next(&f, 5000, "frame");
    next(&f, 5001, "other");
    g_assert_cmpstr(next(&f, 3000, "frame"), ==, "");
    g_assert_cmpstr(next(&f, 3001, "other"), ==, "");
    g_assert_cmpstr(next(&f, 3002, "frame"), ==, "1 of 3");
    g_assert_cmpstr(take(&f, 3002 * MS - 1, &one_scope, "frame"), ==, ""); /* by however little */
    g_assert_cmpstr(next(&f, 3001, "other"), ==, "");
    tear_down(&f);
}

/* It was never what was seen last that was oldest: a copy makes its run young again. */
static void a_run_that_goes_on_outlives_those_that_do_not(void)
{
    fixture f;

    set_up(&f);
    next(&f, 0, "frame");
    next(&f, 100, "other");
    next(&f, 900, "frame");
    g_assert_cmpstr(next(&f, 1101, "other"), ==, "");
    g_assert_cmpstr(next(&f, 1900, "frame"), ==, "2 of 1");
    g_assert_cmpstr(next(&f, 2101, "other"), ==, "1 of 4");
    g_assert_cmpstr(next(&f, 2901, "frame"), ==, "");
    tear_down(&f);
}

static guint32 take_number(fixture *f, guint32 number)
{
    rxtx_past past = {0};

    rxtx_repeats_next(f->repeats, ++f->frame, 7, &one_scope, (const guint8 *)&number, sizeof number, &past);
    return past.repeat_of;
}

static void of_too_many_the_oldest_is_forgotten(void)
{
    fixture f;

    set_up(&f);
    for (guint32 i = 1; i <= RXTX_REPEATS_MAX; i++)
        g_assert_cmpuint(take_number(&f, i), ==, 0);
    g_assert_cmpuint(take_number(&f, 1), ==, 1);                    /* all are remembered; now 2 is the oldest */
    g_assert_cmpuint(take_number(&f, RXTX_REPEATS_MAX + 1), ==, 0); /* and is forgotten */
    g_assert_cmpuint(take_number(&f, 1), ==, 1);
    g_assert_cmpuint(take_number(&f, 3), ==, 3);
    g_assert_cmpuint(take_number(&f, 2), ==, 0); /* in its turn makes 4 go */
    g_assert_cmpuint(take_number(&f, 5), ==, 5);
    g_assert_cmpuint(take_number(&f, 4), ==, 0);
    g_assert_cmpuint(take_number(&f, RXTX_REPEATS_MAX + 1), ==, RXTX_REPEATS_MAX + 2);
    tear_down(&f);
}

static void a_count_that_is_full_begins_anew(void)
{
    fixture f;

    set_up(&f);
    next(&f, 0, "frame");
    for (guint i = 1; i < RXTX_REPEAT_MAX; i++) {
        rxtx_past past = {0};

        rxtx_repeats_next(f.repeats, ++f.frame, i * 100, &one_scope, (const guint8 *)"frame", 5, &past);
        g_assert_cmpuint(past.repeat, ==, i);
        g_assert_cmpuint(past.repeat_of, ==, 1);
    }
    g_assert_cmpstr(next(&f, 27, "frame"), ==, "262143 of 1");
    g_assert_cmpstr(next(&f, 27, "frame"), ==, ""); /* another original */
    g_assert_cmpstr(next(&f, 27, "frame"), ==, "1 of 262145");
    tear_down(&f);
}

static void what_is_not_of_repeats_is_left_alone(void)
{
    const rxtx_past before = {.lane = 1, .prev_frame = 2, .prev_slot = 3, .split = 1, .reordered = 1};
    rxtx_past past = before;
    fixture f;

    set_up(&f);
    rxtx_repeats_next(f.repeats, 7, 0, &one_scope, (const guint8 *)"frame", 5, &past);
    g_assert_cmpmem(&past, sizeof past, &before, sizeof before);
    rxtx_repeats_next(f.repeats, 8, 0, &one_scope, (const guint8 *)"frame", 5, &past);
    g_assert_cmpuint(past.repeat_of, ==, 7);
    past.repeat_of = past.repeat = 0;
    g_assert_cmpmem(&past, sizeof past, &before, sizeof before);
    tear_down(&f);
    rxtx_repeats_free(NULL);
}

/* --- against the definition --------------------------------------------------------------------------------------- */

enum { PACKETS = 250 };

typedef struct {
    guint64 time_ns;
    rxtx_repeat_scope scope;
    char bytes[4];
    guint32 original, repeat; /* original is an index */
    bool alarm;
} item;

static bool is_same(const item *a, const item *b)
{
    return memcmp(&a->scope, &b->scope, sizeof a->scope) == 0 && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* The last one of the same, with no clock set back since then; -1 if there is none. */
static int before(const item *items, int at, const item *like)
{
    for (int i = at - 1; i >= 0; i--) {
        if (items[i].time_ns > items[i + 1].time_ns)
            return -1;
        if (is_same(&items[i], like))
            return i;
    }
    return -1;
}

/* Goes through the run from its original to this copy. */
static bool is_alarm(const item *items, int at)
{
    const item *one = &items[at];
    guint64 begin = items[one->original].time_ns;
    guint32 in_window = 0;

    for (int i = (int)one->original + 1; i <= at; i++) {
        if (!is_same(&items[i], one))
            continue;
        if (items[i].time_ns - begin > WINDOW_MS * MS) {
            begin = items[i].time_ns;
            in_window = 0;
        }
        if (++in_window == RATE)
            return i == at;
    }
    return false;
}

static void expect(item *items, int at)
{
    int last = before(items, at, &items[at]);

    items[at].original = (guint32)at;
    if (last < 0 || items[at].time_ns - items[last].time_ns > WINDOW_MS * MS)
        return;
    items[at].original = items[last].original;
    items[at].repeat = items[last].repeat + 1;
    items[at].alarm = is_alarm(items, at);
}

static item random_item(GRand *random, guint64 now_ns)
{
    item one = {.time_ns = now_ns + (guint64)g_rand_int_range(random, 0, 5) * 50 * MS, .scope = one_scope};

    if (g_rand_int_range(random, 0, 100) == 0)
        one.time_ns = now_ns - (guint64)g_rand_int_range(random, 1, 2000) * MS;
    one.scope.cpu = (guint32)g_rand_int_range(random, 0, 2);
    one.bytes[g_rand_int_range(random, 0, 4)] = (char)g_rand_int_range(random, 0, 2);
    return one;
}

static void compare_file(GRand *random)
{
    rxtx_repeats *repeats = rxtx_repeats_new(g_rand_int(random), WINDOW_MS * MS, RATE);
    item items[PACKETS];

    for (int i = 0; i < PACKETS; i++) {
        rxtx_past past = {0};

        items[i] = random_item(random, i > 0 ? items[i - 1].time_ns : 100000 * MS);
        expect(items, i);
        rxtx_repeats_next(repeats, (guint32)i + 1, items[i].time_ns, &items[i].scope, (const guint8 *)items[i].bytes,
                          sizeof items[i].bytes, &past);
        g_assert_cmpuint(past.repeat, ==, items[i].repeat);
        g_assert_cmpuint(past.repeat_of, ==, items[i].repeat != 0 ? items[i].original + 1 : 0);
        g_assert_cmpuint(past.repeat_alarm, ==, items[i].alarm);
    }
    rxtx_repeats_free(repeats);
}

static void random_files_agree_with_the_definition(void)
{
    GRand *random = g_rand_new_with_seed(5);

    for (int i = 0; i < 400; i++)
        compare_file(random);
    g_rand_free(random);
}

#define TEST(path, function) g_test_add_func("/repeats/" path, function)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("an original is no repeat and its copies are counted", an_original_is_no_repeat_and_its_copies_are_counted);
    TEST("a copy comes at most a window after the one before", a_copy_comes_at_most_a_window_after_the_one_before);
    TEST("what tells two frames apart makes no repeat", what_tells_two_frames_apart_makes_no_repeat);
    TEST("every byte counts", every_byte_counts);
    TEST("a run is an alarm once", a_run_is_an_alarm_once);
    TEST("another run is another alarm", another_run_is_another_alarm);
    TEST("an alarm takes its number within one window", an_alarm_takes_its_number_within_one_window);
    TEST("a window of an alarm begins with the first copy behind the last",
         a_window_of_an_alarm_begins_with_the_first_copy_behind_the_last);
    TEST("with a rate of one every first copy is an alarm", with_a_rate_of_one_every_first_copy_is_an_alarm);
    TEST("with no window only copies of one time are repeats", with_no_window_only_copies_of_one_time_are_repeats);
    TEST("a clock that was set back forgets everything", a_clock_that_was_set_back_forgets_everything);
    TEST("a run that goes on outlives those that do not", a_run_that_goes_on_outlives_those_that_do_not);
    TEST("of too many the oldest is forgotten", of_too_many_the_oldest_is_forgotten);
    TEST("a count that is full begins anew", a_count_that_is_full_begins_anew);
    TEST("what is not of repeats is left alone", what_is_not_of_repeats_is_left_alone);
    TEST("random files agree with the definition", random_files_agree_with_the_definition);
    return g_test_run();
}
