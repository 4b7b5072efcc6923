// What a daemon.json says of docker0, by dockerd's own names. Pure. Its text is edited in docker-config.ts.

import { ConfigError } from '../errors.js'
import { JsonMistake, type ObjectText, readObject } from './json-text.js'

/** Where dockerd looks unless it is told otherwise. */
export const DAEMON_JSON = '/etc/docker/daemon.json'

/** The settings tsgre writes or compares; absent where nothing is said, or something of another kind than dockerd takes. */
export interface Settings {
  readonly bip?: string
  readonly 'fixed-cidr'?: string
  readonly mtu?: number
  readonly icc?: boolean
  readonly bridge?: string
  readonly hosts?: string[]
  readonly 'live-restore'?: boolean
}

/**
 * Reads the text of a daemon.json; no text says nothing.
 * @throws ConfigError TSGRE_BAD_DAEMON_JSON with line and column
 */
export function settingsOf(text: string | undefined, path = 'daemon.json'): Settings {
  if (text === undefined || text.trim() === '') return {}
  const { members } = readDaemonObject(text, path)
  const said = Object.fromEntries(members.map(({ key, value }) => [key, value])) // of two alike dockerd reads the last
  const word = (key: string) => (typeof said[key] === 'string' && said[key] !== '' ? { [key]: said[key] } : {})
  const truth = (key: string) => (typeof said[key] === 'boolean' ? { [key]: said[key] } : {})
  return {
    ...word('bip'),
    ...word('fixed-cidr'),
    ...(typeof said.mtu === 'number' && said.mtu !== 0 ? { mtu: said.mtu } : {}),
    ...truth('icc'),
    ...word('bridge'),
    ...(Array.isArray(said.hosts) ? { hosts: said.hosts.map(String) } : {}),
    ...truth('live-restore'),
  }
}

const KINDS: Readonly<Record<string, readonly [kind: string, is: (value: unknown) => boolean]>> = {
  bip: ['a text', (value) => typeof value === 'string'],
  'fixed-cidr': ['a text', (value) => typeof value === 'string'],
  bridge: ['a text', (value) => typeof value === 'string'],
  mtu: ['a whole number', Number.isInteger],
  icc: ['true or false', (value) => typeof value === 'boolean'],
  hosts: ['a list', Array.isArray],
}

/**
 * Refuses a setting of another kind than dockerd takes: with `"mtu": "1462"` it does not start. null is nothing to it.
 * @throws ConfigError TSGRE_BAD_DAEMON_JSON
 */
export function refuseWrongKinds(text: string, path: string): void {
  for (const { key, value } of readDaemonObject(text, path).members) {
    const [kind, is] = KINDS[key] ?? []
    if (!is || value === null || is(value)) continue
    throw unusable(path, `${path}: "${key}" is ${JSON.stringify(value)}, where dockerd takes ${kind}`)
  }
}

/** @throws ConfigError TSGRE_BAD_DAEMON_JSON with line and column */
export function readDaemonObject(text: string, path: string): ObjectText {
  try {
    return readObject(text)
  } catch (error) {
    if (!(error instanceof JsonMistake)) throw error
    throw unusable(path, `${path}:${error.line}:${error.column}: ${error.message}`)
  }
}

export function unusable(path: string, words: string): ConfigError {
  return new ConfigError('TSGRE_BAD_DAEMON_JSON', 'config-file', path, words)
}
