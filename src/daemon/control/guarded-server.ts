// An HTTP server that no client can hurt: it bounds time, size and number of what comes, and answers in JSON. It knows no path;
// the control socket and the metrics give it their routes. Invariant: nothing a client sends, or leaves unread, throws out of here.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ConfigError, StateError, TsgreError } from '../../errors.js'
import { RequestError } from './request.js'

/** Answers a request; what it throws is answered too. */
export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>

/** Handlers by path, and by method there. */
export type Routes = Readonly<Record<string, Readonly<Record<string, Handler>>>>

const MAX_CONNECTIONS = 64
const MAX_HEADER_BYTES = 8192
/** To send a whole request, to read an answer's next part, and to stay without a request. */
const PATIENCE_MS = 5000
/** An answer on its way gets this long at the end; a capture never ends by itself. */
const GRACE_MS = 500

/** The server, not yet listening. */
export function guardedServer(routes: Routes): Server {
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: PATIENCE_MS,
    requestTimeout: PATIENCE_MS,
    keepAliveTimeout: PATIENCE_MS,
    connectionsCheckingInterval: PATIENCE_MS / 5,
  }
  const turns = new WeakMap<Socket, Promise<void>>()
  const server = createServer(options, (request, response) => {
    // Without a listener a connection that breaks would be an uncaught error.
    request.on('error', () => {})
    response.on('error', () => {})
    // One after the other: of a thousand requests in one packet, answers nobody reads would all lie in memory.
    const before = turns.get(request.socket) ?? Promise.resolve()
    turns.set(
      request.socket,
      before.then(() => take(routes, request, response)),
    )
  })
  server.maxConnections = MAX_CONNECTIONS
  server.maxRequestsPerSocket = 1000
  server.setTimeout(PATIENCE_MS) // whoever neither sends nor reads
  server.on('error', () => {}) // after the start: a descriptor too many, and the next connection is another try
  server.on('connect', (_, socket) => socket.destroy())
  return server
}

/** Takes no more requests; resolves when the answers that were begun have left, or had their time. */
export function closeGuarded(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), GRACE_MS)
    server.close(() => {
      clearTimeout(late)
      resolve()
    })
    server.closeIdleConnections()
  })
}

/** Sends an object as one line of JSON. What is undefined becomes null: fields do not come and go. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body, (_, value) => (value === undefined ? null : value))}\n`
  sendText(response, status, text, 'application/json')
}

export function sendText(response: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  const bytes = Buffer.from(text)
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'content-length': bytes.length })
  response.end(bytes)
}

/** Resolves when the answer has left, or cannot any more. */
async function take(routes: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { socket } = request
  if (socket.destroyed) return
  socket.setTimeout(0) // what is asked may take longer than a client may
  try {
    await answer(routes, request, response)
  } catch (error) {
    fail(response, error)
  }
  socket.setTimeout(PATIENCE_MS)
  if (response.writableFinished || response.destroyed) return
  await new Promise<void>((resolve) => response.once('finish', resolve).once('close', resolve))
}

async function answer(routes: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = urlOf(request)
  const methods = Object.hasOwn(routes, url.pathname) ? routes[url.pathname]! : undefined
  if (methods === undefined) throw new RequestError(404, `there is no ${url.pathname.slice(0, 100)} here`)
  const method = request.method ?? ''
  const handler = Object.hasOwn(methods, method) ? methods[method]! : undefined
  if (handler === undefined) {
    const allowed = Object.keys(methods).join(', ')
    response.setHeader('allow', allowed)
    throw new RequestError(405, `${method} is not for ${url.pathname}; ${allowed} is`)
  }
  await handler(request, response, url)
}

function urlOf({ url = '' }: IncomingMessage): URL {
  try {
    return new URL(url, 'http://tsgre')
  } catch {
    throw new RequestError(400, 'the path is no path')
  }
}

function fail(response: ServerResponse, error: unknown): void {
  // What was begun cannot be taken back: a broken connection tells the client that it is not whole.
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  try {
    sendJson(response, statusOf(error), { error: described(error) })
  } catch {
    response.destroy()
  }
}

function statusOf(error: unknown): number {
  if (error instanceof RequestError) return error.status
  if (error instanceof ConfigError) return 400
  return error instanceof StateError ? 409 : 500
}

function described(error: unknown): object {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof TsgreError)) return { code: 'TSGRE_INTERNAL', message }
  return error instanceof ConfigError
    ? { code: error.code, option: error.option, value: error.value, message }
    : { code: error.code, message }
}
