// What `tsgre docker status` prints: a table and sentences for a person, or one JSON object.

import { rowsOf } from '../host/docker-agreement.js'
import { DAEMON_JSON } from '../host/docker-settings.js'
import type { BridgeState, EngineState, FileState, Survey } from '../host/docker-survey.js'
import { typed } from '../host/execute.js'
import { aligned } from './aligned.js'

/** Of dockerd's flags those that have to do with docker0; others may hold a password. */
const TOLD = ['bip', 'bridge', 'config-file', 'fixed-cidr', 'host', 'icc', 'iptables', 'live-restore', 'mtu']
const COLUMNS = ['', 'file', 'flag', 'engine', 'bridge']

/** `disagreeing` are sentences; none of them means that all agrees. */
export function humanStatus(survey: Survey, disagreeing: readonly string[]): void {
  const { file, engine, bridge } = survey
  const cells = rowsOf(survey).map((row) => [row.key, row.file, row.flag, row.engine, row.bridge])
  const lines = [
    ...aligned([
      ['file', fileLine(file)],
      ['engine', engineLine(engine)],
      ['bridge', bridgeLine(bridge)],
    ]),
    '',
    ...aligned([COLUMNS, ...cells.map((row) => row.map((cell = '-') => cell))]),
    '',
    ...(disagreeing.length > 0 ? disagreeing : ['All agree.']),
    undoLine(survey),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

export function jsonStatus(survey: Survey, disagreeing: readonly string[]): void {
  const { file, engine, bridge } = survey
  const { undoable, ...seen } = file
  const told = {
    event: 'status',
    agree: disagreeing.length === 0,
    file: { ...seen, undoable: undoable !== undefined, edited: undoable?.edited ?? false },
    engine: engine
      ? { ...engine, flags: engine.flags.filter(({ name }) => TOLD.includes(name)).map(({ text }) => text) }
      : null,
    bridge,
    disagreements: disagreeing,
  }
  process.stdout.write(`${JSON.stringify(told)}\n`)
}

function fileLine({ path, present }: FileState): string {
  return present ? path : `${path} (there is none)`
}

function engineLine(engine: EngineState | undefined): string {
  return engine ? `dockerd ${engine.version ?? 'of unknown version'}, pid ${engine.pid}` : 'no dockerd'
}

function bridgeLine({ name, present, ports }: BridgeState): string {
  if (name === 'none') return 'none: dockerd was told to make no bridge'
  if (!present) return `${name} (there is none)`
  return `${name}, ${ports.length === 0 ? 'no ports' : `ports: ${ports.join(' ')}`}`
}

function undoLine({ file: { path, undoable }, engine }: Survey): string {
  if (!undoable) return `${path} has nothing of tsgre to undo.`
  const standard = engine ? engine.readsFile : path === DAEMON_JSON
  const where = standard ? [] : ['--config-file', path]
  const undo = typed('tsgre', ['docker', 'undo', undoable.edited ? '--force' : '--restart', ...where])
  const edited = undoable.edited ? ', and it was edited since' : ''
  return `tsgre wrote ${path}${edited}: ${undo} puts it back as it was.`
}
