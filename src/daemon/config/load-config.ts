// A configuration file, read and found to be good, as what it asks for. All that is wrong is told at once; nothing is changed,
// and this host is not looked at: what does not fit it the start refuses.

import type { ConfigError } from '../../errors.js'
import { type Asked, instanceOptions, tunnelWishes } from '../options/tunnel-wishes.js'
import type { Wanted } from '../options/wanted.js'
import { type ConfigDocument, type Path, readDocument } from './document.js'
import { pathText, problemsOf } from './issues.js'
import { BadConfigError, type Problem } from './problem.js'
import { CONFIG_DIRECTORY, instanceName, readConfigText } from './read-text.js'
import { MANY, NAMED, ONE, PER_REMOTE } from './schema.js'
import { inWordsOfAFile } from './words.js'

export interface Config extends Wanted {
  readonly file: string
}

/**
 * Reads a file: a path, or a NAME that stands for /etc/tsgre/NAME.yaml.
 * @throws BadConfigError
 */
export async function loadConfig(typed: string, directory = CONFIG_DIRECTORY): Promise<Config> {
  const { file, text } = await readConfigText(typed, directory)
  return parseConfig(text, file)
}

/** @throws BadConfigError with everything that is wrong */
export function parseConfig(text: string, file: string): Config {
  const document = readDocument(text)
  const problems = [...document.problems]
  if (problems.length === 0) problems.push(...shapeProblems(document))
  if (problems.length > 0) throw new BadConfigError(file, inOrder(problems))
  const entries = tunnelEntries(document.value as Asked)
  const noting = (path: Path) => (error: ConfigError) => {
    const key = keyOf(error, document, path)
    problems.push({ ...document.at(key), key: pathText(key), message: inWordsOfAFile(error) })
  }
  for (const { path } of entries) problems.push(...oddLists(document, path))
  if (problems.length > 0) throw new BadConfigError(file, inOrder(problems))
  const instance = instanceOptions(document.value as Asked, noting([]))
  const tunnels = entries.map(({ asked, path }) => tunnelWishes(asked, noting(path)))
  problems.push(...sharedTaps(entries, document))
  if (problems.length > 0) throw new BadConfigError(file, inOrder(problems))
  return { name: instanceName(file), file, ...instance, tunnels }
}

function shapeProblems(document: ConfigDocument): Problem[] {
  const { value } = document
  const top = (message: string): Problem[] => [{ ...document.at([]), key: '', message }]
  if (value === null || value === undefined) return top(`empty: ${EXAMPLE}`)
  if (typeof value !== 'object' || Array.isArray(value))
    return top(`${Array.isArray(value) ? 'a list' : 'a text'} where keys and values should be: ${EXAMPLE}`)
  const result = ('tunnels' in value ? MANY : ONE).safeParse(value)
  if (result.success) return []
  return problemsOf(result.error.issues, document, (path) => knownKeys(path, 'tunnels' in value))
}

const EXAMPLE = 'say at least "tap: tap0" and "remote: 192.168.56.5"'

function knownKeys(path: Path, many: boolean): readonly string[] {
  if (path.length === 0) return Object.keys((many ? MANY : ONE).shape)
  const isTunnel = path[0] === 'tunnels' && path.length === 2
  if (!isTunnel) return ['address', ...PER_REMOTE]
  return [...(typeof path[1] === 'number' ? ['tap'] : []), ...Object.keys(NAMED.shape)]
}

interface Entry {
  readonly asked: Asked
  readonly path: Path
}

/** The tunnels with what all of them share, in the words of the command line. */
function tunnelEntries(value: Asked): Entry[] {
  if (!('tunnels' in value)) return [{ asked: asAsked(value), path: [] }]
  const { tunnels, ...defaults } = value as { tunnels: readonly Asked[] | Readonly<Record<string, Asked>> }
  const own = Array.isArray(tunnels)
    ? tunnels.map((tunnel, at) => [at, tunnel] as const)
    : Object.entries(tunnels).map(([tap, tunnel]) => [tap, { tap, ...tunnel }] as const)
  return own.map(([step, tunnel]) => ({ asked: asAsked({ ...defaults, ...tunnel }), path: ['tunnels', step] }))
}

/** Lists under one name, however they were written. */
function asAsked({ remote, remotes, route, routes, ...rest }: Asked): Asked {
  const lists = { remote: remotes ?? remote, route: routes ?? route }
  const given = Object.entries(lists).filter(([, value]) => value !== undefined)
  return { ...rest, ...Object.fromEntries(given.map(([name, value]) => [name, [value].flat()])) }
}

/** A tunnel has remotes, and lists have one spelling at a time. */
function oddLists(document: ConfigDocument, path: Path): Problem[] {
  const both = ['remote', 'route'].filter((name) => [name, `${name}s`].every((key) => document.has([...path, key])))
  const problems = both.map((name) => {
    const key = [...path, `${name}s`]
    return { ...document.at(key, 'key'), key: pathText(key), message: `stands beside ${name}; keep ${name}s, with all` }
  })
  if (document.has([...path, 'remote']) || document.has([...path, 'remotes'])) return problems
  const key = [...path, 'remote']
  const message = 'is missing: give the address of the other host, as in "remote: 192.168.56.5"'
  return [...problems, { ...document.at(key), key: pathText(key), message }]
}

/** Where it stands: in the tunnel, or among what all share. */
function keyOf({ option, value }: ConfigError, document: ConfigDocument, path: Path): Path {
  for (const around of path.length === 0 ? [path] : [path, []]) {
    const found = [`${option}s`, option].map((name) => [...around, name]).find((key) => document.has(key))
    if (found) return itemOf(found, value, document)
  }
  return path
}

/** The item of a list that has the value. */
function itemOf(key: Path, value: unknown, document: ConfigDocument): Path {
  const items = document.get(key)
  if (!Array.isArray(items)) return key
  const words = items.map((item) => (item as { address?: unknown } | null)?.address ?? item)
  const isIt = (word: unknown) => word === value || (typeof word === 'string' && word.split(',')[0] === value)
  const at = words.length - 1 - [...words].reverse().findIndex(isIt)
  return at >= words.length ? key : [...key, at]
}

function sharedTaps(entries: readonly Entry[], document: ConfigDocument): Problem[] {
  const seen = new Map<unknown, Path>()
  return entries.flatMap(({ asked: { tap }, path }) => {
    const before = seen.get(tap)
    if (before === undefined) {
      seen.set(tap, path)
      return []
    }
    const key = document.has([...path, 'tap']) ? [...path, 'tap'] : path
    const message = `${tap} is the TAP of ${pathText(before)} already; give each tunnel its own`
    return [{ ...document.at(key), key: pathText(key), message }]
  })
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
}
