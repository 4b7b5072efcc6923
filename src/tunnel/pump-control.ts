// What the program and the pump's thread say to each other: the thread's start data, its messages, and the shared words it
// looks at whenever the eventfd wakes it.

import type { MessagePort } from 'node:worker_threads'
import type { RawSocketHandle } from '../io/raw-socket.js'
import type { UdpSocketHandle } from '../io/udp-socket.js'
import type { Offload } from '../offload/gso.js'
import type { PumpSettings } from './settings.js'

/** Words of the control memory (Int32Array): not zero means yes. */
export const STOP = 0
export const CONTROL_WORDS = 1

/** What an underlay port of the pump's thread stands on. */
export type UnderlayHandle = RawSocketHandle | UdpSocketHandle

export interface PumpThreadData {
  readonly tap: { readonly fd: number; readonly name: string; readonly mtu: number; readonly offload: Offload }
  readonly socket: UnderlayHandle
  /** Microseconds to look again and again before sleeping. */
  readonly busyPoll: number
  readonly wakerFd: number
  readonly settings: PumpSettings
  readonly counters: SharedArrayBuffer
  readonly fdb: SharedArrayBuffer
  readonly control: SharedArrayBuffer
  /** PumpCommands come here; the eventfd says when. */
  readonly commands: MessagePort
}

/** That the thread runs, that something of tunnel or peers is another now (the counters have it), or which system call ended it. */
export type PumpThreadMessage =
  | { up: true }
  | { changed: true }
  | { failed: { code: string; syscall: string; hint: string | undefined } }
