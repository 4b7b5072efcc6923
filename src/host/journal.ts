// The journal of one tunnel: every way back, written down before its change is made. What a killed process left is taken
// back from it. One JSON value a line: a header, then one line a change; a last line that was cut short was never acted on.

import {
  accessSync,
  appendFileSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { namespaceCookie } from '../sys/sockets.js'
import type { Undo } from './change.js'
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
  readonly path: string
  readonly tap: string
  /** Of the process that wrote it. */
  readonly pid: number
  entries: readonly Entry[]

  private constructor(path: string, { tap, pid }: Omit<Header, 'namespace'>, entries: readonly Entry[]) {
    this.path = path
    this.tap = tap
    this.pid = pid
    this.entries = entries
  }

  /** The journal of this process's tunnel on `tap`; `left` is in the file already. */
  static of(tap: string, left: readonly Entry[] = []): Journal {
    return new Journal(join(journalDirectory(), fileName(tap)), { tap, pid: process.pid }, left)
  }

  /** The journals of this network namespace, its own and those of other processes, dead or alive. */
  static all(): Journal[] {
    const directory = journalDirectory()
    return names(directory).flatMap((name) => read(join(directory, name)) ?? [])
  }

  /**
   * Writes down one more, or all anew.
   * @throws SystemError
   */
  add(entry: Entry): void {
    this.entries = [...this.entries, entry]
    this.#write(() => {
      if (this.entries.length === 1 || !this.#append(entry)) this.#replace()
    })
  }

  /** Keeps these alone; with none of them the file goes. */
  keep(entries: readonly Entry[]): void {
    this.entries = entries
    this.#write(() => {
      if (entries.length === 0) unlinkIfPresent(this.path)
      else this.#replace()
    })
  }

  /** Whether it could be: systemd gives the directory and all in it to a service's user when one starts. */
  #append(entry: Entry): boolean {
    try {
      appendFileSync(this.path, line(entry), { flag: APPEND as unknown as string })
      return true
    } catch (error) {
      if (NOT_APPENDED.has((error as NodeJS.ErrnoException).code ?? '')) return false
      throw error
    }
  }

  #replace(): void {
    makeJournalDirectory()
    const header: Header = { tap: this.tap, pid: this.pid, namespace: namespace() }
    const temporary = `${this.path}.new`
    unlinkIfPresent(temporary)
    writeFileSync(temporary, [header, ...this.entries].map(line).join(''), { mode: 0o644, flag: 'wx' })
    renameSync(temporary, this.path)
  }

  #write(body: () => void): void {
    try {
      body()
    } catch (error) {
      throw fileError(error, this.path)
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

/** Not rm, which goes on into a folder that comes in the place of the file: others may write to the directory. */
function unlinkIfPresent(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function read(path: string): Journal | undefined {
  try {
    return Journal.parse(path, readFileSync(path, 'utf8'))
  } catch {
    return undefined // gone meanwhile, or not ours to read: then not ours to act on
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.journal'))
  } catch {
    return []
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

/** `ip netns exec` leaves all namespaces of a machine one /run, and each may have a tap0. */
function fileName(tap: string): string {
  return isFirstNamespace() ? `${tap}.journal` : `${tap}@${namespace().split('/')[1]}.journal`
}

function isFirstNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/net') === readlinkSync('/proc/1/ns/net')
  } catch {
    return false // not permitted to ask: a longer name does no harm
  }
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
