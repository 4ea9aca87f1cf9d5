/* What one far end says, step by step: bytes, blocks, messages, packets. How blocks are read is decode.c's, what
 * becomes of several far ends is remote.c's. */
#include "remote/far.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "plan/grammar.h"
#include "remote/deploy.h"
#include "remote/message.h"
#include "rxtxcpu/capture_format.h"
#include "rxtxcpu/remote_protocol.h"
#include "sink/pcapng.h"

enum {
    BUFFER_BYTES = 512 * 1024,
    BUFFER_MAX = 16 * 1024 * 1024, /* more than the largest block; a host that is ahead waits then */
    NS_PER_US = 1000,
    SENTENCE_MAX = 600,             /* characters */
    LINES_MAX = 100000,             /* of an answer */
    WARNINGS_MAX = 1000,            /* that are passed on */
    EVENTS_MAX = 1500,              /* likewise */
    COMMENTS_MAX = 4 * 1024 * 1024, /* bytes that are kept of them */
    LINKTYPE_LINUX_SLL = 113,
    LINKTYPE_LINUX_SLL2 = 276,
};

static const uint64_t COUNT_MAX = G_MAXINT64 / 2;

static uint64_t now_ns(void)
{
    return (uint64_t)g_get_real_time() * NS_PER_US;
}

static bool fail(rxtx_far *far, rxtx_error_code code, const char *text)
{
    if (far->failure == NULL)
        rxtx_set_error(&far->failure, code, "%s: %s", far->label, text);
    return false;
}

static bool breaks_protocol(rxtx_far *far)
{
    return fail(far, RXTX_ERROR_REMOTE, "The other end said something that is no part of our protocol");
}

/* ---- what we say ---- */

bool rxtx_far_say(rxtx_far *far, uint32_t message, GVariant *body)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    rxtx_message_put(bytes, message, body);
    return write(far->ssh.in, bytes->data, bytes->len) == (ssize_t)bytes->len;
}

bool rxtx_far_ping(rxtx_far *far)
{
    uint64_t now = now_ns();

    __atomic_store_n(&far->pinged_ns, now, __ATOMIC_RELAXED);
    return rxtx_far_say(far, RXTX_BLOCK_PING, g_variant_new(RXTX_PING_TYPE, now));
}

static bool reach(rxtx_far *far, const char *host, const rxtx_far_tick *tick, GError **error)
{
    g_autofree char *command = far->options->remote_deploy ? rxtx_deploy_command(far->options) : NULL;

    return rxtx_ssh_start(&far->ssh, far->options, host, command, error) &&
           (command == NULL || rxtx_deploy_send(&far->ssh, tick->call, tick->data, error));
}

bool rxtx_far_start(rxtx_far *far, const rxtx_options *options, unsigned number, GPtrArray *interfaces,
                    const rxtx_far_tick *tick, GError **error)
{
    const char *host = options->remote_hosts[number];

    *far = (rxtx_far){
        .stream = {.id = number}, .options = options, .host = number, .tell = far->tell, .tell_data = far->tell_data};
    far->label = rxtx_options_host_label(host);
    far->interfaces = interfaces;
    far->capacity = BUFFER_BYTES;
    far->bytes = g_malloc(far->capacity);
    far->groups = g_array_new(FALSE, FALSE, sizeof(rxtx_plan_group));
    far->blocks = g_array_new(FALSE, FALSE, sizeof(rxtx_far_block));
    far->facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    far->endings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    far->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!reach(far, host, tick, error))
        return false;
    far->heard_us = g_get_monotonic_time();
    far->asked = true;
    /* If it does not get through, reading tells why. */
    rxtx_far_say(far, RXTX_BLOCK_REQUEST,
                 g_variant_new("(u@a(ss))", RXTX_REMOTE_PROTOCOL, rxtx_options_request(options)));
    return true;
}

/* ---- bytes ---- */

bool rxtx_far_has_room(const rxtx_far *far)
{
    return !far->ended && far->end - far->begin < BUFFER_MAX;
}

/* Room behind the end. The head's data moves with the bytes. */
static void make_room(rxtx_far *far)
{
    size_t left = far->stream.pending ? far->head : far->begin;

    if (far->capacity - far->end >= far->capacity / 4)
        return;
    memmove(far->bytes, far->bytes + left, far->end - left);
    far->begin -= left;
    far->end -= left;
    far->head -= far->stream.pending ? left : 0;
    if (far->capacity - far->end < far->capacity / 2) {
        far->capacity *= 2;
        far->bytes = g_realloc(far->bytes, far->capacity);
    }
    far->stream.head.data = far->bytes + far->head;
}

