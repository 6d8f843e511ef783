// Figures that a test saw, for whoever asks for them: printed only when RESTANTE_TEST_REPORT is set.
export function report(text: () => string): void {
  if (process.env["RESTANTE_TEST_REPORT"] !== undefined) console.log(text())
}
