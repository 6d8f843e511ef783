// docs/conformance.md as text, made from the rows and the cases.
import { allCases } from "./cases/index.ts"
import { http2Cases } from "./h2/cases.ts"
import { rows, type Row } from "./rows.ts"

export function conformanceTable(): string {
  const lines = rows.map(
    (row) =>
      `| ${row.row} | ${row.semantic} | ${row.rfc} | ${casesOf(row).length} | ${verdicts[row.verdict]} | ${row.note ?? ""} |`,
  )
  const sections = rows.filter((row) => casesOf(row).length > 0).map(section)
  return [intro, tableHead, ...lines, "", "## Cases", "", ...sections].join("\n")
}

const verdicts: Readonly<Record<Row["verdict"], string>> = {
  met: "met",
  differs: "**by choice**",
  later: "later",
}

/** Those of HTTP/2 clients are row 40's, whichever they are about. */
function casesOf({ row }: Row): readonly { readonly title: string; readonly rfc: string }[] {
  if (row !== http2Row) return allCases.filter((one) => one.row === row)
  return http2Cases.map((one) => ({ title: `row ${one.row}: ${one.title}`, rfc: one.rfc }))
}

const http2Row = 40

function section(row: Row): string {
  const items = casesOf(row).map(({ title, rfc }) => `- ${plain(title)} (${rfc})`)
  return [`### ${row.row}. ${row.semantic}`, "", ...items, ""].join("\n")
}

/** Nothing in a title is markup. */
const plain = (title: string): string => title.replaceAll(/[\\`*_{}[\]<>#|]/g, String.raw`\$&`)

const intro = `# What a careful proxy keeps

Every line of this page is made from the cases in \`test/conformance/\` (\`npm run conformance-table\`; a test says when it is stale). A case says
which bytes a client sends, which bytes reach the upstream, what that one answers and which bytes come back; raw sockets stand at both
ends of the real programs and every byte is compared. All ${allCases.length} cases run with the queue in memory and in Redis, over polls and over a websocket. The ${http2Cases.length} cases of
row 40 say which fields, body and trailers a client sends and gets by HTTP/2; they run over polls and over a websocket.

Numbers in front of § are RFCs. "By choice" is where we do not do what the row of our checklist says, and the note says why. "Later" is a
feature that is not here yet.
`

const tableHead = `| Row | Semantic | RFC | Cases | Verdict | Note |
| --: | --- | --- | --: | --- | --- |`
