#!/usr/bin/env node
// Starts the program, or says in one line that this Node is too old for it ("engines" in package.json).
const { node } = process.versions
const [major = 0, minor = 0] = node.split(".").map(Number)

if (major > 22 || (major === 22 && minor >= 19)) await import("../dist/cli.js")
else {
  console.error(`proxy-out: This is Node ${node}. It needs Node 22.19 or later.`)
  process.exitCode = 1
}
