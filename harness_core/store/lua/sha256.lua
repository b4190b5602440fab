-- SHA-256 as in FIPS 180-4, https://doi.org/10.6028/NIST.FIPS.180-4: Redis itself offers scripts only SHA-1.
local sha256
do
  local band, bxor, bnot, ror, rshift, tobit = bit.band, bit.bxor, bit.bnot, bit.ror, bit.rshift, bit.tobit
  local constants, initial = {}, {}
  local function fraction(root) return tobit(math.floor((root - math.floor(root)) * 4294967296)) end
  local number, found = 2, 0
  while found < 64 do
    local prime = true
    for divisor = 2, math.floor(math.sqrt(number)) do
      if number % divisor == 0 then prime = false break end
    end
    if prime then
      found = found + 1
      constants[found] = fraction(number ^ (1 / 3))
      if found <= 8 then initial[found] = fraction(math.sqrt(number)) end
    end
    number = number + 1
  end

  local function word(n) return struct.pack('>I4', n) end

  function sha256(text)
    local length = #text * 8
    text = text .. '\128' .. string.rep('\0', (55 - #text) % 64)
      .. word(math.floor(length / 4294967296)) .. word(length % 4294967296)
    local h = { unpack(initial) }
    local w = {}
    for at = 1, #text, 64 do
      for i = 1, 16 do w[i] = tobit((struct.unpack('>I4', text, at + (i - 1) * 4))) end
      for i = 17, 64 do
        local a, b = w[i - 15], w[i - 2]
        local s0 = bxor(ror(a, 7), ror(a, 18), rshift(a, 3))
        local s1 = bxor(ror(b, 17), ror(b, 19), rshift(b, 10))
        w[i] = tobit(w[i - 16] + s0 + w[i - 7] + s1)
      end
      local a, b, c, d, e, f, g, i8 = unpack(h)
      for i = 1, 64 do
        local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
        local t1 = i8 + s1 + bxor(band(e, f), band(bnot(e), g)) + constants[i] + w[i]
        local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
        local t2 = s0 + bxor(band(a, b), band(a, c), band(b, c))
        i8, g, f, e, d, c, b, a = g, f, e, tobit(d + t1), c, b, a, tobit(t1 + t2)
      end
      local mixed = { a, b, c, d, e, f, g, i8 }
      for i = 1, 8 do h[i] = tobit(h[i] + mixed[i]) end
    end
    local hex = {}
    for i = 1, 8 do hex[i] = bit.tohex(h[i]) end
    return table.concat(hex)
  end
end
