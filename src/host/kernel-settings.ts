// What the kernel was told under /proc/sys, as numbers, and which modules it has. Reads only.

import { readFileSync } from 'node:fs'

/** The value of `net.ipv4.ip_forward`; undefined where there is none, as of a module that is not loaded. */
export function kernelSetting(path: string): number | undefined {
  const text = tried(`/proc/sys/${path}`)
  return text === undefined || !/^\s*-?\d+\s*$/.test(text) ? undefined : Number(text)
}

/** Strict where 1: the larger of that for all devices and the device's own counts (ip-sysctl.rst). */
export function reversePathFilter(device: string): number {
  const of = (name: string) => kernelSetting(`net/ipv4/conf/${name}/rp_filter`) ?? 0
  return Math.max(of('all'), of(device))
}

/** Whether the module is loaded; false also where the kernel has no modules. */
export function hasModule(name: string): boolean {
  return (tried('/proc/modules') ?? '').split('\n').some((line) => line.startsWith(`${name} `))
}

function tried(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
