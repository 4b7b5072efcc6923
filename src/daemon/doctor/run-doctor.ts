// Runs all checks in their order. One that fails is told as a finding, and the next goes on. Changes nothing on this host; sends
// questions and pings, to the remotes alone.

import { SystemError } from '../../errors.js'
import { type Device, readDevices } from '../../host/devices.js'
import { type Filters, readFilters } from '../../host/read-filters.js'
import { listRoutes, type Route } from '../../host/routes.js'
import { tapHolders } from '../../host/tap-holders.js'
import { answerKnown, answerUnasked, checkAnswer, type Here } from './answer-checks.js'
import { askAgain } from './ask-instances.js'
import { checkBridge, checkTap } from './device-checks.js'
import { exchange } from './exchange.js'
import { CHECKS, type Check, type Finding } from './finding.js'
import { checkForwardFirewall, checkUnderlayFirewall, type Forwarded } from './firewall-check.js'
import { guarded } from './guarded.js'
import { checkCapabilities, checkSystem, checkTun } from './machine-checks.js'
import { checkMatch, matchKnown } from './match-checks.js'
import { checkKeptNames, checkNames } from './name-check.js'
import { checkNeighbour } from './neighbour-check.js'
import { checkOverlap, type Networks } from './overlap-check.js'
import { checkPathMtu } from './path-mtu-check.js'
import type { ReadStatus, Subject, Target } from './subject.js'
import { checkTunnel } from './tunnel-check.js'
import { checkForwarding, checkKernelGre, checkReversePath, checkRoute, type Way } from './way-checks.js'

const DEFAULT_BRIDGE = 'docker0'

/** All findings, by check, with those that were made before; without a tunnel to look at those of the machine. */
export async function runDoctor(
  subjects: readonly Subject[],
  before: readonly Finding[],
  readStatus: ReadStatus,
): Promise<Finding[]> {
  const raw = subjects.some(({ udpPort }) => udpPort === undefined)
  const findings = [
    ...before,
    ...(await guarded('capabilities', () => checkCapabilities(raw || subjects.length === 0))),
    ...(await guarded('tun', checkTun)),
    ...(await guarded('system', () => checkSystem())),
  ]
  for (const subject of subjects) {
    const { tap } = subject
    const about = await examine(subject, readStatus)
    findings.push(...(tap === undefined ? about : about.map((finding) => ({ ...finding, tap }))))
  }
  return CHECKS.flatMap((check) => findings.filter((finding) => finding.check === check))
}

/** 0 healthy, 1 not. */
export function exitCodeFor(findings: readonly Finding[]): 0 | 1 {
  return findings.some(({ level }) => level === 'problem') ? 1 : 0
}

/** What is read once for several checks. Where reading fails, each of those tells so. */
interface Seen {
  readonly readStatus: ReadStatus
  readonly devices: Promise<readonly Device[]>
  readonly routes: Promise<readonly Route[]>
  readonly filters: Promise<Filters>
  readonly bridge: Promise<string | undefined>
}

function look(subject: Subject, readStatus: ReadStatus): Seen {
  const devices = readDevices()
  return { readStatus, devices, routes: listRoutes(), filters: readFilters(), bridge: bridgeOf(subject, devices) }
}

async function examine(subject: Subject, readStatus: ReadStatus): Promise<Finding[]> {
  const seen = look(subject, readStatus)
  await Promise.allSettled(Object.values(seen)) // nobody waits for one while another fails
  const { devices, routes, filters, bridge } = seen
  const { tap, targets } = subject
  const named = subject.bridge !== undefined
  const holders = () => (tap === undefined ? { seen: [], hidden: false } : tapHolders(tap))
  const findings = [
    ...(await guarded('bridge', async () => checkBridge(await bridge, named, tap, await devices))),
    ...(await guarded('tap', async () => checkTap(subject, await bridge, await devices, holders()))),
    ...(await guarded('route', () => checkNames(subject))),
    ...(await guarded('route', async () => checkForwarding(await bridge, await routes))),
    ...(await guarded('firewall', async () => checkForwardFirewall(await insideDevices(subject, seen), await filters))),
    ...(await guarded('overlap', async () => checkOverlap(await networksOf(subject, seen)))),
  ]
  const about = await Promise.all([
    guarded('route', () => checkKeptNames(subject)),
    ...targets.map((target) => examineTarget(subject, target, seen)),
  ])
  findings.push(...about.flat())
  return [...findings, ...(await guarded('tunnel', () => checkTunnel(subject, findings)))]
}

