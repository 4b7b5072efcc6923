// The rule of the house, as a function of text: which folder may import from which. It reads no files and runs no code.
// Invariant: the folders stand in the order a frame climbs them, and a file imports only from its own or from further
// left.

import { posix } from 'node:path'

export const ORDER = ['errors', 'drops', 'wire', 'offload', 'sys', 'io', 'tunnel', 'host', 'daemon', 'cli'] as const

const PURE = ['errors', 'drops', 'wire', 'offload']
const STRANGERS: Record<string, string[]> = { host: ['tunnel', 'io'] }
const FFI = 'koffi'
const DOOR = 'index.ts'

// import … from '', export … from '', import '', import(''), require(''), and what a worker is started with.
const IMPORT = /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\(|\bnew\s+URL\s*\()\s*(['"])([^'"\n]+)\1/g
const COMMENT = /\/\*[\s\S]*?\*\/|(?<![:'"])\/\/.*/g

/** Breaches of the rule, each naming the file and the import. `files`: text by path below src, `wire/gre.ts`. */
export function breaches(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, text]) =>
    importsOf(text).flatMap((wanted) => {
      const reason = refusal(path, wanted)
      return reason === undefined ? [] : [`src/${path} imports ${wanted}: ${reason}`]
    }),
  )
}

/** Every module a source text names, in its order. */
export function importsOf(text: string): string[] {
  return [...text.replace(COMMENT, '').matchAll(IMPORT)].map((match) => match[2])
}

function refusal(path: string, wanted: string): string | undefined {
  const from = folderOf(path)
  if (path !== DOOR && !isInOrder(from)) return `${from} has no place in the order`
  if (!wanted.startsWith('.')) return packageRefusal(from, wanted)
  if (path === DOOR) return undefined
  const target = posix.join(posix.dirname(path), wanted)
  if (target.startsWith('..')) return target === '../package.json' ? undefined : 'it lies outside src'
  const to = folderOf(target)
  if (to === from) return undefined
  if (!isInOrder(to)) return `${to} is not to be imported from inside`
  if (STRANGERS[from]?.includes(to)) return `${from} knows nothing of ${to}`
  return rank(to) < rank(from) ? undefined : `${to} is not left of ${from}`
}

function packageRefusal(from: string, wanted: string): string | undefined {
  if (wanted === 'tsgre' || wanted.startsWith('tsgre/') || wanted.startsWith('#'))
    return 'src imports src by relative path'
  if (PURE.includes(from)) return `${from} is pure`
  const isFfi = wanted === FFI || wanted.startsWith(`${FFI}/`)
  return isFfi && from !== 'sys' ? 'only sys imports the FFI' : undefined
}

/** The first folder below src, or the name of a file that lies there itself. */
function folderOf(path: string): string {
  return path.split('/')[0].replace(/\.[jt]s$/, '')
}

function isInOrder(folder: string): boolean {
  return rank(folder) >= 0
}

function rank(folder: string): number {
  return ORDER.indexOf(folder as (typeof ORDER)[number])
}
