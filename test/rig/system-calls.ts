// A program that may make the system calls of a unit's SystemCallFilter= and no others, as systemd has it: systemd itself says what is in
// its sets, libseccomp builds the filter, which stays over exec and with every child. Stricter than a unit with SystemCallErrorNumber=:
// any other call ends the program.

import { execFileSync } from 'node:child_process'

const FILTER = `
import ctypes, os, sys
names, argv = sys.argv[1].split(), sys.argv[2:]
KILL_PROCESS, ALLOW = 0x80000000, 0x7fff0000
seccomp = ctypes.CDLL('libseccomp.so.2')
seccomp.seccomp_init.restype = ctypes.c_void_p
context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(KILL_PROCESS)))
for name in names:
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number != -1: seccomp.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), ctypes.c_int(number), ctypes.c_uint(0))
failed = seccomp.seccomp_load(context)
if failed: sys.exit('seccomp_load: %d' % failed)
os.execvp(argv[0], argv)
`

/** The words that run `argv` as the unit's text would. */
export function underFilterOf(unit: string, argv: readonly string[]): string[] {
  const wanted = /^SystemCallFilter=(.*)$/m.exec(unit)![1]!.split(' ')
  return ['python3', '-c', FILTER, wanted.flatMap(callsOf).join(' '), ...argv]
}

/** Sets have sets in them. */
function callsOf(name: string): string[] {
  if (!name.startsWith('@')) return [name]
  const lines = execFileSync('systemd-analyze', ['syscall-filter', name], { encoding: 'utf8' }).split('\n')
  return lines.flatMap((line) => (/^ +[^# ]/.test(line) ? callsOf(line.trim()) : []))
}
