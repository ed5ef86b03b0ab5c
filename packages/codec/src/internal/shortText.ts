/**
 * Short ASCII texts, made by one call with exactly as many arguments as characters: twice as fast as the native decoder
 * up to 16 characters, and a flat string, which concatenation would not be.
 */
const from = String.fromCharCode

/** The text, or `undefined` if it is too long or not ASCII.
 *
 * @internal
 */
export function readShort(b: Uint8Array, p: number, length: number): string | undefined {
  switch (length) {
    case 0:
      return ""
    case 1: {
      const c0 = b[p]!
      return c0 > 0x7f ? undefined : from(c0)
    }
    case 2: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      return (c0 | c1) > 0x7f ? undefined : from(c0, c1)
    }
    case 3: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      return (c0 | c1 | c2) > 0x7f ? undefined : from(c0, c1, c2)
    }
    case 4: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      return (c0 | c1 | c2 | c3) > 0x7f ? undefined : from(c0, c1, c2, c3)
    }
    case 5: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      return (c0 | c1 | c2 | c3 | c4) > 0x7f ? undefined : from(c0, c1, c2, c3, c4)
    }
    case 6: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      return (c0 | c1 | c2 | c3 | c4 | c5) > 0x7f ? undefined : from(c0, c1, c2, c3, c4, c5)
    }
    case 7: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      const c6 = b[p + 6]!
      return (c0 | c1 | c2 | c3 | c4 | c5 | c6) > 0x7f ? undefined : from(c0, c1, c2, c3, c4, c5, c6)
    }
    case 8: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      const c6 = b[p + 6]!
      const c7 = b[p + 7]!
      return (c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7) > 0x7f ? undefined : from(c0, c1, c2, c3, c4, c5, c6, c7)
    }
    case 9: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      const c6 = b[p + 6]!
      const c7 = b[p + 7]!
      const c8 = b[p + 8]!
      return (c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8) > 0x7f ? undefined : from(c0, c1, c2, c3, c4, c5, c6, c7, c8)
    }
    case 10: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      const c6 = b[p + 6]!
      const c7 = b[p + 7]!
      const c8 = b[p + 8]!
      const c9 = b[p + 9]!
      return (c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8 | c9) > 0x7f
        ? undefined
        : from(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9)
    }
    case 11: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      const c6 = b[p + 6]!
      const c7 = b[p + 7]!
      const c8 = b[p + 8]!
      const c9 = b[p + 9]!
      const c10 = b[p + 10]!
      return (c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8 | c9 | c10) > 0x7f
        ? undefined
        : from(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10)
    }
    case 12: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      const c6 = b[p + 6]!
      const c7 = b[p + 7]!
      const c8 = b[p + 8]!
      const c9 = b[p + 9]!
      const c10 = b[p + 10]!
      const c11 = b[p + 11]!
      return (c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8 | c9 | c10 | c11) > 0x7f
        ? undefined
        : from(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11)
    }
    case 13: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      const c6 = b[p + 6]!
      const c7 = b[p + 7]!
      const c8 = b[p + 8]!
      const c9 = b[p + 9]!
      const c10 = b[p + 10]!
      const c11 = b[p + 11]!
      const c12 = b[p + 12]!
      return (c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8 | c9 | c10 | c11 | c12) > 0x7f
        ? undefined
        : from(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12)
    }
    case 14: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      const c6 = b[p + 6]!
      const c7 = b[p + 7]!
      const c8 = b[p + 8]!
      const c9 = b[p + 9]!
      const c10 = b[p + 10]!
      const c11 = b[p + 11]!
      const c12 = b[p + 12]!
      const c13 = b[p + 13]!
      return (c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8 | c9 | c10 | c11 | c12 | c13) > 0x7f
        ? undefined
        : from(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13)
    }
    case 15: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      const c6 = b[p + 6]!
      const c7 = b[p + 7]!
      const c8 = b[p + 8]!
      const c9 = b[p + 9]!
      const c10 = b[p + 10]!
      const c11 = b[p + 11]!
      const c12 = b[p + 12]!
      const c13 = b[p + 13]!
      const c14 = b[p + 14]!
      return (c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8 | c9 | c10 | c11 | c12 | c13 | c14) > 0x7f
        ? undefined
        : from(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14)
    }
    case 16: {
      const c0 = b[p]!
      const c1 = b[p + 1]!
      const c2 = b[p + 2]!
      const c3 = b[p + 3]!
      const c4 = b[p + 4]!
      const c5 = b[p + 5]!
      const c6 = b[p + 6]!
      const c7 = b[p + 7]!
      const c8 = b[p + 8]!
      const c9 = b[p + 9]!
      const c10 = b[p + 10]!
      const c11 = b[p + 11]!
      const c12 = b[p + 12]!
      const c13 = b[p + 13]!
      const c14 = b[p + 14]!
      const c15 = b[p + 15]!
      return (c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8 | c9 | c10 | c11 | c12 | c13 | c14 | c15) > 0x7f
        ? undefined
        : from(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15)
    }
  }
  return undefined
}
