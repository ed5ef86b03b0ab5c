/**
 * The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B), both ways.
 *
 * @internal
 */

/** Code length of each of the 256 octets, then of EOS. The code is canonical, so the lengths determine it. */
const codeLengths: ReadonlyArray<number> = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30
]

const eos = 256

const codes = new Uint32Array(257)
const lengths = Uint8Array.from(codeLengths)

/** Inner nodes of the code tree; a child is an inner node (>= 0) or a leaf (-1 - symbol). */
const children: Array<[number, number]> = [[0, 0]]

const symbols = Array.from(codeLengths.keys()).sort((a, b) => codeLengths[a]! - codeLengths[b]! || a - b)
let nextCode = 0
let nextLength = codeLengths[symbols[0]!]!
for (const symbol of symbols) {
  const length = codeLengths[symbol]!
  nextCode <<= length - nextLength
  nextLength = length
  codes[symbol] = nextCode
  let node = 0
  for (let bit = length - 1; bit > 0; bit--) {
    const side = (nextCode >>> bit) & 1
    if (children[node]![side] === 0) {
      children[node]![side] = children.length
      children.push([0, 0])
    }
    node = children[node]![side]!
  }
  children[node]![nextCode & 1] = -1 - symbol
  nextCode++
}

/**
 * The decoder's state is an inner node of the tree; four bits move it to the next one. No code is shorter than five
 * bits, so a move yields at most one octet. An entry: bits 0-7 the next state, bits 8-15 the octet, bit 16 whether
 * there is one; -1 when the move runs into EOS.
 */
const moves = new Int32Array(256 * 16)
/**
 * States in which a string may end: fewer than eight bits since the last symbol, all of them ones (the start of EOS).
 */
const mayEnd = new Uint8Array(256)

for (let state = 0; state < 256; state++) {
  for (let bits = 0; bits < 16; bits++) {
    let node = state
    let output = 0
    for (let bit = 3; bit >= 0 && node >= 0; bit--) {
      const child = children[node]![(bits >>> bit) & 1]!
      if (child >= 0) node = child
      else if (child === -1 - eos) node = -1
      else {
        output = 0x10000 | ((-1 - child) << 8)
        node = 0
      }
    }
    moves[state * 16 + bits] = node < 0 ? -1 : output | node
  }
}
for (let ones = 0, node = 0; ones < 8; ones++) {
  mayEnd[node] = 1
  node = children[node]![1]
}

/** Long arguments of `fromCharCode` go through the stack. */
const charChunk = 4096

const scratch = new Uint8Array(charChunk)

const nodeSlice: typeof Buffer.prototype.latin1Slice | undefined =
  typeof Buffer === "function" ? Buffer.prototype.latin1Slice : undefined

/**
 * The latin1 string of `bytes[start, end)`: one character a byte. Node's own takes a quarter of the time on short ones.
 *
 * @internal
 */
export const latin1 = (bytes: Uint8Array, start: number, end: number): string => {
  if (nodeSlice !== undefined) return nodeSlice.call(bytes as Buffer, start, end)
  if (end - start <= charChunk) return String.fromCharCode.apply(null, bytes.subarray(start, end) as never)
  let text = ""
  for (let at = start; at < end; at += charChunk) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(at + charChunk, end)) as never)
  }
  return text
}

/**
 * Decodes `bytes[start, end)` to a latin1 string, or gives undefined when RFC 7541 5.2 forbids it: EOS inside, padding
 * of eight bits or more, or padding that is not the start of EOS. Takes memory for at most 8/5 of the input.
 *
 * @internal
 */
export const huffmanDecode = (bytes: Uint8Array, start: number, end: number): string | undefined => {
  const bound = Math.ceil(((end - start) * 8) / 5)
  const out = bound <= scratch.length ? scratch : new Uint8Array(bound)
  let length = 0
  let state = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    let move = moves[(state << 4) | (byte >>> 4)]!
    if (move < 0) return undefined
    if (move >= 0x10000) out[length++] = move >>> 8
    move = moves[((move & 0xff) << 4) | (byte & 15)]!
    if (move < 0) return undefined
    if (move >= 0x10000) out[length++] = move >>> 8
    state = move & 0xff
  }
  return mayEnd[state] === 1 ? latin1(out, 0, length) : undefined
}

/**
 * How many bytes `huffmanEncode` will write for a latin1 string.
 *
 * @internal
 */
export const huffmanLength = (text: string): number => {
  let bits = 0
  for (let i = 0; i < text.length; i++) bits += lengths[text.charCodeAt(i) & 0xff]!
  return (bits + 7) >>> 3
}

/**
 * Writes the code of a latin1 string to `out` from `at`, which must have room for `huffmanLength(text)` bytes, and
 * returns the position behind it.
 *
 * @internal
 */
export const huffmanEncode = (text: string, out: Uint8Array, at: number): number => {
  // At most seven bits are pending before a piece of at most sixteen, so 32-bit arithmetic is enough for codes of up to
  // 30 bits.
  let pending = 0
  let bits = 0
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 0xff
    const code = codes[symbol]!
    let length = lengths[symbol]!
    if (length > 16) {
      pending = (pending << (length - 16)) | (code >>> 16)
      bits += length - 16
      while (bits >= 8) out[at++] = pending >>> (bits -= 8)
      length = 16
    }
    pending = (pending << length) | (code & 0xffff)
    bits += length
    while (bits >= 8) out[at++] = pending >>> (bits -= 8)
  }
  // The padding is the start of EOS: ones.
  if (bits > 0) out[at++] = (pending << (8 - bits)) | (0xff >>> bits)
  return at
}
