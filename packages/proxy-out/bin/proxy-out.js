#!/usr/bin/env node
// Starts the program, or says in one line that this Node is too old for it ("engines" in package.json).
const { node } = process.versions
const [major = 0, minor = 0] = node.split(".").map(Number)

// HTTP/2 wants what came with 22.20 and 24.7: answers whose fields keep their order.
const leastMinor = major === 22 ? 20 : major === 24 ? 7 : 0
if (major >= 22 && major !== 23 && minor >= leastMinor) await import("../dist/cli.js")
else {
  console.error(`proxy-out: This is Node ${node}. It needs Node 22.20 or later of Node 22, or 24.7 or later.`)
  process.exitCode = 1
}
