/* The option table itself: what a user may say, in one place. How it is read is options.c's, how it is shown ui/'s. */
#include "plan/options.h"

#include "rxtxcpu/capture_format.h"

#define AT(member) offsetof(rxtx_options, member)
#define STR_(number) #number
#define STR(number) STR_(number)

static const rxtx_choice directions[] = {
    {"rxtx", "Received and sent", RXTX_DIRECTION_RXTX},
    {"rx", "Received", RXTX_DIRECTION_RX},
    {"tx", "Sent", RXTX_DIRECTION_TX},
    {NULL, NULL, 0},
};

static const rxtx_choice annotations[] = {
    {"interface", "Interface (one for each CPU)", RXTX_ANNOTATE_INTERFACE},
    {"comment", "Packet comment", RXTX_ANNOTATE_COMMENT},
    {"both", "Both", RXTX_ANNOTATE_BOTH},
    {NULL, NULL, 0},
};

static const rxtx_choice groups[] = {
    {"cpu", "CPU", RXTX_GROUP_CPU},
    {"queue", "Queue of the interface", RXTX_GROUP_QUEUE},
    {"numa", "NUMA node", RXTX_GROUP_NUMA},
    {NULL, NULL, 0},
};

static const rxtx_choice formats[] = {
    {"auto", "By the file's name", RXTX_FORMAT_AUTO},
    {"pcap", "pcap, a file for each CPU", RXTX_FORMAT_PCAP},
    {"pcapng", "pcapng, one file", RXTX_FORMAT_PCAPNG},
    {NULL, NULL, 0},
};

static const rxtx_choice privs[] = {
    {"none", "As it is", RXTX_PRIV_NONE},
    {"sudo", "sudo -n", RXTX_PRIV_SUDO},
    {"doas", "doas -n", RXTX_PRIV_DOAS},
    {NULL, NULL, 0},
};

enum { CLI = RXTX_FACE_CLI, EXTCAP = RXTX_FACE_EXTCAP, FAR = RXTX_FACE_SERVE, BOTH = CLI | EXTCAP };
/* Places in the dialog of remote capture alone. */
enum { REMOTE = 100 };
enum { CPU = RXTX_GROUP_CPU, QUEUE = RXTX_GROUP_QUEUE, NUMA = RXTX_GROUP_NUMA };

static const char cpus_tab[] = "CPUs";
static const char capture_tab[] = "Capture";
static const char server_tab[] = "Server";
static const char authentication_tab[] = "Authentication";

