// Says by its exit status whether the program in this container is well, for HEALTHCHECK and Compose.
// An edge answers on its port (8080), an agent on its status port (8081), where it also tells whether it is attached.
const { EDGE_PORT = "8080", STATUS_PORT = "8081" } = process.env

const edge = await ask(`http://127.0.0.1:${EDGE_PORT}/.restante/healthz`)
const agent = edge === undefined ? await ask(`http://127.0.0.1:${STATUS_PORT}/readyz`) : undefined
if (edge?.ok === true || agent?.ok === true) process.exit(0)
console.error(reason())
process.exit(1)

/** Undefined when nothing answers. */
async function ask(url) {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(3000) })
  } catch {
    return undefined
  }
}

function reason() {
  if (edge !== undefined) return `The edge answers with status ${edge.status}.`
  if (agent !== undefined) return "The agent runs but is not attached to its edge."
  return `Nothing answers: neither an edge on port ${EDGE_PORT} nor an agent's status page on port ${STATUS_PORT}.`
}
