/** What comes to a port that is none of the protocols, or breaks off: the server closes each of them. */

export interface Junk {
  readonly bytes: Uint8Array
  /** The sender closes its half behind it. */
  readonly half?: boolean
}

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(" ", ""), "hex")
const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1")

export const junk: Readonly<Record<string, Junk>> = {
  "HTTP/1.1": { bytes: ascii("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") },
  "a ClientHello of TLS": { bytes: hex(`16 0301 0200 01 0001fc 0303 ${"5a".repeat(500)}`) },
  noise: { bytes: hex("ff5e0c91".repeat(16)) },
  zeros: { bytes: new Uint8Array(64) },
  "Thrift's old header": { bytes: hex("00000004 4563686f 01 00000001 00 00") },
  "Thrift's compact protocol, framed": { bytes: hex(`0000001e 82210104 ${"00".repeat(26)}`) },
  "a TTHeader with an unknown block": { bytes: hex("00000014 1000 0000 00000001 0001 00002f00 8001000100000000") },
  "a TTHeader without info": { bytes: hex("00000010 1000 0000 00000001 0000 0000000000000000") },
  "a frame of TTHeader streaming": { bytes: hex("00000014 1000 0002 00000001 0001 00000000 8001000100000000") },
  "a preface that ends otherwise": { bytes: ascii("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n\0\0\0\0\0\0\0\0\0") },
  "a frame of 2 GiB": { bytes: hex("7fffffff 80010001 00000004 43616c6c 00000001 00") },
  "arguments with a negative length": { bytes: hex("00000018 80010001 00000004 43616c6c 00000001 0b0001 ffffffff 00") },
  "half a frame": { bytes: hex("00000064 80010001 00000004 43616c6c 00000001 0c"), half: true },
  "half a TTHeader": { bytes: hex("00000064 1000 0000 00000001 0013 0000"), half: true },
  "half a message without a length": {
    bytes: hex("80010001 00000004 43616c6c 00000001 0c0001 0b0001 000000ff"),
    half: true
  },
  "three bytes": { bytes: hex("800100"), half: true },
  "nothing at all": { bytes: new Uint8Array(0), half: true }
}
