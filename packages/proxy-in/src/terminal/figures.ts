// Numbers, sizes and times as a person reads them at a glance.

/** `9,312` */
export function countText(count: number): string {
  return counts.format(count)
}

/** `0.4 ms`, `12 ms`, `1.2 s`, then as `elapsedText` */
export function durationText(milliseconds: number): string {
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`
  return milliseconds < 59_950 ? `${(milliseconds / 1000).toFixed(1)} s` : elapsedText(milliseconds)
}

/** `0 s`, `59 s`, `3 min`, `26 h`, `12 days`: only whole ones that are over. */
export function elapsedText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`
}

/** `812 B`, `1.2 KiB`, `34 MiB` */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes
  let unit = -1
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${units[unit]}`
}

/** `41/s`, `0.4/s` */
export function rateText(perSecond: number): string {
  return `${perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : countText(Math.round(perSecond))}/s`
}

/** `14:03:11` where this machine is; with the date before it when that is not today's. */
export function timeText(atMs: number, nowMs: number): string {
  const at = new Date(atMs)
  const time = at.toTimeString().slice(0, 8)
  if (at.toDateString() === new Date(nowMs).toDateString()) return time
  return `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())} ${time}`
}

function twoDigits(part: number): string {
  return String(part).padStart(2, "0")
}

const counts = new Intl.NumberFormat("en-US")
const units = ["KiB", "MiB", "GiB", "TiB"] as const
