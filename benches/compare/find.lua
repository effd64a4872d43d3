-- The best openings near a point: agendas from geo sets, one a specialty, in rings until nobody farther can win.
-- KEYS: the geo sets; with a design that keeps agendas beside them, the hash of agendas last.
-- ARGV: longitude, latitude, x, y, radius, ways, now, latest start, two territories, design.
local longitude, latitude = ARGV[1], ARGV[2]
local n = {}
for i = 3, 10 do n[i] = tonumber(ARGV[i]) end
local x, y, radius, ways, now, latest, own, other = n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10]
local design = ARGV[11]
local covering = design == 'Covering'
local areas = covering and #KEYS or #KEYS - 1
local rings = design == 'Whole' and {1} or {8, 4, 2, 1}
local band, unpack_bytes, floor, sqrt, insert = bit.band, struct.unpack, math.floor, math.sqrt, table.insert
local best, inner = {}, -1

local function judge(agenda, outer)
    local px, py, territory, count, at = unpack_bytes('<i4i4i4i4', agenda)
    local dx, dy = px - x, py - y
    local squared = dx * dx + dy * dy
    if squared > outer or squared <= inner then return end
    local travel = 240 + floor(floor(sqrt(squared)) / 10)
    local known = territory == own or territory == other
    local least
    for _ = 1, count do
        local start, finish, number, bits
        start, finish, number, bits, at = unpack_bytes('<i4i4i4i4', agenda, at)
        if start > latest then break end
        local offered = band(bits, ways)
        if band(offered, 3) ~= 0 and (known or band(bits, 8) ~= 0) then
            local home = band(offered, 2) ~= 0
            local arrival = home and now or now + travel
            local begins
            if band(bits, 4) ~= 0 then
                if arrival + 300 <= finish then begins = start > arrival and start or arrival end
            elseif start >= arrival + (home and 0 or 300) then
                begins = start
            end
            if begins and begins <= latest then
                local one = (begins - now + travel) * 4294967296 + number
                if not least or one < least then least = one end
            end
        end
    end
    if least and (#best < 5 or least < best[5]) then
        local place = #best + 1
        while place > 1 and best[place - 1] > least do place = place - 1 end
        insert(best, place, least)
        best[6] = nil
    end
end

for _, part in ipairs(rings) do
    local ring = floor(radius / part)
    local outer = ring * ring
    for area = 1, areas do
        -- The plane and this sphere differ by less than a hundredth; the plane decides.
        local near = redis.call('GEOSEARCH', KEYS[area], 'FROMLONLAT', longitude, latitude, 'BYRADIUS', ring * 1.01 + 20, 'm')
        if covering then
            for i = 1, #near do judge(near[i], outer) end
        else
            for from = 1, #near, 1000 do
                local agendas = redis.call('HMGET', KEYS[#KEYS], unpack(near, from, math.min(from + 999, #near)))
                for i = 1, #agendas do judge(agendas[i], outer) end
            end
        end
    end
    inner = outer
    local travel = 240 + floor(ring / 10)
    if #best == 5 and floor(best[5] / 4294967296) < (band(ways, 2) == 0 and 2 * travel or travel) then break end
end
return best
