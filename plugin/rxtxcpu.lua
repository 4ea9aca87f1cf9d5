-- Which CPU handled a packet, in any Wireshark: the fields rxtxcpu.cpu, .queue, .node, .host, .direction, .drops,
-- .late, .flow, .flow.prev_cpu and .flow.moved of a capture that rxtxcpu made, where its compiled plugin is not to be
-- had.
--
-- Put this one file into the folder that Wireshark shows under Help > About Wireshark > Folders > Personal Lua Plugins
-- (Linux and macOS: ~/.local/lib/wireshark/plugins, Windows: %APPDATA%\Wireshark\plugins), then start Wireshark again
-- (or Analyze > Reload Lua Plugins). For a CPU column, right-click the field in a packet's details: Apply as Column.
-- Wireshark 4.0 and newer with Lua, on any system. It does nothing where the compiled plugin is installed too.
--
-- What it does not have of the compiled plugin: the column made by itself, the fields rxtxcpu.flow.cpus, .prev_frame,
-- .split and .reordered_by_move, rxtxcpu.repeat and rxtxcpu.hash, statistics and expert infos. It makes Wireshark build
-- the details of each packet, so large files load more slowly. Its answers are those of the compiled plugin but for:
--   * In a file that was merged from captures of several hosts whose interfaces have the same descriptions, an
--     interface is known only from its first packet on. Until an interface comes a second time, and so shows that there
--     are two captures, packets of both may be taken for one flow, and a move be shown that was none.
--   * Endpoints other than of IPv4, IPv6 and Ethernet are told apart by their text as Wireshark shows it.
--
-- What the texts are that this reads is in rxtxcpu's include/rxtxcpu/capture_format.h.
--
-- SPDX-License-Identifier: GPL-2.0-or-later

-- nil instead of an error: a Wireshark that lacks something is not to tell its user about it at each start.
local function quietly(make, ...)
    local ok, result = pcall(make, ...)
    return ok and result or nil
end

-- Refused where there is a protocol of this name: the compiled plugin's, or another copy of this file. Nothing else
-- tells of it without a cost: a Field of the plugin's would make Wireshark build the details of each packet.
local proto = quietly(Proto, "rxtxcpu", "Per-CPU capture")
if not proto then
    return
end

local DESCRIPTION_MAX = 1024
local FOLLOWED_CPUS = 1023
local CLOCK_STEP_NS = 1e9
local RECEIVED, SENT = 1, 2
local TCP, UDP = 2, 3
local HAS_PORTS = {[1] = true, [TCP] = true, [UDP] = true, [4] = true} -- SCTP, TCP, UDP, DCCP

local fields = {
    host = ProtoField.string("rxtxcpu.host", "Host", base.NONE, "The host whose interface captured the packet"),
    cpu = ProtoField.uint32("rxtxcpu.cpu", "CPU", base.DEC, nil, nil, "The CPU that handled the packet"),
    queue = ProtoField.uint32("rxtxcpu.queue", "Queue", base.DEC, nil, nil,
        "The queue of the network interface, a receive queue for a received packet"),
    node = ProtoField.uint32("rxtxcpu.node", "NUMA node", base.DEC, nil, nil, "The NUMA node of the CPU"),
    direction = ProtoField.uint8("rxtxcpu.direction", "Direction", base.DEC,
        {[RECEIVED] = "received", [SENT] = "sent"}, nil, "Received or sent by the host that captured"),
    drops = ProtoField.uint64("rxtxcpu.drops", "Lost before", base.DEC, nil, nil,
        "So many packets of this CPU (or queue, or node) were lost right before this one"),
    late = ProtoField.bool("rxtxcpu.late", "Late", base.NONE, nil, nil,
        "The packet's time is before that of an earlier packet in the file"),
    flow = ProtoField.uint32("rxtxcpu.flow", "Flow", base.DEC, nil, nil,
        "Both directions between two addresses and ports on one host, numbered from 1"),
    prev_cpu = ProtoField.uint32("rxtxcpu.flow.prev_cpu", "CPU before", base.DEC, nil, nil,
        "The CPU that handled the packet before in this direction of the flow"),
    moved = ProtoField.bool("rxtxcpu.flow.moved", "Moved", base.NONE, nil, nil,
        "Another CPU handled the packet before in this direction of the flow"),
}
proto.fields = fields

local function nothing()
end

local function extractor(name)
    return quietly(Field.new, name) or nothing
end

