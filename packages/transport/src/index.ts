/**
 * Byte streams for Millrace: raw streams over HTTP/2, their errors and options, and the transport in memory. The
 * transport over sockets is in `@millrace/transport/node`.
 *
 * @since 0.1.0
 */
export * as BizStatus from "./BizStatus.ts"
export * as Files from "./Files.ts"
export * as HeaderStrings from "./HeaderStrings.ts"
export * as MemoryTransport from "./MemoryTransport.ts"
export * as Metadata from "./Metadata.ts"
export * as Metainfo from "./Metainfo.ts"
export * as Network from "./Network.ts"
export * as Pushback from "./Pushback.ts"
export * as RawCall from "./RawCall.ts"
export * as RawStream from "./RawStream.ts"
export * as StatusDetails from "./StatusDetails.ts"
export * as Transport from "./Transport.ts"
export * as TransportError from "./TransportError.ts"
export * as TransportOptions from "./TransportOptions.ts"
