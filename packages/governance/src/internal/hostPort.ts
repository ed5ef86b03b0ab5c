/**
 * Hosts and ports as one text.
 *
 * @internal
 */

/** @internal */
export const format = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/** Splits `HOST`, `HOST:PORT`, `[IPV6]:PORT` or a bare IPv6 address; undefined where it is none of them. @internal */
export const parse = (text: string): { readonly host: string; readonly port: number | undefined } | undefined => {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host !== undefined) {
    const number = port === undefined ? undefined : Number(port)
    return number === undefined || (number > 0 && number < 65_536) ? { host, port: number } : undefined
  }
  const bare = /^[\da-f:.]+$/i.test(text) && (text.includes("::") || text.split(":").length === 8)
  return bare ? { host: text, port: undefined } : undefined
}
