import { expect, test } from "vitest"
import { prefersHtml } from "../../src/exchange/accept.ts"

test.each([
  // What clients send: curl, fetch, Firefox, Chrome, Safari, an image of a page, old Internet Explorer.
  [undefined, "problem"],
  ["*/*", "problem"],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "page"],
  [
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "page",
  ],
  ["image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", "problem"],
  ["application/json", "problem"],
  ["application/json, text/plain, */*", "problem"],
  ["image/gif, image/jpeg, application/x-shockwave-flash, */*", "problem"],
  // Weights.
  ["text/html", "page"],
  ["TEXT/HTML", "page"],
  ["text/html;q=0.5, application/json;q=0.4", "page"],
  ["text/html;q=0.4, application/json;q=0.5", "problem"],
  ["text/html;q=0.4, application/problem+json;q=0.5", "problem"],
  ["text/html, application/json", "problem"],
  ["text/html;q=0", "problem"],
  ["text/html;q=0, */*", "problem"],
  ["text/html;q=0.001", "page"],
  ["text/html; q=1.000 , */*;q=0.999", "page"],
  // The most specific range counts, not the first or the best.
  ["text/*", "page"],
  ["text/*;q=0.9, */*;q=0.1", "page"],
  ["text/html;q=0.1, text/*;q=0.9, */*;q=0.5", "problem"],
  ["application/problem+json;q=0.1, application/*;q=0.1, text/html;q=0.5, */*", "page"],
  ["application/*;q=0.9, text/html;q=0.8", "problem"],
  // Parameters narrow a range to what we do not have.
  ["text/html;level=1", "problem"],
  ["text/html;charset=utf-8", "page"],
  ["text/html;charset=iso-8859-1", "problem"],
  // What is not valid counts for nothing.
  ["", "problem"],
  [",,;q=1,", "problem"],
  ["text/html;q=2", "problem"],
  ["text/html;q=0.1234", "problem"],
  ["text/html;q=abc, application/json;q=0.1", "problem"],
  [`text/html,${"x,".repeat(4096)}`, "problem"],
])("Accept: %s gets the %s", (accept, expected) => {
  expect(prefersHtml(accept) ? "page" : "problem").toBe(expected)
})
