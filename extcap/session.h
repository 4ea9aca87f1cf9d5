/* A capture from its options to its closing numbers: wires the rooms, starts, stops and joins them. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "plan/options.h"
#include "remote/serve.h"

typedef struct rxtx_session rxtx_session;

/* As an extcap, opens the control pipes and the fifo, before anything that can fail: Wireshark waits for both
 * (interface_toolbar.cpp and dumpcap would hang for good). So it is called even when the options were wrong. */
rxtx_session *rxtx_session_new(const rxtx_options *options, GError **error);

/* For another host: the capture goes to standard output, the rest through serve, which is borrowed. To be called before
 * run. */
void rxtx_session_serve(rxtx_session *session, rxtx_serve *serve);

/* Runs the capture to its end. On failure what was captured before is written all the same. In a terminal it shows
 * numbers meanwhile, on stderr, as the options ask. */
bool rxtx_session_run(rxtx_session *session, GError **error);

/* After run, "" if there was no capture: what goes to standard output (the counts, as lines or JSON), and what to
 * stderr before it (the table, where one is wanted, and what the counts alone would hide). Free with g_free. */
char *rxtx_session_counts(rxtx_session *session);
char *rxtx_session_notes(rxtx_session *session);

/* The last word to the other host, after run; error: what run said, or NULL. */
void rxtx_session_end_serving(rxtx_session *session, const GError *error);

void rxtx_session_free(rxtx_session *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_session, rxtx_session_free)
