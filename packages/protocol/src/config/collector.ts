// Settings of V8's garbage collector for programs that pass bytes on: nearly all they allocate is memory outside of the
// JavaScript heap that is garbage a moment later.

/**
 * Flags for `v8.setFlagsFromString`, to be set before anything else runs. Without them such memory counts towards the limit
 * of the old generation, so a full collection runs for every few MiB that pass (measured: 30 to 90 of them per GiB, a third
 * of the processor time) where a scavenge would do. None for a V8 that does not know them.
 */
export function collectorFlags(v8Version: string): readonly string[] {
  const major = Number.parseInt(v8Version, 10)
  return major >= 13 ? ["--scavenger-max-new-space-capacity-mb=6", "--heap-growing-percent=400"] : []
}
