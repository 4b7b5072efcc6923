// A program started by the rig: its lines as they come, its end, and a way to stop it.
// Invariant: `ended` never rejects; who waits for a line that cannot come any more is told what the program said.

import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface ChildOptions {
  env?: NodeJS.ProcessEnv
  /** Written to the standard input, which is empty otherwise. */
  input?: string
}

type Matcher = RegExp | ((line: string) => boolean)

class Lines {
  readonly complete: string[] = []
  text = ''
  #rest = ''

  push(chunk: string): void {
    this.text += chunk
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop()!
    this.complete.push(...lines)
  }

  find(matcher: Matcher): string | undefined {
    return this.complete.find((line) => (matcher instanceof RegExp ? matcher.test(line) : matcher(line)))
  }
}

export class Child {
  readonly argv: readonly string[]
  readonly pid: number
  readonly ended: Promise<Ended>
  running = true
  readonly #process: ChildProcess
  readonly #out = new Lines()
  readonly #err = new Lines()
  readonly #listeners = new Set<() => void>()

  constructor(argv: readonly string[], options: ChildOptions = {}) {
    this.argv = argv
    this.#process = spawn(argv[0]!, argv.slice(1), { env: { ...process.env, ...options.env } })
    this.pid = this.#process.pid ?? 0
    this.#process.stdin!.on('error', () => {}) // a program may end without reading its input
    this.#process.stdin!.end(options.input ?? '')
    this.#collect(this.#process.stdout!, this.#out)
    this.#collect(this.#process.stderr!, this.#err)
    this.ended = new Promise((resolve) => {
      const settle = (code: number | null, signal: NodeJS.Signals | null) => {
        this.running = false
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
        this.#wake()
      }
      this.#process.once('error', (error) => {
        this.#err.push(`${error.message}\n`)
        settle(127, null)
      })
      this.#process.once('close', settle)
    })
  }

  get stdout(): string {
    return this.#out.text
  }

  get stderr(): string {
    return this.#err.text
  }

  /** The complete lines of stdout so far. */
  get lines(): readonly string[] {
    return this.#out.complete
  }

  /** The first line, of stdout or stderr, past or to come, that matches. */
  async waitFor(matcher: Matcher, timeoutMs = 30_000): Promise<string> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const line = this.#out.find(matcher) ?? this.#err.find(matcher)
      if (line !== undefined) return line
      if (!this.running)
        throw new Error(`${this} ended without the line it was waited for\n${this.stdout}${this.stderr}`)
      if (Date.now() >= deadline) throw new Error(`${this} printed no such line\n${this.stdout}${this.stderr}`)
      await this.#change(deadline - Date.now())
    }
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    if (this.running) this.#process.kill(signal)
  }

  /** Asks it to end; after the grace it is killed, which `signal` of the result then shows. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 30_000): Promise<Ended> {
    this.kill(signal)
    const late = setTimeout(() => this.kill('SIGKILL'), graceMs)
    const ended = await this.ended
    clearTimeout(late)
    return ended
  }

  toString(): string {
    return `${this.argv.join(' ')} (pid ${this.pid})`
  }

  #collect(stream: NodeJS.ReadableStream, lines: Lines): void {
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      lines.push(chunk)
      this.#wake()
    })
  }

  #wake(): void {
    for (const listener of this.#listeners) listener()
  }

  async #change(timeoutMs: number): Promise<void> {
    const timer = new AbortController()
    await new Promise<void>((resolve) => {
      const listener = () => {
        this.#listeners.delete(listener)
        resolve()
      }
      this.#listeners.add(listener)
      sleep(timeoutMs, undefined, { signal: timer.signal }).then(listener, () => {})
    })
    timer.abort()
  }
}

/** Waits for the end of a program that ends by itself; rejects, with all it printed, when it is late or fails. */
export async function completion(child: Child, timeoutMs = 30_000, anyCode = false): Promise<Ended> {
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill()
  }, timeoutMs)
  const ended = await child.ended
  clearTimeout(timer)
  const how = late ? `took more than ${timeoutMs} ms` : `ended with ${ended.code ?? ended.signal}`
  if (late || (!anyCode && ended.code !== 0)) throw new Error(`${child} ${how}\n${ended.stdout}${ended.stderr}`)
  return ended
}
