// The benchmark, run once with tiny numbers: what it measures is worth nothing then, but it cannot rot.
import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, onTestFinished, test } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
