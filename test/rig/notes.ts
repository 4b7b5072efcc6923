// The pages of native-notes and docs as data: headings, and tables with what stands above them. Knows nothing of src.
// Invariant: a table belongs to the nearest heading above it.

import { readdirSync, readFileSync } from 'node:fs'
import { ROOT } from './root.js'

export interface NoteTable {
  page: string
  heading: string
  /** The lines between the heading and the table. */
  preamble: string
  columns: string[]
  /** Cells by column name. */
  rows: Record<string, string>[]
}

/** A structure: a heading `struct NAME`, a line `Total: N bytes. Code: CONSTANT. Source: …`, a table of fields. */
export interface NoteStructure {
  page: string
  name: string
  code: string
  size: number
  source: string
  fields: Record<string, { offset: number; size: number; order: string }>
}

/** The text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/** The pages of a folder, without the list of them. */
export function pagesOf(folder: string): string[] {
  const names = readdirSync(new URL(`${folder}/`, ROOT)).filter((name) => name.endsWith('.md') && name !== 'README.md')
  return names.sort().map((name) => `${folder}/${name}`)
}

/** Every TypeScript file of src with its text, comments taken out. */
export function sources(): Map<string, string> {
  const comment = /\/\*[\s\S]*?\*\/|(?<![:'"])\/\/.*/g
  const names = readdirSync(new URL('src/', ROOT), { recursive: true, encoding: 'utf8' })
  const paths = names.filter((name) => name.endsWith('.ts')).sort()
  return new Map(paths.map((path) => [path, textOf(`src/${path}`).replace(comment, '')]))
}

/** The texts of the headings of one level. */
export function headingsOf(text: string, level: number): string[] {
  return [...text.matchAll(new RegExp(`^#{${level}} (.+)$`, 'gm'))].map((match) => match[1]!)
}

export function tablesOf(page: string): NoteTable[] {
  const tables: NoteTable[] = []
  let heading = ''
  let preamble: string[] = []
  let table: NoteTable | undefined
  for (const line of textOf(page).split('\n')) {
    const title = /^#+ (.+)$/.exec(line)
    if (title) {
      heading = title[1]!
      preamble = []
    }
    if (!line.startsWith('|')) {
      table = undefined
      preamble.push(line)
      continue
    }
    const cells = cellsOf(line)
    if (!table) {
      table = { page, heading, preamble: preamble.join('\n'), columns: cells, rows: [] }
      tables.push(table)
    } else if (!cells.every((cell) => /^-+$/.test(cell))) {
      table.rows.push(rowOf(table, cells))
    }
  }
  return tables
}

function cellsOf(line: string): string[] {
  const cells = line.trim().slice(1, -1).split('|')
  return cells.map((cell) => cell.trim())
}

function rowOf({ page, heading, columns, rows }: NoteTable, cells: string[]): Record<string, string> {
  const where = `${page}, "${heading}", row ${rows.length + 1}`
  if (cells.length !== columns.length)
    throw new Error(`${where}: ${cells.length} cells under ${columns.length} columns`)
  return Object.fromEntries(columns.map((column, index) => [column, cells[index]!]))
}

/** The table under a heading. Throws when there is none, or more than one. */
export function tableUnder(page: string, heading: string, firstColumn?: string): NoteTable {
  const found = tablesOf(page).filter(
    (table) => table.heading === heading && (firstColumn === undefined || table.columns.join() === firstColumn),
  )
  if (found.length !== 1) throw new Error(`${page} has ${found.length} such tables under "${heading}"`)
  return found[0]!
}

export function structuresOf(page: string): NoteStructure[] {
  return tablesOf(page).flatMap((table) => {
    const name = /^struct (\w+)$/.exec(table.heading)?.[1]
    if (name === undefined) return []
    const line = /^Total: (\d+) bytes\. Code: (\w+)\. Source: (\S.*)$/m.exec(table.preamble)
    if (!line) throw new Error(`${page}, "${table.heading}": no line "Total: N bytes. Code: CONSTANT. Source: …"`)
    return [{ page, name, size: number(line[1]!), code: line[2]!, source: line[3]!, fields: fieldsOf(table) }]
  })
}

function fieldsOf({ rows }: NoteTable): NoteStructure['fields'] {
  return Object.fromEntries(
    rows.map(({ field, offset, size, order }) => [
      field!,
      { offset: number(offset!), size: number(size!), order: order! },
    ]),
  )
}

/** A number as notes write it, decimal or 0x. */
export function number(text: string): number {
  if (!/^(\d+|0x[\da-f]+)$/.test(text)) throw new Error(`"${text}" is no number`)
  return Number(text)
}
