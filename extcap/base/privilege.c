/* capset(2) by hand: for the empty set no library is needed. When to drop is session.c's decision. */
#include "base/privilege.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Giving up cannot be refused; where the call is unknown there is nothing to give up. */
void rxtx_privilege_drop(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

    (void)syscall(SYS_capset, &header, none);
}
