/* The output: bytes to a file, a pipe or a fifo, in large pieces when there is much and at once when asked.
 *
 * It never blocks a stop: while a reader is slow it waits for it, but once a stop is requested it gives up when nothing
 * moves any more. A failure is remembered; what was reported as written is written.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stop.h"

typedef struct rxtx_output rxtx_output;

/* What is there: a fifo, whose reader is waited for. */
rxtx_output *rxtx_output_open(const char *path, rxtx_stop *stop, GError **error);

/* A file, which is made, or emptied when it is first written to. Waits for nobody: a fifo without a reader is refused.
 */
rxtx_output *rxtx_output_create(const char *path, rxtx_stop *stop, GError **error);

/* Standard output, which is taken over: whatever else the program prints goes elsewhere. */
rxtx_output *rxtx_output_stdout(rxtx_stop *stop, GError **error);

/* Before anything is committed: for one of many, which together would take too much memory. From 64 to 512 KiB. */
void rxtx_output_limit_buffer(rxtx_output *output, size_t bytes);

/* For a reader on another machine: after a stop it may do nothing for so long, and take all the time it needs as long
 * as it moves. Usually it is half a second, and ten seconds in all. */
void rxtx_output_set_patience(rxtx_output *output, int stall_ms);

/* Room for `size` bytes, to be filled and then committed; NULL when the output has failed (or that much never fits). It
 * may write what came before. size is at most RXTX_OUTPUT_PIECE_MAX. */
uint8_t *rxtx_output_reserve(rxtx_output *output, size_t size);
void rxtx_output_commit(rxtx_output *output, size_t size);

/* Writes what was committed. False when the output has failed, now or before. */
bool rxtx_output_flush(rxtx_output *output);

/* The same for a pipe. A file, whose reader can wait a tenth of a second, is written in larger and fewer pieces. */
bool rxtx_output_flush_some(rxtx_output *output);

/* The same, for the last time. That the file was deleted meanwhile is a failure too: nothing of it is delivered. */
bool rxtx_output_finish(rxtx_output *output);
bool rxtx_output_deleted(const rxtx_output *output);

/* NULL = it has not failed. The reader's end of a pipe that was closed is a failure with rxtx_output_reader_gone(). */
const GError *rxtx_output_failure(const rxtx_output *output);
bool rxtx_output_reader_gone(const rxtx_output *output);

/* After a failure: the piece that was being written, and how many of its bytes went out. A piece begins where a commit
 * began. size 0 = none. */
const uint8_t *rxtx_output_failed_piece(const rxtx_output *output, size_t *size, size_t *written);

/* How many bytes went out before that piece. */
uint64_t rxtx_output_position(const rxtx_output *output);

/* Takes the last `size` bytes that went out back out of a file, so that it ends with a whole block; of a file that was
 * made for us nothing stays if nothing is left. No effect on a pipe. */
void rxtx_output_take_back(rxtx_output *output, size_t size);

/* To be polled for its reader's end; -1 = it has none. */
int rxtx_output_watch_fd(const rxtx_output *output);

void rxtx_output_free(rxtx_output *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_output, rxtx_output_free)

#define RXTX_OUTPUT_PIECE_MAX 262144u