const rxtx_option rxtx_option_table[] = {
    {"annotate", 0, RXTX_OPTION_CHOICE, AT(annotate), "WHERE", "interface", 0, 0, annotations, BOTH, 0, 4, cpus_tab,
     "Write the CPU as",
     "Where the CPU of each packet is written: in its interface (costs nothing), in a packet comment "
     "(for tools that show only comments), or in both."},
    {"autostop", 'a', RXTX_OPTION_LIMIT, AT(autostop), "LIMIT", NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Stop after duration:SECONDS, filesize:KB (of 1000 bytes, the largest file), packets:N or files:N; may be given "
     "several times."},
    {"buffer-size", 'B', RXTX_OPTION_UINT, AT(buffer), "MIB", "64", 1, 65536, NULL, BOTH | FAR, 0, 8, capture_tab,
     "Buffer (MiB)",
     "Kernel memory for packets that wait to be written, in MiB for all CPUs together; each CPU has at "
     "least 1 MiB."},
    {"count", 'c', RXTX_OPTION_UINT, AT(count), "N", "0", 0, G_MAXINT64, NULL, BOTH, 0, 5, capture_tab,
     "Stop after packets (0: no limit)", "Stop after exactly this many packets in total; 0 is no limit."},
    {"cpu-list", 'l', RXTX_OPTION_LIST, AT(cpu_list), "CPULIST", NULL, 0, 0, NULL, BOTH | FAR, CPU, 2, cpus_tab,
     "CPUs (none: all)", "Capture only what these CPUs handle, for instance 0,2-4,6."},
    {"cpu-mask", 'm', RXTX_OPTION_MASK, AT(cpu_mask), "CPUMASK", NULL, 0, 0, NULL, CLI | FAR, CPU, 0, NULL, NULL,
     "Capture only what the CPUs of this hexadecimal mask handle."},
    {"direction", 'd', RXTX_OPTION_CHOICE, AT(direction), "DIRECTION", "rxtx", 0, 0, directions, BOTH | FAR, 0, 3,
     cpus_tab, "Direction",
     "Capture packets that are received, that are sent, or both; the default goes with the name called, as "
     "rxcpu and txcpu say."},
    {"duration", 0, RXTX_OPTION_UINT, AT(duration), "SECONDS", "0", 0, G_MAXINT32 / 1000, NULL, BOTH, 0, 6, capture_tab,
     "Stop after seconds (0: no limit)", "Stop after this many seconds; 0 is no limit."},
    {"filter", 'f', RXTX_OPTION_STRING, AT(filter), "FILTER", NULL, 0, 0, NULL, CLI | FAR, 0, 0, NULL, NULL,
     "Capture only packets that match this filter in libpcap's syntax, for instance 'tcp port 443'."},
    {"format", 0, RXTX_OPTION_CHOICE, AT(format), "FORMAT", "auto", 0, 0, formats, CLI, 0, 0, NULL, NULL,
     "How -w writes: one pcap file for each CPU (queue, node), or one pcapng file of all in the order of time; auto is "
     "pcapng for a "
     "FILE that ends in .pcapng and for several CPUs on stdout."},
    {"group", 0, RXTX_OPTION_CHOICE, AT(group), "GROUP", "cpu", 0, 0, groups, BOTH | FAR, 0, 1, cpus_tab, "Tell apart",
     "What packets are put down to: the CPU that handled them, the queue of the interface, or the CPU's NUMA node; "
     "the default goes with the name called, as rxtxqueue and rxtxnuma say."},
    {"help", 'h', RXTX_OPTION_FLAG, AT(help), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Show this help and exit."},
    {"interface", 'i', RXTX_OPTION_STRING, AT(interface), "INTERFACE", NULL, 0, 0, NULL, CLI | FAR, 0, 0, NULL, NULL,
     "Capture on this interface, as the operand does; without either, on all."},
    {"json", 0, RXTX_OPTION_FLAG, AT(json), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Give the counts as one JSON object instead of lines, with --stats also one a line while it runs."},
    {"list-cpus", 0, RXTX_OPTION_FLAG, AT(list_cpus), NULL, NULL, 0, 0, NULL, CLI | FAR, 0, 0, NULL, NULL,
     "List the CPUs with node and state and exit."},
    {"list-interfaces", 'D', RXTX_OPTION_FLAG, AT(list_interfaces), NULL, NULL, 0, 0, NULL, CLI | FAR, 0, 0, NULL, NULL,
     "List the interfaces with driver, queues and state and exit."},
    {"numa-list", 'l', RXTX_OPTION_LIST, AT(numa_list), "NUMALIST", NULL, 0, 0, NULL, CLI | FAR, NUMA, 0, NULL, NULL,
     "Capture only what the CPUs of these NUMA nodes handle, for instance 0,2-4,6."},
    {"numa-mask", 'm', RXTX_OPTION_MASK, AT(numa_mask), "NUMAMASK", NULL, 0, 0, NULL, CLI | FAR, NUMA, 0, NULL, NULL,
     "Capture only what the CPUs of the NUMA nodes of this hexadecimal mask handle."},
    {"packet-buffered", 'U', RXTX_OPTION_FLAG, AT(packet_buffered), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Write each packet as soon as it is captured."},
    {"persist", 0, RXTX_OPTION_FLAG, AT(persist), NULL, NULL, 0, 0, NULL, BOTH | FAR, 0, 10, capture_tab,
     "Wait for an interface that is gone",
     "Go on when the interface is deleted and made again: wait for one of its name, also at the start."},
    {"promiscuous", 'p', RXTX_OPTION_FLAG, AT(promiscuous), NULL, NULL, 0, 0, NULL, BOTH | FAR, 0, 9, capture_tab,
     "Promiscuous mode", "Also receive packets that are meant for other hosts."},
    {"proxycommand", 0, RXTX_OPTION_STRING, AT(proxycommand), "COMMAND", NULL, 0, 0, NULL, BOTH, 0, REMOTE + 12,
     authentication_tab, "Proxy command",
     "How ssh reaches the other host, as its ProxyCommand; for a jump host ~/.ssh/config is the better place."},
    {"queue-list", 'l', RXTX_OPTION_LIST, AT(queue_list), "QUEUELIST", NULL, 0, 0, NULL, CLI | FAR, QUEUE, 0, NULL,
     NULL, "Capture only what passes these queues, for instance 0,2-4,6."},
    {"queue-mask", 'm', RXTX_OPTION_MASK, AT(queue_mask), "QUEUEMASK", NULL, 0, 0, NULL, CLI | FAR, QUEUE, 0, NULL,
     NULL, "Capture only what passes the queues of this hexadecimal mask."},
    {"quiet", 'q', RXTX_OPTION_FLAG, AT(quiet), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "No status line and no table on a terminal."},
    {"remote-compress", 0, RXTX_OPTION_FLAG, AT(remote_compress), NULL, NULL, 0, 0, NULL, BOTH, 0, REMOTE + 23,
     capture_tab, "Compress on the way", "Have ssh compress what comes from the other host: for slow links."},
    {"remote-deploy", 0, RXTX_OPTION_FLAG, AT(remote_deploy), NULL, NULL, 0, 0, NULL, BOTH, 0, REMOTE + 4, server_tab,
     "Bring the program along",
     "Where rxtxcpu is not installed: send a copy along and run it from a private folder; it removes itself as soon as "
     "it runs, and needs root there, or --remote-priv."},
    {"remote-host", 0, RXTX_OPTION_WORDS, AT(remote_hosts), "HOST", NULL, 0, 0, NULL, BOTH, 0, REMOTE + 1, server_tab,
     "Host",
     "Capture on this host, which is reached as 'ssh HOST' reaches it, also as USER@HOST; in a terminal it may be "
     "given "
     "several times, for one capture of several hosts."},
    {"remote-own-traffic", 0, RXTX_OPTION_FLAG, AT(remote_own_traffic), NULL, NULL, 0, 0, NULL, BOTH | FAR, 0,
     REMOTE + 24, capture_tab, "Also our own ssh connection",
     "Do not leave out the ssh connection that carries the capture."},
    {"remote-port", 0, RXTX_OPTION_UINT, AT(remote_port), "PORT", "0", 0, 65535, NULL, BOTH, 0, REMOTE + 2, server_tab,
     "Port (0: as ssh is configured)", "The port of the other host's sshd; 0 leaves it to ssh's configuration."},
    {"remote-priv", 0, RXTX_OPTION_CHOICE, AT(remote_priv), "HOW", "none", 0, 0, privs, BOTH, 0, REMOTE + 13,
     authentication_tab, "Rights there",
     "How rxtxcpu gets the right to capture on the other host: it has it as it is installed, or sudo or doas give it "
     "without asking for a password."},
    {"remote-program", 0, RXTX_OPTION_STRING, AT(remote_program), "PATH", "rxtxcpu", 0, 0, NULL, BOTH, 0, REMOTE + 3,
     server_tab, "Program there", "What rxtxcpu is called on the other host."},
    {"remote-timeout", 0, RXTX_OPTION_UINT, AT(remote_timeout), "SECONDS", "10", 2, 3600, NULL, BOTH | FAR, 0,
     REMOTE + 5, server_tab, "Lost after silence (seconds)",
     "After how much silence the other end is taken for lost; either end then stops."},
    {"remote-username", 0, RXTX_OPTION_STRING, AT(remote_username), "USER", NULL, 0, 0, NULL, BOTH, 0, REMOTE + 10,
     authentication_tab, "User name", "Who to be on the other host; without it ssh's configuration says."},
    {"ring-buffer", 'b', RXTX_OPTION_LIMIT, AT(ring), "LIMIT", NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Begin a new file after duration:SECONDS, filesize:KB or packets:N, and keep the last files:N; may be given "
     "several times. Files are numbered and dated."},
    {"serve", 0, RXTX_OPTION_FLAG, AT(serve), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Be the other host's end: answer an rxtxcpu that was called with --remote-host, on stdin and stdout."},
    {"snaplen", 's', RXTX_OPTION_UINT, AT(snaplen), "BYTES", STR(RXTX_SNAPLEN_MAX), RXTX_SNAPLEN_MIN, RXTX_SNAPLEN_MAX,
     NULL, BOTH | FAR, 0, 7, capture_tab, "Snapshot length (bytes)", "Keep at most this many bytes of each packet."},
    {"sshkey", 0, RXTX_OPTION_STRING, AT(sshkey), "KEYFILE", NULL, 0, 0, NULL, BOTH, 0, REMOTE + 11, authentication_tab,
     "SSH key file",
     "A private key to use beside those that ssh finds itself; ssh or its SSH_ASKPASS asks for the passphrase."},
    {"stats", 0, RXTX_OPTION_UINT, AT(stats), "SECONDS", "0", 0, G_MAXINT32 / 1000, NULL, CLI, 0, 0, NULL, NULL,
     "Give the counts every so many seconds while it runs: as a table on stderr, with --json as a line where the "
     "counts go; 0 is never."},
    {"verbose", 'v', RXTX_OPTION_FLAG, AT(verbose), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Say on stderr what is done, and close with a table."},
    {"version", 'V', RXTX_OPTION_FLAG, AT(version), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Show the version and exit."},
    {"worker-cpus", 0, RXTX_OPTION_LIST, AT(worker_cpus), "CPULIST", NULL, 0, 0, NULL, CLI | FAR, 0, 0, NULL, NULL,
     "Run on these CPUs only, to keep off those under test."},
    {"write", 'w', RXTX_OPTION_STRING, AT(write), "FILE", NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Write the packets: FILE out.pcap becomes out-0.pcap, out-1.pcap and so on, one for each CPU (queue, node); "
     "out.pcapng is one "
     "file of all; '-' is stdout."},

    {"capture", 0, RXTX_OPTION_FLAG, AT(capture), NULL, NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL, "Capture."},
    {"extcap-interfaces", 0, RXTX_OPTION_FLAG, AT(extcap_interfaces), NULL, NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "List the interfaces."},
    {"extcap-dlts", 0, RXTX_OPTION_FLAG, AT(extcap_dlts), NULL, NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "List the interface's link types."},
    {"extcap-config", 0, RXTX_OPTION_FLAG, AT(extcap_config), NULL, NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "List the interface's options."},
    {"extcap-reload-option", 0, RXTX_OPTION_STRING, AT(reload_option), "NAME", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL,
     NULL, "List one option's values anew."},
    {"extcap-interface", 0, RXTX_OPTION_STRING, AT(extcap_interface), "NAME", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL,
     NULL, "The interface."},
    {"extcap-capture-filter", 0, RXTX_OPTION_STRING, AT(filter), "FILTER", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "The capture filter; without --capture: check it."},
    {"fifo", 0, RXTX_OPTION_STRING, AT(fifo), "PATH", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "Where the packets go."},
    {"extcap-control-in", 0, RXTX_OPTION_STRING, AT(control_in), "PATH", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "Messages from Wireshark's toolbar."},
    {"extcap-control-out", 0, RXTX_OPTION_STRING, AT(control_out), "PATH", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "Messages to Wireshark's toolbar."},
    {"remote-interface", 0, RXTX_OPTION_STRING, AT(interface), "INTERFACE", NULL, 0, 0, NULL, EXTCAP, 0, REMOTE + 20,
     capture_tab, "Interface there (none: all)", "The other host's interface; Reload lists them. Without one: all."},
    {"remote-filter", 0, RXTX_OPTION_STRING, AT(remote_filter), "FILTER", NULL, 0, 0, NULL, EXTCAP, 0, REMOTE + 21,
     capture_tab, "Capture filter there",
     "Capture only packets that match this filter in libpcap's syntax; the other host applies it, together with the "
     "one "
     "of Wireshark's main window."},
    {"remote-count", 0, RXTX_OPTION_UINT, AT(count), "N", "0", 0, G_MAXINT64, NULL, EXTCAP, 0, REMOTE + 22, capture_tab,
     "Stop after packets (0: no limit)", "Stop after exactly this many packets in total; 0 is no limit."},
    {"remote-cpu", 0, RXTX_OPTION_LIST, AT(cpu_list), "CPULIST", NULL, 0, 0, NULL, EXTCAP, CPU, REMOTE + 30, cpus_tab,
     "CPU there", "Capture only what this CPU, or this NUMA node's CPUs, handle; Reload lists them."},
    {"remote-cpu-list", 0, RXTX_OPTION_LIST, AT(cpu_list), "CPULIST", NULL, 0, 0, NULL, EXTCAP, CPU, REMOTE + 31,
     cpus_tab, "Or several CPUs", "Capture only what these CPUs handle, for instance 0,2-4,6."},
    {"one-linktype", 0, RXTX_OPTION_FLAG, AT(one_linktype), NULL, NULL, 0, 0, NULL, FAR, 0, 0, NULL, NULL,
     "Give the packets of all interfaces one header of ours."},
    {"wait-for-link", 0, RXTX_OPTION_FLAG, AT(wait_for_link), NULL, NULL, 0, 0, NULL, FAR, 0, 0, NULL, NULL,
     "Wait for an interface that is down."},
    {0},
};

bool rxtx_option_shown(const rxtx_option *row, int group)
{
    return (row->faces & RXTX_FACE_CLI) && (row->group == 0 || row->group == group);
}

bool rxtx_option_of_remote(const rxtx_option *row)
{
    return row->place > REMOTE;
}

/* Rows of its own come first. One of them may say in other words what a row for this host's interfaces says. */
static bool is_in_dialog(const rxtx_option *row, bool remote)
{
    if (row->place == 0 || (rxtx_option_of_remote(row) && !remote))
        return false;
    for (const rxtx_option *own = rxtx_option_table; own->name != NULL && row->place < REMOTE && remote; own++)
        if (own->place > REMOTE && own->offset == row->offset)
            return false;
    return true;
}

static unsigned order_of(const rxtx_option *row)
{
    return row->place > REMOTE ? row->place - REMOTE : row->place + REMOTE;
}

static const rxtx_option *behind(unsigned order, bool remote)
{
    const rxtx_option *best = NULL;

    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (is_in_dialog(row, remote) && order_of(row) > order && (best == NULL || order_of(row) < order_of(best)))
            best = row;
    return best;
}

const rxtx_option *rxtx_option_in_dialog(bool remote, unsigned place)
{
    const rxtx_option *row = behind(0, remote);

    for (; place > 0 && row != NULL; place--)
        row = behind(order_of(row), remote);
    return row;
}

bool rxtx_option_by_name(const rxtx_option *row)
{
    return row->offset == AT(direction) || row->offset == AT(group);
}
