// The private server's page: shows each of its other addresses at work. Everything on it crosses the tunnel.

export interface PageFacts {
  readonly fileBytes: number
  readonly fileSha256: string
}

export function page({ fileBytes, fileSha256 }: PageFacts): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>A private server</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
section { border-top: 1px solid #8886; margin-top: 1.5rem }
output, code { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
#clock { font-size: 1.5rem }
</style>
<h1>A private server</h1>
<p>This page comes from a server that listens on 127.0.0.1 only. You see it because proxy-in, beside it, collected your
request from proxy-out. Stop proxy-in and reload: the request waits. Start it again: the answer comes.</p>

<section>
<h2>An event stream</h2>
<p><output id="clock">waiting for the first event</output></p>
</section>

<section>
<h2>A JSON API</h2>
<form id="note"><input name="text" maxlength="200" required placeholder="Leave a note"> <button>Send</button></form>
<ul id="notes"></ul>
</section>

<section>
<h2>A file</h2>
<p><a href="/file">letter.txt</a>, ${fileBytes / 1024 / 1024} MiB, SHA-256 <code>${fileSha256}</code></p>
</section>

<section>
<h2>An upload</h2>
<p><input id="upload" type="file"> <output id="uploaded"></output></p>
</section>

<script>
const element = (id) => document.getElementById(id)
new EventSource("/events").onmessage = (event) => { element("clock").value = event.data }

async function showNotes() {
  const notes = await (await fetch("/api/notes")).json()
  element("notes").replaceChildren(...notes.toReversed().map(({ at, text }) => {
    const item = document.createElement("li")
    item.textContent = at.slice(11, 19) + "  " + text
    return item
  }))
}
element("note").onsubmit = async (event) => {
  event.preventDefault()
  await fetch("/api/notes", { method: "POST", body: new FormData(event.target).get("text") })
  event.target.reset()
  await showNotes()
}
element("upload").onchange = async ({ target }) => {
  element("uploaded").value = "sending"
  const { bytes, sha256 } = await (await fetch("/upload", { method: "POST", body: target.files[0] })).json()
  element("uploaded").value = bytes + " bytes arrived, SHA-256 " + sha256
}
void showNotes()
</script>
</html>
`
}
