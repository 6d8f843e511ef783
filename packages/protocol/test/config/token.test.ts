import { describe, expect, test } from "vitest"
import { givenToken, parseToken, refuseTokenArguments } from "../../src/config/token.ts"

const token = "l4YQ7u0rJm6nB3x9V2c8K1pZ5sT0wE6aHdGfRyUiOqM"
const noFile = (): Promise<string> =>
  Promise.reject(Object.assign(new Error("open failed"), { code: "ENOENT" }))

describe("reading a token", () => {
  test("white space around it does not count", () => {
    expect(parseToken(`  ${token}\r\n`, "The file").reveal()).toBe(token)
  })

  test.each([
    ["nothing", " \n", "holds no token"],
    ["two lines", `${token}\n${token}\n`, "more than one line"],
    ["a space inside", "two words", "does not hold a token"],
    ["a letter outside ASCII", "größe-und-mehr-davon", "does not hold a token"],
    ["far too much", "x".repeat(5000), "does not hold a token"],
  ])("%s is refused, naming the source and not the text", (_what, text, reason) => {
    const refusal = refusalOf(() => parseToken(text, "The file of --token-file"))
    expect(refusal).toContain("The file of --token-file")
    expect(refusal).toContain(reason)
    expect(refusal).not.toContain(text.trim() || "\0")
  })

  test("a file wins over the environment", async () => {
    const environment = { RESTANTE_TOKEN: "from-the-environment" }
    const given = await givenToken({
      file: "f",
      environment,
      readText: () => Promise.resolve("from-the-file\n"),
    })
    expect(given?.reveal()).toBe("from-the-file")
  })

  test("RESTANTE_TOKEN is used without a file, and counts as unset when it is empty", async () => {
    const given = await givenToken({
      file: undefined,
      environment: { RESTANTE_TOKEN: token },
      readText: noFile,
    })
    const empty = await givenToken({
      file: undefined,
      environment: { RESTANTE_TOKEN: " " },
      readText: noFile,
    })
    expect(given?.reveal()).toBe(token)
    expect(empty).toBeUndefined()
  })

  test("a token given as the name of its file is not shown, and the mistake is explained", async () => {
    const given = givenToken({ file: token, environment: {}, readText: noFile })
    await expect(given).rejects.toThrow("It wants the name of a file that holds the token, not the token.")
    await expect(given).rejects.not.toThrow(token)
  })
})

describe("a token on the command line", () => {
  const options = ["port", "token-file", "tunnel", "transport", "log-level", "host"]

  test.each([
    ["--token", token],
    [`--token=${token}`],
    ["-token", token],
    [`--Token=${token}`],
    ["--tokens", token],
    ["--tokn", token],
    [`--auth-token=${token}`],
    ["--secret", token],
    ["--password", token],
    ["--bearer", token],
    ["--api-key", token],
    ["--authtoken", token],
    [`RESTANTE_TOKEN=${token}`],
    ["--port", "8080", "--token", token],
  ])("%s is refused with an explanation and without the value", (...argv) => {
    const refusal = refusalOf(() => refuseTokenArguments(argv, options))
    expect(refusal).toContain("every user of this machine can read it")
    expect(refusal).toContain("--token-file FILE, or set RESTANTE_TOKEN")
    expect(refusal).not.toContain(token)
  })

  test.each([
    ["--token-file", "f"],
    ["--tokenfile=f"],
    ["--token_file", "f"],
    ["--tunnel", "t"],
    ["--port", "1"],
    ["--hots", "h"],
  ])("%s is no token", (...argv) => {
    expect(() => refuseTokenArguments(argv, options)).not.toThrow()
  })
})

function refusalOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return "(not refused)"
}
