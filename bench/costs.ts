// What a process has cost so far, as Linux tells in /proc. Other systems have no /proc: there every figure is undefined.
import { readFileSync } from "node:fs"

/** User and system time of a process and of all that it has started and that still run, in milliseconds. */
export function familyCpuMs(pid: number | undefined): number | undefined {
  const own = cpuMs(pid)
  if (own === undefined) return undefined
  const children =
    procText(pid, `task/${pid}/children`)
      ?.split(" ")
      .filter((text) => text !== "") ?? []
  return children.reduce((total, child) => total + (familyCpuMs(Number(child)) ?? 0), own)
}

/** User and system time of all threads, in milliseconds; steps of 10 ms. */
function cpuMs(pid: number | undefined): number | undefined {
  const text = procText(pid, "stat")
  if (text === undefined) return undefined
  // The name, in parentheses, may hold anything: fields are counted from its end (proc(5)): utime is 14, stime 15.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
}

/** The largest resident set so far (VmHWM). */
export function peakMemoryBytes(pid: number | undefined): number | undefined {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(procText(pid, "status") ?? "")?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}

function procText(pid: number | undefined, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1")
  } catch {
    return undefined
  }
}

/** USER_HZ: what Linux counts in towards programs, whatever it counts in itself (time(7)). */
const ticksPerSecond = 100
