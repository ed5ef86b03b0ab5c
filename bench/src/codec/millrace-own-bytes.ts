export { ownBytes as peer } from "./millrace.ts"
