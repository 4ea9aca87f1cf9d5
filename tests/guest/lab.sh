# shellcheck shell=dash
# What a test's script may say in the guest. Every wait has an end; what is in /results comes back to the test.

# busybox has commands of the same names, that can do less.
ip() { /bin/ip "$@"; }
date() { /bin/date "$@"; }

fail() {
    echo "guest: $*"
    exit 1
}

# WHAT COMMAND…: waits until the command succeeds.
eventually() {
    local what="$1" left=400
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || fail "waited in vain for $what"
        sleep 0.05
    done
}

# --- the net: va in namespace a, vb in namespace b -----------------------------------------------------------------

quiet_up() {
    # shellcheck disable=SC2016 # for the shell in there
    ip netns exec "$1" sh -c 'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do [ ! -e $f ] || echo 1 >$f; done'
    ip -n "$1" link set "v$1" addrgenmode none arp off up
}

is_up() { ip -n "$1" link show "v$1" | grep -q 'state UP'; }

make_net() {
    ip netns add a
    ip netns add b
    ip -n a link add va address 02:00:00:00:00:01 type veth peer name vb netns b address 02:00:00:00:00:02
    quiet_up a
    quiet_up b
    eventually "va to be up" is_up a
    eventually "vb to be up" is_up b
}

# MASK: receive packet steering of vb to these CPUs.
steer() { ip netns exec b sh -c "echo $1 >/sys/class/net/vb/queues/rx-0/rps_cpus"; }

# --- programs: NAME.stdout, NAME.stderr and NAME.status are results -------------------------------------------------

# NAME NAMESPACE COMMAND…: in the background.
start() {
    local name="$1" namespace="$2"
    shift 2
    echo "guest: $name: $*"
    ip_netns_exec "$namespace" "$@" >"/results/$name.stdout" 2>"/results/$name.stderr" &
    echo $! >"/run/$name.pid"
}

# The process becomes the command: its id stays.
ip_netns_exec() { exec /bin/ip netns exec "$@"; }

tell() { kill "$2" "$(cat "/run/$1.pid")"; }

# NAME: waits for its end.
finish() {
    local status=0
    wait "$(cat "/run/$1.pid")" || status=$?
    echo "$status" >"/results/$1.status"
}

stop() {
    tell "$1" -INT
    finish "$1"
}

# NAME NAMESPACE COMMAND…: to its end.
attempt() {
    start "$@"
    finish "$1"
}

# NAME a|b OPTION…: a capture of va or vb into NAME.pcapng, which is live when this returns.
capture() {
    local name="$1" end="$2"
    shift 2
    start "$name" "$end" rxtxcpu -v -w "/results/$name.pcapng" "$@" "v$end"
    eventually "$name to be live" grep -q "capturing on" "/results/$name.stderr"
}

received() { ip netns exec b cat /sys/class/net/vb/statistics/rx_packets; }

has_received() { [ "$(received)" -ge "$1" ]; }

# N: waits until vb has received so many packets more than now.
more() { eventually "$1 more packets" has_received $(($(received) + $1)); }

# NAME OPTION…: sends from va, and returns when all of it has been through the receive path.
send() {
    local name="$1"
    shift
    attempt "$name" a sender --interface va "$@"
    drained
}

# NAME OPTION…: sends until it is stopped.
sending() {
    local name="$1"
    shift
    start "$name" a sender --interface va --count 0 "$@"
}

# --- what the kernel tells and is told -------------------------------------------------------------------------------

backlog_is_empty() { ! grep -qvE '^([0-9a-f]+ ){11}00000000' /proc/net/softnet_stat; }

drained() { eventually "the receive backlog to drain" backlog_is_empty; }

# NAME: a copy of the kernel's counters of the receive path, one line for each CPU that is online.
softnet() { cat /proc/net/softnet_stat >"/results/$1"; }

moment() { echo "$1 $(date +%s%N)" >>/results/moments; }

# CPU VALUE: before and after are moments; after it no packet is on its way by the old state.
switch_cpu() {
    moment before
    echo "$2" >"/sys/devices/system/cpu/cpu$1/online"
    drained
    moment after
}

offline() { switch_cpu "$1" 0; }

online() { switch_cpu "$1" 1; }