/* The other end is gone without an END. Why is known by what ssh said. */
static void explain_end(rxtx_far *far)
{
    rxtx_ssh_end(&far->ssh, 1000);
    if (far->failure == NULL && !far->over)
        rxtx_ssh_explain(&far->ssh, far->greeted, &far->failure);
}

/* Fills the room that there is. */
void rxtx_far_read(rxtx_far *far)
{
    ssize_t n = 1;

    rxtx_ssh_listen(&far->ssh);
    while (n > 0 && rxtx_far_has_room(far)) {
        make_room(far);
        n = read(far->ssh.out, far->bytes + far->end, far->capacity - far->end);
        if (n > 0) {
            far->end += (size_t)n;
            far->heard_us = g_get_monotonic_time();
        }
    }
    far->ended = far->ended || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

void rxtx_far_check_silence(rxtx_far *far, gint64 limit_us)
{
    g_autofree char *text = NULL;

    if (!far->through) {
        far->through = rxtx_ssh_is_through(&far->ssh);
        far->heard_us = g_get_monotonic_time();
    }
    if (far->over || far->failure != NULL || g_get_monotonic_time() - far->heard_us < limit_us)
        return;
    text = g_strdup_printf("%s: nothing was heard for %.0f seconds.\n%sTo wait longer: --remote-timeout SECONDS",
                           far->greeted ? "The connection was lost" : "The other end does not answer",
                           (double)limit_us / G_USEC_PER_SEC, far->greeted ? "What came before is whole. " : "");
    fail(far, RXTX_ERROR_REMOTE, text);
}

/* ---- messages ---- */

const char *rxtx_far_fact(const rxtx_far *far, const char *name)
{
    return g_hash_table_lookup(far->facts, name);
}

static void take_facts(rxtx_far *far, GVariant *facts)
{
    const char *name, *value;
    GVariantIter iter;

    g_variant_iter_init(&iter, facts);
    while (g_variant_iter_next(&iter, "(&s&s)", &name, &value))
        g_hash_table_replace(far->facts, g_strdup(name), rxtx_message_clean(value, 1));
}

/* How the descriptions of a group's interfaces end, behind their names: whose packets they have is found by that. */
static char *ending_of(const rxtx_far *far, guint i)
{
    static const char *const keys[] = {
        [RXTX_GROUP_CPU] = RXTX_KEY_CPU, [RXTX_GROUP_QUEUE] = RXTX_KEY_QUEUE, [RXTX_GROUP_NUMA] = RXTX_KEY_NODE};
    const rxtx_plan_group *group = &g_array_index(far->groups, rxtx_plan_group, i);
    rxtx_group_label label = {.key = keys[far->options->group], .number = group->number, .node = group->node};

    return rxtx_pcapng_description("", &label);
}

static bool take_groups(rxtx_far *far, GVariant *groups)
{
    GVariantIter iter;
    gint32 number, node;
    gboolean due;

    g_variant_iter_init(&iter, groups);
    while (g_variant_iter_next(&iter, "(iib)", &number, &node, &due)) {
        rxtx_plan_group group = {.number = number, .node = node, .due = due, .host = far->host};
        if (number < RXTX_NUMBER_UNKNOWN || node < RXTX_NODE_UNKNOWN || far->groups->len >= RXTX_REMOTE_GROUPS_MAX)
            return breaks_protocol(far);
        g_array_append_val(far->groups, group);
    }
    if (far->groups->len == 0)
        return breaks_protocol(far);
    for (guint i = 0; i < far->groups->len; i++)
        if (!g_hash_table_insert(far->endings, ending_of(far, i), GUINT_TO_POINTER(i)))
            return breaks_protocol(far); /* the same group twice */
    far->counted = g_new0(rxtx_stats, far->groups->len);
    return true;
}

static bool on_hello(rxtx_far *far, GVariant *body)
{
    g_autoptr(GVariant) facts = g_variant_get_child_value(body, 1), groups = g_variant_get_child_value(body, 2);
    g_autofree char *text = NULL;
    const char *told;
    guint32 version;

    g_variant_get_child(body, 0, "u", &version);
    if (far->greeted)
        return breaks_protocol(far);
    far->greeted = true;
    take_facts(far, facts);
    told = rxtx_far_fact(far, "version");
    text = g_strdup_printf("The rxtxcpu there (version %s) speaks protocol %u, this one protocol %d.\nUpdate the older "
                           "one, or bring ours along: --remote-deploy",
                           told != NULL ? told : "unknown", version, RXTX_REMOTE_PROTOCOL);
    if (version != RXTX_REMOTE_PROTOCOL)
        return fail(far, RXTX_ERROR_REMOTE, text);
    return take_groups(far, groups);
}

/* Before the start, and while a link is waited for, it has no counters. */
static bool on_status(rxtx_far *far, GVariant *body)
{
    g_autoptr(GVariant) counters = g_variant_get_child_value(body, 5);
    guint64 asked, read_at, told, complete, accepted, dropped, delivered;
    gsize n = g_variant_n_children(counters);
    GVariantIter iter;

    if (n != 0 && n != far->groups->len)
        return breaks_protocol(far);
    g_variant_get(body, "(ttttb@a(ttt))", &asked, &read_at, &told, &complete, NULL, NULL);
    rxtx_clock_offset_take(&far->clock, asked, read_at, told, now_ns());
    far->answers += asked != 0 && asked == __atomic_load_n(&far->pinged_ns, __ATOMIC_RELAXED);
    far->complete_ns = complete;
    g_variant_iter_init(&iter, counters);
    for (guint i = 0; g_variant_iter_next(&iter, "(ttt)", &accepted, &dropped, &delivered); i++)
        if (accepted > COUNT_MAX || dropped > accepted || delivered > accepted - dropped ||
            accepted < far->counted[i].accepted)
            return breaks_protocol(far);
        else
            far->counted[i] = (rxtx_stats){.accepted = accepted, .dropped = dropped};
    return true;
}

/* At most two lines that a person reads. Free with g_free. */
static char *clipped(const char *told)
{
    g_autofree char *clean = rxtx_message_clean(told, 2);

    return g_utf8_substring(clean, 0, MIN(g_utf8_strlen(clean, -1), SENTENCE_MAX));
}

/* On one line. */
static void tell(const rxtx_far *far, uint64_t time_ns, const char *kind, int cpu, const char *told)
{
    g_autofree char *text = g_strdelimit(clipped(told), "\n", ' ');

    if (far->tell != NULL)
        far->tell(far->tell_data, rxtx_event_heard(far->label, time_ns, kind, cpu, text));
}

static bool on_warning(rxtx_far *far, GVariant *body)
{
    const char *told;

    g_variant_get(body, "(&s)", &told);
    if (far->warnings++ < WARNINGS_MAX)
        tell(far, 0, rxtx_event_name(RXTX_EVENT_WARNING), RXTX_EVENT_NO_CPU, told);
    return true;
}

static bool on_event(rxtx_far *far, GVariant *body)
{
    const char *kind, *told;
    guint64 time_ns;
    gint32 cpu;

    g_variant_get(body, "(t&si&s)", &time_ns, &kind, &cpu, &told);
    if (far->events < EVENTS_MAX)
        tell(far, MAX(time_ns, 1), kind, MAX(cpu, RXTX_EVENT_NO_CPU), told);
    else if (far->events == EVENTS_MAX)
        tell(far, MAX(time_ns, 1), rxtx_event_name(RXTX_EVENT_UNSEEN), RXTX_EVENT_NO_CPU,
             "More happens there than is told from here on");
    far->events++;
    return true;
}

/* What to type next is different there and here; what the other end advises is marked as its own words, and nothing
 * that it says becomes a part of a command. Free with g_free. */
static char *hint_of(const rxtx_far *far, guint32 code, const char *told, const char *program)
{
    g_autofree char *way = rxtx_options_way(far->options, far->host);

    if (code == RXTX_ERROR_PERMISSION && far->options->remote_deploy)
        return g_strdup("Add --remote-priv sudo, or be root there: --remote-username root");
    if (code == RXTX_ERROR_PERMISSION)
        return g_strdup_printf("There, run: sudo setcap cap_net_raw+ep %s (or add --remote-priv sudo)",
                               rxtx_is_program(program) ? program : far->options->remote_program);
    if (code == RXTX_ERROR_INTERFACE && (told == NULL || g_str_has_prefix(told, "To list them")))
        return g_strdup_printf("To list them: rxtxcpu -D%s", way);
    return told != NULL ? g_strdup_printf("%s says: %s", far->label, told) : NULL;
}

/* The far end's code decides about our exit status, if it is one. */
static bool on_error(rxtx_far *far, GVariant *body)
{
    g_autofree char *text = NULL, *hint = NULL, *whole = NULL;
    const char *told, *program;
    g_auto(GStrv) lines = NULL;
    guint32 code;

    g_variant_get(body, "(u&s&s)", &code, &told, &program);
    text = clipped(told);
    lines = g_strsplit(text, "\n", 2);
    hint = hint_of(far, code, lines[0] != NULL ? lines[1] : NULL, program);
    whole = g_strjoin("\n", lines[0] != NULL ? lines[0] : "", hint, NULL);
    return fail(far, code == RXTX_ERROR_USAGE || code == RXTX_ERROR_INPUT ? RXTX_ERROR_INPUT : RXTX_ERROR_REMOTE,
                whole);
}

/* Only whole lines that stood unchanged from one look to the next. */
void rxtx_far_show_said(rxtx_far *far)
{
    const GString *all = far->ssh.said;
    bool still = all->len == far->said && all->len > far->shown && all->str[all->len - 1] == '\n';
    g_autofree char *fresh = still && !far->greeted ? g_strdelimit(g_strdup(all->str + far->shown), "\r", '\n') : NULL;
    g_auto(GStrv) lines = fresh != NULL ? g_strsplit(fresh, "\n", -1) : NULL;

    far->said = all->len;
    for (char **line = lines; lines != NULL && *line != NULL; line++) {
        g_autofree char *text = clipped(*line);
        if (*text != '\0' && far->tell != NULL)
            far->tell(far->tell_data, rxtx_event_heard(far->label, 0, "warning", RXTX_EVENT_NO_CPU, text));
    }
    if (lines != NULL)
        far->shown = all->len;
}

static bool on_text(rxtx_far *far, GVariant *body)
{
    const char *told;

    if (far->greeted)
        return breaks_protocol(far);
    g_variant_get(body, "(&s)", &told);
    g_free(far->text);
    far->text = rxtx_message_clean(told, LINES_MAX);
    return true;
}

static bool on_end(rxtx_far *far, GVariant *body)
{
    if (!far->greeted && far->text == NULL)
        return breaks_protocol(far);
    g_variant_get(body, RXTX_END_TYPE, NULL, &far->downs, NULL); /* the order of packets we see ourselves */
    if (far->downs > COUNT_MAX)
        return breaks_protocol(far);
    far->over = true;
    return true;
}

static bool take_message(rxtx_far *far, const rxtx_decoded *decoded)
{
    static const struct {
        uint32_t type;
        bool (*take)(rxtx_far *far, GVariant *body);
    } messages[] = {
        {RXTX_BLOCK_HELLO, on_hello}, {RXTX_BLOCK_STATUS, on_status}, {RXTX_BLOCK_WARNING, on_warning},
        {RXTX_BLOCK_ERROR, on_error}, {RXTX_BLOCK_TEXT, on_text},     {RXTX_BLOCK_END, on_end},
        {RXTX_BLOCK_EVENT, on_event},
    };
    g_autoptr(GVariant) body = rxtx_message_body(decoded->message.type, decoded->message.body, decoded->message.size,
                                                 far->decoder.swapped, NULL);

    for (size_t i = 0; body != NULL && i < G_N_ELEMENTS(messages); i++)
        if (messages[i].type == decoded->message.type)
            return messages[i].take(far, body);
    return breaks_protocol(far);
}

/* ---- the capture ---- */

static int32_t ifindex_of(rxtx_far *far, const rxtx_decoded *decoded)
{
    const char *name = decoded->interface.name;
    gpointer known = g_hash_table_lookup(far->names, name);
    rxtx_far_interface *interface;

    if (known != NULL)
        return GPOINTER_TO_INT(known);
    far->comments += decoded->interface.comment != NULL ? strlen(decoded->interface.comment) : 0;
    interface = g_new(rxtx_far_interface, 1);
    *interface = (rxtx_far_interface){g_strdup(name),
                                      far->comments < COMMENTS_MAX ? g_strdup(decoded->interface.comment) : NULL};
    g_ptr_array_add(far->interfaces, interface);
    g_hash_table_insert(far->names, g_strdup(name), GINT_TO_POINTER(far->interfaces->len));
    return (int32_t)far->interfaces->len;
}

/* One header for all, as HELLO said; packets of all interfaces have their own. */
static bool fits_hello(const rxtx_far *far, const rxtx_decoded *decoded)
{
    bool own = far->options->interface == NULL && !far->options->one_linktype;

    return own || decoded->interface.linktype == rxtx_far_linktype(far) || strcmp(decoded->interface.name, "any") == 0;
}

int rxtx_far_linktype(const rxtx_far *far)
{
    const char *told = rxtx_far_fact(far, "linktype");

    return told != NULL ? (int)CLAMP(g_ascii_strtoll(told, NULL, 10), 0, G_MAXUINT16) : 0;
}

static bool take_interface(rxtx_far *far, const rxtx_decoded *decoded)
{
    const char *description = decoded->interface.description, *name = decoded->interface.name;
    gpointer group;
    rxtx_far_block block;

    if (!fits_hello(far, decoded))
        return fail(far, RXTX_ERROR_REMOTE, "The other end sent packets of another link type than it had told");
    if (description == NULL || !g_str_has_prefix(description, name) ||
        !g_hash_table_lookup_extended(far->endings, description + strlen(name), NULL, &group))
        return fail(far, RXTX_ERROR_REMOTE,
                    "The other end sent packets of a CPU, queue or node that it had not told of");
    block = (rxtx_far_block){.group = far->first_group + GPOINTER_TO_UINT(group), .ifindex = ifindex_of(far, decoded)};
    g_array_append_val(far->blocks, block);
    return true;
}

static uint32_t header_of_ours(int32_t linktype)
{
    return linktype == LINKTYPE_LINUX_SLL ? 16 : linktype == LINKTYPE_LINUX_SLL2 ? 20 : 0;
}

static bool take_packet(rxtx_far *far, const rxtx_decoded *decoded)
{
    const rxtx_far_block *block = &g_array_index(far->blocks, rxtx_far_block, decoded->packet.interface_id);
    rxtx_packet *head = &far->stream.head;

    *head = decoded->packet.packet;
    head->ifindex = block->ifindex;
    head->wire_len -= MIN(head->wire_len, header_of_ours(head->linktype));
    far->head = (size_t)(head->data - far->bytes);
    far->stream.group = block->group;
    far->stream.pending = true;
    return true;
}

static bool take(rxtx_far *far, const rxtx_decoded *decoded)
{
    bool capture = decoded->kind != RXTX_DECODED_MESSAGE;

    if (far->over || (capture && !far->greeted))
        return breaks_protocol(far);
    if (decoded->kind == RXTX_DECODED_MESSAGE)
        return take_message(far, decoded);
    if (decoded->kind == RXTX_DECODED_INTERFACE)
        return take_interface(far, decoded);
    return decoded->kind != RXTX_DECODED_PACKET || take_packet(far, decoded);
}

/* A shell whose start-up files print something is the usual reason for a beginning that makes no sense. */
static void explain_noise(rxtx_far *far, const GError *error)
{
    g_autofree char *begin = g_strndup((const char *)far->bytes + far->begin, MIN(far->end - far->begin, 60));
    g_autofree char *clean = rxtx_message_clean(begin, 1);
    g_autofree char *text = NULL;

    if (far->greeted) {
        fail(far, RXTX_ERROR_REMOTE, error->message);
        return;
    }
    text = g_strdup_printf("The other end said something else than rxtxcpu: '%s'.\nIf its shell's start-up files print "
                           "that, keep them silent when nobody is at a terminal",
                           clean);
    fail(far, RXTX_ERROR_REMOTE, text);
}

void rxtx_far_look(rxtx_far *far)
{
    bool more = true;

    while (more && far->failure == NULL && !far->stream.pending) {
        g_autoptr(GError) error = NULL;
        rxtx_decoded decoded = {0};
        rxtx_decode_block(&far->decoder, far->bytes + far->begin, far->end - far->begin, &decoded, &error);
        if (decoded.kind == RXTX_DECODED_BAD)
            explain_noise(far, error);
        more = decoded.kind != RXTX_DECODED_MORE && decoded.kind != RXTX_DECODED_BAD;
        far->begin += decoded.size;
        if (more)
            more = take(far, &decoded);
        rxtx_decoded_clear(&decoded);
    }
    if (far->ended && !far->stream.pending)
        explain_end(far);
}

void rxtx_far_clear(rxtx_far *far)
{
    rxtx_ssh_clear(&far->ssh);
    rxtx_decoder_clear(&far->decoder);
    g_clear_pointer(&far->groups, g_array_unref);
    g_clear_pointer(&far->blocks, g_array_unref);
    g_clear_pointer(&far->facts, g_hash_table_unref);
    g_clear_pointer(&far->endings, g_hash_table_unref);
    g_clear_pointer(&far->names, g_hash_table_unref);
    g_clear_pointer(&far->counted, g_free);
    g_clear_pointer(&far->bytes, g_free);
    g_clear_pointer(&far->text, g_free);
    g_clear_error(&far->failure);
}
