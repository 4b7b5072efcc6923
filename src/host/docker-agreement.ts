// What does not fit together in a survey, in sentences for a person. Pure. docker0's own MTU is not compared: it follows that
// of its ports, and containers do not take theirs from it.

import { type Flag, flagOf } from './docker-flags.js'
import { restartCommand } from './docker-restart.js'
import type { EngineState, FileState, Survey } from './docker-survey.js'

/** One setting in all the places that know it; undefined where a place does not say. */
export interface Row {
  readonly key: 'bip' | 'fixed-cidr' | 'mtu' | 'icc'
  readonly file: string | undefined
  readonly flag: string | undefined
  readonly engine: string | undefined
  readonly bridge: string | undefined
}

/** The settings side by side. The engine's subnet stands for its bip where docker0 was made without one. */
export function rowsOf({ file, engine, bridge }: Survey): Row[] {
  const uses = engine?.uses
  const row = (key: Row['key'], ofEngine: unknown, ofBridge?: unknown): Row => ({
    key,
    file: text(file.settings[key]),
    flag: engine && flagOf(engine.flags, key)?.value,
    engine: text(ofEngine),
    bridge: text(ofBridge),
  })
  return [
    row('bip', uses?.bip ?? uses?.subnet, bridge.addresses.join(', ') || undefined),
    row('fixed-cidr', uses?.['fixed-cidr']),
    row('mtu', uses?.mtu, bridge.mtu),
    row('icc', uses?.icc),
  ]
}

/** What a restart of dockerd would change; empty where the engine uses what it is told, or cannot be asked. */
export function waitingForRestart(survey: Survey): string[] {
  const { engine, file } = survey
  if (!engine?.uses || !engine.readsFile || file.trouble !== undefined) return []
  return rowsOf(survey).flatMap((row) => staleOf(row, file, engine.flags))
}

/** What does not agree; empty where all does. */
export function disagreements(survey: Survey): string[] {
  const { file, engine } = survey
  const waiting = waitingForRestart(survey)
  if (waiting.length > 0) waiting.push(`dockerd takes what is in ${file.path} when it restarts: ${restartCommand()}`)
  return [
    ...(file.trouble === undefined ? [] : [file.trouble]),
    ...(engine
      ? troubleOf(engine, file)
      : ['No dockerd runs here (in this network namespace), so there is nothing to compare with']),
    ...waiting,
    ...(engine ? bridgeTrouble(survey) : []),
  ].map(sentence)
}

function troubleOf(engine: EngineState, file: FileState): string[] {
  if (!engine.readsFile) return [`The running dockerd reads ${engine.configFile}, not ${file.path}`, ...unasked(engine)]
  const twice = (['bip', 'fixed-cidr', 'mtu', 'icc', 'bridge'] as const).flatMap((key) => {
    const flag = flagOf(engine.flags, key)
    return flag && file.settings[key] !== undefined ? [bothSay(key, flag, file)] : []
  })
  const bip = file.settings.bip === undefined ? undefined : `${file.path} sets a bip`
  const bridge = flagOf(engine.flags, 'bridge')
  const clash =
    bip && bridge?.value
      ? [`${bip}, and dockerd has the flag ${bridge.text}: it takes a bridge or a bip, not both`]
      : []
  return [...twice, ...clash, ...unasked(engine)]
}

function bothSay(key: string, flag: Flag, file: FileState): string {
  const both = `"${key}" is in ${file.path} and dockerd has the flag ${flag.text} too`
  return `${both}: it will not start again before one of them is taken out, even with equal values`
}

function unasked({ trouble }: EngineState): string[] {
  return trouble === undefined ? [] : [`The engine could not be asked (${trouble})`]
}

/** A setting the engine does not use yet, or still uses though nothing says it any more. */
function staleOf({ key, file, engine }: Row, { path }: FileState, flags: readonly Flag[]): string[] {
  if (flagOf(flags, key)) return []
  const still = `the engine still uses ${engine ?? 'none'}: dockerd has not been restarted since`
  if (file !== undefined) return file === engine ? [] : [`${path} says ${key} ${file}, ${still}`]
  // Of an address that nothing says any more dockerd keeps the last one: there is no default to compare with.
  const standard = { bip: engine, 'fixed-cidr': undefined, mtu: '1500', icc: 'true' }[key]
  const meaning = standard === undefined ? '' : ` (which means ${standard})`
  return engine === standard ? [] : [`${path} says no ${key}${meaning}, ${still}`]
}

function bridgeTrouble({ engine, bridge }: Survey): string[] {
  if (bridge.name === 'none') return []
  if (!bridge.present) return [`There is no ${bridge.name}; dockerd makes it when it restarts: ${restartCommand()}`]
  const bip = engine?.uses?.bip
  if (bip === undefined || bridge.addresses.includes(bip)) return []
  const has = bridge.addresses.join(', ') || 'no address'
  return [
    `${bridge.name} has ${has}, and the engine believes it is ${bip}: somebody changed it; a restart puts it right`,
  ]
}

function text(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value)
}

function sentence(words: string): string {
  return /[.]$/.test(words) ? words : `${words}.`
}
