/**
 * The one place from which tests have what depends on the transport of streams. A test that takes its clients from here runs over each
 * of them; where it states what differs on the wire, it takes that from `wire`.
 */
export * as StreamClient from "./over/StreamClient.ts"
export * as Testing from "./over/Testing.ts"
export { transport } from "./over/transport.ts"
export { type Status, type Words, wire, wordsOf } from "./over/wire.ts"
