// The journal of one tunnel: every way back, written down before its change is made. What a killed process left is taken
// back from it. One JSON value a line: a header, then one line a change; a line that was cut short was never acted on.

import { accessSync, appendFileSync, constants, mkdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { namespaceCookie } from '../sys/sockets.js'
import type { Undo } from './change.js'
import {
  chosenPath,
  isForeign,
  JOURNAL_SUFFIX,
  type JournalPlace,
  journalPaths,
  putJournal,
  unfinishedJournals,
} from './journal-place.js'
import { namesIn, unlinkIfPresent } from './run-directory.js'
import { fileError } from './whole-file.js'

/** Others may write to the directory, and must not have root write elsewhere by a link: none is followed, nor by `wx`. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW
const NOT_APPENDED = new Set(['EACCES', 'ELOOP', 'ENOENT'])

/** What is to be taken back, and in which words. */
export interface Entry {
  readonly what: string
  readonly undo: Undo
}

interface Header {
  readonly tap: string
  readonly pid: number
  /** Boot and network namespace, in which alone the journal means anything. */
  readonly namespace: string
}

/** Where journals are: TSGRE_RUN_DIR, or /run/tsgre. */
export function journalDirectory(): string {
  return process.env.TSGRE_RUN_DIR || '/run/tsgre'
}

export class Journal {
  readonly tap: string
  /** Of the process that wrote it. */
  readonly pid: number
  entries: readonly Entry[]
  #path: string
  /** The file is there, and by this object. */
  #written = false
  /** A full disk may have taken half of its last line. */
  #cut = false

  private constructor(path: string, { tap, pid }: Omit<Header, 'namespace'>, entries: readonly Entry[]) {
    this.#path = path
    this.tap = tap
    this.pid = pid
    this.entries = entries
  }

  /** The journal of this process's tunnel on `tap`; `left` is in the file already. */
  static of(tap: string, left: readonly Entry[] = []): Journal {
    const here = place()
    return new Journal(chosenPath(journalPaths(here, tap), here.namespace), { tap, pid: process.pid }, left)
  }

  /** The journals of this network namespace, its own and those of other processes, dead or alive. */
  static all(): Journal[] {
    const directory = journalDirectory()
    const names = namesIn(directory).filter((name) => name.endsWith(JOURNAL_SUFFIX))
    return names.flatMap((name) => read(join(directory, name)) ?? [])
  }

  /** Another one than at first where another network namespace took that name meanwhile. */
  get path(): string {
    return this.#path
  }

  /**
   * Writes down one more, or all anew.
   * @throws SystemError; then it is not among the entries
   */
  add(entry: Entry): void {
    const entries = [...this.entries, entry]
    this.#write(() => {
      if (!this.#written || !this.#append(entry)) this.#replace(entries)
    })
    this.entries = entries
  }

  /** Keeps these alone; with none of them the file goes. */
  keep(entries: readonly Entry[]): void {
    this.entries = entries
    this.#write(() => {
      if (entries.length === 0) this.#remove()
      else this.#replace(entries)
    })
  }

  #remove(): void {
    this.#written = false
    if (!isForeign(this.#path, namespace())) unlinkIfPresent(this.#path)
  }

  /** Whether it could be: systemd gives the directory and all in it to a service's user when one starts. */
  #append(entry: Entry): boolean {
    try {
      appendFileSync(this.#path, (this.#cut ? '\n' : '') + line(entry), { flag: APPEND as unknown as string })
      this.#cut = false
      return true
    } catch (error) {
      this.#cut = true
      if (NOT_APPENDED.has((error as NodeJS.ErrnoException).code ?? '')) return false
      throw error
    }
  }

  #replace(entries: readonly Entry[]): void {
    makeJournalDirectory()
    const here = place()
    const header: Header = { tap: this.tap, pid: this.pid, namespace: here.namespace }
    const text = [header, ...entries].map(line).join('')
    const paths = new Set([this.#path, ...journalPaths(here, this.tap)])
    this.#path = putJournal(here, this.tap, text, [...paths])
    this.#written = true
    this.#cut = false
  }

  #write(body: () => void): void {
    try {
      body()
    } catch (error) {
      throw fileError(error, this.#path)
    }
  }

  /** @internal */
  static parse(path: string, text: string): Journal | undefined {
    const [header, ...entries] = text.split('\n').flatMap(parsed) as [Header | undefined, ...Entry[]]
    if (typeof header?.tap !== 'string' || header.namespace !== namespace()) return undefined
    return new Journal(
      path,
      header,
      entries.filter(({ undo }) => undo?.kind),
    )
  }
}

function read(path: string): Journal | undefined {
  try {
    return Journal.parse(path, readFileSync(path, 'utf8'))
  } catch {
    return undefined // gone meanwhile, or not ours to read: then not ours to act on
  }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}

function parsed(text: string): object[] {
  try {
    return [JSON.parse(text)]
  } catch {
    return []
  }
}

function place(): JournalPlace {
  return { directory: journalDirectory(), namespace: namespace() }
}

/** Paths of what killed processes of this network namespace had not written to its end. Only while nobody changes the host. */
export function unfinished(): string[] {
  return unfinishedJournals(place())
}

/** This boot and this network namespace, as no other ever had them. */
export function namespace(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return `${boot}/${namespaceCookie() ?? readlinkSync('/proc/self/ns/net').replace(/\D/g, '')}`
}

/** Not with its parents: mkdir's own recursion does not come to an end under /proc (Node 20). */
export function makeJournalDirectory(): void {
  try {
    mkdirSync(journalDirectory(), { mode: 0o755 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Why no journal can be written here, as a sentence; undefined where one can. */
export function journalTrouble(): string | undefined {
  const directory = journalDirectory()
  try {
    makeJournalDirectory()
    accessSync(directory, constants.W_OK)
    return undefined
  } catch (error) {
    const wayOut = 'make that directory writable, or name another in TSGRE_RUN_DIR'
    return `no journal in ${directory} (${(error as NodeJS.ErrnoException).code}): after kill -9 nobody takes back what this tunnel changed; ${wayOut}`
  }
}
