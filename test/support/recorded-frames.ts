// A sink that writes down each frame that it is given, in words that a test can compare.
import type { StreamSink } from "@restante/protocol"

export function recordedFrames(heard: string[]): StreamSink {
  return {
    onOpen: (stream) => heard.push(`open ${stream}`),
    onTaken: (stream) => heard.push(`taken ${stream}`),
    onHead: (stream) => heard.push(`head ${stream}`),
    onData: (stream, bytes) => heard.push(`data ${stream} ${bytes.length}`),
    onEnd: (stream) => heard.push(`end ${stream}`),
    onReset: (stream, code) => heard.push(`reset ${stream} ${code}`),
    onWindow: (stream, credit) => heard.push(`window ${stream} ${credit}`),
    onDrain: () => heard.push("drain"),
  }
}