/** The one named; docker0 where there is one. */
async function bridgeOf({ bridge }: Subject, devices: Seen['devices']): Promise<string | undefined> {
  if (bridge !== undefined) return bridge === 'none' ? undefined : bridge
  const isDefault = ({ name, kind }: Device) => name === DEFAULT_BRIDGE && kind === 'bridge'
  return (await devices).some(isDefault) ? DEFAULT_BRIDGE : undefined
}

async function insideDevices({ tap }: Subject, { devices, bridge }: Seen): Promise<Forwarded> {
  const all = await devices
  const inside = await bridge
  return { bridge: all.find(({ name }) => name === inside), tap: all.find(({ name }) => name === tap) }
}

async function networksOf({ tap, routes: wanted, targets }: Subject, seen: Seen): Promise<Networks> {
  const [bridge, devices, routes] = await Promise.all([seen.bridge, seen.devices, seen.routes])
  return { bridge, tap, devices, routes, wanted, remotes: targets.map(({ address }) => address) }
}

async function examineTarget(subject: Subject, target: Target, seen: Seen): Promise<Finding[]> {
  const findings: Finding[] = []
  const { bridge, devices, filters } = seen
  let way: Way | undefined
  const add = async (check: Check, body: (way: Way) => Finding[] | Promise<Finding[]>) => {
    if (way) findings.push(...(await guarded(check, () => body(way!))))
  }
  const route = async () => {
    const found = await checkRoute(subject, target, [await bridge, subject.tap], await devices)
    way = found.way
    return found.findings
  }
  findings.push(...(await guarded('route', route)))
  await add('firewall', async (way) => checkUnderlayFirewall(subject, target, way, await filters))
  await add('rp-filter', async (way) => checkReversePath(target, way, await devices))
  await add('kernel-gre', async (way) => checkKernelGre(subject, target, way, await devices))
  await Promise.all([
    add('answer', async (way) => ask(subject, target, way, seen.readStatus, hereOf(findings, await devices))),
    add('path-mtu', (way) => checkPathMtu(subject, target, way)),
  ])
  const answers = findings.some(({ check, level }) => check === 'answer' && level === 'ok')
  return findings
    .map((finding) => (answers ? finding : withoutProbe(finding)))
    .map((finding) => ({ ...finding, remote: target.address.text }))
}

/** Where nobody answers, --probe finds nothing. */
function withoutProbe(finding: Finding): Finding {
  return finding.code === 'path-mtu-unknown' ? { ...finding, remedy: '' } : finding
}

function hereOf(findings: readonly Finding[], devices: readonly Device[]): Here {
  const addresses = devices.flatMap((device) => device.addresses.map(({ address }) => address))
  return { addresses: new Set(addresses), shut: findings.some(({ code }) => code === 'firewall-input') }
}

/** Asked is always: what a running tsgre knows may be minutes old. Where it has the port, the answer comes to it. */
async function ask(subject: Subject, target: Target, way: Way, readStatus: ReadStatus, here: Here): Promise<Finding[]> {
  const { peer } = target
  const heard = await exchange(subject, target, way).catch((error) => {
    if (peer && error instanceof SystemError && error.code === 'EPERM') return undefined
    throw error
  })
  if (!heard) return answerUnasked(subject, target, peer!)
  const now = heard.listens ? undefined : await askAgain(readStatus, subject, target)
  const known = now && answerKnown(peer!, now)
  if (known) return [known, ...matchKnown(subject, target)]
  const silent = await checkNeighbour(target, way, heard)
  if (silent) return [silent]
  return [...checkAnswer(subject, target, heard, here), ...checkMatch(subject, target, heard)]
}
