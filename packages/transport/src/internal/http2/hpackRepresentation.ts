/**
 * First bytes of the representations of a field (RFC 7541 section 6): a flag, and the bits of an integer behind it.
 *
 * @internal
 */

/** @internal */
export const indexed = 0x80

/** @internal */
export const withIndexing = 0x40

/** @internal */
export const tableSizeUpdate = 0x20

/** @internal */
export const neverIndexed = 0x10

/** @internal */
export const withoutIndexing = 0x00
