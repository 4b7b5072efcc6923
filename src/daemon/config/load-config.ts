// A configuration file, read and found to be good, as what it asks for. All that is wrong is told at once; nothing is changed,
// and this host is not looked at: what does not fit it the start refuses.

import type { ConfigError } from '../../errors.js'
import { refuseContradictions } from '../options/contradictions.js'
import type { Refuse } from '../options/refuse.js'
import { type Asked, instanceOptions, tunnelWishes } from '../options/tunnel-wishes.js'
import type { Wanted } from '../options/wanted.js'
import { type ConfigDocument, type Path, readDocument } from './document.js'
import { type Entry, topOf, tunnelEntries } from './entries.js'
import { type Found, pathText, problemsOf } from './issues.js'
import { problemAt, withPlace } from './places.js'
import { BadConfigError, type Problem } from './problem.js'
import { CONFIG_DIRECTORY, instanceName, readConfigText } from './read-text.js'
import { MANY, NAMED, ONE, PER_REMOTE } from './schema.js'
import { type Read, sharedRemotes, sharedTaps } from './shared.js'

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
  refuseAny(file, document.problems)
  refuseAny(file, noMap(document))
  const shape = shapeProblems(document)
  const problems: Problem[] = shape.map(({ problem }) => problem)
  const mistakes = shape.map(({ path }) => path)
  const noting = (path: Path) => (error: ConfigError) => void problems.push(problemAt(error, document, path))
  const entries = tunnelEntries(document.value as Asked, mistakes)
  for (const { path } of entries) problems.push(...oddLists(document, path))
  const instance = instanceOptions(topOf(document.value as Asked, mistakes), noting([]))
  const read = entries.map((entry) => readEntry(entry, noting(entry.path)))
  problems.push(...sharedTaps(entries, document), ...sharedRemotes(read, document))
  refuseAny(file, problems)
  const tunnels = read.map(({ wishes }) => wishes)
  const paths = new Map(read.map(({ wishes, path }) => [wishes.name, path]))
  const placed = (error: unknown, tap: string) => withPlace(error, file, document, { tap, path: paths.get(tap) ?? [] })
  return { name: instanceName(file), file, ...instance, tunnels, placed }
}

function refuseAny(file: string, problems: readonly Problem[]): void {
  if (problems.length > 0) throw new BadConfigError(file, inOrder(problems))
}

function noMap({ value, at }: ConfigDocument): Problem[] {
  const top = (message: string): Problem[] => [{ ...at([]), key: '', message }]
  if (value === null || value === undefined) return top(`empty: ${EXAMPLE}`)
  if (typeof value === 'object' && !Array.isArray(value)) return []
  return top(`${Array.isArray(value) ? 'a list' : 'a text'} where keys and values should be: ${EXAMPLE}`)
}

const EXAMPLE = 'say at least "tap: tap0" and "remote: 192.168.56.5"'

function shapeProblems(document: ConfigDocument): Found[] {
  const isMany = 'tunnels' in (document.value as object)
  const result = (isMany ? MANY : ONE).safeParse(document.value)
  return result.success ? [] : problemsOf(result.error.issues, document, (path) => knownKeys(path, isMany))
}

function knownKeys(path: Path, many: boolean): readonly string[] {
  if (path.length === 0) return Object.keys((many ? MANY : ONE).shape)
  const isTunnel = path[0] === 'tunnels' && path.length === 2
  if (!isTunnel) return ['address', ...PER_REMOTE]
  return [...(typeof path[1] === 'number' ? ['tap'] : []), ...Object.keys(NAMED.shape)]
}

/** What the tunnel is asked for, and what of it was refused. */
function readEntry(entry: Entry, note: Refuse): Read {
  const wrong = new Set(entry.wrong)
  const noting: Refuse = (error) => {
    wrong.add(error.option)
    note(error)
  }
  // That there is no remote was told where lists are looked at.
  const refused = entry.asked.remote === undefined ? new Set([...entry.wrong, 'remote']) : entry.wrong
  const wishes = tunnelWishes(entry.asked, noting, refused)
  // A command line is told of them where the tunnel starts.
  refuseContradictions(wishes, new Set([...refused, ...wrong]), note)
  return { ...entry, wishes, wrong }
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

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
}
