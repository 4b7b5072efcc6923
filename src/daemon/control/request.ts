// What a request carries, read with care: its JSON body and the words after the question mark. Refuses what it does not know,
// so that a misspelt field is told and not lost. Invariant: never more than MAX_BODY_BYTES of a body are kept.

import type { IncomingMessage } from 'node:http'
import { TsgreError } from '../../errors.js'

/** A request is refused; `status` is HTTP's. */
export class RequestError extends TsgreError {
  readonly status: number

  constructor(status: number, message: string) {
    super('TSGRE_BAD_REQUEST', message)
    this.status = status
  }
}

const MAX_BODY_BYTES = 64 * 1024

/** Texts by name; what is absent was not given. */
export type Fields<Name extends string> = { readonly [name in Name]?: string }

/**
 * The fields of a JSON body, all of them texts; none for an empty body.
 * @throws RequestError
 */
export async function bodyFields<Name extends string>(
  request: IncomingMessage,
  names: readonly Name[],
): Promise<Fields<Name>> {
  const bytes = await bodyOf(request)
  if (bytes.length === 0) return {}
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw new RequestError(415, 'send the body as content-type: application/json')
  }
  const value = parsed(bytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RequestError(400, 'the body is to be a JSON object')
  }
  // Own keys alone, `__proto__` among them: it is as unknown as any other.
  return known(Object.entries(value), names)
}

/**
 * The words after the question mark.
 * @throws RequestError
 */
export function queryFields<Name extends string>(url: URL, names: readonly Name[]): Fields<Name> {
  return known([...url.searchParams], names)
}

function known<Name extends string>(entries: [string, unknown][], names: readonly Name[]): Fields<Name> {
  const fields = new Map<string, string>()
  for (const [name, value] of entries) {
    const shown = JSON.stringify(name.slice(0, 40))
    if (!names.includes(name as Name)) {
      const instead = names.length > 0 ? `; known are ${names.join(', ')}` : ''
      throw new RequestError(400, `there is no field ${shown}${instead}`)
    }
    if (fields.has(name)) throw new RequestError(400, `${shown} is given twice`)
    if (typeof value !== 'string') throw new RequestError(400, `${shown} is to be a text`)
    fields.set(name, value)
  }
  return Object.fromEntries(fields) as Fields<Name>
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const chunks: Buffer[] = []
  let length = 0
  // A request that is refused stays open: its answer goes the same way, and Node throws away what still comes.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(): RequestError {
  return new RequestError(413, `a body may have ${MAX_BODY_BYTES} bytes`)
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new RequestError(400, `the body is not JSON: ${(error as Error).message}`)
  }
}
