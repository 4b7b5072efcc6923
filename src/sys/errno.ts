// errno by number and by name. Node knows the POSIX ones; the few that only Linux has are added here.

import { constants } from 'node:os'
import { errnoText } from './libc.js'

/** errno values by name, Linux on x86-64 and arm64 (asm-generic/errno.h). */
export const ERRNO: Readonly<Record<string, number>> = Object.freeze({
  ...constants.errno,
  ENONET: 64,
  EBADFD: 77,
  EHOSTDOWN: 112,
})

const names = new Map<number, string>()
for (const [name, value] of Object.entries(ERRNO)) if (!names.has(value)) names.set(value, name)

/** The name of an errno value, `errno 123` where it has none here. */
export function errnoName(value: number): string {
  return names.get(value) ?? `errno ${value}`
}

const byText = new Map(Object.values(ERRNO).map((value) => [errnoText(value), value]))

/** The errno behind a text of strerror(3), for packages that hand out nothing else; 0 when it is none. */
export function errnoOfText(text: string): number {
  return byText.get(text) ?? 0
}
