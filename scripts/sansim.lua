-- Names the multipath commands that Wireshark does not know, in iSCSI captures: sansim's and others.
--
--     wireshark -X lua_script:scripts/sansim.lua capture.pcapng
--     tshark -X lua_script:scripts/sansim.lua -r capture.pcapng -Y sansim.command
--
-- The name is added to the Info column, and is the field sansim.command. To install the script, copy it into
-- the folder of personal Lua plugins (Help > About Wireshark > Folders).

local sansim = Proto("sansim", "Multipath command")
local command = ProtoField.string("sansim.command", "Command")
sansim.fields = { command }

local opcodes = Field.new("iscsi.opcode")

-- VPD pages, where storage families use the codes of vendors. The kernel's device handlers read C0h (emc), and
-- C2h, C4h, C8h and C9h (rdac).
local vpd_pages = {
    [0xc0] = "unit path report (EMC), hardware version (RDAC)",
    [0xc1] = "firmware version (RDAC)",
    [0xc2] = "software version (RDAC)",
    [0xc3] = "feature parameters (RDAC)",
    [0xc4] = "subsystem identifier (RDAC)",
    [0xc8] = "extended device identification (RDAC)",
    [0xc9] = "volume access control (RDAC)",
}

local mode_pages = {
    [0x22] = "trespass (EMC)",
    [0x2c] = "redundant controller (RDAC)",
}

-- The parameter lists that the kernel's device handlers send to move LUNs, by operation code and length: the CDB
-- of MODE SELECT does not name the page.
local activations = {
    [0x15] = { [8] = 0x22, [110] = 0x2c },
    [0x55] = { [19] = 0x22, [308] = 0x2c },
}

local function inquiry(cdb)
    local page = cdb(2, 1):uint()
    local name = vpd_pages[page]
    if cdb(1, 1):bitfield(7, 1) == 1 and name then
        return string.format("INQUIRY: VPD page %02Xh, %s", page, name)
    end
end

local function mode_sense(cdb)
    local page = cdb(2, 1):bitfield(2, 6)
    if mode_pages[page] then
        return string.format("MODE SENSE: page %02Xh, %s", page, mode_pages[page])
    end
end

local function mode_select(cdb)
    local opcode = cdb(0, 1):uint()
    local len = opcode == 0x55 and cdb(7, 2):uint() or cdb(4, 1):uint()
    local page = activations[opcode][len]
    if page then
        return string.format("MODE SELECT: page %02Xh, %s (by its length)", page, mode_pages[page])
    end
end

local function start_stop_unit(cdb)
    if cdb(4, 1):bitfield(7, 1) == 1 then
        return "START STOP UNIT: START (hp_sw: activation)"
    end
end

local function service_action(name)
    return function(cdb)
        if cdb(1, 1):bitfield(3, 5) == 0x0a then
            return name
        end
    end
end

local names = {
    [0x12] = inquiry,
    [0x15] = mode_select,
    [0x1a] = mode_sense,
    [0x1b] = start_stop_unit,
    [0x55] = mode_select,
    [0x5a] = mode_sense,
    [0xa3] = service_action("REPORT TARGET PORT GROUPS"),
    [0xa4] = service_action("SET TARGET PORT GROUPS"),
}

function sansim.dissector(_, pinfo, tree)
    for _, opcode in ipairs({ opcodes() }) do
        -- A SCSI Command PDU has its CDB at byte 32 (RFC 7143 clause 11.3).
        local source, at = opcode.source, opcode.offset
        if opcode.value == 0x01 and source and source:len() >= at + 48 then
            local cdb = source(at + 32, 16)
            local naming = names[cdb(0, 1):uint()]
            local name = naming and naming(cdb)
            if name then
                tree:add(sansim, cdb):add(command, cdb, name)
                pinfo.cols.info:append(" [" .. name .. "]")
            end
        end
    end
end

register_postdissector(sansim)
