// The API of the control socket: what each path does with an Instance. docs/control-socket.md describes it for people.

import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CaptureWanted, Instance } from '../instance.js'
import { type Routes, sendJson } from './guarded-server.js'
import { bodyFields, queryFields, RequestError } from './request.js'

/** Who answers, told before anything else is asked. */
export interface Identity {
  readonly name: string
  readonly pid: number
  /** Boot and network namespace: clients talk to those of their own. */
  readonly namespace: string
}

/** A capture nobody reads ends after this: it costs the pump time. */
const UNREAD_MS = 60_000
const LARGEST_SNAPLEN = 262_144
/** The kernel's limit of a classic program (BPF_MAXINSNS). */
const LONGEST_FILTER = 4096

export function routesOf(instance: Instance, identity: Identity): Routes {
  return {
    '/v1/instance': { GET: (_, response) => sendJson(response, 200, identity) },
    '/v1/status': {
      GET(_, response, url) {
        queryFields(url, [])
        sendJson(response, 200, instance.status())
      },
    },
    '/v1/peers': {
      async POST(request, response) {
        const { tunnel, remote } = await bodyFields(request, ['tunnel', 'remote'])
        await instance.addPeer(tunnel, given('remote', remote))
        sendJson(response, 200, {})
      },
      async DELETE(request, response) {
        const { tunnel, remote } = await bodyFields(request, ['tunnel', 'remote'])
        await instance.removePeer(tunnel, given('remote', remote))
        sendJson(response, 200, {})
      },
    },
    '/v1/fdb': {
      GET(_, response, url) {
        const { tunnel } = queryFields(url, ['tunnel'])
        sendJson(response, 200, instance.fdb(tunnel))
      },
      DELETE(_, response, url) {
        const { tunnel, remote } = queryFields(url, ['tunnel', 'remote'])
        instance.flushFdb(tunnel, remote)
        sendJson(response, 200, {})
      },
    },
    '/v1/reload': {
      async POST(request, response) {
        await bodyFields(request, [])
        sendJson(response, 200, await instance.reload())
      },
    },
    '/v1/stop': {
      async POST(request, response) {
        await bodyFields(request, [])
        // The answer first: once it stops, nobody may be there to send it.
        response.once('close', () => instance.stop())
        sendJson(response, 200, {})
      },
    },
    '/v1/capture': { GET: (request, response, url) => capture(instance, request, response, url) },
  }
}

function given(name: string, value: string | undefined): string {
  if (value === undefined) throw new RequestError(400, `"${name}" is missing`)
  return value
}

async function capture(
  instance: Instance,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const { tunnel, wanted } = captureFields(url)
  const ended = new AbortController()
  response.once('close', () => ended.abort())
  const pieces = instance.capture(tunnel, wanted, ended.signal)[Symbol.asyncIterator]()
  try {
    let piece = await pieces.next() // a refusal comes here, while there is still a status to choose
    response.writeHead(200, { 'content-type': 'application/x-pcapng' })
    while (!piece.done && !ended.signal.aborted) {
      if (!response.write(piece.value)) await drained(request, response, ended.signal)
      piece = await pieces.next()
    }
    response.end()
  } catch (error) {
    if (!ended.signal.aborted) throw error
  } finally {
    ended.abort()
    await pieces.return?.()
  }
}

async function drained({ socket }: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
  socket.setTimeout(UNREAD_MS)
  await once(response, 'drain', { signal })
  socket.setTimeout(0) // no packet for an hour is no silence of the client
}

function captureFields(url: URL): { tunnel: string | undefined; wanted: CaptureWanted } {
  const fields = queryFields(url, ['tunnel', 'side', 'remote', 'drops', 'snaplen', 'filter'])
  const { tunnel, side = 'inner', remote, drops = '0', snaplen, filter } = fields
  if (side !== 'inner' && side !== 'outer') throw new RequestError(400, '"side" is inner or outer')
  if (drops !== '0' && drops !== '1') throw new RequestError(400, '"drops" is 0 or 1')
  if (snaplen !== undefined && !(/^\d{1,6}$/.test(snaplen) && +snaplen >= 1 && +snaplen <= LARGEST_SNAPLEN)) {
    throw new RequestError(400, `"snaplen" is 1 to ${LARGEST_SNAPLEN}`)
  }
  const wanted = {
    side,
    remote,
    dropsOnly: drops === '1',
    snaplen: snaplen === undefined ? undefined : Number(snaplen),
    filter: filter === undefined ? undefined : program(filter),
  } as const
  return { tunnel, wanted }
}

/** Shape and bounds alone; whether it is a sound program, whoever runs it has to check. */
function program(text: string): number[][] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const sound = Array.isArray(value) && value.length > 0 && value.length <= LONGEST_FILTER && value.every(isInstruction)
  if (sound) return value as number[][]
  throw new RequestError(400, '"filter" is a JSON list of BPF instructions, each [code, jt, jf, k]')
}

function isInstruction(value: unknown): boolean {
  const limits = [0xffff, 0xff, 0xff, 0xffffffff]
  const isBelow = (number: unknown, index: number) =>
    Number.isInteger(number) && (number as number) >= 0 && (number as number) <= limits[index]!
  return Array.isArray(value) && value.length === limits.length && value.every(isBelow)
}
