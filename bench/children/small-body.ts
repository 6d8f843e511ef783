// What a small GET is answered with: the 128 bytes that an API might give.
export const smallBody =
  "A small answer from the private server, as an API might give it: 128 bytes long. ".padEnd(127, "-") + "\n"
