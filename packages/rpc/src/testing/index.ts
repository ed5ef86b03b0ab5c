/**
 * Tests of services: client and server in memory, generators of messages, scripts and faults, a tracer that remembers.
 *
 * @since 0.1.0
 */
export * as FaultPlan from "./FaultPlan.ts"
export * as Recorder from "./Recorder.ts"
export * as StreamScript from "./StreamScript.ts"
export * as Testing from "./Testing.ts"
export * as ThriftArbitrary from "./ThriftArbitrary.ts"
