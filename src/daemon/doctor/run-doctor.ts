// Runs all checks in their order. One that fails is told as a finding, and the next goes on. Changes nothing on this host; sends
// questions and pings, to the remotes alone.

import { ConfigError } from '../../errors.js'
import { type Device, readDevices } from '../../host/devices.js'
import { type Filters, readFilters } from '../../host/read-filters.js'
import { listRoutes, type Route } from '../../host/routes.js'
import { tapHolders } from '../../host/tap-holders.js'
import { answerKnown, checkAnswer, checkMatch, matchKnown } from './answer-checks.js'
import { checkBridge, checkTap } from './device-checks.js'
import { exchange } from './exchange.js'
import { CHECKS, type Check, type Finding } from './finding.js'
import { checkForwardFirewall, checkUnderlayFirewall } from './firewall-check.js'
import { checkCapabilities, checkSystem, checkTun } from './machine-checks.js'
import { checkOverlap } from './overlap-check.js'
import { checkPathMtu } from './path-mtu-check.js'
import type { Subject, Target } from './subject.js'
import { checkForwarding, checkKernelGre, checkReversePath, checkRoute, type Way } from './way-checks.js'

const DEFAULT_BRIDGE = 'docker0'

/** All findings, by check; without a tunnel to look at those of the machine. */
export async function runDoctor(subjects: readonly Subject[]): Promise<Finding[]> {
  const raw = subjects.some(({ udpPort }) => udpPort === undefined)
  const findings = [
    ...(await guarded('capabilities', () => checkCapabilities(raw || subjects.length === 0))),
    ...(await guarded('tun', checkTun)),
    ...(await guarded('system', () => checkSystem())),
  ]
  for (const subject of subjects) findings.push(...(await examine(subject)))
  return CHECKS.flatMap((check) => findings.filter((finding) => finding.check === check))
}

/** 0 healthy, 1 not. */
export function exitCodeFor(findings: readonly Finding[]): 0 | 1 {
  return findings.some(({ level }) => level === 'problem') ? 1 : 0
}

interface Seen {
  readonly devices: readonly Device[]
  readonly routes: readonly Route[]
  readonly filters: Filters
  readonly bridge: string | undefined
}

async function examine(subject: Subject): Promise<Finding[]> {
  const [devices, routes, filters] = await Promise.all([readDevices(), listRoutes(), readFilters()])
  const bridge = bridgeOf(subject, devices)
  const seen: Seen = { devices, bridge, routes, filters }
  const { tap, targets } = subject
  const findings = [
    ...(await guarded('bridge', () => checkBridge(bridge, subject.bridge !== undefined, tap, devices))),
    ...(await guarded('tap', () => checkTap(tap, bridge, devices, tap === undefined ? [] : tapHolders(tap)))),
    ...(await guarded('route', () => checkForwarding(bridge, seen.routes))),
    ...(await guarded('firewall', () => checkForwardFirewall(insideDevices(subject, seen), seen.filters))),
    ...(await guarded('overlap', () => checkOverlap(networksOf(subject, seen)))),
  ]
  const about = await Promise.all(targets.map((target) => examineTarget(subject, target, seen)))
  return [...findings, ...about.flat()]
}

/** The one named; docker0 where there is one. */
function bridgeOf({ bridge }: Subject, devices: readonly Device[]): string | undefined {
  if (bridge !== undefined) return bridge === 'none' ? undefined : bridge
  return devices.some(({ name, kind }) => name === DEFAULT_BRIDGE && kind === 'bridge') ? DEFAULT_BRIDGE : undefined
}

function insideDevices(
  { tap }: Subject,
  { devices, bridge }: Seen,
): { bridge: Device | undefined; tap: Device | undefined } {
  const named = (name: string | undefined) => devices.find((device) => device.name === name)
  return { bridge: named(bridge), tap: named(tap) }
}

function networksOf({ tap, routes: wanted, targets }: Subject, { devices, routes, bridge }: Seen) {
  return { bridge, tap, devices, routes, wanted, remotes: targets.map(({ address }) => address) }
}

async function examineTarget(subject: Subject, target: Target, seen: Seen): Promise<Finding[]> {
  const findings: Finding[] = []
  const inside = [seen.bridge, subject.tap]
  let way: Way | undefined
  const add = async (check: Check, body: (way: Way) => Finding[] | Promise<Finding[]>) => {
    if (way) findings.push(...(await guarded(check, () => body(way!))))
  }
  const look = async () => {
    const found = await checkRoute(subject, target, inside, seen.devices)
    way = found.way
    return found.findings
  }
  findings.push(...(await guarded('route', look)))
  await add('firewall', (way) => checkUnderlayFirewall(subject, target, way, seen.filters))
  await add('rp-filter', (way) => checkReversePath(target, way, seen.devices))
  await add('kernel-gre', (way) => checkKernelGre(subject, target, way, seen.devices))
  await Promise.all([
    add('answer', (way) => ask(subject, target, way)),
    add('path-mtu', (way) => checkPathMtu(subject, target, way)),
  ])
  return findings.map((finding) => ({ ...finding, remote: target.address.text }))
}

/** A running tsgre that hears the remote knows all there is to know; what it does not know is asked. */
async function ask(subject: Subject, target: Target, way: Way): Promise<Finding[]> {
  const known = target.peer && answerKnown(target.peer)
  if (known) return [known, ...matchKnown(subject, target)]
  const heard = await exchange(subject, target, way)
  return [...checkAnswer(subject, target, heard), ...checkMatch(subject, target, heard)]
}

async function guarded(check: Check, body: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const text = `this check could not be made: ${(error as Error).message}`
    return [{ check, level: 'unknown', code: 'check-failed', text, remedy: '' }]
  }
}
