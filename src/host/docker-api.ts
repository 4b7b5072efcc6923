// What the engine says of itself, over its Unix socket. Questions only. It never throws: an engine that does not answer is an
// answer too.

import { request } from 'node:http'
import { readCidr } from './cidr.js'
import type { Settings } from './docker-settings.js'

/** The body, or a few words on why there is none: "permission denied". */
export type Answer<T> = { readonly body: T } | { readonly why: string }

/** What the engine uses now, by the names of daemon.json. */
export interface EngineNetwork extends Settings {
  /** The subnet; its bip is not told where docker0 was made without one. */
  readonly subnet: string | undefined
}

interface BridgeJson {
  readonly IPAM?: { readonly Config?: readonly { Subnet?: string; IPRange?: string; Gateway?: string }[] | null }
  readonly Options?: Readonly<Record<string, string>> | null
}

/** GETs `path` as JSON, or as text where it is none; without a version in the path every engine answers in its own. */
export async function askEngine<T>(socket: string, path: string, timeoutMs = 5000): Promise<Answer<T>> {
  return await new Promise((resolve) => {
    const fail = (error: Error & { code?: string }) => resolve({ why: whyNot(error) })
    const options = { socketPath: socket, path, headers: { host: 'docker' }, signal: AbortSignal.timeout(timeoutMs) }
    const asked = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', fail)
      response.on('end', () => resolve(readAnswer(response.statusCode ?? 0, text)))
    })
    asked.on('error', fail)
    asked.end()
  })
}

/** Whether the engine answers. */
export async function engineAnswers(socket: string, timeoutMs?: number): Promise<boolean> {
  return 'body' in (await askEngine(socket, '/_ping', timeoutMs))
}

/** The network of its default bridge. */
export async function askNetwork(socket: string): Promise<Answer<EngineNetwork>> {
  const answer = await askEngine<BridgeJson>(socket, '/networks/bridge')
  return 'why' in answer ? answer : { body: readNetwork(answer.body) }
}

function readNetwork({ IPAM, Options }: BridgeJson): EngineNetwork {
  const pool = IPAM?.Config?.find(({ Subnet = '' }) => readCidr(Subnet)?.family === 4)
  const mtu = Number(Options?.['com.docker.network.driver.mtu'])
  const icc = Options?.['com.docker.network.bridge.enable_icc']
  const prefixLength = pool?.Subnet?.split('/')[1]
  return {
    subnet: pool?.Subnet,
    ...(pool?.Gateway ? { bip: `${pool.Gateway}/${prefixLength}` } : {}),
    ...(pool?.IPRange ? { 'fixed-cidr': pool.IPRange } : {}),
    ...(mtu > 0 ? { mtu } : {}),
    ...(icc === undefined ? {} : { icc: icc === 'true' }),
  }
}

function readAnswer<T>(status: number, text: string): Answer<T> {
  const body = parse(text)
  if (status === 200) return { body: body as T }
  const said = (body as { message?: string } | null)?.message ?? text.trim()
  return { why: `HTTP ${status}${said ? `, ${said}` : ''}` }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied: run it as root, or as a member of the group docker',
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nobody listens on it',
}

function whyNot(error: Error & { code?: string }): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'no answer in time'
  return WORDS[error.code ?? ''] ?? error.message
}
