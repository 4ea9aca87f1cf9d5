/* The interface of a packet in the file: what its description says, and with which others it can be compared.
 *
 * A file may hold captures of several hosts. Those with a host's name in the description are told apart by it, in
 * whatever order their interfaces stand; those that mergecap put together, by their interfaces: no capture has the same
 * name and description twice, so where they come again another capture of that host, or of those without a name,
 * begins. Of each of these the interfaces stand together, in the order of the files.
 *
 * Everything is kept in file scope, and Wireshark dissects in one thread.
 */
#pragma once

#include "ws_compat.h"

#include "record.h"

typedef struct {
    rxtx_record record;
    guint16 host, device;  /* equal numbers for the same host, the same if_name; 0 if there are too many */
    const char *host_name; /* in UTF-8; NULL where the description has none */
} rxtx_interface;

/* Called once, at Wireshark's start. */
void rxtx_interface_register(void);

/* The packet's interface, borrowed until the file is closed; one without a record if it has none that can be asked for.
 */
const rxtx_interface *rxtx_interface_of(const packet_info *pinfo);
