/* What the first pass found out about each packet, for all later ones: 16 bytes a packet, and none for the packets of
 * others where these fill whole pages of the table.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define RXTX_REPEAT_MAX 262143 /* 18 bits */
#define RXTX_SLOTS_MAX 1023    /* 10 bits, less one for "none" */

/* All zero: nothing is known of the packet. */
typedef struct {
    guint32 lane;       /* flow.h; 0 if it has none */
    guint32 prev_frame; /* the packet before in its lane; 0 if there is none */
    guint32 repeat_of;  /* the original; 0 if it is no repeat */
    guint32 repeat : 18;
    guint32 prev_slot : 10; /* the slot of the CPU of prev_frame, plus 1; 0 if there is none */
    guint32 split : 1;
    guint32 reordered : 1;
    guint32 repeat_alarm : 1;
    guint32 late : 1;
} rxtx_past;
G_STATIC_ASSERT(sizeof(rxtx_past) == 16);

typedef struct rxtx_history rxtx_history;

rxtx_history *rxtx_history_new(void);
void rxtx_history_free(rxtx_history *history);

/* Remembers what is known of a frame, whatever its number. */
void rxtx_history_set(rxtx_history *history, guint32 frame, const rxtx_past *past);

/* What was remembered of a frame; all zero if nothing was. */
rxtx_past rxtx_history_get(const rxtx_history *history, guint32 frame);