local frame_encap = extractor("frame.encap_type")
local frame_time = extractor("frame.time")
local frame_shift = extractor("frame.offset_shift")
local frame_section = extractor("frame.section_number")
local frame_interface = extractor("frame.interface_id")
local frame_interface_name = extractor("frame.interface_name")
local frame_interface_description = extractor("frame.interface_description")
local frame_direction = extractor("frame.packet_flags_direction")
local frame_queue = extractor("frame.interface_queue")
local frame_drops = extractor("frame.drop_count")
local frame_comment = extractor("frame.comment")
local icmp = extractor("icmp")
local icmpv6 = extractor("icmpv6")
local streams = {[TCP] = extractor("tcp.stream"), [UDP] = extractor("udp.stream")}
local sources = {extractor("ip.src"), extractor("ipv6.src"), extractor("eth.src")}
local targets = {extractor("ip.dst"), extractor("ipv6.dst"), extractor("eth.dst")}
local ETHERNET = "3" -- of these

local function first_value(extract)
    local info = extract()
    return info and info.value
end

-- Of the innermost of several layers.
local function last_value(extract)
    local count = select("#", extract())
    local info = count > 0 and select(count, extract())
    return info and info.value
end

-- Before 4.4 an interface is looked up without its section, and the answer for a later section is an interface of the
-- first one.
local major, minor = (quietly(get_version) or ""):match("^(%d+)%.(%d+)")
local knows_sections = major ~= nil and tonumber(major) * 100 + tonumber(minor) >= 404

-- Records ------------------------------------------------------------------------------------------------------------
--
-- A record has cpu, queue and node: nil where nothing was written, false for the word "unknown", else the number.
-- Its stream is the key that came first, its host a name or "".

-- (whether the text is a value, the value)
local function parse_number(text)
    if text == "unknown" then
        return true, false
    end
    if #text > 10 or not (text == "0" or text:find("^[1-9][0-9]*$")) then
        return false
    end
    local number = tonumber(text)
    return number < 4294967295, number
end

