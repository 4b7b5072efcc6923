// Where in a file the option stands that something is wrong with, as a key with its place. What is wrong others find.

import type { ConfigError } from '../../errors.js'
import { canonical } from '../peer-spec.js'
import type { ConfigDocument, Path } from './document.js'
import { pathText } from './issues.js'
import type { Problem } from './problem.js'
import { inWordsOfAFile } from './words.js'

/** A refusal of the tunnel at `path`, at the key that leads to it. */
export function problemAt(error: ConfigError, document: ConfigDocument, path: Path): Problem {
  const key = keyOf(error, document, path)
  const isThere = key.length > path.length || key.length === 0 || path.length === 0
  return { ...document.at(key, isThere ? 'value' : 'key'), key: pathText(key), message: inWordsOfAFile(error) }
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
