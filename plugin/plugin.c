/* The symbols that Wireshark looks for in a plugin, and nothing else: the work is packet-rxtxcpu.c's. There is no
 * epan_register_plugin() here, as Wireshark calls every one of its callbacks without asking whether it is there
 * (epan/epan.c). */
#include "ws_compat.h"

#include "packet-rxtxcpu.h"

WS_DLL_PUBLIC_DEF const char plugin_version[] = RXTX_VERSION;
WS_DLL_PUBLIC_DEF const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
WS_DLL_PUBLIC_DEF const int plugin_want_minor = WIRESHARK_VERSION_MINOR;

WS_DLL_PUBLIC void plugin_register(void);
#if RXTX_WS_PLUGIN_DESCRIBE
WS_DLL_PUBLIC uint32_t plugin_describe(void);

uint32_t plugin_describe(void)
{
    return WS_PLUGIN_DESC_DISSECTOR;
}
#endif

void plugin_register(void)
{
    static const proto_plugin plugin = {.register_protoinfo = rxtx_packet_register,
                                        .register_handoff = rxtx_packet_handoff};

    proto_register_plugin(&plugin);
}
