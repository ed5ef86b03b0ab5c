/**
 * Hashes of 32 bits that are the same in every process: FNV-1a over UTF-16 code units, mixed by the end of MurmurHash3.
 *
 * @internal
 */

const fnvOffset = 0x811c9dc5
const fnvPrime = 0x01000193

/** Every bit of the input changes about half of those of the output, and no two inputs have the same. @internal */
export const mix = (bits: number): number => {
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** Other seeds are other hashes. @internal */
export const hashText = (text: string, seed = 0): number => {
  let hash = fnvOffset ^ seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), fnvPrime)
  return mix(hash)
}
