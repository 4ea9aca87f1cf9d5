/* The options: one row of one table each, read by the command line, --help, --extcap-config and their tests.
 *
 * A value is checked for its form here. Whether it fits this machine (is there such a CPU, such an interface) is
 * plan.c's question.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Who called: a person, Wireshark, or another rxtxcpu on another host. */
typedef enum { RXTX_FACE_CLI = 1, RXTX_FACE_EXTCAP = 2, RXTX_FACE_SERVE = 4 } rxtx_face;

/* How the far end gets its rights. */
typedef enum { RXTX_PRIV_NONE, RXTX_PRIV_SUDO, RXTX_PRIV_DOAS } rxtx_priv;

/* A set: RX | TX is both. */
typedef enum { RXTX_DIRECTION_RX = 1, RXTX_DIRECTION_TX = 2, RXTX_DIRECTION_RXTX = 3 } rxtx_direction;

/* Where a packet's CPU is written: a set. */
typedef enum { RXTX_ANNOTATE_INTERFACE = 1, RXTX_ANNOTATE_COMMENT = 2, RXTX_ANNOTATE_BOTH = 3 } rxtx_annotate;

/* What a packet is put down to. */
typedef enum { RXTX_GROUP_CPU = 1, RXTX_GROUP_QUEUE, RXTX_GROUP_NUMA } rxtx_group;

/* Of -w. AUTO: pcapng for a name that ends so, and for several groups on standard output; else pcap. */
typedef enum { RXTX_FORMAT_AUTO, RXTX_FORMAT_PCAP, RXTX_FORMAT_PCAPNG } rxtx_format;

/* What ends a capture (-a) or a file of it (-b), in dumpcap's words; each 0 = no limit. */
typedef struct {
    guint64 duration_ms;
    guint64 filesize_kb; /* of 1,000 bytes, as dumpcap counts */
    guint64 packets;
    guint64 files;
} rxtx_limits;

typedef struct {
    rxtx_face face;
    const char *program; /* the name called; borrowed from argv */

    char *interface; /* operand, -i, or --extcap-interface without its prefix; NULL = none given: all of them */
    int group;       /* rxtx_group */
    char *cpu_list, *numa_list, *queue_list; /* of these, at most the group's one is set */
    char *cpu_mask, *numa_mask, *queue_mask; /* the same; not together with a list */
    int direction;                           /* rxtx_direction */
    char *filter;
    guint64 count;        /* packets; 0 = no limit */
    guint64 duration;     /* seconds; 0 = no limit */
    rxtx_limits autostop; /* beside count and duration */
    guint64 snaplen;      /* bytes */
    guint64 buffer;       /* MiB, all rings together */
    bool persist;
    bool promiscuous;
    int annotate;     /* rxtx_annotate */
    char *write;      /* file, "-" for stdout, NULL = count only */
    int format;       /* rxtx_format */
    rxtx_limits ring; /* of files */
    bool packet_buffered;
    char *worker_cpus; /* where our threads may run, as a list; NULL = anywhere */
    guint64 stats;     /* a table so often, in seconds; 0 = never */
    bool json;
    bool quiet;
    bool verbose;
    bool help;
    bool version;
    bool list_cpus;
    bool list_interfaces;

    char **remote_hosts; /* [USER@]HOST; NULL = capture here */
    guint64 remote_port; /* 0 = ssh decides, as it does all that is not given */
    char *remote_username;
    char *sshkey;
    char *proxycommand;
    char *remote_program;   /* at the far end */
    int remote_priv;        /* rxtx_priv */
    char *remote_filter;    /* beside `filter` */
    guint64 remote_timeout; /* seconds of silence after which the other end is taken for lost */
    bool remote_own_traffic;
    bool remote_compress;
    bool remote_deploy;
    bool serve;
    bool wait_for_link; /* an interface that is down is waited for: not in Wireshark */
    bool one_linktype;  /* of all interfaces: asked for by a near end that writes pcap files */

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
    RXTX_OPTION_LIST,  /* see rxtx_cpuset_parse_list */
    RXTX_OPTION_MASK,  /* see rxtx_cpuset_parse_mask */
    RXTX_OPTION_LIMIT, /* an rxtx_limits: NAME:VALUE, one at a time */
    RXTX_OPTION_WORDS, /* a char **, one more each time */
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
    int group;                  /* rxtx_group that it is for; 0 = for each */
    unsigned place;             /* in Wireshark's dialog, see rxtx_option_in_dialog; 0 = not shown there */
    const char *tab;            /* in that dialog */
    const char *display;        /* label in Wireshark's dialog */
    const char *help;           /* one sentence, also the tooltip; lines are broken by the reader */
} rxtx_option;

/* Ended by a row without name. Sorted as --help lists them. */
extern const rxtx_option rxtx_option_table[];

/* Is the row there for a person who called the program under this group's name? */
bool rxtx_option_shown(const rxtx_option *row, int group);

/* The row that stands at a place, counted from 0, in the dialog of an interface of this host, or in that of remote
 * capture, which begins with rows of its own; NULL behind the last. */
const rxtx_option *rxtx_option_in_dialog(bool remote, unsigned place);
/* Is the row about other hosts only? */
bool rxtx_option_of_remote(const rxtx_option *row);

/* Does the name called set the default? */
bool rxtx_option_by_name(const rxtx_option *row);

/* Parses argv (which is permuted, as getopt_long does). Always returns options, so that a caller who must open the
 * fifo even on an error can: on failure *error is set (RXTX_ERROR_USAGE) and the values up to the first fault and
 * those of the extcap's pipes are in place. Not reentrant (getopt_long). Free with rxtx_options_free. */
rxtx_options *rxtx_options_parse(int argc, char **argv, GError **error);
void rxtx_options_free(rxtx_options *options);

/* What the far end has to know, as names and values of the table, and options made of that. The names are borrowed by
 * nobody. request: "a(ss)"; a floating reference. NULL (RXTX_ERROR_USAGE) when something is not ours or not legal. */
GVariant *rxtx_options_request(const rxtx_options *options);
rxtx_options *rxtx_options_from_request(GVariant *request, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_options, rxtx_options_free)

/* The group's list or mask, "" and NULL = none. Borrowed. */
const char *rxtx_options_list(const rxtx_options *options);
const char *rxtx_options_mask(const rxtx_options *options);

/* Do the packets go to standard output? */
bool rxtx_options_to_stdout(const rxtx_options *options);

/* "cpu", "numa" or "queue": the group as the options call it; "cpu", "numa node" or "queue": as people do. */
const char *rxtx_group_name(int group);
const char *rxtx_group_noun(int group);

/* The prefix of our interfaces in Wireshark's list, and the one for other hosts. */
#define RXTX_EXTCAP_PREFIX "rxtxcpu-"
#define RXTX_EXTCAP_REMOTE RXTX_EXTCAP_PREFIX "ssh"

/* HOST of [USER@]HOST: what the host is called in the capture. Borrowed. */
const char *rxtx_options_host_label(const char *host);

/* " --remote-host web1 --remote-port 2222": what leads to a host again, as it would be typed. Free with g_free. */
char *rxtx_options_way(const rxtx_options *options, unsigned host);

/* Does the capture, or the question, go to other hosts? */
bool rxtx_options_remote(const rxtx_options *options);
