/** What depends on the transport of streams, as the tests of rpc have it. */
export * from "../../../rpc/test/support/over.ts"
