// No page of the documentation leads nowhere, and each can be reached from the index.
import { existsSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { expect, test } from "vitest"
import { readPages, root } from "./pages.ts"

const pages = readPages()
const isForeign = (href: string): boolean => /^[a-z]+:/i.test(href)

/** The file that a page's link names, from the repository's root, and the anchor in it. */
function target(from: string, href: string): { readonly file: string; readonly anchor: string } {
  const [path = "", anchor = ""] = href.split("#")
  return { file: path === "" ? from : normalize(join(dirname(from), path)), anchor }
}

test.each(pages.map((page) => [page.path, page] as const))("%s links only to what is there", (path, page) => {
  const broken = page.links
    .filter((href) => !isForeign(href))
    .filter((href) => {
      const { file, anchor } = target(path, href)
      if (anchor === "") return !existsSync(join(root, file))
      return !pages.some((other) => other.path === file && other.anchors.has(anchor))
    })
  expect(broken).toEqual([])
})

test("every page can be reached from docs/README.md by links between pages", () => {
  const reached = new Set(["docs/README.md"])
  for (const path of reached) {
    const page = pages.find((candidate) => candidate.path === path)
    for (const href of page?.links ?? []) if (!isForeign(href)) reached.add(target(path, href).file)
  }
  expect(pages.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([])
})
