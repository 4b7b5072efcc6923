// What `tsgre docker plan` and `apply` are asked for, read and refused: everything that can be refused is refused here, before
// a file is touched. Prints nothing.

import { ConfigError } from '../errors.js'
import { coveringRoutes, flatten, refuseOverlap, refuseRemote } from '../host/docker-bip.js'
import { type DaemonJsonPlan, planDaemonJson } from '../host/docker-config.js'
import { type Engine, findEngine } from '../host/docker-engine.js'
import { readDaemonJson } from '../host/docker-file.js'
import { DAEMON_JSON } from '../host/docker-settings.js'
import { readsFile } from '../host/docker-survey.js'
import { listAddresses, listRoutes } from '../host/routes.js'
import { once, type Text } from './arguments.js'

export interface PlanArguments {
  configFile: Text
  bip: Text
  fixedCidr: Text
  mtu: Text
  route: Text
  flat: boolean
}

export interface Planned {
  readonly file: string
  readonly plan: DaemonJsonPlan
  /** What a person would want to know before going on, a sentence each without its stop. */
  readonly notes: readonly string[]
  /** The options as they were given, for the command that is suggested. */
  readonly options: readonly string[]
  /** Set where a dockerd runs that reads another file. */
  readonly readElsewhere: string | undefined
}

interface Wanted {
  readonly bip: string | undefined
  readonly fixedCidr: string | undefined
  readonly mtu: number | undefined
}

/** @throws ConfigError; SystemError when the file cannot be read */
export async function makePlan(argv: PlanArguments): Promise<Planned> {
  const wanted = wantedOf(argv)
  const engine = await findEngine()
  const file = fileOf(argv.configFile, engine)
  const foreign = engine !== undefined && !(await readsFile(engine, file))
  const flags = engine && !foreign ? engine.flags : []
  const plan = planDaemonJson(await readDaemonJson(file), wanted, file, flags)
  const covering = await lookAround(wanted.bip, plan, list(argv.route))
  const notes = [
    ...(plan.remark === undefined ? [] : [plan.remark]),
    ...engineNotes(engine, foreign),
    ...covering,
    ...(argv.flat ? [flatNote(wanted.fixedCidr!)] : []),
  ]
  return { file, plan, notes, options: optionsOf(argv), readElsewhere: foreign ? engine.configFile : undefined }
}

/** The file that was named, else the one dockerd reads. */
export function fileOf(typed: Text, engine: Engine | undefined): string {
  const file = once('config-file', typed) ?? engine?.configFile ?? DAEMON_JSON
  if (file) return file
  throw new ConfigError('TSGRE_BAD_OPTION', 'config-file', file, `--config-file "": name a file, as in ${DAEMON_JSON}`)
}

function wantedOf(argv: PlanArguments): Wanted {
  const bip = once('bip', argv.bip)
  const fixedCidr = once('fixed-cidr', argv.fixedCidr)
  const mtu = mtuOf(once('mtu', argv.mtu))
  if (argv.flat) return { ...flatOf(bip, fixedCidr, argv.route), mtu }
  if (bip === undefined && argv.route !== undefined)
    throw new ConfigError(
      'TSGRE_BAD_OPTION',
      'route',
      argv.route,
      '--route says what --bip must not overlap; give --bip',
    )
  if (bip !== undefined || fixedCidr !== undefined || mtu !== undefined) return { bip, fixedCidr, mtu }
  const words = 'nothing is asked of daemon.json: give --bip, --fixed-cidr or --mtu, as in --bip 10.103.100.1/24'
  throw new ConfigError('TSGRE_BAD_OPTION', 'bip', undefined, words)
}

function flatOf(bip: string | undefined, fixedCidr: string | undefined, route: Text) {
  if (bip === undefined) {
    const words = "--flat needs a --bip that names this host's part, as in --flat --bip 10.103.100.1/24"
    throw new ConfigError('TSGRE_BAD_OPTION', 'flat', true, words)
  }
  if (fixedCidr !== undefined) {
    const words = `--flat makes the fixed-cidr itself, from --bip ${bip}; leave --fixed-cidr out, or --flat`
    throw new ConfigError('TSGRE_CONFLICT', 'fixed-cidr', fixedCidr, words)
  }
  if (route !== undefined) {
    const words =
      '--flat puts both hosts into one network, where no route is needed; leave --route out, here and in the tunnel'
    throw new ConfigError('TSGRE_CONFLICT', 'route', route, words)
  }
  return flatten(bip)
}

/** Holds the bip against what this host and the other one use; gives the notes on what it may cut into. */
async function lookAround(bip: string | undefined, plan: DaemonJsonPlan, remotes: string[]): Promise<string[]> {
  if (bip === undefined) return []
  for (const remote of remotes) refuseRemote(bip, remote)
  if (!plan.changed.some(({ key }) => key === 'bip')) return []
  const routes = await listRoutes()
  refuseOverlap(bip, routes, await listAddresses())
  const which = `the network of --bip ${bip}`
  return coveringRoutes(bip, routes).map(
    ({ text }) => `the route "${text}" covers ${which}, which it then no longer reaches; all else it still does`,
  )
}

function engineNotes(engine: Engine | undefined, foreign: boolean): string[] {
  if (!engine) return ['no dockerd runs in this network namespace, so whether it has flags in the way is not known']
  if (!foreign) return []
  return [`the running dockerd (pid ${engine.pid}) reads ${engine.configFile}, not this file`]
}

function flatNote(fixedCidr: string): string {
  const [first] = fixedCidr.split('/')
  return `the first container may get the address ${first}, which looks odd and works: the network is the /16`
}

function optionsOf(argv: PlanArguments): string[] {
  const valued = [
    ['--bip', argv.bip],
    ['--fixed-cidr', argv.fixedCidr],
    ['--mtu', argv.mtu],
  ] as const
  return [
    ...valued.flatMap(([option, value]) => (value === undefined ? [] : [option, String(value)])),
    ...(argv.flat ? ['--flat'] : []),
    ...list(argv.route).flatMap((network) => ['--route', network]),
    ...(argv.configFile === undefined ? [] : ['--config-file', String(argv.configFile)]),
  ]
}

function list(value: Text): string[] {
  return value === undefined ? [] : [value].flat()
}

function mtuOf(typed: string | undefined): number | undefined {
  if (typed === undefined || /^\d+$/.test(typed)) return typed === undefined ? undefined : Number(typed)
  throw new ConfigError('TSGRE_BAD_MTU', 'mtu', typed, `--mtu ${typed}: takes a whole number from 576 to 65535`)
}
