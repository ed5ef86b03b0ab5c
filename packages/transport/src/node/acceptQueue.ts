/**
 * How many connections wait at a listener: their clients are connected, and Node has not seen them yet.
 *
 * @internal
 */
import * as fs from "node:fs"
import type * as net from "node:net"

/** Linux tells of TCP here, of listeners first. */
const tables = ["/proc/net/tcp", "/proc/net/tcp6"]

/** Of a listener: its port, and the queues of what is sent and received; the latter counts connections. */
const listener = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A [0-9A-F]{8}:([0-9A-F]{8})/
const other = /^ *\d+: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} (?!0A)/m

/** The lines of listeners. A read gives whole lines, about 4 KiB at a time. */
const read = (table: string): ReadonlyArray<string> => {
  const file = fs.openSync(table, "r")
  try {
    const bytes = Buffer.allocUnsafe(65536)
    let text = ""
    for (;;) {
      const chunk = bytes.toString("latin1", 0, fs.readSync(file, bytes))
      text += chunk
      // There may be very many of the others.
      if (chunk === "" || other.test(chunk)) return text.split("\n")
    }
  } finally {
    fs.closeSync(file)
  }
}

/** Of all listeners at the port; undefined where the system does not tell. @internal */
export const acceptQueue = (server: net.Server): number | undefined => {
  const address = server.address()
  if (address === null || typeof address === "string") return undefined
  let waiting: number | undefined
  for (const table of tables) {
    try {
      for (const line of read(table)) {
        const [, port, queue] = listener.exec(line) ?? []
        if (port !== undefined && parseInt(port, 16) === address.port) waiting = (waiting ?? 0) + parseInt(queue!, 16)
      }
    } catch {
      // Not Linux, or it has no IPv6.
    }
  }
  return waiting
}
