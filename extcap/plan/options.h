/* The options: one row of one table each, read by the command line, --help, --extcap-config and their tests.
 *
 * A value is checked for its form here. Whether it fits this machine (is there such a CPU, such an interface) is
 * plan.c's question.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Who called: a person, or Wireshark. */
typedef enum { RXTX_FACE_CLI = 1, RXTX_FACE_EXTCAP = 2 } rxtx_face;

/* A set: RX | TX is both. */
typedef enum { RXTX_DIRECTION_RX = 1, RXTX_DIRECTION_TX = 2, RXTX_DIRECTION_RXTX = 3 } rxtx_direction;

/* Where a packet's CPU is written: a set. */
typedef enum { RXTX_ANNOTATE_INTERFACE = 1, RXTX_ANNOTATE_COMMENT = 2, RXTX_ANNOTATE_BOTH = 3 } rxtx_annotate;

typedef struct {
    rxtx_face face;
    const char *program; /* the name called; borrowed from argv */

    char *interface; /* operand, or --extcap-interface without its prefix; NULL = none given */
    char *cpu_list;
    char *cpu_mask;
    int direction; /* rxtx_direction */
    char *filter;
    guint64 count;    /* packets; 0 = no limit */
    guint64 duration; /* seconds; 0 = no limit */
    guint64 snaplen;  /* bytes */
    guint64 buffer;   /* MiB, all rings together */
    bool promiscuous;
    int annotate; /* rxtx_annotate */
    char *write;  /* file, "-" for stdout, NULL = count only */
    bool packet_buffered;
    bool verbose;
    bool help;
    bool version;

    bool extcap_interfaces;
    bool extcap_dlts;
    bool extcap_config;
    bool capture;
    char *extcap_interface; /* as given */
    char *reload_option;
    char *fifo;
    char *control_in;
    char *control_out;
} rxtx_options;

typedef enum {
    RXTX_OPTION_FLAG,
    RXTX_OPTION_UINT,
    RXTX_OPTION_STRING,
    RXTX_OPTION_CHOICE,
    RXTX_OPTION_LIST, /* see rxtx_cpuset_parse_list */
    RXTX_OPTION_MASK, /* see rxtx_cpuset_parse_mask */
} rxtx_option_kind;

typedef struct {
    const char *name; /* as typed */
    const char *display;
    int value;
} rxtx_choice;

typedef struct {
    const char *name; /* long name, without dashes */
    char letter;      /* 0 = none */
    rxtx_option_kind kind;
    size_t offset;              /* of the value in rxtx_options */
    const char *metavar;        /* NULL for a flag */
    const char *def;            /* as it would be typed; NULL = unset */
    guint64 min, max;           /* of RXTX_OPTION_UINT, both allowed */
    const rxtx_choice *choices; /* of RXTX_OPTION_CHOICE, ended by a row without name */
    int faces;                  /* set of rxtx_face */
    unsigned place;             /* in Wireshark's dialog, counted from 1; 0 = not shown there */
    const char *group;          /* tab in that dialog */
    const char *display;        /* label in Wireshark's dialog */
    const char *help;           /* one sentence, also the tooltip; lines are broken by the reader */
} rxtx_option;

/* Ended by a row without name. Sorted as --help lists them. */
extern const rxtx_option rxtx_option_table[];

/* Parses argv (which is permuted, as getopt_long does). Always returns options, so that a caller who must open the
 * fifo even on an error can: on failure *error is set (RXTX_ERROR_USAGE) and the values up to the first fault and
 * those of the extcap's pipes are in place. Not reentrant (getopt_long). Free with rxtx_options_free. */
rxtx_options *rxtx_options_parse(int argc, char **argv, GError **error);
void rxtx_options_free(rxtx_options *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_options, rxtx_options_free)

/* The prefix of our interfaces in Wireshark's list. */
#define RXTX_EXTCAP_PREFIX "rxtxcpu-"
