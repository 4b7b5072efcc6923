// The pump's own thread: waits in poll(2) and turns. Runs as a worker and never returns to its event loop until it is told
// to stop, so it is told through shared memory and an eventfd. A thread blocked in a system call cannot be terminated:
// poll never waits longer than POLL_MS, and so neither does the program's exit.

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { SystemError } from '../errors.js'
import { OVERLAY, Poller, SENDER, UNDERLAY, WAKER } from '../io/poller.js'
import type { Port } from '../io/port.js'
import { RawSocketPort } from '../io/raw-socket.js'
import { TapPort } from '../io/tap.js'
import { UdpSocketPort } from '../io/udp-socket.js'
import { Waker } from '../io/waker.js'
import { POLLIN, POLLOUT } from '../sys/constants.js'
import { Pump } from './pump.js'
import type { PumpCommand } from './pump-command.js'
import { type PumpThreadData, type PumpThreadMessage, STOP } from './pump-control.js'
import { Counters } from './stats.js'

/** Longest wait in poll, in milliseconds. */
const POLL_MS = 1000
// A descriptor that is always ready and never has anything would have poll return for ever: after so many wake-ups
// without work the thread sleeps a little between them.
const IDLE_WAKES = 100
const IDLE_MS = 10

function run(data: PumpThreadData): void {
  const counters = new Counters(data.counters, data.fdb)
  counters.peers.epoch = performance.timeOrigin
  const underlay = underlayOf(data, counters)
  try {
    turnUntilStopped(data, underlay, counters)
  } finally {
    underlay.release?.()
  }
}

function turnUntilStopped(data: PumpThreadData, underlay: Port, counters: Counters): void {
  const { tap, socket, wakerFd } = data
  const overlay = new TapPort(tap.fd, tap.name, () => tap.mtu, tap.offload)
  const pump = new Pump(overlay, underlay, data.settings, counters)
  const control = new Int32Array(data.control)
  const waker = new Waker(wakerFd)
  const poller = new Poller(tap.fd, socket.fd, wakerFd, underlay.sendFd)
  const asleep = new Poller(-1, -1, wakerFd)
  let idleWakes = 0
  let now = performance.now()
  while (Atomics.load(control, STOP) === 0) {
    const { blocked } = pump
    poller.ask(OVERLAY, blocked ? 0 : POLLIN)
    poller.ask(SENDER, blocked ? POLLOUT : 0)
    const woken = ready(poller, data.busyPoll, pump.due(now))
    now = performance.now()
    let worked = !woken
    if (woken && poller.readable(WAKER)) {
      waker.clear()
      obey(pump, data.commands)
      worked = true
    }
    const toSend = woken && (blocked ? poller.writable(SENDER) : poller.readable(OVERLAY))
    if (toSend) worked = pump.transmit(now) || worked
    if (woken && poller.readable(UNDERLAY)) worked = pump.receive(now) || worked
    // Last: what has just come may be a question, and is answered at once.
    if (pump.tick(now)) parentPort?.postMessage({ changed: true } satisfies PumpThreadMessage)
    idleWakes = worked ? 0 : idleWakes + 1
    if (idleWakes > IDLE_WAKES) asleep.wait(IDLE_MS)
  }
}

/** The thread never returns to its event loop, so commands are fetched. */
function obey(pump: Pump, commands: MessagePort): void {
  for (;;) {
    const received = receiveMessageOnPort(commands) as { message: PumpCommand } | undefined
    if (received === undefined) return
    pump.command(received.message)
  }
}

function underlayOf({ socket }: PumpThreadData, counters: Counters): Port {
  return socket.kind === 'raw'
    ? new RawSocketPort(socket)
    : new UdpSocketPort(socket, () => counters.noteSegmentRefused())
}

/** Whether anything is ready: looks for `busyPoll` microseconds, then sleeps until something is due, or as long as it may. */
function ready(poller: Poller, busyPoll: number, due: number): boolean {
  return (busyPoll > 0 && poller.spin(busyPoll)) || poller.wait(Math.min(Math.ceil(due), POLL_MS)) > 0
}

try {
  parentPort?.postMessage({ up: true } satisfies PumpThreadMessage)
  run(workerData as PumpThreadData)
} catch (error) {
  if (!(error instanceof SystemError)) throw error
  const { code, syscall, hint } = error
  parentPort?.postMessage({ failed: { code, syscall, hint } } satisfies PumpThreadMessage)
}
