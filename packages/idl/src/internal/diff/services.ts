/**
 * Compares services: their names, packages and methods, inherited ones among them.
 *
 * @internal
 */
import type { Change, Kind, Severity } from "../../Change.ts"
import * as Program from "../../Program.ts"
import { type Comparison, match, place } from "./comparison.ts"
import { type Declared, methodVersions } from "./inherited.ts"
import { compareMembers, type Members } from "./members.ts"
import { compareTypes, typeText } from "./types.ts"

const methodNames = (service: Program.Service): ReadonlySet<string> =>
  new Set(Program.allMethods(service).map(({ name }) => name))

const packageOf = ({ file }: Program.Service): string => Program.packageName(file)

const servicesOf = (files: ReadonlyArray<Program.File>): ReadonlyArray<Program.Service> =>
  files.flatMap(({ definitions }) => definitions.filter((each) => each.tag === "Service"))

const servicePlace = (service: Program.Service) => place(service.file.source, service.node.name)

const methodPlace = ({ service, method }: Declared) => place(service.file.source, method.node.name)

/**
 * The services of the files that were asked for. An old one may have moved to a file that the new version includes.
 *
 * @internal
 */
export const compareServices = (comparison: Comparison, before: Program.Program, after: Program.Program): void => {
  const { pairs, removed, added } = match(
    servicesOf(before.entries),
    servicesOf([...after.entries, ...after.files.filter((file) => !after.entries.includes(file))])
  )
  const methodsOf = methodVersions(differ(comparison))
  const newcomers = added.filter(({ file }) => after.entries.includes(file))
  for (const [old, now] of pairs) compareService(comparison, methodsOf, old, now)
  if (removed.length === 1 && newcomers.length === 1 && shareMethods(removed[0]!, newcomers[0]!)) {
    const old = removed[0]!
    const now = newcomers[0]!
    comparison.report({
      kind: "service-renamed",
      severity: "breaking",
      subject: now.name,
      message: `was ${old.name}: the name of the service is in every call, so old clients do not reach new servers, nor new clients old ones`,
      before: servicePlace(old),
      after: servicePlace(now)
    })
    compareService(comparison, methodsOf, old, now)
    return
  }
  for (const old of removed) {
    comparison.report({
      kind: "service-removed",
      severity: "breaking",
      subject: old.name,
      message: "is gone: calls of old clients fail for want of the service",
      before: servicePlace(old),
      after: undefined
    })
  }
  for (const now of newcomers) {
    comparison.report({
      kind: "service-added",
      severity: "compatible",
      subject: now.name,
      message: "is new: nothing of the old version calls it",
      before: undefined,
      after: servicePlace(now)
    })
  }
}

const shareMethods = (old: Program.Service, now: Program.Service): boolean => {
  const names = methodNames(now)
  return [...methodNames(old)].some((name) => names.has(name))
}

/** Whether there is anything to say of two methods of one name. */
const differ =
  (comparison: Comparison) =>
  (before: Declared, after: Declared): boolean => {
    let isChanged = false
    const report = () => void (isChanged = true)
    compareMethod({ ...comparison, report }, after.service, before, after)
    return isChanged
  }

const compareService = (
  comparison: Comparison,
  methodsOf: ReturnType<typeof methodVersions>,
  old: Program.Service,
  now: Program.Service
) => {
  comparePackages(comparison, old, now)
  const newcomers: Array<Declared> = []
  for (const [name, { after, before }] of methodsOf(old, now)) {
    if (before === undefined) newcomers.push(after!)
    else if (after !== undefined) {
      compareOrigins(comparison, old, now, before, after)
      compareMethod(comparison, now, before, after)
    } else {
      comparison.report({
        kind: "method-removed",
        severity: "breaking",
        subject: `${now.name}.${name}`,
        message: "is gone: calls of old clients fail with an unknown method",
        before: methodPlace(before),
        after: servicePlace(now)
      })
    }
  }
  for (const after of newcomers) {
    comparison.report({
      kind: "method-added",
      severity: "compatible",
      subject: `${now.name}.${after.method.name}`,
      message:
        "is new: old clients do not call it; calls of new clients fail at old servers, so bring servers out first",
      before: servicePlace(old),
      after: methodPlace(after)
    })
  }
}

