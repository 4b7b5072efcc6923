// A service manager's end of $NOTIFY_SOCKET: a Python program, since Node has no Unix datagram socket. What it hears, a JSON
// line for each message.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from './child.js'

const PROGRAM = `
import json, os, socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind('\\0' + name[1:] if name[0] == '@' else name)
if name[0] != '@': os.chmod(name, 0o777)
print('listening', flush=True)
while True:
    data, control, _, _ = s.recvmsg(65536, 64)
    pid = int.from_bytes(control[0][2][:4], 'little')
    print(json.dumps({'pid': pid, 'lines': data.decode().split('\\n')}), flush=True)
`

export interface Message {
  /** Of the sender, as the kernel says. */
  readonly pid: number
  readonly lines: readonly string[]
}

export class Notified {
  readonly socket: string
  readonly child: Child
  readonly #folder: string

  private constructor(socket: string, child: Child, folder: string) {
    this.socket = socket
    this.child = child
    this.#folder = folder
  }

  static async start(kind: 'path' | 'abstract' = 'path'): Promise<Notified> {
    const folder = mkdtempSync(join(tmpdir(), `tsgre-${process.pid}-notify-`))
    const socket = kind === 'path' ? join(folder, 'notify') : `@${folder}`
    const child = new Child(['python3', '-c', PROGRAM, socket])
    await child.waitFor(/^listening$/)
    return new Notified(socket, child, folder)
  }

  get messages(): Message[] {
    return this.child.lines.slice(1).map((line) => JSON.parse(line))
  }

  /** The first message, past or to come, with that line. */
  async heard(line: string | RegExp): Promise<Message> {
    const fits = (text: string) => (typeof line === 'string' ? text === line : line.test(text))
    const text = await this.child.waitFor((text) => text !== 'listening' && JSON.parse(text).lines.some(fits))
    return JSON.parse(text)
  }

  /** When it has heard so many. */
  async count(messages: number, timeoutMs = 30_000): Promise<void> {
    for (const deadline = Date.now() + timeoutMs; this.messages.length < messages; await sleep(10))
      if (Date.now() > deadline) throw new Error(`heard ${this.messages.length} of ${messages} messages`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stop('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
