# shellcheck shell=dash
# shellcheck disable=SC2154 # results is the folder of the story, which comes back to the test
# What a test's story may say in the guest. Every wait has an end.

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

# NAMESPACE DEVICE
quiet_up() {
    # shellcheck disable=SC2016 # for the shell in there
    ip netns exec "$1" sh -c 'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do [ ! -e $f ] || echo 1 >$f; done'
    ip -n "$1" link set "$2" addrgenmode none arp off up
}

is_up() { ip -n "$1" link show "$2" | grep -q 'state UP'; }

make_net() {
    ip netns add a
    ip netns add b
    ip -n a link add va address 02:00:00:00:00:01 type veth peer name vb netns b address 02:00:00:00:00:02
    quiet_up a va
    quiet_up b vb
    eventually "va to be up" is_up a va
    eventually "vb to be up" is_up b vb
}

# MASK: receive packet steering of vb to these CPUs.
steer() { ip netns exec b sh -c "echo $1 >/sys/class/net/vb/queues/rx-0/rps_cpus"; }

# DEVICE NAMESPACE NAME: gives a card to a namespace, under another name.
plug() {
    ip link set "$1" netns "$2" name "$3"
    quiet_up "$2" "$3"
    eventually "$3 to be up" is_up "$2" "$3"
}

# NAMESPACE DEVICE QUEUE MASK: these CPUs send on that queue.
send_on() { ip netns exec "$1" sh -c "echo $4 >/sys/class/net/$2/queues/tx-$3/xps_cpus"; }

# NAMESPACE DEVICE QUEUE CPU: that CPU takes the queue's interrupts.
receive_on() {
    local device irq
    device=$(ip netns exec "$1" readlink "/sys/class/net/$2/device")
    irq=$(awk -v name="${device##*/}-input.$3" '$NF == name { sub(":", "", $1); print $1 }' /proc/interrupts)
    echo "$4" >"/proc/irq/$irq/smp_affinity_list"
}

# --- programs: NAME.stdout, NAME.stderr and NAME.status are results -------------------------------------------------

# NAME NAMESPACE COMMAND…: in the background.
start() {
    local name="$1" namespace="$2"
    shift 2
    echo "guest: $name: $*"
    ip_netns_exec "$namespace" "$@" >"$results/$name.stdout" 2>"$results/$name.stderr" &
    echo $! >"/run/$name.pid"
}

# The process becomes the command: its id stays.
ip_netns_exec() { exec /bin/ip netns exec "$@"; }

tell() { kill "$2" "$(cat "/run/$1.pid")"; }

# NAME…: waits for their end.
finish() {
    local status name
    for name in "$@"; do
        status=0
        wait "$(cat "/run/$name.pid")" || status=$?
        rm "/run/$name.pid"
        echo "$status" >"$results/$name.status"
    done
}

# NAME…
stop() {
    local name
    for name in "$@"; do
        tell "$name" -INT
    done
    finish "$@"
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
    capture_on "$name" "$end" "v$end" "$@"
}

# NAME NAMESPACE DEVICE OPTION…: likewise, of any device; seen from within what $within says (see there).
capture_on() {
    local name="$1" namespace="$2" device="$3"
    shift 3
    # shellcheck disable=SC2086 # several words
    start "$name" "$namespace" within ${within-} -- rxtxcpu -v -w "$results/$name.pcapng" "$@" "$device"
    eventually "$name to be live" is_live "$name"
}

is_live() {
    grep -q "capturing on" "$results/$1.stderr" || tell "$1" -0 || fail "$1 has ended"
    grep -q "capturing on" "$results/$1.stderr"
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

size_of() { stat -c %s "$results/$1.pcapng"; }

has_grown() { [ "$(size_of "$1")" -ge "$2" ]; }

# NAME BYTES: waits until the capture has written so much more than now.
written() { eventually "$1 to write" has_grown "$1" $(($(size_of "$1") + $2)); }

# --- what the kernel tells and is told -------------------------------------------------------------------------------

backlog_is_empty() { ! grep -qvE '^([0-9a-f]+ ){11}00000000' /proc/net/softnet_stat; }

drained() { eventually "the receive backlog to drain" backlog_is_empty; }

# NAME: a copy of the kernel's counters of the receive path, one line for each CPU that is online.
softnet() { cat /proc/net/softnet_stat >"$results/$1"; }

moment() { echo "$* $(date +%s%N)" >>"$results/moments"; }

said_so() { [ "$(grep -c "$2" "$results/$1.stderr")" -gt "$3" ]; }

# CPU VALUE WHAT NAME…: switches a CPU; after `switched` no packet is on its way by the old state. The captures are
# waited for until they have said so.
switch_cpu() {
    local cpu="$1" value="$2" what="CPU $1 $3" name
    shift 3
    for name in "$@"; do
        eval "before_$name=$(grep -c "$what" "$results/$name.stderr")"
    done
    moment before "$cpu" "$value"
    echo "$value" >"/sys/devices/system/cpu/cpu$cpu/online"
    drained
    moment switched "$cpu" "$value"
    for name in "$@"; do
        eval "eventually '$name to say it' said_so '$name' '$what' \$before_$name"
    done
    moment said "$cpu" "$value"
}

# CPU NAME…
offline() {
    local cpu="$1"
    shift
    switch_cpu "$cpu" 0 "went offline" "$@"
}

online() {
    local cpu="$1"
    shift
    switch_cpu "$cpu" 1 "came online" "$@"
}

# SECONDS: sets the clock forward, or back.
step_clock() {
    date -s "@$(($(date +%s) + $1))" >/dev/null
}

# --- between stories -------------------------------------------------------------------------------------------------

switches() { ls /sys/devices/system/cpu/cpu*/online; }

remember_cpus() {
    local switch
    for switch in $(switches); do
        echo "$switch $(cat "$switch")"
    done >/run/cpus
}

# What a story has left behind when it failed: programs, CPUs that are off, the net.
clean_up() {
    local file switch value
    for file in /run/*.pid; do
        [ ! -e "$file" ] || kill -KILL "$(cat "$file")"
        rm -f "$file"
    done
    while read -r switch value; do
        [ "$(cat "$switch")" = "$value" ] || echo "$value" >"$switch"
    done </run/cpus
    ip netns delete a
    ip netns delete b
}
