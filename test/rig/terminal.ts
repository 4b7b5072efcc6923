// A terminal of a size, in tmux, with a shell in it: what is typed there, and what stands in it.

import { setTimeout as sleep } from 'node:timers/promises'

const DEADLINE_MS = 20_000
const SETTINGS = ['env', '-u', 'NO_COLOR', 'TERM=xterm-256color', 'LC_ALL=C.UTF-8']

/** Runs a program to its end and returns its stdout: in a namespace, with an environment. Must leave alone what the program starts. */
type Run = (argv: readonly string[]) => Promise<string>

export class Terminal {
  readonly #run: Run
  readonly #socket: string

  private constructor(run: Run, socket: string) {
    this.#run = run
    this.#socket = socket
  }

  /** `socket` is a path nobody uses: a server of tmux that is just ending takes no new session. */
  static async open(run: Run, socket: string, columns: number, rows: number): Promise<Terminal> {
    const terminal = new Terminal(run, socket)
    await terminal.tmux('new-session', '-d', '-s', 't', '-x', `${columns}`, '-y', `${rows}`, 'env', 'PS1=$ ', 'sh')
    return terminal
  }

  tmux(...words: string[]): Promise<string> {
    return this.#run([...SETTINGS, 'tmux', '-S', this.#socket, '-f', '/dev/null', ...words])
  }

  /** Types a command, with `before` it as it is (`NO_COLOR=1 `), into the screen cleared before. Its end is told as `ended with 0`. */
  async start(argv: readonly string[], before = ''): Promise<void> {
    const command = argv.map((word) => `'${word}'`).join(' ')
    await this.type(`clear; ${before}${command}; echo "ended with $?"`)
    await this.press('Enter')
  }

  async type(text: string): Promise<void> {
    await this.tmux('send-keys', '-t', 't', '-l', text)
  }

  async press(key: string): Promise<void> {
    await this.tmux('send-keys', '-t', 't', key)
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.tmux('resize-window', '-t', 't', '-x', `${columns}`, '-y', `${rows}`)
  }

  /** The lines once they satisfy `wanted`; `-e` keeps the colours. */
  async lines(wanted: (lines: string[]) => boolean, ...how: string[]): Promise<string[]> {
    let lines: string[] = []
    for (const deadline = Date.now() + DEADLINE_MS; Date.now() < deadline; await sleep(100)) {
      lines = (await this.tmux('capture-pane', '-p', ...how, '-t', 't')).split('\n').slice(0, -1)
      if (wanted(lines)) return lines
    }
    throw new Error(`the terminal stays\n${lines.join('\n')}`)
  }

  /** Ends the shell and what runs in it. */
  async close(): Promise<void> {
    await this.tmux('kill-server').catch(() => {}) // it went with its last session
  }
}
