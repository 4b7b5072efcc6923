// The API of the control socket: what each path does with an Instance. docs/control-socket.md describes it for people.

import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CAPTURE_FIELDS, type CaptureFields, wantedOf } from '../capture/wanted.js'
import type { Instance } from '../instance.js'
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

const CAPTURE = ['tunnel', ...CAPTURE_FIELDS] as const

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
        const address = await instance.addPeer(tunnel, given('remote', remote))
        sendJson(response, 200, { address })
      },
      async DELETE(request, response) {
        const { tunnel, remote } = await bodyFields(request, ['tunnel', 'remote'])
        await instance.removePeer(tunnel, given('remote', remote))
        sendJson(response, 200, {})
      },
    },
    '/v1/fdb': {
      GET(_, response, url) {
        const { tunnel, remote } = queryFields(url, ['tunnel', 'remote'])
        sendJson(response, 200, instance.fdb(tunnel, remote))
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
    '/v1/capture': {
      GET: (request, response, url) => capture(instance, request, response, queryFields(url, CAPTURE)),
      // A filter may be longer than the first line of a request.
      POST: async (request, response) => capture(instance, request, response, await bodyFields(request, CAPTURE)),
    },
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
  { tunnel, ...fields }: CaptureFields & { readonly tunnel?: string },
): Promise<void> {
  const wanted = wantedOf(fields)
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
