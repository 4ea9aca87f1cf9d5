/* A capture from its options to its closing numbers: wires the rooms, starts, stops and joins them. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "plan/options.h"

typedef struct rxtx_session rxtx_session;

/* As an extcap, opens the control pipes and the fifo, before anything that can fail: Wireshark waits for both
 *(interface_toolbar.cpp and dumpcap would hang for good)
. So it is called even when the options were wrong. */
rxtx_session *rxtx_session_new(const rxtx_options *options, GError **error);

/* Runs the capture to its end. live, if not NULL, is called once packets are being captured. On failure what was
 * captured before is written all the same. */
bool rxtx_session_run(rxtx_session *session, void (*live)(const rxtx_options *options), GError **error);

/* After run: what ui/summary.h says, "" if there was no capture. Borrowed. */
const char *rxtx_session_counts(const rxtx_session *session);
const char *rxtx_session_notes(const rxtx_session *session);

void rxtx_session_free(rxtx_session *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_session, rxtx_session_free)
