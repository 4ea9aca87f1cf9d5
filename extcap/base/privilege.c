/* capset(2) by hand: for so small a set no library is needed. When to drop is session.c's decision. */
#include "base/privilege.h"

#include <glib.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Both are in the first word. */
G_STATIC_ASSERT(CAP_DAC_OVERRIDE < 32 && CAP_NET_RAW < 32);

/* Giving up cannot be refused; where the call is unknown there is nothing to give up. */
void rxtx_privilege_drop(unsigned keep)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3] = {0}, left[_LINUX_CAPABILITY_U32S_3] = {0};
    unsigned wanted = (keep & RXTX_PRIVILEGE_FILES ? CAP_TO_MASK(CAP_DAC_OVERRIDE) : 0) |
                      (keep & RXTX_PRIVILEGE_SOCKETS ? CAP_TO_MASK(CAP_NET_RAW) : 0);

    if (wanted != 0 && syscall(SYS_capget, &header, had) == 0)
        left[0].permitted = left[0].effective = had[0].permitted & wanted;
    (void)syscall(SYS_capset, &header, left);
}
