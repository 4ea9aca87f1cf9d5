/* capset(2) by hand: for so small a set no library is needed. When to drop is session.c's decision. */
#include "base/privilege.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Giving up cannot be refused; where the call is unknown there is nothing to give up. */
void rxtx_privilege_drop(bool keep_files)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3] = {0}, left[_LINUX_CAPABILITY_U32S_3] = {0};

    if (keep_files && syscall(SYS_capget, &header, had) == 0) {
        unsigned files = had[CAP_TO_INDEX(CAP_DAC_OVERRIDE)].permitted & CAP_TO_MASK(CAP_DAC_OVERRIDE);
        left[CAP_TO_INDEX(CAP_DAC_OVERRIDE)].permitted = left[CAP_TO_INDEX(CAP_DAC_OVERRIDE)].effective = files;
    }
    (void)syscall(SYS_capset, &header, left);
}
