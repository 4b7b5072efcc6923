// What a process may do (capabilities(7)), as the kernel tells of it under /proc. Reads only: capabilities belong to a thread,
// and Node has threads before our first line, so what they may do is settled before Node starts.

import { readFileSync } from 'node:fs'

/** linux/capability.h: the index is the number. native-notes/privileges.md has the same list, and a test compares the three. */
export const CAPABILITIES = [
  'cap_chown',
  'cap_dac_override',
  'cap_dac_read_search',
  'cap_fowner',
  'cap_fsetid',
  'cap_kill',
  'cap_setgid',
  'cap_setuid',
  'cap_setpcap',
  'cap_linux_immutable',
  'cap_net_bind_service',
  'cap_net_broadcast',
  'cap_net_admin',
  'cap_net_raw',
  'cap_ipc_lock',
  'cap_ipc_owner',
  'cap_sys_module',
  'cap_sys_rawio',
  'cap_sys_chroot',
  'cap_sys_ptrace',
  'cap_sys_pacct',
  'cap_sys_admin',
  'cap_sys_boot',
  'cap_sys_nice',
  'cap_sys_resource',
  'cap_sys_time',
  'cap_sys_tty_config',
  'cap_mknod',
  'cap_lease',
  'cap_audit_write',
  'cap_audit_control',
  'cap_setfcap',
  'cap_mac_override',
  'cap_mac_admin',
  'cap_syslog',
  'cap_wake_alarm',
  'cap_block_suspend',
  'cap_audit_read',
  'cap_perfmon',
  'cap_bpf',
  'cap_checkpoint_restore',
] as const

export interface Privileges {
  /** Effective user id. */
  readonly uid: number
  readonly effective: readonly string[]
  readonly bounding: readonly string[]
  readonly ambient: readonly string[]
  readonly noNewPrivileges: boolean
}

/** Of one thread, by its status file; without one, of this process. */
export function readPrivileges(path = '/proc/self/status'): Privileges {
  return parsePrivileges(readFileSync(path, 'utf8'))
}

/** The text of a status file (proc(5)). */
export function parsePrivileges(text: string): Privileges {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? ''
  return {
    uid: Number(field('Uid').split('\t')[1]),
    effective: namesOf(field('CapEff')),
    bounding: namesOf(field('CapBnd')),
    ambient: namesOf(field('CapAmb')),
    noNewPrivileges: field('NoNewPrivs') === '1',
  }
}

/** A kernel newer than the list has more: `cap_41`, as setpriv(1) spells it. */
function namesOf(hex: string): string[] {
  const digits = BigInt(`0x${hex || 0}`).toString(2)
  const numbers = [...digits].reverse().flatMap((digit, number) => (digit === '1' ? [number] : []))
  return numbers.map((number) => CAPABILITIES[number] ?? `cap_${number}`)
}
