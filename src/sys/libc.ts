// The system calls tsgre makes, as libc declares them. Pointers are numbers (uintptr_t): measured cheaper than handing
// Buffers through the FFI. Each returns what C returns; on -1 ask errno() at once, on the same thread.
// The only importers of the FFI are the files of this folder.

import koffi from 'koffi'

// The process's own symbols: glibc and musl alike, no library name to guess.
const libc = koffi.load(null)

type Call<Arguments extends unknown[]> = (...args: Arguments) => number

export const open: Call<[path: string, flags: number]> = libc.func('int open(const char *path, int flags)')
export const close: Call<[fd: number]> = libc.func('int close(int fd)')
export const dup3: Call<[from: number, to: number, flags: number]> = libc.func('int dup3(int from, int to, int flags)')
export const read: Call<[fd: number, buffer: number, size: number]> = libc.func(
  'intptr_t read(int fd, uintptr_t buffer, size_t size)',
)
export const write: Call<[fd: number, buffer: number, size: number]> = libc.func(
  'intptr_t write(int fd, uintptr_t buffer, size_t size)',
)
export const writev: Call<[fd: number, pieces: number, count: number]> = libc.func(
  'intptr_t writev(int fd, uintptr_t pieces, int count)',
)
export const ioctl: Call<[fd: number, request: number, argument: number]> = libc.func(
  'int ioctl(int fd, unsigned long request, uintptr_t argument)',
)
export const socket: Call<[family: number, type: number, protocol: number]> = libc.func(
  'int socket(int family, int type, int protocol)',
)
export const bind: Call<[fd: number, address: number, length: number]> = libc.func(
  'int bind(int fd, uintptr_t address, uint32_t length)',
)
export const connect: Call<[fd: number, address: number, length: number]> = libc.func(
  'int connect(int fd, uintptr_t address, uint32_t length)',
)
export const getsockname: Call<[fd: number, address: number, length: number]> = libc.func(
  'int getsockname(int fd, uintptr_t address, uintptr_t length)',
)
export const setsockopt: Call<[fd: number, level: number, name: number, value: number, size: number]> = libc.func(
  'int setsockopt(int fd, int level, int name, uintptr_t value, uint32_t size)',
)
export const getsockopt: Call<[fd: number, level: number, name: number, value: number, size: number]> = libc.func(
  'int getsockopt(int fd, int level, int name, uintptr_t value, uintptr_t size)',
)
export const sendto: Call<[fd: number, buffer: number, size: number, flags: number, address: number, length: number]> =
  libc.func('intptr_t sendto(int fd, uintptr_t buffer, size_t size, int flags, uintptr_t address, uint32_t length)')
export const sendmmsg: Call<[fd: number, vector: number, count: number, flags: number]> = libc.func(
  'int sendmmsg(int fd, uintptr_t vector, uint32_t count, int flags)',
)
export const recvmmsg: Call<[fd: number, vector: number, count: number, flags: number, timeout: number]> = libc.func(
  'int recvmmsg(int fd, uintptr_t vector, uint32_t count, int flags, uintptr_t timeout)',
)
export const eventfd: Call<[initial: number, flags: number]> = libc.func('int eventfd(uint32_t initial, int flags)')
export const fcntl: Call<[fd: number, command: number, argument: number]> = libc.func(
  'int fcntl(int fd, int command, intptr_t argument)',
)
export const flock: Call<[fd: number, operation: number]> = libc.func('int flock(int fd, int operation)')
export const execve: Call<[path: string, argv: number, envp: number]> = libc.func(
  'int execve(const char *path, uintptr_t argv, uintptr_t envp)',
)

export const exit: Call<[code: number]> = libc.func('void _exit(int code)')

/** Lets whoever waits for this core have it. */
export const schedYield: Call<[]> = libc.func('int sched_yield()')

const pollFunction = libc.func('int poll(uintptr_t fds, unsigned long count, int milliseconds)')

/** Waits on this thread; bounded by `milliseconds`. */
export const poll: Call<[fds: number, count: number, milliseconds: number]> = pollFunction

/** Waits in libuv's pool and calls back on this thread: the event loop stays free. */
export const pollLater: (
  fds: number,
  count: number,
  milliseconds: number,
  done: (error: Error | null, ready: number) => void,
) => void = pollFunction.async

export const interfaceIndex: (name: string) => number = libc.func('uint32_t if_nametoindex(const char *name)')
const inetPton: (family: number, text: string, to: Uint8Array) => number = libc.func(
  'int inet_pton(int family, const char *text, _Out_ uint8_t *to)',
)
const inetNtop: (family: number, from: Uint8Array, to: Uint8Array, size: number) => unknown = libc.func(
  'const char *inet_ntop(int family, const uint8_t *from, _Out_ uint8_t *to, uint32_t size)',
)

/** inet_pton(3): whether `text` was an address of that family; its octets go to `to` (4 or 16). */
export function addressFromText(family: number, text: string, to: Uint8Array): boolean {
  return inetPton(family, text, to) === 1
}

/** inet_ntop(3): the canonical spelling (RFC 5952). */
export function addressToText(family: number, from: Uint8Array): string {
  const to = new Uint8Array(46)
  inetNtop(family, from, to, to.length)
  return Buffer.from(to.subarray(0, to.indexOf(0))).toString('ascii')
}

/** errno of the last call on this thread; in `done` of pollLater, that of its poll. */
export const errno: () => number = koffi.errno

/** strerror(3): what an errno value means, in words. */
export const errnoText: (value: number) => string = libc.func('const char *strerror(int value)')
