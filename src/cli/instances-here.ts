// What commands ask of the tsgre that run in this network namespace, besides what each asks by itself.

import { fieldsOf } from '../daemon/capture/wanted.js'
import { begin } from '../daemon/control/client.js'
import { findInstance, findInstances, statusOf } from '../daemon/control/instances.js'
import type { InstanceStatus } from '../daemon/status.js'
import type { TsgreError } from '../errors.js'
import type { CaptureRequest } from './capture.js'

/** Of all that answer; none where none runs. Who looks for what is wrong goes on without one that hangs. */
export async function readStatuses(): Promise<InstanceStatus[]> {
  const found = await findInstances().catch(noneRuns)
  const asked = await Promise.allSettled(found.map(statusOf))
  return asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value.status] : []))
}

function noneRuns(error: unknown): [] {
  const { code } = error as Partial<TsgreError>
  if (code === 'TSGRE_NO_INSTANCE' || code === 'TSGRE_INSTANCE_GONE') return []
  throw error
}

/** pcapng, until `signal` or the end of the instance. @throws ConfigError, StateError as finding and asking it do */
export async function* fetchCapture(
  name: string | undefined,
  { tunnel, ...wanted }: CaptureRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { path } = await findInstance(name)
  const body = { ...fieldsOf(wanted), ...(tunnel && { tunnel }) }
  const response = await begin(path, { method: 'POST', path: '/v1/capture', body })
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
