/* A statistic of ours among Wireshark's simple tables: in the menu Statistics, and as "-z" of TShark. Wireshark draws,
 * filters, sorts, copies and saves it; we say what stands in it.
 *
 * A statistic adds packets up in a tally and writes its tables when Wireshark is about to draw them. A cell is text;
 * numbers are padded on the left, so that Wireshark, which sorts text, sorts them as numbers.
 *
 * Wireshark keeps one set of tables for each statistic and calls back without data of ours, so a statistic is a static
 * struct. Everything is called in Wireshark's main thread.
 */
#pragma once

#include "ws_compat.h"

#include <epan/stat_tap_ui.h>

#include "tally.h"

typedef struct rxtx_statistic rxtx_statistic;

struct rxtx_statistic {
    stat_tap_table_ui ui; /* packet_func and all callbacks but stat_filter_check_cb are filled in here */
    void (*write)(rxtx_statistic *statistic);
    rxtx_tally *tally;

    /* stat_table.c's: */
    const void *counted;   /* the listener whose packets are in the tally */
    guint written;         /* rows of the table that is being written */
    bool listening;        /* our own listener is there */
    GPtrArray *old_tables; /* whose rows an open window may still show */
    char *first_title;     /* of the first column, once it was made anew */
};

/* Called once, at Wireshark's start. */
void rxtx_statistic_register(rxtx_statistic *statistic);

/* For write(): goes to the table with this title (static), and makes it if there is none; the rows that follow are its.
 */
stat_tap_table *rxtx_statistic_table(rxtx_statistic *statistic, const char *title);

/* For write(): the next row of the table, n texts in the order of the columns. Takes the texts over. Less than all
 * columns leaves the rest of the row empty. */
void rxtx_statistic_row(rxtx_statistic *statistic, stat_tap_table *table, char **texts, guint n);

/* For write(): has the first column's title, which stands on the right, as wide as the cells are. */
void rxtx_statistic_widen(rxtx_statistic *statistic, int width);

/* For stat_filter_check_cb: what is behind "-z NAME,", or NULL. Refuses (in *err, for g_free) what only begins like the
 * statistic's name, and a second one in one run, since both would draw the same tables. */
const char *rxtx_statistic_argument(rxtx_statistic *statistic, const char *opt_arg, char **err);
