/**
 * gzip by Node's zlib.
 *
 * @internal
 */
import * as zlib from "node:zlib"
import type { Compression } from "../Transport.ts"

/** @internal */
export const gzip: Compression = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  gunzip: (bytes, maxSize) => {
    try {
      return zlib.gunzipSync(bytes, { maxOutputLength: Math.max(1, maxSize) })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") return undefined
      throw error
    }
  }
}
