/**
 * The keys of a TTHeader that connections read or write themselves, and its flags; callers bring the others. Numbers and
 * names: gopkg `protocol/ttheader/metakey.go`.
 *
 * @internal
 */

/** Bits of FLAGS. @internal */
export const Flag = {
  /** The client takes answers in any order: it multiplexes. */
  OutOfOrder: 0x0001,
  /** On a fresh connection: TTHeader streaming. */
  Streaming: 0x0002
} as const

/** Keys of the int block. All values are strings, numbers are decimal. @internal */
export const IntKey = {
  ToMethod: 9,
  /** Milliseconds. */
  RpcTimeout: 12,
  /** The type of the Thrift message behind the header. */
  MessageType: 22,
  /** TTHeader streaming: the type of the frame, `"1"` to `"5"`. */
  FrameType: 27,
  /** Ours, "MR" in ASCII, in answers: calls of one connection are answered side by side. Kitex ignores it. */
  Multiplexed: 0x4d52,
  /** Ours, "MS": the call with this sequence id is not waited for any more. */
  Cancel: 0x4d53,
  /**
   * Ours, "MT": bytes that the peer may send on the stream, more than before. In a request it says that its client takes and gives
   * credit; later ones come in Meta frames.
   */
  Credit: 0x4d54,
  /** Ours, "MU": `"1"` asks for a beat, `"2"` is one. In Meta frames with the stream id 0. */
  Beat: 0x4d55,
  /** Ours, "MV": the server drains, nothing new is to come on this connection. */
  Draining: 0x4d56,
  /** Ours, "MW": the gRPC code of the status in a Trailer, which Kitex has no place for. */
  StatusCode: 0x4d57,
  /** Ours, "MX": the details of that status, in Base64. */
  StatusDetails: 0x4d58
} as const

/** Keys of the string block. @internal */
export const StringKey = {
  /** Name of the service in the IDL. */
  Service: "isn",
  /** In answers: the connection will be closed, send nothing more. Its presence counts. */
  ConnectionReset: "crrst",
  /** In an Rst: the services that a cancellation went through, with commas between. */
  CancelPath: "ttscp",
  /** CRC-32C of all bytes behind the header, in hex. */
  Checksum: "crc32c",
  /** Has a block of its own on the wire. */
  AclToken: "RPC_TRANSIT_gdpr-token"
} as const

/** Prefixes of metainfo in the string block. @internal */
export const Prefix = {
  Transient: "RPC_TRANSIT_",
  /** Transient for whoever sent it: gone by the time a handler runs. Never written. */
  Upstream: "RPC_TRANSIT_UPSTREAM_",
  Persistent: "RPC_PERSIST_"
} as const
