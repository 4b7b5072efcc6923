// What a tunnel is refused for on this host, said with the line of the configuration file and the key that lead to it, and with the
// tunnel that it is of. Of a tunnel without a file it is said as it is.

import type { Wanted } from './options/wanted.js'

/** Does something for the tunnel on `tap`. @throws what `body` throws, with its place */
export async function placing<T>(wanted: Wanted, tap: string, body: () => T | Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    throw wanted.placed ? wanted.placed(error, tap) : error
  }
}
