// What commands ask of the tsgre that run in this network namespace, besides what each asks by itself.

import { queryOf } from '../daemon/capture/wanted.js'
import { begin } from '../daemon/control/client.js'
import { findInstance, findInstances, statusesOf } from '../daemon/control/instances.js'
import type { InstanceStatus } from '../daemon/status.js'
import type { CaptureRequest } from './capture.js'

/** Of all that may be asked. */
export async function readStatuses(): Promise<InstanceStatus[]> {
  return (await statusesOf(await findInstances())).map(({ status }) => status)
}

/** pcapng, until `signal` or the end of the instance. @throws ConfigError, StateError as finding and asking it do */
export async function* fetchCapture(
  name: string | undefined,
  { tunnel, ...wanted }: CaptureRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { path } = await findInstance(name)
  const query = Object.fromEntries(queryOf(wanted))
  const response = await begin(path, { path: '/v1/capture', query: { ...query, ...(tunnel && { tunnel }) } })
  const end = () => response.destroy()
  signal.addEventListener('abort', end, { once: true })
  try {
    for await (const piece of response) yield piece as Uint8Array
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', end)
  }
}
