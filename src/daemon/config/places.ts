// Where in a file the option stands that something is wrong with, as a key with its place. What is wrong others find.

import { ConfigError, type ErrorCode } from '../../errors.js'
import { canonical } from '../peer-spec.js'
import type { ConfigDocument, Path } from './document.js'
import { pathText } from './issues.js'
import { BadConfigError, type Problem, problemLine } from './problem.js'
import { inWordsOfAFile } from './words.js'

/** A refusal of the tunnel at `path`, at the key that leads to it. */
export function problemAt(error: ConfigError, document: ConfigDocument, path: Path): Problem {
  const key = keyOf(error, document, path)
  const isThere = key.length > path.length || key.length === 0 || path.length === 0
  return { ...document.at(key, isThere ? 'value' : 'key'), key: pathText(key), message: inWordsOfAFile(error) }
}

/** What this host refuses a tunnel of the file for, with its place: it keeps its code, option and value. Other errors as they are. */
export function withPlace(
  error: unknown,
  file: string,
  document: ConfigDocument,
  { tap, path }: { readonly tap: string; readonly path: Path },
): unknown {
  if (!(error instanceof ConfigError) || error instanceof BadConfigError) return error
  const problem = problemAt(error, document, path)
  const key = path.at(-1) === tap ? problem.key : `${problem.key} of ${tap}`.trim()
  return new ConfigError(error.code as ErrorCode, error.option, error.value, problemLine(file, { ...problem, key }))
}

/** In the tunnel, or among what all share. */
function keyOf({ option, value }: ConfigError, document: ConfigDocument, path: Path): Path {
  for (const around of path.length === 0 ? [path] : [path, []]) {
    const found = [`${option}s`, option].map((name) => [...around, name]).find((key) => document.has(key))
    if (found) return itemOf(found, value, document)
  }
  return path
}

/** The item of a list that has the value; the last one, as of one that is there twice. */
function itemOf(key: Path, value: unknown, document: ConfigDocument): Path {
  const items = document.get(key)
  if (!Array.isArray(items)) return key
  const words = items.map((item) => (item as { address?: unknown } | null)?.address ?? item)
  const isIt = (word: unknown) => word === value || (typeof word === 'string' && isSame(word, value))
  const at = words.length - 1 - [...words].reverse().findIndex(isIt)
  return at >= words.length ? key : [...key, at]
}

function isSame(spec: string, value: unknown): boolean {
  const [host] = spec.split(',')
  return typeof value === 'string' && host !== '' && canonical(host!) === canonical(value)
}
