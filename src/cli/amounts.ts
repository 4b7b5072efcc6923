// Numbers as a person reads them: bytes, rates, times. Decimal units, as networks count.

/** `12 frames (3.4 kB)` */
export function amount(frames: number, bytes: number): string {
  return `${frames} ${frames === 1 ? 'frame' : 'frames'} (${size(bytes)})`
}

/** `3.4 kB` */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB', 'PB']
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length)
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1]}`
}

/** At most five characters: `0`, `950`, `1.2k`, `34M`, `1.0G`. */
export function brief(value: number): string {
  const whole = Math.round(value)
  if (whole < 1000) return String(whole)
  const units = ['k', 'M', 'G', 'T', 'P']
  let power = Math.min(Math.floor(Math.log10(whole) / 3), units.length)
  // 999.6 k would be written 1000k.
  if (power < units.length && Math.round(whole / 1000 ** power) >= 1000) power++
  const scaled = whole / 1000 ** power
  return `${scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)}${units[power - 1]}`
}

/** `12.0 s`, `3 min 4 s`, `5 h 6 min`, `7 d 8 h` */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${whole % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** `3 s ago`; `never` for what did not happen. */
export function ago(at: number | undefined, now: number): string {
  if (at === undefined) return 'never'
  const seconds = Math.max(0, (now - at) / 1000)
  if (seconds < 1) return 'now'
  return seconds < 60 ? `${Math.floor(seconds)} s ago` : `${duration(seconds).replace(/ \d+ s$/, '')} ago`
}

/** `0.31 ms`, `12 ms`; `-` where nothing was measured. */
export function roundTrip(ms: number | undefined): string {
  if (ms === undefined) return '-'
  return `${ms < 10 ? ms.toFixed(2) : Math.round(ms)} ms`
}
