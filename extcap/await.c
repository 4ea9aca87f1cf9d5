/* Looks again and again: an interface's being there and up is asked for as a capture will ask. */
#include "await.h"

#include <net/if.h>
#include <pcap/dlt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "engine/device.h"

enum {
    LOOK_MS = 200,
    NAME_BYTES = 128, /* ALTIFNAMSIZ, linux/if.h */
};

/* As dev_valid_name in net/core/dev.c has it, but that other names of an interface may be longer. */
static bool may_be_named(const char *name)
{
    return name != NULL && *name != '\0' && strlen(name) < NAME_BYTES && strpbrk(name, "/: \t\n\v\f\r") == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, "any") != 0;
}

/* Whatever the interface will be: is it a filter for none? Found out later, it would end a capture that has begun. */
static bool check_filter(const char *filter, GError **error)
{
    static const int dlts[] = {DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_IEEE802_11_RADIO};
    g_autofree char *why = NULL;

    if (filter == NULL || *filter == '\0')
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(dlts); i++) {
        g_free(g_steal_pointer(&why));
        if (rxtx_device_check_filter(dlts[i], filter, &why))
            return true;
    }
    return rxtx_set_error(error, RXTX_ERROR_INPUT, "Invalid capture filter '%s': %s. See: man pcap-filter", filter,
                          why);
}

/* In Wireshark's list it was there. */
bool rxtx_await_is_missing(const rxtx_await *await)
{
    const rxtx_options *options = await->options;

    return options->persist && options->wait_for_link && !rxtx_options_remote(options) &&
           may_be_named(options->interface) && if_nametoindex(options->interface) == 0;
}

bool rxtx_await_is_down(const rxtx_await *await, const rxtx_plan *plan)
{
    return plan->ifindex != 0 && await->options->wait_for_link && !rxtx_device_is_up(await->options->interface);
}

static void say(const rxtx_await *await, const char *text)
{
    if (await->serve != NULL)
        rxtx_serve_warn(await->serve, text);
    else
        fprintf(stderr, "%s: %s\n", await->options->program, text);
}

/* For a moment, unless there is a signal or the other end is gone. False when nobody wants to wait any more. */
static bool wait_a_moment(const rxtx_await *await)
{
    struct pollfd signals = {.fd = await->signals, .events = POLLIN};

    if (await->serve != NULL && !rxtx_serve_idle(await->serve, LOOK_MS))
        rxtx_stop_abandon(await->stop);
    if (poll(&signals, 1, await->serve != NULL ? 0 : LOOK_MS) > 0)
        await->take_signals(await->data);
    if (await->deadline_us != 0 && g_get_monotonic_time() >= await->deadline_us)
        rxtx_stop_request(await->stop, RXTX_STOP_DURATION);
    return rxtx_stop_why(await->stop) == RXTX_STOP_NONE;
}

bool rxtx_await_interface(const rxtx_await *await, GError **error)
{
    g_autofree char *text = g_strdup_printf("There is no interface %s yet, waiting for it", await->options->interface);

    if (!rxtx_device_may_capture(error) || !check_filter(await->options->filter, error))
        return false;
    say(await, text);
    while (rxtx_await_is_missing(await) && wait_a_moment(await))
        continue;
    return true;
}

/* A fan-out group takes only sockets of an interface that is up, and sockets of none hear others: so nothing is opened
 * before. */
bool rxtx_await_link(const rxtx_await *await, const rxtx_plan *plan, GError **error)
{
    const char *name = await->options->interface;
    g_autofree char *text = g_strdup_printf("The interface %s is down, waiting until it is up. Run%s: ip link set dev "
                                            "%s up",
                                            name, await->serve != NULL ? " there" : "", name);

    if (!rxtx_device_may_capture(error))
        return false;
    say(await, text);
    while (rxtx_await_is_down(await, plan)) {
        if (if_nametoindex(name) != plan->ifindex && !await->options->persist)
            return rxtx_set_error(error, RXTX_ERROR_INTERFACE, "The interface %s is gone, or has another name now",
                                  name);
        if (!wait_a_moment(await))
            return true;
    }
    return rxtx_plan_same_queues(plan, "") ||
           rxtx_set_error(error, RXTX_ERROR_INTERFACE,
                          "The interface %s was made again meanwhile, with other queues: start again", name);
}
