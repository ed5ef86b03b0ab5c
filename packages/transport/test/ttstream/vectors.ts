/** Frames that were recorded from Kitex, and frames worked out by hand. */
import { Output } from "@millrace/codec/Output"
import { readFileSync } from "node:fs"
import { fixedSize, infoSizeAt, lengthAt, readHeader, sequenceIdAt } from "../../src/internal/ttheader/header.ts"
import type { CallEntries, CallHeader } from "../../src/RawCall.ts"
import type { RawClientStream } from "../../src/RawStream.ts"
import { fromHex } from "../http2/raw.ts"

/** A recorded frame, as Go decoded it. */
export interface Frame {
  readonly dir: "c2s" | "s2c"
  readonly type: number
  readonly sid: number
  readonly ints: ReadonlyArray<readonly [number, string]>
  readonly strings?: CallEntries
  /** Message and type; a message that is no UTF-8 in hex. */
  readonly exception?: readonly [message: string | { readonly hex: string }, type: number]
  readonly hex: string
  /** The recording has only the beginning of a large one. */
  readonly cut?: true
}
/** `TCP_fin`, or an answer that is no stream. */
export interface Other {
  readonly dir: "c2s" | "s2c"
  readonly other: string
  readonly hex?: string
}
export interface Saw {
  readonly op: string
  readonly value?: unknown
  readonly error?: string
}
export interface Transcript {
  readonly name: string
  readonly script: string
  readonly frames: ReadonlyArray<Frame | Other>
  readonly clientSaw: ReadonlyArray<Saw>
  readonly handlerSaw?: ReadonlyArray<string>
}
export interface Probe {
  readonly name: string
  readonly note?: string
  readonly send: string
  readonly reply: ReadonlyArray<Frame | Other>
  readonly closed: boolean
  readonly handlerSaw?: ReadonlyArray<string>
}
export interface Fake {
  readonly name: string
  readonly reply: string
  readonly clientSaw: ReadonlyArray<Saw>
  readonly sent: ReadonlyArray<Frame | Other> | null
}

export const golden: {
  readonly transcripts: ReadonlyArray<Transcript>
  readonly probes: ReadonlyArray<Probe>
  readonly fakes: ReadonlyArray<Fake>
  readonly chains: ReadonlyArray<{ readonly name: string; readonly frames: ReadonlyArray<Frame | Other> }>
} = JSON.parse(readFileSync(new URL("../data/kitex-ttstream.json", import.meta.url), "utf8"))

export const isFrame = (frame: Frame | Other): frame is Frame => "type" in frame

/** A frame, read by the parts that every TTHeader shares. */
export interface ReadFrame {
  readonly streamId: number
  readonly header: CallHeader
  readonly payload: Uint8Array
}

export const readFrames = (bytes: Uint8Array): ReadonlyArray<ReadFrame> => {
  const frames: Array<ReadFrame> = []
  for (let at = 0; at < bytes.length;) {
    const payloadAt = at + fixedSize + infoSizeAt(bytes, at)
    const end = at + 4 + lengthAt(bytes, at)
    frames.push({
      streamId: sequenceIdAt(bytes, at),
      header: readHeader(bytes, at, payloadAt),
      payload: bytes.subarray(payloadAt, end)
    })
    at = end
  }
  return frames
}

/** The digits of each frame. */
export const split = (hex: string): ReadonlyArray<string> => {
  const frames: Array<string> = []
  for (let at = 0; at < hex.length;) {
    const end = at + 8 + parseInt(hex.slice(at, at + 8), 16) * 2
    frames.push(hex.slice(at, end))
    at = end
  }
  return frames
}

export const readFrame = (hex: string): ReadFrame => readFrames(fromHex(hex))[0]!

export const written = (write: (out: Output) => number): Uint8Array => {
  const out = new Output()
  // Something else is there already.
  out.position = 7
  const size = write(out)
  const bytes = out.toBytes().subarray(7)
  if (size !== bytes.length) throw new Error(`${size} bytes were announced, ${bytes.length} written`)
  return bytes
}