const comparePackages = (comparison: Comparison, old: Program.Service, now: Program.Service) => {
  if (packageOf(old) === packageOf(now)) return
  comparison.report({
    kind: "package-changed",
    severity: "warning",
    subject: now.name,
    message: `is in the package ${packageOf(now)}, was in ${packageOf(old)}: the paths of streaming calls change to /${packageOf(now)}.${now.name}/; servers of Kitex and Millrace do not look at the package, but proxies, access rules and dashboards that match paths do`,
    before: servicePlace(old),
    after: servicePlace(now)
  })
}

const modeText: Record<Program.Method["mode"], string> = {
  pingPong: "an ordinary call",
  oneway: "a oneway call",
  unary: "unary on a stream",
  client: "client streaming",
  server: "server streaming",
  bidirectional: "bidirectional streaming"
}

/** The service that a method is inherited from. */
const origin = (service: Program.Service, method: Declared): string | undefined =>
  method.service === service ? undefined : method.service.name

const compareOrigins = (
  comparison: Comparison,
  old: Program.Service,
  now: Program.Service,
  before: Declared,
  after: Declared
) => {
  const was = origin(old, before)
  const is = origin(now, after)
  if (was === is) return
  comparison.report({
    kind: "method-moved",
    severity: "compatible",
    subject: `${now.name}.${after.method.name}`,
    message: `is declared in ${is ?? now.name}, was in ${was ?? old.name}: it is called under the name of the service itself in both versions`,
    before: methodPlace(before),
    after: methodPlace(after)
  })
}

const isStreaming = ({ mode }: Program.Method) => mode === "client" || mode === "server" || mode === "bidirectional"

const compareMethod = (comparison: Comparison, service: Program.Service, before: Declared, after: Declared) => {
  const old = before.method
  const now = after.method
  const subject = `${service.name}.${now.name}`
  const report = (
    kind: Kind,
    severity: Severity,
    message: string,
    places: Partial<Pick<Change, "before" | "after">> = {}
  ) =>
    comparison.report({
      kind,
      severity,
      subject,
      message,
      before: methodPlace(before),
      after: methodPlace(after),
      ...places
    })

  if (old.mode !== now.mode) {
    report(
      "method-mode",
      "breaking",
      `is ${modeText[now.mode]}, was ${modeText[old.mode]}: calls between the two versions fail, since both ends have to use one mode`
    )
    return
  }
  compareResults(comparison, before, after, report)
  if (isStreaming(now)) {
    const [oldRequest] = old.arguments
    const [request] = now.arguments
    if (oldRequest === undefined || request === undefined) return
    const change = compareTypes(comparison, oldRequest.type, request.type)
    if (change === undefined) return
    report("request-type", change.severity, typesChanged(oldRequest.type, request.type, change.consequence), {
      before: place(before.service.file.source, oldRequest.type.node),
      after: place(after.service.file.source, request.type.node)
    })
    return
  }
  const members = (
    { service, method }: Declared,
    fields: ReadonlyArray<Program.Field>,
    span: Members["span"]
  ): Members => ({ source: service.file.source, span: span ?? method.node.name, fields })
  compareMembers(comparison, {
    name: subject,
    what: "argument",
    isUnion: false,
    before: members(before, old.arguments, old.node.argumentsSpan),
    after: members(after, now.arguments, now.node.argumentsSpan)
  })
  compareMembers(comparison, {
    name: subject,
    what: "exception",
    isUnion: false,
    before: members(before, old.throws, old.node.throwsSpan ?? old.node.name),
    after: members(after, now.throws, now.node.throwsSpan ?? now.node.name)
  })
}

const typesChanged = (old: Program.Type | undefined, now: Program.Type | undefined, consequence: string) =>
  `is ${now === undefined ? "void" : typeText(now)}, was ${old === undefined ? "void" : typeText(old)}: ${consequence}`

const compareResults = (
  comparison: Comparison,
  before: Declared,
  after: Declared,
  report: (kind: Kind, severity: Severity, message: string, places: Partial<Pick<Change, "before" | "after">>) => void
) => {
  const old = before.method.result
  const now = after.method.result
  if (old === undefined && now === undefined) return
  const places = {
    before: place(before.service.file.source, old?.node ?? before.method.node.name),
    after: place(after.service.file.source, now?.node ?? after.method.node.name)
  }
  if (old === undefined || now === undefined) {
    const whose =
      old === undefined ? "new clients get no result from old servers" : "old clients get no result from new servers"
    report("response-type", "breaking", typesChanged(old, now, whose), places)
    return
  }
  const change = compareTypes(comparison, old, now)
  if (change !== undefined) report("response-type", change.severity, typesChanged(old, now, change.consequence), places)
}
