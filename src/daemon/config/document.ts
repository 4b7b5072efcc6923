// YAML or JSON (which is YAML, too) as plain values, with the place of every key. Knows nothing of what the keys mean.

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml'
import type { Problem } from './problem.js'

/** Keys and places in lists, from the outside in. */
export type Path = readonly (string | number)[]

export interface ConfigDocument {
  readonly value: unknown
  /** Why it is no YAML; where there is something, `value` means nothing. */
  readonly problems: readonly Problem[]
  /** The place of a key's value, or of the nearest around it that is there; of the key itself on demand. */
  at(path: Path, of?: 'key' | 'value'): { line: number; column: number }
  has(path: Path): boolean
  get(path: Path): unknown
}

/** Aliases within aliases grow without bound. */
const MOST_ALIASES = 100

export function readDocument(text: string): ConfigDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    version: '1.2',
    schema: 'core',
    merge: true,
    logLevel: 'error',
  })
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const problems = [...document.errors, ...document.warnings].map((error) => problemOf(error, text, place))
  let value: unknown
  if (problems.length === 0) problems.push(...oddNodes(document, place))
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: MOST_ALIASES })
    } catch (error) {
      problems.push({ ...place(0), key: '', message: aliasWords((error as Error).message) })
    }
  }
  return {
    value,
    problems,
    at: (path, of = 'value') => place(offsetOf(document, path, of)),
    has: (path) => within(value, path) !== undefined,
    get: (path) => within(value, path),
  }
}

function problemOf(
  error: YAMLError,
  text: string,
  place: (offset: number) => { line: number; column: number },
): Problem {
  const [offset] = error.pos
  const word = /^[^\s:]*/.exec(text.slice(offset))?.[0] ?? ''
  return { ...place(offset), key: '', message: wordsFor(error, word) }
}

function wordsFor({ code, message }: YAMLError, word: string): string {
  if (code === 'DUPLICATE_KEY') return `the key ${word} is there twice; keep one`
  if (code === 'MULTIPLE_DOCS')
    return 'a second document begins here; a file has one, with all tunnels under "tunnels:"'
  if (code === 'TAB_AS_INDENT') return 'a tab; YAML is indented with spaces'
  if (code === 'TAG_RESOLVE_FAILED') return `the tag ${word} means nothing here; take it away`
  return `not YAML: ${message}`
}

function aliasWords(message: string): string {
  if (/Excessive alias/.test(message)) return `more than ${MOST_ALIASES} values by aliases (*NAME); write them out`
  if (/^Merge sources/.test(message)) return 'what << merges must be a map, as in "<<: *NAME", or a list of maps'
  return `not YAML: ${message}`
}

/** What plain values cannot hold: keys that are no words, values that hold themselves, numbers that are two. */
function oddNodes(document: Document, place: (offset: number) => { line: number; column: number }): Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Scalar(_, { value, source, range }) {
      if (typeof value !== 'number' || !/^[-+]?0\d/.test(source ?? '')) return
      const message = `${source} is ${value} to some readers of YAML and octal to others; write ${value}, or "${source}" for a text`
      problems.push({ ...place(range?.[0] ?? 0), key: '', message })
    },
    Pair(_, { key }) {
      if (isScalar(key) || !isNode(key)) return
      problems.push({ ...place(key.range?.[0] ?? 0), key: '', message: 'a key must be one word' })
    },
    Alias(_, alias, around) {
      const target = alias.resolve(document)
      if (target !== undefined && !around.includes(target)) return
      const why =
        target === undefined ? `names nothing: there is no &${alias.source} above it` : 'stands inside of itself'
      problems.push({ ...place(alias.range?.[0] ?? 0), key: '', message: `*${alias.source} ${why}` })
    },
  })
  return problems
}

function resolved(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node
}

function offsetOf(document: Document, path: Path, of: 'key' | 'value'): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const [depth, step] of path.entries()) {
    const inside = resolved(document, node)
    const pair = isMap(inside) ? inside.items.find(({ key }) => String((key as Scalar).value) === step) : undefined
    node = pair ? pair.value : isSeq(inside) ? inside.items[Number(step)] : undefined
    if (pair && ((of === 'key' && depth === path.length - 1) || isNothing(node))) return startOf(pair.key) ?? offset
    if (node === undefined) return offset
    offset = startOf(node) ?? offset
  }
  return offset
}

/** A key without value: the place behind it is the next line's. */
function isNothing(node: unknown): boolean {
  return !isNode(node) || (isScalar(node) && node.value === null && node.source === '')
}

function startOf(node: unknown): number | undefined {
  return (node as ParsedNode | null)?.range?.[0]
}

function within(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inside, step) => (inside as Record<string | number, unknown> | undefined)?.[step], value)
}
