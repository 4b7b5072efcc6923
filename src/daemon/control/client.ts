// Asks a running tsgre through its control socket. One connection a question. It prints nothing; which instance is meant,
// instances.ts finds. Invariant: a call ends, by an answer or by an error in words, also when the other side is gone or hangs.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { ConfigError, type ErrorCode, StateError, SystemError, TsgreError } from '../../errors.js'

export interface Question {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  /** After the question mark; what is undefined is left out. */
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: object
  /** Until the answer begins. */
  readonly patienceMs?: number
  readonly signal?: AbortSignal
}

const PATIENCE_MS = 60_000
/** The longest answer that is read; 128 peers and 16384 addresses stay far below. */
const MOST_BYTES = 64 * 1024 * 1024

/**
 * The answer as text, JSON.
 * @throws what the instance says; StateError, SystemError
 */
export async function ask(socketPath: string, question: Question): Promise<string> {
  const response = await begin(socketPath, question)
  try {
    return await textOf(response)
  } catch (error) {
    throw goneError(error, socketPath)
  }
}

/**
 * The answer as a stream, once it has begun well. It is the caller's to destroy.
 * @throws as `ask`
 */
export async function begin(socketPath: string, question: Question): Promise<IncomingMessage> {
  const response = await send(socketPath, question)
  const { statusCode = 0 } = response
  if (statusCode >= 200 && statusCode < 300) return response
  const text = await textOf(response).catch(() => '')
  throw errorOf(statusCode, text)
}

function send(socketPath: string, question: Question): Promise<IncomingMessage> {
  const { method = 'GET', body, patienceMs = PATIENCE_MS, signal } = question
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers =
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((resolve, reject) => {
    const options = { socketPath, path: pathOf(question), method, headers, agent: false, ...(signal && { signal }) }
    const asked = httpRequest(options, (response) => {
      clearTimeout(late)
      resolve(response)
    })
    const late = setTimeout(() => asked.destroy(new Error(`no answer in ${patienceMs / 1000} s`)), patienceMs)
    asked.on('error', (error) => {
      clearTimeout(late)
      reject(connectError(error, socketPath))
    })
    asked.end(text)
  })
}

function pathOf({ path, query = {} }: Question): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MOST_BYTES) throw new Error('the answer does not end')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function connectError(error: Error, path: string): Error {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EACCES') {
    const hint = 'be root, or a member of the group tsgre'
    return new SystemError('EACCES', { syscall: `connect(${path})`, hint })
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new StateError('TSGRE_NO_INSTANCE', `no tsgre runs behind ${path} any more`)
  }
  return error.name === 'AbortError' ? error : goneError(error, path)
}

function goneError(error: unknown, path: string): Error {
  const { message } = error as Error
  const words = `the tsgre behind ${path} ended, or was too busy, before it had answered (${message})`
  return new StateError('TSGRE_INSTANCE_GONE', words, { cause: error })
}

/** The error the instance threw, as the class that makes the command's exit code. */
function errorOf(status: number, text: string): TsgreError {
  const { code, option, value, message } = errorFields(text)
  if (code === undefined || message === undefined) {
    return new StateError('TSGRE_BAD_REQUEST', `the tsgre that was asked answers ${status} and no reason`)
  }
  return option === undefined
    ? new TsgreError(code, message)
    : new ConfigError(code as ErrorCode, option, value, message)
}

interface ErrorFields {
  code?: string
  option?: string
  value?: unknown
  message?: string
}

function errorFields(text: string): ErrorFields {
  try {
    return JSON.parse(text)?.error ?? {}
  } catch {
    return {}
  }
}
