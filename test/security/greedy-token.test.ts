// Somebody with a valid token who attaches as often as possible takes no more of the edge than one token may have.
import { join } from "node:path"
import { expect, test } from "vitest"
import { makeToken, tokenDigest } from "../../packages/proxy-out/src/credentials/named-token.ts"
import { changeTokens } from "../../packages/proxy-out/src/credentials/tokens-file.ts"
import { LinkError } from "../../packages/proxy-in/src/attach/link-error.ts"
import { refusal } from "../../packages/proxy-in/src/attach/refusal.ts"
import { type Answer, fetchWhole, keptAlive } from "../support/client.ts"
import { temporaryFolder } from "../support/folder.ts"
import { nearToken, startNearEdge } from "../support/near-pair.ts"

const mebibyte = 1024 * 1024

test(
  "two thousand sessions of one token are let in and cost little memory; the next is told what to do, and other tokens have room",
  { timeout: 120_000 },
  async () => {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const tokensFile = join(folder.path, "tokens.json")
    const [greedy, modest] = [await named(tokensFile, "greedy"), await named(tokensFile, "modest")]
    const { edge, port } = await startNearEdge({ tokensFile })
    stack.use(edge)
    const agent = stack.adopt(keptAlive(20), (one) => one.destroy())
    const attach = (token: string, tunnel: string): Promise<Answer> =>
      fetchWhole(`http://127.0.0.1:${port}/.restante/v1/attach`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ protocol: 1, tunnel, instance: tunnel, concurrency: 1, software: "x" }),
        agent,
      })
    const before = held()
    const answers = await Promise.all(
      Array.from({ length: 2100 }, (_, at) => attach(greedy, `preview-${at}`)),
    )
    expect(answers.filter(({ status }) => status === 200).length).toBe(2000)
    expect(held() - before).toBeLessThan(64 * mebibyte)
    const refused = answers.filter(({ status }) => status !== 200)
    const problem = refusal(503, refused[0]?.text ?? "")
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]))
    expect(problem).toEqual(new LinkError("sessions_full", "2000 with this token"))
    expect([(await attach(modest, "shop")).status, (await attach(nearToken, "own")).status]).toEqual([
      200, 200,
    ])
    const session = (JSON.parse(answers[0]!.text) as { session: string }).session
    await fetchWhole(`http://127.0.0.1:${port}/.restante/v1/session`, {
      method: "DELETE",
      headers: { "restante-session": session },
    })
    expect((await attach(greedy, "preview-again")).status).toBe(200)
  },
)

/** A new token for `preview-*` and `shop` in that file, as its text. */
async function named(file: string, name: string): Promise<string> {
  const { id, token } = makeToken()
  const text = token.reveal()
  const entry = {
    ...{ id, name, sha256: tokenDigest(text).toString("hex") },
    ...{ tunnels: ["preview-*", "shop"], allow: [], createdAt: new Date(0).toISOString() },
  }
  await changeTokens(file, (tokens) => [...tokens, entry])
  return text
}

function held(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