-- Exactly one space between two words; nil for anything else.
local function split(text)
    local words = {}
    for word in (text .. " "):gmatch("([^ ]*) ") do
        if word == "" then
            return nil
        end
        words[#words + 1] = word
    end
    return words
end

local function is_readable(text)
    return text ~= nil and #text <= DESCRIPTION_MAX and not text:find("[\1-\31\127]")
end

-- Each key comes once.
local function take(record, key, text)
    local valid, number = parse_number(text)
    if not valid or record[key] ~= nil then
        return false
    end
    record[key] = number
    return true
end

-- The host in "HOST:NAME", "" for "NAME"; nil where the device is another one than its interface's.
local function host_of(word, name)
    if name == nil or word == name then
        return ""
    end
    local length = #word - #name - 1
    if name ~= "" and length >= 1 and word:sub(length + 1) == ":" .. name then
        return word:sub(1, length)
    end
    return nil
end

local KEYS = {CPU = "cpu", queue = "queue", node = "node"}

local function take_pair(record, key, text)
    if KEYS[key] then
        return take(record, KEYS[key], text)
    end
    return key == "hook" or (parse_number(text))
end

-- The record of an interface, or nil. A Wireshark that knows no name gives the description for it.
local function decode_description(description, name)
    local text = is_readable(description) and description:match("^(.*) %(rxtxcpu%)$")
    local words = text and split(text)
    if not words or #words < 3 or #words % 2 == 0 then
        return nil
    end
    local record = {host = host_of(words[1], name ~= description and name or nil), stream = KEYS[words[2]] or "other"}
    if not record.host then
        return nil
    end
    for i = 2, #words, 2 do
        if not take_pair(record, words[i], words[i + 1]) then
            return nil
        end
    end
    return record
end

local function take_word(record, key, text)
    if key == "hash" then
        local valid = record.hash == nil and #text <= 10 and text:find("^0x%x+$")
        record.hash = text
        return valid
    end
    return not (key == "cpu" or key == "queue" or key == "node") or take(record, key, text)
end

-- The record in a comment, or nil. Every word must be KEY=VALUE, and one a CPU's number: a sentence is no record.
local function decode_comment(comment)
    local words = is_readable(comment) and split(comment)
    if not words then
        return nil
    end
    local record = {host = "", stream = "cpu"}
    for _, word in ipairs(words) do
        local key, text = word:match("^([a-z][a-z0-9_]*)=(.+)$")
        if not key or not take_word(record, key, text) then
            return nil
        end
    end
    return record.cpu and record or nil
end

-- What record does not know is taken from other; what neither knows is at least "unknown" if one of them says so.
local function completed(record, other)
    local whole = {host = record.host, stream = record.stream}
    for _, key in pairs(KEYS) do
        whole[key] = record[key] or other[key]
        if whole[key] == nil then
            whole[key] = record[key]
        end
    end
    return whole
end

-- Interfaces ---------------------------------------------------------------------------------------------------------

-- All that is remembered of the file that is open.
local file

-- A new name for a capture: what it is called means nothing but that it is another one.
local function new_capture()
    file.captures = file.captures + 1
    return file.captures
end

-- Says again which capture each interface of one host belongs to. In the order of their ids, a new one begins where an
-- interface comes a second time. A capture keeps its name as long as one of its interfaces bears it.
local function part_captures(interfaces)
    local taken, group, seen = {}, {}, {}
    local function finish()
        local capture
        for _, interface in ipairs(group) do
            if capture == nil and not taken[interface.capture or 0] then
                capture = interface.capture
            end
        end
        capture = capture or new_capture()
        taken[capture] = true
        for _, interface in ipairs(group) do
            interface.capture = capture
        end
        group, seen = {}, {}
    end

    table.sort(interfaces, function(one, other) return one.id < other.id end)
    for _, interface in ipairs(interfaces) do
        if seen[interface.key] then
            finish()
        end
        seen[interface.key] = true
        group[#group + 1] = interface
    end
    finish()
end

local function section_of_packet()
    local number = first_value(frame_section) or 1
    local section = file.sections[number]
    if not section then
        local unknown = {device = "", capture = new_capture()}
        section = {interfaces = {}, hosts = {}, unknown = unknown, is_known = number == 1 or knows_sections}
        file.sections[number] = section
    end
    return section
end

-- The packet's interface: id, device, capture and, if its description is one of ours, record.
local function interface_of_packet()
    local section = section_of_packet()
    local id = first_value(frame_interface)
    if id == nil or not section.is_known then
        return section.unknown
    end
    local interface = section.interfaces[id]
    if not interface then
        local name, description = first_value(frame_interface_name), first_value(frame_interface_description)
        interface = {
            id = id,
            device = name ~= description and name or "",
            record = decode_description(description, name),
            key = (name or "") .. "\n" .. (description or ""),
        }
        section.interfaces[id] = interface
        local host = interface.record and interface.record.host or ""
        section.hosts[host] = section.hosts[host] or {}
        table.insert(section.hosts[host], interface)
        part_captures(section.hosts[host])
    end
    return interface
end

local function record_in_comments()
    if not frame_comment() then
        return nil
    end
    for _, info in ipairs({frame_comment()}) do
        local record = decode_comment(info.value)
        if record then
            return record
        end
    end
    return nil
end

-- The option alone makes no record: other programs write it too.
local function record_of_packet(interface)
    local record, said = interface.record, record_in_comments()
    record = said and completed(record or said, said) or record
    if record and not record.queue then
        local queue = first_value(frame_queue)
        record = queue and completed(record, {queue = queue}) or record
    end
    return record
end

-- Lateness -----------------------------------------------------------------------------------------------------------

-- The packet's own time is taken, not that to which a user shifted it.
local function is_late()
    local time = first_value(frame_time)
    if not time then
        return false
    end
    local shift = first_value(frame_shift)
    time = shift and time - shift or time
    local secs, nsecs = time.secs, time.nsecs
    if file.secs and (secs < file.secs or (secs == file.secs and nsecs < file.nsecs)) and
        (file.secs - secs) * 1e9 + (file.nsecs - nsecs) < CLOCK_STEP_NS then
        return true
    end
    file.secs, file.nsecs = secs, nsecs
    return false
end

-- Flows --------------------------------------------------------------------------------------------------------------

-- An address as a text that no other address has; nil for none. It has the bytes of the innermost field that shows the
-- address: the text of an address will not do, as it may be a name, which others have too, and which comes later.
local function address_key(address, extractors)
    for kind, extract in ipairs(extractors) do
        local infos = {extract()}
        for i = #infos, 1, -1 do
            if infos[i].value == address then
                return kind .. ":" .. infos[i].range:raw()
            end
        end
    end
    local text = tostring(address)
    return text ~= "" and text ~= "NONE" and "?:" .. text or nil
end

-- (a text that is the same for all packets of a flow, whether this one goes from the lower endpoint to the higher)
local function flow_key(pinfo, capture, host)
    local source, target = address_key(pinfo.src, sources), address_key(pinfo.dst, targets)
    if not source or not target or source:sub(1, 2) ~= target:sub(1, 2) then
        return nil
    end
    local port_type, conversation = 0, ""
    if HAS_PORTS[pinfo.port_type] and not icmp() and not icmpv6() then
        port_type = pinfo.port_type
        source, target = source .. "," .. pinfo.src_port, target .. "," .. pinfo.dst_port
        -- what a tunnel over UDP holds may have Ethernet addresses, and is no part of the tunnel's conversation
        conversation = streams[port_type] and source:sub(1, 1) ~= ETHERNET and last_value(streams[port_type]) or ""
    end
    local forward = source <= target
    local ends = forward and source .. " " .. target or target .. " " .. source
    return table.concat({capture, host, conversation, port_type, ends}, " "), forward
end

local function flow_of_packet(pinfo, interface, record)
    local key, forward = flow_key(pinfo, interface.capture, record.host)
    if not key then
        return nil
    end
    local flow = file.flows[key]
    if not flow then
        file.flow_count = file.flow_count + 1
        flow = {number = file.flow_count, last = {}}
        file.flows[key] = flow
    end
    return flow, forward
end

local function is_followed(cpu)
    if cpu and not file.cpus[cpu] and file.cpu_count < FOLLOWED_CPUS then
        file.cpus[cpu] = true
        file.cpu_count = file.cpu_count + 1
    end
    return cpu and file.cpus[cpu]
end

local function way_of_packet()
    local direction = first_value(frame_direction)
    return (direction == RECEIVED or direction == SENT) and direction or nil
end

local function follow(frame, pinfo, interface, record)
    local flow, forward = flow_of_packet(pinfo, interface, record)
    if not flow then
        return
    end
    file.flow_of[frame] = flow.number
    if not is_followed(record.cpu) or file.late[frame] then
        return
    end
    local lane = (forward and "> " or "< ") .. (way_of_packet() or 0) .. " " .. interface.device
    file.prev_cpu[frame] = flow.last[lane]
    flow.last[lane] = record.cpu
end

-- What hangs on the packets before is worked out the first time that a packet's fields are there, in the order of the
-- file, and is looked up later. That is when the file is read, but for tshark -2, which may show them only in its
-- second pass. A packet that a read filter hides gives its number to the next one.
local function is_first_visit(frame, visited)
    if visited and frame <= file.last_frame then
        return false
    end
    file.last_frame = frame
    file.late[frame], file.flow_of[frame], file.prev_cpu[frame] = nil, nil, nil
    return true
end

-- What is shown ------------------------------------------------------------------------------------------------------

local function add(item, field, value)
    return value and item:add(field, value):set_generated()
end

-- Behind the host that has a name, the CPU comes first wherever it is known; else the stream names itself.
local function stream_text(record)
    local host = record.host ~= "" and ": " .. record.host or ""
    local behind = record.host ~= "" and " " or ": "
    for _, part in ipairs({{"cpu", "CPU"}, {"queue", "queue"}, {"node", "node"}}) do
        local key, word = part[1], part[2]
        if record[key] ~= nil and (key == "cpu" or record.stream == key) then
            return host .. behind .. word .. " " .. (record[key] or "unknown")
        end
    end
    return host
end

local function show(tree, frame, record)
    local way, late = way_of_packet(), file.late[frame]
    local flow, prev_cpu = file.flow_of[frame], file.prev_cpu[frame]
    local moved = prev_cpu and prev_cpu ~= record.cpu
    local item = tree:add(proto):set_generated()
    item:append_text(stream_text(record) .. (way and (way == SENT and ", sent" or ", received") or "") ..
        (moved and ", flow moved from CPU " .. prev_cpu or "") .. (late and ", late" or ""))
    add(item, fields.host, record.host ~= "" and record.host)
    add(item, fields.cpu, record.cpu)
    add(item, fields.queue, record.queue)
    add(item, fields.node, record.node)
    add(item, fields.direction, way)
    add(item, fields.drops, first_value(frame_drops))
    add(item, fields.late, late)
    local below = add(item, fields.flow, flow)
    if below then
        add(below, fields.prev_cpu, prev_cpu)
        add(below, fields.moved, moved)
    end
end

-- Called before each file is read, also when it is read again.
local function forget()
    file = {
        sections = {}, -- by number: interfaces by id, lists of them by host, and what stands for one that is not known
        captures = 0,
        flows = {}, -- by key: number, and for each lane the CPU of its last packet
        flow_count = 0,
        cpus = {},
        cpu_count = 0,
        last_frame = 0,
        late = {}, -- these by frame number
        flow_of = {},
        prev_cpu = {},
    }
end

function proto.dissector(_, pinfo, tree)
    if not frame_encap() then -- no packet, but another block of the file
        return
    end
    local frame = pinfo.number
    local first = is_first_visit(frame, pinfo.visited)
    if first then
        file.late[frame] = is_late() or nil
    end
    local interface = interface_of_packet()
    local record = record_of_packet(interface)
    if not record then
        return
    end
    if first then
        follow(frame, pinfo, interface, record)
    end
    show(tree, frame, record)
end

forget()
proto.init = forget
register_postdissector(proto)