/** The text of a user's cancel, 130 bytes. */
const userCancelled =
  "7573657220636f646520696e766f6b696e672073747265616d20525043207769746820636f6e746578742070726f63657373656420627920636f6e746578742e5769746843616e63656c206f7220636f6e746578742e5769746854696d656f75742c207468656e20696e766f6b696e672063616e63656c2829206163746976656c79"

/** Frames whose keys are in our order; most are as Kitex wrote them but for that. */
export const worked = {
  header:
    "0000005e100000020000000100151000010003000369736e000b4563686f53657276696365000e5250435f504552534953545f6b3100027631000e5250435f5452414e5349545f6b3200027632100002000900084563686f42696469001b00013200",
  data: "0000002e100000020000000100061000100002000900084563686f42696469001b00013300000b00010000000470696e6700",
  responseHeader:
    "0000002e1000000200000001000910000100010002686b00026876100002000900084563686f42696469001b000132000000",
  halfClose: "00000022100000020000000100061000100002000900084563686f42696469001b0001340000",
  trailer: "0000002e1000000200000001000910000100010002746b00027476100002000900084563686f42696469001b000134000000",
  exception:
    "0000004c100000020000000300051000100002000900044661696c001b000134000080010003000000044661696c000000030b00010000000f62697a206572726f723a20626f6f6d0800020000000600",
  bizError:
    "0000005e100000020000000400151000010003000a62697a2d7374617475730003343034000b62697a2d6d65737361676500096e6f7420666f756e64000962697a2d657874726100097b226b223a2276227d1000020009000342697a001b00013400",
  rst: `000000d31000000200000005000a1000010001000574747363700007636c692e73766310000200090004536c6f77001b0001350000008001000300000004536c6f77000000050b000100000082${userCancelled}08000200002ee700`,
  afterRst: "0000001e10000002000000050005100010000200090004536c6f77001b0001340000",
  proxyRst:
    "0000005c10000002000000050009100001000100057474736370000645677265737310000200090004536c6f77001b0001358001000300000004536c6f77000000050b00010000000f4567726573732063616e63656c6564080002000004b400",
  token:
    "0000003e1000000200000006000d1000110003746f6b010001000369736e000b4563686f53657276696365100002000900084563686f42696469001b000132000000"
}

/** The bytes of a recorded frame; where the recording is cut, the payload ends in zeros. */
export const bytesOf = ({ hex }: Frame): Uint8Array => {
  const recorded = fromHex(hex)
  const bytes = new Uint8Array(4 + lengthAt(recorded, 0))
  bytes.set(recorded)
  return bytes
}

/** The same frames with other stream ids; what is no frame stays. */
export const renumber = (bytes: Uint8Array, change: (streamId: number) => number): Uint8Array => {
  const changed = Uint8Array.from(bytes)
  const view = new DataView(changed.buffer)
  for (let at = 0; at + 12 <= changed.length && view.getUint16(at + 4) === 0x1000; at += 4 + view.getUint32(at)) {
    view.setInt32(at + 8, change(view.getInt32(at + 8)))
  }
  return changed
}

/** A payload without the stream's id, which is inside an exception. */
const withoutId = (payload: Uint8Array): Uint8Array => {
  if (payload[0] !== 0x80) return payload
  const bytes = Uint8Array.from(payload)
  const view = new DataView(bytes.buffer)
  view.setInt32(8 + view.getInt32(4), 0)
  return bytes
}

/** What makes two frames the same to a peer, whatever their stream. */
export const told = ({ header: { ints, strings }, payload }: ReadFrame) => ({
  ints: Object.fromEntries(ints),
  strings: Object.fromEntries(strings),
  size: payload.length,
  payload: Buffer.from(withoutId(payload)).toString("hex").slice(0, 1000)
})

/** What Kitex's Recv gives behind the last message. */
export const endText = ({ end }: RawClientStream): string => {
  if (end === undefined) return "nothing yet"
  if (end._tag === "Failed") return end.error.desc
  if (end._tag !== "Status") return end._tag
  const { biz, code, message } = end.status
  if (biz !== undefined) return `biz error: code=${biz.code}, msg=${message}`
  return code === 0 ? "EOF" : `[ttstream error, code=12001] [client-side stream] ${message}`
}
