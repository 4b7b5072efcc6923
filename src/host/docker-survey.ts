// Where docker's bridge stands on this host: daemon.json, the flags of the running dockerd, what the engine says, and the
// bridge itself. Looks only; what does not fit together is said in docker-agreement.ts.

import { ConfigError, TsgreError } from '../errors.js'
import { type Answer, askEngine, askNetwork, type EngineNetwork } from './docker-api.js'
import { type Engine, findEngine, socketOf } from './docker-engine.js'
import { readDaemonJson, type Undoable, undoable } from './docker-file.js'
import { type Flag, flagOf } from './docker-flags.js'
import { bridgeAddresses } from './docker-restart.js'
import { DAEMON_JSON, refuseWrongKinds, type Settings, settingsOf } from './docker-settings.js'
import { type Execute, execute } from './execute.js'
import { ipJson } from './ip-json.js'
import { followSymlinks } from './whole-file.js'

export interface FileState {
  readonly path: string
  readonly present: boolean
  readonly settings: Settings
  /** What is wrong with it, in words. */
  readonly trouble?: string
  /** What tsgre can put back. */
  readonly undoable?: Undoable
}

export interface EngineState {
  readonly pid: number
  readonly configFile: string
  /** Whether that is the file looked at. */
  readonly readsFile: boolean
  readonly flags: readonly Flag[]
  readonly version?: string
  /** What it uses now. */
  readonly uses?: EngineNetwork
  /** Why it could not be asked. */
  readonly trouble?: string
}

export interface BridgeState {
  /** docker0, or what dockerd was told; 'none' where it makes no bridge. */
  readonly name: string
  readonly present: boolean
  readonly addresses: readonly string[]
  readonly mtu?: number
  readonly ports: readonly string[]
}

export interface Survey {
  readonly file: FileState
  /** undefined where no dockerd runs in this network namespace. */
  readonly engine?: EngineState
  readonly bridge: BridgeState
}

/** Looks at everything; `path` is daemon.json's, dockerd's own where none is given. Trouble with a part is told as such. */
export async function surveyDocker(path?: string, run: Execute = execute): Promise<Survey> {
  const engine = await findEngine()
  const file = await lookAtFile(path ?? engine?.configFile ?? DAEMON_JSON)
  const name = (engine && flagOf(engine.flags, 'bridge')?.value) || file.settings.bridge || 'docker0'
  return {
    file,
    ...(engine ? { engine: await lookAtEngine(engine, file.path, name !== 'none') } : {}),
    bridge: await lookAtBridge(name, run),
  }
}

/** Whether the engine reads this file, however the two are written. */
export async function readsFile(engine: Engine, path: string): Promise<boolean> {
  return (await followSymlinks(engine.configFile)) === (await followSymlinks(path))
}

async function lookAtFile(path: string): Promise<FileState> {
  try {
    const text = await readDaemonJson(path)
    const kept = await undoable(path)
    const settings = settingsOf(text, path)
    if (text?.trim()) refuseWrongKinds(text, path)
    const empty = text?.trim() === '' ? { trouble: `dockerd would not start with this file: ${path} is empty` } : {}
    return { path, present: text !== undefined, settings, ...empty, ...(kept ? { undoable: kept } : {}) }
  } catch (error) {
    if (!(error instanceof TsgreError)) throw error
    const would = error instanceof ConfigError ? 'dockerd would not start with this file: ' : ''
    return { path, present: true, settings: {}, trouble: would + error.message }
  }
}

/** Told to make no bridge, an engine has no network to tell of. */
async function lookAtEngine(engine: Engine, path: string, hasBridge: boolean): Promise<EngineState> {
  const { pid, configFile, flags } = engine
  const seen = { pid, configFile, readsFile: await readsFile(engine, path), flags }
  const socket = socketOf(engine, await readDaemonJson(configFile).catch(() => undefined))
  if (socket === undefined) return { ...seen, trouble: 'it listens on TCP only, where tsgre does not ask' }
  const version = await askEngine<{ Version?: string }>(socket, '/version')
  const network = hasBridge ? await askNetwork(socket) : undefined
  const why = whyOf(version) ?? (network && whyOf(network))
  return {
    ...seen,
    ...('body' in version && version.body.Version ? { version: version.body.Version } : {}),
    ...(network && 'body' in network ? { uses: network.body } : {}),
    ...(why === undefined ? {} : { trouble: `${socket}: ${why}` }),
  }
}

function whyOf(answer: Answer<unknown>): string | undefined {
  return 'why' in answer ? answer.why : undefined
}

async function lookAtBridge(name: string, run: Execute): Promise<BridgeState> {
  const links = await ipJson<{ ifname: string; mtu: number; master?: string }>(run, ['link', 'show'])
  const link = links.find(({ ifname }) => ifname === name)
  const ports = links.filter(({ master }) => master === name).map(({ ifname }) => ifname)
  if (!link) return { name, present: false, addresses: [], ports }
  return { name, present: true, addresses: await bridgeAddresses(name, run), mtu: link.mtu, ports }
}
