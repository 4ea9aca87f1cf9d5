/* One far end: the conversation with it, and the stream of its packets.
 *
 * Used by the main thread until the capture starts and after it has ended, by the worker's thread between.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "base/stats.h"
#include "engine/engine.h"
#include "plan/plan.h"
#include "remote/clock_offset.h"
#include "remote/decode.h"
#include "remote/ssh.h"

/* An interface that packets came from. Those of all far ends are numbered together: ifindex - 1 is its place. */
typedef struct {
    char *name;
    char *comment; /* of its first block; NULL = none */
} rxtx_far_interface;

/* An interface block of the far end: for one group. */
typedef struct {
    unsigned group; /* of all groups of the capture */
    int32_t ifindex;
} rxtx_far_block;

typedef struct {
    rxtx_stream stream; /* first: the stream is the far end */
    const rxtx_options *options;
    const char *label; /* what the host is called */
    rxtx_ssh ssh;

    uint8_t *bytes; /* what came: capacity of them, from begin to end not decoded yet */
    size_t capacity, begin, end;
    size_t rest; /* bytes of a block that is not whole, when we looked last */
    size_t head; /* where the head's data begins; valid while the stream is pending */
    rxtx_decoder decoder;

    unsigned host;         /* its number */
    GArray *groups;        /* of rxtx_plan_group, from HELLO */
    unsigned first_group;  /* the number of the first of them among all */
    GHashTable *facts;     /* of HELLO: name -> value */
    GHashTable *endings;   /* of descriptions -> which of the groups */
    GHashTable *names;     /* of interfaces -> ifindex */
    GArray *blocks;        /* of rxtx_far_block, by interface id */
    GPtrArray *interfaces; /* of rxtx_far_interface, shared by all far ends */
    rxtx_stats *counted;   /* one for each of its groups: accepted and dropped, as it told last */
    size_t comments;       /* bytes of the interfaces' comments that came */
    unsigned warnings;     /* that came */
    unsigned events;       /* likewise */
    char *text;            /* the answer to a question; NULL = none came */
    rxtx_clock_offset clock;
    uint64_t complete_ns; /* as it told last, of its clock */
    uint64_t downs;       /* how often the interface there went down, as END said */
    uint64_t pinged_ns;   /* the time in the last PING; atomic, for the main thread pings while the worker reads */
    unsigned answers;     /* how many STATUS came that answer the last PING of their time */
    size_t shown;         /* bytes of what ssh said that were shown to the user */
    size_t said;          /* how many it had said when we looked last */
    gint64 heard_us;      /* monotonic: when something came last */
    bool asked;           /* the request is sent */
    bool through;         /* ssh is: from here on silence counts */
    bool greeted;         /* HELLO came */
    bool over;            /* END came: nothing more will */
    bool ended;           /* nothing more can be read */
    GError *failure;      /* NULL = none */

    rxtx_event_tell tell; /* NULL = nobody is told */
    gpointer tell_data;
} rxtx_far;

/* For what takes its time: called at least twice a second meanwhile. */
typedef struct {
    void (*call)(gpointer data);
    gpointer data;
} rxtx_far_tick;

/* Starts ssh, brings the program along where that is wanted, and sends the request. far is zero but for tell. number:
 * which of the options' hosts it is. interfaces: borrowed. Safe to clear also on failure. */
bool rxtx_far_start(rxtx_far *far, const rxtx_options *options, unsigned number, GPtrArray *interfaces,
                    const rxtx_far_tick *tick, GError **error);

/* Takes what is there, never blocks. */
void rxtx_far_read(rxtx_far *far);
/* May it be read from, or is there too much already that waits to be decoded? */
bool rxtx_far_has_room(const rxtx_far *far);

/* Decodes what came, up to the next packet, which becomes the stream's head. What goes wrong stands in failure. */
void rxtx_far_look(rxtx_far *far);

/* False when it cannot be reached any more, which reading will tell of too. */
bool rxtx_far_say(rxtx_far *far, uint32_t message, GVariant *body);
bool rxtx_far_ping(rxtx_far *far);

/* So long nothing came that it is lost: says so in failure. While ssh may be asking a person, any time is allowed. */
void rxtx_far_check_silence(rxtx_far *far, gint64 limit_us);

/* What HELLO told of it; 0 = each packet has its own, or it was not told. */
int rxtx_far_linktype(const rxtx_far *far);

/* What ssh says while it is not through yet, such as where to confirm a login, is shown; but for what comes right
 * before its end, which becomes our own sentence. To be called about twice a second. */
void rxtx_far_show_said(rxtx_far *far);

/* A fact of HELLO; NULL = it was not told. Borrowed. */
const char *rxtx_far_fact(const rxtx_far *far, const char *name);

void rxtx_far_clear(rxtx_far *far);
